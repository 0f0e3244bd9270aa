"""The clerk finds a customer, sees what a clerk may see, and puts them on the ticket."""

import re
from typing import Any

import httpx
from market import Market, text_of

from samlad import accounts, credit, customers
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Resource
from samlad.clienteling import SERVE
from samlad.credit import GrantInput, ProgrammeInput, Rate
from samlad.customers import NoteInput, PersonInput, TagsInput
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id


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


async def test_a_clerk_serves_a_customer_on_the_phone(
    clerk: httpx.AsyncClient, market: Market, api_as: Any
) -> None:
    pool = market.web.pools[Resource.CUSTOMERS]
    data = PersonInput(email="kim@example.org", name="نور Berg", phone="+46701234567")
    kim = await market.db.transaction(lambda tx: customers.find_or_create(tx, pool, data))
    kettle = (await market.product(stock=(3,))).variants[0].id
    here = f"/pos/soder/customers/{kim.id}"
    assert "نور Berg" in text_of((await clerk.get("/pos/soder/customers?q=070-123 45 67")).text)
    assert "Nothing is planned" in text_of((await clerk.get(here)).text)
    rows = await market.db.rows(
        "SELECT verb, subject, after FROM audit_entry WHERE verb LIKE 'customer.%' ORDER BY at"
    )
    assert [(row["verb"], row["subject"]) for row in rows] == [
        ("customer.searched", market.places[0].id),
        ("customer.looked-up", kim.id),
    ]
    assert "070" not in str([row["after"] for row in rows]), "what was typed is nobody's business"
    assert (await clerk.post(f"{here}/notes", data={"text": "Likes blue"})).status_code == 303
    wrong = await clerk.post(f"{here}/follow-ups", data={"task": "Call", "due_on": "soon"})
    assert wrong.status_code == 422
    assert "Call" in wrong.text
    kept = await clerk.post(f"{here}/follow-ups", data={"task": "Call them", "due_on": "2026-01-05"})
    assert kept.status_code == 303
    assert (await clerk.post(f"{here}/clerk")).status_code == 303
    assert "Nobody in this store" in text_of((await clerk.get(here)).text), "without a yes nobody's"
    await clerk.post(f"{here}/clerk", data={"agreed": "1"})
    seen = text_of((await clerk.get(here)).text)
    assert "Likes blue" in seen
    assert "Not my customer any more" in seen
    mine = await clerk.get("/pos/soder/clients")
    assert "Call them" in text_of(mine.text)
    assert "<bdi>نور Berg</bdi>" in mine.text
    task = await market.db.value("SELECT id FROM follow_up")
    assert (await clerk.post(f"/pos/soder/follow-ups/{task}/done")).status_code == 303
    assert "Call them" not in text_of((await clerk.get(here)).text)

    found = await clerk.get(f"{here}/advise?q=KETTLE")
    assert "To their cart" in text_of(found.text)
    for to in ("wish", "cart"):
        put = await clerk.post(f"{here}/advise", data={"q": "KETTLE", "variant": str(kettle), "to": to})
        assert put.status_code == 303
    held = await market.db.rows(
        "SELECT c.kind, l.variant FROM cart c JOIN cart_line l ON l.cart = c.id ORDER BY 1"
    )
    assert [(row["kind"], row["variant"]) for row in held] == [("cart", kettle), ("wish", kettle)]
    shared = await clerk.get(f"{here}/share")
    link = re.search(r"<code>https?://[^/]+(/wishes/[^<]+)</code>", shared.text)
    assert link is not None
    async with api_as(Actor(kind="guest"), accept="text/html") as visitor:
        assert "Kettle" in text_of((await visitor.get(link[1])).text)
    lesser = Actor(
        kind="staff",
        id=new_id(),
        permissions=permissions_of(Role.STORE) - {SERVE},
        locations=frozenset({market.places[0].id}),
    )
    async with api_as(lesser, accept="text/html") as other:
        assert "Likes blue" in (await other.get(here)).text
        assert "Plan a follow-up" not in (await other.get(here)).text
        for refused in (f"{here}/advise", f"{here}/share", "/pos/soder/clients"):
            assert (await other.get(refused)).status_code == 403
        assert (await other.post(f"{here}/notes", data={"text": "x"})).status_code == 403


async def test_somebody_new_is_written_down_at_the_till(clerk: httpx.AsyncClient, market: Market) -> None:
    here, pool = "/pos/soder/customers/new", market.stores[0].pools[Resource.CUSTOMERS]
    programme = ProgrammeInput(
        channel=market.stores[0].id, name="Klubben", rates=[Rate(currency="SEK", spend=1_000, points=1)]
    )
    await market.db.transaction(lambda tx: credit.set_programme(tx, programme))
    found = (await clerk.get("/pos/soder/customers?q=siv@example.org")).text
    assert f"{here}?q=siv%40example.org" in found or f"{here}?q=siv@example.org" in found
    asked = (await clerk.get(f"{here}?q=siv@example.org")).text
    assert 'value="siv@example.org"' in asked
    assert "Joins Klubben" in text_of(asked)
    # Nothing is half done: who wants news without an address is not written down yet.
    half = await clerk.post(here, data={"name": "Siv", "phone": "070-123 45 67", "news": "1"})
    assert half.status_code == 422
    assert "need an e-mail address" in text_of(half.text)
    assert await market.db.value("SELECT count(*) FROM customer WHERE pool = $1", pool) == 0
    typed = {"name": "Siv", "email": "siv@example.org", "phone": "070-123 45 67", "member": "1", "news": "1"}
    done = await clerk.post(here, data=typed)
    assert (done.status_code, done.headers["location"]) == (303, "/pos/soder")
    assert "Siv" in text_of((await clerk.get("/pos/soder")).text)
    [siv] = await market.db.rows("SELECT id, name, email FROM customer WHERE pool = $1", pool)
    assert await market.db.value("SELECT customer FROM loyalty_member") == siv["id"]
    assert await market.db.value("SELECT customer FROM cart WHERE status = 'open'") == siv["id"]
    asks = "SELECT count(*) FROM event WHERE type = 'consent.asked'"
    assert await market.db.value(asks) == 1
    # The same once more is somebody whom the shop knows: the way to them is there.
    again = await clerk.post(here, data=typed)
    assert again.status_code == 409
    assert f"/pos/soder/customers/{siv['id']}" in again.text
    number = await clerk.post(here, data={"name": "Siv", "phone": "+46 70 123 45 67"})
    assert number.status_code == 409
    assert "with this telephone number" in text_of(number.text)
    assert await market.db.value(asks) == 1
