"""What is left of an event whose person has not agreed: what was done and with which goods, nothing of whom. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from samlad.consent import stamps
from samlad.tracking.model import Source
from samlad.tracking.vocabulary import UNSUBSCRIBED

SAFE = frozenset(
    {
        "brand", "category", "currency", "discount", "position", "price", "product_id", "quantity", "revenue", "shipping",
        "sku", "tax", "total", "unit", "value", "variant",
    }
)  # fmt: skip
"""Properties of Segment's ecommerce events that speak of goods and money. Everything else goes: a list of what may stay
cannot forget anybody."""
LONGEST = 100
MOST_PRODUCTS = 100


ANSWERS = frozenset({"Segment Consent Preference", "Segment Consent Preference Updated"})
"""Events that tell what somebody chose: the first is what Segment's client sent until 2025. A *no* must arrive too."""
SAID = ANSWERS | {UNSUBSCRIBED}
"""Of these it is kept who said so, whatever a source needs."""


def missing(source: Source, context: object) -> list[str]:
    """The categories that a source needs and that an event's context does not grant."""
    if not source.needs:
        return []
    return stamps.read(context if isinstance(context, dict) else {}).lacks(source.needs)


def nameless(message_id: object) -> str:
    """The id of a message without what a client may have put into it; the same message has the same one."""
    return "nobody-" + hashlib.sha256(str(message_id).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def stripped(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event's payload without the person: type, name of what was tracked, and the properties of goods."""
    kept: dict[str, Any] = {name: event[name] for name in ("type",) if isinstance(event.get(name), str)}
    if event.get("type") == "track" and isinstance(event.get("event"), str) and "@" not in event["event"]:
        kept["event"] = event["event"][:LONGEST]
    properties = _goods(event.get("properties"))
    products = event["properties"].get("products") if isinstance(event.get("properties"), dict) else None
    if isinstance(products, list):
        properties["products"] = [_goods(each) for each in products[:MOST_PRODUCTS]]
    if properties:
        kept["properties"] = properties
    return kept


def readable(raw: bytes) -> dict[str, Any]:
    """An event as it came; nothing of what cannot be read."""
    try:
        event = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def names_in(event: Mapping[str, Any]) -> list[str | None]:
    """By what an event as it came says that somebody is known."""
    found = [event.get("userId"), event.get("anonymousId"), email_of(event.get("traits"))]
    return [str(each) for each in found if isinstance(each, str | int) and not isinstance(each, bool)]


def email_of(traits: object) -> str | None:
    """The e-mail address in traits, if there is one."""
    found = traits.get("email") if isinstance(traits, dict) else None
    return found if isinstance(found, str) else None


def _goods(value: object) -> dict[str, Any]:
    found = value if isinstance(value, dict) else {}
    return {name: each for name, each in found.items() if name in SAFE and _is_plain(each)}


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST and "@" not in value
    return isinstance(value, int | float) and not isinstance(value, bool)
