"""Channels: where the shop meets customers, what each sets itself, and what they share."""

from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
from babel.core import get_global
from babel.numbers import get_territory_currencies
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.channels import Channel, ChannelChange, ChannelInput, ChannelStatus, Resource
from samlad.channels.permissions import CHANGE, READ
from samlad.channels.settings import SETTINGS
from samlad.faces.admin import names, setting_names
from samlad.faces.admin.hours import dates_of, hours_fields, hours_from, spans_of
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import collation_key
from samlad.kernel.money import currencies, decimal_text
from samlad.kernel.problems import Problem

INHERITED = ("country", "locale", "currency", "time_zone")
_MONEY_SETTINGS = (
    "till_gift_card_limit",
    "gift_card_shop_limit",
    "shipping_flat",
    "tax_distance_threshold",
    "return_shipping",
    "return_limit",
    "goodwill_limit",
)


# -- the list -------------------------------------------------------------------------------------------------------------


class Branch(msgspec.Struct, frozen=True):
    """A channel in the tree: how deep, whether it is open now, and what it shares with how many others."""

    channel: Channel
    depth: int
    is_open: bool
    shared: dict[str, int]


def tree(found: list[Channel], locale: str) -> list[Branch]:
    """Channels below their parents, siblings by name. (A parent that is missing or filtered out makes a root.)"""
    ids = {channel.id for channel in found}
    sizes: dict[UUID, int] = {}
    for channel in found:
        for pool in channel.pools.values():
            sizes[pool] = sizes.get(pool, 0) + 1
    children: dict[UUID | None, list[Channel]] = {}
    for channel in sorted(found, key=lambda one: collation_key(one.name, locale)):
        children.setdefault(channel.parent if channel.parent in ids else None, []).append(channel)
    moment, rows = now(), []
    waiting = [(channel, 0) for channel in reversed(children.get(None, []))]
    while waiting:
        channel, depth = waiting.pop()
        shared = {str(resource): sizes[pool] for resource, pool in channel.pools.items()}
        is_open = channel.status == ChannelStatus.ACTIVE and channels.is_open(channel, moment)
        rows.append(Branch(channel, depth, is_open, shared))
        waiting += [(child, depth + 1) for child in reversed(children.get(channel.id, []))]
    return rows


@get("/admin/channels")
async def list_channels(request: AnyRequest) -> Response[Any]:
    """All channels as a tree, and what they share."""
    require(request, READ)
    everything = await channels.all_channels(database_of(request))
    wanted = request.query_params.get("q", "").strip().lower()
    kind, status = request.query_params.get("kind", ""), request.query_params.get("status", "")
    found = [
        channel
        for channel in everything
        if (not wanted or wanted in f"{channel.name} {channel.code}".lower())
        and (not kind or channel.kind == kind)
        and (not status or channel.status == status)
    ]
    view = "sharing" if request.query_params.get("view") == "sharing" else "tree"
    return await admin_page(
        request,
        "admin/channels.html",
        rows=tree(found, locale_of(request)),
        total=len(everything),
        wanted=request.query_params.get("q", ""),
        kind=kind,
        status=status,
        view=view,
        names=names,
        groups=pool_letters(everything),
        sharing_columns=[{"title": words(request)(names.resource[resource])} for resource in Resource],
    )


def pool_letters(found: list[Channel]) -> dict[UUID, str]:
    """A letter for each pool that is shared, per resource: channels with the same letter are in one pool."""
    letters: dict[UUID, str] = {}
    for resource in Resource:
        sizes: dict[UUID, int] = {}
        for channel in found:
            sizes[channel.pools[resource]] = sizes.get(channel.pools[resource], 0) + 1
        shared = [pool for pool, size in sizes.items() if size > 1]
        letters |= {pool: _letter(place) for place, pool in enumerate(shared)}
    return letters


def _letter(place: int) -> str:
    return chr(65 + place) if place < 26 else f"{chr(64 + place // 26)}{chr(65 + place % 26)}"


# -- one channel ------------------------------------------------------------------------------------------------------------


@get("/admin/channels/{channel_id:uuid}")
async def show_channel(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[Any]:
    """A channel: what it sets, what it inherits, when it is open, what it shares."""
    require(request, READ)
    channel = await channels.get(database_of(request), channel_id)
    return await _channel_page(request, channel, _form_of(channel))


def _form_of(channel: Channel) -> Form:
    own = channel.own
    shown = {f"settings/{name}": _setting_text(channel, name, own.settings.get(name)) for name in SETTINGS}
    values = {name: getattr(own, name) for name in INHERITED}
    return Form.of(
        name=channel.name,
        status=channel.status,
        version=channel.version,
        **values,
        **shown,
        **hours_fields(own.opening_hours),
    )


def _setting_text(channel: Channel, name: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return decimal_text(value, channel.currency) if name in _MONEY_SETTINGS else str(value)


async def _channel_page(request: AnyRequest, channel: Channel, form: Form) -> Response[Any]:
    found = await channels.all_channels(database_of(request))
    by_id = {one.id: one for one in found}
    parent = by_id.get(channel.parent) if channel.parent else None
    form.fields.setdefault("parent", [parent.code] if parent else [])
    shared = {
        resource: [one for one in found if one.pools[resource] == pool and one.id != channel.id]
        for resource, pool in channel.pools.items()
    }
    below = {row.channel.code for row in tree(found, "en") if _is_below(row.channel, channel, by_id)}
    return await admin_page(
        request,
        "admin/channel.html",
        status_code=form.status,
        time_zone=channel.time_zone,
        channel=channel,
        parent=parent,
        children=[one for one in found if one.parent == channel.id],
        form=form,
        shared=shared,
        names=names,
        is_open=channels.is_open(channel, now()),
        next_opening=channels.next_opening(channel, now()),
        now=now(),
        status_options=translated(request, names.channel_status),
        choices={name: translated(request, texts) for name, texts in setting_names.choices.items()},
        inherited={name: getattr(parent, name) for name in INHERITED} if parent else {},
        settings=[_setting_field(channel, parent, name) for name in SETTINGS],
        parents=[(one.code, one.name) for one in found if one.code not in below],
        spans=[spans_of(form, day) for day in range(7)],
        dates=dates_of(form),
        **_choices(),
    )


def _is_below(channel: Channel, ancestor: Channel, by_id: dict[UUID, Channel]) -> bool:
    at: Channel | None = channel
    while at is not None:
        if at.id == ancestor.id:
            return True
        at = by_id.get(at.parent) if at.parent else None
    return False


def _setting_field(channel: Channel, parent: Channel | None, name: str) -> dict[str, Any]:
    """How a setting is edited, and what holds where it is left empty."""
    setting = SETTINGS[name]
    fallback = parent.setting(name) if parent else setting.default
    label, hint = setting_names.setting.get(name, (name, setting.description))
    kind = "text"
    if setting.type is bool:
        kind = "flag"
    elif name in setting_names.choices:
        kind = "choice"
    elif name in _MONEY_SETTINGS:
        kind = "money"
    elif isinstance(setting.default, int):
        kind = "whole"
    value = channel.own.settings.get(name)
    return {
        "name": name,
        "seconds": (fallback if value is None else value) if name.endswith("_seconds") else 0,
        "label": label,
        "hint": hint,
        "kind": kind,
        "fallback": fallback,
        "fallback_text": _setting_text(parent or channel, name, fallback) or "",
        "is_own": name in channel.own.settings,
    }


@cache
def _choices() -> dict[str, Any]:
    """What fields suggest: zones by place (not their older names) and currencies that are tender somewhere today."""
    places = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    tender = {each for land in get_global("territory_currencies") for each in get_territory_currencies(land)}
    return {
        "time_zones": ["UTC", *sorted(zone for zone in available_timezones() if zone.startswith(places))],
        "currencies": sorted(currencies() & tender),
    }


@post("/admin/channels/{channel_id:uuid}")
async def change_channel(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[Any]:
    """Change what a channel sets itself; what is left empty is inherited again."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    before = await channels.get(database_of(request), channel_id)
    try:
        given = _change_from(form, before)
        after = await change(
            request, lambda tx: channels.change(tx, channel_id, given, version=form.version())
        )
    except Problem as problem:
        return await _channel_page(request, before, form.failed(problem))
    if after.version == before.version:
        return go(request, f"/admin/channels/{channel_id}", _("There was nothing to change."), kind="")
    undo = undo_href(
        request, "channel.change", channel=channel_id, version=after.version, back=_own_of(before)
    )
    return go(request, f"/admin/channels/{channel_id}", _("Saved. It holds from now on."), undo=undo)


def _change_from(form: Form, channel: Channel) -> ChannelChange:
    values: dict[str, Any] = {name: form.text(name) for name in INHERITED if name in form.fields}
    if "parent" in form.fields:
        values["parent"] = form.text("parent")
    if any(f"settings/{name}" in form.fields for name in SETTINGS):
        values["settings"] = {name: _setting_from(form, channel, name) for name in SETTINGS}
    if form.has("hours"):
        values["opening_hours"] = msgspec.to_builtins(hours_from(form))
    return form.into(ChannelChange, **values)


def _setting_from(form: Form, channel: Channel, name: str) -> Any:
    field, setting = f"settings/{name}", SETTINGS[name]
    if name in _MONEY_SETTINGS:
        return form.amount(field, channel.currency)
    if setting.type is bool:
        return {"yes": True, "no": False}.get(form.get(field))
    if isinstance(setting.default, list):
        parts = [part.strip() for part in form.get(field).split(",") if part.strip()]
        kind = msgspec.inspect.type_info(setting.type)
        of_numbers = isinstance(kind, msgspec.inspect.ListType) and isinstance(
            kind.item_type, msgspec.inspect.IntType
        )
        return [Form.of(**{field: part}).whole(field) if of_numbers else part for part in parts] or None
    return form.whole(field) if isinstance(setting.default, int) else form.text(field)


def _own_of(channel: Channel) -> dict[str, Any]:
    """Everything that the channel set itself, as a change that sets it again."""
    settings = {name: channel.own.settings.get(name) for name in SETTINGS}
    own = {name: getattr(channel.own, name) for name in INHERITED}
    hours = msgspec.to_builtins(channel.own.opening_hours)
    return {
        "name": channel.name,
        "status": str(channel.status),
        "settings": settings,
        "opening_hours": hours,
        **own,
    }


@undoable("channel.change")
async def _undo_change(tx: Tx, arguments: dict[str, Any]) -> str:
    back = msgspec.convert(arguments["back"], ChannelChange)
    await channels.change(tx, UUID(arguments["channel"]), back, version=arguments["version"])
    return f"/admin/channels/{arguments['channel']}"


# -- a new channel --------------------------------------------------------------------------------------------------------------


@get("/admin/channels/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new channel."""
    require(request, CHANGE)
    return await _new_page(request, Form.of(kind="store", parent=request.query_params.get("parent")))


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    found = await channels.all_channels(database_of(request))
    _ = words(request)
    by_name = sorted(found, key=lambda one: collation_key(one.name, locale_of(request)))
    return await admin_page(
        request,
        "admin/channel_new.html",
        status_code=form.status,
        form=form,
        names=names,
        parents=[(one.code, one.name) for one in by_name if one.status != ChannelStatus.CLOSED],
        shared_with=[(one.code, _("with %(name)s") % {"name": one.name}) for one in by_name],
        resources=list(Resource),
        kind_options=translated(request, names.kind),
        **_choices(),
    )


@post("/admin/channels/new")
async def create_channel(request: AnyRequest) -> Response[Any]:
    """Make a channel, with pools of its own but for what it shares."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    join = {
        str(resource): form.get(f"join/{resource}") for resource in Resource if form.text(f"join/{resource}")
    }
    try:
        data = form.into(ChannelInput, join=join, opening_hours=None, settings={})
        channel = await change(request, lambda tx: channels.create(tx, data))
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    text = _("The channel is there. Look through its settings before you open it.")
    return go(request, f"/admin/channels/{channel.id}", text)


HANDLERS = [list_channels, show_new, create_channel, show_channel, change_channel]
