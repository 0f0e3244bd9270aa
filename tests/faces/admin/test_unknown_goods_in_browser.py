"""A manager says which article a till had sold that nobody knew: by keyboard, on a phone as on a desk."""

from uuid import uuid4

import pytest
from browser import Site
from market import Market
from playwright.async_api import expect
from test_till_sale_pages import _sale

from samlad import tills
from samlad.kernel.context import SYSTEM, Context

pytestmark = pytest.mark.browser


async def test_which_article_it_was_is_said_by_keyboard(site: Site, market: Market) -> None:
    await market.product(sku="KETTLE", title="Kittel", stock=(0, 5))
    desk = await tills.desk_of(market.db, SYSTEM, "soder")
    (verdict,) = await tills.record_batch(market.db, Context(actor=SYSTEM), desk, [_sale(uuid4())])
    assert verdict.verdict == "recorded"
    page = await site.staff(width=390)
    await page.goto(f"/admin/till-sales/{verdict.id}")
    await expect(page.get_by_role("heading", name="Which article was it?")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "unknown-goods")
    await page.emulate_media(color_scheme="dark")
    await site.picture(page, "unknown-goods-dark")
    field = page.get_by_label("SKU or GTIN of line 1")
    await field.focus()
    await page.keyboard.type("NOTHING")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Nothing has this code.").first).to_be_visible()
    await site.picture(page, "unknown-goods-error")
    await page.get_by_role("link", name="Nothing has this code.").click()
    await expect(page.get_by_label("SKU or GTIN of line 1")).to_be_focused()
    await page.get_by_label("SKU or GTIN of line 1").fill("KETTLE")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Its stock is right now.")).to_be_visible()
    await expect(page.get_by_role("heading", name="Which article was it?")).to_have_count(0)
    await site.fine(page)
