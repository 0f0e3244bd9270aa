"""Events of Segment's kind brought into one form, whichever client sent them. Pure: what differs between clients is here.

What each of them sends was measured (`knowledge/event-api-wire.md` §2). The event itself is kept as it came; these are
the few things that are read out of it.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from samlad.consent import stamps
from samlad.kernel import cards
from samlad.kernel.ids import new_id

LARGEST_EVENT = 32 * 1024
"""Bytes of one event: what Segment documents as its limit."""
LONGEST_MESSAGE_ID = 100
LONGEST_ID = 255
LONGEST_NAME = 200
CARD_DIGITS = 15
"""Shorter numbers that pass the check of card numbers are left alone: GTINs and times have 13 and 14 digits."""

TYPES = {
    "identify": "identify",
    "i": "identify",
    "track": "track",
    "t": "track",
    "page": "page",
    "p": "page",
    "screen": "screen",
    "s": "screen",
    "group": "group",
    "g": "group",
    "alias": "alias",
    "a": "alias",
}
"""Addresses and ``type`` to the type of event."""

_EPOCH_MILLISECONDS = 100_000_000_000
"""Numbers from here on are milliseconds since 1970, smaller ones seconds."""
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


class Unfit(Exception):
    """An event that cannot be taken: ``reason`` is one of a few words, ``detail`` says what would be right."""

    def __init__(self, reason: str, detail: str, *, type: str | None = None, name: str | None = None) -> None:  # noqa: A002
        super().__init__(detail)
        self.reason, self.detail, self.type, self.name = reason, detail, type, name


class Normal(msgspec.Struct, frozen=True, kw_only=True):
    """An event in our one form. ``occurred_at`` is by our clock; ``payload`` is the event as it came."""

    message_id: str
    type: str
    name: str | None
    occurred_at: datetime
    anonymous_id: str | None
    user_id: str | None
    previous_id: str | None
    group_id: str | None
    traits: dict[str, Any] | None
    consent: Any
    payload: dict[str, Any]

    @property
    def subject_matter(self) -> dict[str, Any]:
        """What the tracking plan speaks of: traits of identify and group, else properties."""
        if self.type in ("identify", "group"):
            return self.traits or {}
        properties = self.payload.get("properties")
        return properties if isinstance(properties, dict) else {}

    @property
    def plan_name(self) -> str:
        """By which name the tracking plan knows it."""
        return (self.name or "") if self.type == "track" else self.type


_decode = msgspec.json.Decoder().decode


def normalise(
    raw: bytes, *, received_at: datetime, sent_at: object = None, route_type: str | None = None
) -> Normal:
    """Bring one event as it came (JSON) into our form.

    Args:
        raw: the event, UTF-8.
        received_at: when the request arrived, by our clock.
        sent_at: of the whole request, if the event has none of its own; whatever was there.
        route_type: the type that the address names; counts where the event names none.

    Raises:
        Unfit: the event cannot be taken, and why.
    """
    if len(raw) > LARGEST_EVENT:
        raise Unfit("too-large", f"{len(raw)} bytes; an event has at most {LARGEST_EVENT}")
    event = _read(raw)
    kind = _type(event, route_type)
    try:
        return _normal(event, kind, received_at, sent_at, may_hold_cards=_may_hold_cards(raw))
    except Unfit as unfit:
        name = event.get("event") or event.get("name")
        unfit.type, unfit.name = kind, name[:LONGEST_NAME] if isinstance(name, str) else None
        raise


def _read(raw: bytes) -> dict[str, Any]:
    try:
        event = _decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Unfit("not-json", f"the event cannot be read: {error}") from None
    if not isinstance(event, dict):
        raise Unfit("not-an-object", "an event is a JSON object")
    if b"\\u0000" in raw or b"\\u" in raw:
        _refuse_unstorable(event)
    return event


def _refuse_unstorable(value: Any) -> None:
    """What JSON may say and PostgreSQL cannot keep: the character NUL."""
    if isinstance(value, str):
        if "\0" in value:
            raise Unfit("nul", "the character NUL cannot be stored")
    elif isinstance(value, dict):
        for key, each in value.items():
            _refuse_unstorable(key)
            _refuse_unstorable(each)
    elif isinstance(value, list):
        for each in value:
            _refuse_unstorable(each)


def _type(event: dict[str, Any], route_type: str | None) -> str:
    given = event.get("type")
    kind = TYPES.get(given) if isinstance(given, str) else None
    kind = kind or TYPES.get(route_type or "")
    if kind is None:
        raise Unfit("type", f"“type” is one of {', '.join(sorted(set(TYPES.values())))}")
    return kind


def _normal(
    event: dict[str, Any], kind: str, received_at: datetime, sent_at: object, *, may_hold_cards: bool
) -> Normal:
    context = _object(event, "context")
    anonymous_id, user_id = _identifier(event, "anonymousId"), _identifier(event, "userId")
    previous_id, group_id = _identifier(event, "previousId"), _identifier(event, "groupId")
    if kind == "alias" and (previous_id is None or user_id is None):
        raise Unfit("alias", "alias needs “previousId” and “userId”")
    if kind == "group" and group_id is None:
        raise Unfit("group", "group needs “groupId”")
    if user_id is None and anonymous_id is None:
        raise Unfit("nobody", "an event needs “userId” or “anonymousId”")
    traits = _traits(event, kind, context)
    event.pop("writeKey", None)
    return Normal(
        message_id=_message_id(event),
        type=kind,
        name=_name(event, kind),
        occurred_at=_occurred_at(event, received_at, sent_at),
        anonymous_id=anonymous_id,
        user_id=user_id,
        previous_id=previous_id,
        group_id=group_id,
        traits=_without_cards(traits) if may_hold_cards else traits,
        consent=stamps.kept(context),
        payload=_payload(event) if may_hold_cards else event,
    )


def _object(event: dict[str, Any], field: str) -> dict[str, Any]:
    value = event.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unfit(field, f"“{field}” is an object")
    return value


def _identifier(event: Mapping[str, Any], field: str) -> str | None:
    """An identifier as text. Null and empty are none: both Python clients send null for what they do not know."""
    value = event.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Unfit(field, f"“{field}” is a text")
    text = str(value).strip()
    if len(text) > LONGEST_ID:
        raise Unfit(field, f"“{field}” has at most {LONGEST_ID} characters")
    return text or None


def _message_id(event: Mapping[str, Any]) -> str:
    """The message's id, opaque; one of ours for clients that give none (what they send twice is there twice)."""
    value = event.get("messageId")
    if value is None or value == "":
        return f"samlad-{new_id()}"
    if not isinstance(value, str) or len(value) > LONGEST_MESSAGE_ID:
        raise Unfit("messageId", f"“messageId” is a text of at most {LONGEST_MESSAGE_ID} characters")
    return value


def _name(event: Mapping[str, Any], kind: str) -> str | None:
    value = (
        event.get("event") if kind == "track" else event.get("name") if kind in ("page", "screen") else None
    )
    if kind == "track" and (not isinstance(value, str) or not value.strip()):
        raise Unfit("event", "what is tracked needs a name in “event”")
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise Unfit(
            "event" if kind == "track" else "name", f"a name is a text of at most {LONGEST_NAME} characters"
        )
    return value.strip() or None


def _traits(event: dict[str, Any], kind: str, context: dict[str, Any]) -> dict[str, Any] | None:
    """What identify says of a person, wherever the client puts it, and what group says of a group.

    rudder-sdk-python and the browser's RudderStack put traits only into the context; Segment beside it; others both.
    """
    own = _object(event, "traits")
    if kind == "group":
        return own
    around = context.get("traits")
    around = around if isinstance(around, dict) else {}
    if kind == "identify":
        return {**around, **own}
    return around or None


# -- time --------------------------------------------------------------------------------------------------------------


def _occurred_at(event: Mapping[str, Any], received_at: datetime, sent_at: object) -> datetime:
    """When it happened by our clock: receivedAt - (sentAt - timestamp), never later than it arrived.

    segment-* say ``timestamp``, rudder-* ``originalTimestamp`` and a ``sentAt`` in each event.
    """
    field = "timestamp" if event.get("timestamp") is not None else "originalTimestamp"
    happened = _moment(event.get(field), field)
    if happened is None:
        return received_at
    own = event.get("sentAt")
    sent = _moment(own if own is not None else sent_at, "sentAt")
    return corrected(happened, sent, received_at)


def corrected(happened: datetime, sent: datetime | None, received_at: datetime) -> datetime:
    """A moment of the client's clock by ours. Without ``sent`` nobody knows how wrong that clock is: it is believed."""
    found = happened
    if sent is not None:
        try:
            found = received_at - (sent - happened)
        except OverflowError:
            raise Unfit("timestamp", "“sentAt” and “timestamp” are too far apart") from None
    if found < _EARLIEST:
        raise Unfit("timestamp", "an event happened after 1970")
    return min(found, received_at)


def moment_of(value: object) -> datetime | None:
    """The ``sentAt`` of a request, or None if it is none: that alone is no reason to refuse anything."""
    try:
        return _moment(value, "sentAt")
    except Unfit:
        return None


def _moment(value: object, field: str) -> datetime | None:
    """ISO 8601 (without a zone: UTC), or a number of seconds or milliseconds since 1970."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            return _read_moment(value.strip())
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            seconds = value / 1000 if abs(value) >= _EPOCH_MILLISECONDS else value
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (msgspec.ValidationError, OverflowError, ValueError):
        pass
    raise Unfit(field, f"“{field}” is a moment as in 2026-11-26T12:00:00.000Z")


@lru_cache(maxsize=256)
def _read_moment(text: str) -> datetime:
    """Remembered, because all events of a request were sent at one."""
    found = msgspec.convert(text, datetime)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


# -- card numbers --------------------------------------------------------------------------------------------------------


_NOUGHTS = bytes(ord("0") if byte in b"0123456789" else byte for byte in range(256))
_BETWEEN = bytes(
    byte for byte in range(256) if not chr(byte).isascii() or not (chr(byte).isalnum() or chr(byte) in "{}[]")
)
_ENOUGH = b"0" * CARD_DIGITS
_MOMENT = re.compile(rb'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"')


def _may_hold_cards(raw: bytes) -> bool:
    """Whether it is worth looking through an event text by text: for most it is not. Says yes too often, never too rarely.

    A moment to the microsecond has as many digits as a card number; a text that is nothing else is none.
    """
    if b"\\" in raw or b"\xef\xbc" in raw:
        return True
    return _has_digits(raw) and _has_digits(_MOMENT.sub(b"x", raw))


def _has_digits(raw: bytes) -> bool:
    """Whether there are enough for a card number with anything between them but letters and brackets."""
    return _ENOUGH in raw.translate(_NOUGHTS, _BETWEEN)


def _payload(event: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_cards(value) if name in ("properties", "traits", "context") else value
        for name, value in event.items()
    }


def _without_cards(value: Any) -> Any:
    """The same without card numbers in its texts; what has none is not copied."""
    if isinstance(value, str):
        return _redact(value) if len(value) >= CARD_DIGITS else value
    if isinstance(value, dict):
        return {key: _without_cards(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_cards(each) for each in value]
    return value


def _redact(text: str) -> str:
    parts, at = [], 0
    for start, end in cards.spans(text):
        if sum(letter.isdigit() for letter in text[start:end]) >= CARD_DIGITS:
            parts += [text[at:start], cards.REDACTED]
            at = end
    return "".join([*parts, text[at:]]) if parts else text
