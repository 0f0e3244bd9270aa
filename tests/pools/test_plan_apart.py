"""A plan says what would be one sum, one cart or another price, also while something else is to be shared first."""

import asyncio
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from browser import Site
from goods import build_apart, product
from playwright.async_api import expect
from silo import Silo, contents
from test_lots_along import bring
from typer.testing import CliRunner

from samlad import carts, customers, pools
from samlad.carts import CartInput, LineInput
from samlad.catalog import Tracking
from samlad.catalog.pairing import DecisionInput, DecisionKind
from samlad.channels import Channel, Resource
from samlad.channels.pooling import Finding
from samlad.cli import app
from samlad.customers import PersonInput
from samlad.kernel.database import Database, Tx
from samlad.promotions import service as promotions_service
from samlad.promotions.model import PromotionInput
from trade import build

GTIN = ("7310865004703", "4006381333931", "5901234123457")


@pytest.fixture
async def apart(db: Database) -> Silo:
    return await build_apart(await build(db))


async def furnish(silo: Silo) -> tuple[UUID, UUID]:
    """The same by GTIN and by SKU at other prices, one that contradicts, and one that only the channel has; the first of each."""
    web, market = silo.trade.web, silo.market
    (theirs,) = await product(silo, web, {"sku": "W-1", "gtin": GTIN[0]}, price=19_900, quantity=5)
    (ours,) = await product(silo, market, {"sku": "M-1", "gtin": GTIN[0]}, price=18_900, quantity=7)
    await product(silo, web, {"sku": "S-2"}, price=9_900, quantity=3)
    await product(silo, market, {"sku": "S-2"}, price=9_900, quantity=4)
    await product(silo, web, {"sku": "X-3", "gtin": GTIN[1]}, quantity=2)
    await product(silo, market, {"sku": "X-3", "gtin": GTIN[2]}, quantity=1)
    await product(silo, market, {"sku": "M-4"}, price=5_000, quantity=6)
    return theirs, ours


async def found(silo: Silo, resource: Resource) -> dict[str, Finding]:
    """The findings of a plan by code, the most important first."""
    plan = await pools.plan(silo.trade.db, await silo.now(), resource)
    assert not plan.is_ready
    return {each.code: each for each in plan.findings}


def shown(finding: Finding) -> list[tuple[str, str, str]]:
    return [(each.label, each.here, each.there) for each in finding.examples]


async def test_stock_and_prices_are_compared_by_what_would_be_the_same(apart: Silo) -> None:
    _, ours = await furnish(apart)
    await apart.sell(ours, 2)
    was = await contents(apart.trade.db)
    stock = await found(apart, Resource.STOCK)
    assert list(stock)[:1] == ["needs-catalogue"]
    assert (stock["stock-both"].count, shown(stock["stock-both"])) == (
        2,
        [("M-1", "5", "5"), ("S-2", "4", "3")],
    )
    contrary = stock["stock-contrary"]
    assert (contrary.count, contrary.level, shown(contrary)) == (1, "warning", [("X-3", "1", "2")])
    assert contrary.examples[0].why == "the same SKU, different GTINs"
    prices = await found(apart, Resource.PRICES)
    assert list(prices)[:1] == ["needs-catalogue"]
    assert shown(prices["prices-change"]) == [("M-1", "18900", "19900")]
    assert shown(prices["prices-gone"]) == [("M-4", "5000", "")]
    assert await contents(apart.trade.db) == was, "a plan writes nothing"

    same = [DecisionInput(sku="X-3", kind=DecisionKind.SAME, twin="X-3")]
    await apart.trade.db.transaction(lambda tx: pools.decide(tx, apart.market.id, same))
    await apart.join(Resource.CATALOGUE)
    plan = await pools.plan(apart.trade.db, await apart.now(), Resource.STOCK)
    then = {each.code: each for each in plan.findings}
    assert (plan.is_ready, then["stock-both"].count) == (True, 3), "those two, and what a person settled"
    assert "stock-contrary" not in then


async def test_lots_that_contradict_are_seen_in_the_plan_of_stock(apart: Silo) -> None:
    (theirs,) = await product(apart, apart.trade.web, {"sku": "W", "gtin": GTIN[0]}, tracking=Tracking.EXPIRY)
    (ours,) = await product(apart, apart.market, {"sku": "M", "gtin": GTIN[0]}, tracking=Tracking.EXPIRY)
    await bring(apart, apart.trade.warehouse, theirs, ("L1", 4, 30), ("L2", 1, 50))
    await bring(apart, apart.depot, ours, ("L1", 5, 40), ("L2", 2, 50))
    stock = await found(apart, Resource.STOCK)
    assert list(stock)[:2] == ["needs-catalogue", "stock-lot-dates"]
    assert (stock["stock-lot-dates"].count, stock["stock-lots-same"].count) == (1, 2)


async def cart_of(silo: Silo, channel: Channel, variant: UUID, **who: str) -> None:
    async def work(tx: Tx) -> None:
        person = await customers.find_or_create(
            tx, channel.pools[Resource.CUSTOMERS], PersonInput(**who), channel=channel.id
        )
        lines = [LineInput(variant=variant, quantity=1)]
        await carts.create(tx, CartInput(channel=channel.id, customer=person.id, lines=lines))

    await silo.trade.db.transaction(work)


async def test_carts_of_one_person_are_seen_and_promotions_too(apart: Silo) -> None:
    theirs, ours = await furnish(apart)
    await cart_of(apart, apart.market, ours, email="Kim@example.org", name="Kim")
    await cart_of(apart, apart.trade.web, theirs, email="kim@example.org")
    await cart_of(apart, apart.market, ours, external_id="7", name="Mia")
    await cart_of(apart, apart.trade.web, theirs, external_id="7", email="mia@example.org")
    await cart_of(apart, apart.market, ours, external_id="8", email="one@example.org")
    await cart_of(apart, apart.trade.web, theirs, external_id="8", email="another@example.org")
    seen = await found(apart, Resource.CARTS)
    assert list(seen)[:2] == ["needs-catalogue", "needs-customers"]
    assert seen["carts"].count == 3
    assert (seen["carts-both"].count, {label for label, _, _ in shown(seen["carts-both"])}) == (
        2,
        {"Kim", "Mia"},
    )

    for channel, name in ((apart.market, "Mine"), (apart.trade.web, "Theirs")):
        offer = {"channel": channel.id, "name": name, "codes": ["SUMMER"], "is_automatic": False,
                 "terms": {"effect": {"kind": "percent", "percent": 1_000}}}  # fmt: skip
        data = msgspec.convert(offer, PromotionInput)
        await apart.trade.db.transaction(lambda tx, made=data: promotions_service.create(tx, made))
    offers = await found(apart, Resource.PROMOTIONS)
    assert list(offers)[:3] == ["needs-catalogue", "needs-customers", "promotions-codes"]
    assert shown(offers["promotions-codes"]) == [("SUMMER", "Mine", "Theirs")]
    assert (offers["promotions"].count, offers["promotions-theirs"].count) == (1, 1)


async def test_the_command_says_it_too(apart: Silo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await furnish(apart)
    monkeypatch.setenv("SAMLAD_DATABASE_URL", apart.trade.db.dsn)
    monkeypatch.setenv("SAMLAD_HOME", str(tmp_path))
    arguments = ["pool", "plan", "market", "stock", "--to", "web"]
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert done.exit_code == 1, "something is in the way"
    assert "Something else is to be shared first" in done.output
    assert "M-1  7 | 5" in done.output


@pytest.mark.browser
async def test_the_page_shows_what_would_be_one_sum_below_what_is_in_the_way(site: Site, apart: Silo) -> None:
    await furnish(apart)
    page = await site.staff(width=390)
    await page.goto(f"/admin/channels/{apart.market.id}/pools/stock")
    findings = page.locator("tr[data-finding]")
    await expect(findings.first).to_contain_text("Something else is to be shared first")
    await expect(page.locator("tr[data-finding=stock-both]")).to_contain_text("M-1: 7 → 5")
    await expect(page.locator("tr[data-finding=stock-contrary]")).to_contain_text("different GTINs")
    await expect(page.get_by_role("button", name="Join now")).to_have_count(0)
    await site.fine(page)
    await site.picture(page, "pool-apart")
    wide = await site.staff(width=1440)
    await wide.goto(f"/admin/channels/{apart.market.id}/pools/prices")
    await expect(wide.locator("tr[data-finding=prices-change]")).to_contain_text("M-1")
    await site.fine(wide)
    await site.picture(wide, "pool-apart-wide")
