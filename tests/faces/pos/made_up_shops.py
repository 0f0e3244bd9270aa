"""Shops, rules and baskets made up from a number, with what the server says of them: the vectors of the till's rules.

What the server says is made by its own functions (prices, promotions, tax, cash), in the order in which carts call them.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec

import make_vectors
from samlad import promotions, tax
from samlad.carts import Discount, DiscountKind, discount_rules, pricing, taxing
from samlad.carts.cart_view import _way
from samlad.carts.model import Cart, CartLine, CartPromotion, CartStatus, Delivery, PriceStep
from samlad.carts.taxing import Basis, TaxedCart
from samlad.catalog import Belonging, Measure, Sellable, SetPart
from samlad.catalog.price_rules import Candidate, choose
from samlad.catalog.price_scales import Scaled
from samlad.catalog.prices import PriceList, PriceListKind, PriceListStatus
from samlad.channels import Channel, ChannelKind, ChannelStatus, Interval, OwnValues, Resource
from samlad.kernel.clock import local_day
from samlad.kernel.money import exponent, worth
from samlad.payments import coin_of, round_cash
from samlad.promotions import Promotion, PromotionStatus
from samlad.promotions.availability import Circumstances, why_not
from samlad.promotions.offers import _marks, _offer
from samlad.promotions.rules import Line
from samlad.promotions.terms import Combination, Terms
from samlad.tax import Buyer, Rates, Setup, Territory
from samlad.tax.engines import Good, OwnEngine, Question
from samlad.tax.model import TaxRate
from samlad.tills import rules_pack
from samlad.tills.rules_pack import PackedCodes, RulesPack

VARIANTS = [UUID(each) for each in make_vectors.VARIANTS]
CATEGORY, COLLECTION = UUID(make_vectors.CATEGORY), UUID(make_vectors.COLLECTION)
GROUPS = ["staff", "club"]
CLASSES = ["standard", "food", "books", "zero"]
PLACES = [
    ("SE", "SEK", "Europe/Stockholm"),
    ("NL", "EUR", "Europe/Amsterdam"),
    ("IT", "EUR", "Europe/Rome"),
    ("PL", "PLN", "Europe/Warsaw"),
    ("FI", "EUR", "Europe/Helsinki"),
    ("CH", "CHF", "Europe/Zurich"),
    ("JP", "JPY", "Asia/Tokyo"),
    ("US", "USD", "America/Los_Angeles"),
]
YEAR = datetime(2027, 3, 20, tzinfo=UTC)
"""Vectors are of the fortnight after this: a summer time begins in it."""


class Shop(msgspec.Struct):
    """A store with its rules, as the server has them."""

    channel: Channel
    place: Territory
    setup: Setup
    lists: list[PriceList]
    goods: dict[UUID, tuple[Scaled, Belonging]]
    promotions: list[Promotion]
    coded: set[UUID]
    sets: dict[UUID, dict[UUID, int]]
    """Of those that are sets how many of which parts are in one."""
    pack: RulesPack
    """The rules as a till gets them on the first day."""


def shops(seed: int, count: int) -> Iterator[tuple[Shop, random.Random]]:
    """So many shops, each with dice of its own."""
    for number in range(count):
        dice = random.Random(f"{seed}/{number}")
        yield shop(dice), dice


def shop(dice: random.Random) -> Shop:
    """A store somewhere."""
    country, currency, zone = dice.choice(PLACES)
    channel = Channel(
        id=ids(dice),
        code="store",
        name="Store",
        kind=ChannelKind.STORE,
        parent=None,
        status=ChannelStatus.ACTIVE,
        country=country,
        locale="en",
        currency=currency,
        time_zone=zone,
        opening_hours=None,
        settings={
            "prices_include_tax": dice.random() < 0.8,
            "tax_rounding": dice.choice(["country", "line", "total"]),
            "tax_foreign_price": dice.choice(["gross", "net", "net", "net_if_untaxed"]),
            "tax_scheme": dice.choice(["normal"] * 9 + ["small_business"]),
            "cash_step": dice.choice([0, 0, 1, 5, 20]),
        },
        own=OwnValues(),
        pools={each: ids(dice) for each in Resource},
        version=1,
        created_at=YEAR,
        updated_at=YEAR,
    )
    abroad = dice.choice(PLACES)[0] if dice.random() < 0.4 else country
    rates = [rate for each in {country, abroad} for rate in tax_rates(dice, each)]
    found = [price_list(dice, channel) for _ in range(dice.randint(2, 5))]
    found[0] = msgspec.structs.replace(
        found[0], channel=None, customer_group=None, valid_from=None, valid_to=None
    )
    made = [promotion(dice, channel) for _ in range(dice.randint(1, 7))]
    setup = Setup(shipped=Rates(rates), of_pool={}, registrations={}, schemes={})
    place, coded = tax.territory(abroad), {each.id for each in made if dice.random() < 0.7}
    goods = {each: good(dice, each, found) for each in VARIANTS}
    return Shop(
        channel=channel,
        place=place,
        setup=setup,
        lists=found,
        goods=goods,
        sets=sets_of(random.Random(f"sets of {channel.id}"), goods),
        promotions=made,
        pack=pack(channel, place, setup, found, made, coded),
        coded=coded,
    )


def sets_of(dice: random.Random, goods: dict[UUID, tuple[Scaled, Belonging]]) -> dict[UUID, dict[UUID, int]]:
    """Some of a shop's goods are made of others. Of dice of its own: what the others throw stays as it was."""
    by_piece = [each for each, (scaled, _) in goods.items() if scaled.sold_by is Measure.PIECE]
    some = dice.sample(by_piece, dice.randint(0, len(by_piece) // 3))
    rest = [each for each in by_piece if each not in some]
    return {
        each: dict(
            sorted((part, dice.choice([1, 1, 2, 3, 12])) for part in dice.sample(rest, dice.randint(1, 3)))
        )
        for each in some
        if len(rest) >= 3
    }


def pack(
    channel: Channel,
    place: Territory,
    setup: Setup,
    lists: list[PriceList],
    made: list[Promotion],
    coded: set[UUID],
) -> RulesPack:
    """What `rules_pack.rules_pack` makes of the same in a database."""
    here = [each for each in made if rules_pack.may_hold(each, channel, YEAR)]
    return RulesPack(
        format=rules_pack.FORMAT,
        channel=channel.id,
        country=channel.country,
        currency=channel.currency,
        exponent=exponent(channel.currency),
        time_zone=channel.time_zone,
        prices_include_tax=bool(channel.setting("prices_include_tax")),
        cash=coin_of(channel, channel.currency),
        tax=rules_pack.pack_tax(channel, setup, place, CLASSES, YEAR),
        price_lists={
            each.id: rules_pack.pack_list(each) for each in lists if each.channel in (None, channel.id)
        },
        promotions=[
            rules_pack.pack_promotion(each) for each in here if each.is_automatic or each.id in coded
        ],
        codes=PackedCodes(salt="", promotions={}, has_others=False),
        undecided=[],
        refuses=None,
    )


def ids(dice: random.Random) -> UUID:
    """An id of these dice."""
    return UUID(int=dice.getrandbits(128))


def tax_rates(dice: random.Random, country: str) -> Iterator[TaxRate]:
    """Rates of a country; some change in the fortnight."""
    turn = YEAR.date() + timedelta(days=dice.randint(1, 12))
    for each in CLASSES[:3]:
        spans: list[tuple[date, date | None]] = [(date(2000, 1, 1), None)]
        drawn = dice.random()
        if drawn < 0.25:
            spans = [(date(2000, 1, 1), turn), (turn, None)]
        elif drawn < 0.5:  # a holiday of the tax: for some days, and then as before
            back = turn + timedelta(days=dice.randint(1, 5))
            spans = [(date(2000, 1, 1), turn), (turn, back), (back, None)]
        for first, last in spans:
            bp = dice.choice([0, 550, 600, 810, 900, 1_200, 2_100, 2_500, 2_550, 10_000])
            yield TaxRate(
                id=ids(dice),
                pool=None,
                country=country,
                region="",
                tax_class=each,
                rate_bp=bp,
                category="S" if bp else dice.choice(["Z", "E", "O"]),
                valid_from=first,
                valid_to=last,
                name="Tax",
                version=1,
            )


def moment(dice: random.Random) -> datetime:
    """Some time of the fortnight, often on a full hour."""
    clock = time(dice.randint(0, 23), dice.choice([0, 0, 30, 59]), dice.choice([0, 59]), tzinfo=UTC)
    return datetime.combine(YEAR.date() + timedelta(days=dice.randint(0, 13)), clock)


def price_list(dice: random.Random, channel: Channel) -> PriceList:
    """For everybody or some, now or in some days, here or elsewhere."""
    span = sorted([moment(dice), moment(dice) + timedelta(microseconds=dice.choice([0, 1, 1_500]))])
    return PriceList(
        id=ids(dice),
        pool=channel.pools[Resource.PRICES],
        code="list",
        name="List",
        currency=channel.currency,
        channel=dice.choice([None, None, None, channel.id, UUID(int=1)]),
        customer_group=dice.choice([None, None, *GROUPS]),
        kind=PriceListKind.REGULAR,
        tax_included=dice.random() < 0.8,
        priority=dice.choice([0, 0, 0, 1, -1]),
        valid_from=dice.choice([None, None, span[0]]),
        valid_to=dice.choice([None, None, span[1]]),
        status=PriceListStatus.ACTIVE,
        version=1,
        created_at=YEAR,
        updated_at=YEAR,
    )


def good(dice: random.Random, variant: UUID, lists: list[PriceList]) -> tuple[Scaled, Belonging]:
    """A variant with prices in some lists; two of a shop's can be of one product."""
    product = UUID(int=1_000 + variant.int // 2)
    prices = [
        (each.id, least, dice.choice([0, 1, 99, 995, 1_995, 19_900, dice.randint(1, 90_000), 2**36 + 1]))
        for each in lists
        if dice.random() < 0.8
        for least in dice.sample([1, 1, 3, 10], dice.randint(1, 3))
    ]
    scaled = Scaled(
        variant=variant,
        product=product,
        sku=f"S{variant.int}",
        tax_class=dice.choice(CLASSES),
        is_goods=dice.random() < 0.9,
        is_sold=dice.random() < 0.95,
        sold_from=dice.choice([None, None, None, moment(dice)]),
        sold_to=dice.choice([None, None, None, moment(dice)]),
        prices=list({(list_, least): (list_, least, amount) for list_, least, amount in prices}.values()),
        sold_by=dice.choice([*([Measure.PIECE] * 6), *Measure]),
    )
    return scaled, Belonging(
        product=product,
        brand=dice.choice([None, "Fika", "LAGOM", "Groß"]),
        categories=[CATEGORY] if dice.random() < 0.5 else [],
        collections=[COLLECTION] if dice.random() < 0.5 else [],
    )


def promotion(dice: random.Random, channel: Channel) -> Promotion:
    """Any kind, for anybody, at any time."""
    days = sorted(moment(dice).date() for _ in range(2))
    hours = dice.choice([("09:00", "17:00"), ("18:00", "02:00"), ("00:00", "00:00"), ("10:30", "24:00")])
    terms = make_vectors.terms(dice)
    for goods in [terms["goods"], *(part["goods"] for part in terms["effect"].get("parts", ()))]:
        if "brands" in goods:
            goods["brands"] = [dice.choice(["fika ", "Lagom", "GROSS"])]
    if dice.random() < 0.15:
        terms["effect"] = {"kind": "percent", "percent": 10_000}
    terms["effect"] = {key: value for key, value in terms["effect"].items() if value is not None}
    return Promotion(
        id=ids(dice),
        pool=channel.pools[Resource.PROMOTIONS],
        name="An offer",
        status=dice.choice([PromotionStatus.ACTIVE] * 9 + [PromotionStatus.PAUSED]),
        is_automatic=dice.random() < 0.8,
        channels=dice.choice([None, None, None, [channel.id], [UUID(int=1)]]),
        customer_group=dice.choice([None, None, None, None, None, *GROUPS]),
        first_order=dice.random() < 0.05,
        currency=dice.choice([None, channel.currency, channel.currency, channel.currency, "XTS"]),
        terms=msgspec.convert(terms, Terms),
        priority=dice.choice([0, 0, 0, 1, 2, -1]),
        combination=dice.choice([Combination.ALL, Combination.ALL, Combination.LINE, Combination.NONE]),
        first_day=dice.choice([None, None, None, days[0]]),
        last_day=dice.choice([None, None, None, days[1]]),
        weekdays=dice.choice([[], [], [], [], [], [1, 2, 3, 4, 5], [6, 7]]),
        hours=dice.choice([None, None, None, None, None, Interval(*hours)]),
        limit_total=dice.choice([None, None, None, 5]),
        limit_customer=dice.choice([None, None, None, None, 1]),
        budget=dice.choice([None, None, None, dice.randint(1, 30_000)]),
        uses=dice.choice([0, 4, 5]),
        spent=dice.choice([0, 0, 500]),
        version=1,
        created_at=YEAR,
        updated_at=YEAR,
    )


def discounts(dice: random.Random, variants: list[UUID]) -> list[Discount]:
    """What staff take off by hand, of lines (one of which may be gone) and of the sale."""
    of: list[UUID | None] = [each for each in [*variants, VARIANTS[0]] if dice.random() < 0.1]
    if dice.random() < 0.15:
        of.append(None)
    kinds = [(DiscountKind.PERCENT, [1, 1_000, 3_333, 10_000]), (DiscountKind.AMOUNT, [1, 500, 99_999])]
    kinds_of_lines = [*kinds, (DiscountKind.PRICE, [0, 95, 1_000])]
    made = []
    for each in dict.fromkeys(of):
        kind, values = dice.choice(kinds if each is None else kinds_of_lines)
        most = dice.choice([50, 2_000, 2**50, 2**50])
        value = dice.choice(values)
        made.append(
            Discount(
                id=ids(dice), variant=each, kind=kind, value=value, most=most, reason="By hand", given_at=YEAR
            )
        )
    dice.shuffle(made)
    return made


# -- what the server says ------------------------------------------------------------------------------------------------


def case(dice: random.Random, made: Shop) -> dict[str, Any]:
    """A basket for `totals()` with what the server says of it."""
    at, group = moment(dice), dice.choice([None, None, *GROUPS])
    wanted = {
        each: dice.choice([1, 1, 2, 3, 7, 12])
        if made.goods[each][0].sold_by is Measure.PIECE
        else dice.choice([1, 5, 770, dice.randint(1, 9_999)])
        for each in dice.sample(VARIANTS, dice.randint(0, 6))
    }
    packed = made.pack.promotions
    redeemed = [each.id for each in packed if each.id in made.coded and dice.random() < 0.5]
    used = {
        each.id: {"uses": dice.choice([0, 1]), "spent": dice.choice([0, 300, 20_000])}
        for each in packed
        if dice.random() < 0.2
    }
    is_known = dice.random() < 0.3
    by_hand = discounts(dice, list(wanted))
    basket = {
        "lines": [
            {
                "variant": variant,
                "quantity": quantity,
                "good": msgspec.to_builtins(rules_pack.pack_good(*made.goods[variant]))
                | {
                    "parts": [
                        {"units": units, **msgspec.to_builtins(rules_pack.pack_part(made.goods[part][0]))}
                        for part, units in made.sets.get(variant, {}).items()
                    ]
                },
            }
            for variant, quantity in wanted.items()
        ],
        "customer": is_known,
        "customer_group": group,
        "codes": [{"code": "CODE", "promotion": each} for each in redeemed],
        "used": used,
        "discounts": by_hand,
    }
    return {
        "basket": msgspec.to_builtins(basket, str_keys=True),
        "at": int(at.timestamp() * 1000),
        "expected": says(made, wanted, group, at, redeemed, used, by_hand, is_known=is_known),
    }


def says(
    made: Shop,
    wanted: dict[UUID, int],
    group: str | None,
    at: datetime,
    redeemed: list[UUID],
    used: dict[UUID, dict[str, int]],
    by_hand: list[Discount],
    *,
    is_known: bool,
) -> dict[str, Any]:
    """What the server's own functions say of a basket, as `totals()` answers."""
    channel = made.channel
    sold = {variant: sellable(made, variant, quantity, group, at) for variant, quantity in wanted.items()}
    unavailable, offers = {}, []
    for each in made.promotions:
        counts = used.get(each.id, {"uses": 0, "spent": 0})
        counted = msgspec.structs.replace(
            each, uses=each.uses + counts["uses"], spent=each.spent + counts["spent"]
        )
        reason = why_not(counted, circumstances(made, each, group, at, redeemed, is_known=is_known))
        if reason is None:
            offers.append(_offer(counted))
        else:
            unavailable[str(each.id)] = "offline" if reason in ("once", "first-order") else reason
    lines = [
        Line(
            key=str(variant),
            price=sold[variant].price or 0,
            quantity=quantity,
            per=sold[variant].sold_by.per,
            marks=frozenset(
                {f"variant:{variant}", f"product:{sold[variant].product}", *_marks(made.goods[variant][1])}
            ),
        )
        for variant, quantity in wanted.items()
    ]
    outcome = promotions.apply(lines, offers)
    steps = {
        UUID(key): [PriceStep(promotion=UUID(s.promotion), name=s.name, amount=s.amount) for s in each]
        for key, each in outcome.lines.items()
    }
    per = {variant: each.sold_by.per for variant, each in sold.items()}
    at_list = {each: worth(sold[each].price or 0, quantity, per[each]) for each, quantity in wanted.items()}
    by_line = discount_rules.steps(pricing.left_of(at_list, steps), wanted, by_hand, per)
    for variant, each in by_line.items():
        steps[variant] = [*steps.get(variant, []), *each]
    applied = [
        CartPromotion(
            promotion=UUID(id_), name="An offer", amount=amount, code=None, code_id=None, once=False
        )
        for id_, amount in outcome.applied.items()
    ]
    taxed = with_tax(made, wanted, sold, steps, applied, at)
    due = round_cash(taxed.totals.total, coin_of(channel, channel.currency))
    packed = {str(each.id) for each in made.pack.promotions}
    refused = unavailable | outcome.refused
    return msgspec.to_builtins(
        {
            "lines": [
                line_says(variant, quantity, sold[variant], taxed) for variant, quantity in wanted.items()
            ],
            "promotions": {str(each.promotion): each.amount for each in taxed.promotions},
            "refused": {key: reason for key, reason in refused.items() if key in packed},
            "gifts": outcome.gifts,
            "items": taxed.totals.items,
            "tax": taxed.totals.tax,
            "reduced": taxed.totals.reduced,
            "total": taxed.totals.total,
            "cash": {"due": due, "rounding": due - taxed.totals.total},
        }
    )


def circumstances(
    made: Shop, each: Promotion, group: str | None, at: datetime, redeemed: list[UUID], *, is_known: bool
) -> Circumstances:
    """Where and when; somebody whom we know may have used whatever is limited for each already."""
    return Circumstances(
        channel=made.channel.id,
        currency=made.channel.currency,
        time_zone=made.channel.time_zone,
        at=at,
        customer_group=group,
        grants=dict.fromkeys(redeemed, "code"),
        uses={each.id: each.each_customer or 0} if is_known else {},
        orders=int(is_known),
    )


def sellable(made: Shop, variant: UUID, quantity: int, group: str | None, at: datetime) -> Sellable:
    """The variant as the statement of `catalog.sellables` finds it."""
    scaled, channel = made.goods[variant][0], made.channel
    lists = {each.id: each for each in made.lists}
    best = choose(
        [
            Candidate(
                price_list=each,
                amount=amount,
                priority=lists[each].priority,
                min_quantity=least,
                channel=lists[each].channel,
                customer_group=lists[each].customer_group,
                valid_from=lists[each].valid_from,
                valid_to=lists[each].valid_to,
            )
            for each, least, amount in scaled.prices
        ],
        channel=channel.id,
        quantity=quantity,
        at=at,
        customer_group=group,
    )
    is_listed = (scaled.sold_from is None or scaled.sold_from <= at) and (
        scaled.sold_to is None or at < scaled.sold_to
    )
    day = local_day(at, channel.time_zone)
    return Sellable(
        variant=variant,
        product=scaled.product,
        sku=scaled.sku,
        title="",
        options="",
        image=None,
        price=None if best is None else best.amount,
        compare_at=None,
        reference_price=None,
        currency=channel.currency,
        tax_included=bool(channel.setting("prices_include_tax"))
        if best is None
        else lists[best.price_list].tax_included,
        tax_rate=made.setup.home_rate(channel, scaled.tax_class, day),
        tax_class=scaled.tax_class,
        is_available=best is not None and scaled.is_sold and is_listed,
        weight=None,
        requires_shipping=scaled.is_goods,
        handle="",
        sold_by=scaled.sold_by,
        parts=tuple(
            SetPart(sellable(made, part, 1, group, at), units)
            for part, units in made.sets.get(variant, {}).items()
        ),
    )


def with_tax(
    made: Shop,
    wanted: dict[UUID, int],
    sold: dict[UUID, Sellable],
    steps: dict[UUID, list[PriceStep]],
    applied: list[CartPromotion],
    at: datetime,
) -> TaxedCart:
    """The cart with its tax, as it is reckoned where goods are handed over."""
    channel, day = made.channel, local_day(at, made.channel.time_zone)
    question = Question(
        seller=made.setup.seller(channel, day),
        place=made.place,
        postal_code=None,
        buyer=Buyer(),
        day=day,
        is_handed_over=True,
        goods=sorted(
            {
                Good(each.tax_class, each.requires_shipping)
                for whole in sold.values()
                for each in [whole, *(part.sold for part in whole.parts)]
            }
        ),
    )
    decisions = OwnEngine(made.setup.rates(channel)).answers(question)
    cart = Cart(
        id=UUID(int=9),
        pool=UUID(int=9),
        channel=channel.id,
        customer=None,
        currency=channel.currency,
        status=CartStatus.OPEN,
        email=None,
        name=None,
        phone=None,
        address=None,
        delivery=Delivery.CARRY_OUT,
        location=UUID(int=9),
        checkout_until=None,
        order_id=None,
        version=1,
        created_at=at,
        updated_at=at,
        lines=[
            CartLine(id=variant, variant=variant, quantity=quantity, unit_price=0)
            for variant, quantity in wanted.items()
        ],
    )
    return taxing.taxed(
        cart,
        channel,
        Basis(decisions=dict(zip(question.goods, decisions, strict=True))),
        sold,
        {variant: (each.price or 0, 0) for variant, each in sold.items()},
        steps,
        (0, []),
        applied,
    )


def line_says(variant: UUID, quantity: int, sold: Sellable, taxed: TaxedCart) -> dict[str, Any]:
    """A line as `totals()` answers it."""
    line, problem = taxed.lines[variant], None
    if sold.price is None:
        problem = "price"
    elif not sold.is_available:
        problem = "not-sold"
    return {
        "variant": variant,
        "quantity": quantity,
        "sold_by": sold.sold_by,
        "unit_price": line.unit_price,
        "tax_included": sold.tax_included,
        "tax_rate": line.decision.rate,
        "tax_category": line.decision.category,
        "tax_treatment": line.decision.treatment,
        "tax_country": line.decision.country,
        "tax_note": line.decision.note,
        "steps": line.steps,
        "problem": problem,
        "net": line.amounts.net,
        "tax": line.amounts.tax,
        "total": line.amounts.total,
        "taxes": [msgspec.to_builtins(_way(*each)) for each in line.taxes],
    }
