"""Take goods back at a till that nobody has a receipt for."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import orders
from samlad.faces import page as face
from samlad.faces import unknown_form
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, clerk_of, show, till_of
from samlad.kernel.problems import Problem
from samlad.orders.return_unknown import UnknownPreview


@get("/{code:str}/returns/without-receipt")
async def unknown_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The form."""
    till = await till_of(request, code)
    clerk_of(request).require(orders.CHANGE, location=till.location.id)
    return await _page(request, till, Form(), None)


@post("/{code:str}/returns/without-receipt", status_code=200)
async def take_unknown(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Show what it is worth, or take it back."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    clerk_of(request).require(orders.CHANGE, location=till.location.id)
    where = (till.channel, till.location.id)
    if form.get("act") != "apply":
        said = await unknown_form.previewed(request, *where, form)
        return await _page(request, till, form, said)
    try:
        order = await unknown_form.take(request, *where, form)
    except Problem as problem:
        said = await unknown_form.previewed(request, *where, Form(form.fields, None, _))
        return await _page(request, till, unknown_form.failed(form, problem), said)
    return face.go(request, till.base, _("Taken back as %(number)s.") % {"number": order.number})


async def _page(request: AnyRequest, till: Till, form: Form, said: UnknownPreview | None) -> Response[Any]:
    context = await unknown_form.shown(request, till.channel, form, said)
    return show(request, till, "pos/unknown.html", status=form.status, **context)


handlers = [unknown_page, take_unknown]
