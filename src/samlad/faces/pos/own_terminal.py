"""Which card terminal stands at this till: the device remembers it, whoever is signed in."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import show, till_of
from samlad.faces.pos.waiting import cookie_of_terminal, terminals_here
from samlad.kernel.http import actor_of
from samlad.kernel.problems import NotFound
from samlad.payments.permissions import TERMINALS
from samlad.tills.terminals import is_here

YEAR_SECONDS = 365 * 86_400


@get("/{code:str}/terminals")
async def terminals_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The card terminals of the store, and which one is this till's."""
    till = await till_of(request, code)
    return show(
        request,
        till,
        "pos/terminals.html",
        terminals=await terminals_here(request, till),
        takes_cards=is_here(till.channel),
        manage_href=f"/admin/payments/terminals?location={till.location.id}"
        if actor_of(request).may(TERMINALS, till.location.id)
        else None,
    )


@post("/{code:str}/terminals/{terminal_id:uuid}/use", status_code=303)
async def use(request: AnyRequest, code: FromPath[str], terminal_id: FromPath[UUID]) -> Response[Any]:
    """This till takes cards there from now on."""
    till, _form, _ = await till_of(request, code), await read_form(request), face.words(request)
    found = next((one for one in await terminals_here(request, till) if one.id == terminal_id), None)
    if found is None:
        raise NotFound("There is no such card terminal.")
    said = _("This till takes cards at “%(name)s”.") % {"name": found.name}
    answer = face.go(request, f"{till.base}/terminals", said)
    answer.set_cookie(face.own_cookie(request, cookie_of_terminal(till), str(found.id), YEAR_SECONDS))
    return answer


handlers = [terminals_page, use]
