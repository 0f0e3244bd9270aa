"""The verbs that bring, count and correct stock, and what is promised from it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import UNSET, UnsetType, structs

from samlad import channels
from samlad.access import audit
from samlad.channels import Channel, Resource
from samlad.channels.rules import check_values
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Outdated
from samlad.stock import places, promise_store, rules, sets, store
from samlad.stock.events import (
    LevelSet,
    LocationChanged,
    LocationCreated,
    StockLost,
    StockMoved,
    StockOpened,
    StockReleased,
    moved_lines,
    released_lines,
)
from samlad.stock.model import Cause, Location, LocationChange, LocationInput, Moved, Promise
from samlad.stock.permissions import ADJUST, LOCATIONS, PURCHASE
from samlad.stock.problems import LotNeeded, NotInStock
from samlad.stock.store import MoveLine, MoveOutcome


async def create_location(tx: Tx, data: LocationInput) -> Location:
    """Make a place that holds stock.

    Raises:
        InvalidInput: neither ``channel`` nor ``pool_of`` is given, or an unknown one or time zone.
        Conflict: the code is taken.
    """
    tx.actor.require(LOCATIONS)
    code = data.channel or data.pool_of
    if code is None:
        raise InvalidInput.at("pool_of", "needed when no channel stands there")
    try:
        channel = await channels.by_code(tx, code)
    except NotFound as error:
        raise InvalidInput.at("channel" if data.channel else "pool_of", error.detail) from None
    time_zone = data.time_zone or channel.time_zone
    check_values({"time_zone": time_zone})
    location = await places.insert_location(
        tx,
        {
            "id": new_id(),
            "pool": channel.pools[Resource.STOCK],
            "code": data.code,
            "name": data.name,
            "kind": data.kind,
            "channel": channel.id if data.channel else None,
            "address": data.address,
            "latitude": data.latitude,
            "longitude": data.longitude,
            "time_zone": time_zone,
            "priority": data.priority,
            "buffer": data.buffer,
            "currency": channel.currency,
        },
    )
    if location is None:
        raise Conflict.at("code", f"“{data.code}” is taken")
    log.append(
        tx,
        LocationCreated(code=location.code, name=location.name, pool=location.pool),
        subject=location.id,
    )
    tx.after_commit(places.forget)
    audit.record(tx, "location.created", "location", location.id, after=data)
    return location


async def change_location(
    tx: Tx, location_id: UUID, data: LocationChange, *, version: int | None = None
) -> Location:
    """Change what is given. ``version`` is the one that the caller saw.

    Raises:
        NotFound, InvalidInput: no such location, an unknown time zone.
        Outdated: somebody changed it since ``version``.
    """
    tx.actor.require(LOCATIONS, location=location_id)
    old = await places.location(tx, location_id)
    check_version(version, old.version)
    given: dict[str, Any] = {k: v for k, v in structs.asdict(data).items() if v is not UNSET}
    check_values(given)
    before = {name: getattr(old, name) for name in given if getattr(old, name) != given[name]}
    if not before:
        return old
    after = {name: given[name] for name in before}
    location = await places.update_location(tx, location_id, old.version, after)
    if location is None:
        raise Outdated("Somebody changed this location at the same moment.")
    log.append(tx, LocationChanged(code=old.code, before=before, after=after), subject=location_id)
    tx.after_commit(places.forget)
    audit.record(tx, "location.changed", "location", location_id, before=before, after=after)
    return location


async def receive(
    tx: Tx,
    location: UUID,
    lines: Sequence[tuple[UUID, int]],
    *,
    reference: UUID | None = None,
    reason: str = "",
    unit_costs_e4: Sequence[int | None] = (),
    lots: Sequence[UUID | None] = (),
) -> list[Moved]:
    """Goods come in: (variant, units) each. ``reference`` groups a delivery.

    ``unit_costs_e4`` says what each unit of a line cost, in ten-thousandths of a minor unit of the location's currency;
    without it, what the level's units cost last. ``lots`` says of which lot they are (`samlad.stock.lots.resolve`).

    Raises:
        LotNeeded: the product is kept by lot, and a line has none.
    """
    tx.actor.require(ADJUST, location=location)
    costs = [*unit_costs_e4, *[None] * (len(lines) - len(unit_costs_e4))]
    moves = [
        MoveLine(location, variant, quantity, reason, lot, cost)
        for (variant, quantity), lot, cost in zip(lines, lots_beside(lots, lines), costs, strict=True)
    ]
    return await move(tx, moves, cause=Cause.RECEIPT, reference=reference or new_id())


async def restock(
    tx: Tx,
    lines: Sequence[tuple[UUID, UUID, int]],
    *,
    cause: Cause = Cause.RETURN,
    reference: UUID,
    sold_as: UUID | None = None,
    lots: Sequence[UUID | None] = (),
) -> list[Moved]:
    """Units come back: (location, variant, units) each. Part of the verbs of orders, so without a permission.

    They bring back what they cost when they were sold under ``sold_as`` (an order; default: the reference). A set that was
    sold before it was made of parts comes back as its parts.

    Raises:
        LotNeeded: the product is kept by lot, and ``lots`` does not say which (`samlad.stock.lots.sold_lots`).
    """
    parts = await sets.parts_of(tx, [variant for _, variant, _ in lines])
    costs = await store.sold_costs(tx, sold_as or reference, [variant for _, variant, _ in lines])
    return await move(
        tx,
        [
            MoveLine(
                place,
                part,
                quantity * each,
                lot=None if variant in parts else lot,
                unit_cost_e4=costs.get(part),
            )
            for (place, variant, quantity), lot in zip(lines, lots_beside(lots, lines), strict=True)
            for part, each in parts.get(variant, {variant: 1}).items()
        ],
        cause=cause,
        reference=reference,
    )


async def revalue(tx: Tx, location: UUID, costs: Sequence[tuple[UUID, int]], *, reason: str) -> list[Moved]:
    """Say what the units on hand cost: (variant, ten-thousandths of a minor unit each). The ledger keeps the difference.

    A level without units remembers the cost for those that come without one of their own.

    Raises:
        InvalidInput: an unknown variant, one twice, or a value that is too large to count.
    """
    tx.actor.require(PURCHASE, location=location)
    if len({variant for variant, _ in costs}) < len(costs):
        raise InvalidInput.at("lines", "a variant is there twice")
    event, reference = new_id(), new_id()
    with moving():
        moved = await store.revalue(tx, location, costs, reason=reason, reference=reference, event=event)
    fact = StockMoved(cause=Cause.REVALUATION, reference=reference, lines=moved_lines(moved))
    log.append(tx, fact, subject=reference, event_id=event)
    audit.record(tx, "stock.revalued", "location", location, after={"reason": reason, "costs": list(costs)})
    return moved


async def correct(
    tx: Tx,
    location: UUID,
    lines: Sequence[tuple[UUID, int]],
    *,
    reason: str,
    cause: Cause = Cause.CORRECTION,
    reference: UUID | None = None,
    lots: Sequence[UUID | None] = (),
) -> list[Moved]:
    """Book what is there and was not known, or is not there and was thought to be: (variant, ± units) each.

    Reality wins: when fewer units remain than are held, holds are dropped (carts before orders, young before old)
    and `StockLost` says whose. ``cause`` is CORRECTION or DAMAGE.

    Raises:
        NotInStock: more is taken off than there is. LotNeeded: units come that are kept by lot, without ``lots``.
    """
    tx.actor.require(ADJUST, location=location)
    moves = [
        MoveLine(location, variant, quantity, reason, lot)
        for (variant, quantity), lot in zip(lines, lots_beside(lots, lines), strict=True)
    ]
    moved = await move(tx, moves, cause=cause, reference=reference or new_id(), may_drop=True)
    if sum(m.quantity for m in moved) != sum(quantity for _, quantity in lines):
        raise NotInStock("More is taken off than there is.")
    audit.record(tx, "stock.corrected", "location", location, after={"reason": reason, "lines": moved})
    return moved


async def opening(
    tx: Tx,
    rows: Sequence[tuple[UUID, UUID, int]],
    *,
    reference: UUID | None = None,
    unit_costs_e4: Mapping[UUID, int] | None = None,
    lots: Sequence[UUID | None] = (),
) -> int:
    """A large receipt by COPY, as imports make it: (location, variant, units) each; the number of movements.

    Rows without units are left out. ``unit_costs_e4`` by variant as in `receive`. The event does not carry the lines.

    Raises:
        InvalidInput: an unknown location or variant, or a negative number of units.
    """
    tx.actor.require(ADJUST)
    event, reference, costs = new_id(), reference or new_id(), unit_costs_e4 or {}
    wanted = [
        (place, variant, lot, units, costs.get(variant))
        for (place, variant, units), lot in zip(rows, lots_beside(lots, rows), strict=True)
        if units
    ]
    if any(units < 0 for _, _, _, units, _ in wanted):
        raise InvalidInput.at("rows", "a negative number of units")
    with moving():
        count = await store.copy_receipts(tx, wanted, reference=reference, event=event)
    units = sum(units for _, _, _, units, _ in wanted)
    log.append(
        tx,
        StockOpened(reference=reference, movements=count, units=units),
        subject=reference,
        event_id=event,
    )
    return count


async def set_level(
    tx: Tx,
    location: UUID,
    variant: UUID,
    *,
    backorder_limit: int | None = None,
    low_at: int | None = None,
    sells_incoming: bool | None = None,
    backorder_on: date | UnsetType | None = UNSET,
    reorder_point: int | UnsetType | None = UNSET,
    reorder_quantity: int | UnsetType | None = UNSET,
) -> None:
    """Say how a level behaves; what is not given stays.

    ``backorder_limit`` units may be sold before they are there, and come on ``backorder_on`` (null: nobody knows);
    with ``sells_incoming`` also what suppliers are to bring. At ``low_at`` it counts as low. With ``reorder_point``
    left, expected ones counted, at least ``reorder_quantity`` are to be bought again (None: never, and as many as are
    missing).

    Raises:
        Conflict: more units are held before they are there than that would allow.
        InvalidInput: an unknown location or variant.
    """
    tx.actor.require(ADJUST, location=location)
    if backorder_limit is not None or sells_incoming is False:
        expired = await store.expire(tx, location, variant)
        if expired:
            log.append(tx, StockReleased(reason="expired", lines=released_lines(expired)))
    values: dict[str, Any] = {
        name: value
        for name, value in (
            ("backorder_limit", backorder_limit),
            ("low_at", low_at),
            ("sells_incoming", sells_incoming),
        )
        if value is not None
    }
    clearable = {
        "backorder_on": backorder_on,
        "reorder_point": reorder_point,
        "reorder_quantity": reorder_quantity,
    }
    values |= {name: value for name, value in clearable.items() if value is not UNSET}
    try:
        with moving():
            row = await store.set_level(tx, location, variant, values)
    except NotInStock as error:
        field = "sells_incoming" if backorder_limit is None else "backorder_limit"
        raise Conflict.at(field, "more units are held already before they are there") from error
    behaviour = dict(row.items())
    log.append(tx, LevelSet(location=location, variant=variant, **behaviour), subject=variant)
    after = {"location": location, **behaviour}
    audit.record(tx, "stock.level-set", "variant", variant, after=after)


async def move(
    tx: Tx,
    lines: Sequence[MoveLine],
    *,
    cause: Cause,
    reference: UUID | None,
    may_drop: bool = False,
    happened_at: datetime | None = None,
) -> list[Moved]:
    """Append movements and tell of them; the part that receipts, corrections, counts and transfers share.

    Raises:
        NotInStock: without ``may_drop``, units are taken off that are not there or are held for others.
    """
    booked = await book(
        tx, lines, cause=cause, reference=reference, may_drop=may_drop, happened_at=happened_at
    )
    return booked.moved


async def book(
    tx: Tx,
    lines: Sequence[MoveLine],
    *,
    cause: Cause,
    reference: UUID | None,
    may_drop: bool = False,
    happened_at: datetime | None = None,
) -> MoveOutcome:
    """As `move`, with the values of the movements."""
    event = new_id()
    with moving():
        outcome = await store.move(
            tx,
            lines,
            cause=cause,
            reference=reference,
            event=event,
            may_drop=may_drop,
            happened_at=happened_at,
        )
    if outcome.moved:
        log.append(
            tx,
            StockMoved(cause=cause, reference=reference, lines=moved_lines(outcome.moved)),
            subject=reference,
            event_id=event,
        )
    if outcome.dropped:
        log.append(tx, StockLost(lines=released_lines(outcome.dropped)), subject=reference)
    return outcome


async def expect(tx: Tx, lines: Sequence[MoveLine], *, reference: UUID) -> None:
    """More (or, negative, fewer) units are expected; holds that had counted on them are dropped and told of."""
    with moving():
        dropped = await store.expect(tx, lines)
    if dropped:
        log.append(tx, StockLost(lines=released_lines(dropped)), subject=reference)


async def atp(
    reader: Reader, channel: Channel, variants: Sequence[UUID], *, carry_out: bool = False
) -> dict[UUID, int]:
    """Available to promise: units of each variant that a channel may sell now; 0 for what it has nothing of.

    Free units over the active locations of its stock pool that it does not leave out, less what each keeps back, minus
    its own buffer, never below 0. ``carry_out``: only what lies in its own store, all of it, because a customer has it
    in hand. Of a set as many as its parts make.
    """
    buffer = 0 if carry_out else channel.setting("buffer")
    free = await promise_store.available(reader, channel, variants, buffer, carry_out=carry_out)
    return {variant: free.get(variant, 0) for variant in variants}


async def promises(
    reader: Reader, channel: Channel, variants: Sequence[UUID], *, carry_out: bool = False
) -> list[Promise]:
    """The numbers of `atp` with what explains them, per location. Variants without any level are missing.

    `take` holds exactly so much for the channel: ``available`` and ``backorder`` together; of a set, of its parts.
    """
    seen = await promise_store.promised_levels(reader, channel, variants, carry_out=carry_out)
    buffer = 0 if carry_out else channel.setting("buffer")
    found = rules.promise(seen.levels, buffer, seen.excluded)
    return sets.with_sets(found, seen.sets, variants, buffer) if seen.sets else found


def lots_beside(lots: Sequence[UUID | None], lines: Sequence[object]) -> Sequence[UUID | None]:
    """The lots of lines; none of them has one where none were given."""
    return lots or [None] * len(lines)


@contextlib.contextmanager
def moving() -> Iterator[None]:
    """What the database refuses about movements and levels, in our words."""
    try:
        yield
    except asyncpg.CheckViolationError as error:
        if error.constraint_name == "stock_lot_serial_is_one":
            raise Conflict("A serial number is one piece, and it is here already.") from error
        raise NotInStock("Some units are not there, or are held for others.") from error
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "stock_lot_serial_is_somewhere":
            raise
        raise Conflict("The piece with this serial number is in stock at another place.") from error
    except asyncpg.ForeignKeyViolationError as error:
        thing = "variant" if error.constraint_name == "level_variant_fkey" else "location"
        raise InvalidInput.at(thing, f"there is no such {thing}") from error
    except asyncpg.NumericValueOutOfRangeError as error:
        raise InvalidInput("More units than can be counted.") from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == "SLOTN":
            raise LotNeeded from error
        if error.sqlstate == "SLOTX":
            raise NotInStock(f"A lot that was to leave cannot: {error.args[0]}.") from error
        if error.sqlstate == "SSETV":
            raise InvalidInput.at("variant", error.args[0]) from error
        raise
