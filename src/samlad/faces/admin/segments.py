"""Segments: the list, making and changing one by rows of conditions or as JSON, and comparing up to four."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, consent
from samlad.audiences import segments, store
from samlad.audiences.model import Condition, PreviewInput, Segment, SegmentChange, SegmentKind, SizeOn
from samlad.audiences.permissions import CHANGE, READ
from samlad.audiences.preview import preview
from samlad.channels import Channel, Resource
from samlad.faces.admin import segment_form
from samlad.faces.admin import segment_names as names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.segment_export import purpose_choices
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, page, require, translated, words
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.problems import InvalidInput, NotFound, Problem

DAYS = 90
MOST_COMPARED = 4


@get("/admin/segments")
async def list_segments(request: AnyRequest) -> Response[Any]:
    """All segments with their size; where there are none, templates to begin with."""
    require(request, READ)
    database = database_of(request)
    found = await shown(request, database, store.LISTING)
    lines = {each.id: await _course(request, each.id, each.size) for each in found.items}
    return await admin_page(
        request,
        "admin/segments.html",
        list=found,
        names=names,
        kinds=translated(request, names.kind),
        lines=lines,
        templates=names.TEMPLATES,
    )


async def _course(request: AnyRequest, segment: UUID, size: int) -> list[int]:
    return [each for _, each in _daily(await store.sizes(database_of(request), segment, DAYS), size)]


def _daily(sizes: Sequence[SizeOn], size: int) -> list[tuple[date, int]]:
    """The size on each day since the first that is known, also on those on which it stayed the same."""
    if not sizes:
        return []
    there = {each.day: each.size for each in sizes}
    day, last, current = sizes[0].day, now().date(), size
    found: list[tuple[date, int]] = []
    while day <= last:
        current = there.get(day, current if found else size)
        found.append((day, current))
        day += timedelta(days=1)
    return found


async def size_plot(request: AnyRequest, segment: Segment) -> dict[str, Any] | None:
    """How its size went, day by day; None before there was a second day."""
    _ = words(request)
    daily = _daily(await store.sizes(database_of(request), segment.id, DAYS), segment.size)
    if len(daily) < 2:
        return None
    option = {
        "xAxis": {"type": "category", "data": [f"{day:%m-%d}" for day, _size in daily]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"type": "line", "step": "end", "name": _("People"), "data": [size for _day, size in daily]}
        ],
    }
    summary = _("From %(first)s to %(last)s people since %(day)s.") % {
        "first": daily[0][1],
        "last": daily[-1][1],
        "day": daily[0][0],
    }
    return {"option": option, "summary": summary}


# -- the form ----------------------------------------------------------------------------------------------------------


async def main(request: AnyRequest) -> Channel:
    """The channel whose customers are meant, by its code in the address or the main one.

    Raises:
        NotFound: there is no channel yet.
    """
    known = await channels.cached_all(database_of(request))
    wanted = request.query_params.get("channel")
    found = next((one for one in known if one.code == wanted), main_of(known))
    if found is None:
        raise NotFound("There is no channel yet.")
    return found


@get("/admin/segments/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new segment, empty or as a template has it; or for a list."""
    require(request, CHANGE)
    channel, _ = await main(request), words(request)
    given = request.query_params
    if "list" in given:
        return await _new_page(request, channel, Form.of(list=True))
    document: dict[str, Any] = {"kind": "orders", "at_least": 1}
    fields: dict[str, Any] = {}
    for key, text, note, conditions in names.TEMPLATES:
        if key == given.get("template"):
            document, fields = conditions, {"name": _(text), "note": _(note)}
    group = given.get("group", "")
    if group in names.group:
        document = {"kind": "all", "of": [{"kind": "rfm", "groups": [group]}]}
        fields = {"name": _(names.group[group])}
    form = segment_form.form_of(msgspec.convert(document, Condition), channel.currency, **fields)
    return await _new_page(request, channel, form)


async def _new_page(request: AnyRequest, channel: Channel, form: Form) -> Response[Any]:
    return await _form_page(request, channel, form, None, "/admin/segments/new")


async def _form_page(
    request: AnyRequest, channel: Channel, form: Form, segment: Segment | None, action: str
) -> Response[Any]:
    context = await _builder(request, channel, form, segment)
    return await admin_page(
        request,
        "admin/segment_edit.html",
        status_code=form.status,
        segment=segment,
        action=action,
        params=f"?channel={channel.code}",
        templates=names.TEMPLATES,
        **context,
    )


async def _builder(
    request: AnyRequest, channel: Channel, form: Form, segment: Segment | None
) -> dict[str, Any]:
    pool = channel.pools[Resource.CUSTOMERS]
    others = await store.active(database_of(request), pool)
    pairs = [(str(each.id), each.name) for each in others if segment is None or each.id != segment.id]
    rows = segment_form.count_of(form)
    shown_names = {name for number in range(rows) for name in _names_of(form, number)}
    return {
        "form": form,
        "rows": range(rows),
        "pieces": segment_form.PIECES,
        "options": segment_form.options(pairs, words(request))
        | {
            "purposes": purpose_choices(request, await consent.purposes(database_of(request))),
            "channels": [
                ("", words(request)("any")),
                *((str(one.id), one.name) for one in await channels.cached_all(database_of(request))),
            ],
        },
        "kinds": translated(request, names.condition),
        "currency": channel.currency,
        "channel": channel,
        "loose": form.loose_errors({"name", "note", "json", *shown_names}),
    }


def _names_of(form: Form, number: int) -> list[str]:
    kind = form.get(f"r/{number}/kind")
    pieces = [piece.name for piece in segment_form.PIECES.get(kind, ())]
    return [f"r/{number}/{name}" for name in ("kind", *pieces)]


@post("/admin/segments/shape", status_code=200)
async def shape(request: AnyRequest) -> Response[Any]:
    """The form with a row more or less, or with the fields of another kind: nothing is kept."""
    require(request, CHANGE)
    form, channel = await read_form(request), await main(request)
    segment = await _segment_of(request, form)
    segment_form.changed(form, form.get("do"))
    segment_form.refresh_json(form, channel.currency)
    action = "/admin/segments/new" if segment is None else f"/admin/segments/{segment.id}/edit"
    if request.headers.get("hx-request"):
        context = await _builder(request, channel, form, segment)
        return page(
            request,
            "admin/segment_rows.html",
            headers={"HX-Trigger-After-Swap": "rows-changed"},
            params=f"?channel={channel.code}",
            **context,
        )
    return await _form_page(request, channel, form, segment, action)


async def _segment_of(request: AnyRequest, form: Form) -> Segment | None:
    text = form.get("segment")
    try:
        return await segments.get(database_of(request), UUID(text)) if text else None
    except ValueError:
        raise NotFound(segments.NONE) from None


@post("/admin/segments/size", status_code=200)
async def size(request: AnyRequest) -> Response[Any]:
    """How many people what is in the form holds for: a piece of the page."""
    require(request, READ)
    form, channel = await read_form(request), await main(request)
    try:
        given = PreviewInput(channel=channel.id, definition=segment_form.read(form, channel.currency))
        found = await preview(database_of(request), given)
    except InvalidInput as problem:
        return page(request, "admin/segment_size.html", preview=None, problem=problem.detail or problem.title)
    return page(request, "admin/segment_size.html", preview=found, problem=None)


@post("/admin/segments/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Make a segment or a list."""
    require(request, CHANGE)
    form, channel = await read_form(request), await main(request)
    try:
        definition = None if form.has("list") else _definition(form, channel)
        given = segment_form.input_of(form, channel.id, definition)
        made = await change(request, lambda tx: segments.create(tx, given))
    except Problem as problem:
        return await _new_page(request, channel, form.failed(_placed(problem, form, channel)))
    return go(request, f"/admin/segments/{made.id}", words(request)("The segment is there."))


def _definition(form: Form, channel: Channel) -> Condition:
    return segment_form.read(form, channel.currency)


def _placed(problem: Problem, form: Form, channel: Channel) -> Problem:
    """A problem with its faults where the form has them."""
    if not isinstance(problem, InvalidInput) or not any(
        fault.field.startswith("definition") for fault in problem.errors
    ):
        return problem
    if form.get("as") == "json":
        return InvalidInput.at("json", "; ".join(f"{each.field}: {each.message}" for each in problem.errors))
    return segment_form.at_rows(problem, segment_form.definition_of(form, channel.currency))


@get("/admin/segments/{segment_id:uuid}/edit")
async def show_edit(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """The form of a segment."""
    require(request, CHANGE)
    segment = await segments.get(database_of(request), segment_id)
    channel = await _channel_of(request, segment)
    fields = {"name": segment.name, "note": segment.note, "version": segment.version}
    if segment.kind is SegmentKind.LIST:
        form = Form.of(list=True, **fields)
    else:
        form = segment_form.form_of(segment.definition, channel.currency, **fields)
    return await _form_page(request, channel, form, segment, f"/admin/segments/{segment_id}/edit")


async def _channel_of(request: AnyRequest, segment: Segment) -> Channel:
    known = await channels.cached_all(database_of(request))
    mine = [one for one in known if one.pools[Resource.CUSTOMERS] == segment.pool]
    return main_of(mine) or await main(request)


@post("/admin/segments/{segment_id:uuid}/edit")
async def edit(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """Change it; who is in is computed right after."""
    require(request, CHANGE)
    form = await read_form(request)
    segment = await segments.get(database_of(request), segment_id)
    channel = await _channel_of(request, segment)
    try:
        values: dict[str, Any] = {"note": form.text("note") or ""}
        if segment.kind is SegmentKind.LIVE:
            values["definition"] = msgspec.to_builtins(_definition(form, channel))
        given = form.into(SegmentChange, **values)
        await change(request, lambda tx: segments.change(tx, segment_id, given, version=form.version()))
    except Problem as problem:
        form.failed(_placed(problem, form, channel))
        return await _form_page(request, channel, form, segment, f"/admin/segments/{segment_id}/edit")
    return go(request, f"/admin/segments/{segment_id}", words(request)("Saved."))


@post("/admin/segments/{segment_id:uuid}/delete")
async def delete(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """Delete it, with undo."""
    require(request, CHANGE)
    try:
        await change(request, lambda tx: segments.delete(tx, segment_id))
    except Problem as problem:
        if problem.status != 409:
            raise
        return go(request, f"/admin/segments/{segment_id}", problem.detail, kind="danger")
    undo = undo_href(request, "segment.delete", segment=segment_id)
    return go(request, "/admin/segments", words(request)("The segment is deleted."), undo=undo)


@undoable("segment.delete")
async def _undo(tx: Tx, arguments: dict[str, Any]) -> str:
    restored = await segments.restore(tx, UUID(arguments["segment"]))
    return f"/admin/segments/{restored.id}"


# -- comparing -----------------------------------------------------------------------------------------------------------


@get("/admin/segments/overlap")
async def overlap(request: AnyRequest) -> Response[Any]:
    """How many people are in exactly which of up to four segments."""
    require(request, READ)
    database = database_of(request)
    every = await store.active(database)
    by_id = {str(each.id): each for each in every}
    wanted = [each for each in dict.fromkeys(request.query_params.getall("segment", [])) if each in by_id]
    chosen = [by_id[each] for each in wanted[:MOST_COMPARED]]
    parts = await store.overlap(database, [each.id for each in chosen]) if len(chosen) > 1 else []
    return await admin_page(
        request,
        "admin/segment_overlap.html",
        every=every,
        pairs=[(str(each.id), each.name) for each in sorted(every, key=lambda each: each.name.lower())],
        chosen=chosen,
        parts=parts,
        names={each.id: each.name for each in every},
        plot=_overlap_plot(request, parts, {each.id: each.name for each in every}),
        most=MOST_COMPARED,
    )


def _overlap_plot(request: AnyRequest, parts: Sequence[Any], known: dict[UUID, str]) -> dict[str, Any] | None:
    if not parts:
        return None
    _ = words(request)
    labels = [" + ".join(known[each] for each in part.segments) for part in parts]
    option = {
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "inverse": True, "data": labels},
        "series": [{"type": "bar", "name": _("People"), "data": [part.people for part in parts]}],
    }
    summary = "; ".join(f"{label}: {part.people}" for label, part in zip(labels, parts, strict=True))
    return {"option": option, "summary": summary}


HANDLERS = [list_segments, show_new, shape, size, create, show_edit, edit, delete, overlap]
