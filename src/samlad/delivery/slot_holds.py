"""Slots of carts whose buyers pay: a card that is confirmed takes minutes, in which nobody else gets the last place.

A cart has its slot as an order has (`samlad.delivery.slots`), for a time; the order that it becomes takes it over.
"""

from datetime import datetime
from uuid import UUID

from samlad.delivery import slots, store
from samlad.delivery.events import SlotHeld, SlotReturned
from samlad.delivery.model import Method
from samlad.delivery.promising import Promised
from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.sweepers import Sweeper

SWEEP = 200
SECONDS = 30.0


async def hold(
    tx: Tx, cart: UUID, method: Method, location: UUID, promised: Promised | None, until: datetime
) -> None:
    """Keep the slot that a cart was promised for it, until then; one that it had before is free again. Asked again it is kept longer.

    Nothing is kept for a cart that was promised none: its order gets the first with room.

    Raises:
        SlotFull, SlotPast: it cannot be had (any more); says which is the next that can.
    """
    if promised is None or promised.slot is None:
        return
    if await store.hold_on(tx, cart, method.id, location, promised.slot, until):
        return
    await slots.give_back(tx, cart)
    taken, _, _ = await slots.first_with_room(tx, cart, method, location, promised.slot, until=until)
    fact = SlotHeld(location=location, day=taken.day, start=taken.slot.start, until=until)
    log.append(tx, fact, subject=cart)


async def free_due(database: Database) -> int:
    """Free the slots of carts that were not ordered in time; how many."""

    async def work(tx: Tx) -> int:
        gone = await store.return_due_slots(tx, SWEEP)
        for cart, location, day, start in gone:
            log.append(tx, SlotReturned(location=location, day=day, start=start), subject=cart)
        return len(gone)

    total = 0
    while True:
        freed = await database.transaction(work)
        total += freed
        if freed < SWEEP:
            return total


SWEEPERS = [Sweeper("delivery-slots", SECONDS, free_due)]
