"""The storefront and the till report through the same door: once, and into one timeline."""

from typing import Any

import httpx

import horizon
from cart_people import begin, customer
from samlad import carts, identity, orders, reviews
from samlad.carts import LineInput
from samlad.kernel import followers
from samlad.kernel.database import Database
from samlad.kernel.log import BEGINNING
from samlad.reviews import ReviewInput
from samlad.tracking import own, resolving
from trade import build

REPORTING = [*own.FOLLOWERS, *resolving.FOLLOWERS]


async def settle(db: Database) -> None:
    await followers.register(db, REPORTING)
    for follower in REPORTING:
        await horizon.passed(db)
        while await followers.step(db, follower):
            pass


async def told(db: Database) -> list[tuple[Any, ...]]:
    rows = await db.rows(
        """SELECT s.device_class, e.name, e.user_id, e.anonymous_id, p.identity
           FROM tracked_event e JOIN tracking_source s ON s.id = e.source
           LEFT JOIN tracked_profile p ON p.received_at = e.received_at AND p.event = e.id
           ORDER BY e.occurred_at, e.id"""
    )
    return [tuple(row) for row in rows]


async def test_from_the_cart_to_the_order_one_person(db: Database) -> None:
    trade = await build(db)
    kettle = await trade.kettle()
    order = await trade.buy((kettle, 2))
    await settle(db)
    found = await told(db)
    assert [row[:2] for row in found] == [
        ("personal", "Product Added"),
        ("personal", "Checkout Step Completed"),
        ("personal", "Order Completed"),
    ]
    assert {row[3] for row in found} == {f"cart:{order.cart}"}
    people = await identity.current(db, [row[4] for row in found])
    assert len(set(people.values())) == 1
    payload = await db.value("SELECT payload FROM tracked_event WHERE name = 'Order Completed'")
    assert payload["properties"]["order_id"] == order.number
    assert payload["properties"]["products"][0]["quantity"] == 2

    for follower in REPORTING:
        await followers.replay(db, follower.name, BEGINNING)
    await settle(db)
    assert await told(db) == found, "told again it is there once"
    assert await db.value("SELECT sum(accepted) FROM tracking_volume") == 3


async def test_the_till_the_office_and_a_review_report_too(db: Database) -> None:
    """A sale in a store by its staff's devices, what staff take back and call off, what a buyer writes afterwards."""
    trade = await build(db)
    kettle = await trade.kettle(at=trade.at_malmo)
    sold = await trade.buy((kettle, 1), channel=trade.malmo)
    lines = [orders.LineSelection(position=1, quantity=1)]
    if sold.status != "fulfilled":
        await db.transaction(lambda tx: orders.fulfil(tx, sold.id, orders.FulfilInput()))
    product = await db.value("SELECT product FROM variant WHERE id = $1", kettle)
    wrote = ReviewInput(product=product, stars=5, language="sv", text="HEMLIGT", author="Kim")
    await db.transaction(lambda tx: reviews.write_for_order(tx, sold.id, wrote))
    await db.transaction(lambda tx: orders.take_back(tx, sold.id, orders.ReturnInput(lines=lines)))
    mug = await trade.kettle()
    called_off = await trade.buy((mug, 1))
    await db.transaction(lambda tx: orders.cancel(tx, called_off.id, orders.CancelInput(reason="HEMLIGT")))
    await settle(db)
    found = [row[:2] for row in await told(db)]
    assert {row for row in found if row[0] == "staff"} >= {
        ("staff", "Order Completed"),
        ("staff", "Product Reviewed"),
        ("staff", "Order Refunded"),
    }
    assert ("personal", "Order Cancelled") in found
    assert [row[1] for row in found].count("Order Completed") == 2, "what comes back is no sale"
    rating = "SELECT payload -> 'properties' ->> 'rating' FROM tracked_event WHERE name = 'Product Reviewed'"
    assert await db.value(rating) == "5"
    texts = "SELECT count(*) FROM tracked_event WHERE payload::text LIKE '%HEMLIGT%'"
    assert await db.value(texts) == 0, "what people write is not told"


async def test_a_wish_is_told_as_a_wish_and_what_is_saved_for_later_as_taken_out(db: Database) -> None:
    trade = await build(db)
    kettle, mug = await trade.kettle(), await trade.kettle()
    kim = await customer(trade, "kim@example.org")

    async def acts(verb: Any) -> carts.CartView:
        return await db.transaction(verb, kim)

    wished = await acts(lambda tx: carts.wish(tx, trade.web.id, LineInput(variant=kettle)))
    await acts(lambda tx: carts.change_line(tx, wished.id, wished.lines[0].id, 0))
    cart = await begin(trade, (mug, 1), who=kim)
    await acts(lambda tx: carts.save_line(tx, cart.id, cart.lines[0].id))
    await settle(db)
    found = await db.rows(
        "SELECT name, payload -> 'properties' AS told FROM tracked_event ORDER BY occurred_at, id"
    )
    assert [(row["name"], row["told"].get("wishlist_id"), row["told"].get("cart_id")) for row in found] == [
        ("Product Added to Wishlist", str(wished.id), None),
        ("Product Removed from Wishlist", str(wished.id), None),
        ("Product Added", None, str(cart.id)),
        ("Product Removed", None, str(cart.id)),
    ]


async def test_a_product_that_somebody_with_a_cart_looks_at(api: httpx.AsyncClient, db: Database) -> None:
    trade = await build(db)
    kettle = await trade.kettle()
    handle = await db.value("SELECT handle FROM product")
    assert (await api.get(f"/p/{handle}")).status_code == 200
    cart = await trade.cart((kettle, 1))
    mine = await db.transaction(
        lambda tx: carts.create(tx, carts.CartInput(channel=trade.web.id, lines=[LineInput(variant=kettle)]))
    )
    cookie = f"cart={mine.id.hex}.{'x' * 43}.1"
    assert cart.id != mine.id
    assert (await api.get(f"/p/{handle}", headers={"Cookie": cookie})).status_code == 200
    for _ in range(200):
        views = [row for row in await told(db) if row[1] == "Product Viewed"]
        if views:
            break
        await db.value("SELECT pg_sleep(0.02)")
    assert [(row[0], row[3]) for row in views] == [("personal", f"cart:{mine.id}")]
