"""Keys of tills in the admin: found, taken back with a reason, and given back."""

import base64
from typing import Any
from uuid import UUID, uuid4

import pytest
from browser import Site
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from market import Market, hidden, text_of
from playwright.async_api import expect

from samlad.access.permissions import permissions
from samlad.kernel.context import Actor, Context
from samlad.tills import TillKeyInput, name_key


def _public() -> str:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def test_a_key_is_taken_back_and_given_back(market: Market, api_as: Any) -> None:
    till = "11111111-1111-4111-8111-111111110042"
    async with api_as(accept="text/html", **{"accept-language": "en"}) as admin:
        assert "No till has a key yet" in (await admin.get("/admin/till-keys")).text
        named = {"channel": "soder", "till": till, "public": _public()}
        kid = (await admin.post("/api/till-keys", json=named)).json()["kid"]
        listed = text_of((await admin.get("/admin/till-keys")).text)
        for said in ("Till 0042", kid, "In use", "1 key"):
            assert said in listed, said
        assert "Nothing fits" in (await admin.get("/admin/till-keys?state=revoked")).text
        address = f"/admin/till-keys/{kid}"
        page = (await admin.get(address)).text
        assert "are believed" in page
        once = {"_once": hidden(page, "_once")}
        refused = await admin.post(f"{address}/revoke", data={**once, "reason": " "})
        assert refused.status_code == 422
        assert "Say why" in refused.text
        done = await admin.post(f"{address}/revoke", data={"_once": str(uuid4()), "reason": "Left in a taxi"})
        assert done.headers["location"] == address
        page = (await admin.get(address)).text
        for said in ("Taken back", "Left in a taxi", "was taken back, and when", "/admin/undo/"):
            assert said in page, said
        undo = page[page.index("/admin/undo/") :].partition('"')[0]
        back = await admin.post(undo, data={"_once": str(uuid4())})
        assert back.headers["location"] == address
        assert "are believed" in (await admin.get(address)).text
        # Taken back once more, and given back on its page, long after.
        await admin.post(f"{address}/revoke", data={"_once": str(uuid4()), "reason": "Lost"})
        assert (
            await admin.post(f"{address}/restore", data={"_once": str(uuid4()), "reason": ""})
        ).status_code == 422
        await admin.post(f"{address}/restore", data={"_once": str(uuid4()), "reason": "In the drawer"})
        assert "are believed" in (await admin.get(address)).text
        assert (await admin.get("/admin/till-keys/0000000000000000")).status_code == 404
        stores = [
            row
            for row in (await admin.get("/api/channels", headers={"accept": "application/json"})).json()[
                "items"
            ]
            if row["code"] == "soder"
        ]
        assert (
            "/admin/till-keys?channel=soder" in (await admin.get(f"/admin/channels/{stores[0]['id']}")).text
        )


@pytest.mark.browser
async def test_a_lost_device_in_a_browser(site: Site, market: Market) -> None:
    staff = Actor(kind="staff", id=uuid4(), name="Sam", permissions=frozenset(permissions()))
    for _ in range(2):
        named = TillKeyInput(
            channel="soder", till=UUID("11111111-1111-4111-8111-111111110042"), public=_public()
        )
        await market.db.transaction(lambda tx, named=named: name_key(tx, named), Context(actor=staff))
    page = await site.staff(width=390, locale="en")
    await page.goto("/admin/till-keys")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await site.fine(page)
    await site.picture(page, "till-keys")
    await page.locator("tbody a").first.click()
    await expect(page.locator("h1")).to_have_text("Key of till 0042")
    await site.fine(page)
    await site.picture(page, "till-key")
    await page.get_by_label("Why it is taken back").fill("Left in a taxi")
    await page.get_by_role("button", name="Take the key back").press("Enter")
    await expect(page.locator(".page-head .badge")).to_have_text("Taken back")
    await site.picture(page, "till-key-revoked")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".page-head .badge")).to_have_text("In use")
    await site.fine(page)
