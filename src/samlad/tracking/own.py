"""What this program itself reports: its storefront and its tills through the same door as everybody else.

A follower tells of the log's carts and orders in Segment's words. Their ids are made of the log's, and their time of
arrival is that of the log, so that a replay of any age finds them there and adds nothing.

What nobody writes to the log, a product that was looked at, is told by the page: `viewed`, which the page does not
wait for.
"""

from typing import Any
from uuid import UUID, uuid5

import msgspec
import structlog

from samlad import channels
from samlad.channels import Channel, ChannelKind
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.followers import Follower
from samlad.kernel.ids import new_id
from samlad.kernel.log import Event
from samlad.kernel.problems import Problem
from samlad.tracking import events_store, known, store
from samlad.tracking.events import EventsReceived, SourceCreated
from samlad.tracking.events_store import Arrival
from samlad.tracking.intake import NO_BATCH, Intake, Sorted
from samlad.tracking.model import DeviceClass, Source, SourceInput, SourceKind
from samlad.tracking.vocabulary import MEANINGS, to_segment

LIBRARY = {"library": {"name": "samlad"}}

logger = structlog.get_logger("samlad.tracking")


async def follow(tx: Tx, event: Event) -> None:
    """Keep an event for the end of the transaction, when all are told together."""
    if event.channel is not None and _is_ours_to_tell(event):
        tx.collect(_tell, event)


def _is_ours_to_tell(event: Event) -> bool:
    """Orders that somebody placed here: not those of history, nor what a return writes as an order of its own."""
    return event.type != "order.placed" or event.payload.get("kind") == "sale"


async def _tell(tx: Tx, events: list[Event]) -> None:
    by_channel: dict[UUID, list[Event]] = {}
    for event in events:
        assert event.channel is not None
        by_channel.setdefault(event.channel, []).append(event)
    for channel_id, told in by_channel.items():
        channel = await channels.cached(tx, channel_id)
        source = await source_of(tx, channel)
        arrivals = [found for event in told if (found := _arrival(event, channel, source)) is not None]
        if not arrivals or not source.is_on:
            continue
        batch = new_id()
        rows = [msgspec.structs.replace(each, batch=batch) for each in arrivals]
        accepted = await events_store.insert_own(tx, rows)
        if accepted:
            moments = [each.received_at for each in arrivals]
            fact = EventsReceived(
                accepted=accepted, duplicates=0, parked=0, violating=0, first=min(moments), last=max(moments)
            )
            log.append(tx, fact, subject=source.id, channel=channel_id, event_id=batch)


async def source_of(tx: Tx, channel: Channel) -> Source:
    """The channel's own source: of staff's devices in a store, else of its customers'. Made when it is first needed."""
    device_class = DeviceClass.STAFF if channel.kind is ChannelKind.STORE else DeviceClass.PERSONAL
    found = await store.ours(tx, channel.id, device_class)
    if found is not None:
        return found
    data = SourceInput(
        channel=channel.id, name=channel.name[:100], kind=SourceKind.OURS, device_class=device_class
    )
    made = await store.insert(tx, data)
    if made is None:  # a twin was faster, and has committed
        found = await store.ours(tx, channel.id, device_class)
        assert found is not None
        return found
    fact = SourceCreated(name=made.name, kind=made.kind, device_class=made.device_class)
    log.append(tx, fact, subject=made.id, channel=channel.id)
    tx.after_commit(known.forget)
    return made


def _arrival(event: Event, channel: Channel, source: Source) -> Arrival | None:
    about_cart = event.type.startswith("cart.")
    subject = None if event.subject is None else str(event.subject)
    told = to_segment(
        event.type, event.payload, currency=channel.currency, subject=subject if about_cart else None
    )
    if told is None:
        return None
    cart = subject if about_cart else event.payload.get("cart")
    email = event.payload.get("email")
    return _tracked(
        source,
        event_id=uuid5(event.id, told.name),
        message_id=f"samlad-{event.id}",
        name=told.name,
        properties=told.properties,
        occurred_at=event.occurred_at,
        received_at=event.recorded_at,
        anonymous_id=None if cart is None else f"cart:{cart}",
        user_id=None if event.profile is None else str(event.profile),
        traits={"email": email} if email else None,
    )


def _tracked(
    source: Source,
    *,
    event_id: UUID,
    message_id: str,
    name: str,
    properties: dict[str, Any],
    traits: dict[str, Any] | None = None,
    **fields: Any,
) -> Arrival:
    payload = {
        "type": "track",
        "event": name,
        "messageId": message_id,
        "properties": properties,
        "context": LIBRARY | ({"traits": traits} if traits else {}),
    }
    return Arrival(
        id=event_id,
        batch=NO_BATCH,
        source=source.id,
        message_id=message_id,
        type="track",
        name=name,
        previous_id=None,
        group_id=None,
        traits=traits,
        consent=None,
        violations=None,
        payload=payload,
        **fields,
    )


# -- what pages tell ---------------------------------------------------------------------------------------------------


def viewed(
    database: Database,
    channel: Channel,
    properties: dict[str, Any],
    *,
    cart: UUID | None,
    visitor: UUID | None,
) -> None:
    """Somebody looks at a product: told in the background, and forgotten where that fails.

    Who has neither a cart nor an offer has no id of ours, and gets none for being watched: nothing is told of them.
    """
    who = f"cart:{cart}" if cart else f"visitor:{visitor}" if visitor else None
    if who is not None:
        database.in_background(_tell_view(database, channel, properties, who))


async def _tell_view(database: Database, channel: Channel, properties: dict[str, Any], who: str) -> None:
    moment = now()
    try:
        source = await database.transaction(lambda tx: source_of(tx, channel))
        if not source.is_on:
            return
        event_id = new_id()
        arrival = _tracked(
            source,
            event_id=event_id,
            message_id=f"samlad-{event_id}",
            name="Product Viewed",
            properties=properties,
            occurred_at=moment,
            received_at=moment,
            anonymous_id=who,
            user_id=None,
        )
        await database.companion(Intake).take(source, Sorted([arrival], []))
    except Problem as problem:
        logger.warning("a view was not told", error=str(problem))


FOLLOWERS = [
    Follower(
        name="tracking.own",
        handle=follow,
        types=tuple(sorted({meaning.type for meaning in MEANINGS})),
        batch=100,
    )
]
