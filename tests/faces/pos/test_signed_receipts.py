"""Receipts that prove themselves: signed by a key of the installation, checked by anybody, scanned where goods come back."""

import base64
import string
from datetime import UTC, datetime

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from market import Market, hidden, text_of
from test_till_credit import on_ticket

from samlad import documents
from samlad.access.rate import LocalLimit
from samlad.documents import printing, signing
from samlad.documents.mailing import text_of as mail_of
from samlad.documents.model import Slip
from samlad.documents.signing import SignedReceipt
from samlad.documents.writing import Writer
from samlad.faces.storefront import limits
from samlad.orders import read

KEY = Ed25519PrivateKey.generate()
SEGMENTS = string.ascii_letters + string.digits + "-_"


@given(
    st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20),
    st.text(string.ascii_uppercase + string.digits + "-", min_size=1, max_size=30),
    st.integers(0, 4_000_000_000),
    st.integers(-(10**12), 10**12),
    st.data(),
)
def test_what_was_signed_is_read_and_nothing_else(
    store: str, number: str, at: int, total: int, data: st.DataObject
) -> None:
    receipt = SignedReceipt(
        store=store, number=number, at=datetime.fromtimestamp(at, UTC), total=total, currency="SEK"
    )
    token = signing.signed(KEY, receipt)
    assert signing.token_in(f"https://shop.test/receipt/{token}\n") == token
    assert signing.checked(KEY.public_key(), token) == receipt
    assert signing.checked(Ed25519PrivateKey.generate().public_key(), token) is None
    place = data.draw(st.integers(3, len(token) - 1))
    other = data.draw(st.sampled_from(SEGMENTS))
    if token[place] not in (".", other):
        assert signing.checked(KEY.public_key(), f"{token[:place]}{other}{token[place + 1 :]}") is None
    assert signing.checked(KEY.public_key(), data.draw(st.text(max_size=200))) is None


async def test_a_receipt_is_checked_and_scanned_where_goods_come_back(
    clerk: httpx.AsyncClient, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    await on_ticket(clerk, market)
    html = (await clerk.get("/pos/soder/pay?by=cash")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "cash", "tendered": "200.00"}
    page = (await clerk.post("/pos/soder/pay", data=form)).headers["location"]
    shown = (await clerk.get(page)).text
    assert "Code by which this receipt can be checked" in shown
    order = await read(market.db, await market.db.value("SELECT id FROM orders"))
    address = await documents.receipt_address(market.db, order, market.stores[0])
    token = documents.token_in(address)
    assert token is not None
    seen = await clerk.get(f"/receipt/{token}")
    said = text_of(seen.text)
    assert seen.status_code == 200
    assert "The signature is right" in said
    assert order.number in said
    assert "Kettle" in said
    # Changed, it is nobody's.
    forged = await clerk.get(f"/receipt/{token[:-3]}AAA")
    assert forged.status_code == 404
    assert "This is no receipt of ours" in text_of(forged.text)
    # Whoever has the published key can check it without us.
    [key] = (await clerk.get("/.well-known/samlad-receipts")).json()["keys"]
    head, signature = token.rsplit(".", 1)
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(base64.urlsafe_b64decode(signature + "=="), head.encode())
    with pytest.raises(InvalidSignature):
        public.verify(base64.urlsafe_b64decode(signature + "=="), f"{head}x".encode())
    sealed = await market.db.value("SELECT sealed FROM secret WHERE name = $1", signing.NAME)
    assert (await signing.key_of(market.db)).private_bytes_raw() not in sealed
    # Where goods come back the code is scanned like a number; a forged one finds nothing.
    found = await clerk.get("/pos/soder/returns", params={"q": address})
    assert f"/pos/soder/returns/{order.id}" in found.text
    none = await clerk.get("/pos/soder/returns", params={"q": f"{token[:-3]}AAA"})
    assert "This receipt is not ours" in text_of(none.text)
    # Strangers reach it: one address cannot go on for ever, whatever it brings.
    monkeypatch.setattr(limits, "receipts", LocalLimit(per_second=0.001, burst=2))
    codes = [(await clerk.get(f"/receipt/{each}")).status_code for each in (token, "S1.x.y", token, "S1.x.y")]
    assert codes == [200, 404, 429, 429]
    # On paper, by mail and as a page for printing.
    printed = await printing.slip_of(market.db, order, Slip.RECEIPT)
    assert printed.check == address
    assert address in mail_of(printed, Writer("en", "Europe/Stockholm", "SEK", "SE"), "")
    assert b'class="check"><svg' in await printing.receipt_page(market.db, order.id, is_copy=False)
    assert (await printing.slip_of(market.db, order, Slip.CONFIRMATION)).check == ""
