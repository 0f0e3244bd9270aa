"""Payments, decided without a database: how cash is rounded, which payments a refund goes to, what an answer changes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from samlad.kernel.problems import InvalidInput
from samlad.payments.model import Outcome, Payment, PaymentInput, PaymentStatus

COINS = {"SEK": 100, "NOK": 100, "DKK": 50, "CHF": 5, "CZK": 100, "HUF": 500}
"""Smallest coin by currency, in minor units, where it is more than one.

SEK: 50 öre were withdrawn on 2010-09-30 (Riksbank). NOK: 50 øre on 2012-05-01 (Norges Bank). DKK: 25 øre on 2008-10-01
(Danmarks Nationalbank). CHF: 5 Rappen. CZK: 50 haléřů on 2008-08-31 (Česká národní banka). HUF: 1 and 2 forint on
2008-03-01 (act III of 2008).
"""
ROUND_EUROS = frozenset({"BE", "EE", "FI", "LT", "NL", "SK"})
"""Where a total in euros that is paid in cash is rounded to five cents: the Netherlands since 2004-09-01 (as shops do),
Finland since 2002 (890/2000), Belgium since 2019-12-01 (WER VI.7/1), Slovakia since 2022-07-01, Estonia since 2025-01-01,
Lithuania since 2025-05-01. In Ireland and elsewhere it is each shop's choice: the channel setting ``cash_step``."""


def cash_step(currency: str, country: str, setting: int) -> int:
    """The smallest amount that can be paid in coins, minor units: as the setting says, or (0) as the country does."""
    if setting:
        return setting
    return 5 if currency == "EUR" and country in ROUND_EUROS else COINS.get(currency, 1)


def round_cash(amount: int, step: int) -> int:
    """An amount as it can be paid in coins: the nearest multiple of the smallest one, halves away from zero."""
    sign = -1 if amount < 0 else 1
    return sign * ((abs(amount) + step // 2) // step * step)


def due_amounts(total: int, inputs: Sequence[PaymentInput], step: int) -> tuple[list[int], int]:
    """What each payment pays, and the rounding that cash adds to the total (minor units, may be negative).

    ``step`` is the smallest coin (`cash_step`).

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
        due = round_cash(exact, step)
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
