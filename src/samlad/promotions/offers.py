"""What a cart may have: from promotions, grants and goods to what the engine takes. One statement, two or three where
promotions depend on orders or on where goods belong, none where a shop has no promotions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad import catalog, customers
from samlad.channels import Channel, Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Reader
from samlad.promotions import live, store
from samlad.promotions.availability import TRUSTED, Circumstances, why_not
from samlad.promotions.model import Promotion
from samlad.promotions.rules import Line, Offer
from samlad.promotions.store import Facts, HeldGrant
from samlad.promotions.terms import brand_mark


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. ``holders`` are whose grants count: the cart and its customer.

    ``person`` is the customer whose uses and orders limit what they may have; without one, the customer with the
    e-mail address that a guest has given.
    """

    channel: Channel
    holders: Sequence[UUID]
    person: UUID | None = None
    email: str | None = None
    customer_group: str | None = None
    at: datetime | None = None


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the cart for the engine, before it is known what its goods are. Minor units as quoted."""

    variant: UUID
    product: UUID
    price: int
    quantity: int
    per: int = 1


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What a cart may have. ``unavailable`` says by promotion why it may not be had; ``grants`` what was granted."""

    lines: list[Line] = []
    offers: list[Offer] = []
    promotions: dict[UUID, Promotion] = {}
    unavailable: dict[UUID, str] = {}
    grants: dict[UUID, HeldGrant] = {}


NOTHING = Offers()


async def offers(reader: Reader, asking: Asking, goods: Sequence[Goods]) -> Offers:
    """The promotions that may be had now, and the lines as the engine takes them."""
    pool = asking.channel.pools[Resource.PROMOTIONS]
    known = await live.of_pool(reader, pool)
    if not known:
        return NOTHING
    asking = await _recognised(reader, asking, known)
    facts = await _facts(reader, asking, known)
    # Of several grants of one promotion the latest that is not used up counts.
    grants = {each.promotion: each for each in sorted(facts.grants, key=lambda each: not each.is_used_up)}
    trusted = {each.promotion: each.source for each in facts.grants if each.source in TRUSTED}
    circumstances = Circumstances(
        channel=asking.channel.id,
        currency=asking.channel.currency,
        time_zone=asking.channel.time_zone,
        at=asking.at or now(),
        customer_group=asking.customer_group,
        grants={each.promotion: each.source for each in facts.grants} | trusted,
        uses=facts.customer_uses,
        orders=await _orders(reader, asking, known),
    )
    promotions = {each.id: _counted(each, facts.counted) for each in known}
    unavailable = {}
    for each in promotions.values():
        reason = why_not(each, circumstances)
        grant = grants.get(each.id)
        if reason is None and grant is not None and grant.is_used_up:
            reason = "used-up"
        if reason is not None:
            unavailable[each.id] = reason
    available = [each for each in promotions.values() if each.id not in unavailable]
    return Offers(
        lines=await _lines(reader, available, goods),
        offers=[_offer(each) for each in available],
        promotions=promotions,
        unavailable=unavailable,
        grants=grants,
    )


async def _recognised(reader: Reader, asking: Asking, known: Sequence[Promotion]) -> Asking:
    """With the customer whose e-mail address a guest has given, if a limit for each customer may depend on it."""
    if asking.person is not None or asking.email is None:
        return asking
    if all(each.each_customer is None for each in known):
        return asking
    pool = asking.channel.pools[Resource.CUSTOMERS]
    found = await customers.find(reader, pool, customers.PersonInput(email=asking.email))
    return asking if found is None else msgspec.structs.replace(asking, person=found.id)


async def _facts(reader: Reader, asking: Asking, known: Sequence[Promotion]) -> Facts:
    counted = [each.id for each in known if each.is_counted]
    return await store.facts(reader, store.Wanted(asking.holders, asking.person, counted))


async def _orders(reader: Reader, asking: Asking, known: Sequence[Promotion]) -> int:
    if asking.person is None or not any(each.first_order for each in known):
        return 0
    return await customers.orders_of(reader, asking.person)


def _counted(promotion: Promotion, counted: Mapping[UUID, tuple[int, int]]) -> Promotion:
    fresh = counted.get(promotion.id)
    if fresh is None:
        return promotion
    return msgspec.structs.replace(promotion, uses=fresh[0], spent=fresh[1])


def _offer(promotion: Promotion) -> Offer:
    return Offer(
        id=str(promotion.id),
        name=promotion.name,
        terms=promotion.terms,
        priority=promotion.priority,
        combination=promotion.combination,
        left=None if promotion.budget is None else promotion.budget - promotion.spent,
    )


async def _lines(reader: Reader, available: Sequence[Promotion], goods: Sequence[Goods]) -> list[Line]:
    """Lines with the marks of their goods; asks the catalogue only where a promotion speaks of what it knows."""
    if not available:
        return []
    kinds = {
        mark.partition(":")[0] for each in available for part in each.terms.all_goods for mark in part.marks
    }
    belongs: Mapping[UUID, catalog.Belonging] = {}
    if kinds & {"category", "collection", "brand"}:
        belongs = await catalog.belonging(reader, [each.product for each in goods])
    return [
        Line(
            key=str(each.variant),
            price=each.price,
            quantity=each.quantity,
            per=each.per,
            marks=frozenset(
                {f"variant:{each.variant}", f"product:{each.product}", *_marks(belongs.get(each.product))}
            ),
        )
        for each in goods
    ]


def _marks(belonging: catalog.Belonging | None) -> list[str]:
    if belonging is None:
        return []
    marks = [f"category:{each}" for each in belonging.categories]
    marks += [f"collection:{each}" for each in belonging.collections]
    return marks + ([brand_mark(belonging.brand)] if belonging.brand else [])
