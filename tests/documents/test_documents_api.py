"""Documents over HTTP: issued once, in every form, in lists and archives, by who may."""

import asyncio
import io
import zipfile
from datetime import timedelta
from typing import Any

import httpx
import pypdf
import pytest
from lxml import etree
from paper import SELLER, Paper

from samlad import carts, orders
from samlad.access.permissions import permissions
from samlad.carts import DetailsInput
from samlad.kernel.clock import now
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.ids import new_id

OWNER = Actor(kind="staff", id=new_id(), permissions=frozenset(permissions()))
BUSINESS = {
    "name": "Kaffeboden AB",
    "registration_number": "5560001122",
    "vat_number": "SE556000112201",
    "endpoint": "0007:5560001122",
    "reference": "PO-77",
}


async def test_an_invoice_is_issued_read_and_printed(api: httpx.AsyncClient, paper: Paper) -> None:
    await paper.seller()
    order = await paper.sold(19_900, quantity=2)
    path = f"/api/orders/{order.id}/documents"
    assert (await api.get(path)).json() == []
    key = {"Idempotency-Key": str(new_id())}
    answer = await api.post(path, json={"buyer": BUSINESS}, headers=key)
    assert answer.status_code == 201
    (issued,) = answer.json()
    again = await api.post(path, json={"buyer": BUSINESS}, headers=key)
    assert (again.json(), again.headers["idempotent-replay"]) == ([issued], "true")
    refused = await api.post(path, json={})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-to-issue")

    content = (await api.get(f"/api/documents/{issued['id']}")).json()
    assert content["printed"]["buyer"]["name"] == "Kaffeboden AB"
    assert content["sha256"] == issued["sha256"]
    here = f"/api/documents/{issued['id']}/document"
    page = await api.get(f"{here}.html")
    assert "Kaffeboden AB" in page.text
    assert "sha256-" in page.headers["content-security-policy"]
    pdf = await api.get(f"{here}.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert issued["number"] in pypdf.PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    xml = await api.get(f"{here}.xml")
    assert "attachment" in xml.headers["content-disposition"]
    root = etree.fromstring(xml.content)
    assert root.findtext("{*}BuyerReference") == "PO-77"


async def test_an_e_invoice_for_nobody_says_what_is_missing(api: httpx.AsyncClient, paper: Paper) -> None:
    order = await paper.sold()
    (issued,) = await paper.issue(order.id)
    answer = await api.get(f"/api/documents/{issued.id}/document.xml")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/e-invoice-incomplete")
    assert [error["field"] for error in answer.json()["errors"]] == ["seller/vat_number"]


async def test_two_requests_at_once_issue_one_invoice(api: httpx.AsyncClient, paper: Paper) -> None:
    order = await paper.sold()
    path = f"/api/orders/{order.id}/documents"
    answers = await asyncio.gather(*(api.post(path, json={}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await paper.numbers() == [1]


async def test_the_list_is_filtered_exported_and_packed(api: httpx.AsyncClient, paper: Paper) -> None:
    orders = [await paper.sold(10_000 + n) for n in range(3)]
    for order in orders:
        await paper.settle(order.id)
    await paper.take_back(orders[0].id)
    await paper.settle(orders[0].id)
    today = (await paper.of(orders[0].id))[0].issued_on
    found = (await api.get("/api/documents", params={"kind": "credit_note"})).json()["items"]
    assert [(row["number"], row["of"]) for row in found] == [("C000001", "000001")]
    by_order = (await api.get("/api/documents", params={"q": orders[1].number})).json()["items"]
    assert [row["order"] for row in by_order] == [str(orders[1].id)]
    none = await api.get("/api/documents", params={"from": str(today + timedelta(days=1))})
    assert none.json()["items"] == []
    first = (await api.get("/api/documents", params={"limit": 3, "sort": "number"})).json()
    rest = (
        await api.get("/api/documents", params={"limit": 3, "sort": "number", "cursor": first["next_cursor"]})
    ).json()
    assert [row["number"] for row in first["items"] + rest["items"]] == [
        "000001",
        "000002",
        "000003",
        "C000001",
    ]
    csv = await api.get("/api/documents", params={"format": "csv", "entity": "web"})
    assert len(csv.text.strip().splitlines()) == 5

    params = {"from": str(today), "to": str(today)}
    packed = await api.get("/api/documents/archive.zip", params=params)
    archive = zipfile.ZipFile(io.BytesIO(packed.content))
    assert archive.testzip() is None
    assert [name.rpartition("/")[2] for name in archive.namelist()] == [
        "credit_note-C000001.pdf", "invoice-000001.pdf", "invoice-000002.pdf", "invoice-000003.pdf",
    ]  # fmt: skip
    assert archive.read(archive.namelist()[1]).startswith(b"%PDF")
    wrong = await api.get("/api/documents/archive.zip", params={"from": "2026-02-01", "to": "2026-01-01"})
    assert wrong.status_code == 422


async def test_a_receipt_is_an_original_once(api: httpx.AsyncClient, paper: Paper) -> None:
    order = await paper.sold()
    path = f"/api/orders/{order.id}/receipt.escpos"
    first, second, narrow = [
        await api.get(path),
        await api.get(path),
        await api.get(path, params={"columns": 32}),
    ]
    assert first.content.startswith(b"\x1b@")
    assert b"KOPIA" not in first.content
    assert second.content.count(b"KOPIA") == narrow.content.count(b"KOPIA") == 2
    assert (await api.get(path, params={"columns": 40})).status_code == 422
    assert "Kopia" in (await api.get(f"/api/orders/{order.id}/receipt.html")).text


async def test_two_printers_at_once_print_one_original(api: httpx.AsyncClient, paper: Paper) -> None:
    order = await paper.sold()
    path = f"/api/orders/{order.id}/receipt.escpos"
    made = await asyncio.gather(*(api.get(path) for _ in range(4)))
    assert sorted(b"KOPIA" in answer.content for answer in made) == [False, True, True, True]


async def test_confirmation_and_packing_slip_are_of_the_order_as_it_is(
    api: httpx.AsyncClient, paper: Paper
) -> None:
    placed = await paper.trade.buy((await paper.trade.kettle(12_345), 2))
    confirmed = await api.get(f"/api/orders/{placed.id}/confirmation.html")
    assert placed.number in confirmed.text
    assert "246,90" in confirmed.text
    work = await paper.db.value("SELECT id FROM fulfilment WHERE order_id = $1", placed.id)
    slip = await api.get(f"/api/fulfilments/{work}/packing-slip.html")
    assert "Kim Berg" in slip.text
    assert "246,90" not in slip.text
    assert "123,45" not in slip.text
    pdf = await api.get(f"/api/fulfilments/{work}/packing-slip.pdf")
    assert placed.number in pypdf.PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    assert (await api.get(f"/api/fulfilments/{new_id()}/packing-slip.html")).status_code == 404


async def test_each_parcel_has_a_slip_of_its_own_with_its_lots_and_the_note(
    api: httpx.AsyncClient, paper: Paper
) -> None:
    trade = paper.trade
    milk, pot = await trade.kettle(1_000, quantity=0), await trade.kettle(12_345, at=trade.at_malmo)
    await trade.by_lot(milk, LOT7=2)
    cart = await trade.cart((milk, 2), (pot, 1))
    note = DetailsInput(gift_note="Happy birthday, Kim")
    await trade.db.transaction(lambda tx: carts.set_details(tx, cart.id, note))
    placed = await trade.place(cart.id)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, placed.id, orders.FulfilInput()))
    parts = await trade.db.rows("SELECT id, location FROM fulfilment WHERE order_id = $1", placed.id)
    assert len(parts) == 2
    texts = {
        part["location"]: (await api.get(f"/api/fulfilments/{part['id']}/packing-slip.html")).text
        for part in parts
    }
    here, there = texts[trade.warehouse.id], texts[trade.at_malmo.id]
    assert "LOT7" in here
    assert "LOT7" not in there
    for text in (here, there):
        assert "Happy birthday, Kim" in text
        assert "123,45" not in text


async def test_who_sells_is_said_and_checked(api: httpx.AsyncClient, paper: Paper) -> None:
    data = {"channel": str(paper.trade.web.id), "code": "nordic", **SELLER}
    made = await api.post("/api/legal-entities", json=data)
    assert made.status_code == 201
    assert made.json()["iban"] == "SE4550000000058398257466"
    assert (await api.post("/api/legal-entities", json=data)).status_code == 409
    here = f"/api/legal-entities/{made.json()['id']}"
    wrong = await api.patch(here, json={"iban": "SE00 1234", "country": "XX"})
    assert wrong.status_code == 422
    outdated = await api.patch(here, json={"name": "B"}, headers={"If-Match": '"7"'})
    assert outdated.status_code == 412
    changed = await api.patch(here, json={"name": "B"}, headers={"If-Match": made.headers["etag"]})
    assert (changed.json()["name"], changed.json()["version"]) == ("B", 2)
    assert {one["code"]: one["is_default"] for one in (await api.get("/api/legal-entities")).json()} == {
        "nordic": False, "web": True,
    }  # fmt: skip
    setting = {"settings": {"legal_entity": made.json()["id"]}}
    assert (await api.patch(f"/api/channels/{paper.trade.web.id}", json=setting)).status_code == 200
    order = await paper.sold()
    (issued,) = await paper.issue(order.id)
    assert str(issued.entity) == made.json()["id"]


@pytest.mark.parametrize(
    ("actor", "status"),
    [
        (GUEST, 401),
        (Actor(kind="staff", id=new_id(), permissions=frozenset({"orders.read"})), 403),
        (OWNER, 200),
    ],
)
async def test_documents_are_for_who_may_see_them(
    api_as: Any, paper: Paper, actor: Actor, status: int
) -> None:
    order = await paper.sold()
    (issued,) = await paper.issue(order.id)
    today = str(now().date())
    async with api_as(actor) as client:
        for path in (
            "/api/documents",
            f"/api/documents/{issued.id}",
            f"/api/documents/{issued.id}/document.pdf",
            f"/api/orders/{order.id}/documents",
            f"/api/orders/{order.id}/receipt.escpos",
            f"/api/documents/archive.zip?from={today}&to={today}",
            "/api/legal-entities",
        ):
            assert (await client.get(path)).status_code == status, path
