"""Calling an order off on its page: what the confirmation promises."""

from typing import Any

import httpx
import msgspec
from market import Market, put_in, text_of
from test_shop_buying import at_checkout

from samlad.kernel.context import GUEST
from samlad.kernel.ids import new_id
from samlad.orders import FulfilInput, LineSelection, apply_change, fulfil
from samlad.orders.change_model import ChangeInput


async def _bought(guest: httpx.AsyncClient, market: Market) -> str:
    """The address of an order's page."""
    variant = await market.db.value("SELECT id FROM variant WHERE sku = 'KTL'")
    await put_in(guest, variant)
    bought = await guest.post("/checkout", data=await at_checkout(guest))
    return bought.headers["location"].partition("?")[0]


async def test_the_page_of_an_order_calls_it_off(guest: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(sku="KTL", stock=(5,))).variants[0]
    link = await _bought(guest, market)
    page = (await guest.get(link)).text
    assert "Cancel this order" in text_of(page)
    assert f'action="{link}/cancel"' in page
    for _ in range(2):  # a second press does no harm
        done = await guest.post(f"{link}/cancel")
        assert (done.status_code, done.headers["location"]) == (303, link)
    text = text_of((await guest.get(link)).text)
    assert "What you paid goes back the way it came." in text
    assert "Given back" in text
    assert "Cancel this order" not in text
    (order,) = await market.orders()
    assert order["status"] == "cancelled"
    assert await market.available(kettle.id) == 5
    assert (await guest.post("/order/no-link/cancel")).status_code == 404


async def test_what_has_left_is_sent_back_instead(market: Market, api_as: Any) -> None:
    await market.product(sku="KTL", stock=(5,))
    async with api_as(GUEST, accept="text/html", **{"accept-language": "sv"}) as guest:
        link = await _bought(guest, market)
        (order,) = await market.orders()
        await market.db.transaction(lambda tx: fulfil(tx, order["id"], FulfilInput()))
        assert f"{link}/cancel" not in (await guest.get(link)).text
        refused = await guest.post(f"{link}/cancel")
        assert refused.headers["location"] == link
        text = text_of((await guest.get(link)).text)
        assert "Den packas redan." in text
        assert "Sent" not in text
    (order,) = await market.orders()
    assert order["status"] == "fulfilled"


async def test_what_was_called_off_and_sent_back_in_parts_says_which(
    guest: httpx.AsyncClient, market: Market, api_as: Any
) -> None:
    await market.product(sku="KTL", stock=(5,))
    variant = await market.db.value("SELECT id FROM variant WHERE sku = 'KTL'")

    async def pages_after(*, has_left: bool) -> tuple[str, str]:
        """Of two that were bought one is called off, and then the other is, or it is sent back."""
        await put_in(guest, variant, quantity=2)
        bought = await guest.post("/checkout", data=await at_checkout(guest))
        link = bought.headers["location"].partition("?")[0]
        order = (await market.orders())[-1]["id"]
        if has_left:
            parts = FulfilInput(lines=[LineSelection(position=1, quantity=1)])
            await market.db.transaction(lambda tx: fulfil(tx, order, parts))
        for kind in ("cancel", "return" if has_left else "cancel"):
            action = {"kind": kind, "position": 1, "quantity": 1}
            data = msgspec.convert({"id": str(new_id()), "actions": [action]}, ChangeInput)
            await market.db.transaction(lambda tx, data=data: apply_change(tx, order, data))
        async with api_as(accept="text/html", **{"accept-language": "en"}) as staff:
            desk = text_of((await staff.get(f"/admin/orders/{order}")).text)
            listed = text_of((await staff.get("/admin/orders")).text)
            assert ("Partly cancelled, the rest returned" in listed) == has_left
        return text_of((await guest.get(link)).text), desk

    buyer, desk = await pages_after(has_left=False)
    assert ("Cancelled" in buyer, "Sent back" in buyer) == (True, False)
    assert ("Cancelled" in desk, "Cancel the order" in desk) == (True, False)
    buyer, desk = await pages_after(has_left=True)
    assert "Partly cancelled, the rest sent back" in buyer
    assert "Partly cancelled, the rest returned" in desk
