"""What lines are worth when they come back, and where money goes: pure, exact to the minor unit.

Whatever comes back in whatever parts comes to the same: each part is the difference of two rounded shares of what was
paid, less the same difference of what was given back on the line before.
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.money import allocate, share
from samlad.kernel.problems import InvalidInput
from samlad.orders.change_model import Notice, Past, Preview, TenderPart, Terms
from samlad.orders.model import Concession, LineKind, OrderLine
from samlad.orders.rules import returned_line
from samlad.payments import Payment
from samlad.payments.rules import Coin, round_cash, spread_refund
from samlad.tax import amounts

# Titles of lines that a change makes; pages translate them.
ROUNDING, GOODWILL, GIVEN_BEFORE, RESTOCKING, SENDING_BACK = (
    "Cash rounding",
    "Goodwill",
    "Given back before",
    "Restocking fee",
    "Sending it back",
)


def gone(line: OrderLine) -> int:
    """Units of a line that came back or were called off."""
    return line.returned + line.cancelled


def left_of(line: OrderLine, until: int | None = None) -> tuple[int, int]:
    """What of a line (with tax, tax) can still be given back when ``until`` units are gone (default: as many as are).

    What is left after a concession is spread anew over the units that are left then: one rounding, however much was
    given back before, so that no part is ever worth less than nothing.
    """
    units = gone(line) if until is None else until
    amount, tax, base = line.total, line.tax, 0
    for each in line.concessions:
        rest, part = line.quantity - base, each.after - base
        amount -= share(amount, part, rest) + each.amount
        tax -= share(tax, part, rest) + each.tax
        base = each.after
    rest, part = line.quantity - base, units - base
    if part <= 0:
        return amount, tax
    return amount - share(amount, part, rest), tax - share(tax, part, rest)


def back(line: OrderLine, quantity: int, sale: UUID) -> list[OrderLine]:
    """The lines of a return for units of a line: what was paid for them, less what was given back on them before."""
    found = returned_line(line, quantity, 1, sale)
    before, after = left_of(line), left_of(line, gone(line) + quantity)
    amount = -found.total - (before[0] - after[0])
    tax = -found.tax - (before[1] - after[1])
    return [found, extra(GIVEN_BEFORE, amount, tax, line, sale)] if amount or tax else [found]


def extra(title: str, total: int, tax: int, of: OrderLine, sale: UUID, *, fee: bool = False) -> OrderLine:
    """A line without goods that belongs to another: a fee, or what was or is given back while goods stay."""
    return OrderLine(
        position=1,
        kind=LineKind.FEE if fee else LineKind.ADJUSTMENT,
        title=title,
        quantity=1,
        unit_price=total if of.tax_included else total - tax,
        tax_included=of.tax_included,
        tax_rate=of.tax_rate,
        tax=tax,
        total=total,
        returns=sale,
        tax_category=of.tax_category,
        tax_treatment=of.tax_treatment,
        tax_country=of.tax_country,
        tax_note=of.tax_note,
    )


def fee(title: str, amount: int, of: OrderLine, sale: UUID) -> OrderLine:
    """A fee (minor units, with tax), taxed as the line that it is for."""
    taxed = amounts(amount, 1, of.tax_rate, tax_included=True)
    return extra(title, amount, taxed.tax, of, sale, fee=True)


def capped(fees: Sequence[OrderLine], most: int) -> list[OrderLine]:
    """Fees that come to no more than ``most`` (minor units): nobody pays for having sent something back. The first are taken first."""
    kept: list[OrderLine] = []
    for line in fees:
        total = min(line.total, most - sum(each.total for each in kept))
        if total == line.total:
            kept.append(line)
        elif total > 0:
            tax = amounts(total, 1, line.tax_rate, tax_included=True).tax
            unit_price = total if line.tax_included else total - tax
            kept.append(msgspec.structs.replace(line, total=total, tax=tax, unit_price=unit_price))
    return kept


def goodwill(
    lines: Sequence[OrderLine], amount: int, position: int | None, sale: UUID, *, field: str
) -> tuple[list[OrderLine], dict[int, Concession]]:
    """Money back while goods stay: lines of it, and what each line of the sale remembers.

    Raises:
        InvalidInput: there is no such line, or more than is left of what was paid for it.
    """
    chosen = [line for line in lines if position in (None, line.position) and line.kind in _BEARS]
    if not chosen:
        raise InvalidInput.at(f"{field}/position", "there is no such line")
    left = [left_of(line) for line in chosen]
    most = sum(each for each, _tax in left)
    if amount > most:
        raise InvalidInput.at(f"{field}/amount", f"at most {most}")
    found, remembered = [], {}
    for line, (worth, tax), part in zip(chosen, left, allocate(amount, [w for w, _ in left]), strict=True):
        if part:
            taxed = tax if part == worth else share(tax, part, worth)
            found.append(extra(GOODWILL, -part, -taxed, line, sale))
            remembered[line.position] = Concession(amount=part, tax=taxed, after=gone(line))
    return found, remembered


_BEARS = (LineKind.ITEM, LineKind.SHIPPING)
"""Lines on which money can be given back."""


def numbered(lines: Sequence[OrderLine], first: int = 1) -> list[OrderLine]:
    """The lines with positions one after the other."""
    return [msgspec.structs.replace(line, position=n) for n, line in enumerate(lines, first)]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Where what came back goes, minor units."""

    forgiven: int
    transferred: int
    gives_back: int
    due: int


def settle(worth: int, *, due: int, available: int, new: int) -> Spread:
    """What came back first pays what the order still owes, then new goods, and the rest goes back.

    ``due`` is what of the order is not captured, ``available`` what was captured and not given back in any way, ``new``
    what other goods cost. Never more goes back than is available. ``due`` of the answer is what the order then owes.
    """
    forgiven = min(worth, due)
    rest = min(worth - forgiven, max(0, available))
    transferred = min(rest, new)
    return Spread(
        forgiven=forgiven, transferred=transferred, gives_back=rest - transferred, due=due - forgiven
    )


def tenders(amount: int, known: Sequence[Payment], blocked: int) -> list[TenderPart]:
    """Through which payments an amount goes back: the latest first, as `payments.refund` does it. ``blocked`` is what
    went back otherwise (as credit) and stays where it came in."""
    if amount == 0:
        return []
    assert amount <= sum(payment.refundable for payment in known) - blocked
    parts = spread_refund(amount, known) or []
    return [TenderPart(payment=p.id, provider=p.provider, amount=part) for p, part in parts]


def in_coins(
    gives_back: int, known: Sequence[Payment], coin: Coin, *, unpaid: int, most: int
) -> tuple[int, int]:
    """An amount that goes back as it can be paid in coins, and what that adds to it (may be negative), minor units.

    Only what goes back in cash is rounded, as sales in cash are (`samlad.payments.rules.round_cash`), and never beyond
    ``most``. ``unpaid`` is what the goods are worth beyond what there is to give back: less than a coin, it is the
    rounding of the sale or of what went back before, which comes off too.
    """
    parts = spread_refund(gives_back, known) or []
    if not any(payment.provider == "cash" for payment in known) or coin.step == 1:
        return gives_back, 0
    off = -unpaid if 0 < unpaid < coin.step else 0
    is_mixed = coin.is_whole_only and any(payment.provider != "cash" for payment in known)
    if not parts or parts[-1][0].provider != "cash" or is_mixed:
        return gives_back, off
    payment, part = parts[-1]
    paid = min(round_cash(part, coin), payment.refundable, part + most - gives_back)
    return gives_back + paid - part, off + paid - part


def rounded(amount: int, sale: UUID) -> OrderLine:
    """The line by which what goes back in cash is more (less) than its goods are worth. It bears no tax."""
    return OrderLine(
        position=1,
        kind=LineKind.ADJUSTMENT,
        title=ROUNDING,
        quantity=1,
        unit_price=-amount,
        total=-amount,
        returns=sale,
    )


# -- what somebody should know --------------------------------------------------------------------------------------------


def window_notice(line: OrderLine, terms: Terms | None, today: date) -> Notice | None:
    """Whether a line comes back too late."""
    if terms is None or terms.last_day is None or today <= terms.last_day:
        return None
    text = f"“{line.title}” could come back until {terms.last_day.isoformat()} ({terms.days} days)."
    values: dict[str, str | int] = {
        "title": line.title,
        "day": terms.last_day.isoformat(),
        "days": terms.days,
    }
    return Notice(code="window-over", text=text, values=values, position=line.position, needs_override=True)


def limit_notices(*, gives_back: int, goodwill: int, return_limit: int, goodwill_limit: int) -> list[Notice]:
    """Amounts that staff may not decide on their own (minor units; a return limit of 0 is none)."""
    found = []
    if return_limit and gives_back > return_limit:
        text = f"{gives_back} (minor units) is to go back; the limit is {return_limit}."
        amounts_of: dict[str, str | int] = {"amount": gives_back, "limit": return_limit}
        found.append(Notice(code="return-limit", text=text, values=amounts_of, needs_override=True))
    if goodwill > goodwill_limit:
        text = f"{goodwill} (minor units) is given for goods that stay; the limit is {goodwill_limit}."
        amounts_of = {"amount": goodwill, "limit": goodwill_limit}
        found.append(Notice(code="goodwill-limit", text=text, values=amounts_of, needs_override=True))
    return found


NO_RECEIPT_OFTEN = 2
"""So many returns without a receipt in the time that signals look back are pointed out."""
DROP_PERCENT, DROP_DAYS = 10, 14
"""Goods that come back after their price fell by so much in so many days: they may be bought again for less."""
WEIGHTS = {
    "many-returns": 30,
    "high-share": 30,
    "no-receipt": 20,
    "no-receipt-often": 20,
    "other-item": 40,
    "price-drop": 15,
}
"""What each kind of signal counts, once a change: the setting ``signal_score`` is compared with their sum."""


def score(notices: Sequence[Notice]) -> int:
    """What the signals among notices come to."""
    return sum(WEIGHTS.get(code, 0) for code in {notice.code for notice in notices})


def score_notice(notices: Sequence[Notice], limit: int) -> list[Notice]:
    """Where signals come to the limit that a channel sets a manager has to agree; 0: never."""
    found = score(notices)
    if not limit or found < limit:
        return []
    text = f"The signs of misuse come to {found}; from {limit} on a manager agrees."
    values: dict[str, str | int] = {"score": found, "limit": limit}
    return [Notice(code="signal-score", text=text, values=values, needs_override=True)]


def dropped(line: OrderLine, now: int) -> int | None:
    """By how many percent a line's goods cost less now than was paid for one (both as the line is quoted); None if they do
    not, or by so little that nobody would buy again for it."""
    paid = share(line.total if line.tax_included else line.total - line.tax, 1, line.quantity)
    percent = (paid - now) * 100 // paid if paid > 0 else 0
    return percent if percent >= DROP_PERCENT else None


def signals(
    past: Past,
    worth: int,
    *,
    most: int,
    share_percent: int,
    days: int,
    no_receipt: bool = False,
    other: Sequence[tuple[int | None, str]] = (),
    cheaper: Sequence[tuple[OrderLine, int]] = (),
) -> list[Notice]:
    """Signs that returns are misused, each with its reason. They are shown; nothing is refused for them.

    ``most`` returns of a customer within ``days``; ``share_percent`` of what they bought in that time comes back;
    ``other`` are lines (position) with a scanned code that is not what was bought; ``cheaper`` lines whose goods cost so
    many percent less now (`dropped`).
    """
    found = []
    if past.returns >= most:
        text = f"{past.returns} returns of this customer in {days} days."
        found.append(Notice(code="many-returns", text=text, values={"count": past.returns, "days": days}))
    total = past.returned_worth + worth
    if past.returns and past.bought > 0 and total * 100 > share_percent * past.bought:
        percent = total * 100 // past.bought
        text = f"{percent} % of what this customer bought in {days} days comes back."
        found.append(Notice(code="high-share", text=text, values={"percent": percent, "days": days}))
    if no_receipt:
        found.append(Notice(code="no-receipt", text="There is no receipt: nobody knows what was paid."))
    if past.no_receipt >= NO_RECEIPT_OFTEN:
        text = f"{past.no_receipt} returns of this customer without a receipt in {days} days."
        values: dict[str, str | int] = {"count": past.no_receipt, "days": days}
        found.append(Notice(code="no-receipt-often", text=text, values=values))
    for line, percent in cheaper:
        text = f"“{line.title}” costs {percent} % less now than was paid for it."
        told: dict[str, str | int] = {"title": line.title, "percent": percent}
        found.append(Notice(code="price-drop", text=text, values=told, position=line.position))
    found += [
        Notice(
            code="other-item",
            text=f"“{code}” was scanned, which is not what this line sold.",
            values={"code": code},
            position=position,
        )
        for position, code in other
    ]
    return found


# -- the fingerprint ---------------------------------------------------------------------------------------------------------

_FIGURES = ("version", "worth", "refunded", "credited", "to_pay")


def fingerprint(preview: Preview) -> str:
    """What a preview says, in a word: the figures that somebody agreed to and a digest of all the rest."""
    content: dict[str, Any] = msgspec.to_builtins(preview)
    for volatile in ("fingerprint", "notices"):
        content.pop(volatile, None)
    digest = hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:16]
    return ".".join([*(str(getattr(preview, name)) for name in _FIGURES), digest])


def differences(agreed: str, preview: Preview) -> list[dict[str, Any]]:
    """What differs between an agreed fingerprint and what it would be now: figures with what they were and are."""
    if agreed == preview.fingerprint:
        return []
    was, now = agreed.split("."), preview.fingerprint.split(".")
    found = [
        {"what": name, "was": old, "is": new}
        for name, old, new in zip(_FIGURES, was, now, strict=False)
        if old != new
    ]
    return found or [{"what": "lines", "was": was[-1], "is": now[-1]}]
