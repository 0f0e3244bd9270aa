"""How carts, customers and visitors come to promotions, and orders use them. The callers have opened cart and order.

The ledger of grants is what makes a promotion that somebody was shown theirs on every channel: a grant has a holder
(a visitor's browser, a cart, a customer), and is handed on when a visitor begins a cart, when a cart turns out to be
a customer's, when one cart goes into another.
"""

from collections.abc import Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.problems import NotFound
from samlad.promotions import events, store, uses_store
from samlad.promotions.availability import when_not
from samlad.promotions.model import BadCode, GrantSource, HolderKind, Link, Promotion, PromotionGone
from samlad.promotions.service import normal

Holder = tuple[UUID, HolderKind]


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """That an order has a promotion: ``amount`` is taken off (minor units); ``code`` is the id of the code."""

    promotion: UUID
    name: str
    amount: int
    code: UUID | None = None


async def redeem(tx: Tx, text: str, holders: Sequence[Holder], channel: Channel) -> Promotion:
    """Give holders what a code is for. Typed twice it is given once.

    Raises:
        BadCode: no such code, or it cannot be used here and now; says why.
    """
    code = normal(text)
    found = await store.code(tx, channel.pools[Resource.PROMOTIONS], code)
    if found is None:
        raise BadCode("There is no such code.", reason="unknown", code_typed=code)
    promotion = await store.get(tx, found.promotion)
    assert promotion is not None
    reason = refusal(promotion, channel)
    if reason is None and found.is_used_up:
        reason = "used-up"
    if reason is not None:
        raise BadCode(_SAID[reason], reason=reason, code_typed=code, promotion=promotion.name)
    await _grant(tx, promotion, holders, GrantSource.CODE, channel, code=found.id)
    return promotion


_SAID = {
    "not-yet": "This code is not valid yet.",
    "ended": "This code is no longer valid.",
    "used-up": "This code has been used up.",
    "elsewhere": "This code is not for this shop.",
}


def refusal(promotion: Promotion, channel: Channel) -> str | None:
    """Why nobody gets a promotion anew in a channel, None if they do. Hours may be those of later."""
    reason = when_not(promotion, now().astimezone(ZoneInfo(channel.time_zone)))
    if reason in ("not-yet", "ended"):
        return reason
    if promotion.status != "active":
        return "ended"
    if promotion.channels is not None and channel.id not in promotion.channels:
        return "elsewhere"
    is_over = promotion.limit_total is not None and promotion.uses >= promotion.limit_total
    is_spent = promotion.budget is not None and promotion.spent >= promotion.budget
    return "used-up" if is_over or is_spent else None


async def drop_code(tx: Tx, text: str, holders: Sequence[Holder], channel: Channel) -> None:
    """Take a code out again. What the promotion was granted by otherwise stays.

    Raises:
        NotFound: the code is not there.
    """
    found = await store.code(tx, channel.pools[Resource.PROMOTIONS], normal(text))
    if found is None or not await store.drop_code(tx, [holder for holder, _ in holders], found.id):
        raise NotFound("There is no such code in this cart.")


async def follow(
    tx: Tx, token: str, holders: Sequence[Holder], channel: Channel
) -> tuple[Link, Promotion, str | None]:
    """Give holders what a link is for, if it can be had; the link, its promotion, and why it cannot be had.

    Raises:
        NotFound: there is no such link, or it is of another shop.
    """
    link = await store.link(tx, token)
    promotion = None if link is None else await store.get(tx, link.promotion)
    if link is None or promotion is None or promotion.pool != channel.pools[Resource.PROMOTIONS]:
        raise NotFound("There is no such offer.")
    reason = refusal(promotion, channel)
    if reason is None:
        await _grant(tx, promotion, holders, GrantSource.LINK, channel)
    return link, promotion, reason


async def show(tx: Tx, promotions: Sequence[UUID], holders: Sequence[Holder]) -> None:
    """Somebody was shown promotions in a cart: from now on they are theirs. The ledger says so; no event does."""
    await store.grant(tx, holders, promotions, GrantSource.SHOWN)


def show_later(tx: Tx, promotions: Sequence[UUID], holders: Sequence[Holder]) -> None:
    """The same, with the last statement of the transaction."""
    store.grant_later(tx, holders, promotions, GrantSource.SHOWN)


async def hand_on(tx: Tx, giver: UUID, taker: UUID, kind: HolderKind) -> None:
    """What one holder may have another may have too: visitor to cart, cart to customer, cart to cart."""
    await store.hand_on(tx, giver, taker, kind)


async def use(
    tx: Tx,
    order: UUID,
    uses: Sequence[Use],
    *,
    channel: Channel,
    customer: UUID | None,
    stands: bool,
) -> None:
    """Count the promotions that an order has. One statement, exact however many try at once.

    ``stands``: they were agreed to in a checkout that has not run out, so that one that has ended since still holds.

    Raises:
        PromotionGone: one has ended or is used up, in all or by this customer; nothing is counted then.
    """
    if not uses:
        return
    wanted = uses_store.Uses(
        order=order,
        uses=[(each.promotion, each.amount, each.code) for each in uses],
        customer=customer,
        stands=stands,
        today=local_day(now(), channel.time_zone),
    )
    told = await uses_store.use(tx, wanted)
    gone = [
        {"promotion": str(each.id), "name": each.name, "reason": each.reason} for each in told if each.reason
    ]
    if gone:
        names = ", ".join(f"“{each['name']}”" for each in gone)
        raise PromotionGone(f"This cannot be had any more: {names}.", promotions=gone)
    fact = events.PromotionsUsed(
        order=order,
        promotions=[{"id": str(u.promotion), "name": u.name, "amount": u.amount} for u in uses],
    )
    log.append(tx, fact, subject=order, channel=channel.id, profile=customer)


async def note(
    tx: Tx, order: UUID, uses: Sequence[Use], *, channel: Channel, customer: UUID | None
) -> list[Use]:
    """Count the promotions, all of them known, of a sale that has happened without us: nothing is refused any more.
    Those that are over their limit or budget by it."""
    if not uses:
        return []
    is_over = await uses_store.note(tx, order, [(each.promotion, each.amount) for each in uses])
    fact = events.PromotionsUsed(
        order=order,
        promotions=[{"id": str(u.promotion), "name": u.name, "amount": u.amount} for u in uses],
    )
    log.append(tx, fact, subject=order, channel=channel.id, profile=customer)
    return [each for each in uses if is_over[each.promotion]]


async def release(tx: Tx, order: UUID, *, channel: UUID) -> None:
    """A cancelled order gives back its uses: limits and budgets have room again. Twice is once."""
    released = await uses_store.release(tx, order)
    if released:
        log.append(
            tx, events.PromotionsReleased(order=order, promotions=released), subject=order, channel=channel
        )


async def _grant(
    tx: Tx,
    promotion: Promotion,
    holders: Sequence[Holder],
    source: GrantSource,
    channel: Channel,
    *,
    code: UUID | None = None,
) -> None:
    kinds = dict(holders)
    for holder, _ in await store.grant(tx, holders, [promotion.id], source, code):
        kind = kinds[holder]
        fact = events.PromotionGranted(name=promotion.name, source=source, holder=holder, kind=kind)
        profile = holder if kind is HolderKind.CUSTOMER else None
        log.append(tx, fact, subject=promotion.id, channel=channel.id, profile=profile)
