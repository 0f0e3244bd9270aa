"""Reviews in the shop and in the admin: from the page of an order to cards, product page and what machines read."""

import json
import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from market import Market, hidden, text_of

from account_people import Post
from samlad import carts, customers, orders
from samlad.carts import CartInput, DetailsInput, LineInput
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel.context import GUEST
from samlad.kernel.database import Tx
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.orders import PlaceOrder
from samlad.payments import PaymentInput


async def bought(market: Market, variant: UUID, name: str = "Kim Berg") -> UUID:
    """An order that has gone out."""
    address = {
        "name": name,
        "line1": "Storgatan 1",
        "postal_code": "211 34",
        "city": "Malmö",
        "country": "SE",
    }
    details = {
        "email": f"{name.split()[0].lower()}@example.org",
        "name": name,
        "address": address,
        "delivery": "ship",
    }

    async def place(tx: Tx) -> UUID:
        cart = await carts.create(
            tx, CartInput(channel=market.web.id, lines=[LineInput(variant=variant, quantity=1)])
        )
        await carts.set_details(tx, cart.id, msgspec.convert(details, DetailsInput))
        return (await orders.place(tx, PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="test")]))).id

    order = await market.db.transaction(place)
    await market.db.transaction(lambda tx: orders.fulfil(tx, order, orders.FulfilInput()))
    return order


async def test_who_bought_reviews_and_everybody_reads(
    guest: httpx.AsyncClient, market: Market, api_as: Any, settings: Settings
) -> None:
    made = await market.product(title="Copper kettle", sku="KTL", handle="kettle", stock=(9, 0))
    product = made.id
    nothing = text_of((await guest.get("/p/kettle")).text)
    assert "Nobody has reviewed this yet" in nothing
    placed = await bought(market, made.variants[0].id)
    order = f"/order/{Vault.of(settings).sign('storefront.order', placed.hex)}"
    page = await guest.get(order)
    form_at = f"{order}/reviews/{product}"
    assert f'href="{form_at}"' in page.text
    form = await guest.get(form_at)
    token = hidden(form.text, "_csrf")
    unfit = await guest.post(form_at, data={"_csrf": token, "title": "Good"})
    assert unfit.status_code == 422
    assert "Choose how many stars you give." in unfit.text
    said = {"_csrf": token, "stars": "4", "title": "Good <b>kettle</b>", "text": "Boils\n\nfast"}
    assert (await guest.post(form_at, data=said)).headers["location"] == order
    assert "Change your review" in text_of((await guest.get(order)).text)
    assert "Good &lt;b&gt;kettle" not in (await guest.get("/p/kettle")).text, "nobody has read it yet"
    assert (await guest.get(f"{order}/reviews/{uuid4()}")).status_code == 404

    async with api_as(accept="text/html", **{"accept-language": "en"}) as owner:
        queue = await owner.get("/admin/reviews", follow_redirects=True)
        assert "To be read" in text_of(queue.text)
        path = re.search(r"/admin/reviews/[0-9a-f-]{36}", queue.text)
        assert path
        one = await owner.get(path[0])
        assert "Good &lt;b&gt;kettle&lt;/b&gt;" in one.text
        verdict = {"_csrf": hidden(one.text, "_csrf"), "version": hidden(one.text, "version")}
        refused = await owner.post(f"{path[0]}/decision", data={**verdict, "status": "refused"})
        assert refused.status_code == 422
        shown = await owner.post(f"{path[0]}/decision", data={**verdict, "status": "approved"})
        assert shown.headers["location"] == "/admin/reviews"
        stale = await owner.post(f"{path[0]}/decision", data={**verdict, "status": "approved"})
        assert stale.status_code == 412
        fresh = (await owner.get(path[0])).text
        reply = {"_csrf": hidden(fresh, "_csrf"), "version": hidden(fresh, "version"), "text": "Thanks!"}
        assert (await owner.post(f"{path[0]}/answer", data=reply)).status_code == 303

    html = (await guest.get("/p/kettle")).text
    text = text_of(html)
    assert "Good &lt;b&gt;kettle&lt;/b&gt;" in html
    assert "Kim B." in text
    assert "Our answer Thanks!" in text
    told = json.loads(
        re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, flags=re.DOTALL)[0]
    )
    assert told["aggregateRating"]["ratingValue"] == "4.00"
    assert told["review"][0]["author"]["name"] == "Kim B."
    cards = (await guest.get("/search?stars_from=4&sort=rated")).text
    assert "4 of 5 stars" in cards
    assert 'aria-label="Remove 4 stars and up"' in cards

    review = re.search(r'action="/reviews/([0-9a-f-]{36})/vote"', html)
    assert review
    vote = {"_csrf": hidden(html, "_csrf"), "next": "/p/kettle"}
    for _ in range(2):
        piece = await guest.post(f"/reviews/{review[1]}/vote", data=vote, headers={"hx-request": "true"})
        assert "1 finds this helpful" in text_of(piece.text)
    plain = await guest.post(f"/reviews/{review[1]}/vote", data={**vote, "back": "1"})
    assert plain.headers["location"] == "/p/kettle"
    assert (
        await guest.post(f"/reviews/{review[1]}/report", data={**vote, "reason": "Ad"})
    ).status_code == 303
    assert await market.db.value("SELECT (helpful, reports) = (0, 1) FROM review")

    every = await guest.get("/p/kettle/reviews?sort=-written_at&stars=4&language=en")
    assert "Reviews of Copper kettle" in text_of(every.text)
    assert "Boils" in every.text
    assert "No reviews like that" in text_of((await guest.get("/p/kettle/reviews?stars=1")).text)
    for query in ("sort=drop", "stars=9", "cursor=%00x", "cursor=abc", "language=xx"):
        assert (await guest.get(f"/p/kettle/reviews?{query}")).status_code in (200, 303), query
    gone = await guest.post(f"{form_at}/withdraw", data={"_csrf": token})
    assert gone.headers["location"] == order
    assert "aggregateRating" not in (await guest.get("/p/kettle")).text


async def test_who_is_signed_in_reviews_what_they_bought(
    market: Market, api_as: Any, guest: httpx.AsyncClient, settings: Settings
) -> None:
    made = await market.product(title="Mug", sku="MUG", handle="mug", stock=(9, 0))
    other = await market.product(title="Pan", sku="PAN", handle="pan", stock=(9, 0))
    order = await bought(market, made.variants[0].id)
    pool = market.web.pools[Resource.CUSTOMERS]
    kim = await market.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email="kim@example.org", name="Kim Berg"))
    )
    await market.db.transaction(
        lambda tx: tx.execute("UPDATE orders SET customer = $2 WHERE id = $1", order, kim.id)
    )
    assert (await guest.get("/p/mug/review")).status_code in (303, 401)
    opened = await Post(market.db, settings, market.web).sign_in("kim@example.org")
    assert opened.customer.id == kim.id
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as own:
        own.cookies.set("samlad_customer", opened.token)
        assert (await own.get(f"/p/{other.handle}/review")).status_code == 404
        form = await own.get("/p/mug/review")
        said = {"_csrf": hidden(form.text, "_csrf"), "stars": "5"}
        assert (await own.post("/p/mug/review", data={**said, "stars": ""})).status_code == 422
        assert (await own.post("/p/mug/review", data=said)).headers["location"] == "/p/mug"
        assert "We have not read your review yet" in text_of((await own.get("/p/mug/review")).text)
        assert await market.db.value("SELECT (customer, stars) = ($1, 5) FROM review", kim.id)
        assert (await own.post("/p/mug/review/withdraw", data=said)).status_code == 303
        assert await market.db.value("SELECT status FROM review") == "withdrawn"
