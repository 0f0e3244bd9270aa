"""Receipts that a till signs without network: WebCrypto signs in Chromium, the server checks, and a stranger reads what is known."""

import base64
import io
import json
from uuid import uuid4

import httpx
import pytest
import zxingcpp
from browser import Site, session_of
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from market import Market, text_of
from PIL import Image
from playwright.async_api import Page, expect
from test_kiosk import _become, as_kiosk, at_terminal, by_card, entry, sent, with_terminal
from test_kiosk import device as device
from test_till_day import EVICT
from test_till_offline import TILL, _open, _ready, _scan

from samlad.access.csrf import token_for
from samlad.access.rate import LocalLimit
from samlad.faces.storefront import limits
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.tills import RevokeInput, check_receipt, code_in, revoke_key, signed

KEY = """async (but) => {
    const { meta, open } = await import("/static/pos/offline/database.js");
    for (let tries = 0; tries < 600; tries++) {
        const db = await open("soder"), kid = (await meta(db, "key"))?.kid;
        db.close();
        if (kid && kid !== but) return kid;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("the server does not know the till's key");
}"""
OF_KEY = """async () => {
    const { meta, open } = await import("/static/pos/offline/database.js");
    const { pair } = await meta(await open("soder"), "key");
    const raw = await crypto.subtle.exportKey("pkcs8", pair.privateKey).then(() => "taken out", (error) => error.name);
    return [pair.privateKey.extractable, pair.privateKey.algorithm.namedCurve, raw];
}"""


async def _kid(page: Page, but: str = "") -> str:
    """The till's key once the server knows it."""
    return str(await page.evaluate(KEY, but))


async def _sold(page: Page) -> str:
    """Ring one up; what its code says, read from the screen as a scanner does."""
    await _scan(page, "KETTLE")
    await page.locator('[data-pay="card"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#done")).to_be_visible()
    return await _scanned(page)


async def _scanned(page: Page) -> str:
    code = page.locator("#receipt-code")
    await expect(code.locator("svg")).to_be_visible()
    picture = Image.open(io.BytesIO(await code.screenshot(scale="css")))
    [found] = zxingcpp.read_barcodes(picture.resize((picture.width * 4, picture.height * 4)))
    return found.text


async def _says(page: Page, address: str) -> tuple[int, str]:
    """What a stranger sees behind a code."""
    answer = await page.context.request.get(f"/receipt/{code_in(address) or address}")
    return answer.status, text_of(await answer.text())


@pytest.mark.browser
@pytest.mark.slow
async def test_a_receipt_of_a_till_without_network_can_be_checked(site: Site, market: Market) -> None:
    await market.product(sku="KETTLE", title="Kittel", price=19_900, stock=(9, 0))
    page = await site.staff(service_workers="allow")
    stranger = await site.visitor(locale="en")
    await _ready(page)
    kid = await _kid(page)
    assert await page.evaluate(OF_KEY) == [False, "P-256", "InvalidAccessError"]
    await page.context.set_offline(True)
    await _open(page)
    address = await _sold(page)
    await site.fine(page)
    await site.picture(page, "till-signed-receipt")
    assert "/receipt/T1." in address
    # The server knows whose it is before it has heard of the sale.
    found = await check_receipt(market.db, code_in(address) or "")
    assert found is not None
    assert (found.key.kid, found.standing, found.came) == (kid, "good", None)
    assert (found.receipt.total, found.receipt.currency, found.receipt.sequence) == (19_900, "SEK", 1)
    status, said = await _says(stranger, address)
    assert (status, "The signature is right" in said, "Its sale is not here yet" in said) == (200, True, True)
    await stranger.goto(f"/receipt/{code_in(address)}")
    await site.fine(stranger)
    await site.picture(stranger, "till-signed-not-here")
    token = code_in(address) or ""
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    assert (await _says(stranger, forged))[0] == 404
    # The sale comes.
    await page.locator("#next").click()
    await page.context.set_offline(False)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
    status, said = await _says(stranger, address)
    assert (status, "Kittel" in said, "not here yet" in said) == (200, True, False)
    desk = await page.context.request.get(f"{TILL}/returns?q={address}")
    order = await market.db.value("SELECT id FROM orders")
    assert f"{TILL}/returns/{order}" in await desk.text()
    # The browser throws its database away: another key, and what the old one signed stays good.
    await page.goto("/receipt/none")
    await page.evaluate(EVICT)
    await page.goto(f"{TILL}/offline")
    await _open(page)
    other = await _kid(page, but=kid)
    assert other != kid
    assert await market.db.value("SELECT count(*) FROM till_key WHERE replaced_at IS NULL") == 1
    assert "The signature is right" in (await _says(stranger, address))[1]
    # Its key is taken back: what is older says so, and the till makes another at its next load.
    await market.db.transaction(
        lambda tx: revoke_key(tx, kid, RevokeInput(reason="lost")), Context(actor=SYSTEM)
    )
    assert "the key was taken back since" in (await _says(stranger, address))[1]
    await market.db.transaction(lambda tx: revoke_key(tx, other, RevokeInput()), Context(actor=SYSTEM))
    await page.reload()
    await _open(page)
    third = await _kid(page, but=other)
    await page.context.set_offline(True)
    found = await check_receipt(market.db, code_in(await _sold(page)) or "")
    assert found is not None
    assert (found.key.kid, found.standing) == (third, "good")


@pytest.mark.browser
@pytest.mark.slow
async def test_training_and_a_till_whose_key_nobody_knows_have_no_code(site: Site, market: Market) -> None:
    await market.product(sku="KETTLE", title="Kittel", price=19_900, stock=(9, 0))
    page = await site.staff(service_workers="allow")
    await page.context.route("**/api/till-keys", lambda route: route.abort())
    await _ready(page)
    await page.context.set_offline(True)
    await _open(page)
    await _scan(page, "KETTLE")
    await page.locator('[data-pay="card"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#done")).to_be_visible()
    await expect(page.locator("#receipt-code[data-sale]")).to_be_hidden()
    await page.locator("#next").click()
    await page.context.unroute("**/api/till-keys")
    await page.context.set_offline(False)
    await _kid(page)
    await page.locator("#training").evaluate("(box) => box.click()")
    await expect(page.locator("#is-training")).to_be_visible()
    await _scan(page, "KETTLE")
    await page.locator('[data-pay="card"]').click()
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#receipt-kind")).not_to_be_empty()
    await expect(page.locator("#receipt-code[data-sale]")).to_be_hidden()
    assert site.complaints == []


@pytest.mark.browser
@pytest.mark.slow
async def test_a_kiosk_signs_too(site: Site, market: Market) -> None:
    await market.product(sku="KETTLE", title="Kittel", price=19_900, stock=(9, 0))
    page = await _become(site, market, width=1440)
    kid = await _kid(page)
    await page.locator("#begin").click()
    await page.locator("#code").fill("KETTLE")
    await page.keyboard.press("Enter")
    await page.locator("#pay-open").click()
    await page.locator("#pay-card").click()
    await expect(page.locator("#card-state")).to_contain_text("väntar på ditt kort")
    await at_terminal(market, "approve")
    address = await _scanned(page)
    found = await check_receipt(market.db, code_in(address) or "")
    assert found is not None
    assert (found.key.kid, found.standing, found.receipt.total) == (kid, "good", 19_900)
    await site.fine(page)
    await site.picture(page, "kiosk-signed-receipt")
    await page.locator("#finish").click()
    await expect(page.locator("#receipt-code svg")).to_have_count(0)


async def test_the_key_of_a_kiosk_that_is_taken_back_counts_no_more(
    device: httpx.AsyncClient, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    await as_kiosk(device)
    till = uuid4()
    private = ec.generate_private_key(ec.SECP256R1())
    raw = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    name = f"{till.hex[-4:].upper()}-"

    def token_of(sequence: int, total: int, seconds: int) -> str:
        moment = int(now().timestamp()) + seconds
        content = [signed.key_id(raw), f"{name}{sequence:06d}", moment, total, "SEK"]
        head = f"T1.{_text(json.dumps(content).encode())}"
        r, s = utils.decode_dss_signature(private.sign(head.encode(), ec.ECDSA(SHA256())))
        return f"{head}.{_text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    async def says(token: str) -> str:
        seen = await device.get(f"/receipt/{token}")
        assert seen.status_code == 200
        return text_of(seen.text)

    token = token_of(1, 9_900, -60)
    assert (await device.get(f"/receipt/{token}")).status_code == 404  # nobody has named the key
    answer = await device.post(
        "/api/till-keys", json={"channel": "soder", "till": str(till), "public": _text(raw)}
    )
    assert answer.status_code == 200, answer.text
    assert "Its sale is not here yet" in await says(token)
    made = await market.product(title="Kettle", sku="KTL", price=9_900, stock=(9, 0))
    await with_terminal(market)
    good = await by_card(device, market, entry(made.variants[0].id, 9_900, till=str(till)))
    odd = entry(made.variants[0].id, 9_900, till=str(till), sequence=2)
    odd["tenders"] = [{"kind": "cash", "amount": 9_900, "tendered": 9_900}]
    verdicts = await sent(device, good, odd)
    assert [each["verdict"] for each in verdicts] == ["recorded", "kept"]
    assert "Kettle" in await says(token)
    dear = await says(token_of(1, 99_900, -60))
    assert "The total differs" in dear
    assert "Kettle" not in dear
    assert "The store still looks at this sale" in await says(token_of(2, 9_900, -60))
    assert "Its sale is not here yet" in await says(token_of(3, 9_900, -60))
    for path in (
        "/api/till-keys",
        f"/api/till-keys/{signed.key_id(raw)}/revoke",
    ):  # a kiosk names its own, no more
        refused = await (device.get(path) if path.endswith("keys") else device.post(path, json={}))
        assert refused.status_code in (303, 401, 403), path
    kiosk = await market.db.value("SELECT id FROM session WHERE kiosk IS NOT NULL")
    owner = await session_of(market.db)
    device.cookies.clear()
    device.cookies.set("samlad_session", owner)
    ended = await device.post(f"{TILL}/kiosks/{kiosk}/end", headers={"x-csrf-token": token_for(owner)})
    assert ended.status_code == 303
    assert "the key was taken back since" in await says(token)
    assert "Signed after the key was taken back" in await says(token_of(4, 9_900, 3_600))
    # Strangers reach it: one address cannot go on for ever, whatever it brings.
    monkeypatch.setattr(limits, "receipts", LocalLimit(per_second=0.001, burst=2))
    codes = [(await device.get(f"/receipt/{each}")).status_code for each in (token, "T1.x.y", token)]
    assert codes == [200, 404, 429]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
