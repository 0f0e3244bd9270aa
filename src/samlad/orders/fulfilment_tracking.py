"""What carriers tell about parcels: in any order, as often as they like."""

import hashlib
from uuid import UUID

from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.orders import fulfilment_carriers, store
from samlad.orders import fulfilment_store as rows
from samlad.orders.fulfilment_events import FulfilmentDelivered
from samlad.orders.fulfilment_model import (
    FulfilmentState,
    Tracked,
    TrackingEventInput,
    TrackingInput,
    TrackingStatus,
)
from samlad.orders.fulfilment_rules import tracking_state
from samlad.orders.permissions import CHANGE


async def tell(tx: Tx, data: TrackingInput) -> Tracked:
    """Keep what a carrier tells. What was told before is kept once; a parcel that was delivered stays delivered.

    Raises:
        NotFound: no parcel has this number.
    """
    tx.actor.require(CHANGE)
    found = await rows.by_tracking(tx, data.carrier, data.number)
    if found is None:
        raise NotFound("No parcel has this number.")
    tx.actor.require(CHANGE, location=found.location)
    await store.lock(tx, found.order_id)
    await rows.add_tracking(tx, found.id, [(reference_of(event), event) for event in data.events])
    now = await rows.by_tracking(tx, data.carrier, data.number)
    told = await tracked(tx, found.id)
    assert told is not None
    delivered = [event.happened_at for event in told.events if event.status is TrackingStatus.DELIVERED]
    if delivered and now is not None and now.state is FulfilmentState.SHIPPED:
        await rows.update(tx, found.id, {"state": FulfilmentState.DELIVERED})
        fact = FulfilmentDelivered(number=found.number, fulfilment=found.id, at=min(delivered))
        log.append(tx, fact, subject=found.order_id, channel=found.channel)
    return told


def reference_of(event: TrackingEventInput) -> str:
    """What makes a message the same as another: the carrier's own id, else what it says."""
    if event.reference is not None:
        return event.reference
    text = f"{event.status}\n{event.happened_at.isoformat()}\n{event.place}\n{event.note}"
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


async def tracked(reader: Reader, fulfilment: UUID) -> Tracked | None:
    """Where a parcel is; None when it has no number. Two statements."""
    found = await rows.head(reader, fulfilment)
    if found is None or found.tracking is None or found.carrier is None:
        return None
    events = await rows.tracking_of(reader, fulfilment)
    return Tracked(
        fulfilment=fulfilment,
        carrier=found.carrier,
        number=found.tracking,
        status=tracking_state(events),
        url=fulfilment_carriers.link(found.carrier, found.tracking),
        events=events,
    )
