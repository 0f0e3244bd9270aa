"""Invoices in the admin and for customers, without and with a browser."""

import io
import re

import httpx
import pytest
from browser import Site
from market import text_of
from PIL import Image
from playwright.async_api import expect

from samlad import channels, documents
from samlad.kernel.context import GUEST
from samlad.kernel.ids import new_id

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def go_on(api: httpx.AsyncClient, path: str, **sent: str) -> str:
    """What a form answers, or the page that it leads to."""
    answer = await api.post(path, data=sent, headers=PEOPLE)
    if answer.status_code == 303:
        answer = await api.get(answer.headers["location"], headers=PEOPLE)
    return answer.text


async def test_an_invoice_is_issued_on_the_page_of_its_order(api, shop) -> None:
    order = await shop.buy("MUG-032", 2)
    here = f"/admin/orders/{order.id}"
    assert "No invoice was issued." in (await api.get(here, headers=PEOPLE)).text
    wrong = await go_on(api, f"{here}/documents", issue="1", **{"buyer-endpoint": "nowhere"})
    assert "We cannot use this as it is written." in wrong
    page = await go_on(api, f"{here}/documents", issue="1", **{"buyer-name": "Kaffeboden AB"})
    assert "Issued: 000001" in text_of(page)
    (issued,) = await documents.of_order(shop.db, order.id)
    assert f"/api/documents/{issued.id}/document.pdf" in page
    listed = text_of((await api.get("/admin/documents", headers=PEOPLE)).text)
    assert "Kaffeboden AB" in listed
    assert "Nothing fits" in (await api.get("/admin/documents?kind=credit_note", headers=PEOPLE)).text
    days = f"from={issued.issued_on}&to={issued.issued_on}"
    assert "archive.zip" in (await api.get(f"/admin/documents?{days}", headers=PEOPLE)).text


async def test_who_sells_is_changed_at_its_fields(api, shop) -> None:
    assert "Nothing is said yet" in (await api.get("/admin/legal-entities", headers=PEOPLE)).text
    made = await api.post("/admin/legal-entities/default", headers=PEOPLE)
    here = made.headers["location"]
    fields = {
        "name": "Kök & Kaffe AB", "country": "SE", "currency": "SEK", "number_digits": "5", "year_begins": "7",
        "invoice_prefix": "F{yyyy}-", "credit_prefix": "K{yyyy}-", "is_yearly": "1", "version": "1",
    }  # fmt: skip
    wrong = await go_on(api, here, **fields, iban="SE00")
    assert "Not an IBAN" in wrong
    page = await go_on(api, here, **fields, iban="SE45 5000 0000 0583 9825 7466", vat_number="SE556721204701")
    assert "Saved." in page
    (entity,) = await documents.all_entities(shop.db)
    assert (entity.name, entity.number_digits, entity.year_begins, entity.is_yearly) == (
        "Kök & Kaffe AB", 5, 7, True,
    )  # fmt: skip
    assert entity.iban == "SE4550000000058398257466"


async def test_a_customer_takes_the_invoice_with_the_link_of_the_order(api_as, shop) -> None:
    order, other = await shop.buy("MUG-032", 1), await shop.buy("MUG-032", 1)
    for one in (order, other):
        await shop.db.transaction(lambda tx, one=one: documents.issue(tx, one.id, documents.IssueInput()))
    (issued,) = await documents.of_order(shop.db, order.id)
    (others,) = await documents.of_order(shop.db, other.id)
    async with api_as(GUEST, **PEOPLE) as guest:
        vault = guest._transport.app.__closure__
        application = next(cell.cell_contents for cell in vault if hasattr(cell.cell_contents, "state"))
        link = application.state.runtime.vault.sign("storefront.order", order.id.hex)
        page = (await guest.get(f"/order/{link}")).text
        (href,) = re.findall(r'href="(/order/[^"]+/file\.pdf)"', page)
        pdf = await guest.get(href)
        assert pdf.content.startswith(b"%PDF")
        assert "no-store" in pdf.headers["cache-control"]
        strange = href.replace(str(issued.id), str(others.id))
        assert (await guest.get(strange)).status_code == 404
        assert (await guest.get(href.replace(link, link[:-2] + "xx"))).status_code == 404


@pytest.mark.browser
async def test_an_invoice_is_issued_and_found_in_a_browser(site: Site, shop) -> None:
    order = await shop.buy("MUG-032", 2)
    page = await site.staff()
    await page.goto(f"/admin/orders/{order.id}")
    await page.get_by_text("Issue the invoice").first.click()
    await page.get_by_label("Name of the business").fill("Kaffeboden AB")
    await page.get_by_role("button", name="Issue the invoice").click()
    await expect(page.get_by_text("Issued: 000001")).to_be_visible()
    assert await site.violations(page) == []
    await page.goto("/admin/documents")
    await expect(page.get_by_role("link", name="000001", exact=True)).to_be_visible()
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await site.violations(page) == []
    await page.get_by_role("link", name="000001", exact=True).click()
    await expect(page.get_by_role("heading", name="Faktura")).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight") == "700"
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.goto("/admin/legal-entities")
    await page.locator("#main").get_by_role("link", name="Web").click()
    await page.get_by_label("VAT number").fill("SE556721204701")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved. It holds from now on.")).to_be_visible()
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await site.violations(page) == []
    assert site.complaints == []


async def test_a_company_has_a_logo_of_its_own(api, shop) -> None:
    made = await api.post("/admin/legal-entities/default", headers=PEOPLE)
    here = made.headers["location"].partition("?")[0]
    content = io.BytesIO()
    Image.new("RGB", (600, 200), "#0a6353").save(content, "PNG")
    where = f"{here}/logo"
    sent = await api.post(
        where, headers=PEOPLE, files={"logo": ("logo.png", content.getvalue(), "image/png")}
    )
    assert sent.status_code == 303, sent.text
    [entity] = await documents.all_entities(shop.db)
    assert entity.logo.startswith("data:image/")
    page = (await api.get(here, headers=PEOPLE)).text
    assert f'src="{entity.logo}" alt="{entity.name}"' in page
    for bad, said in (
        (b"MZ no picture", "no picture that we can read"),
        (b"x" * (5 * 1024 * 1024 + 1), "too large"),
    ):
        refused = await api.post(where, headers=PEOPLE, files={"logo": ("logo.png", bad, "image/png")})
        assert (refused.status_code in (413, 422), said in refused.text) == (True, True), said
    assert "Please choose a file" in (await api.post(where, headers=PEOPLE, data={"version": "2"})).text
    gone = await api.post(where, headers=PEOPLE, data={"remove": "1"})
    assert gone.status_code == 303
    [entity] = await documents.all_entities(shop.db)
    assert entity.logo == ""


async def test_several_companies_and_which_channel_sells_for_whom(api, shop) -> None:
    await api.post("/admin/legal-entities/default", headers=PEOPLE)
    page = (await api.get("/admin/legal-entities/new", headers=PEOPLE)).text
    assert "It sells where the orders of this channel are" in page
    form = {"name": "Nordic AB", "code": "nordic", "channel": str(shop.trade.web.id), "invoice_prefix": "N"}
    made = await api.post("/admin/legal-entities/new", data=form, headers=PEOPLE)
    assert made.status_code == 303, made.text
    entity = made.headers["location"].split("/")[-1].split("?")[0]
    again = await api.post("/admin/legal-entities/new", data=form, headers=PEOPLE)
    assert again.status_code == 409
    chosen = {f"seller-{shop.trade.malmo.id}": entity}
    saved = await api.post("/admin/legal-entities/channels", data=chosen, headers=PEOPLE)
    assert saved.status_code == 303
    malmo = await channels.get(shop.db, shop.trade.malmo.id)
    assert malmo.own.settings["legal_entity"] == entity
    stranger = {f"seller-{shop.trade.malmo.id}": str(new_id())}
    await api.post("/admin/legal-entities/channels", data=stranger, headers=PEOPLE)
    assert (await channels.get(shop.db, malmo.id)).own.settings["legal_entity"] == entity, "nobody we know"
