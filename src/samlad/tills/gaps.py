"""Numbers of a till's journal that never came: a sale that is missing is noticed.

A till numbers what it writes and says with each batch what its last number is and how much it has not sent. Once it has
nothing more to send, a number up to there that is not here was lost: by a browser that threw its database away, for one.
"""

from uuid import UUID

import msgspec

from samlad.access import audit
from samlad.kernel import cards, log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.tills import events, gap_store, store
from samlad.tills.desk import Desk
from samlad.tills.model import Gap, JournalState, LookInput
from samlad.tills.permissions import RECORD, RESOLVE

MOST = 1_000
"""So many numbers are written down of one till at once; a till that says more is not believed."""


async def note(tx: Tx, desk: Desk, state: JournalState) -> int:
    """A till says how far its journal goes. How many numbers are noticed to be missing now; said twice it is none."""
    tx.actor.require(RECORD, location=desk.location.id)
    await store.note_device(tx, state.till, desk.channel.id, desk.location.id)
    looked_to = await gap_store.note_journal(tx, state.till, state.last, state.unsent)
    await gap_store.note_lost(tx, state.till, desk.location.id, sorted(set(state.lost))[-MOST:])
    if state.unsent or state.last <= looked_to:
        return 0
    first = max(looked_to + 1, state.last - MOST + 1)
    missing = await gap_store.note_gaps(tx, state.till, desk.location.id, first, state.last)
    if missing:
        fact = events.NumbersMissing(till=state.till, location=desk.location.id, numbers=missing)
        log.append(tx, fact, subject=state.till, channel=desk.channel.id)
    return len(missing)


async def missing(reader: Reader, locations: list[UUID] | None) -> list[Gap]:
    """What is missing and nobody has looked into, in runs of numbers; the oldest first."""
    return await gap_store.missing(reader, locations)


async def look(tx: Tx, data: LookInput) -> int:
    """Somebody knows what became of missing numbers, and says it. How many there were; none the second time.

    Raises:
        NotFound: no till of this id.
    """
    cards.refuse(data.reason, "reason")
    place = await gap_store.place_of(tx, data.till)
    if place is None:
        tx.actor.require(RESOLVE)
        raise NotFound("There is no such till.")
    tx.actor.require(RESOLVE, location=place)
    count = await gap_store.look(tx, data)
    if count:
        audit.record(tx, "till-numbers.looked-at", "till", data.till, after=msgspec.to_builtins(data))
    return count
