"""Promotions in words: what a step takes off, why a code takes nothing off, what has gone since."""

from typing import Any

from samlad import catalog
from samlad.carts import CartView
from samlad.channels import Channel
from samlad.faces.page import AnyRequest, words
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked

WHY = {
    "minimum": marked("There is not enough in the cart for it yet."),
    "goods": marked("Nothing in the cart is part of it."),
    "nothing": marked("Everything in the cart costs less already."),
    "shipping": marked("It counts when the goods are sent to you."),
    "combination": marked("It does not go together with another offer in the cart."),
    "budget": marked("What is left of it is not enough for this cart."),
    "used-up": marked("It has been used up."),
    "ended": marked("It has ended."),
    "paused": marked("It is not given any more."),
    "not-yet": marked("It has not begun yet."),
    "hours": marked("It holds at other hours."),
    "group": marked("It is for certain customers only."),
    "first-order": marked("It is for a first order only."),
    "once": marked("You have had it already."),
    "elsewhere": marked("It is not for this shop."),
    "currency": marked("It is for another currency."),
    "unknown": marked("There is no such code. Is it typed as it is written?"),
    "changed": marked("It takes off less now."),
}
"""Reasons of promotions, for whoever buys."""


def why(request: AnyRequest, reason: str) -> str:
    """A reason in the reader's words."""
    return words(request)(WHY.get(reason, WHY["ended"]))


def codes(request: AnyRequest, cart: CartView | None) -> list[dict[str, Any]]:
    """The codes of a cart, each with its promotion and why it takes nothing off, if so."""
    return [
        {"code": each.code, "name": each.name, "why": why(request, each.reason) if each.reason else ""}
        for each in (cart.codes if cart else [])
    ]


def gone(request: AnyRequest, cart: CartView | None) -> list[dict[str, Any]]:
    """What takes off less than was last shown: name, amount before and the reason."""
    return [
        {"name": each.name, "before": each.before, "why": why(request, each.reason)}
        for each in (cart.moved_promotions if cart else [])
    ]


async def gifts(request: AnyRequest, channel: Channel, cart: CartView | None) -> list[dict[str, Any]]:
    """What may still be put into a cart for nothing, with its name as the shop has it."""
    if cart is None or not cart.gifts:
        return []
    sold = await catalog.sellables(database_of(request), channel, [gift.variant for gift in cart.gifts])
    return [
        {"name": gift.name, "variant": gift.variant, "title": sold[gift.variant].title}
        for gift in cart.gifts
        if gift.variant in sold and sold[gift.variant].is_available
    ]
