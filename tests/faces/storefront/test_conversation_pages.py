"""A guest and a member write from the shop, staff answer in the admin: the same conversation on every page."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest
from market import hidden, text_of

from account_people import Post
from samlad import conversations
from samlad.access.permissions import Role, permissions_of
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.database import Database
from samlad.kernel.listing import ListQuery
from samlad.kernel.settings import Settings, load
from samlad.kernel.vault import Vault
from samlad.orders import order_address
from trade import Trade, build

KIM = "kim@example.org"
SAM = Actor(kind="staff", id=uuid4(), name="Sam", permissions=permissions_of(Role.MANAGER))
PLAIN = {"accept": "text/html", "accept-language": "en"}
ASKED = {"topic": "delivery", "subject": "Where is it?", "body": "My parcel <b>never</b> came.\n\nKim"}


@pytest.fixture
def settings(dsn: str, tmp_path: Any) -> Settings:
    return load({}, home=tmp_path, database_url=dsn, pool_size=8, mail_to_log=True)


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db)


@pytest.fixture
def post(db: Database, settings: Settings, trade: Trade) -> Post:
    return Post(db, settings, trade.web)


@pytest.fixture
async def browser(api_as: Any, trade: Trade) -> AsyncIterator[httpx.AsyncClient]:
    async with api_as(GUEST, **PLAIN) as client:
        yield client


async def all_of(db: Database) -> list[conversations.Conversation]:
    return (await conversations.CONVERSATIONS.page(db, ListQuery(sort="begun_at"), None)).items


async def test_a_guest_asks_from_the_page_of_an_order(
    browser: httpx.AsyncClient, trade: Trade, settings: Settings
) -> None:
    order = await trade.buy((await trade.kettle(), 1))
    page = await browser.get(order_address.path(Vault.of(settings), order.id))
    assert page.status_code == 200
    asks = re.search(r'href="(/contact[^"]*)"[^>]*>(?:(?!</a>).)*Ask about this order', page.text, re.DOTALL)
    assert asks, "it leads to the conversation, not out of the shop into a mail program"
    form = (await browser.get(unescape(asks[1]))).text
    assert f'value="{order.number}"' in form
    assert 'value="order" selected' in form


async def test_what_is_sent_says_once_how_it_is_written(browser: httpx.AsyncClient) -> None:
    wrong = {}
    for path in (
        "/",
        "/contact",
        "/robots.txt",
        "/theme.css",
        "/sw.js",
        "/pos/sw.js",
        "/metrics",
        "/sitemap.xml",
    ):
        answer = await browser.get(path)
        if answer.headers["content-type"].count("charset=") != 1:
            wrong[path] = answer.headers["content-type"]
    assert wrong == {}


async def test_a_guest_and_the_staff_talk(
    browser: httpx.AsyncClient, post: Post, trade: Trade, api_as: Any
) -> None:
    form = (await browser.get("/contact?topic=order&order=W-1")).text
    assert 'value="W-1"' in form
    given = {**ASKED, "id": hidden(form, "id"), "name": "Kim <i>", "email": "kim"}
    wrong = await browser.post("/contact", data=given)
    assert wrong.status_code == 422
    assert "My parcel" in wrong.text, "nothing that was typed is lost"
    card = await browser.post("/contact", data={**given, "email": KIM, "body": "4111 1111 1111 1111"})
    assert card.status_code == 422
    robot = await browser.post("/contact", data={**given, "email": KIM, "website": "x"})
    assert robot.headers["location"] == "/"
    assert await all_of(trade.db) == []
    for _ in range(2):
        begun = await browser.post("/contact", data={**given, "email": KIM})
        assert begun.status_code == 303, begun.text
    (made,) = await all_of(trade.db)
    link = begun.headers["location"]
    page = await browser.get(link)
    assert "&lt;b&gt;never&lt;/b&gt;" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert (await browser.get("/conversation/nonsense")).status_code == 404
    assert (await browser.get(f"/account/conversations/{made.id}")).status_code == 303

    async with api_as(SAM, **PLAIN) as sam:
        led = await sam.get("/admin/conversations")
        assert led.headers["location"] == "/admin/conversations?state=open&sort=waiting_since"
        desk = text_of((await sam.get(led.headers["location"])).text)
        assert "Where is it?" in desk
        assert "To answer (1)" in desk
        assert "1 customer waits for an answer" in text_of((await sam.get("/admin/overview/hints")).text)
        here = f"/admin/conversations/{made.id}"
        form = (await sam.get(here)).text
        hello = {"name": "Late", "language": "en", "body": "Dear {name}, sorry.\n{agent}"}
        assert (await sam.post("/admin/conversations/replies", data=hello)).status_code == 303
        doubled = await sam.post("/admin/conversations/replies", data=hello)
        assert doubled.status_code == 409
        reply = await trade.db.value("SELECT id FROM saved_reply")
        kept = {"id": hidden(form, "id"), "seen": hidden(form, "seen"), "body": "Hello!"}
        filled = (await sam.post(here, data={**kept, "insert": str(reply)})).text
        assert "Hello!\n\nDear Kim &lt;i&gt;, sorry.\nSam</textarea>" in filled
        said = {"id": str(uuid4()), "body": "And it was a gift!"}
        assert (await browser.post(link, data=said)).status_code == 303
        crossed = await sam.post(here, data={**kept, "act": "send"})
        assert crossed.status_code == 409
        assert "And it was a gift!" in crossed.text
        assert "Hello!</textarea>" in crossed.text, "what was typed is still there"
        again = {**kept, "seen": hidden(crossed.text, "seen"), "act": "close"}
        sent = [await sam.post(here, data=again) for _ in range(2)]
        assert [each.status_code for each in sent] == [303, 303]
        noted = await sam.post(here, data={"id": str(uuid4()), "body": "Secret thing", "act": "note"})
        assert noted.status_code == 303
        (made,) = await all_of(trade.db)
        assert (made.state, made.messages, made.seen) == ("closed", 4, 2)
        looked = (await browser.get(link)).text
        assert "Hello!" in looked
        assert "Secret thing" not in looked
        assert (await all_of(trade.db))[0].seen == made.answers
        await sam.post(f"{here}/change", data={"state": "open"})
        put_off = await sam.post(f"{here}/change", data={"snooze": "tomorrow"})
        assert put_off.status_code == 303
        assert (await all_of(trade.db))[0].state == "snoozed"
        wrong = await sam.post(f"{here}/change", data={"assignee": str(uuid4())})
        assert wrong.status_code == 422
        found = text_of((await sam.get("/admin/conversations?q=gift")).text)
        assert "Where is it?" in found
        customer = text_of((await sam.get(f"/admin/customers/{made.customer}")).text)
        assert "Where is it?" in customer
        assert "Write to them" in customer
    await trade.follow()
    told = await post.mails()
    assert [each.subject for each in told] == [
        "We have got your message: Where is it?",
        "Answer: Where is it?",
    ]


async def test_a_member_finds_what_was_said_in_any_channel(
    browser: httpx.AsyncClient, post: Post, trade: Trade, api_as: Any
) -> None:
    asked = await browser.post("/account/sign-in/link", data={"email": KIM})
    assert asked.status_code == 303
    await browser.get(f"/account/link/{(await post.tokens(KIM))[0]}")
    assert "No messages yet" in (await browser.get("/account/conversations")).text
    begun = await browser.post("/contact", data={**ASKED, "id": str(uuid4())})
    assert re.fullmatch(r"/account/conversations/[0-9a-f-]{36}", begun.headers["location"])
    (made,) = await all_of(trade.db)
    async with api_as(SAM, **PLAIN) as sam:
        form = await sam.get(f"/admin/conversations/new?customer={made.customer}")
        assert KIM in form.text or "Write to somebody" in form.text
        data = {
            "id": hidden(form.text, "id"), "customer": str(made.customer), "channel": str(trade.malmo.id),
            "how": "store", "topic": "product", "subject": "A kettle", "body": "They want a red one.",
        }  # fmt: skip
        for _ in range(2):
            noted = await sam.post("/admin/conversations/new", data=data)
            assert noted.status_code == 303, noted.text
        other = noted.headers["location"].rsplit("/", 1)[1]
        page = (await browser.get("/account/conversations")).text
        assert "A kettle" in page
        assert "Where is it?" in page
        merged = await sam.post(f"/admin/conversations/{other}/merge", data={"into": str(made.id)})
        assert merged.headers["location"] == f"/admin/conversations/{made.id}"
        both = text_of((await browser.get(f"/account/conversations/{made.id}")).text)
        assert "They want a red one." in both
        assert "It goes on in another conversation." in text_of(
            (await sam.get(f"/admin/conversations/{other}")).text
        )
        apart = await sam.post(f"/admin/conversations/{other}/split", data={})
        assert apart.headers["location"] == f"/admin/conversations/{other}"
    for path in (f"/account/conversations/{made.id}", f"/account/conversations/{other}"):
        assert (await browser.post(path, data={"id": str(uuid4()), "body": "Thanks"})).status_code == 303
    assert (await browser.get(f"/account/conversations/{uuid4()}")).status_code == 404
    assert (await browser.post(f"/account/conversations/{made.id}", data={"body": " "})).status_code == 422
