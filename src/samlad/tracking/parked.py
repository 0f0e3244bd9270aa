"""The verb of parked events: try once more what could not be taken."""

from uuid import UUID

from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import NotFound
from samlad.tracking import events_store, store
from samlad.tracking.bodies import Envelope
from samlad.tracking.events import ParkedRetried
from samlad.tracking.intake import sort_out, write
from samlad.tracking.known import Known
from samlad.tracking.model import Retried
from samlad.tracking.permissions import CHANGE


async def retry(tx: Tx, parked: UUID, known: Known) -> Retried:
    """Try a parked event again, at the time when it came, under the plan of now. Twice at once takes it once.

    Raises:
        NotFound: it is not parked (any more).
    """
    tx.actor.require(CHANGE)
    misfit = await events_store.lock_parked(tx, parked)
    source = None if misfit is None else await store.get(tx, misfit.source)
    if misfit is None or source is None:
        raise NotFound("This event is not parked.")
    if misfit.reason == "consent":  # of whom it was is not known any more
        return Retried(is_taken=False, reason=misfit.reason, detail=misfit.detail)
    found = sort_out(
        known,
        source,
        Envelope(events=[misfit.body], sent_at=misfit.sent_at and misfit.sent_at.isoformat()),
        received_at=misfit.received_at,
        route_type=misfit.route_type,
    )
    if found.misfits:
        (again,) = found.misfits
        await events_store.still_parked(tx, parked, again.reason, again.detail)
        log.append(tx, ParkedRetried(reason=again.reason), subject=parked, channel=source.channel)
        return Retried(is_taken=False, reason=again.reason, detail=again.detail)
    await events_store.unpark(tx, parked)
    await write(tx, {source.id: source.channel}, found.arrivals, [])
    log.append(tx, ParkedRetried(reason=None), subject=parked, channel=source.channel)
    return Retried(is_taken=True)
