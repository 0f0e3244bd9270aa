"""Nobody reads or changes by the pages of an account what is somebody else's, or learns that it is there.

Walks the routes, so a new page is covered from its first day: say in `THEIRS` what fills the holes of its address.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from litestar.handlers import HTTPRouteHandler
from market import text_of

from account_people import Post
from samlad import app, conversations, orders, questions, subscriptions
from samlad.conversations import BeginInput
from samlad.faces.storefront.member import COOKIE
from samlad.kernel.context import GUEST, Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.settings import Settings
from samlad.orders import FulfilInput
from samlad.subscriptions import PlanInput, StartInput
from trade import ADDRESS, Trade, build

KIM, ROBIN = "kim@example.org", "robin@example.org"
THEIRS = {
    "order_id": "SELECT id FROM orders",
    "return_id": "SELECT id FROM return_request",
    "address_id": "SELECT id FROM account_address",
    "session": "SELECT s.id FROM account_session s JOIN account a ON a.id = s.account WHERE a.email = 'kim@example.org'",
    "request_id": "SELECT id FROM privacy_request",
    "subscription": "SELECT id FROM subscription",
    "conversation_id": "SELECT id FROM conversation",
    "file_id": "SELECT id FROM conversation_file",
    "question_id": "SELECT id FROM question",
    "cart": "SELECT id FROM cart WHERE kind <> 'cart'",
    "line": "SELECT l.id FROM cart_line l JOIN cart c ON c.id = l.cart WHERE c.kind <> 'cart'",
}
"""What of Kim's fills a hole."""
WORDS = {"what": "pause", "folder": "photograph", "name": "kettle.webp"}
"""Holes that are no id."""
NOT_MADE = {
    "exchange_id": "needs a provider on the network",
    "payment_id": "needs a provider on the network",
    "card": "needs a provider on the network",
    "appointment_id": "needs a service of a store that is open",
    "passkey": "needs an authenticator",
}
"""Holes that are filled with an id that nothing has, so only what a stranger hears is looked at."""


SECRETS = {"told", "token", "secret", "sealed"}
"""Holes for what only its owner has: whoever has it is meant."""


def _routes() -> Iterator[tuple[str, str]]:
    for router in app.FACES:
        for route in router.routes:
            for handler in route.route_handlers:
                if isinstance(handler, HTTPRouteHandler) and "{" in route.path_format:
                    for method in handler.http_methods & {"GET", "POST"}:
                        if route.path_format.startswith("/account/") and not SECRETS & {
                            *_holes(route.path_format)
                        }:
                            yield str(method), route.path_format


def _holes(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


async def _live(trade: Trade, post: Post, browser: httpx.AsyncClient) -> None:
    """Kim has something of everything."""
    jam = await trade.kettle(price=10_000, quantity=40)
    made = await trade.buy((jam, 2))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, made.id, FulfilInput()))
    await trade.follow()
    kim = await trade.db.value("SELECT id FROM customer WHERE email = $1", KIM)
    acting = Context(actor=Actor(kind="customer", id=kim), channel=trade.web.id)
    plan = await trade.db.transaction(
        lambda tx: subscriptions.create_plan(tx, PlanInput(code="monthly", name="Monthly", channels=["web"]))
    )
    lines = [{"variant": str(jam), "quantity": 1}]
    start = {
        "plan": str(plan.id),
        "channel": str(trade.web.id),
        "customer": str(kim),
        "lines": lines,
        "address": ADDRESS,
    }
    given = msgspec.convert(start, StartInput)
    await trade.db.transaction(lambda tx: subscriptions.start(tx, given))
    asked = BeginInput(channel=trade.web.id, subject="Kim's parcel", body="Where is it?", email=KIM)
    await trade.db.transaction(lambda tx: conversations.begin(tx, asked), acting)
    await trade.db.rows(
        """INSERT INTO conversation_file (id, message, name, type, stored_as, content, size)
           SELECT gen_random_uuid(), id, 'vase.png', 'image/png', 'vase.png', 'x', 1 FROM conversation_message RETURNING 1"""
    )
    await _visit(trade, browser, jam, made.id)


async def _visit(trade: Trade, browser: httpx.AsyncClient, variant: Any, order: Any) -> None:
    page = await browser.get("/account/addresses")
    assert page.status_code == 200
    returned = {"back-1": "1", "reason-1": "changed_mind", "instead-1": "money", "way": "send", "do": "1"}
    for path, form in {
        "/account/addresses": ADDRESS,
        "/account/data/export": {},
        "/account/wishes": {"variant": str(variant)},
        f"/account/orders/{order}/return": returned,
    }.items():
        answer = await browser.post(path, data=form)
        assert answer.status_code == 303, f"{path}: {text_of(answer.text)}"
    product = await trade.db.value("SELECT product FROM variant WHERE id = $1", variant)
    kim = await trade.db.value("SELECT id FROM customer WHERE email = $1", KIM)
    data = questions.QuestionInput(
        channel=trade.web.id, product=product, text="Does it fit an induction hob?", language="en"
    )
    acting = Context(actor=Actor(kind="customer", id=kim), channel=trade.web.id)
    await trade.db.transaction(lambda tx: questions.ask(tx, data), acting)


async def test_what_is_somebody_else_s_is_not_there(api_as: Any, db: Database, settings: Settings) -> None:
    trade = await build(db)
    post = Post(db, settings, trade.web)
    signed = {email: (await post.sign_in(email)).token for email in (KIM, ROBIN)}
    async with api_as(GUEST, accept="text/html", cookie=f"{COOKIE}={signed[KIM]}") as kim:
        await _live(trade, post, kim)
    theirs = {hole: await db.value(f"{sql} ORDER BY 1 LIMIT 1") for hole, sql in THEIRS.items()}
    assert [hole for hole, value in theirs.items() if value is None] == [], "Kim has none of these"
    routes = sorted(set(_routes()))
    unknown = (
        {hole for _, path in routes for hole in _holes(path)} - THEIRS.keys() - NOT_MADE.keys() - WORDS.keys()
    )
    assert len(routes) > 25
    assert unknown == set(), "say in THEIRS what of somebody else's fills these holes"
    happened = await db.value("SELECT count(*) FROM event")
    faults = []
    async with api_as(GUEST, accept="text/html", cookie=f"{COOKIE}={signed[ROBIN]}") as robin:
        for method, path in routes:
            answers = []
            for known in (theirs, {}):
                address = path
                for hole in _holes(path):
                    address = address.replace(
                        f"{{{hole}}}", str(WORDS.get(hole) or known.get(hole) or new_id())
                    )
                data = {"version": "1", "body": "x", "text": "x"} if method == "POST" else None
                answers.append(await robin.request(method, address, data=data))
            of_kim, of_nobody = answers
            is_same = (of_kim.status_code, of_kim.headers.get("location")) == (
                of_nobody.status_code,
                of_nobody.headers.get("location"),
            )
            if not is_same or of_kim.status_code not in (303, 404, 410, 422) or KIM in of_kim.text:
                faults.append(f"{method} {path}: {of_kim.status_code}, of nothing {of_nobody.status_code}")
    assert faults == [], "\n".join(faults)
    assert await db.value("SELECT count(*) FROM event") == happened, "something was changed"
