"""What an event says of who somebody is, for `samlad.identity`. Pure."""

from collections.abc import Sequence

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


def sighting(event: Unresolved, source: Source, channel: Channel) -> Sighting:
    """The identifiers of an event, as they were seen together."""
    return Sighting(
        pool=channel.pools[Resource.CUSTOMERS],
        source=str(source.id),
        event_id=str(event.id),
        observed_at=event.occurred_at,
        received_at=event.received_at,
        identifiers=_identifiers(event, source),
        channel=channel.id,
        device_class=DeviceClass(source.device_class.value),
        auth=AUTH[source.kind],
        country=channel.country,
        session=_text(event.session),
        ends_session=event.type == "track" and event.name in ENDS_SESSION,
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


def _identifiers(event: Unresolved, source: Source) -> list[Identifier]:
    user = Kind.CUSTOMER if source.kind is SourceKind.OURS else Kind.EXTERNAL_ID
    traits = (event.traits or {}) if event.type != "group" else {}
    given = [
        (user, event.user_id),
        (Kind.EMAIL, _text(traits.get("email"))),
        (Kind.PHONE, _text(traits.get("phone"))),
        (Kind.ANONYMOUS, event.anonymous_id),
        # Whose other name it was; that it was a userId nobody can know.
        (Kind.ANONYMOUS, event.previous_id if event.type == "alias" else None),
    ]
    return [Identifier(kind, value) for kind, value in given if value]


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= LONGEST else None
