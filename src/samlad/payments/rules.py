"""Payments, decided without a database: how cash is rounded, which payments a refund goes to, what an answer changes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from samlad.kernel.problems import InvalidInput
from samlad.payments.model import Outcome, Payment, PaymentInput, PaymentStatus

CASH_STEPS = {("SEK", None): 100, ("EUR", "NL"): 5}
"""Smallest amount that can be paid in coins, in minor units, by currency and country (None: any country).

Sweden withdrew the 50 öre coin on 2010-09-30 (Riksbank); Dutch shops round cash to five cents since 2004-09-01 and
only cash (De Nederlandsche Bank). Where nothing stands here, cash is paid to the minor unit.
"""


def cash_step(currency: str, country: str) -> int:
    """The smallest amount that can be paid in coins, minor units."""
    return CASH_STEPS.get((currency, None)) or CASH_STEPS.get((currency, country)) or 1


def round_cash(amount: int, currency: str, country: str) -> int:
    """An amount as it can be paid in coins: the nearest multiple of the smallest one, halves away from zero."""
    step = cash_step(currency, country)
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


def with_amounts(inputs: Sequence[PaymentInput], claimed: Mapping[UUID, Payment]) -> list[PaymentInput]:
    """The inputs in which payments that were begun before pay what they were begun for.

    Raises:
        InvalidInput: an input names another amount or provider than its payment has, or two name the same one.
    """
    found, seen = [], set()
    for index, given in enumerate(inputs):
        if given.payment is None:
            found.append(given)
            continue
        payment = claimed[given.payment]
        if given.payment in seen:
            raise InvalidInput.at(f"payments/{index}/payment", "is named twice")
        if given.provider != payment.provider:
            raise InvalidInput.at(
                f"payments/{index}/provider", f"the payment was begun with {payment.provider}"
            )
        if given.amount not in (None, payment.amount):
            raise InvalidInput.at(f"payments/{index}/amount", f"the payment was begun for {payment.amount}")
        seen.add(given.payment)
        found.append(msgspec.structs.replace(given, amount=payment.amount))
    return found


_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PENDING: frozenset(
        {PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED, PaymentStatus.VOIDED, PaymentStatus.DECLINED}
    ),
    PaymentStatus.AUTHORIZED: frozenset(
        {PaymentStatus.CAPTURED, PaymentStatus.VOIDED, PaymentStatus.DECLINED}
    ),
    PaymentStatus.DECLINED: frozenset(
        {PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED, PaymentStatus.VOIDED}
    ),
    PaymentStatus.VOIDED: frozenset({PaymentStatus.CAPTURED}),
    PaymentStatus.CAPTURED: frozenset({PaymentStatus.CAPTURED}),
}
"""Where an answer may lead. Answers overtake each other: one that is older than what is known changes nothing. That the
money came in is always believed, also of a payment that was let go; it then goes back."""


def after(payment: Payment, outcome: Outcome) -> Payment:
    """The payment as it stands after a provider's answer; the same one if the answer is nothing new."""
    changed = msgspec.structs.replace(payment, reference=outcome.reference or payment.reference)
    captured = payment.captured
    if outcome.status is PaymentStatus.CAPTURED:
        captured = max(
            captured, min(payment.amount, payment.amount if outcome.captured is None else outcome.captured)
        )
    elif outcome.captured is not None:
        captured = max(captured, min(payment.amount, outcome.captured))
    if outcome.status is payment.status is not PaymentStatus.CAPTURED:
        return msgspec.structs.replace(changed, reason=outcome.reason, captured=captured)
    if outcome.status not in _MOVES[payment.status]:
        return changed
    if payment.status is PaymentStatus.CAPTURED and captured == payment.captured:
        return changed
    return msgspec.structs.replace(changed, status=outcome.status, reason=outcome.reason, captured=captured)


FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(hours=1)


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries without an answer: it doubles from two seconds to an hour, for ever."""
    doublings = min(max(tries - 1, 0), 20)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def patience(age: timedelta) -> timedelta:
    """How long to wait before asking again how a payment stands whose customer is busy: a fifth of its age, five
    seconds to five minutes. Its webhook comes sooner."""
    return min(max(age / 5, timedelta(seconds=5)), timedelta(minutes=5))
