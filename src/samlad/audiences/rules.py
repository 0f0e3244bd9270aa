"""Decisions about conditions that need no database: what is wrong with them, what they hang on, what they come to."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from uuid import UUID

import msgspec

from samlad.audiences import kinds
from samlad.audiences.conditions import (
    DEEPEST,
    GROUPS,
    MOST_CONDITIONS,
    Condition,
    Consented,
    CustomerSince,
    EventProperty,
    HasOrders,
    HasPoints,
    HasReturns,
    InRfm,
    InSegment,
    InTier,
    Listed,
    Not,
    OpenCart,
    OrderDate,
    Other,
    PastWindow,
    PropertyOp,
    Subscribed,
    Tagged,
    Tracked,
    Trait,
    TraitOp,
    UsedPromotion,
    Wanted,
    of,
)
from samlad.kernel.problems import FieldError, InvalidInput

Definitions = Mapping[UUID, Condition]

GROUP_MAP = (
    ("hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential", "potential", "loyal", "loyal"),
    ("new", "potential", "potential", "champions", "champions"),
)
"""Names by recency (rows, 1 to 5) and frequency (columns, 1 to 5), as the trade draws them."""
GROUPS_OF_RFM = tuple(dict.fromkeys(name for row in reversed(GROUP_MAP) for name in reversed(row)))


def group_of(recency: int, frequency: int) -> str:
    """The name of a cell of the grid; scores from 1 to 5."""
    return GROUP_MAP[recency - 1][frequency - 1]


# -- what is wrong -----------------------------------------------------------------------------------------------------


def check(definition: Condition, place: str = "definition") -> None:
    """Raises `InvalidInput` with everything that is wrong and where."""
    errors = [FieldError(where, message) for where, message in _faults(definition, place, 1)]
    count = sum(1 for _ in walk(definition))
    if count > MOST_CONDITIONS:
        errors.append(FieldError(place, f"has {count} conditions; {MOST_CONDITIONS} at most"))
    if errors:
        raise InvalidInput("The conditions cannot be used as they are.", errors=tuple(errors[:20]))


def walk(definition: Condition) -> Iterator[Condition]:
    """A condition and all inside it."""
    waiting = [definition]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += of(each)


def _faults(condition: Condition, place: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEEPEST:
        yield place, f"lies deeper than {DEEPEST} conditions in each other"
        return
    if isinstance(condition, GROUPS):
        for index, each in enumerate(condition.of):
            yield from _faults(each, f"{place}.of.{index}", depth + 1)
    elif isinstance(condition, Not):
        yield from _faults(condition.of, f"{place}.of", depth + 1)
    else:
        yield from _faults_of_leaf(condition, place)


def _faults_of_leaf(condition: Condition, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(condition, HasOrders | HasReturns | UsedPromotion | Tracked | HasPoints):
        yield from _range_faults(condition, place)
    if isinstance(condition, HasOrders | HasReturns | OpenCart):
        yield from _money_faults(condition, place)
    if isinstance(condition, Trait) and (condition.op is TraitOp.IS_KNOWN) == bool(condition.values):
        told = "is_known compares with nothing" if condition.values else "say what it is compared with"
        yield f"{place}.values", told
    if isinstance(condition, Wanted) and condition.at_most is not None and condition.stock == "sold_out":
        yield f"{place}.at_most", "what is sold out has no units"
    if isinstance(condition, InRfm):
        yield from _score_faults(condition, place)
    if isinstance(condition, Tracked):
        for index, each in enumerate(condition.properties):
            yield from _property_faults(each, f"{place}.properties.{index}")
        if condition.sum_of is not None and "" in condition.sum_of.split("."):
            yield f"{place}.sum_of", "has an empty part between dots"
    if isinstance(condition, Other):
        fault = kinds.fault(condition)
        if fault is not None:
            yield f"{place}.data" if kinds.known(condition.name) else f"{place}.name", fault
    window = getattr(condition, "within", None)
    if window is not None:
        yield from _window_faults(window, f"{place}.within")


def _money_faults(condition: HasOrders | HasReturns | OpenCart, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(condition, OpenCart):
        if condition.at_least and condition.currency is None:
            yield f"{place}.currency", "an amount needs a currency"
    elif condition.measure in ("sum", "average"):
        if condition.currency is None:
            yield f"{place}.currency", "sums of money need a currency"
    elif isinstance(condition, HasReturns) and condition.currency is not None:
        yield f"{place}.currency", "only sums have a currency"


def _score_faults(condition: InRfm, place: str) -> Iterator[tuple[str, str]]:
    if not any((condition.groups, condition.recency, condition.frequency, condition.monetary)):
        yield place, "name groups or scores"
    for name in condition.groups:
        if name not in GROUPS_OF_RFM:
            yield f"{place}.groups", f"{name} is none; one of {', '.join(GROUPS_OF_RFM)}"


def _range_faults(
    condition: HasOrders | HasReturns | UsedPromotion | Tracked | HasPoints, place: str
) -> Iterator[tuple[str, str]]:
    low, high = condition.at_least, condition.at_most
    if low is None and high is None:
        yield f"{place}.at_least", "say at_least, at_most or both"
    elif low is not None and high is not None and low > high:
        yield f"{place}.at_most", f"is below at_least, which is {low}"


def _window_faults(window: PastWindow, place: str) -> Iterator[tuple[str, str]]:
    ways = (window.days is not None) + (window.hours is not None)
    ways += window.since is not None or window.until is not None
    if ways != 1:
        yield place, "exactly one of days, hours, and since (or until)"
    elif window.since and window.until and window.since > window.until:
        yield f"{place}.until", "is before since"


def _property_faults(each: EventProperty, place: str) -> Iterator[tuple[str, str]]:
    is_number = isinstance(each.value, float) and not isinstance(each.value, bool)
    if (each.op is PropertyOp.IS_KNOWN) != (each.value is None):
        yield (
            f"{place}.value",
            "is_known compares with nothing" if each.value is not None else "say with what",
        )
    elif each.op in (PropertyOp.AT_LEAST, PropertyOp.AT_MOST) and not is_number:
        yield f"{place}.value", "must be a number to be more or less"
    elif each.op is PropertyOp.CONTAINS and not isinstance(each.value, str):
        yield f"{place}.value", "must be a text to be contained"
    elif "" in each.name.split("."):
        yield f"{place}.name", "has an empty part between dots"


# -- what they hang on ----------------------------------------------------------------------------------------------------


def uses(definition: Condition) -> set[UUID]:
    """The segments that conditions name."""
    return {each.segment for each in walk(definition) if isinstance(each, InSegment)}


def expand(definition: Condition, definitions: Definitions, seen: tuple[UUID, ...] = ()) -> Condition:
    """Conditions with those of the segments that they name in their place.

    Raises:
        InvalidInput: a segment is not there, or names itself over others, or it is too much in all.
    """
    if isinstance(definition, InSegment):
        if definition.segment in seen:
            raise InvalidInput.at("definition", "segments would name each other in a circle")
        if definition.segment not in definitions:
            raise InvalidInput.at("definition", f"there is no segment {definition.segment} in this pool")
        return expand(definitions[definition.segment], definitions, (*seen, definition.segment))
    if isinstance(definition, GROUPS):
        inside = [expand(each, definitions, seen) for each in definition.of]
        return msgspec.structs.replace(definition, of=inside)
    if isinstance(definition, Not):
        return Not(of=expand(definition.of, definitions, seen))
    return definition


def dependents(segment: UUID, definitions: Definitions) -> set[UUID]:
    """The segments that name this one, directly or over others; and itself."""
    found, waiting = {segment}, [segment]
    while waiting:
        one = waiting.pop()
        fresh = {each for each, what in definitions.items() if one in uses(what)} - found
        found |= fresh
        waiting += fresh
    return found


_SOURCES: dict[type, str] = {
    Trait: "customer",
    CustomerSince: "customer",
    HasOrders: "order",
    OrderDate: "order",
    HasReturns: "order",
    UsedPromotion: "order",
    Tracked: "tracked",
    HasPoints: "points",
    InTier: "points",
    Tagged: "customer",
    Consented: "consent",
    OpenCart: "cart",
    Wanted: "cart",
    Subscribed: "subscription",
    InRfm: "rfm",
    Listed: "list",
}


def sources(expanded: Condition) -> set[str]:
    """What can change whether conditions hold: customer, order, tracked, points, cart, stock, subscription, rfm, consent, list, or
    what a registered kind says."""
    found: set[str] = set()
    for each in walk(expanded):
        if isinstance(each, Other):
            found |= kinds.get(each.name).sources
        elif isinstance(each, Wanted):
            found |= {"cart", "stock"}
        elif type(each) in _SOURCES:
            found.add(_SOURCES[type(each)])
    return found


def asks_the_catalogue(expanded: Condition) -> bool:
    """Whether conditions hang on what goods are in the catalogue now: their category, brand or product; or on how much of
    them may be sold, which also changes without a movement."""
    if any(isinstance(each, Wanted) for each in walk(expanded)):
        return True
    goods = [each.goods for each in walk(expanded) if isinstance(each, HasOrders | OrderDate)]
    return any(each and (each.categories or each.brands or each.products) for each in goods)


def event_names(expanded: Condition) -> set[str]:
    """The names of the events that conditions count."""
    return {each.name for each in walk(expanded) if isinstance(each, Tracked)}


# -- for ad platforms ------------------------------------------------------------------------------------------------------

GMAIL = ("gmail.com", "googlemail.com")


def hashed(text: str) -> str:
    """SHA-256 in lower-case hexadecimal digits, of UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def email_for_ads(email: str, *, is_google: bool) -> str:
    """An address as ad platforms want it before hashing: no blanks, lower case; Google also without the dots and the
    ``+suffix`` of gmail.com and googlemail.com.

    Sources: Google Ads API, "Format and hash customer data"; Meta Marketing API, "Customer information parameters".
    """
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFC", email)).lower()
    name, at, domain = plain.rpartition("@")
    if is_google and domain in GMAIL:
        name = name.partition("+")[0].replace(".", "")
    return f"{name}{at}{domain}"


def phone_for_ads(e164: str, *, is_google: bool) -> str:
    """A number as ad platforms want it before hashing: E.164 with its ``+`` for Google; digits only, with the country's
    code and without leading zeros, for Meta."""
    return e164 if is_google else e164.lstrip("+").lstrip("0")


def margin(hits: int, looked_at: int, people: int) -> tuple[int, int, int]:
    """What a sample says of everybody: the estimate, and from where to where it lies 19 times in 20.

    Wilson's score interval (1927), which also holds for very few hits.
    """
    if looked_at == 0:
        return 0, 0, people
    z = 1.96
    share = hits / looked_at
    middle = (share + z * z / (2 * looked_at)) / (1 + z * z / looked_at)
    half = (
        z
        / (1 + z * z / looked_at)
        * (share * (1 - share) / looked_at + z * z / (4 * looked_at * looked_at)) ** 0.5
    )
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return (
        round(share * people),
        max(hits, int(low * people)),
        min(people - (looked_at - hits), int(high * people) + 1),
    )
