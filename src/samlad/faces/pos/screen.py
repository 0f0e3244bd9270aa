"""What customers see: a page for a tablet that has no account. Its token shows one ticket and opens nothing else."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Response, Router, get
from litestar.datastructures import Cookie
from markupsafe import Markup

from samlad import carts, channels, content, orders, screens
from samlad.access.tokens import token_hash
from samlad.carts import CartStatus, CartView
from samlad.channels import Channel
from samlad.content import store as content_store
from samlad.faces import page as face
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import blocks, order_link
from samlad.kernel import qr
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM
from samlad.kernel.http import context_of, database_of
from samlad.kernel.problems import NotFound, Problem
from samlad.screens import Screen
from samlad.screens import store as screen_store

COOKIE = "screen"
YEAR_SECONDS = 365 * 86_400
THANKS = timedelta(seconds=60)
"""So long a sale is thanked for; then the screen is the shop's again."""
PAGE = "screen"
"""The shop's own page with this handle is what its screens show meanwhile."""
QUIET_BLOCKS = ("hero", "text", "picture_text", "shelf")
"""Blocks that nobody needs to touch."""


async def _screen(request: AnyRequest) -> tuple[Screen | None, str]:
    token = request.cookies.get(COOKIE, "")
    found = await screens.by_token(database_of(request), token_hash(token)) if token else None
    return found, token


@get("/screen")
async def screen_page(request: AnyRequest) -> Response[Any]:
    """The screen, whatever it shows now; a tablet that is none yet shows the code to make it one."""
    return await _answer(request, "pos/screen.html")


@get("/screen/now")
async def screen_now(request: AnyRequest) -> Response[Any]:
    """The same as a piece, asked for when something has happened."""
    return await _answer(request, "pos/screen_now.html")


async def _answer(request: AnyRequest, template: str) -> Response[Any]:
    position = await request.app.state.runtime.live.position()
    found, token = await _screen(request)
    if found is None:
        return await _pairing(request, token, template)
    channel = await channels.cached(database_of(request), found.channel)
    formats.country.set(channel.country)
    look = await content.look_of(database_of(request), channel)
    query = [("topic", topic) for topic in screens.topics_of(found, token_hash(token))]
    answer = face.page(
        request,
        template,
        time_zone=channel.time_zone,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        shop_name=look.brand.name or channel.name,
        look=look,
        theme_href=f"/screen/theme.css?v={look.version}",
        live="/live?" + urlencode([*query, ("after", str(position))], safe=":"),
        **await _shown(request, found, channel),
    )
    answer.set_cookie(_token_cookie(request, token))
    return answer


def _token_cookie(request: AnyRequest, token: str) -> Cookie:
    return face.own_cookie(request, COOKIE, token, YEAR_SECONDS)


async def _shown(request: AnyRequest, screen: Screen, channel: Channel) -> dict[str, Any]:
    """The ticket, thanks for a sale, or what the shop shows meanwhile."""
    shown: dict[str, Any] = {
        "mode": "idle",
        "cart": None,
        "order": None,
        "blocks": [],
        "currency": channel.currency,
    }
    cart = await _ticket(request, screen)
    if cart is not None:
        return shown | {"mode": "ticket", "cart": cart}
    if screen.order_id is not None and now() - screen.shown_at < THANKS:
        order = await orders.read(database_of(request), screen.order_id)
        link = channels.shop_address(database_of(request).settings, channel)
        link += order_link.href(request, order.id)
        return shown | {
            "mode": "thanks",
            "order": order,
            "change_due": sum(payment.change_due or 0 for payment in order.payments),
            "receipt_code": Markup(qr.svg(link)),  # noqa: S704 - our own drawing
            "seconds_left": max(1, int((THANKS - (now() - screen.shown_at)).total_seconds())),
        }
    return shown | {"blocks": await _meanwhile(request, channel)}


async def _ticket(request: AnyRequest, screen: Screen) -> CartView | None:
    """The cart of the till, as long as it is one: parked, sold or given up it is not shown."""
    if screen.cart is None:
        return None
    try:
        cart = await carts.view(database_of(request), SYSTEM, screen.cart)
    except Problem:
        return None
    over = cart.status in carts.OVER or cart.status is CartStatus.PARKED
    return None if over or cart.channel != screen.channel or not cart.lines else cart


async def _meanwhile(request: AnyRequest, channel: Channel) -> list[dict[str, Any]]:
    look = await content.look_of(database_of(request), channel)
    live = await content_store.live(database_of(request), look.line, PAGE)
    if live is None:
        return []
    shown = await blocks.shown(request, channel, live.document)
    return [block for block in shown if block["type"] in QUIET_BLOCKS]


async def _pairing(request: AnyRequest, token: str, template: str) -> Response[Any]:
    """The code of a tablet that waits; a new one when the one before is over."""
    database = database_of(request)
    shown = await screen_store.pairing(database, token_hash(token)) if token else None
    if shown is None:
        code, token = await database.transaction(screens.begin, context_of(request))
    else:
        code = shown
    address = f"{str(request.base_url).rstrip('/')}/pos?{urlencode({'screen': code})}"
    answer = face.page(
        request,
        template,
        headers={"Cache-Control": "no-store"},
        shop_name="Samlad",
        mode="pairing",
        code=f"{code[:3]} {code[3:]}",
        pair_code=Markup(qr.svg(address)),  # noqa: S704 - our own drawing
        live="",
        theme_href=None,
        look=None,
    )
    answer.set_cookie(_token_cookie(request, token))
    return answer


@get("/screen/theme.css")
async def theme_css(request: AnyRequest) -> Response[str]:
    """The look of the store's brand."""
    found, _token = await _screen(request)
    if found is None:
        raise NotFound("There is no such file.")
    channel = await channels.cached(database_of(request), found.channel)
    look = await content.look_of(database_of(request), channel)
    headers = {"Cache-Control": "private, max-age=86400"}
    return Response(look.sheet, headers=headers, media_type="text/css")


routes = [Router(path="/", include_in_schema=False, route_handlers=[screen_page, screen_now, theme_css])]
