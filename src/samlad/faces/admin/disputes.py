"""Disputes: what customers take back by their banks, with what it is about and until when it is to be answered."""

from typing import Any

from litestar import Response, get, post

from samlad.faces.admin import dispute_names, names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.page import AnyRequest, go, require, translated, words
from samlad.kernel.http import actor_of, database_of
from samlad.orders import disputed, seeing
from samlad.payments import accounts, disputes
from samlad.payments.permissions import READ, SET_UP

BASE = "/admin/payments/disputes"


@get(BASE)
async def list_disputes(request: AnyRequest) -> Response[Any]:
    """All of them, the latest first."""
    require(request, READ)
    database = database_of(request)
    fixed = {"location": seeing.scope(actor_of(request))}
    return await admin_page(
        request,
        "admin/payment_disputes.html",
        list=await shown(request, database, disputed.DISPUTES, fixed=fixed),
        states=translated(request, dispute_names.STATUS),
        words=dispute_names,
        providers=[(info.name, info.name) for info in await accounts.infos(database) if info.needs_keys],
        names=names,
    )


@post(BASE)
async def ask_now(request: AnyRequest) -> Response[Any]:
    """Ask the providers now instead of within the hour."""
    require(request, SET_UP)
    _, count = words(request), await disputes.look(database_of(request))
    return go(request, BASE, _("The providers told of %(count)s disputes.") % {"count": count})


HANDLERS = [list_disputes, ask_now]
