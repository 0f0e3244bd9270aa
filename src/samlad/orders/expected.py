"""Orders whose goods are not there yet: when those are expected, and who is told that it is another day.

The first day is the one that was promised when the order was placed, so nobody is told of it again. Suppliers name other days,
transfers are late, those who were before others call it off: what came of it is seen by looking again, for all that wait.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec

from samlad import channels, delivery, stock
from samlad.delivery.worktime import clock_on
from samlad.kernel import clock, log
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.log import Event
from samlad.orders import expected_store as rows
from samlad.orders import fulfilment_plan, store
from samlad.orders.events import ExpectedLine, OrderExpectedMoved
from samlad.orders.expected_store import Expected
from samlad.orders.model import Order, OrderStatus
from samlad.stock import Waiting

BATCH = 200
"""So many orders are looked at in one transaction."""


async def note(tx: Tx, event: Event) -> None:
    """A place is to bring a part of an order: remember what is not there yet. Twice is once."""
    if event.subject is None:
        return
    found = await stock.waiting(tx, [event.subject])
    if found:
        await rows.add(tx, found)
        await _put_off(tx, found)


async def look_again(database: Database) -> int:
    """Look at all that wait, some orders a transaction, and tell whose day is another one; how many orders that were."""
    told, last = 0, UUID(int=0)
    while True:
        count, reached = await database.transaction(partial(_look, after=last))
        told += count
        if reached is None:
            return told
        last = reached


async def _look(tx: Tx, after: UUID) -> tuple[int, UUID | None]:
    """Look at the next orders; how many are told, and how far it came: None at the end."""
    last, known = await rows.lock_next(tx, after, BATCH)
    if last is None:
        return 0, None
    now = {
        (each.order, each.variant): each for each in await stock.waiting(tx, sorted({e.order for e in known}))
    }
    moved: dict[UUID, list[ExpectedLine]] = {}
    late: set[UUID] = set()
    for each in known:
        found = now.get((each.order, each.variant))
        if found is None:
            await _is_there(tx, each)
            late.add(each.order)
        elif _is_news(each, found):
            line = ExpectedLine(each.variant, each.expected_on, found.expected_on)
            moved.setdefault(each.order, []).append(line)
        elif each.due_at is not None and each.due_at < clock.now():
            late.add(each.order)
    await _put_off(tx, [each for each in now.values() if each.order in late or each.order in moved])
    for order, lines in moved.items():
        await _tell(tx, order, lines)
    return len(moved), last


def _is_news(told: Expected, now: Waiting) -> bool:
    """Whether it is another day. One that has just gone by has a day's grace: goods that came in the evening are booked the
    morning after, and nobody is helped by a mail at midnight."""
    if now.expected_on is None and told.expected_on == now.today - timedelta(days=1):
        return False
    return now.expected_on != told.expected_on


async def _is_there(tx: Tx, known: Expected) -> None:
    """Nothing of it is waited for any more: what is there can be picked from now on."""
    await rows.forget(tx, known.order, known.variant)
    for place in await rows.places_of(tx, known.order, known.variant):
        await _begin(tx, known.order, known.variant, place, clock.now())


async def _put_off(tx: Tx, waiting: Sequence[Waiting]) -> None:
    """Nobody can pick it before it is there, so nobody is late, and it is work of that day. What has no day is hoped for tomorrow,
    every day again. A part that waits for several things waits for the last one."""
    in_order = sorted(waiting, key=_hoped_for)
    # The last day of a part that is known. Hope alone takes no room from the orders of a day that can be made ready.
    counted = {(each.order, each.location): each for each in in_order if each.expected_on is not None}
    for each in in_order:
        place = await stock.location(tx, each.location)
        begin = max(clock.now(), clock_on(_hoped_for(each), "00:00", place.time_zone))
        takes_room = counted.get((each.order, each.location)) is each
        await _begin(tx, each.order, each.variant, place.id, begin, takes_room=takes_room)


def _hoped_for(waiting: Waiting) -> date:
    return waiting.expected_on or waiting.today + timedelta(days=1)


async def _begin(
    tx: Tx, order: UUID, variant: UUID, place: UUID, begin: datetime, *, takes_room: bool = True
) -> None:
    """A place can begin its part of an order then, and ``takes_room``: that is the day on which it is its work."""
    head = await store.head(tx, order)
    if head is not None:
        channel = await channels.cached(tx, head.channel)
        due = await fulfilment_plan.due_at(tx, place, channel, begin, head)
        await rows.set_due(tx, order, variant, place, due)
        if takes_room:
            await delivery.count_from(tx, order, place, begin)


async def _tell(tx: Tx, order: UUID, lines: list[ExpectedLine]) -> None:
    head = await store.head(tx, order)
    await rows.set_days(tx, order, {line.variant: line.now for line in lines})
    if head is not None:
        fact = OrderExpectedMoved(number=head.number, lines=lines)
        log.append(tx, fact, subject=order, channel=head.channel, profile=head.customer)


async def waiting(reader: Reader, among: Sequence[UUID]) -> set[UUID]:
    """Which of these orders wait for goods that are not there yet. Nothing is asked for none."""
    return await rows.waiting(reader, among) if among else set()


class WaitsFor(msgspec.Struct, frozen=True):
    """Goods of an order that are not there yet. ``expected_on`` None: nobody knows when they come; ``is_moved``: it is another
    day than was promised."""

    variant: UUID
    title: str
    expected_on: date | None
    is_moved: bool


async def waits_for(reader: Reader, order: Order) -> list[WaitsFor]:
    """What of an order is not there yet, line by line."""
    if order.status in (OrderStatus.CANCELLED, OrderStatus.FULFILLED):
        return []
    days = {each.variant: each for each in await rows.of_order(reader, order.id)}
    return [
        WaitsFor(each.variant, line.title, each.expected_on, each.is_moved)
        for line in order.lines
        if line.variant is not None and (each := days.get(line.variant)) is not None
    ]
