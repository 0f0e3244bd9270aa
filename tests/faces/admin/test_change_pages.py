"""Changing an order at the desk: what the page previews is what is done; announced returns go their way."""

import re

import pytest
from browser import Site
from playwright.async_api import expect

from samlad import orders
from samlad.kernel.ids import new_id
from samlad.orders import FulfilInput, return_announce
from samlad.orders.return_model import AnnouncedLine, AnnounceInput

PEOPLE = {"accept": "text/html", "accept-language": "en"}
HTMX = {**PEOPLE, "hx-request": "true"}


def hidden(html: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', html)[1]


async def sold(shop, quantity: int = 2):
    order = await shop.buy("MUG-032", quantity)
    return await shop.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))


async def test_a_return_is_previewed_and_done(api, shop) -> None:
    order = await sold(shop)
    here = f"/admin/orders/{order.id}"
    assert f"{here}/change" in (await api.get(here, headers=PEOPLE)).text
    page = (await api.get(f"{here}/change", headers=PEOPLE)).text
    chosen = {
        "id": hidden(page, "id"), "version": hidden(page, "version"), "return-1": "1", "reason-1": "changed_mind",
        "condition-1": "new", "location": str(shop.trade.at_lund.id), "refund_to": "tender",
    }  # fmt: skip
    piece = (await api.post(f"{here}/change/preview", data=chosen, headers=HTMX)).text
    assert piece.lstrip().startswith('<div id="preview"')
    assert "145.00" in piece
    wrong = await api.post(f"{here}/change/preview", data={**chosen, "return-1": "9"}, headers=HTMX)
    fault = re.search('<a href="#f-return-1">[^<]*: at most 2', wrong.text, re.IGNORECASE)
    assert fault, "the message leads to the field that it is about"
    assert re.search(r'<form id="change"[^>]* novalidate', page), (
        "else htmx sends nothing that the browser finds impossible"
    )
    agreed = {**chosen, "fingerprint": hidden(piece, "fingerprint"), "act": "apply"}
    done = await api.post(f"{here}/change", data=agreed, headers=PEOPLE)
    assert done.status_code == 303, done.text
    again = await api.post(f"{here}/change", data=agreed, headers=PEOPLE)
    assert again.status_code == 303, "pressed twice, done once"
    now = await orders.read(shop.db, order.id)
    assert (now.refunded, now.lines[0].returned) == (14_500, 1)
    stale = await api.post(f"{here}/change", data={**agreed, "id": str(new_id())}, headers=PEOPLE)
    assert stale.status_code in (409, 412)
    assert "Nothing was changed yet" in stale.text


async def test_an_exchange_and_goods_that_are_added(api, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    here = f"/admin/orders/{order.id}"
    form = {"id": str(new_id()), "add_code": "LIN-TT2", "add_quantity": "2", "act": "apply", "way": "later"}
    assert (await api.post(f"{here}/change", data=form, headers=PEOPLE)).status_code == 303
    now = await orders.read(shop.db, order.id)
    assert (now.total, now.payment_status) == (14_500 + 44_000, "unpaid")
    unknown = await api.post(
        f"{here}/change/preview", data={"cancel-1": "1", "exchange-1": "NOTHING"}, headers=HTMX
    )
    assert "Nothing was changed yet" in unknown.text
    gone = await api.post(
        f"{here}/change/preview", data={"cancel-1": "1", "exchange-1": "CAS-470"}, headers=HTMX
    )
    assert "only 0 can be had here" in gone.text
    assert "It cannot be done like this" in gone.text


async def test_a_refusal_stands_at_its_field_and_nothing_that_was_chosen_is_left_out(api, shop) -> None:
    order = await sold(shop)
    here = f"/admin/orders/{order.id}/change"

    async def said(**chosen: str) -> str:
        form = {name.replace("_1", "-1"): value for name, value in chosen.items()}
        return (await api.post(here, data={"id": str(new_id()), **form}, headers=PEOPLE)).text

    def at_field(name: str, text: str) -> str:
        return rf'id="f-{name}-error">(?s:.){{0,600}}?<span>{text}'

    title = order.lines[0].title
    many = await said(return_1="9", act="apply")
    assert re.search(at_field("return-1", "At most 2"), many)
    assert re.search(rf"{re.escape(title)}: at most 2", many, re.IGNORECASE), "the preview names the line"
    assert re.search(at_field("claim-1", "At most 2"), await said(claim_1="9", act="preview"))
    assert "Say how many come back" in await said(exchange_1="LIN-TT2", act="preview")
    both = await said(return_1="1", claim_1="1", exchange_1="LIN-TT2", act="preview")
    assert re.search(at_field("claim-1", "Either a complaint"), both)
    assert (await orders.read(shop.db, order.id)).version == order.version


async def test_an_announced_return_on_its_page(api, shop) -> None:
    order = await sold(shop)
    data = AnnounceInput(order=order.id, lines=[AnnouncedLine(position=1, quantity=2, reason="wrong_size")])
    request = await shop.db.transaction(lambda tx: return_announce.announce(tx, data))
    listed = (await api.get("/admin/returns?state=requested,received,inspected", headers=PEOPLE)).text
    assert request.number in listed
    here = f"/admin/returns/{request.id}"
    page = (await api.get(here, headers=PEOPLE)).text
    assert "Wrong size" in page
    came = {"version": hidden(page, "version"), "came-1": "1", "location": str(shop.trade.at_malmo.id)}
    assert (await api.post(f"{here}/receive", data=came, headers=PEOPLE)).status_code == 303
    page = (await api.get(here, headers=PEOPLE)).text
    look = {"version": hidden(page, "version"), "came-1": "1", "condition-1": "opened"}
    assert (await api.post(f"{here}/inspect", data=look, headers=PEOPLE)).status_code == 303
    page = (await api.get(here, headers=PEOPLE)).text
    settle = {"version": hidden(page, "version"), "refund_to": "tender"}
    assert (await api.post(f"{here}/settle", data=settle, headers=PEOPLE)).status_code == 303
    assert (await orders.read(shop.db, order.id)).refunded == 14_500
    late = await api.post(f"{here}/settle", data=settle, headers=PEOPLE)
    assert late.status_code in (409, 412)


@pytest.mark.browser
async def test_what_is_chosen_is_previewed_at_once(site: Site, shop) -> None:
    order = await sold(shop)
    request = await shop.db.transaction(
        lambda tx: return_announce.announce(
            tx, AnnounceInput(order=order.id, lines=[AnnouncedLine(position=1, quantity=1)])
        )
    )
    for width, scheme in ((390, "dark"), (1440, "light")):
        page = await site.staff(width=width, scheme=scheme)
        for path in (f"/admin/orders/{order.id}/change", "/admin/returns", f"/admin/returns/{request.id}"):
            await page.goto(path)
            assert await site.violations(page) == [], (path, width)
            assert await site.overflow(page) == 0, (path, width)
    await page.goto(f"/admin/orders/{order.id}/change")
    await page.get_by_role("button", name="More").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#preview").get_by_text("Given back")).to_be_visible()
    assert await site.violations(page) == []
    await page.get_by_role("button", name="Do it").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Changed.").first).to_be_visible()
    assert (await orders.read(shop.db, order.id)).refunded == 14_500
    assert site.complaints == []


async def test_what_was_scanned_is_something_else(api, shop) -> None:
    order = await sold(shop)
    chosen = {"id": str(new_id()), "return-1": "1", "scanned-1": "LIN-TT2"}
    piece = await api.post(f"/admin/orders/{order.id}/change/preview", data=chosen, headers=HTMX)
    assert "What was scanned (LIN-TT2) is not what was bought on this line." in piece.text


async def test_an_exchange_whose_goods_do_not_come_is_charged(api, shop) -> None:
    order = await sold(shop, 1)
    here = f"/admin/orders/{order.id}/change"
    assert "If the old ones never come" in (await api.get(here, headers=PEOPLE)).text
    form = {"id": str(new_id()), "return-1": "1", "exchange-1": "LIN-TT2", "instant": "on", "way": "later"}
    done = await api.post(here, data={**form, "act": "apply", "if_not_back": ""}, headers=PEOPLE)
    assert done.status_code == 303, done.text
    row = await shop.db.row("SELECT id, exchange, version FROM return_request")
    page = (await api.get(f"/admin/returns/{row['id']}", headers=PEOPLE)).text
    assert "If they never come it is paid by Invoice" in page
    act = await api.post(
        f"/admin/returns/{row['id']}/charge", data={"version": row["version"]}, headers=PEOPLE
    )
    assert act.status_code == 303, act.text
    page = (await api.get(f"/admin/returns/{row['id']}", headers=PEOPLE)).text
    assert "What was given instead was charged on" in page
    assert "Charge it now" not in page
    new = await orders.read(shop.db, row["exchange"])
    assert [payment.provider for payment in new.payments] == ["invoice"]


async def test_what_is_open_after_an_exchange_was_settled_is_charged_on_its_page(api, shop) -> None:
    order = await sold(shop, 2)
    form = {"id": str(new_id()), "return-1": "2", "exchange-1": "MUG-032", "instant": "on", "way": "later"}
    done = await api.post(f"/admin/orders/{order.id}/change", data={**form, "act": "apply"}, headers=PEOPLE)
    assert done.status_code == 303, done.text
    row = await shop.db.row("SELECT id, exchange FROM return_request")
    here = f"/admin/returns/{row['id']}"
    came = {"location": str(shop.trade.at_lund.id), "came-1": "1"}
    for act, data in (("receive", came), ("settle", {"refund_to": "tender"})):
        answer = await api.post(f"{here}/{act}", data=data, headers=PEOPLE)
        assert answer.status_code == 303, answer.text
    page = (await api.get(here, headers=PEOPLE)).text.replace("\xa0", " ")
    assert "145.00 of what was given instead is still open." in page
    assert (await api.post(f"{here}/charge", data={}, headers=PEOPLE)).status_code == 303
    page = (await api.get(here, headers=PEOPLE)).text
    assert "is still open" not in page
    assert "Charge it now" not in page
    new = await orders.read(shop.db, row["exchange"])
    assert [(each.provider, each.amount) for each in new.payments] == [
        ("exchange", 14_500),
        ("invoice", 14_500),
    ]


async def test_refusals_are_in_the_readers_language(api, shop) -> None:
    order = await sold(shop)
    chosen = {"id": str(new_id()), "return-1": "9"}
    swedish = {**HTMX, "accept-language": "sv"}
    piece = await api.post(f"/admin/orders/{order.id}/change/preview", data=chosen, headers=swedish)
    assert "högst 2: mer av det är inte ute" in piece.text.lower()
