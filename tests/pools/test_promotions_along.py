"""Promotions come along with their codes and promises, and go back."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from goods import build_apart, product
from silo import Silo

from samlad import carts, pools
from samlad.carts import CartView
from samlad.channels import Channel, Resource
from samlad.kernel.database import Database
from samlad.kernel.problems import Conflict
from samlad.promotions import service
from samlad.promotions.model import PromotionInput
from samlad.promotions.renaming_goods import named, renamed
from trade import BUYER, build

NEEDED = (Resource.CATALOGUE, Resource.CUSTOMERS)
OFFERS = Resource.PROMOTIONS
GTIN = "7310865004703"


@pytest.fixture
async def apart(db: Database) -> Silo:
    return await build_apart(await build(db))


async def offer(silo: Silo, channel: Channel, *, codes: tuple[str, ...] = (), **fields: Any) -> UUID:
    data = msgspec.convert(
        {
            "channel": channel.id,
            "name": "Ten off",
            "terms": {"effect": {"kind": "percent", "percent": 1_000}, **fields.pop("terms", {})},
            "is_automatic": not codes,
            "codes": list(codes),
            **fields,
        },
        PromotionInput,
    )
    made = await silo.trade.db.transaction(lambda tx: service.create(tx, data))
    return made.id


async def bought(silo: Silo, channel: Channel, variant: UUID) -> int:
    cart = await silo.trade.cart((variant, 1), channel=channel, **BUYER)
    return (await silo.trade.place(cart.id)).total


async def typed(silo: Silo, cart: UUID, code: str) -> CartView:
    return await silo.trade.db.transaction(lambda tx: carts.add_code(tx, cart, code))


async def test_a_promotion_goes_along_for_its_channel_and_comes_back(apart: Silo) -> None:
    db, web, market = apart.trade.db, apart.trade.web, apart.market
    (theirs,) = await product(apart, web, {"sku": "W", "gtin": GTIN}, price=10_000, quantity=20)
    (ours,) = await product(apart, market, {"sku": "M", "gtin": GTIN}, price=10_000, quantity=20)
    made = await offer(apart, market, terms={"goods": {"variants": [str(ours)]}})
    coded = await offer(apart, market, codes=("MARKET20",))
    was = await db.rows("SELECT to_jsonb(p) - 'version' - 'updated_at' AS row FROM promotion p ORDER BY id")
    assert await bought(apart, market, ours) == 9_000

    await apart.join(*NEEDED)
    goods = await db.value("SELECT terms #>> '{goods,variants,0}' FROM promotion WHERE id = $1", made)
    assert goods == str(theirs)
    assert await bought(apart, market, theirs) == 9_000
    plan = await pools.plan(db, market, OFFERS)
    assert {each.code: each.count for each in plan.findings} == {"promotions": 2}
    await apart.join(OFFERS)
    assert (await bought(apart, market, theirs), await bought(apart, web, theirs)) == (9_000, 10_000)
    cart = await apart.trade.cart((theirs, 1), channel=market, **BUYER)
    await typed(apart, cart.id, "MARKET20")
    assert (
        await db.value("SELECT promotion FROM promotion_grant WHERE holder = $1 AND source = 'code'", cart.id)
        == coded
    )

    shown = await offer(
        apart, web, name="Theirs", codes=("WEB30",), terms={"effect": {"kind": "percent", "percent": 3_000}}
    )
    seen = await apart.trade.cart((theirs, 1), channel=market, **{**BUYER, "email": "mia@example.org"})
    await typed(apart, seen.id, "WEB30")
    await apart.leave(OFFERS, *reversed(NEEDED))
    copy = await db.row(
        "SELECT status, channels, is_automatic FROM promotion WHERE name = 'Theirs' AND id <> $1", shown
    )
    assert copy is not None
    assert (copy["status"], copy["channels"], copy["is_automatic"]) == ("paused", [market.id], False)
    order = await apart.trade.place(seen.id)
    assert order.total < 9_000, "what was shown in a cart stays promised"
    now = await db.rows(
        "SELECT to_jsonb(p) - 'version' - 'updated_at' AS row FROM promotion p WHERE name = 'Ten off' ORDER BY id"
    )
    assert [row["row"] for row in now] == [row["row"] for row in was]
    assert await bought(apart, market, ours) == 9_000
    await apart.trade.agree()


async def test_a_code_that_both_have_stands_in_the_way(apart: Silo) -> None:
    await offer(apart, apart.market, name="Here", codes=("SUMMER",))
    await offer(apart, apart.trade.web, name="There", codes=("SUMMER",))
    await apart.join(*NEEDED)
    first = (await pools.plan(apart.trade.db, apart.market, OFFERS)).findings[0]
    assert (first.code, first.level, first.count) == ("promotions-codes", "blocking", 1)
    assert (first.examples[0].label, first.examples[0].here, first.examples[0].there) == (
        "SUMMER",
        "Here",
        "There",
    )
    with pytest.raises(Conflict, match="plan"):
        await apart.begin(OFFERS)


def test_terms_are_renamed_wherever_goods_are_named() -> None:
    a, b, c = (UUID(int=n) for n in (1, 2, 3))
    terms = {
        "effect": {"kind": "bundle", "parts": [{"goods": {"variants": [str(a), str(c)]}}], "price": 1},
        "goods": {"products": [str(a)], "categories": [str(b)], "brands": ["x"]},
        "gift": {"kind": "gift", "variant": str(a)},
    }
    assert named(terms) == {"variants": {a, c}, "products": {a}, "categories": {b}}
    names = {"variants": {a: [b], c: [b]}, "products": {a: [a, c]}, "categories": {}}
    assert renamed(terms, names) == {
        "effect": {"kind": "bundle", "parts": [{"goods": {"variants": [str(b)]}}], "price": 1},
        "goods": {"products": [str(a), str(c)], "categories": [str(b)], "brands": ["x"]},
        "gift": {"kind": "gift", "variant": str(b)},
    }
    assert renamed(terms, {"variants": {}, "products": {}, "categories": {}}) == terms
