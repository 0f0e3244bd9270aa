"""The drawer of a till: open it, put cash in or take it out, count it without seeing what should be in it."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import books
from samlad.books import CashRefundInput, CloseTillInput, OpenTillInput, Shift, TillMovementInput, till_store
from samlad.faces import page as face
from samlad.faces.admin import names
from samlad.faces.design.formats import money
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show, till_of
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.ids import new_id
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.payments.permissions import RECEIVE

MOST_WAITING = 50
"""Refunds that a drawer's page offers."""


@get("/{code:str}/drawer")
async def drawer_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The drawers of this store: open ones, and the form to open another."""
    till = await till_of(request, code)
    actor_of(request).require(books.TILL, location=till.location.id)
    return await _page(request, till, Form.of(till="1", id=str(new_id())))


async def _page(request: AnyRequest, till: Till, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    still = await books.open_shifts(database, till.location.id)
    known = await books.drawers(database, till.location.id)
    free = [one for one in known if one.name not in {shift.till_name for shift in still}]
    if free and not form.get("float_amount") and not form.errors:
        form.fields["till"] = [free[0].name]
        form.fields["float_amount"] = [decimal_text(free[0].left_in, till.channel.currency)]
    return show(
        request,
        till,
        "pos/drawer.html",
        status=form.status,
        shifts=still,
        is_mine={shift.id: actor.name in shift.clerks for shift in still},
        form=form,
    )


@post("/{code:str}/drawer")
async def open_drawer(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Open a drawer with what is in it."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    try:
        amount = form.amount("float_amount", till.channel.currency)
        if amount is None:
            raise InvalidInput.at("float_amount", _("Please fill this in."))
        data = form.into(OpenTillInput, location=str(till.location.id), float_amount=amount)
        opened = await face.change(request, lambda tx: books.open_till(tx, data))
    except Problem as problem:
        return await _page(request, till, form.failed(problem))
    return face.go(request, f"{till.base}/drawer/{opened.shift.id}", _("The drawer is open."))


async def _shift(request: AnyRequest, till: Till, shift_id: UUID) -> books.ShiftView:
    actor_of(request).require(books.TILL, location=till.location.id)
    view = await books.view(database_of(request), shift_id)
    if view.shift.location != till.location.id:
        raise NotFound("There is no such shift.")
    return view


@get("/{code:str}/drawer/{shift_id:uuid}")
async def shift_page(request: AnyRequest, code: FromPath[str], shift_id: FromPath[UUID]) -> Response[Any]:
    """An open drawer; a counted one with its Z report."""
    till = await till_of(request, code)
    view = await _shift(request, till, shift_id)
    return await _shift_page(request, till, view, Form.of(id=str(new_id()), reason="change", way="out"))


async def _shift_page(request: AnyRequest, till: Till, view: books.ShiftView, form: Form) -> Response[Any]:
    report, may_see = view.report, actor_of(request).may(books.TILL_REPORT, till.location.id)
    shift_id = view.shift.id
    if report is None and may_see and "x" in request.query_params:
        report = await face.change(request, lambda tx: books.x_report(tx, shift_id))
    return show(
        request,
        till,
        "pos/shift.html",
        status=form.status,
        view=view,
        report=report,
        may_see=may_see,
        is_mine=actor_of(request).name in view.shift.clerks,
        reasons=face.translated(request, names.till_reason),
        waiting=await _waiting(request, view.shift),
        pieces=_pieces(view.shift, form),
        tenders=names.provider,
        print_id=new_id(),
        form=form,
    )


async def _waiting(request: AnyRequest, shift: Shift) -> list[tuple[str, str, str | None]]:
    """Refunds of this store's orders that may be paid out of this drawer, as choices: of imported ones, and what a provider refused."""
    actor, _ = actor_of(request), face.words(request)
    may_pay = actor.may(books.TILL_REFUND, shift.location) and actor.may(RECEIVE)
    if shift.closed_at is not None or not may_pay:
        return []
    waiting = await till_store.waiting_refunds(
        database_of(request), shift.location, shift.currency, MOST_WAITING
    )
    locale = face.locale_of(request)
    why = {True: _("its provider refused it"), False: _("imported")}
    return [
        (str(one.id), one.number, f"{money(one.amount, shift.currency, locale)} · {why[one.has_failed]}")
        for one in waiting
    ]


def _pieces(shift: Shift, form: Form) -> list[tuple[int, str]]:
    """What there is to count, with what was typed."""
    return [(one, form.get(f"count-{one}")) for one in books.denominations(shift.currency)]


@post("/{code:str}/drawer/{shift_id:uuid}/join")
async def join(request: AnyRequest, code: FromPath[str], shift_id: FromPath[UUID]) -> Response[Any]:
    """Work at this drawer, too."""
    till, _ = await till_of(request, code), face.words(request)
    await _shift(request, till, shift_id)
    await face.change(request, lambda tx: books.join_till(tx, shift_id))
    return face.go(request, f"{till.base}/drawer/{shift_id}", _("What you ring up is in this drawer now."))


@post("/{code:str}/drawer/{shift_id:uuid}/move")
async def move(request: AnyRequest, code: FromPath[str], shift_id: FromPath[UUID]) -> Response[Any]:
    """Put cash in or take it out."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    view = await _shift(request, till, shift_id)
    try:
        amount = form.amount("amount", view.shift.currency)
        if amount is None or amount <= 0:
            raise InvalidInput.at("amount", _("Please fill this in."))
        data = form.into(TillMovementInput, amount=amount if form.get("way") == "in" else -amount)
        await face.change(request, lambda tx: books.move_cash(tx, shift_id, data))
    except Problem as problem:
        return await _shift_page(request, till, view, form.failed(problem))
    return face.go(request, f"{till.base}/drawer/{shift_id}", _("It is written down."))


@post("/{code:str}/drawer/{shift_id:uuid}/refund")
async def refund(request: AnyRequest, code: FromPath[str], shift_id: FromPath[UUID]) -> Response[Any]:
    """Pay a refund that waits out of the drawer, with a reason."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    view = await _shift(request, till, shift_id)
    try:
        if not form.get("refund"):
            raise InvalidInput.at("refund", _("Please choose one of these."))
        data = form.into(CashRefundInput, reason=form.text("why") or "")
        await face.change(request, lambda tx: books.refund_cash(tx, shift_id, data))
    except Problem as problem:
        return await _shift_page(request, till, view, form.failed(problem, {"reason": "why"}))
    return face.go(request, f"{till.base}/drawer/{shift_id}", _("Paid out. It is written down."))


@post("/{code:str}/drawer/{shift_id:uuid}/close")
async def close(request: AnyRequest, code: FromPath[str], shift_id: FromPath[UUID]) -> Response[Any]:
    """Count it and close it."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    view = await _shift(request, till, shift_id)
    currency = view.shift.currency
    try:
        counts = {str(one): form.whole(f"count-{one}") or 0 for one, _typed in _pieces(view.shift, form)}
        for one, pieces in counts.items():
            if not 0 <= pieces <= 1_000_000:
                raise InvalidInput.at(f"count-{one}", _("Please write a whole number."))
        data = form.into(CloseTillInput, counts=counts, taken=form.amount("taken", currency) or 0)
        await face.change(request, lambda tx: books.close_till(tx, shift_id, data, version=form.version()))
    except books.TillState:
        return face.go(
            request,
            f"{till.base}/drawer/{shift_id}",
            _("Somebody else has counted it already."),
            kind="warning",
        )
    except Problem as problem:
        return await _shift_page(request, till, view, form.failed(problem))
    return face.go(request, f"{till.base}/drawer/{shift_id}", _("The drawer is closed."))


handlers = [drawer_page, open_drawer, shift_page, join, move, refund, close]
