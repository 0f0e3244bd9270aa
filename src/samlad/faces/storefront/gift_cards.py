"""A gift card for somebody: how much, who gets it, on which day. Then it is paid like any order that was placed unpaid."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post

from samlad import credit, orders
from samlad.access import rate
from samlad.channels import Channel
from samlad.credit import MailInput
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member, person
from samlad.faces.storefront.order_link import href
from samlad.faces.storefront.place import channel_of, sells_gift_cards, show
from samlad.kernel.http import database_of
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem
from samlad.orders import GiftCardSale

HERE = "/gift-card"


@get(HERE)
async def gift_card_page(request: AnyRequest) -> Response[Any]:
    """The form. Going back to it begins another card."""
    channel = await _selling(request)
    signed = await member.signed_in(request, channel)
    own = {"email": signed.customer.email or "", "giver": signed.customer.name or ""} if signed else {}
    first, _last = credit.mail_days(channel)
    return await _page(request, channel, Form.of(key=str(new_id()), send_on=first.isoformat(), **own))


async def _selling(request: AnyRequest) -> Channel:
    channel, _ = await channel_of(request), face.words(request)
    if not sells_gift_cards(request, channel):
        raise NotFound(_("No gift cards are sold here."))
    return channel


async def _page(request: AnyRequest, channel: Channel, form: Form) -> Response[Any]:
    first, last = credit.mail_days(channel)
    return await show(
        request,
        channel,
        "storefront/gift_card.html",
        status=form.status,
        headers={"Cache-Control": "no-store"},
        form=form,
        most=channel.setting("gift_card_shop_limit"),
        unit=channel.currency,
        first=first,
        last=last,
    )


@post(HERE, status_code=303)
async def buy(request: AnyRequest) -> Response[Any]:
    """Place the order; on to its payment. The same form sent twice is one order."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await _selling(request), await read_form(request), face.words(request)
    who = await person.context(request, channel)
    await database_of(request).transaction(
        lambda tx: rate.limit(
            tx, "storefront.checkout", limits.who(request), per=limits.CHECKOUT_SECONDS, max=limits.CHECKOUTS
        ),
        who,
    )
    try:
        if form.text("amount") is None:
            raise InvalidInput.at("amount", _("Please fill this in."))
        to = msgspec.to_builtins(form.into(MailInput))
        sale = form.into(GiftCardSale, amount=form.amount("amount", channel.currency), to=to)
        made = await database_of(request).transaction(
            lambda tx: orders.sell_gift_card(tx, channel.id, sale), who
        )
        order = made.id
    except Conflict:
        order = orders.order_of_gift_card(UUID(form.get("key")))
    except Problem as problem:
        return await _page(request, channel, form.failed(problem))
    return face.go(request, f"{href(request, order)}/pay")


handlers = [gift_card_page, buy]
