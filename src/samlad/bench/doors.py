"""The doors that a shop sells through at once, and what is said at each to somebody who comes too late.

``api``: a cart of the webshop is ordered. ``till``: a clerk takes the money for the ticket of a store's till, on the page
that asks for stock first. ``marketplace``: an order that was agreed and paid there arrives through its connector.
"""

import base64
import re
import zlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from samlad import tills
from samlad.access import csrf, sessions, staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.bench import shop as shops
from samlad.bench.shop import Shop
from samlad.bench.wire import Answer, request
from samlad.carts import Delivery, DetailsInput
from samlad.channels import Channel, ChannelKind
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.tills.model import LeaseInput, LeaseLine

Door = Literal["api", "till", "marketplace"]
DOORS: tuple[Door, ...] = ("api", "till", "marketplace")

_SET_COOKIE = re.compile(rb"\r\nset-cookie: flash=([^;.\r]+)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: *([^\r]+)", re.IGNORECASE)
_TOO_LATE = b"Somebody was quicker"


class Doors(msgspec.Struct, frozen=True):
    """A webshop with a store and a marketplace that sell the same goods out of the same stock; ``session`` is a clerk's."""

    shop: Shop
    store: Channel
    location: UUID
    marketplace: Channel
    session: str


class Wish(msgspec.Struct, frozen=True):
    """What one buyer asks for, ready to be sent."""

    door: Door
    data: bytes


async def open_doors(shop: Shop, code: str = "store") -> Doors:
    """A store and a marketplace beside the webshop, and a clerk who is signed in."""
    store, location = await shops.open_store(shop, code)
    marketplace = await shops.open_channel(shop, f"{code}-market", ChannelKind.MARKETPLACE)

    async def work(tx: Tx) -> str:
        clerk = StaffInput(email=f"{code}@example.com", name="Clara Clerk", roles=[Role.OWNER])
        person = await staff.add(tx, clerk, "active")
        return (await sessions.open_session(tx, person.id, "signed-in", "password", "bench")).token

    session = await shop.runtime.database.transaction(work)
    return Doors(shop, store, location, marketplace, session)


async def lease(doors: Doors, variant: UUID, units: int) -> None:
    """Let a till of the store hold so many units for itself."""
    wanted = LeaseInput(
        channel=doors.store.code, till=new_id(), lines=[LeaseLine(variant=variant, units=units)]
    )
    await doors.shop.runtime.database.transaction(lambda tx: tills.take(tx, wanted))


async def wishes(
    doors: Doors, variant: UUID, sku: str, buyers: int, at: Sequence[Door] = DOORS
) -> list[Wish]:
    """So many buyers who want one unit of a variant, at one door after the other in turn."""

    async def wish(number: int) -> Wish:
        door = at[number % len(at)]
        if door == "marketplace":
            return Wish(door, _arrival(doors, sku))
        if door == "till":
            return Wish(door, await _ticket(doors, variant))
        cart = await shops.add_cart(doors.shop, [variant], checked_out=False)
        return Wish(door, shops.order_request(doors.shop, cart))

    return await shops.each(range(buyers), wish)


def _arrival(doors: Doors, sku: str) -> bytes:
    body = {
        "channel": str(doors.marketplace.id),
        "external_id": str(new_id()),
        "placed_at": (now() - timedelta(minutes=1)).isoformat(),
        "lines": [{"code": sku, "unit_price": 100}],
    }
    headers = {"idempotency-key": str(new_id())}
    return request("POST", "/api/orders/arrivals", key=doors.shop.key, body=body, headers=headers)


async def _ticket(doors: Doors, variant: UUID) -> bytes:
    """A ticket of the store's till with one unit on it, and the form by which a clerk takes the money with a card."""
    at_till = msgspec.structs.replace(doors.shop, channel=doors.store)
    buyer = DetailsInput(delivery=Delivery.CARRY_OUT, location=doors.location)
    cart = await shops.add_cart(at_till, [variant], checked_out=False, buyer=buyer)
    form = {"cart": str(cart.id), "total": str(cart.total), "by": "card", "token": "ok"}
    body = urlencode({csrf.FIELD: csrf.token_for(doors.session), **form}).encode()
    head = [
        f"POST /pos/{doors.store.code}/pay HTTP/1.1",
        "host: bench",
        f"cookie: {csrf.SESSION_COOKIE}={doors.session}",
        "accept-language: en",
        "content-type: application/x-www-form-urlencoded",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def outcome(wish: Wish, answer: Answer) -> str:
    """``sold``, ``sold-out``, or else what was said."""
    if wish.door == "till":
        found = _of_till(answer)
    elif answer.status == 201:
        found = "sold"
    elif answer.status == 409 and answer.json()["type"].endswith("/sold-out"):
        found = "sold-out"
    else:
        found = None
    return found or f"{wish.door}: {answer.status} {answer.body[:300].decode(errors='replace')}"


def _of_till(answer: Answer) -> str | None:
    """The till leads on to the receipt, or back to the ticket with a word about it in a cookie."""
    to, said = _LOCATION.search(answer.head), _SET_COOKIE.search(answer.head)
    if answer.status != 303 or to is None:
        return None
    if b"/sales/" in to[1]:
        return "sold"
    if said is None:
        return None
    signed = base64.urlsafe_b64decode(said[1].strip(b'"') + b"==")
    text = zlib.decompress(signed[6:])  # behind the time
    return "sold-out" if _TOO_LATE in text else text.decode(errors="replace")
