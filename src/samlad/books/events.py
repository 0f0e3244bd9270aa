"""What happens to the money book. Amounts in minor units of ``currency``."""

from datetime import date
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("till.opened")
class TillOpened(Fact, frozen=True, kw_only=True):
    """A drawer was opened; ``amount`` is what was in it."""

    till: UUID
    location: UUID
    amount: int
    currency: str


@declare("till.moved")
class TillMoved(Fact, frozen=True, kw_only=True):
    """Cash was put into a drawer (above zero) or taken out, for another reason than a sale."""

    till: UUID
    location: UUID
    reason: str
    amount: int
    currency: str


@declare("till.tips_paid")
class TipsPaid(Fact, frozen=True, kw_only=True):
    """Tips were paid out to whom they were given for; ``means``: drawer, bank or wages."""

    location: UUID
    clerk: UUID | None
    amount: int
    currency: str
    means: str


@declare("till.tips_unpaid")
class TipsUnpaid(Fact, frozen=True, kw_only=True):
    """A payout of tips was undone: they are owed again."""

    location: UUID
    clerk: UUID | None
    amount: int
    currency: str
    reason: str


@declare("till.closed")
class TillClosed(Fact, frozen=True, kw_only=True):
    """A drawer was counted: its Z report. ``difference`` is what was there beyond what was expected."""

    till: UUID
    location: UUID
    number: int
    counted: int
    difference: int
    currency: str


@declare("till.amended")
class TillAmended(Fact, frozen=True, kw_only=True):
    """Cash (``amount``, below zero: given back) came to a drawer's Z report after it was counted: a till told of it late."""

    till: UUID
    location: UUID
    number: int
    amount: int
    difference: int
    currency: str


@declare("day.closed")
class DayClosed(Fact, frozen=True, kw_only=True):
    """A location, or a channel without one, has closed a day. What is corrected later is booked on a later day."""

    place: UUID
    place_kind: str
    day: date


@declare("day.reopened")
class DayReopened(Fact, frozen=True, kw_only=True):
    """A closed day takes entries again."""

    place: UUID
    place_kind: str
    day: date
    reason: str


@declare("voucher.reversed")
class VoucherReversed(Fact, frozen=True, kw_only=True):
    """A voucher was taken back by another; both stay in the book."""

    voucher: UUID
    by: UUID
    reason: str
