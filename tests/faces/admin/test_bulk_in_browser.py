"""Every list of which many can be picked, by a finger and by the keyboard: what is touched is large enough, and it acts."""

import re
from pathlib import Path

import bulk_rows
import pytest
from browser import Site
from playwright.async_api import Page, expect

import samlad

pytestmark = pytest.mark.browser

LISTS = {
    "products": "/admin/products",
    "promotions": "/admin/promotions",
    "customers": "/admin/customers",
    "conversations": "/admin/conversations?sort=-last_at",
    "orders": "/admin/orders",
    "reviews": "/admin/reviews?state=waiting",
    "questions": "/admin/questions?state=waiting",
    "stock": "/admin/stock",
    "stock_purchases": "/admin/stock/purchases",
    "staff": "/admin/staff",
    "gift_cards": "/admin/gift-cards",
    "mail_bounces": "/admin/mail",
    "inbound_mails": "/admin/conversations/mails",
    "saved_replies": "/admin/conversations/replies",
    "redirects": "/admin/content/redirects",
}
"""By the name of the template."""
ELSEWHERE = {
    "pool_pairs": "needs a channel apart; `test_pair_pages.py` looks at it",
    "segment": "needs a segment with people; `test_segment_pages.py` looks at it",
}
LEAST, LEAST_IN_BAR = 24, 32
"""CSS pixels of what a finger touches (WCAG 2.2, 2.5.8), and of what stands in the bar, where one press changes many rows."""
SMALL = """([least, inBar]) => [...document.querySelectorAll("main [data-picking] :is([data-pick], [data-bulk] :is(button, select, input))")]
    .filter((one) => one.checkVisibility({visibilityProperty: true}))
    .map((one) => [one, one.getBoundingClientRect(), one.matches("[data-pick]") ? least : inBar])
    .filter(([, box, need]) => box.width < need || box.height < need)
    .map(([one, box]) => `${one.tagName} ${one.name} ${one.value}: ${box.width} x ${box.height}`)"""
OVERLAP = """() => {
    const all = [...document.querySelectorAll("main [data-picking] :is(a, button, select, input:not([type=hidden]))")]
        .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.closest("thead")) // which a phone does not show
        .map((one) => [one, one.getBoundingClientRect()]);
    return all.flatMap(([one, a], at) => all.slice(at + 1).filter(([other, b]) => !one.contains(other)
        && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
        .map(([other]) => `${one.outerHTML.slice(0, 90)} and ${other.outerHTML.slice(0, 90)}`)); }"""


def test_every_list_of_which_many_can_be_picked_is_looked_at() -> None:
    folder = Path(samlad.__file__).parent / "faces/admin/templates/admin"
    found = {path.stem for path in folder.glob("*.html") if re.search(r"\bdata-picking\b", path.read_text())}
    assert found == LISTS.keys() | ELSEWHERE.keys()


@pytest.mark.slow
async def test_a_finger_picks_in_every_list(site: Site, shop) -> None:
    await bulk_rows.fill(shop)
    page = await site.staff(width=390, has_touch=True)
    wrong: dict[str, list[object]] = {}
    for name, path in LISTS.items():
        await page.goto(path)
        box = page.locator("main [data-pick]").first
        await box.tap()
        await expect(page.locator("main [data-picked]")).to_have_text("1")
        found = [
            *await page.evaluate(SMALL, [LEAST, LEAST_IN_BAR]),
            *await page.evaluate(OVERLAP),
            *await site.violations(page),
        ]
        if await site.overflow(page):
            found.append("wider than the window")
        if found:
            wrong[name] = found
        await site.picture(page, f"bulk-{name}")
        await page.set_viewport_size({"width": 390, "height": 900})
    assert not wrong, "\n".join(f"{name}: {each}" for name, found in wrong.items() for each in found)
    assert site.complaints == []


async def _undone(page: Page) -> None:
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(page.get_by_text("Taken back.")).to_be_visible()


async def test_many_are_changed_and_taken_back_by_keyboard(site: Site, shop) -> None:
    await bulk_rows.fill(shop)
    page = await site.staff(width=1440, scheme="dark")
    await page.goto("/admin/stock")
    await page.get_by_role("checkbox", name="Select all on this page").press("Space")
    await page.get_by_label("Pieces").fill("6")
    await page.keyboard.press("Enter")
    changed = page.get_by_text(re.compile(r"Changed: \d+\."))
    await expect(changed).to_be_visible()
    assert await shop.db.value("SELECT bool_and(reorder_point = 6) FROM level")
    await site.fine(page)
    await _undone(page)
    assert await shop.db.value("SELECT bool_and(reorder_point IS NULL) FROM level")
    await page.goto("/admin/conversations/mails")
    await page.locator("[data-pick]").first.press("Space")
    await page.get_by_role("button", name="Put them aside").press("Enter")
    await expect(page.get_by_text("Changed: 1.")).to_be_visible()
    await site.fine(page)
    await _undone(page)
    await page.goto("/admin/staff")
    await page.get_by_role("checkbox", name="Select Olivia Owner").press("Space")
    await page.get_by_role("button", name="Shut them out").press("Enter")
    await expect(page.get_by_text("Olivia Owner: Nobody can shut themselves out")).to_be_visible()
    await site.fine(page)
