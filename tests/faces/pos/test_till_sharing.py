"""A customer's cart at the till: by code and picture, beside what was there, parked, and paid; and what moves meanwhile."""

import asyncio
import re
from uuid import UUID

import httpx
import pytest
from browser import Site
from market import Market, text_of
from playwright.async_api import Route, expect

from samlad import carts, customers
from samlad.carts import CartInput, LineInput, NewCart
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel.context import GUEST, Context

HTMX = {"hx-request": "true"}
SHOPPER = Context(actor=GUEST)


async def handed(market: Market, variant: UUID) -> tuple[NewCart, carts.Offer]:
    data = CartInput(channel=market.web.id, lines=[LineInput(variant=variant, quantity=2)])
    made = await market.db.transaction(lambda tx: carts.create(tx, data), SHOPPER)
    offer = await market.db.transaction(lambda tx: carts.offer(tx, made.id, token=made.token), SHOPPER)
    return made, offer


async def scan(clerk: httpx.AsyncClient, code: str) -> str:
    return (await clerk.post("/pos/soder/scan", data={"code": code}, headers=HTMX)).text


async def test_a_customers_code_opens_their_cart_and_the_ticket_before_is_parked(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    kettle = await market.product(title="Kettle", price=9_950, sku="KTL", handle="kettle", stock=(5, 5))
    mug = await market.product(title="Mug", sku="MUG", handle="mug", stock=(5, 5))
    made, offer = await handed(market, kettle.variants[0].id)
    await scan(clerk, "MUG")
    ticket = await scan(clerk, offer.code)
    assert "cart is open here" in ticket
    assert "The ticket before is parked" in ticket
    assert "By the customer" in ticket
    assert f'data-topic="cart:{made.id}"' in ticket
    assert "not good any more" in await scan(clerk, offer.code), "once"
    assert "1 parked" in text_of((await clerk.get("/pos/soder")).text)
    shopper = await carts.view(market.db, GUEST, made.id, token=made.token)
    assert shopper.channel == market.stores[0].id

    assert mug.variants[0].id not in {line.variant for line in shopper.lines}
    parked = (await clerk.get("/pos/soder/parked")).text
    path = re.search(r"/pos/soder/parked/[0-9a-f-]{36}", parked)
    assert path
    await clerk.post(path[0])
    page = (await clerk.get("/pos/soder")).text
    assert "Mug" in page.split('id="ticket"')[1]
    assert "1 parked" in text_of(page), "the customer's cart is parked in its place"


async def test_the_picture_works_too(clerk: httpx.AsyncClient, market: Market) -> None:
    kettle = await market.product(title="Kettle", sku="KTL", handle="kettle", stock=(5, 5))
    _, offer = await handed(market, kettle.variants[0].id)
    assert "is open here" in await scan(clerk, f"https://shop.example.com{offer.path}")


async def test_prices_of_the_store_are_agreed_to(clerk: httpx.AsyncClient, market: Market) -> None:
    kettle = await market.product(title="Kettle", price=9_950, sku="KTL", handle="kettle", stock=(5, 5))
    _, offer = await handed(market, kettle.variants[0].id)
    await market.db.rows("UPDATE price SET amount = 8900 RETURNING 1")
    assert "The price has changed from" in await scan(clerk, offer.code)
    agreed = (await clerk.post("/pos/soder/prices", headers=HTMX)).text
    assert "The price has changed from" not in agreed


async def test_a_known_customer_is_offered_what_they_have_and_it_can_be_undone(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    kettle = await market.product(title="Kettle", sku="KTL", handle="kettle", stock=(5, 5))
    await market.product(title="Mug", sku="MUG", handle="mug", stock=(5, 5))
    pool = market.web.pools[Resource.CUSTOMERS]
    kim = await market.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email="kim@example.org"))
    )
    data = CartInput(channel=market.web.id, lines=[LineInput(variant=kettle.variants[0].id)], customer=kim.id)
    await market.db.transaction(lambda tx: carts.create(tx, data))
    await scan(clerk, "MUG")
    ticket = await clerk.post("/pos/soder/customer", data={"email": "kim@example.org"}, headers=HTMX)
    assert "This customer has another cart with 1 piece" in text_of(ticket.text)
    assert ticket.text.count('id="line-') == 1, "nothing comes onto the ticket by itself"
    rest = re.search(r"/pos/soder/others/[0-9a-f-]{36}", ticket.text)
    assert rest
    both = (await clerk.post(rest[0], headers=HTMX)).text
    assert both.count('id="line-') == 2
    undo = re.search(r"/pos/soder/merges/[0-9a-f-]{36}/undo", both)
    assert undo
    apart = (await clerk.post(undo[0], headers=HTMX)).text
    assert apart.count('id="line-') == 1
    assert "another cart with 1 piece" in text_of(apart)


@pytest.mark.browser
async def test_an_answer_is_shown_though_the_ticket_was_refreshed_meanwhile(
    site: Site, market: Market
) -> None:
    await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))
    page = await site.staff(width=390)
    await page.route("**/live?*", lambda route: route.fulfill(status=204))  # nothing mends it afterwards
    await page.goto("/pos/soder")
    await page.locator("#code").fill("KTL")
    await page.keyboard.press("Enter")
    await expect(page.locator("#ticket")).to_contain_text("Kettle")
    may_arrive = asyncio.Event()

    async def slowly(route: Route) -> None:
        await may_arrive.wait()
        await route.continue_()

    await page.route("**/pos/soder/lines/*", slowly)
    await page.get_by_role("button", name="Remove Kettle").click()
    await page.locator("#code").focus()
    async with page.expect_response("**/pos/soder/ticket"):
        await page.evaluate("document.body.dispatchEvent(new Event('stock-moved'))")
    await page.evaluate("new Promise(requestAnimationFrame)")
    may_arrive.set()
    await expect(page.locator("#ticket")).to_contain_text("Nothing on the ticket yet.")
