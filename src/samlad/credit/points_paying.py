"""Paying with points: they are held, and become the store credit that pays in the moment the payment is taken.

A reward says what so many points are worth; it can be had several times in one payment. What the reward is worth more
than the payment stays as store credit. Until then the points are the customer's: a payment that fails gives them back
as what they were.
"""

from uuid import UUID

import msgspec

from samlad.credit import book, events, loyalty, loyalty_store, store, store_credit
from samlad.credit.holds import whose
from samlad.credit.model import POINTS_UNIT, AccountKind, Reward, RewardKind
from samlad.credit.store import Held
from samlad.kernel import log
from samlad.kernel.database import Tx

MOST_TIMES = 1000


class Worth(msgspec.Struct, frozen=True):
    """A reward, how often it can be had now, and how many points and what amount (minor units) that is at the most."""

    reward: Reward
    times: int
    points: int
    amount: int


def worth(rewards: list[Reward], points: int, currency: str) -> list[Worth]:
    """What a member's points pay in a currency, by reward: store credit only, a gift card has a code to be told."""
    found = []
    for reward in rewards:
        times = min(points // reward.points, MOST_TIMES)
        if reward.kind is RewardKind.STORE_CREDIT and reward.currency == currency and times > 0:
            found.append(Worth(reward, times, times * reward.points, times * reward.amount))
    return found


class HeldPoints(msgspec.Struct, frozen=True, kw_only=True):
    """Points that were just held, and what they will be worth (minor units)."""

    held: Held
    points: int
    worth: int


async def hold_points(
    tx: Tx,
    payment: UUID,
    code: str,
    times: int,
    amount: int,
    currency: str,
    customer: UUID | None = None,
) -> HeldPoints | None:
    """Hold points of a customer (`holds.whose`) for a reward so many times; None if they are too few or not worth the amount.

    One conditional statement: a hundred at once never hold more points than there are.

    Raises:
        Forbidden: staff without the permission.
    """
    holder = whose(tx, customer)
    if holder is None or not 1 <= times <= MOST_TIMES:
        return None
    member = await loyalty_store.member_of(tx, holder)
    if member is None:
        return None
    programme = await loyalty_store.programme(tx, member.pool)
    rewards = programme.rewards if programme and programme.is_active else []
    reward = next((one for one in rewards if one.code == code), None)
    if reward is None or reward.kind is not RewardKind.STORE_CREDIT or reward.currency != currency:
        return None
    if reward.amount * times < amount:
        return None
    held = await store.hold_on_credit(
        tx, payment, member.customer, reward.points * times, POINTS_UNIT, AccountKind.POINTS
    )
    if held is None:
        return None
    return HeldPoints(held=held, points=reward.points * times, worth=reward.amount * times)


async def take_points(tx: Tx, payment: UUID, points: int, worth: int, amount: int, currency: str) -> bool:
    """Turn held points into store credit and hold the payment's amount of that; False if they are not held any more, or
    have expired meanwhile. The caller captures it."""
    customer = await tx.value(
        """SELECT a.holder FROM credit_hold h JOIN credit_account a ON a.id = h.account
           WHERE h.payment = $1 AND h.status = 'held' AND a.kind = 'points' ORDER BY a.holder LIMIT 1""",
        payment,
    )
    member = None if customer is None else await loyalty_store.member_of(tx, customer)
    if member is None:
        return False
    await store.release(tx, payment)
    before = await book.lock_person(tx, AccountKind.POINTS, POINTS_UNIT, member.customer)
    if before < points:
        return False
    used = await loyalty.used(tx, member, points, AccountKind.REWARDED)
    reason, key = f"{points} points", f"points:{payment}"
    if not await store_credit.add(tx, member.pool, member.customer, worth, currency, reason, key, used):
        return False
    fact = events.PointsRewarded(
        points=points, balance=before - points, reward="payment", amount=worth, currency=currency
    )
    log.append(tx, fact, subject=member.customer, profile=member.customer)
    return await store.hold_on_credit(tx, payment, member.customer, amount, currency) is not None
