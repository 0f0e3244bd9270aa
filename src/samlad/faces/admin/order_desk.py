"""The order desk: every order of every channel in views that one keeps, a panel beside the list, by keyboard and live."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from samlad import channels, orders
from samlad.access import staff as people
from samlad.channels import Channel
from samlad.faces import fulfilment_names as fulfilment_texts
from samlad.faces.admin import names
from samlad.faces.admin.lists import Shown, href, shown
from samlad.faces.admin.orders import possible, promised_words, told
from samlad.faces.admin.overview import arrived
from samlad.faces.admin.paper_names import CHOICES
from samlad.faces.admin.scope import order_scope, own_locations
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import (
    AnyRequest,
    change,
    go,
    is_htmx,
    listen_from_here,
    live_href,
    locale_of,
    page,
    require,
    translated,
    words,
)
from samlad.kernel.clock import day_bounds, local_day, now
from samlad.kernel.database import Database, Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked, translator
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery, texts
from samlad.kernel.problems import NotFound, Problem
from samlad.orders import tagging, tagging_store, views
from samlad.orders.permissions import SHARE
from samlad.orders.tagging import OrderNoteInput
from samlad.orders.views import OrderView, ViewChange, ViewInput

BASE = "/admin/orders"

VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    (marked("All"), {}),
    (marked("To hand over"), {"status": "placed,paid,partially_fulfilled", "kind": "sale", "goods": "true"}),
    (marked("Late"), {"late": "true"}),
    (
        marked("Unpaid"),
        {"payment": "unpaid,pending", "kind": "sale", "status": "placed,partially_fulfilled,fulfilled"},
    ),
    (marked("Returns"), {"kind": "return"}),
    (marked("Not given back"), {"not_refunded": "true"}),
    (marked("Disputed"), {"disputed": "true"}),
    (marked("Cancelled"), {"status": "cancelled,called_off"}),
)
"""Views of the desk that are asked for every day."""

COLUMNS: Mapping[str, str] = {
    "customer": marked("Customer"),
    "channel": marked("Channel"),
    "status": marked("Status"),
    "payment": marked("Payment"),
    "delivery": marked("Delivery"),
    "items": marked("Pieces"),
    "tags": marked("Tags"),
    "placed_at": marked("Placed"),
    "total": marked("Total"),
}
SHOWN_COLUMNS = ("customer", "channel", "status", "payment", "placed_at", "total")
"""What the desk shows of an order when nobody chose."""
NAMED_DAYS: Mapping[str, tuple[int, int]] = {
    "today": (0, 0),
    "yesterday": (1, 1),
    "week": (6, 0),
    "month": (29, 0),
}
"""Days that keep their name, so that a view means today tomorrow too: how many days back the first and the last lie."""
_OWN = ("first", "last", "day", "from_amount", "to_amount", "view", "open", "columns")
"""Parameters of the desk's address that are not filters of the list."""


# -- what is asked for ----------------------------------------------------------------------------------------------------


async def fixed_filters(request: AnyRequest, asked: Mapping[str, str]) -> dict[str, str | None]:
    """The filters of the list that follow from the desk's own: whose orders, days by a clock, amounts of a currency."""
    everything = await channels.cached_all(database_of(request))
    channel = _clock(everything, asked.get("channel", ""))
    filters = order_scope(actor_of(request)) | _days(asked, channel.time_zone if channel else "UTC")
    filters |= _named_days(asked, everything)
    currency = asked.get("currency") or (channel.currency if channel else "EUR")
    form = Form.of(from_amount=asked.get("from_amount"), to_amount=asked.get("to_amount"))
    for name, target in (("from_amount", "least"), ("to_amount", "most")):
        try:
            amount = form.amount(name, currency[:3] if len(currency) == 3 else "EUR")
        except Problem:
            continue
        if amount is not None:
            filters[target] = str(amount)
    return filters


def _clock(everything: list[Channel], code: str) -> Channel | None:
    """The channel whose clock and currency are meant: the one that is filtered by, else the one that stands for the shop."""
    return next((channel for channel in everything if channel.code == code), None) or main_of(everything)


def _days(asked: Mapping[str, str], zone: str) -> dict[str, str | None]:
    """The filters for the days that were chosen, as a clock has them."""
    filters: dict[str, str | None] = {"from": None, "before": None}
    for name, target, index in (("first", "from", 0), ("last", "before", 1)):
        try:
            day = date.fromisoformat(asked.get(name, ""))
            filters[target] = day_bounds(day, zone)[index].isoformat()
        except (ValueError, OverflowError):
            continue
    return filters


def _named_days(asked: Mapping[str, str], everything: list[Channel]) -> dict[str, str | None]:
    """The filters for days that have a name: each channel's own, by its clock, as the overview counts them."""
    named, codes = asked.get("day", ""), texts(asked.get("channel", ""))
    some = [one for one in everything if one.code in codes] or everything
    if named not in NAMED_DAYS or not some:
        return {"local_days": None}
    back = [timedelta(days=each) for each in NAMED_DAYS[named]]
    today = [(one, local_day(now(), one.time_zone)) for one in some]
    days = [(one, day - back[0], day - back[1]) for one, day in today]
    filters: dict[str, str | None] = {
        "from": min(day_bounds(first, one.time_zone)[0] for one, first, _ in days).isoformat(),
        "before": max(day_bounds(last, one.time_zone)[1] for one, _, last in days).isoformat(),
        "local_days": None,
    }
    if len({one.time_zone for one in some}) > 1:
        each = [{"channel": one.id, "first": first, "last": last} for one, first, last in days]
        filters["local_days"] = msgspec.json.encode(each).decode()
    return filters


async def query_of(request: AnyRequest, asked: Mapping[str, str], *, limit: int = 50) -> ListQuery:
    """What an address of the desk asks the list for."""
    filters = {name: asked[name] for name in orders.LISTING.filters if name in asked}
    fixed = {
        name: value for name, value in (await fixed_filters(request, asked)).items() if value is not None
    }
    return ListQuery(limit=limit, sort=asked.get("sort"), filters=filters | fixed)


# -- the desk ----------------------------------------------------------------------------------------------------------------


@get(BASE)
async def list_orders(request: AnyRequest) -> Response[Any]:
    """The desk: every order of every channel, the newest first, live."""
    require(request, orders.READ)
    kept = await views.views_of(database_of(request), actor_of(request))
    default = next((view for view in kept if view.is_default), None)
    if default is not None and not request.query_params and not is_htmx(request):
        return Response(
            b"", status_code=303, media_type="text/plain", headers={"Location": address_of(default)}
        )
    return await _desk(request, kept, Form())


async def _desk(request: AnyRequest, kept: list[OrderView], form: Form) -> Response[Any]:
    await listen_from_here(request)
    database, actor, _ = database_of(request), actor_of(request), words(request)
    fixed = await fixed_filters(request, request.query_params)
    found = await shown(request, database, orders.LISTING, fixed=fixed, also=_OWN)
    everything = await channels.cached_all(database)
    places = await own_locations(actor, database)
    is_first = "cursor" not in found.params
    chosen = _view_of(kept, found.params)
    columns = _columns(found.params, chosen)
    return await admin_page(
        request,
        "admin/orders.html",
        status_code=form.status,
        list=found,
        names=names,
        form=form,
        live_href=live_href(request, "orders") if is_first else None,
        arrived=arrived(request, found.items),
        newest=found.items[0].placed_at.isoformat() if found.items and is_first else "",
        channel_names={channel.code: channel.name for channel in everything},
        paper_choices=translated(request, CHOICES),
        filters=_filters(request, everything, [(place.code, place.name) for place in places]),
        more=[name for name in _MORE if found.get(name)],
        days=[(name, _(text)) for name, text in _DAY_NAMES.items()],
        tags_in_use=[one.tag for one in await tagging_store.tags_in_use(database, actor, 50)],
        views=_tabs(request, kept, chosen, found),
        view=chosen,
        may_edit=chosen is not None and (chosen.owner == actor.id or actor.may(SHARE)),
        column_choices=[(name, _(text)) for name, text in COLUMNS.items()],
        columns=columns,
        tags=await _tags(database, found.items) if "tags" in columns else {},
        places=[(str(place.id), place.name) for place in places],
        bulk_id=new_id(),
        selection=href("", found.kept("view", "open", "columns")).removeprefix("?"),
        panel=await panel_context(request, found.get("open")),
        here=found.href(open=None),
    )


_MORE = (
    "kind",
    "delivery",
    "place",
    "part",
    "returned",
    "tag",
    "from_amount",
    "to_amount",
    "customer",
    "currency",
)
"""Filters that are folded away until one of them is used."""
_DAY_NAMES: Mapping[str, str] = {
    "today": marked("Today"),
    "yesterday": marked("Yesterday"),
    "week": marked("Last 7 days"),
    "month": marked("Last 30 days"),
}
_YES_NO: Mapping[str, str] = {"true": marked("Came back in part"), "false": marked("Nothing came back")}


def _filters(
    request: AnyRequest, everything: list[Channel], places: list[tuple[str, str]]
) -> dict[str, list[Any]]:
    """The choices of the filters: those in sight, and those that are folded away."""
    _ = words(request)
    currencies = sorted({channel.currency for channel in everything})
    return {
        "first": [
            ("channel", _("All channels"), [(channel.code, channel.name) for channel in everything]),
            ("status", _("Any status"), translated(request, names.order_status)),
            ("payment", _("Any payment"), translated(request, names.payment_status)),
            ("day", _("Any day"), translated(request, _DAY_NAMES)),
        ],
        "more": [
            ("kind", _("All kinds"), translated(request, names.order_kind)),
            ("delivery", _("Any delivery"), translated(request, names.delivery)),
            ("place", _("Given by any location"), places),
            ("part", _("Parts in any state"), translated(request, fulfilment_texts.STATES)),
            ("returned", _("With or without returns"), translated(request, _YES_NO)),
            ("currency", _("Any currency"), [(code, code) for code in currencies]),
        ],
    }


def _columns(params: Mapping[str, str], view: OrderView | None) -> tuple[str, ...]:
    asked = [name for name in params.get("columns", "").split(",") if name in COLUMNS]
    return tuple(asked or (view.columns if view else ()) or SHOWN_COLUMNS)


async def _tags(database: Database, rows: list[Any]) -> dict[UUID, list[str]]:
    return await tagging_store.tags_of_many(database, [row.id for row in rows])


# -- views -----------------------------------------------------------------------------------------------------------------


def address_of(view: OrderView) -> str:
    """Where a view is seen."""
    return href(BASE, {**view.filters, "sort": view.sort, "view": str(view.id)})


def _view_of(kept: list[OrderView], params: Mapping[str, str]) -> OrderView | None:
    return next((view for view in kept if str(view.id) == params.get("view")), None)


def _tabs(
    request: AnyRequest, kept: list[OrderView], chosen: OrderView | None, found: Shown[Any]
) -> list[dict[str, Any]]:
    """The views of every day, then those that are kept."""
    _ = words(request)
    asked = {name: value for name, value in found.kept("view", "open", "columns", "sort").items() if value}
    tabs = [
        {
            "text": _(text),
            "href": href(BASE, {**filters, "view": "" if filters else "all"}),
            "current": chosen is None and asked == filters,
        }
        for text, filters in VIEWS
    ]
    return tabs + [
        {
            "text": view.name if view.owner == actor_of(request).id else f"{view.name} ({_('shared')})",
            "href": address_of(view),
            "current": view is chosen,
        }
        for view in kept
    ]


@post(f"{BASE}/views")
async def keep_view(request: AnyRequest) -> Response[Any]:
    """Keep what the desk shows under a name."""
    require(request, orders.READ)
    form, _ = await read_form(request), words(request)
    asked = _asked(form)
    try:
        data = form.into(
            ViewInput,
            name=form.get("name").strip(),
            filters={name: value for name, value in asked.items() if name in views.FILTERS},
            sort=asked.get("sort", ""),
            columns=form.all("column"),
            is_shared=form.has("shared"),
        )
        fresh = UUID(form.get("id"))
        made = await change(request, lambda tx: views.create(tx, data, view=fresh))
        if form.has("default"):
            await change(request, lambda tx: views.set_default(tx, made.id))
    except (Problem, ValueError) as problem:
        text = _("That did not work.")
        if isinstance(problem, Problem):
            text = form.failed(problem).in_one_line()
        return go(request, href(BASE, asked), text, kind="danger")
    return go(request, address_of(made), _("The view is kept."))


def _asked(form: Form) -> dict[str, str]:
    """The address of the desk that a form was sent from."""
    return {
        name: value for name, value in parse_qsl(form.get("selection")) if name in {*views.FILTERS, "sort"}
    }


@post(f"{BASE}/views/{{view_id:uuid}}")
async def change_view(request: AnyRequest, view_id: FromPath[UUID]) -> Response[Any]:
    """Rename a view, let it show what the desk shows now, open the desk with it, or take it away."""
    require(request, orders.READ)
    form, _ = await read_form(request), words(request)
    act, asked = form.get("act"), _asked(form)
    back = href(BASE, {**asked, "view": str(view_id)})
    try:
        if act == "delete":
            gone = await change(request, lambda tx: views.delete(tx, view_id, version=form.version()))
            undo = undo_href(request, "order_view.delete", view=str(view_id))
            return go(
                request, f"{BASE}?view=all", _("“%(name)s” is deleted.") % {"name": gone.name}, undo=undo
            )
        if act in ("default", "no-default"):
            await change(request, lambda tx: views.set_default(tx, view_id if act == "default" else None))
            return go(
                request,
                back,
                _("The desk opens with it.") if act == "default" else _("The desk opens with all orders."),
            )
        data = form.into(
            ViewChange,
            name=form.get("name").strip(),
            filters={name: value for name, value in asked.items() if name in views.FILTERS},
            sort=asked.get("sort", ""),
            columns=form.all("column"),
            is_shared=form.has("shared"),
        )
        changed = await change(request, lambda tx: views.change(tx, view_id, data, version=form.version()))
    except Problem as problem:
        return go(request, back, form.failed(problem).in_one_line(), kind="danger")
    return go(request, address_of(changed), _("The view is changed."))


@undoable("order_view.delete")
async def _undo_delete(tx: Tx, arguments: dict[str, Any]) -> str:
    return address_of(await views.restore(tx, UUID(arguments["view"])))


# -- beside the list ---------------------------------------------------------------------------------------------------------


async def panel_context(request: AnyRequest, text: str, form: Form | None = None) -> dict[str, Any] | None:
    """What the panel shows of an order; None when none is chosen, or none that the reader may see."""
    try:
        order_id = UUID(text)
    except ValueError:
        return None
    database, actor = database_of(request), actor_of(request)
    try:
        found = await orders.page(database, order_id)
    except NotFound:
        return None
    order = found.order
    if actor.locations is not None and order.location not in actor.locations:
        return None
    who = await people.names(database)
    channel = await channels.cached(database, order.channel)
    return {
        "order": order,
        "channel": channel,
        "promised": await promised_words(request, order, channel),
        "who": who,
        "form": form or Form(),
        "possible": possible(order, may_change=actor.may(orders.CHANGE, order.location)),
        "tags": await tagging_store.tags_of(database, order_id),
        "notes": await tagging_store.notes_of(database, order_id),
        "history": [told(entry, translator(locale_of(request)), who) for entry in reversed(found.history)][
            :6
        ],
    }


@get(f"{BASE}/{{order_id:uuid}}/panel")
async def show_panel(request: AnyRequest, order_id: FromPath[UUID]) -> Response[Any]:
    """One order, for the panel beside the list."""
    require(request, orders.READ)
    return await _panel(request, order_id, Form())


async def _panel(request: AnyRequest, order_id: UUID, form: Form) -> Response[Any]:
    context = await panel_context(request, str(order_id), form)
    if context is None:
        raise NotFound("There is no such order at your locations.")
    zone = context["channel"].time_zone
    return page(
        request,
        "admin/order_panel.html",
        status_code=form.status,
        time_zone=zone,
        panel=context,
        names=names,
        may=actor_of(request).may,
    )


def _note_of(form: Form) -> UUID:
    try:
        return UUID(form.get("note"))
    except ValueError:
        raise NotFound("There is no such note.") from None


@post(f"{BASE}/{{order_id:uuid}}/words/{{act:str}}")
async def write_on(request: AnyRequest, order_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Tag an order, write a note on it, take either off; from the panel or from its page."""
    require(request, orders.CHANGE)
    form, _ = await read_form(request), words(request)
    here, undo = f"{BASE}/{order_id}", None
    try:
        if act == "tag":
            chosen = [word for word in form.get("tags").split(",") if word.strip()] or [""]
            await change(request, lambda tx: tagging.tag(tx, order_id, chosen))
            text = _("Tagged.")
        elif act == "untag":
            tag = form.get("tag")
            await change(request, lambda tx: tagging.untag(tx, order_id, [tag]))
            text = _("The tag is off.")
            undo = undo_href(request, "order.untag", order=str(order_id), tag=tag)
        elif act == "note":
            note = form.into(OrderNoteInput, text=form.get("text"))
            await change(request, lambda tx: tagging.add_note(tx, order_id, note))
            text = _("The note is kept.")
        elif act == "unnote":
            note_id = _note_of(form)
            await change(
                request, lambda tx: tagging.delete_note(tx, order_id, note_id, version=form.version())
            )
            text = _("The note is deleted.")
            undo = undo_href(request, "order.unnote", order=str(order_id), note=str(note_id))
        else:
            raise NotFound("There is no such act.")
    except Problem as problem:
        if is_htmx(request):
            return await _panel(request, order_id, form.failed(problem))
        return go(request, here, form.failed(problem).in_one_line(), kind="danger")
    if is_htmx(request):
        return await _panel(request, order_id, Form())
    return go(request, here, text, undo=undo)


@undoable("order.untag")
async def _undo_untag(tx: Tx, arguments: dict[str, Any]) -> str:
    await tagging.tag(tx, UUID(arguments["order"]), [arguments["tag"]])
    return f"{BASE}/{arguments['order']}"


@undoable("order.unnote")
async def _undo_unnote(tx: Tx, arguments: dict[str, Any]) -> str:
    await tagging.restore_note(tx, UUID(arguments["order"]), UUID(arguments["note"]))
    return f"{BASE}/{arguments['order']}"


# -- as a file ---------------------------------------------------------------------------------------------------------------


@get(f"{BASE}/export.csv")
async def export(request: AnyRequest) -> Response[Any]:
    """Everything that an address of the desk shows as CSV: its days, amounts and locations too."""
    require(request, orders.READ)
    query = await query_of(request, {name: value for name, value in request.query_params.items() if value})
    await orders.LISTING.page(database_of(request), query)  # faults are told before the file begins
    headers = {"Content-Disposition": 'attachment; filename="orders.csv"'}
    return Stream(orders.LISTING.csv(database_of(request), query), media_type="text/csv", headers=headers)


HANDLERS = [list_orders, keep_view, change_view, show_panel, write_on, export]
