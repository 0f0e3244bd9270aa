"""One shop, one till, one last kettle, in a real browser: the phone buys it, the till is told so. Nothing breaks axe."""

import pytest
from browser import Site
from market import Market
from playwright.async_api import expect

from samlad.access.permissions import Role
from samlad.faces import problem_words
from samlad.kernel.i18n import translator

pytestmark = pytest.mark.browser


async def test_the_last_one_is_sold_once_to_a_phone_and_not_at_the_till(site: Site, market: Market) -> None:
    made = await market.product(
        title="Copper kettle", sku="KTL", handle="kettle", category="kok", stock=(1, 0)
    )
    await market.product(title="Mug", sku="MUG", handle="mug", category="kok", stock=(9, 9))
    clerk = await site.staff(Role.STORE, locations=(market.places[0].id,), name="Sam Clerk", locale="en-GB")
    await clerk.goto("/pos")
    await clerk.wait_for_url("**/pos/soder")
    await clerk.keyboard.type("KTL")  # a scanner types into whatever has the focus, and that is the field
    await clerk.keyboard.press("Enter")
    await expect(clerk.locator("#ticket li[data-variant]")).to_have_count(1)
    await expect(clerk.locator("#code")).to_be_focused()
    await clerk.keyboard.type("mu")  # a person types and waits
    await clerk.get_by_role("button", name="Mug").click()
    await expect(clerk.locator("#ticket li[data-variant]")).to_have_count(2)
    await expect(clerk.locator("#code")).to_be_focused()
    await site.fine(clerk)

    await _phone_buys(site, market)
    assert await market.available(made.variants[0].id) == 0

    await expect(clerk.locator("#ticket")).to_contain_text("Sold out here")  # by itself, without a reload
    await clerk.get_by_role("button", name="Remove Copper kettle").click()
    await expect(clerk.locator("#ticket li[data-variant]")).to_have_count(1)
    await expect(clerk.locator("a[data-key=F9]")).to_be_visible()
    await clerk.keyboard.press("F9")
    await clerk.wait_for_url("**/pay?by=cash")
    await site.fine(clerk)
    await clerk.get_by_label("Another amount").fill("200")
    await clerk.keyboard.press("Enter")
    await clerk.wait_for_url("**/sales/**")
    await expect(clerk.locator(".huge")).to_contain_text("101.00")
    await site.fine(clerk)
    await clerk.keyboard.press("Enter")
    await clerk.wait_for_url("**/pos/soder")
    channels = [(order["channel"], order["total"]) for order in await market.orders()]
    assert channels == [(market.web.id, 9_900 + 4_900), (market.stores[0].id, 9_900)]


async def _phone_buys(site: Site, market: Market) -> None:
    phone = await site.visitor(390, "dark", locale="en-GB")
    await phone.goto("/")
    await site.fine(phone)
    await phone.get_by_role("combobox", name="Search the shop").fill("kettl")
    await phone.get_by_role("option", name="Copper kettle SEK").click()
    await phone.wait_for_url("**/p/kettle")
    await site.fine(phone)
    await phone.get_by_role("button", name="Add to cart").click()
    await expect(phone.locator("#cart-count")).to_contain_text("1")
    await expect(phone.locator("#toasts")).to_contain_text("Copper kettle is in the cart.")
    await phone.goto("/cart")
    await site.fine(phone)
    await phone.get_by_role("button", name="Check out").click()
    await phone.wait_for_url("**/checkout")
    await phone.get_by_label("Picked up in a store").check()
    await expect(phone.locator("#sum")).to_contain_text("Free")
    await phone.get_by_label("Sent to my door").check()
    await expect(phone.locator("#sum")).to_contain_text("148.00")
    await site.fine(phone)
    for label, text in (
        ("E-mail", "kim@example.com"),
        ("Name", "Kim Berg"),
        ("Street and number", "Storgatan 1"),
        ("Postal code", "111 22"),
        ("Town", "Stockholm"),
    ):
        await phone.get_by_label(label, exact=True).fill(text)
    await phone.get_by_role("button", name="Place order and pay").click()
    await phone.wait_for_url("**/order/**")
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Thank you, the order is placed")
    await site.fine(phone)


async def test_the_shop_works_before_any_script(site: Site, market: Market) -> None:
    await market.product(title="Copper kettle", sku="KTL", handle="kettle", stock=(3, 0))
    page = await site.visitor(390, locale="en-GB", java_script_enabled=False)
    await page.goto("/search?q=kettle")
    await page.get_by_role("link", name="Copper kettle").click()
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page.get_by_role("heading", name="Your cart")).to_be_visible()
    await page.get_by_label("Pieces of Copper kettle").fill("2")
    await page.get_by_role("button", name="Change").click()
    await expect(page.get_by_text("2 pieces").first).to_be_visible()
    await page.get_by_role("button", name="Check out").click()
    await expect(page.get_by_role("heading", name="Checkout")).to_be_visible()
    await page.get_by_role("button", name="Place order and pay").click()
    await expect(page.locator("#f-email-error")).to_be_visible()


async def test_without_network_the_shop_says_so_in_the_language_that_was_chosen(
    site: Site, market: Market
) -> None:
    """The browser asks for English, its reader chose Dutch."""
    phone = await site.visitor(390, locale="en-GB", service_workers="allow")
    await phone.goto("/language/nl?next=/")
    kept = "(await caches.match('/offline', {ignoreVary: true}))?.headers.get('content-language')"
    await phone.evaluate(
        f"async () => {{ while (({kept}) !== 'nl') await new Promise((go) => setTimeout(go, 50)); }}"
    )
    await phone.reload()  # now it is the worker that answers
    await phone.context.set_offline(True)
    await phone.goto("/search")
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Er is nu even geen netwerk")
    await expect(phone.locator("html")).to_have_attribute("lang", "nl")
    await phone.context.set_offline(False)
    await phone.goto("/search")
    await expect(phone.locator("#results")).to_be_visible()


async def test_what_a_script_could_not_do_is_said_in_the_readers_language(site: Site, market: Market) -> None:
    """What the server answers is shown as it comes: a verb's refusal, and the words of a framework."""
    await market.product(title="Koperen ketel", sku="KTL", handle="kettle", stock=(5, 0))
    page = await site.visitor(390, locale="nl-NL")
    await page.goto("/p/kettle")
    said = page.locator("#toasts .toast.danger").last
    await page.evaluate(
        """() => {
            const html = '<button id="lost" hx-post="/cart/lines/no-line" hx-swap="none">Lost</button>';
            document.querySelector("main").insertAdjacentHTML("beforeend", html);
            htmx.process(document.getElementById("lost"));
        }"""
    )
    await page.locator("#lost").click()
    await expect(said).to_contain_text(translator("nl").gettext(problem_words.TEXTS[404]))
    await page.context.clear_cookies(name="samlad_guest")
    await page.context.add_cookies([{"name": "samlad_cart", "value": "x", "url": site.url}])
    await page.get_by_role("button", name="In winkelwagen").first.click()
    await expect(said).to_contain_text(translator("nl").gettext(problem_words.LOAD_ANEW))
