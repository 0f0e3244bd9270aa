"""Writing a page: its blocks, how it will look beside them, and when it is shown.

Every button works without scripts: it sends the whole form, so nothing that was typed is lost, and the page comes back
where one was. Two who write at once: the second is told, can look, and decides.
"""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.channels import Channel
from samlad.content import pages, rules, store
from samlad.content.model import LANGUAGES, ContentPage, Document, Publishing
from samlad.content.permissions import CHANGE, READ
from samlad.faces.admin import names, page_form
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.design.security import POLICY, policy_text
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.faces.storefront import start
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, Outdated, Problem

BASE = "/admin/content/pages"
FRAMED = {
    "Content-Security-Policy": policy_text({**POLICY, "frame-ancestors": "'self'", "form-action": "'none'"}),
    "Cache-Control": "no-store",
}
"""A preview may stand in a page of ours, and nothing in it can be sent."""


@get(f"{BASE}/{{page_id:uuid}}")
async def show_page(request: AnyRequest, page_id: FromPath[UUID]) -> Response[Any]:
    """A page, to write on."""
    require(request, READ)
    page = await pages.get(database_of(request), page_id)
    return await _editor(request, page, page_form.form_of(page.draft, page.version))


async def _editor(
    request: AnyRequest, page: ContentPage, form: Form, *, conflict: ContentPage | None = None
) -> Response[Any]:
    database, _ = database_of(request), words(request)
    channel = await channels.get(database, page.channel)
    own = channel.locale[:2] if channel.locale[:2] in LANGUAGES else LANGUAGES[0]
    library = await store.PICTURES.page(database, ListQuery(limit=200))
    title = rules.said(page.draft.title, locale_of(request), own)
    return await admin_page(
        request,
        "admin/page_editor.html",
        status_code=form.status,
        time_zone=channel.time_zone,
        form=form,
        page=page,
        channel=channel,
        title=title or (_("Start page") if not page.handle else page.handle),
        conflict=conflict,
        languages_of=[(code, names.language[code]) for code in (own, *(c for c in LANGUAGES if c != own))],
        blocks=[(block, kind, page_form.fields_of(kind)) for block, kind in page_form.shown(form)],
        block_names=page_form.NAMES,
        labels=page_form.LABELS,
        hints=page_form.HINTS,
        choices=page_form.CHOICES,
        kinds=translated(request, page_form.NAMES),
        library=[(each.key, each.name) for each in library.items],
        is_changed=page.shown is None or await store.document_of(database, page.id, page.shown) != page.draft,
    )


@post(f"{BASE}/{{page_id:uuid}}")
async def save_page(request: AnyRequest, page_id: FromPath[UUID]) -> Response[Any]:
    """Keep what was typed, and do what the button says: add, move or remove a block."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    page = await pages.get(database_of(request), page_id)
    over = form.get("over")
    version = int(over) if over.isdecimal() and len(over) < 16 else form.version()
    act, _colon, about = form.get("act", "save").partition(":")
    try:
        typed = page_form.document_of(form)
        wanted, focus = _acted(typed, act, about)
        after = await change(request, lambda tx: pages.save_draft(tx, page_id, wanted, version=version))
    except Outdated as problem:
        now_is = await pages.get(database_of(request), page_id)
        return await _editor(request, now_is, form.failed(problem, may_send_again=False), conflict=now_is)
    except Problem as problem:
        return await _editor(request, page, form.failed(problem))
    undo = None
    if act == "remove":
        back = msgspec.to_builtins(typed)
        undo = undo_href(request, "content.draft", page=page_id, version=after.version, back=back)
    said = {"save": _("The draft is saved."), "remove": _("The block is gone.")}.get(act)
    return go(request, f"{BASE}/{page_id}{focus}", said, undo=undo)


def _acted(document: Document, act: str, about: str) -> tuple[Document, str]:
    """The document after what a button did, and where to go on."""
    blocks = list(document.blocks)
    focus = f"#edit-{about}"
    if act == "add":
        if about not in page_form.NAMES:
            raise InvalidInput.at("act", "there is no such block")
        made = page_form.new_block(about)
        blocks.append(made)
        focus = f"#edit-{made.id}"
    elif act in ("up", "down"):
        blocks = rules.moved(blocks, about, -1 if act == "up" else 1)
    elif act == "remove":
        blocks, focus = rules.without(blocks, about), "#blocks"
    else:
        focus = ""
    return msgspec.structs.replace(document, blocks=blocks), focus


@undoable("content.draft")
async def _undo_draft(tx: Tx, arguments: dict[str, Any]) -> str:
    page_id = UUID(arguments["page"])
    back = msgspec.convert(arguments["back"], Document)
    await pages.save_draft(tx, page_id, back, version=arguments["version"])
    return f"{BASE}/{page_id}"


# -- how it looks ----------------------------------------------------------------------------------------------------------


@get(f"{BASE}/{{page_id:uuid}}/preview")
async def preview(request: AnyRequest, page_id: FromPath[UUID]) -> Response[Any]:
    """The draft, or a version, as customers would see it."""
    require(request, READ)
    database = database_of(request)
    page = await pages.get(database, page_id)
    number = request.query_params.get("version", "")
    document = page.draft
    if number.isdecimal() and len(number) < 10:
        document = await pages.version_document(database, page_id, int(number))
    return await _preview(request, page, document, request.query_params.get("language"))


@post(f"{BASE}/{{page_id:uuid}}/preview", status_code=200)
async def preview_typed(request: AnyRequest, page_id: FromPath[UUID]) -> Response[Any]:
    """What was typed and is not saved, as customers would see it."""
    require(request, READ)
    form = await read_form(request)
    page = await pages.get(database_of(request), page_id)
    try:
        document = page_form.document_of(form)
    except InvalidInput:
        document = page.draft  # the form says what is wrong when it is saved
    return await _preview(request, page, document, form.get("language"))


async def _preview(
    request: AnyRequest, page: ContentPage, document: Document, language: str | None
) -> Response[Any]:
    channel = await channels.get(database_of(request), page.channel)
    spoken = language if language in LANGUAGES else locale_of(request)
    seen: Channel = msgspec.structs.replace(channel, locale=spoken)
    return await start.render(
        request, seen, document, is_start=not page.handle, headers=FRAMED, cart_live=None, alternates=[]
    )


# -- when it is shown ------------------------------------------------------------------------------------------------------


@post(f"{BASE}/{{page_id:uuid}}/publish")
async def publish_page(request: AnyRequest, page_id: FromPath[UUID]) -> Response[Any]:
    """Publish the draft as it was saved, from now on or for a time."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    database = database_of(request)
    page = await pages.get(database, page_id)
    channel = await channels.get(database, page.channel)
    try:
        given = Publishing(
            shown_from=_moment(form, "shown_from", channel.time_zone),
            shown_until=_moment(form, "shown_until", channel.time_zone),
        )
        after = await change(request, lambda tx: pages.publish(tx, page_id, given, version=form.version()))
    except Problem as problem:
        faults = page_form.form_of(page.draft, page.version)
        for name in ("shown_from", "shown_until"):
            faults.fields[name] = form.all(name)
        faults.translate = form.translate
        conflict = page if isinstance(problem, Outdated) else None
        failed = faults.failed(problem, page_form.places(page.draft), may_send_again=False)
        return await _editor(request, page, failed, conflict=conflict)
    undo = undo_href(request, "content.published", page=page_id, number=after.last_number)
    said = _("It is published.") if after.shown == after.last_number else _("It is planned.")
    return go(request, f"{BASE}/{page_id}", said, undo=undo)


def _moment(form: Form, name: str, zone: str) -> datetime | None:
    """A moment typed on the channel's clock."""
    text = form.text(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise InvalidInput.at(name, "a day and a time, as 2026-12-01 08:00") from None


@undoable("content.published")
async def _undo_published(tx: Tx, arguments: dict[str, Any]) -> str:
    page_id = UUID(arguments["page"])
    await pages.withdraw(tx, page_id, arguments["number"])
    return f"{BASE}/{page_id}"


@undoable("content.withdrawn")
async def _undo_withdrawn(tx: Tx, arguments: dict[str, Any]) -> str:
    page_id = UUID(arguments["page"])
    await pages.show_again(tx, page_id, arguments["number"])
    return f"{BASE}/{page_id}"


@post(f"{BASE}/{{page_id:uuid}}/versions/{{number:int}}/withdraw")
async def withdraw_version(
    request: AnyRequest, page_id: FromPath[UUID], number: FromPath[int]
) -> Response[Any]:
    """Show a version no more."""
    require(request, CHANGE)
    _ = words(request)
    await change(request, lambda tx: pages.withdraw(tx, page_id, number))
    undo = undo_href(request, "content.withdrawn", page=page_id, number=number)
    return go(request, f"{BASE}/{page_id}", _("It is not shown any more."), undo=undo)


@post(f"{BASE}/{{page_id:uuid}}/versions/{{number:int}}/restore")
async def restore_version(
    request: AnyRequest, page_id: FromPath[UUID], number: FromPath[int]
) -> Response[Any]:
    """Make a version the draft again."""
    require(request, CHANGE)
    _ = words(request)
    before = await pages.get(database_of(request), page_id)
    after = await change(request, lambda tx: pages.restore(tx, page_id, number, version=before.version))
    back = msgspec.to_builtins(before.draft)
    undo = undo_href(request, "content.draft", page=page_id, version=after.version, back=back)
    return go(request, f"{BASE}/{page_id}", _("The draft is that version again."), undo=undo)


HANDLERS = [
    show_page,
    save_page,
    preview,
    preview_typed,
    publish_page,
    withdraw_version,
    restore_version,
]
