"""An order for who has lost its link: by its number and the address it was placed with, a mail with the link.

The page says the same whether there is such an order or not, and asking is counted as asking for a link to sign in is, so
that nobody learns who bought here.
"""

from typing import Any

from litestar import Response, get, post

from samlad import accounts, orders
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces import shop_link
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits
from samlad.faces.storefront.account.sign_in import WAIT, keys_of
from samlad.faces.storefront.order_link import href
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.faces.storefront.typed import typed
from samlad.kernel import mail
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked, translator
from samlad.kernel.mail import Mail
from samlad.kernel.problems import InvalidInput, TooMany

HERE = "/order"
SENT = marked("If number and address belong together, the link is on its way to you. Look into your mail.")
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@get(HERE)
async def find_page(request: AnyRequest) -> Response[Any]:
    """The form."""
    return await _page(request, await channel_of(request), Form())


async def _page(request: AnyRequest, channel: Channel, form: Form) -> Response[Any]:
    has_mail = shop_link.mails_go_out(request, channel)
    return await show(
        request,
        channel,
        "storefront/find_order.html",
        status=form.status,
        headers=HEADERS,
        form=form,
        has_mail=has_mail,
    )


@post(HERE, status_code=303)
async def find(request: AnyRequest) -> Response[Any]:
    """Send the link to the address of the order, if it is the one that was typed."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    database, context, base = (
        database_of(request),
        shopper(request, channel),
        shop_link.base_url(request, channel),
    )
    number = typed(form.get("number")).strip().upper()[:40]
    if not number:
        form.errors["number"] = _("Please fill this in.")
    try:
        email = accounts.address_of(form.get("email"))
        if not form.errors:
            await accounts.count_ask(database, context, channel, email)
    except InvalidInput:
        form.errors["email"] = _("This is no e-mail address. One looks like kim@example.org.")
    except TooMany as problem:
        form.message, form.status = _(WAIT), 429
        answer = await _page(request, channel, form)
        answer.headers["Retry-After"] = str(problem.extra.get("retry_after", 60))
        return answer
    if form.errors:
        form.status = 422
        return await _page(request, channel, form)

    async def work(tx: Tx) -> None:
        found = await orders.by_number(tx, channel.id, number)
        if base is not None and found is not None and (found.email or "").strip().lower() == email:
            address = f"{base.rstrip('/')}{href(request, found.id)}"
            letter = _letter(channel, email, found.number, address, face.locale_of(request))
            await mail.send(tx, keys_of(request), letter)

    await database.transaction(work, context)
    return face.go(request, HERE, _(SENT))


def _letter(channel: Channel, to: str, number: str, address: str, locale: str) -> Mail:
    _ = translator(locale).gettext
    text = _(
        "Here is your order %(number)s at %(shop)s:\n\n%(link)s\n\nThe page shows how far it is, and there you can send "
        "something back. Whoever has its address can see it."
    ) % {"number": number, "shop": channel.name, "link": address}
    subject = _("Your order %(number)s") % {"number": number} + f" · {channel.name}"
    return Mail(to=to, sender=channel.name, subject=subject, text=text)


handlers = [find_page, find]
