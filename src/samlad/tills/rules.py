"""Sales of tills, judged without a database: which it is, when it was, whether its sums agree."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import msgspec

from samlad.catalog import Sellable
from samlad.kernel import cards
from samlad.kernel.money import worth
from samlad.promotions import Use
from samlad.tills.entries import KINDS
from samlad.tills.model import NO_PROMOTION, Entry, Objection, Sale, SoldLine

NAMESPACE = UUID("8f4f1e0a-53a4-5d0e-9d51-0d6f2f6a7f11")
"""Of the names of entries that bring none that can be read, and of those whose name is taken."""
AHEAD = timedelta(minutes=5)
OLD = timedelta(days=14)
WRONG_CLOCK = timedelta(hours=12)
NAMES_OF_GOODS = frozenset({"sku", "lot", "serial"})


def digest(raw: Mapping[str, Any]) -> bytes:
    """SHA-256 of an entry, whatever the order of its fields. Not of whom it writes down: a till forgets them once it was sent."""
    content = {name: value for name, value in raw.items() if name != "new_customer"}
    return sha256(msgspec.json.encode(_writable(content), order="deterministic")).digest()


def _writable(value: Any) -> Any:
    """A document without numbers that are too large for any of our encoders; those as text."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, dict):
        return {name: _writable(each) for name, each in value.items()}
    return [_writable(each) for each in value] if isinstance(value, list) else value


def name_of(raw: Mapping[str, Any], of_content: bytes) -> UUID:
    """The id of an entry; of one without any that can be read, one that follows from its content."""
    try:
        return UUID(str(raw.get("id")))
    except ValueError:
        return uuid5(NAMESPACE, of_content.hex())


def beside(name: UUID, of_content: bytes) -> UUID:
    """Under which id an entry is kept whose own id is another's."""
    return uuid5(name, of_content.hex())


def kind_of(raw: Mapping[str, Any]) -> str:
    """What an entry says that it is; a sale if it says nothing. Unknown kinds are ``other``."""
    kind = raw.get("kind", "sale")
    return kind if isinstance(kind, str) and kind in KINDS else "other"


def read(raw: Mapping[str, Any]) -> Entry | str:
    """The entry as what it is, or why it cannot be read."""
    kind = kind_of(raw)
    if kind not in KINDS:
        return cards.redact(f"of an unknown kind: {raw.get('kind')}")[:300]
    try:
        return msgspec.convert(raw, KINDS[kind])
    except msgspec.ValidationError as error:
        return cards.redact(str(error))[:300]


def number_of(raw: Mapping[str, Any]) -> tuple[UUID, int] | None:
    """The till and its number, of an entry that can be read or cannot."""
    number = raw.get("sequence")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 2**53:
        return None
    try:
        return UUID(str(raw.get("till"))), number
    except ValueError:
        return None


def to_keep(value: Any, key: str = "") -> Any:
    """An entry as the database can keep it: without NUL, and without what looks like a card number."""
    if isinstance(value, str):
        plain = value.replace("\x00", "\ufffd")
        return plain if key in NAMES_OF_GOODS else cards.redact(plain)
    if isinstance(value, dict):
        return {to_keep(str(name)): to_keep(each, str(name)) for name, each in value.items()}
    if isinstance(value, list):
        return [to_keep(each, key) for each in value]
    written = _writable(value)
    return to_keep(written, key) if isinstance(written, str) else written


def when(sale: Entry, received: datetime) -> tuple[datetime, list[Objection]]:
    """When it was by our clock, and what is odd about that. Nothing that has happened is in the future."""
    told, objections = sale.happened_at, []
    offset = timedelta(0)
    try:
        offset = timedelta(milliseconds=sale.clock_offset_ms or 0)
        at = told + offset
    except OverflowError:
        return received, [Objection(code="clock", here=received.isoformat(), there=told.isoformat())]
    if at > received + AHEAD or at.year < 2000:
        return received, [Objection(code="clock", here=received.isoformat(), there=told.isoformat())]
    if abs(offset) > WRONG_CLOCK:
        objections.append(Objection(code="clock", here=at.isoformat(), there=told.isoformat()))
    if received - at > OLD:
        objections.append(Objection(code="late", here=received.isoformat(), there=at.isoformat()))
    return min(at, received), objections


def sums(sale: Sale, *, tax_included: bool) -> tuple[int, list[Objection]]:
    """What was paid more (less, negative) than the sale comes to, and where its sums disagree. Minor units."""
    objections = []
    for place, line in enumerate(sale.lines, 1):
        comes_to = _comes_to(line, tax_included=tax_included)
        if comes_to != line.total or abs(line.tax) > abs(line.total) or not _taxes_agree(line):
            objections.append(Objection(code="sums", line=place, here=str(comes_to), there=str(line.total)))
    due = sum(line.total for line in sale.lines) + sum(card.amount for card in sale.cards)
    if sale.total != due:
        objections.append(Objection(code="sums", here=str(due), there=str(sale.total)))
    paid = sum(tender.amount for tender in sale.tenders)
    difference = paid - due - sale.rounding - sale.tip
    if difference:
        objections.append(Objection(code="paid", here=str(due + sale.rounding + sale.tip), there=str(paid)))
    return difference, objections


def _taxes_agree(line: SoldLine) -> bool:
    """Whether what was told of each rate adds up to the line."""
    sums = sum(each.tax for each in line.taxes), sum(each.total for each in line.taxes)
    return not line.taxes or sums == (line.tax, line.total)


def _comes_to(line: SoldLine, *, tax_included: bool) -> int:
    quoted = worth(line.unit_price, line.quantity, line.sold_by.per) - sum(
        step.amount for step in line.reductions
    )
    return quoted if tax_included else quoted + line.tax


def against(lines: Sequence[SoldLine], sold: Mapping[UUID, Sellable], known: set[UUID]) -> list[Objection]:
    """What the server would have said at that moment: other prices and taxes, goods that were not for sale or unknown."""
    objections: list[Objection] = []
    for place, line in enumerate(lines, 1):
        here = sold.get(line.variant)
        if line.variant not in known or here is None:
            objections.append(Objection(code="unknown-goods", line=place, there=line.sku))
            continue
        if not here.is_available:
            objections.append(Objection(code="not-for-sale", line=place))
        if here.price is not None and here.price != line.unit_price:
            objections.append(
                Objection(code="price", line=place, here=str(here.price), there=str(line.unit_price))
            )
        if here.tax_rates != line.tax_rates:
            ours, theirs = (" + ".join(map(str, rates)) for rates in (here.tax_rates, line.tax_rates))
            objections.append(Objection(code="tax", line=place, here=ours, there=theirs))
    return objections


def by_hand(sale: Sale) -> int:
    """What was taken off by hand, minor units: steps of no promotion."""
    steps = (step for line in sale.lines for step in line.reductions)
    return sum(step.amount for step in steps if step.promotion == NO_PROMOTION)


def whole(sale: Sale) -> int:
    """What the lines come to before anything was taken off by hand, minor units."""
    return sum(line.total for line in sale.lines) + by_hand(sale)


def promotions_of(sale: Sale) -> list[Use]:
    """What each promotion took off the sale."""
    found: dict[UUID, Use] = {}
    for step in (step for line in sale.lines for step in line.reductions):
        if step.promotion != NO_PROMOTION and step.amount > 0:
            amount = step.amount + (found[step.promotion].amount if step.promotion in found else 0)
            found[step.promotion] = Use(promotion=step.promotion, name=step.name, amount=amount)
    return list(found.values())


def total_of(raw: Mapping[str, Any]) -> int | None:
    """What an entry says that it comes to, if it says so."""
    total = raw.get("total")
    return total if isinstance(total, int) and not isinstance(total, bool) and abs(total) < 2**62 else None
