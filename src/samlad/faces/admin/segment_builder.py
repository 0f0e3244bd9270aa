"""The builder of segments: conditions in groups, pickers that search while one types, what it says as a sentence, its size."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from babel import Locale
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, consent
from samlad.audiences import choices, segments, store
from samlad.audiences.choices import Choice
from samlad.audiences.conditions import Condition
from samlad.audiences.model import PreviewInput, Segment, SegmentChange, SegmentKind
from samlad.audiences.permissions import CHANGE, READ
from samlad.audiences.preview import preview
from samlad.channels import Channel, Resource
from samlad.faces.admin import segment_acts, segment_form, segment_words
from samlad.faces.admin import segment_names as names
from samlad.faces.admin.segment_export import purpose_choices
from samlad.faces.admin.segment_pieces import GROUPS, PIECES, TRAIT_SOURCES, piece_of
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, page, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.problems import InvalidInput, NotFound, Problem

LANGUAGES = (
    "sv",
    "nl",
    "en",
    "da",
    "de",
    "es",
    "et",
    "fi",
    "fr",
    "it",
    "lt",
    "lv",
    "nb",
    "pl",
    "pt",
    "ar",
    "uk",
)
"""That are offered first; any other can be typed."""

NOWHERE = ("EU", "EZ", "UN", "XA", "XB", "ZZ")
"""Codes of CLDR that are no country."""


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
    """The form for a new segment, empty, as a template has it, or like another (``of``); or for a list."""
    require(request, CHANGE)
    channel, _ = await main(request), words(request)
    given = request.query_params
    if "list" in given:
        return await _new_page(request, channel, Form.of(list=True))
    document: dict[str, Any] = {"kind": "all", "of": [{"kind": "orders", "at_least": 1}]}
    fields: dict[str, Any] = {}
    for key, text, note, conditions in names.TEMPLATES:
        if key == given.get("template"):
            document, fields = conditions, {"name": _(text), "note": _(note)}
    group = given.get("group", "")
    if group in names.group:
        document = {"kind": "all", "of": [{"kind": "rfm", "groups": [group]}]}
        fields = {"name": _(names.group[group])}
    scores = {name: given.get(name, "") for name in ("recency", "frequency")}
    if any(each in {"1", "2", "3", "4", "5"} for each in scores.values()):
        wanted = {name: [int(each)] for name, each in scores.items() if each in {"1", "2", "3", "4", "5"}}
        document = {"kind": "all", "of": [{"kind": "rfm", **wanted}]}
    other = await _segment(request, given.get("of", ""))
    if other is not None and other.kind is SegmentKind.LIVE:
        channel = await _channel_of(request, other)
        document = msgspec.to_builtins(other.definition)
        fields = {"name": (_("Copy of %(name)s") % {"name": other.name})[:100], "note": other.note}
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
        templates=names.TEMPLATES,
        **context,
    )


async def _builder(
    request: AnyRequest, channel: Channel, form: Form, segment: Segment | None, focus: str | None = None
) -> dict[str, Any]:
    database = database_of(request)
    others = await store.active(database, channel.pools[Resource.CUSTOMERS])
    pairs = [(str(each.id), each.name) for each in others if segment is None or each.id != segment.id]
    rows = range(segment_form.count_of(form))
    shown = {name for number in rows for name in _names_of(form, number)}
    events = {form.get(f"r/{number}/name") for number in rows if form.get(f"r/{number}/kind") == "event"}
    return {
        "form": form,
        "params": f"?channel={channel.code}",
        "tree": segment_form.tree_of(form),
        "rows": rows,
        "groups": GROUPS,
        "pieces": PIECES,
        "properties_at": segment_form.properties_at,
        "is_sum": segment_form.is_sum,
        "picked": await _picked(request, form, channel),
        "events": await choices.search(database, "events", "", channel),
        "event_properties": {each: await choices.properties(database, each) for each in events if each},
        "options": segment_form.options(pairs, words(request))
        | {
            "purposes": purpose_choices(request, await consent.purposes(database)),
            "channels": [
                ("", words(request)("any")),
                *((str(one.id), one.name) for one in await channels.cached_all(database)),
            ],
        },
        "kinds": translated(request, names.condition),
        "currency": channel.currency,
        "channel": channel,
        "loose": form.loose_errors({"name", "note", "json", *shown}),
        "can_undo": bool(form.all("was")),
        "focus": focus,
    }


def _names_of(form: Form, number: int) -> list[str]:
    at = f"r/{number}"
    kind = form.get(f"{at}/kind")
    found = [f"{at}/{name}" for name in ("kind", "fits", *(piece.name for piece in PIECES.get(kind, ())))]
    found += [f"{at}/{name}" for name in ("window", "days", "hours", "since", "until")]
    properties = range(segment_form.properties_at(form, at))
    return found + [f"{at}/p/{one}/{name}" for one in properties for name in ("name", "op", "type", "value")]


def _source_of(form: Form, at: str, name: str) -> str | None:
    """Where a picker's choices come from; None: it is free text, or no picker."""
    piece = piece_of(form.get(f"{at}/kind"), name)
    if piece is None or piece.how != "picked":
        return None
    return TRAIT_SOURCES.get(form.get(f"{at}/field")) if piece.options == "trait" else piece.options


async def _picked(request: AnyRequest, form: Form, channel: Channel) -> dict[str, list[Choice]]:
    """What is ticked in each picker, by name of the field."""
    wanted: dict[str, list[str]] = {}
    fields: dict[str, str | None] = {}
    for number in range(segment_form.count_of(form)):
        at = f"r/{number}"
        for piece in PIECES.get(form.get(f"{at}/kind"), ()):
            if piece.how == "picked":
                source = _source_of(form, at, piece.name)
                fields[f"{at}/{piece.name}"] = source
                wanted.setdefault(source or "", []).extend(form.all(f"{at}/{piece.name}"))
    known = await _labels(request, wanted, channel)
    return {
        name: [Choice(each, known.get((source or "", each), each)) for each in dict.fromkeys(form.all(name))]
        for name, source in fields.items()
    }


async def _labels(
    request: AnyRequest, wanted: Mapping[str, Any], channel: Channel
) -> dict[tuple[str, str], str]:
    known = await choices.labels(database_of(request), wanted, channel)
    for source in ("countries", "languages"):
        there = _places(request, source)
        known |= {(source, each): there[each] for each in wanted.get(source, ()) if each in there}
    return known


def _places(request: AnyRequest, source: str) -> dict[str, str]:
    """Countries or languages by code, as the reader calls them."""
    locale = Locale.parse(locale_of(request).partition("-")[0])
    if source == "countries":
        return {
            code: text for code, text in locale.territories.items() if len(code) == 2 and code not in NOWHERE
        }
    return {code: locale.languages.get(code, code) for code in LANGUAGES}


@post("/admin/segments/choices", status_code=200)
async def show_choices(request: AnyRequest) -> Response[Any]:
    """What fits what is being typed in a picker, behind what is ticked: a piece of the page."""
    require(request, READ)
    form, channel = await read_form(request), await main(request)
    field = request.query_params.get("field", "")
    at, _slash, name = field.rpartition("/")
    piece = piece_of(form.get(f"{at}/kind"), name)
    if piece is None or piece.how != "picked":
        raise NotFound("There is no such field.")
    source, typed = _source_of(form, at, name), form.get(f"{field}/typed").strip()[:200]
    found: list[Choice] = []
    if source in ("countries", "languages"):
        known = _places(request, source)
        low = typed.lower()
        hits = [
            Choice(code, text, code)
            for code, text in known.items()
            if low in text.lower() or low == code.lower()
        ]
        found = sorted(hits, key=lambda each: (not each.label.lower().startswith(low), each.label))[
            : choices.SHOWN
        ]
    elif source is not None:
        found = await choices.search(database_of(request), source, typed, channel)
    picked = (await _picked(request, form, channel)).get(field, [])
    there = {each.value for each in picked}
    if (
        piece.is_free
        and typed
        and typed.lower() not in {each.value.lower() for each in found} | {each.lower() for each in there}
    ):
        found = [*found, Choice(typed, typed, words(request)("as typed"))]
    return page(
        request,
        "admin/segment_choices.html",
        field=field,
        picked=picked,
        found=[each for each in found if each.value not in there],
        typed=typed,
    )


@post("/admin/segments/shape", status_code=200)
async def shape(request: AnyRequest) -> Response[Any]:
    """The form with a row more or less, or with the fields of another kind: nothing is kept."""
    require(request, CHANGE)
    form, channel = await read_form(request), await main(request)
    segment = await _segment(request, form.get("segment"))
    focus = segment_acts.changed(form, form.get("do"))
    segment_form.refresh_json(form, channel.currency)
    action = "/admin/segments/new" if segment is None else f"/admin/segments/{segment.id}/edit"
    if request.headers.get("hx-request"):
        context = await _builder(request, channel, form, segment, focus)
        headers = {"HX-Trigger-After-Swap": "rows-changed"}
        return page(request, "admin/segment_rows.html", headers=headers, **context)
    return await _form_page(request, channel, form, segment, action)


async def _segment(request: AnyRequest, text: str) -> Segment | None:
    try:
        return await segments.get(database_of(request), UUID(text)) if text else None
    except ValueError:
        raise NotFound(segments.NONE) from None


@post("/admin/segments/size", status_code=200)
async def size(request: AnyRequest) -> Response[Any]:
    """What is in the form as a sentence, how many people it holds for, and who some of them are: a piece of the page."""
    require(request, READ)
    form, channel = await read_form(request), await main(request)
    said = None
    try:
        definition = segment_form.read(form, channel.currency)
        said = await told(request, definition, channel)
        found = await preview(database_of(request), PreviewInput(channel=channel.id, definition=definition))
    except InvalidInput as problem:
        return page(
            request,
            "admin/segment_size.html",
            preview=None,
            said=said,
            problem=problem.detail or problem.title,
        )
    return page(request, "admin/segment_size.html", preview=found, said=said, problem=None)


async def told(request: AnyRequest, definition: Condition, channel: Channel) -> str:
    """What conditions say, in the reader's language."""
    wanted = choices.named_in(definition)
    known = await choices.labels(database_of(request), wanted, channel)
    purposes = purpose_choices(request, await consent.purposes(database_of(request)))
    known |= {("purposes", code): text for code, text in purposes}
    return segment_words.sentence(definition, segment_words.Words(locale_of(request), known))


@post("/admin/segments/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Make a segment or a list."""
    require(request, CHANGE)
    form, channel = await read_form(request), await main(request)
    try:
        definition = None if form.has("list") else segment_form.read(form, channel.currency)
        given = segment_form.input_of(form, channel.id, definition)
        made = await change(request, lambda tx: segments.create(tx, given))
    except Problem as problem:
        return await _new_page(request, channel, form.failed(_placed(problem, form)))
    return go(request, f"/admin/segments/{made.id}", words(request)("The segment is there."))


def _placed(problem: Problem, form: Form) -> Problem:
    """A problem with its faults where the form has them."""
    if not isinstance(problem, InvalidInput) or not any(
        fault.field.startswith("definition") for fault in problem.errors
    ):
        return problem
    if form.get("as") == "json":
        return InvalidInput.at("json", "; ".join(f"{each.field}: {each.message}" for each in problem.errors))
    return segment_form.at_rows(problem, form)


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


async def sentence_of(request: AnyRequest, segment: Segment) -> str | None:
    """What a segment says; None for lists."""
    if segment.kind is SegmentKind.LIST:
        return None
    return await told(request, segment.definition, await _channel_of(request, segment))


@post("/admin/segments/{segment_id:uuid}/edit")
async def edit(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """Change it, with undo; who is in is computed right after."""
    require(request, CHANGE)
    form = await read_form(request)
    before = await segments.get(database_of(request), segment_id)
    channel = await _channel_of(request, before)
    try:
        values: dict[str, Any] = {"note": form.text("note") or ""}
        if before.kind is SegmentKind.LIVE:
            values["definition"] = msgspec.to_builtins(segment_form.read(form, channel.currency))
        given = form.into(SegmentChange, **values)
        after = await change(
            request, lambda tx: segments.change(tx, segment_id, given, version=form.version())
        )
    except Problem as problem:
        form.failed(_placed(problem, form))
        return await _form_page(request, channel, form, before, f"/admin/segments/{segment_id}/edit")
    undo = None
    if (
        after.version == before.version + 1
    ):  # else it was somebody else's change that would be taken back with it
        undo = undo_href(
            request,
            "segment.change",
            segment=segment_id,
            version=after.version,
            to=before.version,
            name=before.name,
            note=before.note,
        )
    return go(request, f"/admin/segments/{segment_id}", words(request)("Saved."), undo=undo)


@undoable("segment.change")
async def _take_back(tx: Tx, arguments: dict[str, Any]) -> str:
    segment = UUID(arguments["segment"])
    before = SegmentChange(name=arguments["name"], note=arguments["note"])
    await segments.take_back(tx, segment, before, to=arguments["to"], version=arguments["version"])
    return f"/admin/segments/{segment}"


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


HANDLERS = [show_new, show_choices, shape, size, create, show_edit, edit, delete]
