"""The clerk finds a customer, sees what a clerk may see, and puts them on the ticket."""

import re

import httpx
from market import Market, text_of

from samlad import accounts, credit, customers
from samlad.channels import Resource
from samlad.credit import GrantInput
from samlad.customers import NoteInput, PersonInput, TagsInput
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx


async def test_a_customer_is_found_and_put_on_the_ticket(clerk: httpx.AsyncClient, market: Market) -> None:
    async def known(tx: Tx) -> customers.Customer:
        kim = await customers.find_or_create(
            tx, market.web.pools[Resource.CUSTOMERS], PersonInput(email="kim@example.org", name="نور Berg")
        )
        await customers.tag(tx, kim.id, TagsInput(tags=["regular"]))
        await customers.add_note(tx, kim.id, NoteInput(text="Left-handed", for_clerks=True))
        await customers.add_note(tx, kim.id, NoteInput(text="Has complained"))
        await credit.grant(tx, kim.id, GrantInput(amount=5_000, currency="SEK", reason="Late"))
        return kim

    kim = await market.db.transaction(known)
    here = "/pos/soder/customers"
    assert "Two letters are enough" in text_of((await clerk.get(here)).text)
    assert "Nobody fits" in text_of((await clerk.get(f"{here}?q=zzz")).text)
    assert "نور Berg" in text_of((await clerk.get(f"{here}?q=kim@")).text)
    seen = text_of((await clerk.get(f"{here}/{kim.id}")).text)
    for shown in ("regular", "Left-handed", "Store credit", "50", "Nothing yet."):
        assert shown in seen
    assert "Has complained" not in seen
    put = await clerk.post(f"{here}/{kim.id}")
    assert put.status_code == 303
    cart = await market.db.row("SELECT c.customer, h.code FROM cart c JOIN channel h ON h.id = c.channel")
    assert cart is not None
    assert (cart["customer"], cart["code"]) == (kim.id, "soder")
    assert "نور Berg" in text_of((await clerk.get("/pos/soder")).text)
    # A code for their own phone: what the page shows signs them in, and nobody else's page shows one.
    shown = (await clerk.post(f"{here}/{kim.id}/code")).text
    digits = re.search(r"code-digits[^>]*>(\d{3}) (\d{3})<", shown)
    assert digits is not None
    visitor = Context(actor=Actor(kind="guest"), remote="192.0.2.9")
    typed = accounts.with_digits(market.db, visitor, market.web, "kim@example.org", "".join(digits.groups()))
    assert (await typed).customer.id == kim.id
    assert (await clerk.post(f"{here}/{market.web.id}/code")).status_code == 404
    missing = await clerk.get(f"{here}/{market.web.id}")
    assert missing.status_code == 404
