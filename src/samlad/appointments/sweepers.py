"""What the worker does about appointments again and again: it reminds of those that are near."""

from datetime import timedelta

from samlad.appointments import events, store
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.sweepers import Sweeper

SECONDS = 60.0
BEFORE = timedelta(hours=24)
TOO_LATE = timedelta(hours=2)
"""Who books less than so long before needs no reminder: the confirmation was just sent."""
BATCH = 200


async def remind(database: Database) -> int:
    """Tell of what is near, each once; how many."""
    return await database.transaction(_remind, Context(actor=SYSTEM))


async def _remind(tx: Tx) -> int:
    found = await store.due(tx, now() + BEFORE, BATCH)
    for appointment in found:
        one = await store.one(tx, appointment)
        if one is not None and one.booked_at < one.starts_at - BEFORE - TOO_LATE:
            fact = events.AppointmentDue(starts_at=one.starts_at)
            log.append(tx, fact, subject=one.id, profile=one.customer, channel=one.channel)
    return len(found)


SWEEPERS = [Sweeper("appointment-reminders", SECONDS, remind)]
