"""Codes of promotions in a cart: typed in, taken out. What came by a code or a link holds for its customer too."""

from uuid import UUID

from samlad import promotions
from samlad.carts import pricing
from samlad.carts.opening import after_change, open_cart
from samlad.carts.view_model import CartView
from samlad.kernel.database import Tx


async def add_code(
    tx: Tx, cart_id: UUID, code: str, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Type a code. Whether it takes something off now or why not is said in ``codes`` of the cart.

    Raises:
        NotFound, CartClosed, Outdated: no such cart, it is closed, or not the version that was seen.
        BadCode: there is no such code, or it is not valid here and now.
    """
    cart, channel = await open_cart(tx, cart_id, token, version)
    await promotions.redeem(tx, code, pricing.holders(cart), channel)
    return await after_change(tx, cart, channel)


async def remove_code(
    tx: Tx, cart_id: UUID, code: str, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Take a code out again.

    Raises:
        NotFound: no such cart, or the code is not in it.
    """
    cart, channel = await open_cart(tx, cart_id, token, version)
    await promotions.drop_code(tx, code, pricing.holders(cart), channel)
    return await after_change(tx, cart, channel)


async def follow_link(
    tx: Tx, link: str, cart_id: UUID, *, token: str | None = None
) -> tuple[promotions.Promotion, str | None]:
    """Give a cart the promotion of a link; the promotion, and why it cannot be had if so.

    Raises:
        NotFound: no such cart or link. CartClosed: the cart is closed.
    """
    cart, channel = await open_cart(tx, cart_id, token, None)
    _, promotion, reason = await promotions.follow(tx, link, pricing.holders(cart), channel)
    if reason is None:
        await after_change(tx, cart, channel)
    return promotion, reason
