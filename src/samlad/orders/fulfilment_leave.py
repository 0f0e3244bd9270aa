"""Goods leave a place for the customer: shipped or handed over, all of a fulfilment or a part of it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from samlad import stock
from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.orders import events, store
from samlad.orders import fulfilment_rules as fulfilments
from samlad.orders import fulfilment_store as fulfilment_rows
from samlad.orders import rules as order_rules
from samlad.orders.fulfilment_events import FulfilmentLeft
from samlad.orders.fulfilment_model import Fulfilment, FulfilmentState, Method, Part
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
    """
    ships: dict[tuple[UUID, UUID], int] = {}
    counts: dict[int, int] = {}
    for fulfilment, chosen in leaving:
        out = await _leave(tx, head, fulfilment, chosen, proof, carrier, tracking)
        assert fulfilment.location is not None
        for position, variant, quantity in out:
            key = (fulfilment.location, variant)
            ships[key] = ships.get(key, 0) + quantity
            counts[position] = counts.get(position, 0) + quantity
    goods = [HoldLine(variant=v, quantity=q, location=place) for (place, v), q in sorted(ships.items())]
    await stock.ship(tx, head.id, reference=head.id, lines=goods)
    quantities = sorted(counts.items())
    await store.add_to_lines(tx, head.id, "fulfilled", quantities)
    status = order_rules.status_of(await store.lines_of(tx, head.id), head.payment_status)
    is_complete = status is OrderStatus.FULFILLED
    await store.update(tx, head.id, {"status": status, "is_held": head.is_held and not is_complete})
    told = [{"position": position, "quantity": quantity} for position, quantity in quantities]
    fact = events.OrderFulfilled(number=head.number, lines=told, is_complete=is_complete)
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)


async def _leave(
    tx: Tx,
    head: OrderHead,
    fulfilment: Fulfilment,
    chosen: Mapping[int, int],
    proof: str,
    carrier: str | None,
    tracking: str | None,
) -> list[fulfilments.Units]:
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
    return out
