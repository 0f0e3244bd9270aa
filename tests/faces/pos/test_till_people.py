"""The clerk finds a customer, sees what a clerk may see, and puts them on the ticket."""

import httpx
from market import Market, text_of

from samlad import credit, customers
from samlad.channels import Resource
from samlad.credit import GrantInput
from samlad.customers import NoteInput, PersonInput, TagsInput
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
    missing = await clerk.get(f"{here}/{market.web.id}")
    assert missing.status_code == 404
