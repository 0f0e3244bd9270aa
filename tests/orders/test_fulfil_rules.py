"""Who gives what, until when, from where instead; labels and numbers of parcels."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from samlad.catalog import Sellable
from samlad.channels import OpeningHours
from samlad.kernel.ids import new_id
from samlad.orders import LineKind, OrderLine, fulfilment_labels
from samlad.orders import fulfilment_rules as rules
from samlad.orders.fulfilment_batches import merged
from samlad.orders.fulfilment_labels import Label
from samlad.orders.fulfilment_model import (
    Fulfilment,
    FulfilmentLine,
    FulfilmentState,
    Method,
    TrackingEvent,
    TrackingStatus,
)
from samlad.orders.fulfilment_substitute import parted

VARIANTS, PLACES = [new_id() for _ in range(3)], [new_id() for _ in range(4)]
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
LEVELS = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(VARIANTS), st.integers(0, 5)), max_size=12
)


def unique(levels: list[tuple[UUID, UUID, int]]) -> list[tuple[UUID, UUID, int]]:
    return [(place, variant, units) for (place, variant), units in {(p, v): u for p, v, u in levels}.items()]


@given(st.lists(st.tuples(st.sampled_from(VARIANTS), st.integers(1, 5)), max_size=5), LEVELS)
def test_lines_are_spread_over_holds_to_the_unit(
    wanted: list[tuple[UUID, int]], levels: list[tuple[UUID, UUID, int]]
) -> None:
    held = unique(levels)
    lines = [(position, variant, units) for position, (variant, units) in enumerate(wanted, 1)]
    parts = rules.spread(lines, held)
    for place, units in parts.items():
        assert len({position for position, _v, _q in units}) == len(units), "a line once for each place"
        for variant, quantity in rules.by_variant(units).items():
            assert quantity <= sum(u for p, v, u in held if (p, v) == (place, variant))
    for variant in VARIANTS:
        asked = sum(units for _p, v, units in lines if v == variant)
        there = sum(units for _p, v, units in held if v == variant)
        given_ = sum(rules.by_variant(units).get(variant, 0) for units in parts.values())
        assert given_ == min(asked, there)


@given(st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 8), min_size=1), LEVELS, st.booleans())
def test_another_place_never_gives_more_than_it_has_and_one_is_best(
    wanted: dict[UUID, int], levels: list[tuple[UUID, UUID, int]], one_place: bool
) -> None:
    free = unique(levels)
    picks, missing = rules.choose(wanted, free, one_place=one_place)
    there = {(place, variant): units for place, variant, units in free}
    for place, variant, units in picks:
        assert 0 < units <= there[place, variant]
    for variant, quantity in wanted.items():
        assert sum(u for _p, v, u in picks if v == variant) + missing.get(variant, 0) == quantity
    whole = any(all(there.get((p, v), 0) >= q for v, q in wanted.items()) for p in PLACES)
    if whole:
        assert len({place for place, _v, _u in picks}) == 1
        assert not missing
    elif one_place:
        assert picks == []
    else:
        for variant, quantity in wanted.items():
            total = sum(units for (_p, v), units in there.items() if v == variant)
            assert missing.get(variant, 0) == max(0, quantity - total)


def test_time_counts_while_a_place_is_open() -> None:
    weekly = [[{"opens": "10:00", "closes": "18:00"}]] * 5 + [[], []]
    hours = msgspec.convert({"weekly": weekly}, OpeningHours)
    friday = MONDAY + timedelta(days=4)

    def due(opened: datetime, minutes: int = 120) -> datetime:
        return rules.due(opened, minutes, hours, "UTC")

    assert due(MONDAY + timedelta(hours=11)) == MONDAY + timedelta(hours=13)
    assert due(MONDAY + timedelta(hours=7)) == MONDAY + timedelta(hours=12), "nobody is there at seven"
    assert due(friday + timedelta(hours=17)) == friday + timedelta(days=3, hours=11), "over the weekend"
    assert due(MONDAY + timedelta(hours=17), 540) == MONDAY + timedelta(days=1, hours=18)
    closed = msgspec.convert({"weekly": [[]] * 7}, OpeningHours)
    assert rules.due(MONDAY, 60, closed, "UTC") == MONDAY + timedelta(hours=1)
    assert rules.due(MONDAY, 60, None, "UTC") == MONDAY + timedelta(hours=1)


@given(st.integers(0, 10_000), st.integers(5, 2_000))
def test_what_comes_later_is_due_later(minute: int, target: int) -> None:
    weekly = [[{"opens": "09:00", "closes": "12:00"}, {"opens": "13:00", "closes": "20:00"}]] * 7
    hours = msgspec.convert({"weekly": weekly}, OpeningHours)
    first = MONDAY + timedelta(minutes=minute)
    due = rules.due(first, target, hours, "Europe/Stockholm")
    assert due >= first + timedelta(minutes=target)
    assert rules.due(first + timedelta(minutes=1), target, hours, "Europe/Stockholm") >= due


@given(st.lists(st.tuples(st.sampled_from(TrackingStatus), st.integers(0, 20)), max_size=8), st.randoms())
def test_where_a_parcel_is_does_not_depend_on_who_tells_first(told: list, random: object) -> None:
    events = [
        TrackingEvent(status=status, happened_at=MONDAY + timedelta(hours=hour), place="", note="")
        for status, hour in {hour: (status, hour) for status, hour in told}.values()
    ]
    state = rules.tracking_state(events)
    random.shuffle(events)  # type: ignore[attr-defined]
    assert rules.tracking_state(events) is state
    if any(event.status is TrackingStatus.RETURNED for event in events):
        assert state is TrackingStatus.RETURNED
    elif any(event.status is TrackingStatus.DELIVERED for event in events):
        assert state is TrackingStatus.DELIVERED


@given(st.uuids())
def test_numbers_of_parcels_check_themselves(fulfilment: UUID) -> None:
    number = rules.tracking_number(fulfilment)
    assert re.fullmatch(r"SM\d{13}", number)
    assert number == rules.tracking_number(fulfilment)
    digits = [int(digit) for digit in number[2:]]
    assert (sum(d * (3 if i % 2 else 1) for i, d in enumerate(digits[:-1])) + digits[-1]) % 10 == 0


TEXT = st.text(max_size=60)


@settings(max_examples=15, deadline=None)
@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=6), TEXT)
def test_labels_take_any_name(sender: list[str], recipient: list[str], order: str) -> None:
    label = Label(sender=sender, recipient=recipient, number="SM1234567890123", order_number=order, units=2)
    assert fulfilment_labels.pdf(label).startswith(b"%PDF-")
    text = fulfilment_labels.zpl(label).decode()
    assert text.count("^XA") == 1
    assert text.endswith("^XZ")
    commands = set(re.findall(r"\^([A-Z0-9]{2})", text))
    assert commands <= {
        "XA",
        "CI",
        "PW",
        "LL",
        "FO",
        "A0",
        "FH",
        "FD",
        "FS",
        "GB",
        "BQ",
        "BY",
        "BC",
        "PQ",
        "XZ",
    }
    assert "~" not in text


def test_letters_that_a_printer_lacks_lose_their_strokes() -> None:
    assert fulfilment_labels.plain("Łódź, Åsa, 東") == "Lódz, Åsa, ?"


@given(st.integers(1, 9), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5), st.data())
def test_a_substitutes_amounts_come_to_the_lines(
    quantity: int, total: int, price: int, tax: int, data: st.DataObject
) -> None:
    line = OrderLine(
        position=1, kind=LineKind.ITEM, variant=VARIANTS[0], sku="A", title="A", quantity=quantity,
        unit_price=1, tax_rate=2500, tax=tax, total=total,
    )  # fmt: skip
    other = Sellable(
        variant=VARIANTS[1], product=new_id(), sku="B", title="B", options="", image=None, price=price,
        compare_at=None, reference_price=None, currency="SEK", tax_included=True, tax_rate=2500,
        tax_class="standard", is_available=True, weight=None, requires_shipping=True, handle="b",
    )  # fmt: skip
    units = data.draw(st.integers(1, quantity))
    kept, given_ = parted(line, units, other, 2)
    assert (kept.quantity if kept else 0) + given_.quantity == quantity
    assert given_.substitutes == "A"
    paid = total - (kept.total if kept else 0)
    assert given_.total == min(paid, price * units)
    assert given_.position == (2 if kept else 1)


def test_a_walk_goes_by_bins_and_what_has_none_comes_last() -> None:
    def member(slot: int, *lines: tuple[UUID, str, str | None, int]) -> Fulfilment:
        return Fulfilment(
            id=new_id(), order_id=new_id(), number="W1", channel=new_id(), location=PLACES[0],
            method=Method.SHIP, state=FulfilmentState.PICKING, due_at=MONDAY, slot=slot, opened_at=MONDAY,
            lines=[
                FulfilmentLine(position=n, variant=v, sku=sku, title=sku, options="", quantity=q, bin=place)
                for n, (v, sku, place, q) in enumerate(lines, 1)
            ],
        )  # fmt: skip

    a, b, c = VARIANTS
    walk = merged(
        [member(1, (a, "A", "B-2", 2), (b, "B", None, 1)), member(2, (c, "C", "A-1", 1), (a, "A", "B-2", 3))]
    )
    assert [(line.sku, line.quantity, line.slots) for line in walk] == [
        ("C", 1, [(2, 1)]),
        ("A", 5, [(1, 2), (2, 3)]),
        ("B", 1, [(1, 1)]),
    ]
