"""Lines of goods as people type or scanners read them: a code, how many, perhaps what each costs."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from uuid import UUID

from samlad.faces.form import Form
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.money import exponent
from samlad.kernel.problems import InvalidInput
from samlad.stock import Location
from samlad.stock.inputs import LineInput, LotLine, UnitsLine, variants_of
from samlad.stock.lot_lines import Goods, goods_of, named
from samlad.stock.lots import resolve
from samlad.stock.model import LARGEST
from samlad.stock.purchase_model import WantedLine

MOST_LINES = 500
NOTHING = marked("Write at least one line.")
MOST_COST_E4 = 10**13


async def typed_goods(
    tx: Tx, form: Form, place: Location, *, may_be_new: bool = True, is_needed: bool = True
) -> Goods:
    """Lines as typed or scanned: ``CODE 3``, ``CODE;3`` or ``CODE;3;LOT;2027-03-31`` each.

    The code is a SKU, a GTIN or a GS1 code, which says lot and date itself. A code alone is one piece, the same again adds
    up: a scanner writes a line each time that it reads. ``may_be_new`` and ``is_needed`` as in `samlad.stock.lots.resolve`.

    Raises:
        InvalidInput: an unknown code, a lot that is missing, or something that cannot be read, with its line.
    """
    wanted: dict[tuple[str, str | None, date | None], int] = {}
    for number, text in _lines(form):
        key, count = _line(text, f"{number}: {text[:60]}")
        wanted[key] = wanted.get(key, 0) + count
        if len(wanted) > MOST_LINES or wanted[key] > LARGEST:
            raise InvalidInput.at("lines", f"{number}: {text[:60]}")
    if not wanted:
        raise InvalidInput.at("lines", form.translate(NOTHING))
    lines = [
        UnitsLine(code=code, quantity=count, lot=lot, expires_on=day)
        for (code, lot, day), count in wanted.items()
        if count
    ]
    try:
        found = await goods_of(tx, place.id, lines, may_be_new=may_be_new, is_needed=is_needed)
        nothing = [
            LotLine(code=code, lot=lot, expires_on=day)
            for (code, lot, day), count in wanted.items()
            if not count
        ]
        return await _with_nothing(tx, place, found, nothing)
    except InvalidInput as problem:
        told = [f"{_named(lines, error.field)}{error.message}." for error in problem.errors]
        raise InvalidInput.at("lines", " ".join(told)) from None


async def _with_nothing(tx: Tx, place: Location, found: Goods, lines: list[LotLine]) -> Goods:
    """Also lines of which there is none: who counts says that, too."""
    variants = await variants_of(tx, place.id, lines)
    lots = await resolve(tx, named(variants, lines, [0] * len(lines)))
    return Goods([*found.lines, *((variant, 0) for variant in variants)], [*found.lots, *lots])


def _named(lines: list[UnitsLine], field: str) -> str:
    """The code of the line that an error is about."""
    parts = field.split("/")
    index = int(parts[1]) if len(parts) > 2 and parts[1].isdecimal() else len(lines)
    return f"{lines[index].code}: " if index < len(lines) and parts[-1] != "code" else ""


def _line(text: str, where: str) -> tuple[tuple[str, str | None, date | None], int]:
    """Code, lot and date of a line, and how many."""
    if ";" not in text:
        code, _, count = text.rpartition(" ")
        parts = [code, count] if code.strip() and count.strip().isdecimal() else [text]
    else:
        parts = text.split(";")
    code, count, lot, day = (part.strip() for part in (*parts, "", "", "")[:4])
    try:
        units = int(count or "1") if len(count) < 10 and (count or "1").isdecimal() else -1
        good_until = date.fromisoformat(day) if day else None
    except ValueError:
        raise InvalidInput.at("lines", where) from None
    if units < 0 or len(parts) > 4 or not 0 < len(code) <= 100 or len(lot) > 40:
        raise InvalidInput.at("lines", where)
    return (code, lot or None, good_until), units


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


async def typed_costs(tx: Tx, form: Form, place: Location) -> dict[UUID, int]:
    """What one of a product cost, by variant: ``CODE;COST`` each, as in `typed_wanted`. Raises InvalidInput at ``costs``."""
    typed: dict[str, int] = {}
    try:
        for number, text in _lines(form, "costs"):
            code, _, cost = text.rpartition(";" if ";" in text else " ")
            if not code.strip():
                raise InvalidInput.at("lines", f"{number}: {text[:60]}")
            typed[code.strip()] = _cost_e4(cost.strip(), place.currency, f"{number}: {text[:60]}")
        variants = await _found(tx, form, place, list(typed)) if typed else []
    except InvalidInput as problem:
        raise InvalidInput.at("costs", problem.errors[0].message) from None
    return dict(zip(variants, typed.values(), strict=True))


def _lines(form: Form, field: str = "lines") -> Iterator[tuple[int, str]]:
    # Not `splitlines`: the separator of GS1 codes would end a line, too.
    for number, line in enumerate(form.get(field).split("\n"), 1):
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
        raise InvalidInput.at("lines", form.translate(NOTHING))
    try:
        return await variants_of(tx, place.id, [LineInput(code=code) for code in codes])
    except InvalidInput as problem:
        raise InvalidInput.at("lines", " ".join(error.message + "." for error in problem.errors)) from None
