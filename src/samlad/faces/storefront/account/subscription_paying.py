"""How a subscription is paid, said by its customer: a card of theirs that a provider keeps, a gift card, their credit, on account."""

from uuid import UUID

from samlad import payments, subscriptions
from samlad.accounts import SignedIn
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import pay_ways, tenders
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput
from samlad.subscriptions import ChangeInput, PaymentMeans, ResumeInput, Status, Subscription

WAY, CODE = "way", "code"
NO_CODE = marked("Write the code of the gift card.")
NO_WAY = marked("Choose how the next orders are paid.")
DECLINED = "declined"


async def choices(
    request: AnyRequest, channel: Channel, signed: SignedIn, found: Subscription
) -> list[tuple[str, str]]:
    """The ways that the customer can choose, as value and text."""
    _, has = face.words(request), await tenders.own(request, channel, signed)
    ways = [
        (f"{card.provider}:{payments.KEPT}{card.id}", f"{card.brand.title()} ···· {card.last_four}")
        for card in has.kept
        if payments.pays_alone(card.provider)
    ]
    if has.credit:
        ways.append(("store_credit", _("Store credit")))
    if has.takes_code:
        ways.append(("gift_card", _("Gift card")))
    later = [
        name for name in pay_ways.ways(channel) if name != "stripe" and payments.pays_alone(name)
    ]  # Stripe's own cards are those above
    ways += [(name, _(pay_ways.NAMES[name][0])) for name in later]
    if pay_ways.has_test_cards(channel):
        ways.append(("test", _("A card that pays")))
    return sorted(ways, key=lambda way: way[0].partition(":")[0] != found.provider)


async def pay_by(tx: Tx, subscription: UUID, form: Form, *, version: int | None) -> Subscription:
    """Say how it is paid. One that was declined is tried at once, and goes on if it had been paused for that.

    Raises:
        InvalidInput: nothing was chosen, or it cannot pay. WrongStatus, Outdated.
    """
    provider, _, token = form.get(WAY).partition(":")
    if not provider:
        raise InvalidInput.at(WAY, form.translate(NO_WAY))
    if provider == "gift_card":
        token = form.get(CODE).strip()
        if not token:
            raise InvalidInput.at(CODE, form.translate(NO_CODE))
    means = PaymentMeans(provider=provider, token=token or None)
    changed = await subscriptions.change(tx, subscription, ChangeInput(payment=means), version=version)
    if changed.status is Status.PAUSED and changed.trouble == DECLINED:
        return await subscriptions.resume(tx, subscription, ResumeInput())
    return changed
