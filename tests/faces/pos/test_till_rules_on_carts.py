"""The till's rules against real carts: the rules and goods that a store's till gets from the database, and what the server
says of hundreds of tickets in that database."""

import json
import random
from typing import Any
from uuid import UUID

import msgspec
from test_till_rules import reckoned

import make_vectors
from samlad import carts, catalog, channels, customers, orders, stock
from samlad.carts import CartInput, CartView, LineInput
from samlad.catalog import prices
from samlad.catalog.prices import PriceListInput, PriceSetting
from samlad.channels import Channel, ChannelChange, Resource
from samlad.customers import PersonInput
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.orders import LineKind, PlaceOrder
from samlad.payments import PaymentInput
from samlad.promotions import BadCode, live, service
from samlad.promotions.model import PromotionInput
from samlad.tills.rules_pack import RulesPack, goods_of, parts_of, rules_pack
from trade import Trade, build

ROUNDS, TICKETS, SOLD = 4, 60, 12
GROUP = "club"


async def test_real_tickets_come_to_the_same_at_the_till(db: Database) -> None:
    trade, dice = await build(db), random.Random(20261126)
    variants = [await trade.kettle(price, 500, trade.at_malmo) for price in (99, 995, 1_995, 4_950, 19_900)]
    variants.append(await trade.set_of(33_333, *zip(variants[:3], (1, 3, 2), strict=True)))
    here = {"category": new_id(), "collection": new_id()}
    await set_up(trade, variants, here)
    member = await club_member(trade)
    cases: list[dict[str, Any]] = []
    last: list[tuple[CartView, dict[str, Any]]] = []
    for number in range(ROUNDS):
        typed = await promotions(trade, dice, variants, here, number)
        for channel, place in ((trade.malmo, trade.at_malmo), (trade.lund, trade.at_lund)):
            pack = await rules_pack(db, channel, place, now())
            goods = await all_goods(db, channel, variants)
            assert set(goods) == {str(each) for each in variants}
            seen = await tickets(trade, dice, channel, variants, typed, member if number % 2 else None)
            cases.append(
                {"kind": "rules", "rules": msgspec.to_builtins(pack, str_keys=True), "expected": None}
            )
            made = [ticket_case(view, who, codes, goods, pack) for view, who, codes in seen]
            cases += made
            if channel is trade.malmo:
                last = [(view, case) for (view, _, _), case in zip(seen, made, strict=True)]
    answers = reckoned(cases)
    said = [
        (case, comparable(answer)) for case, answer in zip(cases, answers, strict=True) if answer is not None
    ]
    wrong = [(case, answer) for case, answer in said if case["expected"] != answer]
    told = [difference(*each) for each in wrong[:3]]
    assert not told, f"{len(wrong)} of {len(said)}"
    assert sum(bool(case["expected"]["promotions"]) for case, _ in said) > len(said) / 4
    assert sum(any(line["taxes"] for line in case["expected"]["lines"]) for case, _ in said) > 20
    assert sum(bool(case["typed"]) for case, _ in said) > 20
    due = {
        id(case): answer["cash"] for case, answer in zip(cases, answers, strict=True) if answer is not None
    }
    await sell(trade, [(view, due[id(case)]) for view, case in last if view.totals.total >= 100][:SOLD])


def difference(case: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What the server and the till say otherwise, for whoever reads a failure."""
    return {key: (said, answer[key]) for key, said in case["expected"].items() if said != answer[key]}


async def set_up(trade: Trade, variants: list[UUID], here: dict[str, UUID]) -> None:
    """Tax classes, brands, a category, a collection; prices by quantity, for a club, in one store; another way to round."""
    pool, price_pool = trade.web.pools[Resource.CATALOGUE], trade.web.pools[Resource.PRICES]
    await trade.db.rows(
        """WITH c AS (INSERT INTO category (id, pool, slug, path, name) VALUES ($1, $3, 'k', 'k', 'K')),
                e AS (INSERT INTO collection (id, pool, handle, name, kind, status)
                      VALUES ($2, $3, 'chosen', 'Chosen', 'manual', 'active')) SELECT 1""",
        here["category"],
        here["collection"],
        pool,
    )
    found = await catalog.by_ids(trade.db, variants)
    for number, variant in enumerate(variants):
        await trade.db.rows(
            "UPDATE product SET tax_class = $2, brand = $3, category = $4 WHERE id = $1 RETURNING 1",
            found[variant].product,
            ["standard", "food", "books"][number % 3],
            ["Fika", "LAGOM"][number % 2],
            here["category"] if number % 2 else None,
        )
        if number > 3:
            await trade.db.rows(
                "INSERT INTO collection_product (collection, product, position) VALUES ($1, $2, $3) RETURNING 1",
                here["collection"],
                found[variant].product,
                number,
            )

    async def work(tx: Tx) -> None:
        lists = [
            PriceListInput(code="club", name="Club", currency="SEK", customer_group=GROUP),
            PriceListInput(code="malmo", name="Here", currency="SEK", channel=trade.malmo.id, priority=1),
            PriceListInput(code="net", name="Net", currency="SEK", tax_included=False, priority=2),
            PriceListInput(code="euro", name="Euro", currency="EUR", priority=9),
        ]
        made = [await prices.create_list(tx, price_pool, each) for each in lists]
        base = next(each for each in await prices.all_lists(tx, price_pool) if each.code == "base")
        await prices.set_prices(
            tx,
            base.id,
            [
                PriceSetting(variant=each, amount=90 + 7 * n, min_quantity=3)
                for n, each in enumerate(variants)
            ],
        )
        for at, each in enumerate(made):
            settings = [
                PriceSetting(variant=v, amount=1_001 + 313 * n) for n, v in enumerate(variants) if n % 4 == at
            ]
            await prices.set_prices(tx, each.id, settings)
        change = ChannelChange(settings={**trade.lund.own.settings, "tax_rounding": "total", "cash_step": 50})
        trade.lund = await channels.change(tx, trade.lund.id, change)

    await trade.db.transaction(work)


async def club_member(trade: Trade) -> UUID:
    wanted = PersonInput(email="kim@example.org", group_name=GROUP)
    pool = trade.web.pools[Resource.CUSTOMERS]
    return (await trade.db.transaction(lambda tx: customers.find_or_create(tx, pool, wanted))).id


async def promotions(
    trade: Trade, dice: random.Random, variants: list[UUID], here: dict[str, UUID], number: int
) -> list[str]:
    """Seven new promotions instead of those before; the codes of some. Even rounds know nobody, limit by customer and channel."""
    real = dict(zip(make_vectors.VARIANTS, map(str, variants), strict=True))
    real |= {make_vectors.CATEGORY: str(here["category"]), make_vectors.COLLECTION: str(here["collection"])}
    typed: list[str] = []

    def one(at: int) -> PromotionInput:
        terms = make_vectors.terms(dice)
        # Products are others than variants; goods by product are in the vectors.
        terms["goods"].pop("products", None)
        text = json.dumps({**terms, "effect": {k: v for k, v in terms["effect"].items() if v is not None}})
        for made_up, id_ in real.items():
            text = text.replace(made_up, id_)
        codes = [f"Code {number}-{at}"] if at >= 5 else []
        typed.extend(codes)
        values = {
            "channel": trade.web.id,
            "name": f"Offer {at}",
            "terms": json.loads(text),
            "is_automatic": not codes,
            "codes": codes,
            "priority": dice.choice([0, 0, 1]),
            "combination": dice.choice(["all", "all", "line", "none"]),
            # Whom we know has elsewhere what they were shown here; a till that is offline cannot know that.
            "channels": dice.choice([None, [trade.malmo.id]]) if number % 2 == 0 else None,
            "currency": "SEK",
            "customer_group": dice.choice([None, None, None, GROUP]),
            "limit_customer": dice.choice([None, 1]) if number % 2 == 0 else None,
            "budget": None if number == ROUNDS - 1 else dice.choice([None, None, 900]),
            "weekdays": dice.choice([[], [], [local_day(now(), trade.web.time_zone).isoweekday()]]),
        }
        return msgspec.convert(msgspec.to_builtins(values), PromotionInput)

    async def work(tx: Tx) -> None:
        await tx.execute("UPDATE promotion SET status = 'ended', version = version + 1")
        for at in range(7):
            await service.create(tx, one(at))
        tx.after_commit(live.forget)

    await trade.db.transaction(work)
    return typed


async def all_goods(db: Database, channel: Channel, variants: list[UUID]) -> dict[str, Any]:
    """What a till knows of them."""
    found = await goods_of(db, channel, variants, now())
    sets = await stock.sets_of(db, channel.pools[Resource.CATALOGUE])
    used = sorted({part for parts in sets.values() for part in parts})
    parts = {each.variant: msgspec.to_builtins(each) for each in await parts_of(db, channel, used, now())}
    made = {
        whole: [{"units": units, **parts[part]} for part, units in of.items()] for whole, of in sets.items()
    }
    return {
        str(each): msgspec.to_builtins(good, str_keys=True) | {"parts": made.get(each, [])}
        for each, good in found.items()
    }


async def tickets(
    trade: Trade,
    dice: random.Random,
    channel: Channel,
    variants: list[UUID],
    typed: list[str],
    member: UUID | None,
) -> list[tuple[CartView, UUID | None, list[str]]]:
    """Real carts of a store, who they are of, and the codes that were typed."""

    async def work(tx: Tx) -> list[tuple[CartView, UUID | None, list[str]]]:
        made: list[tuple[CartView, UUID | None, list[str]]] = []
        for _ in range(TICKETS // 2):
            lines = [
                LineInput(variant=each, quantity=dice.choice([1, 1, 2, 3, 7]))
                for each in dice.sample(variants, dice.randint(1, 5))
            ]
            who = member if dice.random() < 0.4 else None
            view: CartView = await carts.create(tx, CartInput(channel=channel.id, lines=lines, customer=who))
            codes: list[str] = []
            for text in dice.sample(typed, dice.choice([0, 0, 1, 2])) if who is None else []:
                try:
                    view = await carts.add_code(tx, view.id, text.lower())
                    codes.append(text)
                except BadCode:
                    codes.append(text)  # not for this store: the till must find the same
            made.append((view, who, codes))
        return made

    return await trade.db.transaction(work)


def ticket_case(
    view: CartView, who: UUID | None, typed: list[str], goods: dict[str, Any], pack: RulesPack
) -> dict[str, Any]:
    """A ticket for `totals()`, and what the server's cart says."""
    lines = [
        {"variant": str(line.variant), "quantity": line.quantity, "good": goods[str(line.variant)]}
        for line in view.lines
    ]
    fields = "variant quantity sold_by unit_price tax_included tax_rate tax_category tax_treatment tax_country tax_note steps net tax total taxes"
    return {
        "kind": "totals",
        "typed": typed,
        "at": int(now().timestamp() * 1000),
        "basket": {"lines": lines, "customer": who is not None, "customer_group": GROUP if who else None},
        "expected": msgspec.to_builtins(
            {
                "lines": [{name: getattr(line, name) for name in fields.split()} for line in view.lines],
                "promotions": {str(each.promotion): each.amount for each in view.promotions},
                "gifts": sorted([str(each.variant), each.quantity] for each in view.gifts),
                "items": view.totals.items,
                "tax": view.totals.tax,
                "reduced": view.totals.reduced,
                "total": view.totals.total,
            }
        ),
    }


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """What `totals()` says, as far as a cart says it."""
    same = {name: answer[name] for name in ("items", "tax", "reduced", "total")}
    return same | {
        "lines": [
            {k: v for k, v in line.items() if k != "problem"}
            | {"taxes": line["taxes"] if len(line["taxes"]) > 1 else []}
            for line in answer["lines"]
        ],
        "promotions": {each["promotion"]: each["amount"] for each in answer["promotions"]},
        "gifts": sorted([each["variant"], each["quantity"]] for each in answer["gifts"]),
    }


async def sell(trade: Trade, seen: list[tuple[CartView, dict[str, int]]]) -> None:
    """Sold for cash, the order comes to what the till says is due, with the same rounding."""
    assert len(seen) == SOLD
    roundings = set()
    for view, cash in seen:
        paid = [PaymentInput(provider="cash", tendered=cash["due"])]
        placed = PlaceOrder(cart=view.id, payments=paid, total=view.totals.total)
        order = await trade.db.transaction(lambda tx, wanted=placed: orders.place(tx, wanted))
        rounding = sum(line.total for line in order.lines if line.kind is LineKind.ADJUSTMENT)
        assert (order.total, rounding) == (cash["due"], cash["rounding"])
        roundings.add(rounding)
    assert len(roundings) > 3
