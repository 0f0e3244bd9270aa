"""The rules of a store as a till takes them along: what `static/rules/totals.js` needs to reckon without the server.

Whatever the law or a setting decides is decided here and comes as data with dates: which rate a tax class has from which
day on, the smallest coin, where tax is rounded. What only the server can know is not given and is named in
``undecided``. `docs/decisions/till-rules.md` says why.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad import catalog, delivery, payments, tax
from samlad.catalog import price_scales
from samlad.catalog.price_scales import Scaled
from samlad.catalog.prices import PriceList
from samlad.channels import Channel, Interval, Resource
from samlad.kernel.clock import local_day
from samlad.kernel.database import Database, Tx
from samlad.kernel.money import exponent
from samlad.promotions import Promotion, PromotionStatus, live
from samlad.promotions import store as promotion_store
from samlad.promotions.terms import Combination, Terms, brand_mark
from samlad.stock import Location
from samlad.tax import Buyer, Decision, Rounding, Setup, Territory, engines

FORMAT = 1
AHEAD = timedelta(days=14)
"""Promotions that begin in this time come along: a till may be offline for long."""
NIGHT = timedelta(days=1)
"""Hours of the last day may go over midnight; the till looks at its own clock."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALWAYS_UNDECIDED = ["credit", "gift-cards", "points", "grants", "selling-plans"]
"""What takes the server: money that is kept there, what a customer was shown elsewhere, subscriptions."""


class PackedList(msgspec.Struct, frozen=True, kw_only=True):
    """A price list; moments are milliseconds since 1970 (UTC). ``is_own``: only for this channel."""

    is_own: bool
    customer_group: str | None
    priority: int
    tax_included: bool
    valid_from: int | None
    valid_to: int | None


class PackedPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion that holds in this channel. ``left`` of its budget (minor units), ``uses_left`` of its uses; None: no limit.

    ``is_per_customer``: the server counts how often each customer uses it; whom we know does not get it offline.
    """

    id: UUID
    name: str
    terms: Terms
    priority: int
    combination: Combination
    is_automatic: bool
    is_per_customer: bool
    customer_group: str | None
    first_day: date | None
    last_day: date | None
    weekdays: list[int]
    hours: Interval | None
    left: int | None
    uses_left: int | None


class PackedCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Promotions by the SHA-256 (half of it, hex) of salt and code. ``has_others``: there are codes that only the server knows."""

    salt: str
    promotions: dict[str, UUID]
    has_others: bool


class Span(msgspec.Struct, frozen=True, kw_only=True, rename={"since": "from"}):
    """How a class is taxed from a day on: ``home`` is the rate in prices (basis points)."""

    since: date
    home: int
    decision: Decision


class PackedTax(msgspec.Struct, frozen=True, kw_only=True):
    """Tax of what is handed over in this store; ``classes`` by ``class/goods`` and ``class/service``, spans in order."""

    country: str
    rounding: Rounding
    foreign_price: str
    classes: dict[str, list[Span]]


class RulesPack(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a channel. ``refuses`` says why nothing may be sold offline here, None if it may."""

    format: int
    channel: UUID
    country: str
    currency: str
    exponent: int
    time_zone: str
    prices_include_tax: bool
    cash: payments.Coin
    tax: PackedTax
    price_lists: dict[UUID, PackedList]
    promotions: list[PackedPromotion]
    codes: PackedCodes
    undecided: list[str]
    refuses: str | None


class PackedGood(msgspec.Struct, frozen=True, kw_only=True):
    """A variant for a basket's line; prices as (list, from so many pieces on, minor units), moments in milliseconds."""

    variant: UUID
    product: UUID
    sku: str
    tax_class: str
    is_goods: bool
    is_sold: bool
    sold_from: int | None
    sold_to: int | None
    prices: list[tuple[UUID, int, int]]
    marks: list[str]
    sold_by: catalog.Measure = catalog.Measure.PIECE


class PackedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules need of a part of a set, for sale alone or not: the set is taxed and spread over its parts by it."""

    variant: UUID
    tax_class: str
    is_goods: bool
    prices: list[tuple[UUID, int, int]]


async def rules_pack(reader: Database | Tx, channel: Channel, place: Location, at: datetime) -> RulesPack:
    """The rules of a store as they are at a moment and as far as they are known to change.

    Five statements, and those of what this process keeps (promotions, rates, sites) where that is stale.
    """
    lists = await price_scales.lists_for(reader, channel, at)
    known = await live.of_pool(reader, channel.pools[Resource.PROMOTIONS])
    here = [each for each in known if may_hold(each, channel, at)]
    ids = [each.id for each in here]
    codes = await promotion_store.open_codes(reader, ids)
    salt = str(channel.pools[Resource.PROMOTIONS])
    taxes = await tax.current(reader)
    classes = [each.code for each in await tax.classes(reader)]
    counted = await promotion_store.facts(
        reader, promotion_store.Wanted([], None, [each.id for each in here if each.is_counted])
    )
    packed = [pack_promotion(each, counted.counted.get(each.id)) for each in here]
    has_others = await promotion_store.have_limited_codes(reader, ids)
    is_own = channel.setting("tax_engine") == engines.OWN
    unknown = {
        "per-customer": any(each.is_per_customer for each in packed),
        "limited-codes": has_others,
        "tax-engine": not is_own,
    }
    return RulesPack(
        format=FORMAT,
        channel=channel.id,
        country=channel.country,
        currency=channel.currency,
        exponent=exponent(channel.currency),
        time_zone=channel.time_zone,
        prices_include_tax=bool(channel.setting("prices_include_tax")),
        cash=payments.coin_of(channel, channel.currency),
        tax=pack_tax(channel, taxes, await territory_of(reader, channel, place), classes, at),
        price_lists={each.id: pack_list(each) for each in lists},
        promotions=packed,
        codes=PackedCodes(
            salt=salt,
            promotions={code_key(each.code, salt): each.promotion for each in codes},
            has_others=has_others,
        ),
        undecided=[*ALWAYS_UNDECIDED, *(name for name, is_so in unknown.items() if is_so)],
        refuses=None if is_own or channel.setting("tax_engine_silent") == "own" else "tax-engine",
    )


async def goods_of(
    reader: Database | Tx, channel: Channel, variants: Sequence[UUID], at: datetime
) -> dict[UUID, PackedGood]:
    """What the rules need of some variants of the channel's catalogue. Three statements, none for none."""
    if not variants:
        return {}
    lists = [each.id for each in await price_scales.lists_for(reader, channel, at)]
    found = await price_scales.scaled(reader, channel, lists, variants)
    belongs = await catalog.belonging(reader, [each.product for each in found])
    return {each.variant: pack_good(each, belongs.get(each.product)) for each in found}


async def parts_of(
    reader: Database | Tx, channel: Channel, variants: Sequence[UUID], at: datetime
) -> list[PackedPart]:
    """The same of what is a part of sets. Two statements, none for none."""
    if not variants:
        return []
    lists = [each.id for each in await price_scales.lists_for(reader, channel, at)]
    found = await price_scales.scaled(reader, channel, lists, variants)
    return [pack_part(each) for each in found]


async def territory_of(reader: Database | Tx, channel: Channel, place: Location) -> Territory:
    """Where the store stands, as carts that are handed over there have it."""
    site = (await delivery.current(reader)).by_location.get(place.id)
    if site is not None and site.country:
        return tax.territory(site.country, None, site.postal_code)
    return tax.territory(channel.country)


# -- the same without a database ---------------------------------------------------------------------------------------


def may_hold(promotion: Promotion, channel: Channel, at: datetime) -> bool:
    """Whether a promotion may come to hold in a channel for somebody who was not granted it before."""
    day = local_day(at, channel.time_zone)
    return (
        promotion.status is PromotionStatus.ACTIVE
        and promotion.currency in (None, channel.currency)
        and (promotion.channels is None or channel.id in promotion.channels)
        and (promotion.first_day is None or promotion.first_day <= day + AHEAD)
        and (promotion.last_day is None or promotion.last_day >= day - NIGHT)
    )


def pack_promotion(promotion: Promotion, counted: tuple[int, int] | None = None) -> PackedPromotion:
    """A promotion for a till; ``counted`` is (uses, spent) where that is fresher than what the promotion says."""
    uses, spent = counted or (promotion.uses, promotion.spent)
    return PackedPromotion(
        id=promotion.id,
        name=promotion.name,
        terms=folded(promotion.terms),
        priority=promotion.priority,
        combination=promotion.combination,
        is_automatic=promotion.is_automatic,
        is_per_customer=promotion.each_customer is not None,
        customer_group=promotion.customer_group,
        first_day=promotion.first_day,
        last_day=promotion.last_day,
        weekdays=promotion.weekdays,
        hours=promotion.hours,
        left=None if promotion.budget is None else promotion.budget - spent,
        uses_left=None if promotion.limit_total is None else promotion.limit_total - uses,
    )


def folded(terms: Terms) -> Terms:
    """Terms whose brands are written as marks have them: folding of case is not the same in every language."""
    document = msgspec.to_builtins(terms)
    for goods in _goods_in(document):
        if "brands" in goods:
            goods["brands"] = [brand_mark(brand).removeprefix("brand:") for brand in goods["brands"]]
    return msgspec.convert(document, Terms)


def _goods_in(terms: dict[str, Any]) -> list[dict[str, Any]]:
    effect = terms["effect"]
    chosen = [
        terms.get("goods"),
        effect.get("get_goods"),
        *(part["goods"] for part in effect.get("parts", ())),
    ]
    return [each for each in chosen if isinstance(each, dict)]


def pack_list(price_list: PriceList) -> PackedList:
    """A price list for a till."""
    return PackedList(
        is_own=price_list.channel is not None,
        customer_group=price_list.customer_group,
        priority=price_list.priority,
        tax_included=price_list.tax_included,
        valid_from=milliseconds(price_list.valid_from),
        valid_to=milliseconds(price_list.valid_to),
    )


def pack_good(good: Scaled, belongs: catalog.Belonging | None) -> PackedGood:
    """A variant for a till, with the marks that promotions may ask for."""
    marks: list[str] = []
    if belongs is not None:
        marks += [f"category:{each}" for each in belongs.categories]
        marks += [f"collection:{each}" for each in belongs.collections]
        marks += [brand_mark(belongs.brand)] if belongs.brand else []
    return PackedGood(
        variant=good.variant,
        product=good.product,
        sku=good.sku,
        tax_class=good.tax_class,
        is_goods=good.is_goods,
        is_sold=good.is_sold,
        sold_from=milliseconds(good.sold_from),
        sold_to=milliseconds(good.sold_to),
        prices=good.prices,
        marks=marks,
        sold_by=good.sold_by,
    )


def pack_part(good: Scaled) -> PackedPart:
    """A part of a set for a till."""
    return PackedPart(
        variant=good.variant, tax_class=good.tax_class, is_goods=good.is_goods, prices=good.prices
    )


def pack_tax(
    channel: Channel, setup: Setup, place: Territory, classes: Sequence[str], at: datetime
) -> PackedTax:
    """How each class is taxed when it is handed over at a place, from the day before a moment on for as long as is known."""
    rates, first = setup.rates(channel), local_day(at, channel.time_zone) - timedelta(days=1)
    days = [first, *rates.turns(first)]
    kinds = {"goods": True, "service": False}

    def spans(tax_class: str, *, is_goods: bool) -> list[Span]:
        found: list[Span] = []
        for day in days:
            seller = setup.seller(channel, day)
            decision = tax.decide(
                seller, place, Buyer(), tax_class, day, rates, is_goods=is_goods, is_handed_over=True
            )
            span = Span(since=day, home=tax.home_rate(seller, tax_class, day, rates), decision=decision)
            if not found or msgspec.structs.replace(span, since=found[-1].since) != found[-1]:
                found.append(span)
        return found

    return PackedTax(
        country=channel.country,
        rounding=tax.rounding_of(channel.country, channel.setting("tax_rounding")),
        foreign_price=channel.setting("tax_foreign_price"),
        classes={
            f"{tax_class}/{kind}": spans(tax_class, is_goods=is_goods)
            for tax_class in classes
            for kind, is_goods in kinds.items()
        },
    )


def code_key(code: str, salt: str) -> str:
    """What a till looks a code up by: the first half of SHA-256 over salt and code, hex."""
    return hashlib.sha256(f"{salt}{code}".encode()).hexdigest()[:32]


def milliseconds(moment: datetime | None) -> int | None:
    """Milliseconds since 1970, rounded up: what begins within a millisecond has not begun at it."""
    if moment is None:
        return None
    return -((_EPOCH - moment) // timedelta(milliseconds=1))
