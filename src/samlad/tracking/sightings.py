"""What an event says of who somebody is, for `samlad.identity`. Pure."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.channels import Channel, Resource
from samlad.identity import AuthLevel, DeviceClass, Identifier, Kind, Sighting
from samlad.tracking.events_store import Unresolved
from samlad.tracking.model import Source, SourceKind

AUTH = {
    SourceKind.BROWSER: AuthLevel.CLAIMED,
    SourceKind.SERVER: AuthLevel.AUTHENTICATED,
    SourceKind.OURS: AuthLevel.AUTHENTICATED,
}
"""How far each kind of source is believed: anybody can write with a browser's key."""

ENDS_SESSION = frozenset({"Signed Out", "Order Completed"})
"""Names of what ends a person's turn at a shared device."""

LONGEST = 255


class Reporter(msgspec.Struct, frozen=True):
    """What all sightings of a source have in common."""

    source: str
    pool: UUID
    channel: UUID
    country: str | None
    device_class: DeviceClass
    auth: AuthLevel
    user: Kind
    """What ``userId`` is."""


def reporter(source: Source, channel: Channel) -> Reporter:
    """Who reports the events of a source."""
    return Reporter(
        source=str(source.id),
        pool=channel.pools[Resource.CUSTOMERS],
        channel=channel.id,
        country=channel.country,
        device_class=DeviceClass(source.device_class.value),
        auth=AUTH[source.kind],
        user=Kind.CUSTOMER if source.kind is SourceKind.OURS else Kind.EXTERNAL_ID,
    )


def sighting(event: Unresolved, by: Reporter) -> Sighting:
    """The identifiers of an event, as they were seen together."""
    return Sighting(
        pool=by.pool,
        source=by.source,
        event_id=str(event.id),
        observed_at=event.occurred_at,
        received_at=event.received_at,
        identifiers=_identifiers(event, by.user),
        channel=by.channel,
        device_class=by.device_class,
        auth=by.auth,
        country=by.country,
        session=_text(event.session),
        ends_session=event.name in ENDS_SESSION and event.type == "track",
    )


def without_repeats(seen: Sequence[Sighting]) -> tuple[list[Sighting], list[int]]:
    """Sightings to be told, and for each of ``seen`` (in order of time) which of those speaks for it.

    On somebody's own device the same identifiers mean the same, however often they come: their first and their last
    time are told, which is all that is kept. At a shared device each moment counts.
    """
    told: list[Sighting] = []
    places: list[int] = []
    first: dict[object, int] = {}
    last: dict[object, int] = {}
    for each in seen:
        if each.device_class is not DeviceClass.PERSONAL:
            told.append(each)
            places.append(len(told) - 1)
            continue
        key = (each.source, tuple(each.identifiers))
        if key not in first:
            first[key] = len(told)
            told.append(each)
        elif key not in last:
            last[key] = len(told)
            told.append(each)
        else:
            told[last[key]] = each
        places.append(first[key])
    return told, places


def _identifiers(event: Unresolved, user: Kind) -> list[Identifier]:
    found = []
    if event.user_id:
        found.append(Identifier(user, event.user_id))
    if event.traits and event.type != "group":
        for kind, value in ((Kind.EMAIL, event.traits.get("email")), (Kind.PHONE, event.traits.get("phone"))):
            text = _text(value)
            if text is not None:
                found.append(Identifier(kind, text))
    if event.anonymous_id:
        found.append(Identifier(Kind.ANONYMOUS, event.anonymous_id))
    if event.type == "alias" and event.previous_id:
        # Whose other name it was; that it was a userId nobody can know.
        found.append(Identifier(Kind.ANONYMOUS, event.previous_id))
    return found


def _text(value: object) -> str | None:
    if value is None or isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= LONGEST else None
