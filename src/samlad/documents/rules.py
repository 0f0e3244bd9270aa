"""Documents, decided without a database: numbers, sums by rate, what is to be issued, rounding of EN 16931."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad.documents import taxation
from samlad.documents.model import Kind, Paid, PrintedLine, RateTotal, Step
from samlad.kernel.i18n import marked
from samlad.kernel.money import allocate, share
from samlad.kernel.problems import FieldError, InvalidInput
from samlad.orders import LineKind, OrderLine
from samlad.tax.texts import NOTE_OF_CATEGORY

ROUNDING_TITLE = "Cash rounding"
"""The title by which orders name the line of cash that was rounded (`samlad.orders.rules.with_rounding`)."""
PREPAID_TITLE = marked("Prepayment")
PREPAID_KIND = "prepayment"
PREPAID_POSITION = 1_000_000
"""Where lines of prepayments stand: after all lines of the sale, on the invoice that takes them off again, too."""
TAX_TOLERANCE = 100
"""Minor units by which the tax of a rate may differ from rate times net: what the rules of CEN (BR-CO-17) accept."""


# -- numbers ---------------------------------------------------------------------------------------------------------------


def fiscal_year(day: date, begins: int) -> int:
    """The calendar year in which the fiscal year of a day begins; ``begins`` is its first month."""
    return day.year if day.month >= begins else day.year - 1


def number_of(prefix: str, year: int, sequence: int, digits: int) -> str:
    """A document's number: ``{yyyy}-``, 2026, 7 of 6 digits is ``2026-000007``."""
    head = prefix.replace("{yyyy}", f"{year:04d}").replace("{yy}", f"{year % 100:02d}")
    return f"{head}{sequence:0{digits}d}"


def number_pattern(prefix: str) -> str:
    """A regular expression (POSIX) of all numbers that begin with a prefix, of any year."""
    head = prefix.replace("{yyyy}", "[0-9]{4}").replace("{yy}", "[0-9]{2}")
    return f"^{head}[0-9]+$"


def check_numbers(*, invoice_prefix: str, credit_prefix: str, is_yearly: bool) -> None:
    """Refuse numbers that two documents could share.

    Raises:
        InvalidInput: a yearly series whose prefix does not name the year; the same prefix for both kinds.
    """
    errors = []
    if is_yearly:
        for field, prefix in (("invoice_prefix", invoice_prefix), ("credit_prefix", credit_prefix)):
            if "{yyyy}" not in prefix and "{yy}" not in prefix:
                errors.append(FieldError(field, "name the year, as in {yyyy}-: its numbers begin at 1 again"))
    if invoice_prefix == credit_prefix:
        errors.append(FieldError("credit_prefix", "must differ from that of invoices"))
    if errors:
        raise InvalidInput("Two documents could get the same number.", errors=tuple(errors))


# -- lines and sums --------------------------------------------------------------------------------------------------------


def is_rounding(line: OrderLine) -> bool:
    """Whether a line is what cash was rounded by: neither turnover nor taxed."""
    return line.kind is LineKind.ADJUSTMENT and line.tax_rate == 0 and line.title == ROUNDING_TITLE


def printed_line(line: OrderLine, *, source: UUID | None = None) -> PrintedLine:
    """A line of an order as an invoice names it; ``source`` is the return that it is of."""
    return PrintedLine(
        position=None if source else line.position,
        source=source,
        kind=str(line.kind),
        sku=line.sku or "",
        title=line.title,
        options=line.options,
        quantity=line.quantity,
        unit_price=line.unit_price,
        tax_included=line.tax_included,
        tax_rate=line.tax_rate,
        category=taxation.category_of(line),
        note=taxation.note_of(line),
        net=line.total - line.tax,
        tax=line.tax,
        total=line.total,
        reductions=[Step(step.name, step.amount) for step in line.reductions if step.amount],
        sold_by=line.sold_by,
        set_of=line.set_of,
    )


def printed_lines(lines: Iterable[OrderLine], *, source: UUID | None = None) -> list[PrintedLine]:
    """The lines of an order without what cash was rounded by."""
    return [printed_line(line, source=source) for line in lines if not is_rounding(line)]


def rounding_of(lines: Iterable[OrderLine]) -> int:
    """What cash was rounded by."""
    return sum(line.total for line in lines if is_rounding(line))


def prepaid_lines(lines: Sequence[OrderLine], came_in: int) -> list[PrintedLine]:
    """What came in of a sale whose rest is still to be paid (minor units), one line for each rate and reason: spread over what is left
    of the lines by what they cost, each part with its share of the tax, as the books do (`samlad.books.rules`)."""
    left = [
        max(0, line.total - share(line.total, line.fulfilled + line.cancelled, line.quantity))
        for line in lines
    ]
    paid = min(came_in, sum(left))
    if paid <= 0:
        return []
    sums: dict[tuple[str, int, str, bool], list[int]] = defaultdict(lambda: [0, 0])
    for line, part in zip(lines, allocate(paid, left), strict=True):
        if part:
            key = (taxation.category_of(line), line.tax_rate, taxation.note_of(line), line.tax_included)
            sums[key][0] += part
            # A margin is known when goods leave, and not before.
            sums[key][1] += 0 if line.tax_treatment == "margin" else share(line.tax, part, line.total)
    return [
        PrintedLine(
            position=PREPAID_POSITION,
            kind=PREPAID_KIND,
            title=PREPAID_TITLE,
            quantity=1,
            unit_price=total if tax_included else total - tax,
            tax_included=tax_included,
            tax_rate=rate,
            category=category,
            note=note,
            net=total - tax,
            tax=tax,
            total=total,
        )
        for (category, rate, note, tax_included), (total, tax) in sums.items()
    ]


def paid_since(paid: Sequence[Paid], told: int) -> list[Paid]:
    """The payments without the first of them, which other documents have told of (minor units)."""
    found = []
    for each in paid:
        known = min(told, each.amount)
        told -= known
        if each.amount > known:
            found.append(msgspec.structs.replace(each, amount=each.amount - known) if known else each)
    return found


def negated(line: PrintedLine) -> PrintedLine:
    """A line the other way round: what is given back of it is positive on a credit note."""
    return msgspec.structs.replace(
        line,
        quantity=-line.quantity,
        net=-line.net,
        tax=-line.tax,
        total=-line.total,
        reductions=[Step(step.name, -step.amount) for step in line.reductions],
    )


def rate_totals(lines: Iterable[PrintedLine]) -> list[RateTotal]:
    """Net and tax by category and rate, the highest rate first. They come to exactly the sums of the lines."""
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    notes: dict[tuple[str, int], str] = {}
    for line in lines:
        key = (line.category, line.tax_rate)
        sums[key][0] += line.net
        sums[key][1] += line.tax
        notes[key] = notes.get(key) or line.note
    return [
        RateTotal(category=category, rate=rate, net=net, tax=tax, note=notes[category, rate])
        for (category, rate), (net, tax) in sorted(sums.items(), key=lambda item: (-item[0][1], item[0][0]))
    ]


def reasons(rate: RateTotal, lines: Iterable[PrintedLine]) -> list[str]:
    """Why the lines of a rate bear no tax (BT-120), each reason once, to be translated."""
    usual = rate.note or NOTE_OF_CATEGORY.get(rate.category, "")
    notes = [
        line.note or NOTE_OF_CATEGORY.get(rate.category, "")
        for line in lines
        if (line.category, line.tax_rate) == (rate.category, rate.rate)
    ]
    return [note for note in dict.fromkeys(notes or [usual]) if note]


# -- what is to be issued --------------------------------------------------------------------------------------------------


_Key = tuple[int | None, str, str, str, str, int]
"""What makes lines of documents the same line: position, SKU, title, options, category, rate."""


def difference(target: Sequence[PrintedLine], told: Sequence[PrintedLine]) -> list[PrintedLine]:
    """The lines that lead from what documents have told of a sale to what it is now; empty when they agree.

    Both are lines of the sale (with a position); ``told`` are signed, those of credit notes negated. Positive is owed
    more. Of a line that only became cheaper the difference is one piece at that amount: quantity and net always have
    the same sign, as EN 16931 wants of prices (BR-27).
    """
    kept: dict[_Key, PrintedLine] = {}
    sums: dict[_Key, list[int]] = defaultdict(lambda: [0, 0, 0])
    for sign, lines in ((1, target), (-1, told)):
        for line in lines:
            key = (line.position, line.sku, line.title, line.options, line.category, line.tax_rate)
            kept.setdefault(key, line)
            for at, amount in enumerate((line.quantity, line.net, line.tax)):
                sums[key][at] += sign * amount
    found = []
    for same, (quantity, net, tax) in sums.items():
        if net or tax:
            found.append(_part(kept[same], quantity, net, tax))
    return sorted(found, key=lambda line: (line.position or 0, line.total))


def _part(line: PrintedLine, quantity: int, net: int, tax: int) -> PrintedLine:
    whole = (quantity, net, tax) in (
        (line.quantity, line.net, line.tax),
        (-line.quantity, -line.net, -line.tax),
    )
    if line.kind == PREPAID_KIND or quantity == 0 or quantity * (net or tax) < 0:
        quantity = 1 if (net or tax) > 0 else -1
    total = net + tax
    price = line.unit_price
    if not whole:
        price = share(total if line.tax_included else net, line.sold_by.per, quantity)
    sign = 1 if quantity * line.quantity > 0 else -1
    steps = [Step(step.name, sign * step.amount) for step in line.reductions] if whole else []
    return msgspec.structs.replace(
        line, quantity=quantity, unit_price=price, net=net, tax=tax, total=total, reductions=steps
    )


def kind_of(lines: Sequence[PrintedLine]) -> Kind | None:
    """What leads there: an invoice for more, a credit note for less, nothing for nothing."""
    weight = (sum(line.total for line in lines), sum(line.tax for line in lines))
    if not lines or weight == (0, 0):
        return None
    return Kind.INVOICE if weight > (0, 0) else Kind.CREDIT_NOTE


# -- rounding of EN 16931 --------------------------------------------------------------------------------------------------


def tax_of_norm(rate: RateTotal) -> int:
    """The tax of a rate as an e-invoice may say it, minor units (BR-CO-17).

    It is the sum of the lines' taxes, as on the order, on paper and in the books, wherever the rule accepts that; of
    hundreds of lines that were each rounded it may be too far from rate times net, which is then the answer. The
    difference becomes the rounding amount (BT-114), so that the buyer pays the same.
    """
    exact = share(rate.net, rate.rate, 10_000)
    return rate.tax if abs(rate.tax - exact) < TAX_TOLERANCE else exact
