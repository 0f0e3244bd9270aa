"""Tell me when it is back: an address and a yes, kept until the goods are there once."""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from samlad import alerts, catalog
from samlad.alerts import AlertInput
from samlad.catalog.sellables import language_of
from samlad.channels import Resource
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, person, shelf
from samlad.faces.storefront.place import channel_of
from samlad.faces.storefront.typed import typed
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound

AGREED = marked("Write to me once when it is back. The address is forgotten after that.")


@post("/p/{handle:str}/tell-me", status_code=303)
async def tell_me(request: AnyRequest, handle: FromPath[str]) -> Response[Any]:
    """Keep who wants to be told."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    pool, database = channel.pools[Resource.CATALOGUE], database_of(request)
    sku = typed(form.get("variant"))
    variant = (await catalog.by_skus(database, pool, [sku])).get(sku)
    if variant is None:
        raise NotFound(_("We do not sell this (any more)."))
    back = shelf.product_href(typed(handle), sku)
    try:
        if not form.has("agreed") and await person.signed_in(request, channel) is None:
            raise InvalidInput.at("agreed", _("Tick that we may write to you, or we cannot."))
        data = form.into(
            AlertInput,
            channel=channel.id,
            variant=variant.id,
            language=language_of(channel.locale),
            consent=_(AGREED),
        )
        await database.transaction(lambda tx: alerts.ask(tx, data), await person.context(request, channel))
    except InvalidInput as problem:
        told = next(iter(form.failed(problem).errors.values()), _("Write the address that is to be told."))
        return face.go(request, back, told, kind="danger")
    return face.go(request, back, _("We write to you once, when it is back."))


handlers = [tell_me]
