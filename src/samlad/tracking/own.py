"""What this program itself reports: storefront, tills, admin and mails through the same door as everybody else.

A follower tells of the log's carts, orders, offers and mails in Segment's words. Their ids are made of the log's, and their time of
arrival is that of the log, so that a replay of any age finds them there and adds nothing.

What nobody writes to the log, what was looked at, is told by the page (`viewed`) or the mail (`mailed`), which does not wait for
that.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import msgspec
import structlog

from samlad import catalog, channels, identity
from samlad.catalog import Measure
from samlad.channels import Channel, ChannelKind
from samlad.identity import Kind
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Reader, Tx
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

_BY_IDENTIFIER = ("consent.", "mail.")
"""Beginnings of events whose profile is any id of identity."""
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
        people = await _people(tx, told)
        measured = await catalog.measured(tx, [each for event in told for each in _variants(event)])
        told_so = (_arrival(event, channel, source, people, measured) for event in told)
        arrivals = [found for found in told_so if found is not None and found.name not in source.blocks]
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


class Person(msgspec.Struct, frozen=True):
    """Who somebody is, as an event says it."""

    user_id: str | None = None
    traits: dict[str, Any] | None = None


async def _people(reader: Reader, events: list[Event]) -> dict[UUID, Person]:
    """Whose the identifiers are that events about mails and consent name in place of a customer. None: no statement."""
    nodes = {event.profile for event in events if event.profile and event.type.startswith(_BY_IDENTIFIER)}
    return {node: await _person(reader, node) for node in nodes}


async def _person(reader: Reader, node: UUID) -> Person:
    """What an id of identity is: a customer's, or that of an address. Whoever was erased is nobody."""
    for kind, value, _ in await identity.identifiers(reader, [node]):
        if identity.is_erased(node, value):
            return Person()
        if kind is Kind.EMAIL:
            return Person(traits={"email": value})
        if kind is not Kind.CUSTOMER:
            return Person()
    return Person(user_id=str(node))


def _variants(event: Event) -> list[UUID]:
    """What an event is about."""
    lines = event.payload.get("lines") or [event.payload]
    return [UUID(str(line["variant"])) for line in lines if isinstance(line, dict) and line.get("variant")]


def _arrival(
    event: Event,
    channel: Channel,
    source: Source,
    people: dict[UUID, Person],
    measured: Mapping[UUID, Measure],
) -> Arrival | None:
    about_cart = event.type.startswith("cart.")
    subject = None if event.subject is None else str(event.subject)
    told = to_segment(
        event.type,
        event.payload,
        currency=channel.currency,
        subject=subject if about_cart else None,
        measured={str(variant): sold_by for variant, sold_by in measured.items()},
    )
    if told is None:
        return None
    cart = subject if about_cart else event.payload.get("cart")
    who = None if cart is None else f"cart:{cart}"
    if event.type == "promotion.granted" and event.payload["kind"] != "customer":
        who = f"{event.payload['kind']}:{event.payload['holder']}"
    email = event.payload.get("email")
    person = Person(
        user_id=None if event.profile is None else str(event.profile),
        traits={"email": email} if email else None,
    )
    if event.profile in people:
        person = people[event.profile]
    return _tracked(
        source,
        event_id=uuid5(event.id, told.name),
        message_id=f"samlad-{event.id}",
        name=told.name,
        properties=told.properties,
        occurred_at=event.occurred_at,
        received_at=event.recorded_at,
        anonymous_id=who,
        user_id=person.user_id,
        traits=person.traits,
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
    name: str = "Product Viewed",
) -> None:
    """Somebody looks at a product (a list, a cart): told in the background, and forgotten where that fails.

    Who has neither a cart nor an offer has no id of ours, and gets none for being watched: nothing is told of them.
    """
    who = f"cart:{cart}" if cart else f"visitor:{visitor}" if visitor else None
    if who is not None:
        database.in_background(_tell_now(database, channel, name, properties, anonymous_id=who))


def mailed(
    database: Database, channel: Channel, node: UUID, name: str, properties: dict[str, Any], *, message: UUID
) -> None:
    """A mail was opened, or a link in it: told in the background. Once an hour for each mail, link and reader: programs load
    pictures again and again.

    ``node`` is an id of identity.
    """

    async def tell() -> None:
        person = await _person(database, node)
        said = f"{name} {properties.get('link_url')} {properties.get('machine')} {now():%Y-%m-%d %H}"
        await _tell_now(
            database,
            channel,
            name,
            properties,
            message_id=f"samlad-{uuid5(message, said)}",
            user_id=person.user_id,
            traits=person.traits,
        )

    database.in_background(tell())


async def _tell_now(
    database: Database,
    channel: Channel,
    name: str,
    properties: dict[str, Any],
    *,
    message_id: str | None = None,
    anonymous_id: str | None = None,
    user_id: str | None = None,
    traits: dict[str, Any] | None = None,
) -> None:
    moment = now()
    try:
        source = await database.transaction(lambda tx: source_of(tx, channel))
        if not source.is_on or name in source.blocks:
            return
        event_id = new_id()
        arrival = _tracked(
            source,
            event_id=event_id,
            message_id=message_id or f"samlad-{event_id}",
            name=name,
            properties=properties,
            traits=traits,
            occurred_at=moment,
            received_at=moment,
            anonymous_id=anonymous_id,
            user_id=user_id,
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
