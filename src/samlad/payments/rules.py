"""Payments, decided without a database: how cash is rounded, and which payments a refund goes to."""

from collections.abc import Sequence

from samlad.kernel.problems import InvalidInput
from samlad.payments.model import Payment, PaymentInput

CASH_STEPS = {("SEK", None): 100, ("EUR", "NL"): 5}
"""Smallest amount that can be paid in coins, in minor units, by currency and country (None: any country).

Sweden withdrew the 50 öre coin on 2010-09-30 (Riksbank); Dutch shops round cash to five cents since 2004-09-01 and
only cash (De Nederlandsche Bank). Where nothing stands here, cash is paid to the minor unit.
"""


def round_cash(amount: int, currency: str, country: str) -> int:
    """An amount as it can be paid in coins: the nearest multiple of the smallest one, halves away from zero."""
    step = CASH_STEPS.get((currency, None)) or CASH_STEPS.get((currency, country)) or 1
    sign = -1 if amount < 0 else 1
    return sign * ((abs(amount) + step // 2) // step * step)


def due_amounts(
    total: int, inputs: Sequence[PaymentInput], currency: str, country: str
) -> tuple[list[int], int]:
    """What each payment pays, and the rounding that cash adds to the total (minor units, may be negative).

    The payments must come to the total, of which the part that is left for cash is rounded.

    Raises:
        InvalidInput: they come to less or more, or several leave their amount out.
    """
    given = sum(payment.amount for payment in inputs if payment.amount is not None)
    open_ones = [index for index, payment in enumerate(inputs) if payment.amount is None]
    if len(open_ones) > 1:
        raise InvalidInput.at(f"payments/{open_ones[1]}/amount", "only one payment can pay the rest")
    cash = [index for index, payment in enumerate(inputs) if payment.provider == "cash"]
    if len(cash) > 1:
        raise InvalidInput.at(f"payments/{cash[1]}/provider", "all cash is one payment")
    amounts = [payment.amount or 0 for payment in inputs]
    rounding = 0
    if cash:
        exact = total - (given - amounts[cash[0]]) if not open_ones or open_ones == cash else amounts[cash[0]]
        due = round_cash(exact, currency, country)
        rounding = due - exact
        if open_ones == cash:
            amounts[cash[0]] = due
    if open_ones and open_ones != cash:
        amounts[open_ones[0]] = total + rounding - given
    if sum(amounts) != total + rounding:
        raise InvalidInput.at("payments", f"come to {sum(amounts)}, but {total + rounding} is due")
    for index, amount in enumerate(amounts):
        if amount <= 0:
            raise InvalidInput.at(f"payments/{index}/amount", "nothing is left for this one to pay")
    return amounts, rounding


def spread_refund(amount: int, payments: Sequence[Payment]) -> list[tuple[Payment, int]] | None:
    """Which payments give back how much: the latest first. None if they cannot give so much."""
    left, parts = amount, []
    for payment in reversed(payments):
        part = min(left, payment.refundable)
        if part > 0:
            parts.append((payment, part))
            left -= part
    return parts if left == 0 else None
