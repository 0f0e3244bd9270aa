"""What staff do in the admin, in a real browser against a real server: by mouse, by keyboard, in two windows."""

import asyncio
import re
from typing import Literal

import pytest
from browser import Site
from playwright.async_api import Locator, Page, Route, expect

from samlad.access import first_start
from samlad.orders import Order

pytestmark = pytest.mark.browser

PAGES = (
    "/admin", "/admin/orders", "/admin/products", "/admin/stock", "/admin/stock/movements", "/admin/stock/counts", "/admin/stock/transfers",
    "/admin/stock/purchases", "/admin/stock/reorder", "/admin/stock/locations",
    "/admin/stock/receipts/new", "/admin/customers", "/admin/channels", "/admin/channels?view=sharing", "/admin/channels/new", "/admin/staff",
    "/admin/staff/new", "/admin/keys", "/admin/keys/new", "/admin/audit", "/admin/system", "/admin/system/events", "/admin/profile",
    "/admin/search?q=kettle", "/admin/products/new", "/admin/products/import", "/admin/gift-cards", "/admin/gift-cards/new",
    "/admin/loyalty", "/admin/subscriptions", "/admin/selling-plans",
)  # fmt: skip

KEEP_WHAT_IS_HEARD = """
window.heard = [];
document.addEventListener("htmx:sseMessage", (event) => heard.push(JSON.parse(event.detail.data).subject));
"""
ALPINE_RUNS = "document.querySelector('#command')._x_dataStack !== undefined"


async def test_the_first_owner_comes_in_by_the_link_and_again_by_password(site: Site) -> None:
    url = await site.db.transaction(lambda tx: first_start(tx, site.url))
    page = await site.visitor()
    await page.goto(url)
    assert await site.violations(page) == []
    await page.get_by_label("E-mail").fill("kim@example.com")
    await page.get_by_label("Your name").fill("Kim Åberg")
    await page.get_by_label("Password", exact=True).fill("battery staple horse")
    await page.get_by_label("The same password again").fill("battery staple house")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("link", name="The two passwords differ.")).to_be_visible()
    await expect(page.get_by_label("Your name")).to_have_value("Kim Åberg")
    await page.get_by_label("Password", exact=True).fill("battery staple horse")
    await page.get_by_label("The same password again").fill("battery staple horse")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/admin/start")  # the first owner of an empty shop sets it up
    await page.goto("/admin")
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    await page.get_by_text("Your account: Kim Åberg").locator("xpath=..").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out. See you.")).to_be_visible()
    await page.goto("/admin/orders?status=paid")  # a deep link survives the door
    assert await site.violations(page) == []
    await page.get_by_label("E-mail").fill("kim@example.com")
    await page.get_by_label("Password").fill("not the password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("That did not work")).to_be_visible()
    await page.get_by_label("Password").fill("battery staple horse")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/admin/orders\?status=paid$"))
    assert site.complaints == []


async def test_an_order_placed_elsewhere_appears_without_a_reload(site: Site, shop) -> None:
    await shop.buy("MUG-032", 1)
    overview, desk = await site.staff(), await site.staff(name="Malin Berg")
    async with site.before_it_listens(overview, "/admin"), site.before_it_listens(desk, "/admin/orders"):
        await expect(overview.locator("#orders-today .value")).to_have_text("1")
        order = await shop.buy("KTL-150", 1)
    for page in (overview, desk):
        await page.evaluate("window.sameDocument = true")
        await expect(_row(page, order)).to_have_class("arrived")
        assert await page.evaluate("window.sameDocument") is True
    await expect(overview.locator("#orders-today .value")).to_have_text("2")
    assert site.complaints == []


async def test_what_happens_while_the_desk_is_renewed_appears_too(site: Site, shop) -> None:
    desk = await site.staff()
    read, may_come = asyncio.Event(), asyncio.Event()

    async def come_late(route: Route) -> None:
        answer = await route.fetch()
        read.set()
        await may_come.wait()
        await route.fulfill(response=answer)

    await desk.goto("/admin/orders")
    await desk.evaluate(KEEP_WHAT_IS_HEARD)
    await desk.route("**/admin/orders?*", come_late)
    first = await shop.buy("KTL-150", 1)
    await asyncio.wait_for(read.wait(), 30)
    second = await shop.buy("MUG-032", 1)
    await desk.wait_for_function("order => heard.includes(order)", arg=str(second.id))
    may_come.set()
    await expect(_row(desk, first)).to_be_visible()
    await expect(_row(desk, second)).to_have_class("arrived")


def _row(page: Page, order: Order) -> Locator:
    return page.locator(f'tr[data-order="{order.number}"]')


async def test_stock_is_corrected_by_keyboard_and_taken_back(site: Site, shop) -> None:
    page = await site.staff()
    await page.goto("/admin/stock?sku=KTL-150")
    await page.get_by_role("button", name="Correct Copper kettle").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Correct the stock")
    await expect(dialog).to_be_visible()
    assert await site.violations(page) == []
    await expect(dialog.get_by_label("How many are really there?")).to_be_focused()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("10")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Two were in the window")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Booked: -2 pieces. 10 are there now.")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("Taken back.")).to_be_visible()
    await expect(page.locator("tbody tr").first.get_by_text("+2")).to_be_visible()
    assert site.complaints == []


async def test_goods_are_bought_and_received_with_a_scanner(site: Site, shop) -> None:
    await shop.db.rows("UPDATE variant SET gtin = '4006381333931' WHERE sku = 'KTL-150' RETURNING 1")
    page = await site.staff()
    await page.goto("/admin/stock/purchases")
    await page.get_by_role("button", name="New supplier").first.click()
    dialog = page.get_by_role("dialog", name="New supplier")
    await dialog.get_by_label("Name").fill("Bodum")
    await dialog.get_by_label("Code").fill("bodum")
    await dialog.get_by_role("button", name="Save").click()
    await page.get_by_label("For", exact=True).select_option("dc")
    await page.get_by_label("What is to come").fill("KTL-150; 3; 89.50")
    await page.get_by_role("button", name="Write the draft").click()
    await page.get_by_role("button", name="Order it").click()
    await page.get_by_role("dialog", name="Order it?").get_by_role("button", name="Order it").click()
    await expect(page.get_by_text("Ordered. Its goods are expected now.")).to_be_visible()
    assert await site.violations(page) == []
    await expect(page.get_by_label("What came in")).to_be_focused()
    for _ in range(2):  # a scanner types what it reads, and Enter
        await page.keyboard.type("4006381333931")
        await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Book in").click()
    await expect(page.locator(".page-head .badge")).to_have_text("Partly here")
    warehouse, kettle = shop.trade.warehouse.id, shop.variants["KTL-150"]
    phone = await site.staff(width=390)
    for path in (
        f"/admin/stock/locations/{warehouse}",
        f"/admin/stock/levels/{warehouse}/{kettle}",
        page.url,
    ):
        await phone.goto(path)
        assert (await site.violations(phone), await site.overflow(phone)) == ([], 0), path
    assert site.complaints == []


async def test_an_order_is_handed_over(site: Site, shop) -> None:
    order = await shop.buy("MUG-032", 3)
    page = await site.staff()
    await page.goto(f"/admin/orders/{order.id}")
    assert await site.violations(page) == []
    await page.keyboard.press("f")  # its shortcut
    dialog = page.get_by_role("dialog", name="Ship")
    await dialog.get_by_role("button", name="Less").click()
    await dialog.get_by_role("button", name="Ship these").click()
    await expect(page.get_by_text("These have left. The rest waits.")).to_be_visible()
    await expect(page.locator(".page-head .badge")).to_have_text("Partly handed over")
    await page.get_by_role("button", name="Ship").first.click()
    await page.get_by_role("dialog", name="Ship").get_by_role("button", name="Ship these").click()
    await expect(page.locator(".page-head .badge")).to_have_text("Handed over")
    assert site.complaints == []


async def test_the_command_bar_finds_pages_orders_and_goods(site: Site, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    page = await site.staff()
    await page.goto("/admin")
    await _ask(page, "profile")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/admin/profile$"))
    await _ask(page, order.number.lower())
    await expect(page.get_by_role("option", name=order.number)).to_be_visible()
    await page.evaluate(
        """() => { const input = document.querySelector('[role="combobox"]');
                   for (let i = 0; i < 3; i++) input.dispatchEvent(new Event("input", {bubbles: true})) }"""
    )  # asked again before the answer is there
    await page.wait_for_load_state("networkidle")
    await expect(page.get_by_role("option", name=order.number)).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=order.number)).to_be_visible()
    await _ask(page, "coper ketle")  # typing errors are forgiven
    await expect(page.get_by_role("option", name="Copper kettle")).to_be_visible()
    assert await site.violations(page) == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Copper kettle, 1.5 l")).to_be_visible()
    assert site.complaints == []


async def _ask(page: Page, text: str) -> None:
    await page.wait_for_load_state("load")
    await page.wait_for_function(ALPINE_RUNS)  # what is typed before asks nobody
    await page.keyboard.press("Control+K")
    await expect(page.get_by_role("combobox")).to_be_focused()
    await page.keyboard.type(text)
    await expect(page.get_by_role("combobox")).to_have_value(text)


@pytest.mark.slow
@pytest.mark.timeout(900)  # forty pages
async def test_no_page_has_an_accessibility_violation(site: Site, shop) -> None:
    order = await shop.buy("MUG-032", 2)
    await shop.buy("MUG-032", 1, channel=shop.trade.malmo)
    await shop.trade.follow()
    customer = (await shop.db.rows("SELECT id FROM customer"))[0]["id"]
    product = f"/admin/products/{shop.products['KTL-150']}"
    single = (
        f"/admin/orders/{order.id}", f"/admin/customers/{customer}", f"/admin/channels/{shop.trade.malmo.id}",
        *(f"{product}?tab={tab}" for tab in ("details", "variants", "stock", "channels", "languages")),
    )  # fmt: skip
    looks: list[tuple[int, Literal["dark", "light"]]] = [(390, "dark"), (1440, "light")]
    page = await site.staff(width=390, scheme="dark")
    faults = []
    for path in (*PAGES, *single):
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        for width, scheme in looks:  # the first as the page came, the other as it becomes
            await page.set_viewport_size({"width": width, "height": 900})
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            faults += [f"{path} at {width}: {fault}" for fault in await site.violations(page)]
            if excess := await site.overflow(page):
                faults.append(f"{path} at {width}: {excess} px too wide")
        looks.reverse()
    assert faults == []
    assert site.complaints == []


async def test_the_admin_works_without_scripts(site: Site, shop) -> None:
    page = await site.staff(java_script_enabled=False)
    await page.goto("/admin/products/new")
    await page.get_by_label("Title", exact=True).fill("Plain plate")
    await page.get_by_label("SKU").fill("PLT-1")
    await page.get_by_role("button", name="Create product").click()
    await expect(page.get_by_text("The product is there.")).to_be_visible()
    await page.goto("/admin/channels?q=malmo")
    await expect(page.get_by_role("link", name="Malmo")).to_be_visible()


async def test_what_belongs_together_stays_on_one_line_on_a_tablet(site: Site, shop) -> None:
    await shop.buy("MUG-032", 1)
    await shop.trade.follow()
    page = await site.staff(width=768)
    await page.goto("/admin/books")
    dates = page.locator(".toolbar .period label")
    await expect(dates).to_have_count(2)
    tops = await dates.evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert tops[0] == tops[1], "from and to are one line"
    await page.goto("/admin")
    arrow = page.locator("td .change .icon").first
    await expect(arrow).to_be_visible()
    box, around = await arrow.bounding_box(), await page.locator("td .change").first.bounding_box()
    assert box is not None
    assert around is not None
    assert around["height"] < 2 * box["height"] + 8, "the arrow stands beside its words"
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"
    assert await page.locator(".table.cards td").evaluate_all(cut) == []
    await site.fine(page)
    await page.goto(f"/admin/channels/{shop.trade.web.id}")
    await expect(page.get_by_text("Then it is on sale again. Now: 15 minutes.")).to_be_visible()
