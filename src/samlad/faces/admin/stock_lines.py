"""Lines of goods as people type or scanners read them: a code, how many, perhaps what each costs."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from samlad.faces.form import UNREADABLE, Form
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.money import exponent
from samlad.kernel.problems import InvalidInput
from samlad.stock import Location
from samlad.stock.inputs import LineInput, variants_of
from samlad.stock.model import LARGEST
from samlad.stock.purchase_model import WantedLine

MOST_LINES = 500
MOST_COST_E4 = 10**13


async def typed_units(tx: Tx, form: Form, place: Location) -> list[tuple[UUID, int]]:
    """Lines as typed or scanned: ``CODE 3`` or ``CODE;3`` each, the code a SKU or a GTIN.

    A code alone is one piece, the same again adds up: a scanner writes a line each time that it reads.

    Raises:
        InvalidInput: an unknown code, or something that is no number, with its line.
    """
    wanted: dict[str, int] = {}
    for number, text in _lines(form):
        code, _, count = text.rpartition(";") if ";" in text else text.rpartition(" ")
        if not count.strip().isdecimal() or not code.strip():
            code, count = text, "1"
        if len(wanted) >= MOST_LINES or len(count) > 9:
            raise InvalidInput.at("lines", f"{number}: {text[:60]}")
        wanted[code.strip()] = wanted.get(code.strip(), 0) + int(count)
    found: dict[UUID, int] = {}
    for variant, units in zip(await _found(tx, form, place, list(wanted)), wanted.values(), strict=True):
        found[variant] = found.get(variant, 0) + units
    if any(units > LARGEST for units in found.values()):
        raise InvalidInput.at("lines", form.translate(UNREADABLE))
    return list(found.items())


async def typed_wanted(tx: Tx, form: Form, place: Location) -> list[WantedLine]:
    """Lines to buy: ``CODE;QUANTITY;COST`` each, the cost of one in the location's currency, to four more decimals.

    Without a cost it is nothing; the same code again replaces what was there.

    Raises:
        InvalidInput: an unknown code, or something that cannot be read, with its line.
    """
    wanted: dict[str, tuple[int, int]] = {}
    for number, text in _lines(form):
        parts = [part.strip() for part in (text.split(";") if ";" in text else text.split())]
        code, count, cost = (*parts, "", "")[:3]
        if not (count.isdecimal() and 0 < len(count) < 10 and int(count)) or len(parts) > 3:
            raise InvalidInput.at("lines", f"{number}: {text[:60]}")
        wanted[code] = (int(count), _cost_e4(cost or "0", place.currency, f"{number}: {text[:60]}"))
        if len(wanted) > MOST_LINES:
            raise InvalidInput.at("lines", f"{number}: {text[:60]}")
    variants = await _found(tx, form, place, list(wanted))
    return [WantedLine(variant, *line) for variant, line in zip(variants, wanted.values(), strict=True)]


def _lines(form: Form) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(form.get("lines").splitlines(), 1):
        text = line.strip().replace("\t", ";")
        if text:
            yield number, text


def _cost_e4(text: str, currency: str, line: str) -> int:
    """Ten-thousandths of a minor unit of an amount like 0.1234 or 89,50."""
    try:
        cost = Decimal(text.replace(",", ".")).scaleb(exponent(currency) + 4)
    except ArithmeticError:
        raise InvalidInput.at("lines", line) from None
    if not cost.is_finite() or cost != cost.to_integral_value() or not 0 <= cost <= MOST_COST_E4:
        raise InvalidInput.at("lines", line)
    return int(cost)


async def _found(tx: Tx, form: Form, place: Location, codes: list[str]) -> list[UUID]:
    if not codes:
        raise InvalidInput.at("lines", form.translate(marked("Write at least one line.")))
    try:
        return await variants_of(tx, place.id, [LineInput(code=code) for code in codes])
    except InvalidInput as problem:
        raise InvalidInput.at("lines", " ".join(error.message + "." for error in problem.errors)) from None
