"""Subscriptions: who gets what again and again, and all that can be done about it."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, channels, customers, subscriptions
from samlad.access import staff as people
from samlad.channels import Resource
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.orders import doer
from samlad.faces.admin.scope import open_orders, within
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.subscription_texts import (
    CYCLE_STATES,
    STATUS_KINDS,
    STATUSES,
    TOLD,
    TROUBLES,
)
from samlad.faces.design import formats
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.faces.repeat_names import every
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.log import Event
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.payments import offered, pays_alone
from samlad.subscriptions import (
    CHANGE,
    CYCLES,
    LISTING,
    PLAN_LISTING,
    READ,
    CancelInput,
    ChangeInput,
    LineInput,
    MoveInput,
    OrderNowInput,
    PauseInput,
    ResumeInput,
    Status,
    Subscription,
)

BASE = "/admin/subscriptions"
VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    (marked("All"), {}),
    (marked("Active"), {"status": "active"}),
    (marked("In trouble"), {"trouble": "any"}),
    (marked("Paused"), {"status": "paused"}),
    (marked("Cancelled"), {"status": "cancelled"}),
)


@get(BASE)
async def list_subscriptions(request: AnyRequest) -> Response[Any]:
    """All subscriptions, the newest first."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    found = await shown(request, database, LISTING, fixed=await within(request, Resource.ORDERS))
    everything = await channels.cached_all(database)
    plans = await PLAN_LISTING.page(database, ListQuery(limit=200))
    return await admin_page(
        request,
        "admin/subscriptions.html",
        list=found,
        statuses=STATUSES,
        status_kinds=STATUS_KINDS,
        troubles=TROUBLES,
        channel_names={channel.code: channel.name for channel in everything},
        plan_names={plan.code: plan.name for plan in plans.items},
        states=translated(request, STATUSES),
        views=[_view(_(text), filters, found.params) for text, filters in VIEWS],
    )


def _view(text: str, filters: dict[str, str], params: dict[str, str]) -> dict[str, Any]:
    asked = {name: params[name] for name in ("status", "trouble") if name in params}
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return {"text": text, "href": f"{BASE}{'?' if query else ''}{query}", "current": asked == filters}


@get(f"{BASE}/{{subscription_id:uuid}}")
async def show_subscription(request: AnyRequest, subscription_id: FromPath[UUID]) -> Response[Any]:
    """One subscription: what comes, when, and what has happened."""
    require(request, READ)
    return await _page(request, subscription_id, Form())


async def _page(request: AnyRequest, subscription_id: UUID, form: Form) -> Response[Any]:
    database, _ = database_of(request), words(request)
    found, channel = await subscriptions.reached(database, actor_of(request), subscription_id)
    upcoming = await database.transaction(
        lambda tx: subscriptions.upcoming(tx, found, channel), context_of(request)
    )
    cycles = await CYCLES.page(database, ListQuery(limit=50), subscription_id)
    events = await log.of_subject(database, subscription_id)
    who = await people.names(database)
    person = await customers.get(database, found.customer)
    plan = await subscriptions.read_plan(database, found.plan)
    plans = await PLAN_LISTING.page(
        database, ListQuery(limit=200, filters={"channel": channel.code, "state": "active"})
    )
    may_change = actor_of(request).may(CHANGE)
    return await admin_page(
        request,
        "admin/subscription.html",
        status_code=form.status,
        time_zone=channel.time_zone,
        sub=found,
        channel=channel,
        person=person,
        plan=plan,
        plans=[(str(each.id), each.name) for each in plans.items],
        rhythm=every(_, found.terms),
        upcoming=upcoming,
        cycles=cycles.items,
        open_orders=await open_orders(
            actor_of(request), database, [found.origin, *(each.order_id for each in cycles.items)]
        ),
        cycle_states=CYCLE_STATES,
        history=[_told(event, _, who, locale_of(request)) for event in reversed(events)],
        form=form,
        names=names,
        statuses=STATUSES,
        status_kinds=STATUS_KINDS,
        troubles=TROUBLES,
        possible=_possible(found) if may_change else set(),
        providers=[
            (name, _(names.provider.get(name, name))) for name in offered(channel) if pays_alone(name)
        ],
    )


def _possible(found: Subscription) -> set[str]:
    """What can be done with it now."""
    if found.status is Status.CANCELLED:
        return {"reactivate"}
    if found.status is Status.PAUSED:
        return {"resume", "pause", "cancel", "change"}
    busy = set() if found.charging else {"skip", "unskip", "move", "order-now", "change"}
    if found.is_ending_now:
        busy -= {"skip", "move", "order-now"}
    return {"pause", "cancel", *busy, *(["reactivate"] if found.is_ending else [])}


def _told(event: Event, translate: Callable[[str], str], who: dict[str, str], locale: str) -> dict[str, Any]:
    """A line of the history."""
    text, icon, kind = TOLD.get(event.type, (event.type, "clock", ""))
    said = event.payload
    days = [said[name] for name in ("next_on", "until", "ends_on") if said.get(name)]
    more = [
        *(said[name] for name in ("order_number",) if said.get(name)),
        *(formats.day(date.fromisoformat(day), locale) for day in days),
        *(said[name] for name in ("reason", "problem") if said.get(name)),
    ]
    return {
        "text": " · ".join([translate(text), *map(str, more)]),
        "at": event.occurred_at,
        "icon": icon,
        "kind": kind,
        "by": doer(event.actor, translate, who),
    }


# -- acts --------------------------------------------------------------------------------------------------------------

DONE = {
    "pause": marked("Paused. Nothing is ordered meanwhile."),
    "resume": marked("It goes on."),
    "skip": marked("The next order is skipped."),
    "unskip": marked("The order that was skipped comes after all."),
    "move": marked("The next order is moved."),
    "order-now": marked("It is ordered in a moment. Look here again to see it."),
    "cancel": marked("Cancelled."),
    "reactivate": marked("It goes on."),
    "change": marked("Saved. It holds from the next order on."),
}


@post(f"{BASE}/{{subscription_id:uuid}}/{{act:str}}")
async def act(request: AnyRequest, subscription_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Whatever can be done with a subscription."""
    require(request, CHANGE)
    if act not in DONE:
        raise NotFound("There is no such act.")
    form, _ = await read_form(request), words(request)
    try:
        work = await _work(request, subscription_id, act, form)
        await change(request, work)
    except Problem as problem:
        return await _page(request, subscription_id, form.failed(problem, {"until": "pause_until"}))
    return go(request, f"{BASE}/{subscription_id}", _(DONE[act]))


async def _work(
    request: AnyRequest, one: UUID, act: str, form: Form
) -> Callable[[Tx], Awaitable[Subscription]]:
    """The verb that the form asks for."""
    version = form.version()
    if act == "pause":
        pause = PauseInput(until=_day(form, "pause_until"), reason=form.text("reason") or "")
        return lambda tx: subscriptions.pause(tx, one, pause, version=version)
    if act in ("resume", "reactivate"):
        verb = subscriptions.resume if act == "resume" else subscriptions.reactivate
        goes_on = ResumeInput(next_on=_day(form, "next_on"))
        return lambda tx: verb(tx, one, goes_on, version=version)
    if act == "skip":
        return lambda tx: subscriptions.skip(tx, one, version=version)
    if act == "unskip":
        return lambda tx: subscriptions.unskip(tx, one, version=version)
    if act == "move":
        day = _day(form, "moved_to")
        if day is None:
            raise InvalidInput.at("moved_to", form.translate(marked("Please fill this in.")))
        move = MoveInput(next_on=day, once=form.has("once"))
        return lambda tx: subscriptions.move(tx, one, move, version=version)
    if act == "order-now":
        now = OrderNowInput(restart=form.has("restart"))
        return lambda tx: subscriptions.order_now(tx, one, now, version=version)
    if act == "cancel":
        given = form.into(CancelInput, override=form.has("override"))
        return lambda tx: subscriptions.cancel(tx, one, given, version=version)
    changes = await _changes(request, one, form)
    return lambda tx: subscriptions.change(tx, one, changes, version=version)


def _day(form: Form, name: str) -> date | None:
    """A day; None when there is nothing.

    Raises:
        InvalidInput: it is none.
    """
    text = form.text(name)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(name, form.translate(marked("Please write a day as 2026-12-24."))) from None


async def _changes(request: AnyRequest, one: UUID, form: Form) -> ChangeInput:
    """What the form changes: lines, or the plan, or how it is paid, or the address."""
    database = database_of(request)
    found, channel = await subscriptions.reached(database, actor_of(request), one)
    values: dict[str, Any] = {}
    if form.has("lines"):
        lines = [
            LineInput(variant=line.variant, quantity=quantity)
            for line in found.lines
            if (quantity := form.whole(f"quantity-{line.variant}") or 0) > 0
        ]
        code = form.text("add")
        if code is not None:
            added = await catalog.variant_by_code(database, channel.pools[Resource.CATALOGUE], code)
            if added is None:
                raise InvalidInput.at("add", form.translate(marked("There is nothing with this number.")))
            lines = [line for line in lines if line.variant != added.id] + [LineInput(variant=added.id)]
        values["lines"] = msgspec.to_builtins(lines)
    if form.text("plan") and form.get("plan") != str(found.plan):
        values["plan"] = form.get("plan")
    if form.text("provider"):
        values["payment"] = {"provider": form.get("provider"), "token": form.text("token")}
    if form.has("address"):
        parts = ("name", "line1", "line2", "postal_code", "city", "region", "country")
        values["address"] = {part: form.text(f"address/{part}") for part in parts}
        values["address"]["country"] = (values["address"]["country"] or "").upper()
    try:
        return msgspec.convert(values, ChangeInput, strict=False)
    except msgspec.ValidationError:
        return form.into(ChangeInput, **values)


HANDLERS = [list_subscriptions, show_subscription, act]
