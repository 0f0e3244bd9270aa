"""What happens to repeat orders. Amounts in minor units of ``currency``; the subject is the subscription or the plan."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.log import Fact, declare


@declare("selling_plan.created")
class PlanCreated(Fact, frozen=True, kw_only=True):
    """Goods can be bought by a new plan."""

    code: str
    name: str


@declare("selling_plan.changed")
class PlanChanged(Fact, frozen=True, kw_only=True):
    """Something about a plan changed; ``after`` has what it is now. Subscriptions keep their terms."""

    code: str
    after: dict[str, Any]


@declare("subscription.started")
class SubscriptionStarted(Fact, frozen=True, kw_only=True):
    """A customer gets goods again and again; ``origin`` is the order that it began with."""

    number: str
    plan: UUID
    next_on: date
    lines: list[dict[str, Any]]
    origin: UUID | None = None
    needs_payment: bool = False


@declare("subscription.changed")
class SubscriptionChanged(Fact, frozen=True, kw_only=True):
    """What comes, where it goes or how it is paid was changed; ``fields`` names what."""

    number: str
    fields: list[str]
    lines: list[dict[str, Any]] | None = None


@declare("subscription.moved")
class SubscriptionMoved(Fact, frozen=True, kw_only=True):
    """The next order comes on another day; ``once``: those after it keep theirs."""

    number: str
    before: date
    next_on: date
    once: bool


@declare("subscription.skipped", personal=("reason",))
class CycleSkipped(Fact, frozen=True, kw_only=True):
    """An order will not come: somebody does not want it, or (``out_of_stock``) the goods are not there."""

    number: str
    cycle: int
    due_on: date
    next_on: date
    reason: str = ""


@declare("subscription.unskipped")
class CycleUnskipped(Fact, frozen=True, kw_only=True):
    """An order that was skipped comes after all."""

    number: str
    cycle: int
    next_on: date


@declare("subscription.missed")
class CyclesMissed(Fact, frozen=True, kw_only=True):
    """Nothing was ordered on some days: the machine was off, or an order before took so long. They are not made up."""

    number: str
    first: int
    last: int


@declare("subscription.paused", personal=("reason",))
class SubscriptionPaused(Fact, frozen=True, kw_only=True):
    """Nothing is ordered until ``until``, or until somebody says so. ``cause`` is ``asked``, ``declined`` or ``problem``."""

    number: str
    cause: str
    reason: str = ""
    until: date | None = None


@declare("subscription.resumed")
class SubscriptionResumed(Fact, frozen=True, kw_only=True):
    """It goes on; also after it had been cancelled."""

    number: str
    next_on: date
    was: str


@declare("subscription.ending", personal=("reason",))
class SubscriptionEnding(Fact, frozen=True, kw_only=True):
    """It ends with its period, on ``ends_on`` as things are."""

    number: str
    ends_on: date
    reason: str = ""


@declare("subscription.cancelled", personal=("reason",))
class SubscriptionCancelled(Fact, frozen=True, kw_only=True):
    """It is over. ``cause`` is ``asked``, ``period`` (as had been asked for) or ``declined``."""

    number: str
    cause: str
    reason: str = ""
    orders: int


@declare("subscription.upcoming")
class RenewalUpcoming(Fact, frozen=True, kw_only=True):
    """An order comes soon, and what it would come to now without what is not sold (``missing``, variants); ``total`` is
    null when that is all of it."""

    number: str
    cycle: int
    on: date
    changes_until: datetime
    total: int | None
    last_total: int | None
    currency: str
    missing: list[UUID] = msgspec.field(default_factory=list)


@declare("subscription.price_rising")
class PriceRising(Fact, frozen=True, kw_only=True):
    """Prices are higher than at the last order; they hold from orders on ``from_on`` or later. ``lines`` has variant,
    quantity and what one costs ``before`` and ``after`` by the plan."""

    number: str
    from_on: date
    lines: list[dict[str, Any]]
    total: int | None
    last_total: int | None
    currency: str


@declare("subscription.charging")
class RenewalCharging(Fact, frozen=True, kw_only=True):
    """A payment provider was asked; the order is placed when it has answered."""

    number: str
    cycle: int
    payment: UUID
    amount: int
    currency: str


@declare("subscription.renewed")
class SubscriptionRenewed(Fact, frozen=True, kw_only=True):
    """The order of a cycle was placed. ``missing`` has what it lacks: of each variant how many, and whether it is still sold."""

    number: str
    cycle: int
    order: UUID
    order_number: str
    total: int
    currency: str
    next_on: date
    missing: list[dict[str, Any]]


@declare("subscription.payment_failed", personal=("reason",))
class RenewalDeclined(Fact, frozen=True, kw_only=True):
    """A renewal could not be paid. ``retry_at`` is the next try; without one it is paused or cancelled."""

    number: str
    cycle: int
    attempt: int
    reason: str = ""
    retry_at: datetime | None


@declare("subscription.out_of_stock")
class RenewalOutOfStock(Fact, frozen=True, kw_only=True):
    """The goods of a renewal are not there; it is looked again at ``retry_at``."""

    number: str
    cycle: int
    attempt: int
    lines: list[dict[str, Any]]
    retry_at: datetime | None


@declare("subscription.failed")
class RenewalFailed(Fact, frozen=True, kw_only=True):
    """A renewal could not be ordered, and somebody should look why: ``problem`` is its code. ``retry_at`` is the next try."""

    number: str
    cycle: int
    attempt: int
    problem: str
    detail: str
    retry_at: datetime | None
