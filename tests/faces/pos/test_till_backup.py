"""A till breaks with sales that it had not sent: its backup file goes on at another device; nothing twice, nothing lost."""

import json
from pathlib import Path

import pytest
from browser import Site, comes_true
from market import Market
from playwright.async_api import Page, expect

from samlad import channels, credit, tills
from samlad.channels import ChannelChange
from samlad.credit import IssueInput

TILL = "/pos/soder"


async def _ready(page: Page) -> None:
    await page.goto(TILL)
    await expect(page.locator('[data-store="soder"][data-kept="true"][data-goods="true"]')).to_have_count(1)


async def _scan(page: Page) -> None:
    await page.locator("#code").fill("KETTLE")
    await page.locator("#code").press("Enter")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)


async def _by_card(page: Page) -> str:
    """Pay what is left by card; the sale's id."""
    await page.locator('[data-pay="card"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#done")).to_be_visible()
    sold = await page.locator("#receipt").get_attribute("data-sale")
    await page.locator("#next").click()
    return sold or ""


async def _bring_in(page: Page, file: Path, added: int) -> None:
    await page.locator("#unsent-button").click()
    await page.locator("#import").set_input_files(file)
    await expect(page.locator("#said")).to_contain_text(f": {added}")


@pytest.mark.browser
@pytest.mark.slow
async def test_a_backup_goes_on_at_another_device(site: Site, market: Market, tmp_path: Path) -> None:
    await market.product(title="Kittel", sku="KETTLE", price=19_900, stock=(9, 0))
    channel, place = market.stores[0], market.places[0]
    limit = ChannelChange(settings={"till_gift_card_limit": 5_000})
    await market.db.transaction(lambda tx: channels.change(tx, channel.id, limit))
    given = IssueInput(channel=channel.id, amount=30_000, note="Given")
    made = await market.db.transaction(lambda tx: credit.issue(tx, given))
    await market.db.transaction(lambda tx: tills.note_card(tx, made.card.id, place.id))
    first = await site.staff(service_workers="allow")
    await _ready(first)
    await comes_true(
        first,
        """async () => {
            const { meta, open } = await import("/static/pos/offline/database.js");
            return (await meta(await open("soder"), "day"))?.cards.length === 1;
        }""",
    )
    await first.context.set_offline(True)
    await expect(first.locator("[data-till][data-ready]")).to_have_count(1)
    # Of the card that was looked up here the store's limit is taken, the rest by another card.
    await _scan(first)
    await first.locator('[data-act="gift"]').click()
    await first.locator("#panel-code").fill(made.code[:-1] + ("2" if made.code[-1] != "2" else "3"))
    await first.locator("#panel-act").click()
    await expect(first.locator("#panel-wrong")).to_contain_text("no code of a gift card")
    await first.locator("#panel-code").fill(made.code.lower())
    await site.fine(first)
    await first.locator("#panel-act").click()
    await expect(first.locator("#paid")).to_contain_text("50")
    sold = {await _by_card(first)}
    await _scan(first)
    await first.locator('[data-act="gift"]').click()
    await first.locator("#panel-code").fill(made.code)
    await first.locator("#panel-act").click()
    await expect(first.locator("#panel-wrong")).to_contain_text("Nothing more can be taken")
    await first.locator("#panel [data-close]").first.click()
    sold.add(await _by_card(first))
    await first.locator("#unsent-button").click()
    async with first.expect_download() as loading:
        await first.locator("#export").click()
    file = tmp_path / "till.json"
    await (await loading.value).save_as(file)
    assert {each["id"] for each in json.loads(file.read_text())["sales"]} == sold
    # Another device brings them in, twice, and sells something itself.
    second = await site.staff(service_workers="allow")
    await _ready(second)
    await second.goto(f"{TILL}/offline")
    await expect(second.locator("[data-till][data-ready]")).to_have_count(1)
    await _bring_in(second, file, 2)
    await _bring_in(second, file, 0)
    await expect(second.locator("#unsent")).to_have_attribute("data-unsent", "0")
    await _scan(second)
    sold.add(await _by_card(second))
    await expect(second.locator("#unsent")).to_have_attribute("data-unsent", "0")
    # The first one comes back to life and sends what it has.
    await first.locator("#journal [data-close]").first.click()
    await first.context.set_offline(False)
    await expect(first.locator("#unsent")).to_have_attribute("data-unsent", "0")
    rows = await market.db.rows("SELECT id::text, till_id, order_id, objections FROM till_sale")
    assert {row["id"] for row in rows} == sold
    assert len({row["order_id"] for row in rows} - {None}) == 3
    assert len({row["till_id"] for row in rows}) == 2  # what was brought in is still the first one's
    assert all(row["objections"] == [] for row in rows)
    assert await market.db.value("SELECT count(*) FROM till_gap WHERE came_at IS NULL") == 0
    card = await credit.find(market.db, made.code)
    assert card is not None
    assert card.balance == 25_000
