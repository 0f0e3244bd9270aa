"""Where a clerk stands: the stores that they may sell in, and the frame of every page of a till."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response

from samlad import carts, channels, orders, stock
from samlad.access.middleware import session_of
from samlad.carts import CartStatus, CartView
from samlad.channels import Channel, ChannelKind, ChannelStatus
from samlad.faces import page as face
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest
from samlad.kernel.context import Actor
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import NotFound, Problem, Unauthenticated
from samlad.stock import Location, SoldOut

T = TypeVar("T")

SIGN_IN = "/admin/sign-in"
DAY_SECONDS = 86_400


class Till(msgspec.Struct, frozen=True):
    """A store channel and the location that it sells from."""

    channel: Channel
    location: Location

    @property
    def base(self) -> str:
        """The address of this till."""
        return f"/pos/{self.channel.code}"


def clerk_of(request: AnyRequest) -> Actor:
    """Who stands at the till.

    Raises:
        Unauthenticated: nobody has signed in; answered by the way to the sign-in page.
    """
    actor = actor_of(request)
    if actor.kind != "staff":
        raise Unauthenticated("Sign in to go on.")
    return actor


async def tills_of(request: AnyRequest) -> list[Till]:
    """The stores that the clerk may sell in, by name."""
    actor, database = clerk_of(request), database_of(request)
    places = {
        place.channel: place for place in await stock.locations(database) if place.channel and place.is_active
    }
    found = [
        Till(channel, places[channel.id])
        for channel in await channels.cached_all(database)
        if channel.kind is ChannelKind.STORE
        and channel.status is ChannelStatus.ACTIVE
        and channel.id in places
    ]
    allowed = [till for till in found if actor.may(orders.PLACE, till.location.id)]
    return sorted(allowed, key=lambda till: till.channel.name)


async def till_of(request: AnyRequest, code: str) -> Till:
    """The till of a store.

    Raises:
        Unauthenticated: nobody has signed in.
        NotFound: there is no such store.
        Forbidden: the clerk is not bound to it.
    """
    actor, database = clerk_of(request), database_of(request)
    channel = await channels.cached_by_code(database, code)
    place = await stock.place_of(database, channel.id) if channel else None
    if channel is None or place is None or channel.kind is not ChannelKind.STORE:
        raise NotFound("There is no such store.")
    actor.require(orders.PLACE, location=place.id)
    formats.country.set(channel.country)
    return Till(msgspec.structs.replace(channel, locale=face.locale_of(request)), place)


def show(
    request: AnyRequest,
    till: Till,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> Response[Any]:
    """A page of the till; nothing of it is kept by the browser."""
    values = {
        "store_name": till.channel.name,
        "register": till.channel.code,
        "clerk": actor_of(request).name,
        "base": till.base,
        "home_href": till.base,
        "till_href": till.base,
        "currency": till.channel.currency,
        "lock_seconds": till.channel.setting("till_lock_seconds"),
        "is_piece": face.is_htmx(request),
        "oob": False,
        "clear_results": False,
        **context,
    }
    return face.page(
        request,
        template,
        status_code=status,
        time_zone=till.channel.time_zone,
        headers={"Cache-Control": "no-store", **(headers or {})},
        **values,
    )


def cookie_of(till: Till) -> str:
    """Which cart is on the ticket of this till is in a cookie of its own."""
    return f"till-{till.channel.code}"


async def current(request: AnyRequest, till: Till) -> CartView | None:
    """The cart on the ticket, or None."""
    try:
        cart = await carts.view(
            database_of(request), actor_of(request), UUID(request.cookies.get(cookie_of(till), ""))
        )
    except (ValueError, NotFound):
        return None
    is_away = cart.status in carts.OVER or cart.status is CartStatus.PARKED
    return None if is_away or cart.channel != till.channel.id else cart


async def in_hand(request: AnyRequest, till: Till, verb: Callable[[Tx], Awaitable[T]]) -> T:
    """Run a verb that takes stock of this store. What it lacks and a till here has leased is taken from that lease: the
    customer has it in hand.

    Raises:
        SoldOut: others hold it. All that the verb raises.
    """

    async def from_leases(tx: Tx, lacking: list[tuple[UUID, int]]) -> T:
        await stock.end_leases(tx, till.location.id, lacking)
        return await verb(tx)

    try:
        return await face.change(request, verb)
    except SoldOut as short:
        lacking = [(line.variant, line.wanted - line.available) for line in short.of_stock]
    return await face.change(request, lambda tx: from_leases(tx, lacking))


_LOCKED = re.compile(r"^/pos/(?:work/)?([a-z0-9-]+)(?:/|$)")


def to_sign_in(request: AnyRequest, _problem: Problem) -> Response[Any]:
    """Nobody is on: to the names, where the till is locked; else to the page where one signs in, and back here after it."""
    session = session_of(request)
    if session is not None and session.is_till:
        at = _LOCKED.match(request.url.path)
        return face.go(request, f"/pos/{at[1]}/clerks" if at and at[1] != "work" else "/pos/unlock")
    back = request.url.path if request.method == "GET" else "/pos"
    return face.go(request, f"{SIGN_IN}?{urlencode({'next': back})}")
