"""Gift cards that wait: printed and not sold, or loaded and not paid. Staff take back what will not be sold."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post

from samlad import credit
from samlad.channels import Resource
from samlad.credit import ISSUE, READ, UNSOLD, TakeBackInput
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import within
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.http import database_of
from samlad.kernel.problems import InvalidInput, NotFound, Problem

HERE = "/admin/gift-cards/waiting"


@get(HERE)
async def list_waiting(request: AnyRequest) -> Response[Any]:
    """Cards that wait, the newest first."""
    require(request, READ)
    return await _page(request, Form())


async def _page(request: AnyRequest, form: Form) -> Response[Any]:
    _ = words(request)
    return await admin_page(
        request,
        "admin/gift_cards_waiting.html",
        status_code=form.status,
        list=await shown(
            request, database_of(request), UNSOLD, fixed=await within(request, Resource.CUSTOMERS)
        ),
        form=form,
        here=HERE,
        reasons=[("sale", _("Printed, not sold")), ("payment", _("Its order is not paid"))],
    )


@post(HERE)
async def take_back(request: AnyRequest) -> Response[Any]:
    """The chosen ones will not be sold."""
    require(request, ISSUE)
    form, _ = await read_form(request), words(request)
    try:
        chosen = _chosen(form)
        if not chosen:
            raise InvalidInput.at("cards", _("Choose at least one card."))
        data = form.into(TakeBackInput, cards=chosen)
        done = await change(request, lambda tx: credit.take_back_unsold(tx, data))
    except NotFound:
        raise
    except Problem as problem:
        return await _page(request, form.failed(problem))
    return go(request, HERE, _("%(num)d taken back.") % {"num": done.count})


def _chosen(form: Form) -> list[str]:
    found = []
    for text in form.all("cards"):
        try:
            found.append(str(UUID(text)))
        except ValueError:
            continue
    return found


HANDLERS = [list_waiting, take_back]
