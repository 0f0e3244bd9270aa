"""Lists and a product in a real browser: the search by keyboard, the way back, pictures closely, the form of a review."""

import re
from uuid import UUID

import pytest
from browser import Site
from market import Market
from playwright.async_api import expect
from test_shop_reviews import bought

from samlad import reviews
from samlad.catalog import size_charts
from samlad.catalog.size_charts import SizeChartInput, SizeRow
from samlad.channels import Resource
from samlad.faces.design.assets import asset
from samlad.kernel.database import Tx
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.reviews import Answer, Decision, ReviewInput

pytestmark = pytest.mark.browser


async def test_finding_looking_and_reviewing_by_keyboard(
    site: Site, market: Market, settings: Settings
) -> None:
    made = await market.product(
        title="Copper kettle",
        handle="kettle",
        category="kok",
        brand="Aurin",
        description="<p>Of copper.</p>",
        options=[{"name": "Size", "values": ["S", "M"]}],
        variants=[{"sku": f"KTL-{size}", "options": {"Size": size}} for size in ("S", "M")],
    )
    await market.put([made.variants[0].id], market.places[0], 9)
    for number in range(20):
        await market.product(
            title=f"Pan {number}", sku=f"PAN{number}", handle=f"pan-{number}", category="kok", stock=(1,)
        )
    order = await bought(market, made.variants[0].id)
    await market.db.transaction(lambda tx: _prepare(tx, market, made.id, order))

    page = await site.visitor(locale="en-GB")
    await page.goto("/c/kok")
    await site.fine(page)
    await site.picture(page, "list")
    await page.get_by_role("link", name="Copper kettle").scroll_into_view_if_needed()
    scrolled = await page.evaluate("scrollY")
    assert scrolled > 100
    await page.get_by_role("link", name="Copper kettle").click()
    await page.wait_for_url("**/p/kettle")
    await page.go_back()
    await expect(page.get_by_role("link", name="Copper kettle")).to_be_in_viewport()

    # The search field is a combobox: the focus stays in it.
    field = page.get_by_role("combobox", name="Search the shop")
    await field.fill("copp")
    await expect(page.get_by_role("option", name="copper", exact=False).first).to_be_visible()
    await site.fine(page)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[role=option][aria-selected=true]")).to_have_count(1)
    await expect(field).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#suggestions [role=option]")).to_have_count(0)
    await field.fill("copper ket")
    await expect(page.get_by_role("option", name="Copper kettle SEK")).to_be_visible()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/p/kettle")

    # Pictures closely, by keyboard.
    await page.locator('[data-gallery="1"]').click()
    await page.locator('[data-gallery="0"]').click()
    await page.locator('[data-gallery="main"]').focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#closely")).to_be_visible()
    await expect(page.locator("#closely [data-place]")).to_have_text("1 / 2")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#closely img")).to_have_attribute("alt", "From the side")
    await page.keyboard.press("+")
    await expect(page.locator("#closely .stage")).to_have_class(re.compile("large"))
    await site.fine(page)
    await page.keyboard.press("Escape")
    await expect(page.locator("#closely")).to_be_hidden()

    await page.get_by_text("Sizes").first.click()
    await page.get_by_label("chest").fill("97")
    await page.get_by_role("button", name="Find my size").press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Take M")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "product")
    await page.set_viewport_size({"width": 390, "height": 900})
    await page.goto("/p/kettle?variant=KTL-M")
    await expect(page.get_by_role("button", name="Tell me")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "sold-out")
    await page.get_by_role("button", name="Helpful").press("Enter")
    await expect(page.get_by_text("1 finds this helpful")).to_be_visible()
    await page.goto("/p/kettle/reviews")
    await site.fine(page)
    await site.picture(page, "reviews")

    await page.goto(f"/order/{Vault.of(settings).sign('storefront.order', order.hex)}")
    await page.get_by_role("link", name="Change your review").click()
    await page.get_by_label("2 stars").check()
    await site.fine(page)
    await site.picture(page, "review")
    await page.get_by_role("button", name="Send the review").click()
    await expect(page.get_by_text("Thank you. We read it")).to_be_visible()
    clerk = await site.staff(width=390, locale="en-GB")
    await clerk.goto("/admin/reviews")
    await site.fine(clerk)
    await site.picture(clerk, "admin-reviews")
    await clerk.get_by_role("link", name="A good kettle").click()
    await site.fine(clerk)
    await site.picture(clerk, "admin-review")
    await clerk.get_by_role("button", name="Show it", exact=True).click()
    await expect(clerk.get_by_text("It is shown.")).to_be_visible()


async def _prepare(tx: Tx, market: Market, product: UUID, order: UUID) -> None:
    """Pictures, a size chart and a review."""
    await tx.execute(
        """INSERT INTO media (id, product, url, alt, position, status)
           SELECT gen_random_uuid(), $1, $2 || '#' || n, a, n, 'ready'
           FROM unnest(ARRAY['From the front', 'From the side']) WITH ORDINALITY AS w (a, n)""",
        product,
        asset("favicon.svg"),
    )
    rows = [SizeRow("S", [[88, 95], [70, 79]]), SizeRow("M", [[96, 103], [80, 89]])]
    chart = SizeChartInput(
        name="Sizes of kettles", measures=["chest", "waist"], rows=rows, products=[product]
    )
    await size_charts.create(tx, market.web.pools[Resource.CATALOGUE], chart)
    said = ReviewInput(
        product=product, stars=4, language="en", title="A good kettle", text="Boils fast.\n\nQuiet."
    )
    made = await reviews.write_for_order(tx, order, said)
    await reviews.decide(tx, made.id, Decision(status="approved"))
    await reviews.answer(tx, made.id, Answer("Thank you, Kim!"))
