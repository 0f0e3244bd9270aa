"""Calling an order off by oneself, as a member or by its link, for as long as nobody has begun to pack it."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath

from samlad import orders
from samlad.faces import objections
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits
from samlad.faces.storefront.account.returning import Sender, of_guest, of_member
from samlad.faces.storefront.place import channel_of
from samlad.kernel.http import database_of
from samlad.kernel.problems import Conflict


@post("/account/orders/{order_id:uuid}/cancel", status_code=303)
async def cancel_own(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """One's own order."""
    limits.writes.check(limits.who(request))
    await read_form(request)
    return await _cancel(request, await of_member(request, await channel_of(request), order_id))


@post("/order/{link:str}/cancel", status_code=303)
async def cancel_linked(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """The order of whoever has its link."""
    limits.writes.check(limits.who(request))
    await read_form(request)
    return await _cancel(request, await of_guest(request, await channel_of(request), link))


async def _cancel(request: AnyRequest, sender: Sender) -> Response[Any]:
    _ = face.words(request)
    try:
        await database_of(request).transaction(
            lambda tx: orders.cancel_as_buyer(tx, sender.order.id), sender.context
        )
    except Conflict as problem:
        return face.go(request, sender.order_href, objections.said(_, problem.detail), kind="warning")
    return face.go(
        request, sender.order_href, _("The order is cancelled. What you paid goes back the way it came.")
    )


handlers = [cancel_own, cancel_linked]
