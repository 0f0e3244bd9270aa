"""What happens when a renewal does not come about: the goods are not there, it is not paid, or something else is wrong."""

from datetime import timedelta
from typing import Any

from samlad.channels import Channel
from samlad.kernel import cards
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import Problem
from samlad.payments import PaymentDeclined
from samlad.stock import SoldOut
from samlad.subscriptions import rules, service, store
from samlad.subscriptions.entering import tell
from samlad.subscriptions.events import (
    RenewalDeclined,
    RenewalFailed,
    RenewalOutOfStock,
    SubscriptionCancelled,
    SubscriptionPaused,
)
from samlad.subscriptions.model import OutOfStock, Status, Subscription

LOOK_AGAIN = timedelta(hours=6)
"""Between two looks for goods that are not there."""
DECLINED, OUT_OF_STOCK = "declined", "out_of_stock"


async def record(tx: Tx, seen: Subscription, channel: Channel, problem: Problem) -> None:
    """Write down why a try came to nothing, and when the next is; nothing if somebody changed it meanwhile."""
    found = await store.lock(tx, seen.id, if_free=True)
    if found is None or found.version != seen.version or found.status is not Status.ACTIVE:
        return
    if isinstance(problem, SoldOut):
        await _out_of_stock(tx, found, channel, problem)
        return
    is_declined = isinstance(problem, PaymentDeclined)
    trouble = DECLINED if is_declined else problem.code
    values = _counted(found, trouble)
    days = channel.setting("subscription_retry_days")
    retry_at = rules.retry_after(values["failed_at"], values["attempts"], days)
    fact = (
        RenewalDeclined(
            number=found.number,
            cycle=found.cycle,
            attempt=values["attempts"],
            reason=str(problem.extra.get("reason", "")),
            retry_at=retry_at,
        )
        if is_declined
        else RenewalFailed(
            number=found.number,
            cycle=found.cycle,
            attempt=values["attempts"],
            problem=problem.code,
            detail=cards.redact(problem.detail)[:500],
            retry_at=retry_at,
        )
    )
    tell(tx, found, fact)
    if retry_at is None:
        await _exhausted(tx, found, channel, trouble)
        return
    await store.update(tx, found.id, values | {"retry_at": retry_at})


def _counted(found: Subscription, trouble: str) -> dict[str, Any]:
    """The tries that failed for one reason; another reason is counted anew."""
    if found.trouble != trouble or found.failed_at is None:
        return {"trouble": trouble, "attempts": 1, "failed_at": now()}
    return {"trouble": trouble, "attempts": found.attempts + 1, "failed_at": found.failed_at}


async def _exhausted(tx: Tx, found: Subscription, channel: Channel, trouble: str) -> None:
    """The last try failed too. What is wrong otherwise than with the payment is never a reason to cancel."""
    values = {"attempts": 0, "failed_at": None, "retry_at": None, "trouble": trouble, "is_wanted_now": False}
    if trouble == DECLINED and channel.setting("subscription_exhausted") == "cancel":
        await store.update(tx, found.id, values | {"status": Status.CANCELLED, "reason": trouble})
        fact = SubscriptionCancelled(number=found.number, cause=DECLINED, reason=trouble, orders=found.orders)
        tell(tx, found, fact)
        return
    await store.update(tx, found.id, values | {"status": Status.PAUSED, "reason": trouble})
    cause = DECLINED if trouble == DECLINED else "problem"
    tell(tx, found, SubscriptionPaused(number=found.number, cause=cause, reason=trouble))


async def _out_of_stock(tx: Tx, found: Subscription, channel: Channel, problem: SoldOut) -> None:
    """By the terms it is skipped, or waits; after so many days it is skipped all the same."""
    values = _counted(found, OUT_OF_STOCK)
    patience = timedelta(days=channel.setting("subscription_stock_days"))
    is_over = now() + LOOK_AGAIN > values["failed_at"] + patience
    is_skipped = found.terms.out_of_stock is OutOfStock.SKIP or is_over
    retry_at = None if is_skipped else now() + LOOK_AGAIN
    fact = RenewalOutOfStock(
        number=found.number,
        cycle=found.cycle,
        attempt=values["attempts"],
        lines=[
            {"variant": str(line.variant), "wanted": line.wanted, "available": line.available}
            for line in problem.lines
        ],
        retry_at=retry_at,
    )
    tell(tx, found, fact)
    if is_skipped:
        await service.skipped(tx, found, channel, OUT_OF_STOCK)
    else:
        await store.update(tx, found.id, values | {"retry_at": retry_at})
