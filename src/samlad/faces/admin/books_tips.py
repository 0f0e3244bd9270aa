"""Tips in the money book: who was given what, paying it out, and undoing that."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import books, stock
from samlad.books import READ, TIPS, Means, TipPayoutInput, TipsOwed, TipsWanted, UndoTipsInput
from samlad.faces.admin import names
from samlad.faces.admin.books import BASE, tabs
from samlad.faces.admin.lists import Shown, href, shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.design import formats
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.ids import new_id
from samlad.kernel.problems import NotFound, Problem

HERE, PAY, PAYOUTS = f"{BASE}/tips", f"{BASE}/tips/pay", f"{BASE}/tips/payouts"
PARTS = ("day", "location", "till")
WITH = ("bank", "wages")
"""Ways of paying out, besides an open drawer."""


async def _places(request: AnyRequest) -> list[tuple[str, str]]:
    actor = actor_of(request)
    return [
        (str(one.id), one.name)
        for one in await stock.locations(database_of(request))
        if one.channel is not None and actor.may(READ, one.id)
    ]


def _key(one: TipsOwed) -> str:
    """What the filter of clerks knows them by."""
    return str(one.clerk) if one.clerk else one.name


def pay_href(one: TipsOwed) -> str:
    """The form that pays somebody."""
    whose = {"location": one.location, "clerk": one.clerk, "name": one.name, "currency": one.currency}
    return href(PAY, {**whose, "name": None} if one.clerk else whose)


@get(HERE)
async def list_tips(request: AnyRequest) -> Response[Any]:
    """Who was given what: summed up for each clerk or by day, location and drawer, and each tip."""
    require(request, READ)
    database, scope, _ = database_of(request), actor_of(request).bound_to, words(request)
    found = await shown(request, database, books.EACH_TIP, scope, also=("by",))
    by = found.get("by") if found.get("by") in PARTS else ""
    wanted = _wanted(found, scope)
    everybody = await books.tips_owed(database, TipsWanted(locations=scope))
    return await admin_page(
        request,
        "admin/book_tips.html",
        list=found,
        by=by,
        owed=await books.tips_owed(database, wanted),
        sums=[(_called(request, by, one.part), one) for one in await books.tip_sums(database, wanted, by)] if by else [],
        parts=[("day", _("By day")), ("location", _("By location")), ("till", _("By drawer"))],
        places=await _places(request),
        clerks=sorted({_key(one): one.name or _("Nobody was named") for one in everybody if _key(one)}.items(), key=lambda one: one[1]),
        states=[("owed", _("Still owed")), ("paid", _("Paid out"))],
        may_pay=lambda location: actor_of(request).may(TIPS, location),
        pay_href=pay_href,
        tenders=names.provider,
        tabs=tabs(request, HERE),
    )  # fmt: skip


def _wanted(found: Shown[Any], scope: list[UUID] | None) -> TipsWanted:
    """The filters of the list that sums have, too; the list has taken away what cannot be read."""
    since, until = (
        date.fromisoformat(found.get(name)) if found.get(name) else None for name in ("from", "to")
    )
    location = UUID(found.get("location").split(",")[0]) if found.get("location") else None
    return TipsWanted(
        since=since, until=until, location=location, clerk=found.get("clerk") or None, locations=scope
    )


def _called(request: AnyRequest, by: str, part: str) -> str:
    """What a sum is of, as it is read."""
    if by == "day":
        return formats.day(date.fromisoformat(part), locale_of(request))
    return part or words(request)("In no counted drawer yet")


async def _whose(request: AnyRequest, form: Form) -> TipsOwed:
    """Of whom the form is, and what is owed to them.

    Raises:
        NotFound: nobody of that name was given anything there.
    """
    known = await books.tips_owed(database_of(request), TipsWanted(locations=actor_of(request).bound_to))
    for one in known:
        whose = (str(one.location), _key(one), one.currency)
        if whose == (form.get("location"), form.get("clerk") or form.get("name"), form.get("currency")):
            return one
    raise NotFound("Nobody of this name was given a tip there.")


@get(PAY)
async def show_pay(request: AnyRequest) -> Response[Any]:
    """What is owed to somebody, and how it is paid out."""
    asked = request.query_params
    form = Form.of(
        **{name: asked.get(name, "") for name in ("location", "clerk", "name", "currency")}, id=str(new_id())
    )
    return await _pay_page(request, form)


async def _pay_page(request: AnyRequest, form: Form) -> Response[Any]:
    require(request, READ)
    one = await _whose(request, form)
    actor_of(request).require(TIPS, location=one.location)
    return await admin_page(
        request, "admin/book_tips_pay.html", status_code=form.status, one=one, form=form,
        ways=[*await _drawers(request, one.location, one.currency), *((way, text) for way, text in _ways(request) if way in WITH)],
    )  # fmt: skip


def _ways(request: AnyRequest) -> list[tuple[str, str]]:
    return translated(request, names.tips_means)


async def _drawers(request: AnyRequest, location: UUID, currency: str) -> list[tuple[str, str]]:
    """Open drawers, as ways to pay."""
    _ = words(request)
    return [
        (str(one.id), _("Out of drawer %(name)s") % {"name": one.till_name})
        for one in await books.open_shifts(database_of(request), location)
        if one.currency == currency
    ]


@post(PAY)
async def pay(request: AnyRequest) -> Response[Any]:
    """It was paid out."""
    require(request, READ)
    form, _ = await read_form(request), words(request)
    way = form.get("means")
    try:
        data = form.into(
            TipPayoutInput,
            means=way if way in WITH else Means.DRAWER,
            shift=None if way in WITH else (form.text("means") or None),
        )
        done = await change(request, lambda tx: books.pay_tips_out(tx, data))
    except NotFound:
        raise
    except Problem as problem:
        return await _pay_page(request, form.failed(problem, {"shift": "means"}))
    return go(request, f"{PAYOUTS}/{done.id}", _("The tips are marked as paid out."))


@get(PAYOUTS)
async def list_payouts(request: AnyRequest) -> Response[Any]:
    """What was paid out, the latest first."""
    require(request, READ)
    _ = words(request)
    return await admin_page(
        request,
        "admin/book_tip_payouts.html",
        list=await shown(request, database_of(request), books.TIP_PAYOUTS, actor_of(request).bound_to),
        places=await _places(request),
        ways=_ways(request),
        means=names.tips_means,
        states=[("paid", _("Paid out")), ("undone", _("Undone"))],
        tabs=tabs(request, HERE),
    )


@get(f"{PAYOUTS}/{{payout_id:uuid}}")
async def show_payout(request: AnyRequest, payout_id: FromPath[UUID]) -> Response[Any]:
    """A payout, with the way to undo it."""
    return await _payout_page(request, payout_id, Form())


async def _payout_page(request: AnyRequest, payout_id: UUID, form: Form) -> Response[Any]:
    require(request, READ)
    database = database_of(request)
    payout = await books.tip_payout(database, payout_id)
    actor_of(request).require(READ, location=payout.location)
    drawers = await _drawers(request, payout.location, payout.currency) if payout.shift else []
    if payout.shift and not form.get("shift"):
        form.fields["shift"] = [str(payout.shift)]
    return await admin_page(
        request,
        "admin/book_tip_payout.html",
        status_code=form.status,
        payout=payout,
        place=await stock.location(database, payout.location),
        means=names.tips_means,
        drawers=drawers,
        form=form,
    )


@post(f"{PAYOUTS}/{{payout_id:uuid}}/undo")
async def undo(request: AnyRequest, payout_id: FromPath[UUID]) -> Response[Any]:
    """It was not paid out after all."""
    require(request, READ)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(UndoTipsInput)
        await change(request, lambda tx: books.undo_tip_payout(tx, payout_id, data))
    except NotFound:
        raise
    except Problem as problem:
        return await _payout_page(request, payout_id, form.failed(problem))
    return go(request, f"{PAYOUTS}/{payout_id}", _("The tips are owed again."))


HANDLERS = [list_tips, show_pay, pay, list_payouts, show_payout, undo]
