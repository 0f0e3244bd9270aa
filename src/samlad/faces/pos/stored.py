"""Paying at a till with what is stored: a gift card by its code, or the store credit of the ticket's customer."""

import msgspec

from samlad import credit, tills
from samlad.carts import CartView
from samlad.credit import CardUnusable
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import marked

NOT_USABLE = marked("This gift card cannot be used here. Look at its code once more.")


class Stored(msgspec.Struct, frozen=True):
    """What can pay, and how much of the ticket (minor units); ``rest`` is left for cash or card."""

    provider: str
    token: str
    last_four: str
    available: int
    pays: int
    rest: int


async def stored_for(request: AnyRequest, till: Till, cart: CartView, by: str, code: str) -> Stored | None:
    """What the card with this code, or the customer's credit, can pay of a ticket; None if it cannot pay."""
    if by == "gift" and code.strip():
        try:
            card = await credit.usable(database_of(request), code, till.channel)
        except CardUnusable:
            return None
        # Not `face.change`: the form is to be sent once for what it sells, and looking a card up is not that.
        await database_of(request).transaction(
            lambda tx: tills.note_card(tx, card.id, till.location.id), context_of(request)
        )
        return _paying(cart, "gift_card", code, card.last_four, card.available)
    if by == "credit" and cart.customer is not None and actor_of(request).may(credit.PAY):
        for one in await credit.of_customer(database_of(request), cart.customer):
            if one.unit == cart.currency:
                return _paying(cart, "store_credit", str(cart.customer), "", one.available)
    return None


def _paying(cart: CartView, provider: str, token: str, last_four: str, available: int) -> Stored | None:
    pays = min(available, cart.totals.total)
    rest = cart.totals.total - pays
    return Stored(provider, token, last_four, available, pays, rest) if pays > 0 else None
