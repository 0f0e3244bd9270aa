"""At the desk: announced returns, returns without a receipt, their settings, and what the change page can do besides."""

import re
from typing import Any

import httpx
import pytest
from browser import Site

from samlad import orders
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id
from samlad.orders import FulfilInput, change_store, return_reasons, return_store
from trade import ADDRESS

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def sold(shop: Any, quantity: int = 3) -> orders.Order:
    order = await shop.buy("MUG-032", quantity)
    return await shop.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))


async def test_a_return_is_announced(api: httpx.AsyncClient, shop: Any) -> None:
    order = await sold(shop)
    here = f"/admin/orders/{order.id}/announce"
    assert here in (await api.get(f"/admin/orders/{order.id}", headers=PEOPLE)).text
    assert (await api.get(here, headers=PEOPLE)).status_code == 200
    nothing = await api.post(here, data={"back-1": "0"}, headers=PEOPLE)
    assert "Choose at least one piece." in nothing.text
    data = {"back-1": "2", "reason-1": "wrong_size", "note": "By post"}
    done = await api.post(here, data=data, headers=PEOPLE)
    assert done.status_code == 303, done.text
    found = await return_store.read(shop.db, done.headers["location"].rpartition("/")[2])
    assert found is not None
    assert [(line.quantity, line.reason) for line in found.lines] == [(2, "wrong_size")]
    more = await api.post(here, data=data, headers=PEOPLE)
    assert (more.status_code, "At most 1" in more.text) == (422, True)


UNKNOWN = "/admin/returns/without-receipt"


async def test_goods_without_a_receipt_become_store_credit(api: httpx.AsyncClient, shop: Any) -> None:
    page = (await api.get(UNKNOWN, headers=PEOPLE)).text
    chosen = {
        "id": re.search(r'name="id" value="([^"]+)"', page)[1], "location": str(shop.trade.at_malmo.id),
        "code-1": "MUG-032", "quantity-1": "2", "condition-1": "new", "customer": "new@example.org",
    }  # fmt: skip
    worth = (await api.post(UNKNOWN, data=chosen | {"act": "preview"}, headers=PEOPLE)).text
    assert "290.00" in worth
    assert await shop.db.value("SELECT count(*) FROM customer WHERE email = 'new@example.org'") == 0
    without = await api.post(UNKNOWN, data=chosen | {"act": "apply"}, headers=PEOPLE)
    assert 'href="#f-override"' in without.text
    for _ in range(2):  # pressed twice, done once
        done = await api.post(
            UNKNOWN, data=chosen | {"act": "apply", "override": "I know her"}, headers=PEOPLE
        )
        assert done.status_code == 303, done.text
    rows = await shop.db.rows("SELECT total, kind FROM orders")
    assert [tuple(row) for row in rows] == [(-29_000, "return")]
    assert await shop.db.value("SELECT balance FROM credit_account WHERE kind = 'store_credit'") == 29_000
    for typed, field in (
        ({"code-1": "NOTHING"}, "code-1"),
        ({"code-1": ""}, "code-1"),
        ({"customer": "nobody"}, "customer"),
        ({"quantity-1": "many"}, "quantity-1"),
    ):
        wrong = await api.post(UNKNOWN, data=chosen | typed | {"act": "preview"}, headers=PEOPLE)
        assert (wrong.status_code, f'href="#f-{field}"' in wrong.text) == (422, True), typed


async def test_reasons_and_windows_are_set(api: httpx.AsyncClient, shop: Any) -> None:
    base = "/admin/return-settings"
    assert "Changed their mind" in (await api.get(base, headers=PEOPLE)).text
    new = {
        "code": "too_loud", "name": "Too loud", "restock": "1", "ships": "shop", "fee": "12,5", "position": "3",
        "is_active": "1",
    }  # fmt: skip
    made = await api.post(f"{base}/reasons/new", data=new, headers=PEOPLE)
    assert made.status_code == 303, made.text
    pool = return_reasons.pool_of(shop.trade.web)
    reason = (await return_reasons.reasons(shop.db, pool))["too_loud"]
    assert (reason.name, reason.fee_bp, reason.ships, reason.photo) == ("Too loud", 1250, "shop", False)
    off = {key: value for key, value in new.items() if key not in ("is_active", "code")}
    assert (await api.post(f"{base}/reasons/too_loud", data=off, headers=PEOPLE)).status_code == 303
    assert not (await return_reasons.reasons(shop.db, pool))["too_loud"].is_active
    assert "12.5" in (await api.get(f"{base}/reasons/too_loud", headers=PEOPLE)).text
    for typed, field in (({"fee": "half"}, "fee"), ({"name": ""}, "name"), ({"code": "Loud!"}, "code")):
        wrong = await api.post(f"{base}/reasons/new", data=new | typed, headers=PEOPLE)
        assert (wrong.status_code, f'href="#f-{field}"' in wrong.text) == (422, True), typed
    assert (await api.get(f"{base}/reasons/nothing", headers=PEOPLE)).status_code == 404

    window = {"country": "de", "code": "MUG-032", "days": "60"}
    assert (await api.post(f"{base}/windows", data=window, headers=PEOPLE)).status_code == 303
    found = await change_store.windows(shop.db, pool)
    assert [(w.country, w.product, w.days) for w in found] == [("DE", shop.products["MUG-032"], 60)]
    assert "Stoneware mug, moss" in (await api.get(base, headers=PEOPLE)).text
    gone = {"country": "DE", "product": str(shop.products["MUG-032"])}
    assert (await api.post(f"{base}/windows", data=gone, headers=PEOPLE)).status_code == 303
    assert await change_store.windows(shop.db, pool) == []
    assert (await api.post(f"{base}/windows", data={"days": "9"}, headers=PEOPLE)).status_code == 422


async def test_complaints_fees_and_addresses_are_changes_too(api: httpx.AsyncClient, shop: Any) -> None:
    order = await sold(shop)
    here = f"/admin/orders/{order.id}"
    form = {
        "id": str(new_id()),
        "claim-1": "1",
        "remedy-1": "refund",
        "reason-1": "defective",
        "act": "apply",
    }
    assert "Complaint about" in (await api.get(f"{here}/change", headers=PEOPLE)).text
    done = await api.post(f"{here}/change", data=form | {"override": "seen it"}, headers=PEOPLE)
    assert done.status_code == 303, done.text
    assert (await orders.read(shop.db, order.id)).refunded == 14_500
    again = form | {"id": str(new_id()), "remedy-1": "replacement-back", "override": "seen it"}
    done = await api.post(f"{here}/change", data=again, headers=PEOPLE)
    assert done.status_code == 303, done.text

    order = await shop.buy("MUG-032", 1)
    here = f"/admin/orders/{order.id}"
    where = {f"address/{part}": text for part, text in ADDRESS.items()} | {"address/city": "Lund"}
    form = {"id": str(new_id()), "new_address": "1", "fee": "25,00", "fee_title": "Wrapping", "act": "apply"}
    wrong = await api.post(f"{here}/change", data=form | where | {"address/postal_code": "1"}, headers=PEOPLE)
    assert (wrong.status_code, 'id="f-address/postal_code-error"' in wrong.text) == (422, True)
    done = await api.post(f"{here}/change", data=form | where | {"way": "later"}, headers=PEOPLE)
    assert done.status_code == 303, done.text
    now = await orders.read(shop.db, order.id)
    assert now.address is not None
    assert (now.address.city, now.total) == ("Lund", order.total + 2_500)
    assert any(line.title == "Wrapping" for line in now.lines)


async def test_who_may_not_is_told(api_as: Any, shop: Any) -> None:
    order = await sold(shop)
    reader = Actor(kind="staff", id=new_id(), name="Rita", permissions=frozenset({"orders.read"}))
    async with api_as(reader) as api:
        for path in (f"/admin/orders/{order.id}/announce", UNKNOWN, "/admin/return-settings/reasons/new"):
            assert (await api.get(path, headers=PEOPLE)).status_code == 403
        assert (await api.get("/admin/return-settings", headers=PEOPLE)).status_code == 200


@pytest.mark.browser
async def test_the_pages_are_fine_in_a_browser(site: Site, shop: Any) -> None:
    order = await sold(shop)
    page = await site.staff(width=390)
    for name, path in (
        ("announce", f"/admin/orders/{order.id}/announce"),
        ("unknown", UNKNOWN),
        ("return-settings", "/admin/return-settings"),
        ("return-reason", "/admin/return-settings/reasons/damaged"),
        ("change", f"/admin/orders/{order.id}/change"),
    ):
        await page.goto(path)
        await site.fine(page)
        await site.picture(page, name)
