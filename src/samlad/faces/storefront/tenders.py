"""What somebody pays a part with at the checkout: gift cards, store credit, points. The chosen way pays the rest.

Nothing is taken before the order is placed, and nothing is held unless a provider on the network pays the rest.
"""

from typing import Any
from uuid import UUID

import msgspec

from samlad import credit, payments
from samlad.accounts import SignedIn
from samlad.channels import Channel
from samlad.credit import CardRow, CardUnusable, Worth
from samlad.faces import page as face
from samlad.faces.design.formats import money, number
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import member
from samlad.faces.storefront.place import shopper
from samlad.kernel.context import Context
from samlad.kernel.database import Database
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput
from samlad.payments import KeptCard, PaymentInput, StartInput

CODE, CARD, CREDIT, POINTS = "gift_code", "gift_card", "credit", "points-"
"""Names of fields; that of points goes on with the code of the reward."""
NOT_USABLE = marked("This gift card cannot be used here. Look at its code once more.")
EMPTY = marked("Nothing is left on this gift card.")
NOT_HERE = marked("Gift cards cannot be used here.")
MOST_CARDS, MOST_CHOICES = 20, 20


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has to pay with, minor units; nothing for a guest. ``takes_code``: a gift card's code can be typed.
    ``kept`` are cards that a provider on the network keeps."""

    takes_code: bool = False
    cards: list[CardRow] = []
    credit: int = 0
    points: int = 0
    rewards: list[Worth] = []
    kept: list[KeptCard] = []


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One tender and what it pays (minor units) of what it has."""

    provider: str
    token: str | None
    name: str
    has: int
    pays: int

    def as_input(self) -> PaymentInput:
        """The payment of an order that is placed at once."""
        return PaymentInput(provider=self.provider, token=self.token, amount=self.pays)

    def as_start(self) -> StartInput:
        """The payment that is held while a provider on the network is asked for the rest."""
        return StartInput(provider=self.provider, token=self.token, amount=self.pays)


def acting(request: AnyRequest, channel: Channel, signed: SignedIn | None) -> Context:
    """Whoever pays: as themselves if they are signed in, so that what is theirs can pay."""
    return shopper(request, channel) if signed is None else member.acting(request, channel, signed)


async def own(request: AnyRequest, channel: Channel, signed: SignedIn | None) -> Own:
    """What somebody has to pay with in this shop."""
    has = await own_of(database_of(request), channel, None if signed is None else signed.customer.id)
    if signed is None:
        return has
    offered = payments.offered(channel)
    kept = await payments.kept_cards(database_of(request), signed.customer.id)
    return msgspec.structs.replace(has, kept=[each for each in kept if each.provider in offered])


async def own_of(database: Database, channel: Channel, customer: UUID | None) -> Own:
    """What a customer can pay a part with in a channel, without the cards that a provider keeps; None is a guest."""
    takes_code = payments.is_offered(channel, payments.provider("gift_card"))
    takes_credit = payments.is_offered(channel, payments.provider("store_credit"))
    if customer is None:
        return Own(takes_code=takes_code)
    currency = channel.currency
    query = ListQuery(
        limit=MOST_CARDS, filters={"customer": str(customer), "status": "active", "currency": currency}
    )
    cards = (await credit.CARDS.page(database, query)).items if takes_code else []
    balances = await credit.of_customer(database, customer) if takes_credit else []
    loyalty = await credit.view(database, customer) if takes_credit else None
    points = max(0, loyalty.points) if loyalty else 0
    return Own(
        takes_code=takes_code,
        cards=[each for each in cards if each.balance > each.held and not each.is_expired],
        credit=sum(each.available for each in balances if each.unit == currency),
        points=points,
        rewards=credit.worth(loyalty.rewards, points, currency) if loyalty else [],
    )


async def parts(
    request: AnyRequest, channel: Channel, has: Own, form: Form, total: int, *, by: Context | None = None
) -> list[Part]:
    """What was chosen and what each pays of a total (minor units), in the order in which it expires: cards, credit, points.

    ``by`` is who tries the code of a gift card, if it is not the visitor of the shop.

    Raises:
        InvalidInput: the gift card whose code was typed cannot pay here, or nothing is left on it.
        TooMany: too many codes were tried from this address.
    """
    _, found, left = face.words(request), [], total

    def add(provider: str, token: str | None, name: str, available: int) -> None:
        nonlocal left
        pays = min(available, left)
        found.append(Part(provider=provider, token=token, name=name, has=available, pays=pays))
        left -= pays

    for card in has.cards:
        if form.has(CARD, str(card.id)):
            name = _("Gift card ···· %(four)s") % {"four": card.last_four}
            add("gift_card", f"card:{card.id}", name, card.balance - card.held)
    code = form.text(CODE)
    if code is not None:
        if not has.takes_code:
            raise InvalidInput.at(CODE, NOT_HERE)
        typed = await _typed(database_of(request), by or shopper(request, channel), channel, code)
        if not form.has(CARD, str(typed.id)):  # typed and ticked it is one card
            add("gift_card", code, _("Gift card ···· %(four)s") % {"four": typed.last_four}, typed.available)
    if form.has(CREDIT) and has.credit:
        add("store_credit", None, _("Store credit"), has.credit)
    for reward in has.rewards:
        times = min(
            form.whole(POINTS + reward.reward.code) or 0, reward.times, -(-left // reward.reward.amount)
        )
        if times > 0:
            name = _("%(points)s points") % {
                "points": number(times * reward.reward.points, face.locale_of(request))
            }
            token = f"points:{reward.reward.code}:{times}"
            add("store_credit", token, name, times * reward.reward.amount)
            break  # points are chosen once: two rewards could need more of them than there are
    return [part for part in found if part.pays > 0]


async def _typed(database: Database, by: Context, channel: Channel, code: str) -> credit.GiftCard:
    """The card with a code. Every code that is tried counts."""
    await database.transaction(credit.guess, by)
    try:
        card = await credit.usable(database, code, channel)
    except CardUnusable:
        raise InvalidInput.at(CODE, NOT_USABLE) from None
    if card.available == 0:
        raise InvalidInput.at(CODE, EMPTY)
    return card


def choices(request: AnyRequest, has: Own, total: int, currency: str) -> list[dict[str, Any]]:
    """For each reward, how many points can be used and what they are worth."""
    _, found = face.words(request), []
    for each in has.rewards:
        most = min(each.times, -(-total // each.reward.amount), MOST_CHOICES)
        options = [("", _("None"))]
        for times in range(1, most + 1):
            points = number(times * each.reward.points, face.locale_of(request))
            worth = money(times * each.reward.amount, currency, face.locale_of(request))
            options.append(
                (str(times), _("%(points)s points for %(worth)s") % {"points": points, "worth": worth})
            )
        if most:
            found.append({"name": POINTS + each.reward.code, "text": each.reward.name, "options": options})
    return found
