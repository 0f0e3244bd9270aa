"""The fields of each kind of condition on the page of the builder. `segment_form` reads and fills them."""

from collections.abc import Mapping

import msgspec

from samlad.kernel.i18n import marked


class Piece(msgspec.Struct, frozen=True):
    """A field of a condition.

    ``how`` it is read: text, whole, amount (money), measured (money where sums are asked for, else a number), currency,
    choice (one of ``options``), checks (some of ``options``), scores (1 to 5), picked (some of a source of
    `samlad.audiences.choices`, named by ``options``; ``is_free``: or as typed), window, properties, json. ``inside`` is
    where the document has it.
    """

    name: str
    label: str
    how: str
    options: str = ""
    hint: str = ""
    inside: str = ""
    is_free: bool = False


_RANGE = (
    Piece("at_least", marked("At least"), "whole"),
    Piece("at_most", marked("At most"), "whole"),
)
_MONEY = (
    Piece("at_least", marked("At least"), "measured"),
    Piece("at_most", marked("At most"), "measured"),
    Piece("currency", marked("Currency"), "currency", hint=marked("Three letters. Sums need it.")),
)
_WINDOW = Piece("within", marked("When"), "window")
_CHANNELS = Piece("channels", marked("In these channels and stores"), "picked", "channels")
_GOODS = (
    Piece("categories", marked("Of these categories"), "picked", "categories", inside="goods"),
    Piece("products", marked("Of these products"), "picked", "products", inside="goods"),
    Piece("brands", marked("Of these brands"), "picked", "brands", inside="goods", is_free=True),
    Piece("skus", marked("Of these SKUs"), "picked", "skus", inside="goods", is_free=True),
)

PIECES: Mapping[str, tuple[Piece, ...]] = {
    "orders": (
        Piece("measure", marked("What counts"), "choice", "orders_measure"),
        *_MONEY,
        _WINDOW,
        _CHANNELS,
        *_GOODS,
    ),
    "order_date": (Piece("which", marked("Which"), "choice", "which"), _WINDOW, _CHANNELS, *_GOODS),
    "returns": (Piece("measure", marked("What counts"), "choice", "returns_measure"), *_MONEY, _WINDOW),
    "promotion": (
        *_RANGE,
        _WINDOW,
        Piece("promotions", marked("Of these promotions"), "picked", "promotions"),
    ),
    "trait": (
        Piece("field", marked("Field"), "choice", "field"),
        Piece("op", marked("How"), "choice", "op"),
        Piece("values", marked("These texts"), "picked", "trait", is_free=True),
    ),
    "customer_since": (_WINDOW,),
    "event": (
        Piece("name", marked("Name of the event"), "text", "events"),
        *_RANGE,
        Piece(
            "sum_of",
            marked("Count the sum of the property"),
            "text",
            "properties",
            hint=marked("Empty: how often it happened."),
        ),
        _WINDOW,
        Piece("properties", marked("Only with these properties"), "properties"),
    ),
    "cart": (
        Piece("at_least", marked("Worth at least"), "amount"),
        Piece("currency", marked("Currency"), "currency"),
        Piece("idle_hours", marked("Untouched for so many hours"), "whole"),
    ),
    "wanted": (
        Piece("on", marked("Where"), "choice", "wanted_on"),
        Piece("stock", marked("Stock"), "choice", "wanted_stock"),
        Piece("at_most", marked("No more than so many units"), "whole"),
        *_GOODS,
    ),
    "points": _RANGE,
    "tier": (Piece("tiers", marked("One of these tiers"), "picked", "tiers", is_free=True),),
    "tagged": (Piece("tags", marked("One of these tags"), "picked", "tags", is_free=True),),
    "consent": (
        Piece("purpose", marked("Purpose"), "choice", "purposes"),
        Piece("answer", marked("They have"), "choice", "consent"),
        Piece("channel", marked("On the channel"), "choice", "channels"),
    ),
    "subscription": (
        Piece("states", marked("State"), "checks", "state"),
        Piece("plans", marked("Of these plans"), "picked", "plans"),
    ),
    "rfm": (
        Piece("groups", marked("Groups"), "checks", "group"),
        Piece("recency", marked("Recency"), "scores"),
        Piece("frequency", marked("Frequency"), "scores"),
        Piece("monetary", marked("Money"), "scores"),
    ),
    "segment": (Piece("segment", marked("Segment"), "choice", "segments"),),
    "other": (
        Piece("name", marked("Name of the condition"), "text"),
        Piece("data", marked("What it says, as JSON"), "json"),
    ),
}
GROUPS = ("all", "any", "not")
WINDOWS: Mapping[str, str] = {
    "": marked("Ever"),
    "days": marked("In the last days"),
    "hours": marked("In the last hours"),
    "dates": marked("Between two days"),
}
PROPERTY_TYPES: Mapping[str, str] = {
    "text": marked("Text"),
    "number": marked("Number"),
    "boolean": marked("Yes or no"),
}
TRAIT_SOURCES: Mapping[str, str] = {"country": "countries", "language": "languages", "group": "groups"}
"""Where the values of a field of the customer are picked from; the others are typed."""


def piece_of(kind: str, name: str) -> Piece | None:
    """A field of a kind of condition by name."""
    return next((each for each in PIECES.get(kind, ()) if each.name == name), None)
