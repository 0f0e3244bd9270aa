"""Goods that come again and again: by which plans a product can be bought, and what a cart's lines were put in by."""

from uuid import UUID

from samlad import subscriptions
from samlad.carts import CartView
from samlad.catalog.sellables import language_of
from samlad.channels import Channel
from samlad.faces.page import AnyRequest, locale_of, words
from samlad.faces.repeat_names import every
from samlad.kernel.http import database_of
from samlad.kernel.money import format_money


async def choices(request: AnyRequest, channel: Channel, variant: UUID | None) -> list[tuple[str, str, str]]:
    """How a variant can be bought: once, or by a plan; empty without plans. Value, text and hint of each."""
    found = await subscriptions.offers(database_of(request), channel, [variant]) if variant else {}
    offers = found.get(variant, []) if variant else []
    if not offers:
        return []
    _, locale = words(request), locale_of(request)
    rows = [("", _("Once"), format_money(offers[0].regular, channel.currency, locale))]
    for offer in offers:
        parts = [every(_, offer.terms), format_money(offer.price, channel.currency, locale)]
        if offer.later != offer.price:
            later = format_money(offer.later, channel.currency, locale)
            parts.append(_("later %(price)s") % {"price": later})
        if offer.terms.minimum_orders > 1:
            parts.append(_("at least %(num)s orders") % {"num": offer.terms.minimum_orders})
        rows.append((str(offer.plan), offer.name, " · ".join(parts)))
    return rows


async def names(request: AnyRequest, channel: Channel, cart: CartView | None) -> dict[UUID, str]:
    """What the plans of a cart's lines are called."""
    plans = {line.plan for line in cart.lines if line.plan is not None} if cart else set()
    language = language_of(channel.locale)
    found = [await subscriptions.read_plan(database_of(request), plan) for plan in sorted(plans)]
    return {plan.id: plan.names.get(language, plan.name) for plan in found}
