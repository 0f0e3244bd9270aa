"""A gift card at the checkout: what it can pay is shown, and taken with the order."""

import msgspec

from samlad import credit
from samlad.carts import CartView
from samlad.channels import Channel
from samlad.credit import CardUnusable, GiftCard
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront.place import shopper
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput
from samlad.payments import PaymentInput

FIELD = "gift_code"
NOT_USABLE = marked("This gift card cannot be used here. Look at its code once more.")
NOT_TOGETHER = marked("A gift card cannot be combined with this way to pay. Choose another one for the rest.")
EMPTY = marked("Nothing is left on this gift card.")


class Paying(msgspec.Struct, frozen=True):
    """What a card has and pays (minor units); ``rest`` is left for another way."""

    last_four: str
    available: int
    pays: int
    rest: int


async def read(request: AnyRequest, channel: Channel, form: Form) -> GiftCard | None:
    """The card whose code was typed; None without one. Every code that is tried counts.

    Raises:
        InvalidInput: it cannot pay here, or nothing is left on it.
        TooMany: too many codes were tried from this address.
    """
    code = form.text(FIELD)
    if code is None:
        return None
    database = database_of(request)
    await database.transaction(credit.guess, shopper(request, channel))
    try:
        card = await credit.usable(database, code, channel)
    except CardUnusable:
        raise InvalidInput.at(FIELD, NOT_USABLE) from None
    if card.available == 0:
        raise InvalidInput.at(FIELD, EMPTY)
    return card


def payments(
    card: GiftCard | None, form: Form, total: int | None, rest: list[PaymentInput]
) -> list[PaymentInput]:
    """The card pays what it can, ``rest`` (nothing if nothing is left) the rest of the total that was shown."""
    amount = pays(card, total)
    if amount == 0:
        return rest
    return [PaymentInput(provider="gift_card", token=form.text(FIELD), amount=amount), *rest]


def pays(card: GiftCard | None, total: int | None) -> int:
    """What a card pays of a total, minor units."""
    return 0 if card is None else min(card.available, total or 0)


def shown(card: GiftCard | None, cart: CartView) -> Paying | None:
    """What to tell of a card before it pays."""
    if card is None:
        return None
    amount = pays(card, cart.totals.total)
    return Paying(card.last_four, card.available, amount, cart.totals.total - amount)
