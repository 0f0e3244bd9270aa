"""Sales of tills: what they sent, what was wrong with it, and what is to be done about that."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, stock, tills
from samlad.faces.admin import decided, names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.objections import OBJECTIONS
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import Problem
from samlad.tills import (
    READ,
    RESOLVE,
    SALES,
    KeptSale,
    LookInput,
    NameGoodsInput,
    Sale,
    SaleState,
    WriteOffInput,
    rules,
)
from samlad.tills.model import SoldLine

BASE = "/admin/till-sales"
T = TypeVar("T")


@get(BASE)
async def list_sales(request: AnyRequest) -> Response[Any]:
    """What needs a look, unless the address asks for something else; what came last first."""
    require(request, READ)
    database, actor = database_of(request), actor_of(request)
    scope = actor.bound_to
    fixed = None if request.query_params else {"needs_look": "true"}
    found = await shown(request, database, SALES, scope, fixed=fixed)
    _ = words(request)
    return await admin_page(
        request,
        "admin/till_sales.html",
        list=found,
        is_first_view=fixed is not None,
        looks=[("true", _("Needs a look")), ("false", _("All right, or looked at"))],
        states=translated(request, names.till_sale_state),
        kinds=dict(translated(request, names.till_entry_kind)),
        missing=await tills.missing(database, scope) if fixed is not None else [],
        may_look=actor.may(RESOLVE),
        stores={each.code: each.name for each in await channels.cached_all(database)},
        names=names,
        texts=_texts(request),
    )


def _texts(request: AnyRequest) -> dict[str, str]:
    """What each objection means."""
    return dict(translated(request, OBJECTIONS))


@get(f"{BASE}/{{sale_id:uuid}}")
async def show_sale(request: AnyRequest, sale_id: FromPath[UUID]) -> Response[Any]:
    """One sale as it was sent, with what the server says about it."""
    require(request, READ)
    return await _page(request, await _found(request, sale_id), Form())


async def _found(request: AnyRequest, sale_id: UUID) -> KeptSale:
    found = await tills.get(database_of(request), sale_id)
    actor_of(request).require(READ, location=found.location)
    return found


async def _page(request: AnyRequest, sale: KeptSale, form: Form) -> Response[Any]:
    database = database_of(request)
    place = await stock.location(database, sale.location)
    read = rules.read(sale.body)
    return await admin_page(
        request,
        "admin/till_sale.html",
        status_code=form.status,
        sale=sale,
        place=place,
        lines=read.lines if isinstance(read, Sale) else [],
        tenders=read.tenders if isinstance(read, Sale) else [],
        kinds=dict(translated(request, names.till_entry_kind)),
        ways=dict(translated(request, names.till_tender)),
        sent=msgspec.json.format(msgspec.json.encode(sale.body), indent=2).decode(),
        names=names,
        texts=_texts(request),
        form=form,
        may_resolve=actor_of(request).may(RESOLVE, sale.location),
        is_kept=sale.state is SaleState.KEPT,
        is_readable=not isinstance(read, str),
        amounts=("price", "sums", "paid", "receipt-differs"),
        is_sale=sale.kind == "sale",
        unknown=_unknown(sale, read) if isinstance(read, Sale) and sale.order_id is not None else [],
    )


def _unknown(sale: KeptSale, read: Sale) -> list[tuple[int, SoldLine]]:
    """Lines (from 1) of which nobody has said yet what was sold."""
    open_ = {each.line for each in sale.objections if each.code == "unknown-goods" and each.here is None}
    return [(place, line) for place, line in enumerate(read.lines, 1) if place in open_]


@post(f"{BASE}/{{sale_id:uuid}}/settle")
async def settle(request: AnyRequest, sale_id: FromPath[UUID]) -> Response[Any]:
    """It is right as it is."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    await _found(request, sale_id)

    def done(sale: KeptSale) -> Response[Any]:
        if sale.resolution == "seen":
            said = _("Looked at.")
        elif sale.order_number is None:
            said = _("It is done here, too.")
        else:
            said = _("It is order %(number)s now.") % {"number": sale.order_number}
        return go(request, BASE, said)

    return await _decide(
        request, sale_id, form, lambda tx: tills.settle(tx, sale_id, version=form.version()), done
    )


@post(f"{BASE}/{{sale_id:uuid}}/goods")
async def name_goods(request: AnyRequest, sale_id: FromPath[UUID]) -> Response[Any]:
    """Which variant it was that nobody knew."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    await _found(request, sale_id)
    return await _decide(
        request,
        sale_id,
        form,
        lambda tx: tills.name_goods(tx, sale_id, form.into(NameGoodsInput), version=form.version()),
        lambda _sale: go(request, f"{BASE}/{sale_id}", _("Its stock is right now.")),
    )


@post(f"{BASE}/numbers")
async def look_at_numbers(request: AnyRequest) -> Response[Any]:
    """Somebody knows what became of numbers that never came."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(LookInput)
        await change(request, lambda tx: tills.look_at_numbers(tx, data))
    except Problem:
        return go(request, BASE, _("Say in a few words what became of them."), kind="warning")
    return go(request, BASE, _("Looked at."))


@post(f"{BASE}/{{sale_id:uuid}}/write-off")
async def write_off(request: AnyRequest, sale_id: FromPath[UUID]) -> Response[Any]:
    """It will be no order."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    await _found(request, sale_id)
    return await _decide(
        request,
        sale_id,
        form,
        lambda tx: tills.write_off(tx, sale_id, form.into(WriteOffInput), version=form.version()),
        lambda _sale: go(request, BASE, _("Written off. What was sent stays here.")),
    )


async def _decide(
    request: AnyRequest,
    sale_id: UUID,
    form: Form,
    verb: Callable[[Tx], Awaitable[T]],
    done: Callable[[T], Response[Any]],
) -> Response[Any]:
    async def page(failed: Form) -> Response[Any]:
        return await _page(request, await _found(request, sale_id), failed)

    here = f"{BASE}/{sale_id}"
    return await decided.decide(request, verb, here=here, done=done, again=decided.failed(form, page))


HANDLERS = [list_sales, show_sale, settle, name_goods, write_off, look_at_numbers]
