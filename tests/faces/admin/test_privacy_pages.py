"""Pages of consent and personal data: what holds, what was answered, exports, erasures, texts, retention."""

import io
import re
from uuid import UUID

import httpx
import pytest
from browser import Site
from PIL import Image
from playwright.async_api import expect

from samlad import privacy
from samlad.content import photograph_store, photographs
from samlad.kernel.database import Database
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.privacy import running
from trade import Trade, build


async def test_consent_and_requests_of_a_customer(
    api: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    trade = await build(db)
    body = {"channel": str(trade.web.id), "email": "kim@example.com", "name": "Kim <b>Berg</b>"}
    customer = (await api.post("/api/customers", json=body)).json()["id"]
    here = f"/admin/customers/{customer}/privacy"
    assert here in (await api.get(f"/admin/customers/{customer}")).text
    text = {"purpose": "email_marketing", "language": "en", "text": "News, <i>once</i> a week."}
    assert (await api.post("/admin/consent", data=text)).status_code == 303
    assert (await api.post("/admin/consent", data=text | {"text": ""})).status_code == 422
    assert "News, &lt;i&gt;once" in (await api.get("/admin/consent")).text

    answer = {"purpose": "email_marketing", "answer": "granted"}
    assert (await api.post(f"{here}/consent", data=answer)).status_code == 303
    assert (await api.post(f"{here}/consent", data=answer | {"purpose": "x"})).status_code == 422
    page = (await api.get(here)).text
    assert "News by e-mail" in page
    assert "Kim &lt;b&gt;" in page

    await db.rows(
        """INSERT INTO customer_tag (customer, tag, tagged_at)
           SELECT $1, 'tag-' || n, now() + n * interval '1 minute' FROM generate_series(1, 203) n RETURNING 1""",
        UUID(customer),
    )
    export = (await api.post(f"{here}/requests", data={"kind": "access"})).headers["location"]
    assert "Waits" in (await api.get(export)).text
    await running.collect(db, Vault.of(settings), UUID(export.rsplit("/", 1)[1]))
    assert "Done" in (await api.get(export)).text
    readable = (await api.get(f"{export}/export")).text
    assert "kim@example.com" in readable
    assert "Kim &lt;b&gt;" in readable
    # What is more than a page of its own part has is on the next one, in the order of time.
    assert "tag-200<" in readable
    assert "tag-201<" not in readable
    (more,) = re.findall(r'href="(\?part=[0-9]+&amp;after=200)"', readable)
    rest = (await api.get(f"{export}/export{more.replace('&amp;', '&')}")).text
    assert ("tag-200<" in rest, "tag-201<" in rest, "tag-203<" in rest, "kim@example.com" in rest) == (
        False,
        True,
        True,
        False,
    )
    assert 'href="?"' in rest
    for wrong in ("?part=x", "?part=1&after=-3", "?part=99999", "?part=²"):
        assert (await api.get(f"{export}/export{wrong}")).status_code == 200

    assert (await api.post(f"{here}/requests", data={"kind": "erasure"})).status_code == 422
    erasure = await api.post(f"{here}/requests", data={"kind": "erasure", "sure": "1"})
    assert (await api.post(f"{erasure.headers['location']}/cancel")).status_code == 303
    assert "Cancelled" in (await api.get("/admin/privacy?kind=erasure")).text

    source = {"channel": str(trade.web.id), "name": "Web"}
    number = (await api.post("/api/tracking/sources", json=source)).json()["id"]
    needs = {
        "name": "Web",
        "per_second": "9",
        "has_needs": "1",
        "needs": ["performance", "targeting"],
        "without_consent": "park",
    }
    assert (await api.post(f"/admin/tracking/{number}", data=needs)).status_code == 303
    found = (await api.get(f"/api/tracking/sources/{number}")).json()
    assert (found["needs"], found["without_consent"]) == (["performance", "targeting"], "park")
    assert "checked" in (await api.get(f"/admin/tracking/{number}")).text
    assert (await api.post(f"/admin/tracking/{number}", data=needs | {"needs": []})).status_code == 303
    assert (await api.get(f"/api/tracking/sources/{number}")).json()["needs"] == []

    rule = {"type": "page", "name": "", "days": "30"}
    assert (await api.post("/admin/retention", data=rule)).status_code == 303
    assert (await api.post("/admin/retention", data=rule | {"days": "0"})).status_code == 422
    shown = (await api.get("/admin/retention")).text
    remove = shown.split('action="/admin/retention/')[1].split('"')[0]
    assert (await api.post(f"/admin/retention/{remove}")).status_code == 303


@pytest.mark.browser
async def test_staff_write_down_an_answer_and_ask_for_erasure(
    site: Site, db: Database, settings: Settings
) -> None:
    trade: Trade = await build(db)
    await trade.buy((await trade.kettle(), 1))
    await trade.follow()
    customer = await db.value("SELECT id FROM customer")
    page = await site.staff(width=390)
    await page.goto(f"/admin/customers/{customer}")
    await expect(page.get_by_role("heading", name="Consent", exact=True)).to_be_visible()
    await site.picture(page, "customer-with-consent")
    await page.get_by_role("link", name="Consent and personal data").click()
    await page.get_by_label("Purpose").select_option("email_marketing")
    await page.get_by_role("radio", name="Yes").check()
    await page.get_by_role("button", name="Write down").click()
    await expect(page.get_by_role("table", name="Everything that was answered")).to_contain_text("Yes")
    await site.fine(page)
    await site.picture(page, "customer-privacy")
    await page.locator("summary", has_text="Erase").click()
    await page.get_by_role("checkbox", name="Erase this person for ever").check()
    await page.get_by_role("button", name="Erase").click()
    await expect(page.locator(".page-head .badge")).to_have_text("Waits")
    request = UUID(page.url.rsplit("/", 1)[1])
    await running.erase(db, Vault.of(settings), request)
    await page.reload()
    await expect(page.locator(".page-head .badge")).to_have_text("Not possible yet")
    await site.fine(page)
    await site.picture(page, "privacy-request")
    # An export shows the photographs that they sent.
    out = io.BytesIO()
    Image.new("RGB", (900, 600), "teal").save(out, "JPEG")
    sent = photographs.read(out.getvalue())
    await db.transaction(lambda tx: photograph_store.add(tx, customer, sent))
    asked = privacy.RequestInput(kind=privacy.RequestKind.ACCESS, person=customer)
    export = await db.transaction(lambda tx: privacy.ask(tx, asked))
    await running.collect(db, Vault.of(settings), export.id)
    await page.goto(f"/admin/privacy/{export.id}")
    await expect(page.get_by_role("link", name="Download with photographs")).to_be_visible()
    await page.get_by_role("link", name="Read", exact=True).click()
    photograph = page.get_by_role("img", name="A photograph they sent")
    await photograph.scroll_into_view_if_needed()
    await expect(photograph).to_have_js_property("naturalWidth", 900)
    await site.fine(page)
    await site.picture(page, "privacy-export")
    for path, name in (("/admin/consent", "consent"), ("/admin/retention", "retention")):
        await page.goto(path)
        await site.fine(page)
        await site.picture(page, name)
