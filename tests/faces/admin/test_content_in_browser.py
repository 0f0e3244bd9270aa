"""Writing a page by keyboard with its preview beside, and how the shop looks then, with and without a network."""

import io
import re

import pytest
from browser import Site
from market import open_market
from PIL import Image
from playwright.async_api import expect

from samlad.content import pictures
from samlad.content.model import PictureInput
from samlad.kernel.settings import Settings

pytestmark = pytest.mark.browser


async def test_a_start_page_is_written_by_keyboard_and_seen(site: Site, settings: Settings) -> None:
    market = await open_market(site.db)
    for number in range(4):
        await market.product(
            title=f"Pan {number}", sku=f"PAN-{number}", handle=f"pan-{number}", category="kok", stock=(3,)
        )
    held = io.BytesIO()
    Image.linear_gradient("L").resize((900, 600)).save(held, "JPEG")
    picture = PictureInput(name="autumn.jpg", content=held.getvalue())
    await site.db.transaction(lambda tx: pictures.add(tx, settings.home, picture))

    page = await site.staff(locale="en")
    await page.goto("/admin/content")
    await site.fine(page)
    await page.get_by_role("button", name="Edit start page").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Start page")
    preview = page.frame_locator("iframe")
    await expect(preview.get_by_role("heading", level=1)).to_have_text("Find something you will keep")
    first = page.locator(".block-edit").first
    await first.locator("summary").first.press("Enter")
    await first.get_by_label("Heading, English").fill("Warm autumn")
    await expect(preview.get_by_role("heading", level=1)).to_have_text("Warm autumn")
    await first.get_by_label(re.compile("^Picture")).select_option(label="autumn.jpg")
    await page.get_by_role("button", name="Picture with text").press("Enter")
    await expect(page.locator(".block-edit")).to_have_count(6)
    await expect(page.locator(".block-edit").last).to_be_focused()
    last = page.locator(".block-edit").last
    await last.get_by_label(re.compile(r"^Text(?!,)")).fill("Vi **lagar**.")
    await last.get_by_label(re.compile("^Picture")).select_option(label="autumn.jpg")
    await last.get_by_role("button", name="Move up").press("Enter")
    await expect(page.locator(".block-edit").nth(4)).to_contain_text("Picture with text")
    await site.fine(page)
    await site.picture(page, "content-editor")
    await page.get_by_role("button", name="Publish", exact=True).press("Enter")
    await expect(page.locator(".page-head .badge")).to_have_text("Published")

    visitor = await site.visitor(width=390, locale="en", service_workers="allow")
    await visitor.goto("/")
    await expect(visitor.get_by_role("heading", level=1)).to_have_text("Warm autumn")
    await site.fine(visitor)
    await site.picture(visitor, "content-start")
    await visitor.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await visitor.goto("/p/pan-1")
    await visitor.goto("/")
    await expect(visitor.locator("[data-last-seen]")).to_have_count(0)
    await visitor.context.set_offline(True)
    await visitor.goto("/search")
    await expect(visitor.get_by_role("heading", level=1)).to_have_text("There is no network just now")
    assert site.complaints == []


async def test_a_brand_is_made_and_its_pages_look_right(site: Site) -> None:
    await open_market(site.db)
    page = await site.staff(locale="en", width=390, scheme="dark")
    await page.goto("/admin/content/brand/web")
    await page.get_by_label("Accent").first.fill("#ffd500")
    preview = page.frame_locator("iframe")
    await expect(preview.get_by_text("would do")).to_be_visible()
    await page.get_by_label("Accent").first.fill("#7a1f4b")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("The shop looks so from now on")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "content-brand")
    for path, name in (("menus", "menus"), ("pictures", "pictures"), ("redirects", "redirects")):
        await page.goto(f"/admin/content/{path}")
        await site.fine(page)
        await site.picture(page, f"content-{name}")
    visitor = await site.visitor(locale="en")
    await visitor.goto("/nothing-here")
    await site.picture(visitor, "content-404")
    await visitor.goto("/")
    await site.fine(visitor)
    await site.picture(visitor, "content-brand-start")
