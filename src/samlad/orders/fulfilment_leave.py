"""Goods leave a place for the customer: shipped or handed over, all of a fulfilment or a part of it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from samlad import stock
from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.orders import deposits, events, fulfilment_lots, store
from samlad.orders import fulfilment_rules as fulfilments
from samlad.orders import fulfilment_store as fulfilment_rows
from samlad.orders import rules as order_rules
from samlad.orders.fulfilment_events import FulfilmentLeft
from samlad.orders.fulfilment_model import Fulfilment, FulfilmentState, Method, Part, PickedLot
from samlad.orders.model import LineSelection, OrderHead, OrderLine, OrderStatus, WrongState
from samlad.stock import HoldKind, HoldLine

_READIEST = (
    FulfilmentState.READY,
    FulfilmentState.PACKED,
    FulfilmentState.PICKED,
    FulfilmentState.PICKING,
    FulfilmentState.OPEN,
)
"""What leaves first when nobody says which."""

Leaving = tuple[Fulfilment, Mapping[int, int]]
"""A fulfilment, and how many of which line of it leave, by position."""


def all_of(fulfilment: Fulfilment) -> Leaving:
    """The whole of a fulfilment."""
    return fulfilment, {line.position: line.quantity for line in fulfilment.lines}


async def choose(
    tx: Tx, head: OrderHead, lines: Sequence[OrderLine], wanted: Sequence[LineSelection] | None
) -> list[Leaving]:
    """The fulfilments that what was asked for leaves from: the readiest first.

    Raises:
        InvalidInput: more is asked for than can leave now. WrongState: nothing can.
    """
    known = await fulfilment_rows.lock(tx, head.id)
    known = sorted((f for f in known if f.state in _READIEST), key=lambda f: _READIEST.index(f.state))
    left: dict[int, int] = {}
    for fulfilment in known:
        for line in fulfilment.lines:
            left[line.position] = left.get(line.position, 0) + line.quantity
    if not left and any(order_rules.unfulfilled(lines).values()):
        raise WrongState("What is left of it waits for the customer's answer.", state=head.status)
    rest = {line.position: quantity for line, quantity in order_rules.select(lines, wanted, left)}
    leaving: list[Leaving] = []
    for fulfilment in known:
        part = {
            line.position: min(line.quantity, rest[line.position])
            for line in fulfilment.lines
            if rest.get(line.position)
        }
        for position, quantity in part.items():
            rest[position] -= quantity
        if part:
            leaving.append((fulfilment, part))
    return leaving


async def take_now(
    tx: Tx, head: OrderHead, channel: Channel, chosen: Sequence[tuple[OrderLine, int]]
) -> list[Leaving]:
    """For an order whose goods were not held: take what leaves now, wherever it is.

    Raises:
        SoldOut: it is not there.
    """
    place = head.location if order_rules.needs_place(head.delivery) else None
    units = [(line.position, line.variant, quantity) for line, quantity in chosen if line.variant]
    wanted = [HoldLine(variant=variant, quantity=q, location=place) for _position, variant, q in units]
    held = await stock.take(tx, wanted, channel=channel, kind=HoldKind.ORDER, owner=head.id, keep_back=False)
    places = [(hold.location, hold.variant, hold.quantity) for hold in held]
    moment = now()
    parts = [
        Part(
            id=new_id(),
            location=location,
            method=fulfilments.method_of(head.delivery),
            state=FulfilmentState.OPEN,
            due_at=moment,
            lines=lines,
        )
        for location, lines in fulfilments.spread(units, places).items()
    ]
    await fulfilment_rows.make(tx, head.id, parts)
    made = {part.id for part in parts}
    return [all_of(f) for f in await fulfilment_rows.lock(tx, head.id) if f.id in made]


async def depart(
    tx: Tx,
    head: OrderHead,
    leaving: Sequence[Leaving],
    *,
    proof: str = "",
    carrier: str | None = None,
    tracking: str | None = None,
) -> None:
    """Goods leave: out of stock, counted on the order's lines, told. The order is locked by the caller.

    A part of a fulfilment becomes one of its own that has left.

    Raises:
        NotHeld: a place has lost what it should give.
        BalanceDue: a deposit was paid, and not the rest.
    """
    deposits.check_paid(head)
    going: list[_Going] = []
    counts: dict[int, int] = {}
    for fulfilment, chosen in leaving:
        gone, out = await _leave(tx, head, fulfilment, chosen, proof, carrier, tracking)
        assert fulfilment.location is not None
        for position, variant, quantity in out:
            scanned = next(line.lots for line in fulfilment.lines if line.position == position)
            going.append(_Going(gone, fulfilment.location, position, variant, quantity, scanned))
            counts[position] = counts.get(position, 0) + quantity
    moved = await stock.ship(tx, head.id, reference=head.id, lines=_goods(going))
    given = _given(going, moved)
    if given:
        await fulfilment_lots.put(tx, given)
    quantities = sorted(counts.items())
    await store.add_to_lines(tx, head.id, "fulfilled", quantities)
    status = order_rules.status_of(await store.lines_of(tx, head.id), head.payment_status)
    is_complete = status is OrderStatus.FULFILLED
    await store.update(tx, head.id, {"status": status, "is_held": head.is_held and not is_complete})
    told = [{"position": position, "quantity": quantity} for position, quantity in quantities]
    fact = events.OrderFulfilled(number=head.number, lines=told, is_complete=is_complete)
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)


class _Going(msgspec.Struct, frozen=True):
    """Units of a line that leave with a fulfilment, and the lots of them that were scanned."""

    fulfilment: UUID
    location: UUID
    position: int
    variant: UUID
    quantity: int
    scanned: Sequence[PickedLot]

    def named(self) -> list[tuple[UUID, int]]:
        """Units by lot that were scanned, no more than leave."""
        left, found = self.quantity, []
        for each in self.scanned:
            units = min(left, each.quantity)
            if units:
                found.append((each.lot, units))
            left -= units
        return found


def _goods(going: Sequence[_Going]) -> list[HoldLine]:
    """What leaves each place, of each variant: the lots that were scanned, and so many more."""
    units: dict[tuple[UUID, UUID, UUID | None], int] = {}
    for each in going:
        named = each.named()
        rest = each.quantity - sum(quantity for _lot, quantity in named)
        for lot, quantity in [*named, (None, rest)]:
            key = (each.location, each.variant, lot)
            units[key] = units.get(key, 0) + quantity
    return [
        HoldLine(variant=variant, quantity=quantity, location=place, lot=lot)
        for (place, variant, lot), quantity in sorted(units.items(), key=lambda item: str(item[0]))
        if quantity
    ]


def _given(going: Sequence[_Going], moved: Sequence[stock.Moved]) -> list[fulfilment_lots.Given]:
    """Which lots went with which line: those that were scanned for it, then those that the place gave."""
    left = {(m.location, m.variant, m.lot): -m.quantity for m in moved if m.lot is not None}
    given: dict[tuple[UUID, int, UUID, UUID], int] = {}

    def give(each: _Going, lot: UUID, units: int) -> None:
        key = (each.fulfilment, each.position, each.variant, lot)
        given[key] = given.get(key, 0) + units
        left[each.location, each.variant, lot] -= units

    wanting = {}
    for index, each in enumerate(going):
        wanting[index] = each.quantity
        for lot, units in each.named() if left else []:
            give(each, lot, units)
            wanting[index] -= units
    for index, each in enumerate(going):
        for place, variant, lot in list(left):
            units = min(wanting[index], left[place, variant, lot])
            if (place, variant) == (each.location, each.variant) and units and lot is not None:
                give(each, lot, units)
                wanting[index] -= units
    return [(*key, units) for key, units in given.items()]


async def _leave(
    tx: Tx,
    head: OrderHead,
    fulfilment: Fulfilment,
    chosen: Mapping[int, int],
    proof: str,
    carrier: str | None,
    tracking: str | None,
) -> tuple[UUID, list[fulfilments.Units]]:
    """The fulfilment that has left, and what of which line: itself, or a new one where a part stays."""
    out, rest = fulfilments.take_from(fulfilments.units_of(fulfilment.lines), chosen)
    travels = fulfilment.method in (Method.SHIP, Method.SAME_DAY)
    state = FulfilmentState.SHIPPED if travels else FulfilmentState.DELIVERED
    carrier, tracking = carrier or fulfilment.carrier, tracking or fulfilment.tracking
    gone = fulfilment.id
    if rest:
        part = Part(
            id=new_id(),
            location=fulfilment.location,
            method=fulfilment.method,
            state=state,
            due_at=fulfilment.due_at,
            lines=out,
            came_from=fulfilment.came_from,
            left_at=now(),
        )
        gone, carrier, tracking = part.id, None, None
        await fulfilment_rows.make(tx, head.id, [part])
        await fulfilment_rows.take_off(tx, fulfilment.id, [(position, q) for position, _v, q in out])
        await fulfilment_rows.note_picked(tx, fulfilment.id)
    else:
        values = {"state": state, "left_at": now(), "code": None, "carrier": carrier, "tracking": tracking}
        await fulfilment_rows.update(tx, fulfilment.id, values)
    assert fulfilment.location is not None
    fact = FulfilmentLeft(
        number=head.number,
        fulfilment=gone,
        location=fulfilment.location,
        state=state,
        units=fulfilments.sum_of(out),
        carrier=carrier,
        tracking=tracking,
        proof=proof,
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return gone, out
