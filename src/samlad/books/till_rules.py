"""Drawers, decided without a database: what is in one, what its count comes to, how it is booked."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from samlad.books.model import Entry, TenderDay, TillReason
from samlad.books.rules import Amounts

DENOMINATIONS: dict[str, tuple[int, ...]] = {
    "SEK": (100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100),
    "EUR": (50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "GBP": (5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
    "USD": (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 25, 10, 5, 1),
    "DKK": (50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50),
    "NOK": (100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 100),
    "CHF": (100_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5),
    "PLN": (50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1),
}
"""Notes and coins in use, minor units, the largest first (central banks' lists, 2026)."""


def denominations(currency: str) -> tuple[int, ...]:
    """What there is to count; for other currencies the powers of ten with halves and fifths."""
    return DENOMINATIONS.get(
        currency, tuple(step * 10**power for power in range(5, -1, -1) for step in (5, 2, 1))
    )


def counted(counts: Mapping[str, int]) -> int:
    """What pieces by denomination come to (minor units)."""
    return sum(int(denomination) * pieces for denomination, pieces in counts.items())


def expected(opened_with: int, tenders: Iterable[TenderDay], moved: int) -> int:
    """What should be in a drawer: what it was opened with, cash taken less given back, and what was moved."""
    cash = sum(one.taken - one.given_back for one in tenders if one.tender == "cash")
    return opened_with + cash + moved


_AGAINST = {
    TillReason.CHANGE: "safe",
    TillReason.PETTY_CASH: "petty_cash",
    TillReason.BANK_DEPOSIT: "bank",
    TillReason.CORRECTION: "till_difference",
    TillReason.TIPS: "tips",
}


def moved_target(amount: int, against: str, currency: str, place: tuple[UUID, UUID, str]) -> Amounts:
    """Cash into a drawer (above zero) or out of it; ``place`` is channel, location and its code."""
    channel, location, code = place
    if amount == 0:
        return {}
    return {
        Entry(f"cash:{code}", currency, channel, location, "cash"): amount,
        Entry(against, currency, channel, location): -amount,
    }


def refunded_target(
    amount: int, paid: int, tender: str, currency: str, place: tuple[UUID, UUID, str]
) -> Amounts:
    """Cash out of a drawer for a refund that its payment's tender is booked for; what coins add to it is rounding."""
    channel, location, code = place
    target = {
        Entry(f"cash:{code}", currency, channel, location, "cash"): -paid,
        Entry(f"clearing:{tender}", currency, channel, location, tender): amount,
        Entry("rounding", currency, channel, location): paid - amount,
    }
    return {entry: value for entry, value in target.items() if value}


def tips_target(amount: int, paid: int, means: str, currency: str, place: tuple[UUID, UUID, str]) -> Amounts:
    """A debt to the staff that is paid: out of a drawer what coins can pay (the rest is rounding), by the bank or with the wages
    all of it."""
    channel, location, code = place
    target = {Entry("tips", currency, channel, location): amount}
    if means == "drawer":
        target[Entry(f"cash:{code}", currency, channel, location, "cash")] = -paid
        target[Entry("rounding", currency, channel, location)] = paid - amount
    else:
        target[Entry("bank" if means == "bank" else "wages_payable", currency, channel, location)] = -amount
    return {entry: value for entry, value in target.items() if value}


def against(reason: TillReason) -> str:
    """The purpose that stands against cash that is moved for a reason."""
    return _AGAINST[reason]
