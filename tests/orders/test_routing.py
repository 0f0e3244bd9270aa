"""Routing: the rules without a database, then orders that go by them, why, and what the rules would have done before."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samlad import carts, channels, stock
from samlad.channels import ChannelChange
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.orders import routing, routing_replay
from samlad.orders.routing_model import Candidate, Decision, Line, Routing, RoutingInput, RuleSet
from samlad.orders.routing_rules import STRATEGIES, Question, decide
from samlad.stock import LocationChange, SoldOut, sharing
from samlad.stock.model import LocationChannelInput
from trade import GUEST, Trade

KETTLE, MUG = UUID(int=1), UUID(int=2)


def rules(**values: Any) -> RuleSet:
    return msgspec.convert(values, RuleSet)


def place(number: int, kettles: int = 0, mugs: int = 0, **values: Any) -> Candidate:
    given_values = {"id": UUID(int=100 + number), "code": f"p{number}", "kind": "store", "is_own": False,
                    "priority": number, "km": 10.0 * number, "free": {KETTLE: kettles, MUG: mugs}}  # fmt: skip
    return msgspec.convert(given_values | values, Candidate)


def ask(wanted: RuleSet, *places: Candidate, kettles: int = 1, mugs: int = 0) -> Decision:
    lines = [Line(v, q, 1000 * q) for v, q in ((KETTLE, kettles), (MUG, mugs)) if q]
    return decide(Question(lines, places, wanted))


def sent(decision: Decision) -> list[tuple[str, dict[UUID, int]]]:
    return [(part.code, part.units) for part in decision.parts]


@pytest.mark.parametrize(
    ("ranks", "first"),
    [
        ([{"by": "distance"}], "p1"),
        ([{"by": "own_store"}], "p3"),
        ([{"by": "priority"}], "p1"),
        ([{"by": "on_hand"}], "p2"),
        ([{"by": "load"}], "p2"),
        ([{"by": "capacity"}], "p3"),
        ([{"by": "stock_age"}], "p3"),
        ([{"by": "balance"}], "p2"),
        ([{"by": "cost"}], "p2"),
        ([{"by": "distance", "step": 25}, {"by": "on_hand"}], "p2"),
    ],
)
def test_ranks(ranks: list[dict[str, Any]], first: str) -> None:
    near = place(1, 2, load=5, capacity=10, age_days=1)
    large = place(2, 9, load=1, capacity=2, age_days=2)
    own = place(3, 3, is_own=True, load=3, capacity=100, age_days=40)
    wanted = rules(ranks=ranks, costs={"default": 500, "places": {"p2": 100}})
    assert sent(ask(wanted, near, large, own)) == [(first, {KETTLE: 1})]


@pytest.mark.parametrize(
    ("filters", "why_not"),
    [
        ({"kinds": ["warehouse"]}, "is a store"),
        ({"only": ["p9"]}, "is not among the named ones"),
        ({"without": ["p1"]}, "is excluded"),
        ({"max_km": 5}, "is too far away"),
        ({"max_load": 3}, "has too much open work"),
        ({"keep_units": 2}, "has none of it to spare"),
        ({}, "is full today"),
    ],
)
def test_filters_say_why(filters: dict[str, Any], why_not: str) -> None:
    decision = ask(rules(filters=filters), place(1, 2, load=3, is_full=not filters))
    assert (decision.parts, [seen.why_not for seen in decision.seen]) == ([], [why_not])
    assert decision.reason.endswith("stock decides")


def test_a_split_must_be_worth_it() -> None:
    places = (place(1, 2), place(2, 1, 3), place(3, 0, 1))
    ranked = {"ranks": [{"by": "priority"}]}
    assert sent(ask(rules(**ranked), *places, kettles=2, mugs=1)) == [("p1", {KETTLE: 2}), ("p2", {MUG: 1})]
    assert ask(rules(**ranked, split={"max_parts": 1}), *places, kettles=2, mugs=1).parts == []
    assert len(ask(rules(**ranked, split={"least_amount": 1000}), *places, kettles=2, mugs=1).parts) == 2
    worthless = ask(rules(**ranked, split={"least_amount": 1001}), *places, kettles=2, mugs=1)
    assert (worthless.parts, worthless.reason) == (
        [],
        "a part would be worth 1000, less than 1001: stock decides",
    )


def test_fewest_parts_is_another_strategy() -> None:
    places = (place(1, 2, 0), place(2, 0, 2), place(3, 3, 2))
    ranked = rules(ranks=[{"by": "priority"}])
    fewest = rules(strategy="fewest_parts", ranks=[{"by": "priority"}])
    assert len(ask(ranked, *places, kettles=4, mugs=3).parts) == 3
    assert {part.code for part in ask(fewest, *places, kettles=4, mugs=2).parts} == {"p1", "p3"}
    assert ask(rules(strategy="default"), *places).parts == []
    assert all(strategy.__doc__ for strategy in STRATEGIES.values())


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=6),
    st.integers(1, 8),
    st.integers(0, 8),
    st.sampled_from(["ranked", "fewest_parts"]),
    st.integers(0, 2),
    st.integers(1, 4),
    st.integers(0, 3000),
)
def test_parts_are_what_was_wanted_and_what_is_there(
    shelves: Any, kettles: int, mugs: int, strategy: str, keep: int, most: int, least: int
) -> None:
    places = [place(number, *shelf) for number, shelf in enumerate(shelves)]
    wanted = rules(
        strategy=strategy, filters={"keep_units": keep}, split={"max_parts": most, "least_amount": least}
    )
    decision = ask(wanted, *places, kettles=kettles, mugs=mugs)
    assert {seen.location for seen in decision.seen} == {candidate.id for candidate in places}
    usable = {c.id: {v: max(0, free - keep) for v, free in c.free.items()} for c in places}
    if not decision.parts:
        return
    total = {KETTLE: 0, MUG: 0}
    for part in decision.parts:
        for variant, units in part.units.items():
            assert 0 < units <= usable[part.location][variant]
            total[variant] += units
    assert total == {KETTLE: kettles, MUG: mugs}
    assert len(decision.parts) <= most
    has_all = any(u[KETTLE] >= kettles and u[MUG] >= mugs for u in usable.values())
    assert (len(decision.parts) == 1) == has_all, "one place that has everything is never split over several"


# -- orders ------------------------------------------------------------------------------------------------------------------


async def live(trade: Trade, **values: Any) -> Routing:
    """Rules that hold in the webshop."""
    data = msgspec.convert({"channel": "web", "rules": values}, RoutingInput)

    async def work(tx: Tx) -> Routing:
        made = await routing.add_rules(tx, data)
        return await routing.go_live(tx, made.id)

    return await trade.db.transaction(work)


async def put(trade: Trade, kettle: UUID, **units: int) -> None:
    async def work(tx: Tx) -> None:
        for code, count in units.items():
            await stock.receive(tx, getattr(trade, f"at_{code}").id, [(kettle, count)])

    await trade.db.transaction(work)


async def located(trade: Trade) -> None:
    """Malmö and Lund know where they are; the warehouse is in the north."""

    async def work(tx: Tx) -> None:
        for spot, lat, lon, code in (
            (trade.at_malmo, 55.6, 13.0, "211 22"), (trade.at_lund, 55.7, 13.19, "222 22"), (trade.warehouse, 65.6, 22.1, "972 31"),
        ):  # fmt: skip
            where = {"postal_code": code, "country": "SE"}
            await stock.change_location(
                tx, spot.id, LocationChange(latitude=lat, longitude=lon, address=where)
            )

    await trade.db.transaction(work)


async def held(trade: Trade, order: UUID) -> dict[str, int]:
    rows = await trade.db.rows(
        "SELECT p.code, h.quantity FROM hold h JOIN location p ON p.id = h.location WHERE h.owner = $1", order
    )
    return {row["code"]: row["quantity"] for row in rows}


async def why(trade: Trade, order: UUID) -> dict[str, Any]:
    [told] = [event for event in await log.of_subject(trade.db, order) if event.type == "order.routed"]
    return told.payload


async def test_without_rules_stock_decides_and_nothing_is_told(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(), 2))
    assert await held(trade, order.id) == {"dc": 2}
    assert [e for e in await log.of_subject(trade.db, order.id) if e.type == "order.routed"] == []


@pytest.mark.parametrize("checked_out", [False, True])
async def test_an_order_goes_by_the_rules_and_says_why(trade: Trade, checked_out: bool) -> None:
    await located(trade)
    await live(trade, ranks=[{"by": "distance"}])
    kettle = await trade.kettle(quantity=9)
    await put(trade, kettle, malmo=1, lund=5)
    cart = await trade.cart((kettle, 2))
    if checked_out:
        await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
        assert await trade.level(kettle) == (9, 2)
    order = await trade.place(cart.id)
    assert await held(trade, order.id) == {"lund": 2}
    told = await why(trade, order.id)
    assert told["reason"] == "the first in rank that has everything"
    assert [(c["code"], c["rank"]) for c in told["candidates"]] == [("malmo", 1), ("lund", 2), ("dc", 3)]
    assert told["candidates"][2]["values"]["distance"] > 1000
    await trade.sound()


@pytest.mark.parametrize(
    ("wanted", "places"), [(2, {"lund": 2}), (3, {"lund": 2, "dc": 1}), (4, {"malmo": 4})]
)
async def test_what_is_there_goes_before_what_may_be_sold_ahead(
    trade: Trade, wanted: int, places: dict[str, int]
) -> None:
    await located(trade)
    await live(trade, ranks=[{"by": "distance"}])
    kettle = await trade.kettle(quantity=1)
    await put(trade, kettle, lund=2)
    await trade.db.transaction(lambda tx: stock.set_level(tx, trade.at_malmo.id, kettle, backorder_limit=50))
    order = await trade.buy((kettle, wanted))
    assert await held(trade, order.id) == places, "the nearest place has none: it only may sell ahead"
    await trade.sound()


async def test_what_waits_in_an_order_leaves_the_rest_where_it_is(trade: Trade) -> None:
    await located(trade)
    await live(trade, ranks=[{"by": "distance"}])
    kettle, mug = await trade.kettle(quantity=0), await trade.kettle(quantity=0)
    await put(trade, kettle, lund=2)
    for variant in (kettle, mug):
        await trade.db.transaction(
            lambda tx, v=variant: stock.set_level(tx, trade.at_malmo.id, v, backorder_limit=50)
        )
    order = await trade.buy((kettle, 2), (mug, 1))
    assert await held(trade, order.id) == {"lund": 2, "malmo": 1}, "the kettles are there, only the mug waits"
    await trade.sound()


async def test_what_the_rules_cannot_send_stock_sends(trade: Trade) -> None:
    await live(trade, filters={"only": ["lund"]})
    kettle = await trade.kettle(quantity=3)
    order = await trade.buy((kettle, 2))
    assert await held(trade, order.id) == {"dc": 2}
    assert (await why(trade, order.id))["candidates"][0]["why_not"] == "is not among the named ones"


async def test_who_loses_a_race_keeps_what_the_checkout_held(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(trade, ranks=[{"by": "priority"}], filters={"only": ["lund"]})
    kettle = await trade.kettle(quantity=2)
    await put(trade, kettle, lund=2)
    cart = await trade.cart((kettle, 2))
    await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    first = await routing.route(
        trade.db, trade.web, [Line(kettle, 2, 100)], None, rules(filters={"only": ["lund"]})
    )
    assert sent(first) == [("lund", {kettle: 2})]

    async def late(*_arguments: Any) -> Decision:
        return first  # each time somebody was quicker between our look and our hold

    await trade.db.rows("UPDATE level SET held = on_hand WHERE location = $1 RETURNING 1", trade.at_lund.id)
    monkeypatch.setattr(routing, "route", late)
    order = await trade.place(cart.id)
    assert await held(trade, order.id) == {"dc": 2}
    assert "quicker" in (await why(trade, order.id))["reason"]


async def test_replay_compares_and_changes_nothing(trade: Trade) -> None:
    await located(trade)
    kettle, mug = await trade.kettle(quantity=9), await trade.kettle(quantity=0)
    await put(trade, kettle, malmo=5)
    await put(trade, mug, malmo=5)
    both = await trade.buy((kettle, 1), (mug, 1))
    far = await trade.buy((kettle, 2))
    assert (await held(trade, both.id), await held(trade, far.id)) == ({"malmo": 1}, {"dc": 2})
    nearest = rules(ranks=[{"by": "distance"}], costs={"default": 100, "per_km": 1})
    found = await routing_replay.replay(
        trade.db, trade.web, nearest, since=now() - timedelta(days=1), until=now() + timedelta(minutes=1)
    )
    assert (found.orders, found.undecided, found.changed) == (2, 0, 1)
    assert (found.parts_before, found.parts_after) == (2, 2)
    assert found.km_before > 1000 > found.km_after
    assert found.cost_before > found.cost_after
    row = next(row for row in found.rows if row.order == far.id)
    assert (row.was.places, row.would_be.places) == (["dc"], ["malmo"])
    assert await held(trade, far.id) == {"dc": 2}


async def test_over_http(trade: Trade, api: httpx.AsyncClient) -> None:
    await located(trade)
    body = {"channel": "web", "rules": {"ranks": [{"by": "distance", "step": 5}]}, "note": "nearest"}
    made = await api.post("/api/routing", json=body)
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert (await api.post("/api/routing", json=body)).json()["version"] == 2
    wrong = await api.post("/api/routing", json={**body, "rules": {"strategy": "magic"}})
    assert wrong.json()["errors"][0]["field"] == "rules/strategy"
    twice = await api.post(
        "/api/routing", json={**body, "rules": {"ranks": [{"by": "load"}, {"by": "load"}]}}
    )
    assert twice.json()["errors"][0]["field"] == "rules/ranks/1/by"
    here = f"/api/routing/{made.json()['id']}"
    kettle = await trade.kettle()
    await put(trade, kettle, malmo=2)
    cart = await trade.cart((kettle, 1))
    where = (await api.get(f"{here}/where?cart={cart.id}")).json()
    assert [part["code"] for part in where["parts"]] == ["malmo"]
    await trade.place(cart.id)
    replayed = (await api.get(f"{here}/replay?days=1")).json()
    assert (replayed["orders"], replayed["changed"]) == (1, 1)
    assert (await api.post(f"{here}/live")).status_code == 200
    web = await channels.get(trade.db, trade.web.id)
    assert web.setting("routing") == made.json()["id"]
    again = await trade.buy((kettle, 1))
    assert await held(trade, again.id) == {"malmo": 1}
    await trade.db.transaction(
        lambda tx: channels.change(tx, trade.web.id, ChannelChange(settings={"routing": None}))
    )
    assert await held(trade, (await trade.buy((kettle, 1))).id) == {"dc": 1}


async def test_rules_need_their_permission(trade: Trade) -> None:
    data = RoutingInput(channel="web", rules=RuleSet())
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: routing.add_rules(tx, data), GUEST)
    with pytest.raises(InvalidInput):
        await trade.db.transaction(
            lambda tx: routing.add_rules(tx, msgspec.structs.replace(data, channel="nope"))
        )


async def test_rules_leave_what_is_kept_back(trade: Trade) -> None:
    await live(trade, ranks=[{"by": "priority"}])
    kettle = await trade.kettle(quantity=2)
    await put(trade, kettle, malmo=2, lund=2)

    async def keep(tx: Tx) -> None:
        await stock.change_location(tx, trade.warehouse.id, LocationChange(buffer=2))
        await sharing.set_channel(tx, trade.at_malmo.id, trade.web, LocationChannelInput(is_excluded=True))

    await trade.db.transaction(keep)
    order = await trade.buy((kettle, 1))
    assert await held(trade, order.id) == {"lund": 1}
    told = await why(trade, order.id)
    assert told["reason"] == "the first in rank that has everything", (
        "it was not tried in vain elsewhere first"
    )
    assert [seen["code"] for seen in told["candidates"]] == ["lund"]
    found = await routing_replay.replay(
        trade.db, trade.web, rules(ranks=[{"by": "priority"}]), since=now() - timedelta(days=1),
        until=now() + timedelta(minutes=1),
    )  # fmt: skip
    assert [row.would_be.places for row in found.rows] == [["lund"]], (
        "nor does a replay send it where it could not go"
    )


@pytest.mark.parametrize("expired", [False, True])
async def test_rules_keep_the_channels_buffer_for_the_others(trade: Trade, expired: bool) -> None:
    change = ChannelChange(settings={"buffer": 2, "hold_policy": "order"})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))
    await live(trade, ranks=[{"by": "priority"}])
    kettle = await trade.kettle(quantity=3)
    assert await held(trade, (await trade.buy((kettle, 1))).id) == {"dc": 1}
    if expired:  # what nobody pays for makes room before anything is refused
        await put(trade, kettle, malmo=1)
        await trade.db.rows(
            """INSERT INTO hold (location, variant, quantity, kind, owner, expires_at)
               VALUES ($1, $2, 1, 'checkout', gen_random_uuid(), now() - interval '1 minute') RETURNING 1""",
            trade.at_malmo.id,
            kettle,
        )
        await trade.db.rows(
            "UPDATE level SET held = held + 1 WHERE location = $1 RETURNING 1", trade.at_malmo.id
        )
        assert (await trade.buy((kettle, 1))).is_held
    with pytest.raises(SoldOut):
        await trade.buy((kettle, 1))
    await trade.sound()
