"""The payment pages in a real browser: Stripe's script stands in as a file of ours, for the internet is not here."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from browser import Site
from desk import hurry
from fake_stripe import KEYS, FakeStripe
from market import Market, open_market
from playwright.async_api import Route, expect

from samlad import channels, orders
from samlad.carts import CartInput, DetailsInput, LineInput, create, set_details
from samlad.channels import ChannelChange
from samlad.kernel.database import Database, Tx
from samlad.kernel.vault import Vault
from samlad.orders import CancelInput, Order, PlaceOrder
from samlad.payments import PaymentInput, accounts
from samlad.payments.accounts import StripeKeys
from samlad.payments.manual import collect

pytestmark = pytest.mark.browser

FIELDS = (
    ("E-mail", "kim@example.com"),
    ("Name", "Kim Berg"),
    ("Street and number", "Storgatan 1"),
    ("Postal code", "111 22"),
    ("Town", "Stockholm"),
)
STRIPE_JS = """
window.Stripe = (key) => ({
  elements: ({clientSecret}) => ({create: () => ({on: (what, then) => then(), mount: (place) => {
    const shown = document.createElement("p"); shown.textContent = "fields of " + key + " for " + clientSecret;
    place.append(shown); }})}),
  confirmPayment: async () => ({error: {message: "Your card was declined."}}),
});
"""


@pytest.fixture
async def market(db: Database) -> Market:
    made = await open_market(db)
    change = ChannelChange(
        settings={"payment_providers": ["test", "stripe", "invoice", "bank_transfer", "on_delivery"]}
    )
    await db.transaction(lambda tx: channels.change(tx, made.web.id, change))
    return made


@contextlib.asynccontextmanager
async def answering(fake: FakeStripe) -> AsyncIterator[str]:
    """The contract fake at an address, for the application is a process of its own."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        fields = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(fields.get("content-length", fields.get("Content-Length", "0"))))
        answer = await fake(httpx.Request(method, f"http://stripe.test{path}", headers=fields, content=body))
        writer.write(
            f"HTTP/1.1 {answer.status_code} X\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(answer.content)}\r\n\r\n".encode()
            + answer.content
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_card_is_typed_into_stripes_own_fields(site: Site, market: Market) -> None:
    fake, vault = FakeStripe(), Vault.of(market.db.settings)
    await market.product(title="Kettle", sku="KTL", handle="kettle", price=9900, stock=(5,))
    async with answering(fake) as url:
        keys = msgspec.convert(KEYS | {"base_url": url}, StripeKeys)
        await market.db.transaction(lambda tx: accounts.set_keys(tx, vault, "stripe", keys))
        page = await site.visitor(390, locale="en-GB")
        await page.route("https://js.stripe.com/**", _stripe)
        await page.goto("/p/kettle")
        await page.get_by_role("button", name="Add to cart").click()
        await expect(page.locator("#cart-count")).to_contain_text("1")
        await page.goto("/cart")
        await page.get_by_role("button", name="Check out").click()
        await page.wait_for_url("**/checkout")
        for label, text in FIELDS:
            await page.get_by_label(label, exact=True).fill(text)
        await page.get_by_role("radio", name="Card You type it").check()
        await site.picture(page, "pay-checkout")
        await site.fine(page)
        await page.get_by_role("button", name="Place order and pay").click()
        await page.wait_for_url("**/checkout/pay/**")
        await expect(page.locator("#pay-fields")).to_contain_text(
            "fields of pk_test_contract_fake for pi_1_secret_x"
        )
        await page.get_by_role("button", name="Pay SEK").click()
        await expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
        await site.picture(page, "pay-fields")
        await site.fine(page)
        await page.goto("/checkout")
        await expect(page.get_by_text("Not finished")).to_be_visible()
        await site.picture(page, "pay-unfinished")
        await site.fine(page)
        await page.get_by_role("button", name="Do not pay so").click()
        await expect(page.get_by_text("Choose another way to pay.")).to_be_visible()
        await page.get_by_role("radio", name="Card You type it").check()
        await page.get_by_label("Name", exact=True).press("Enter")  # places the order, and nothing else
        await page.wait_for_url("**/checkout/pay/**")
        await expect(page.locator("#pay-fields")).to_contain_text("pi_2_secret_x")
        here = page.url
        fake.confirm("pi_2", "pm_card_visa")
        await hurry(market.db)
        await page.goto(here)
        await page.wait_for_url("**/order/**")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, the order is placed")
        await site.picture(page, "pay-ordered")
        await site.fine(page)


async def _stripe(route: Route) -> None:
    await route.fulfill(body=STRIPE_JS, content_type="text/javascript")


async def _order(market: Market) -> Order:
    kettle = (await market.product(title="Kettle", price=9900, stock=(5,))).variants[0]

    async def work(tx: Tx) -> Order:
        cart = await create(
            tx, CartInput(channel=market.web.id, lines=[LineInput(variant=kettle.id, quantity=2)])
        )
        address = {
            "name": "Kim Berg",
            "line1": "Storgatan 1",
            "postal_code": "111 22",
            "city": "Stockholm",
            "country": "SE",
        }
        details = msgspec.convert(
            {"email": "kim@example.org", "address": address, "delivery": "ship"}, DetailsInput
        )
        await set_details(tx, cart.id, details)
        ways = [
            PaymentInput(provider="test", amount=5_000),
            PaymentInput(provider="invoice", amount=9_000),
            PaymentInput(provider="on_delivery"),
        ]
        order = await orders.place(tx, PlaceOrder(cart=cart.id, payments=ways))
        await collect(tx, order.payments[1].id, 2_500)
        return order

    return await market.db.transaction(work)


async def test_the_desk_shows_every_tender(site: Site, market: Market) -> None:
    order = await _order(market)
    page = await site.staff(width=390, locale="en-GB")
    await page.goto(f"/admin/orders/{order.id}")
    await site.picture(page, "pay-desk")
    await site.fine(page)
    await page.get_by_role("button", name="Book money").first.click()
    await expect(page.locator("#f-amount-1")).to_be_visible()
    await site.fine(page)
    await market.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    await page.goto(f"/admin/orders/{order.id}")
    await expect(page.get_by_role("button", name="I have sent it")).to_be_visible()
    await site.picture(page, "pay-desk-back")
    await site.fine(page)
    await page.goto(f"/admin/channels/{market.web.id}")
    await expect(page.get_by_label("Ways to pay")).to_have_value(
        "test, stripe, invoice, bank_transfer, on_delivery"
    )
    await site.fine(page)
