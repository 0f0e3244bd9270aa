"""The guest's cart: a cookie with its id, the secret that opens it, and how many pieces are in it (for the badge)."""

import re
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from samlad import carts, catalog, channels, promotions
from samlad.carts import CartClosed, CartInput, CartView, LineInput
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, Resource
from samlad.faces.page import AnyRequest, own_cookie
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database, Tx
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound
from samlad.promotions import HolderKind

COOKIE, BEFORE = "cart", "cart-before"
"""The cart of this browser, and the one that it had before it was handed another one."""
VISITOR = "visitor"
"""Who holds the offers of a browser that has no cart yet: a random id."""
KEPT_SECONDS = 30 * 86_400
_FORM = re.compile(r"^([0-9a-f]{32})\.([A-Za-z0-9_-]{43})\.(\d{1,6})$")


class Basket(msgspec.Struct, frozen=True):
    """What the cookie says. ``count`` is only shown; everything else is asked of the cart."""

    cart: UUID
    token: str
    count: int


def read(request: AnyRequest, cookie: str = COOKIE) -> Basket | None:
    """The basket that the browser carries, if its cookie has the right form."""
    match = _FORM.match(request.cookies.get(cookie, ""))
    return None if match is None else Basket(UUID(match[1]), match[2], int(match[3]))


def count_of(request: AnyRequest) -> int:
    """Pieces in the cart, as the cookie has them."""
    found = read(request)
    return found.count if found else 0


def keep(
    request: AnyRequest, answer: Response[Any], cart: UUID, token: str, count: int, cookie: str = COOKIE
) -> None:
    """Let the browser carry it."""
    value = f"{cart.hex}.{token}.{min(count, 999_999)}"
    answer.set_cookie(own_cookie(request, cookie, value, KEPT_SECONDS))


async def view(database: Database, basket: Basket | None, channel: Channel) -> CartView | None:
    """The cart as it is now; None without one, when it is of another shop, or when it was ordered or given up.

    It may be open in another channel of the same pool of carts: at a till, while somebody there helps.
    """
    if basket is None:
        return None
    try:
        cart = await carts.view(database, GUEST, basket.cart, token=basket.token)
    except NotFound:
        return None
    pool = (await channels.cached(database, cart.channel)).pools[Resource.CARTS]
    return None if cart.status in carts.OVER or pool != channel.pools[Resource.CARTS] else cart


async def before(request: AnyRequest, channel: Channel, cart: CartView | None) -> CartView | None:
    """The cart that this browser had before, while there is something in it and it is another one than ``cart``."""
    found = await view(database_of(request), read(request, BEFORE), channel)
    return found if found and found.lines and (cart is None or found.id != cart.id) else None


def visitor(request: AnyRequest) -> UUID | None:
    """The id under which this browser holds offers, if it has followed a link."""
    text = request.cookies.get(VISITOR, "")
    return UUID(text) if re.fullmatch(r"[0-9a-f]{32}", text) else None


async def add(
    tx: Tx,
    basket: Basket | None,
    channel: Channel,
    line: LineInput,
    *,
    goes_on: bool,
    visitor: UUID | None = None,
) -> tuple[CartView, str]:
    """Put something into the cart of ``basket`` if that ``goes_on``, or into a new one; the cart and its secret.

    A new one opens by the secret of the one before, so that what was saved for later is still there, and has the
    offers of its ``visitor``.
    """
    if basket is not None and goes_on:
        try:
            return await carts.add_line(tx, basket.cart, line, token=basket.token), basket.token
        except (NotFound, CartClosed):  # ordered in another window meanwhile
            pass
    before = None if basket is None else basket.token
    made = await carts.create(
        tx, CartInput(channel=channel.id, lines=[] if visitor else [line]), token=before
    )
    assert made.token is not None  # a guest's cart has one
    if visitor is None:
        return made, made.token
    await promotions.hand_on(tx, visitor, made.id, HolderKind.CART)
    return await carts.add_line(tx, made.id, line, token=made.token), made.token


async def spoken(database: Database, channel: Channel, cart: CartView) -> CartView:
    """A cart with its goods in the language of the page: a cart speaks its channel's own. A statement where they differ."""
    own = (await channels.cached(database, cart.channel)).locale
    if not cart.lines or language_of(own) == language_of(channel.locale):
        return cart
    sold = await catalog.sellables(database, channel, [line.variant for line in cart.lines])
    lines = [
        msgspec.structs.replace(line, title=sold[line.variant].title, options=sold[line.variant].options)
        if line.variant in sold
        else line
        for line in cart.lines
    ]
    return msgspec.structs.replace(cart, lines=lines)
