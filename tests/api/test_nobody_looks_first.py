"""Who may not do something hears so before anything is looked up: nobody learns by the answer which ids and codes there are.

Walks the OpenAPI document, so a new operation is covered from its first day.
"""

import base64
from typing import Any

import httpx
import msgspec
from smallest import body_of, path_of

from account_people import Post
from applications import running
from described import DOCUMENT
from samlad.access.csrf import token_for
from samlad.access.permissions import permissions
from samlad.faces.storefront.member import COOKIE
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.http import ACTOR_SCOPE
from samlad.kernel.ids import new_id
from samlad.kernel.openapi import METHODS
from samlad.kernel.settings import Settings
from trade import build

ALSO_OF_CUSTOMERS = {
    ("post", "/api/appointments"): "customers book for themselves",
    ("post", "/api/carts/continue"): "whoever has the code or the link of a cart",
    ("post", "/api/carts/{cart_id}/channel/{channel}"): "whoever has the cart's token",
    ("post", "/api/conversations"): "everybody writes to the shop",
    ("get", "/api/conversations/{conversation_id}"): "customers read their own",
    ("get", "/api/conversations/{conversation_id}/files/{file_id}"): "customers save files of their own",
    ("post", "/api/conversations/{conversation_id}/messages"): "customers write in their own",
    ("post", "/api/orders"): "whoever has the cart's token buys it",
    ("post", "/api/questions"): "everybody asks",
}
"""Operations that name a permission of staff and are there for others as well, each with whose thing it is then."""

GUARDED = [
    (method, path, item[method])
    for path, item in sorted(DOCUMENT["paths"].items())
    for method in METHODS
    if method in item and item[method]["x-permissions"] and (method, path) not in ALSO_OF_CUSTOMERS
]


async def _answer(
    client: httpx.AsyncClient, method: str, path: str, operation: dict[str, Any]
) -> httpx.Response:
    if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
        return await client.request(method.upper(), path_of(path, operation), files={"file": b"x"})
    return await client.request(method.upper(), path_of(path, operation), json=body_of(operation))


def test_what_is_listed_is_there() -> None:
    assert len(GUARDED) > 500
    for method, path in ALSO_OF_CUSTOMERS:
        assert DOCUMENT["paths"][path][method]["x-permissions"], f"{path} names no permission (any more)"


async def test_who_lacks_the_permission_hears_nothing_else(settings: Settings, db: Database) -> None:
    """Somebody of staff with every permission but the ones that the operation names."""
    await build(db)
    sam = Actor(kind="staff", id=new_id(), name="Sam")
    acting = [sam]
    faults = []
    async with running(settings) as application:

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            scope[ACTOR_SCOPE] = acting[0]
            await application(scope, receive, send)

        transport = httpx.ASGITransport(app=asgi, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://samlad.test") as client:
            for method, path, operation in GUARDED:
                left = frozenset(permissions()) - set(operation["x-permissions"])
                acting[0] = msgspec.structs.replace(sam, permissions=left)
                answer = await _answer(client, method, path, operation)
                if answer.status_code != 403:
                    faults.append(f"{method.upper()} {path}: {answer.status_code} {answer.text}")
    assert faults == [], "\n".join(faults)


async def test_strangers_hear_nothing_but_that_they_are_strangers(settings: Settings, db: Database) -> None:
    """A guest, a customer who is signed in to the shop, and a browser with a write key of the event API."""
    trade = await build(db)
    signed_in = await Post(db, settings, trade.web).sign_in("kim@example.com")
    guest = "g" * 43
    strangers = {
        "guest": {},
        "customer": {
            "cookie": f"{COOKIE}={signed_in.token}; samlad_guest={guest}",
            "x-csrf-token": token_for(guest),
        },
        "write key": {"authorization": "Basic " + base64.b64encode(b"wk_live_browser:").decode()},
    }
    faults = []
    async with running(settings) as application:
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        for who, headers in strangers.items():
            async with httpx.AsyncClient(
                transport=transport, base_url="http://samlad.test", headers=headers
            ) as client:
                for method, path, operation in GUARDED:
                    answer = await _answer(client, method, path, operation)
                    if answer.status_code != 401:
                        faults.append(f"{who}: {method.upper()} {path}: {answer.status_code} {answer.text}")
    assert faults == [], "\n".join(faults)
