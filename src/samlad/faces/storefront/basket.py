"""The guest's cart: a cookie with its id, the secret that opens it, and how many pieces are in it (for the badge)."""

import re
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from samlad import carts, promotions
from samlad.carts import CartClosed, CartInput, CartView, LineInput
from samlad.channels import Channel
from samlad.faces.page import AnyRequest, own_cookie
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import NotFound
from samlad.promotions import HolderKind

COOKIE = "cart"
VISITOR = "visitor"
"""Who holds the offers of a browser that has no cart yet: a random id."""
KEPT_SECONDS = 30 * 86_400
_FORM = re.compile(r"^([0-9a-f]{32})\.([A-Za-z0-9_-]{43})\.(\d{1,6})$")


class Basket(msgspec.Struct, frozen=True):
    """What the cookie says. ``count`` is only shown; everything else is asked of the cart."""

    cart: UUID
    token: str
    count: int


def read(request: AnyRequest) -> Basket | None:
    """The basket that the browser carries, if its cookie has the right form."""
    match = _FORM.match(request.cookies.get(COOKIE, ""))
    return None if match is None else Basket(UUID(match[1]), match[2], int(match[3]))


def count_of(request: AnyRequest) -> int:
    """Pieces in the cart, as the cookie has them."""
    found = read(request)
    return found.count if found else 0


def keep(request: AnyRequest, answer: Response[Any], cart: UUID, token: str, count: int) -> None:
    """Let the browser carry it."""
    value = f"{cart.hex}.{token}.{min(count, 999_999)}"
    answer.set_cookie(own_cookie(request, COOKIE, value, KEPT_SECONDS))


async def view(database: Database, basket: Basket | None, channel: Channel) -> CartView | None:
    """The cart as it is now; None without one, when it is of another shop, or when it was ordered or given up."""
    if basket is None:
        return None
    try:
        cart = await carts.view(database, GUEST, basket.cart, token=basket.token)
    except NotFound:
        return None
    is_over = cart.status in (carts.CartStatus.ORDERED, carts.CartStatus.ABANDONED)
    return None if is_over or cart.channel != channel.id else cart


def visitor(request: AnyRequest) -> UUID | None:
    """The id under which this browser holds offers, if it has followed a link."""
    text = request.cookies.get(VISITOR, "")
    return UUID(text) if re.fullmatch(r"[0-9a-f]{32}", text) else None


async def add(
    tx: Tx, basket: Basket | None, channel: Channel, line: LineInput, visitor: UUID | None = None
) -> tuple[CartView, str]:
    """Put something into the cart of ``basket``, or into a new one; the cart and the secret that opens it.

    A new cart gets the offers of its ``visitor``.
    """
    if basket is not None:
        try:
            return await carts.add_line(tx, basket.cart, line, token=basket.token), basket.token
        except (NotFound, CartClosed):  # ordered in another window meanwhile
            pass
    made = await carts.create(tx, CartInput(channel=channel.id, lines=[] if visitor else [line]))
    assert made.token is not None  # a guest's cart has one
    if visitor is None:
        return made, made.token
    await promotions.hand_on(tx, visitor, made.id, HolderKind.CART)
    return await carts.add_line(tx, made.id, line, token=made.token), made.token
