"""The website: its pages, pictures, menus and old addresses."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile

from samlad import channels
from samlad.channels import Channel, ChannelKind
from samlad.content import brands, pages, pictures, redirects, rules, store
from samlad.content.model import (
    LANGUAGES,
    MOST_LINKS,
    Link,
    MenuPlace,
    PageInput,
    PictureInput,
    Redirect,
    RedirectInput,
    RedirectsInput,
)
from samlad.content.permissions import CHANGE, PUBLISH, READ
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.page_editor import BASE
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, words
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem

PLACES = {MenuPlace.HEADER: marked("At the top"), MenuPlace.FOOTER: marked("At the foot")}
EMPTY_ROWS = 3


async def shops_of(request: AnyRequest) -> list[Channel]:
    """The webshops, and the channels that these inherit from."""
    known = await channels.cached_all(database_of(request))
    by_id = {each.id: each for each in known}
    wanted = {
        one
        for each in known
        if each.kind in (ChannelKind.WEBSHOP, ChannelKind.APP)
        for one in rules.line_of(each, by_id)
    }
    return [each for each in known if each.id in wanted]


@get("/admin/content")
async def list_pages(request: AnyRequest) -> Response[Any]:
    """All pages."""
    require(request, READ)
    found = await shown(request, database_of(request), store.PAGES)
    known = {each.id: each for each in await channels.cached_all(database_of(request))}
    shops = await shops_of(request)
    return await admin_page(
        request,
        "admin/website.html",
        list=found,
        known=known,
        shops=[(each.code, each.name) for each in shops],
        form=Form.of(channel=shops[0].code if shops else ""),
    )


@post("/admin/content")
async def create_page(request: AnyRequest) -> Response[Any]:
    """Begin a page; the start page begins as the one that the shop has without."""
    require(request, CHANGE)
    form = await read_form(request)
    try:
        is_start = form.get("kind") == "start"
        if not is_start and form.text("handle") is None:
            raise InvalidInput.at("handle", words(request)("Please fill this in."))
        values = {"handle": "", "document": rules.start_document()} if is_start else {}
        given = form.into(PageInput, **values)
        known = await channels.by_code(database_of(request), given.channel)
        there = await store.page_at(database_of(request), known.id, given.handle)
        if there is not None and is_start:
            return go(request, f"{BASE}/{there}")
        made = await change(request, lambda tx: pages.create(tx, given))
    except Problem as problem:
        found = await shown(request, database_of(request), store.PAGES)
        every = {each.id: each for each in await channels.cached_all(database_of(request))}
        return await admin_page(
            request,
            "admin/website.html",
            status_code=form.failed(problem).status,
            list=found,
            known=every,
            shops=[(each.code, each.name) for each in await shops_of(request)],
            form=form,
        )
    return go(request, f"{BASE}/{made.id}")


# -- pictures --------------------------------------------------------------------------------------------------------------


@get("/admin/content/pictures")
async def list_pictures(request: AnyRequest) -> Response[Any]:
    """Every picture."""
    require(request, READ)
    return await _pictures_page(request, Form.of())


async def _pictures_page(request: AnyRequest, form: Form) -> Response[Any]:
    found = await shown(request, database_of(request), store.PICTURES)
    return await admin_page(
        request, "admin/pictures.html", status_code=form.status, list=found, form=form, back=form.get("back")
    )


@post("/admin/content/pictures", request_max_body_size=pictures.LARGEST_BYTES + 100_000)
async def add_picture(request: AnyRequest) -> Response[Any]:
    """Keep a picture that was chosen."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        given = await read_picture(form.files.get("file"), _("Choose a picture first."))
        home = request.app.state.runtime.settings.home
        made = await change(request, lambda tx: pictures.add(tx, home, given))
    except Problem as problem:
        return await _pictures_page(request, form.failed(problem, {"content": "file"}))
    back = local_path(form.get("back"), "/admin/content/pictures")
    return go(request, back, _("“%(name)s” can be chosen from now on.") % {"name": made.name})


async def read_picture(file: UploadFile | None, otherwise: str) -> PictureInput:
    """The picture that was sent.

    Raises:
        InvalidInput: none was.
    """
    content = b"" if file is None else await file.read(pictures.LARGEST_BYTES + 1)
    if file is None or not content:
        raise InvalidInput.at("file", otherwise)
    name = "".join(c for c in file.filename if c.isprintable())[-200:].strip() or "picture"
    return PictureInput(name=name, content=content)


# -- menus -----------------------------------------------------------------------------------------------------------------


@get("/admin/content/menus")
async def show_menus(request: AnyRequest) -> Response[Any]:
    """The menus of a channel; ``?channel=CODE&place=footer``."""
    require(request, READ)
    shops = await shops_of(request)
    if not shops:
        return go(request, "/admin/channels/new")
    code = request.query_params.get("channel", shops[0].code)
    place = MenuPlace.FOOTER if request.query_params.get("place") == "footer" else MenuPlace.HEADER
    menu = await brands.menu_of(database_of(request), code, place)
    return await _menu_page(request, code, place, _menu_form(menu.items, menu.version))


def _menu_form(items: list[Link], version: int) -> Form:
    values: dict[str, Any] = {"version": version, "row": [str(n) for n in range(len(items))]}
    for number, item in enumerate(items):
        values[f"href-{number}"] = item.href
        values |= {f"text-{number}-{code}": getattr(item.text, code) for code in LANGUAGES}
    return Form.of(**values)


async def _menu_page(request: AnyRequest, code: str, place: MenuPlace, form: Form) -> Response[Any]:
    channel = await channels.by_code(database_of(request), code)
    own = channel.locale[:2] if channel.locale[:2] in LANGUAGES else LANGUAGES[0]
    rows = form.all("row")
    spare = [f"n{number}" for number in range(EMPTY_ROWS) if len(rows) + number < MOST_LINKS]
    return await admin_page(
        request,
        "admin/menus.html",
        status_code=form.status,
        form=form,
        rows=[*rows, *spare],
        channel=channel,
        place=place,
        places=PLACES,
        shops=[(each.code, each.name) for each in await shops_of(request)],
        languages_of=[(c, names.language[c]) for c in (own, *(c for c in LANGUAGES if c != own))],
    )


@post("/admin/content/menus")
async def save_menu(request: AnyRequest) -> Response[Any]:
    """Set a menu, or show it with an entry moved; nothing is kept before it is saved."""
    require(request, PUBLISH)
    form, _ = await read_form(request), words(request)
    code = form.get("channel")
    place = MenuPlace.FOOTER if form.get("place") == "footer" else MenuPlace.HEADER
    filled = [row for row in form.all("row") if _is_filled(form, row)]
    act, _colon, about = form.get("act").partition(":")
    if act in ("up", "down") and about in filled:
        at = filled.index(about)
        filled.insert(max(0, at + (-1 if act == "up" else 1)), filled.pop(at))
        form.fields["row"] = filled
        return await _menu_page(request, code, place, form)
    try:
        items = [_link(form, row) for row in filled]
        before = await brands.menu_of(database_of(request), code, place)
        after = await change(
            request, lambda tx: brands.set_menu(tx, code, place, items, version=form.version())
        )
    except Problem as problem:
        form.fields["row"] = filled
        there = {
            f"items/{number}/{field}": f"{field}-{row}" + (f"-{LANGUAGES[0]}" if field == "text" else "")
            for number, row in enumerate(filled)
            for field in ("text", "href")
        }
        return await _menu_page(request, code, place, form.failed(problem, there))
    back = msgspec.to_builtins(before.items)
    undo = undo_href(request, "content.menu", code=code, place=place, version=after.version, back=back)
    href = f"/admin/content/menus?channel={code}&place={place}"
    return go(request, href, _("Saved. It holds from now on."), undo=undo)


def _is_filled(form: Form, row: str) -> bool:
    return any(form.text(f"text-{row}-{code}") for code in LANGUAGES) or form.text(f"href-{row}") is not None


def _link(form: Form, row: str) -> Link:
    text = {code: form.get(f"text-{row}-{code}").strip() for code in LANGUAGES}
    try:
        return msgspec.convert({"text": text, "href": form.get(f"href-{row}").strip()}, Link)
    except msgspec.ValidationError:
        said = form.translate(
            marked("An address in the shop such as /search, or one that begins with https://.")
        )
        raise InvalidInput.at(f"href-{row}", said) from None


@undoable("content.menu")
async def _undo_menu(tx: Tx, arguments: dict[str, Any]) -> str:
    items = msgspec.convert(arguments["back"], list[Link])
    place = MenuPlace(arguments["place"])
    await brands.set_menu(tx, arguments["code"], place, items, version=arguments["version"])
    return f"/admin/content/menus?channel={arguments['code']}&place={place}"


# -- old addresses ---------------------------------------------------------------------------------------------------------


@get("/admin/content/redirects")
async def list_redirects(request: AnyRequest) -> Response[Any]:
    """Old addresses and where they lead."""
    require(request, READ)
    return await _redirects_page(request, Form.of(is_permanent=True))


async def _redirects_page(request: AnyRequest, form: Form) -> Response[Any]:
    found = await shown(request, database_of(request), store.REDIRECTS)
    known = {each.id: each for each in await channels.cached_all(database_of(request))}
    return await admin_page(
        request,
        "admin/redirects.html",
        status_code=form.status,
        list=found,
        form=form,
        known=known,
        shops=[(each.code, each.name) for each in await shops_of(request)],
    )


@post("/admin/content/redirects")
async def save_redirects(request: AnyRequest) -> Response[Any]:
    """Lead an old address elsewhere, or all those of a file."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    file = form.files.get("file")
    content = await file.read(5_000_001) if file is not None else b""
    try:
        if content:
            given = redirects.read_csv(_decoded(content))
        else:
            given = [form.into(RedirectInput, is_permanent=form.has("is_permanent"))]
        wanted = RedirectsInput(channel=form.get("channel"), redirects=given)
        made = await change(request, lambda tx: redirects.add(tx, wanted))
    except Problem as problem:
        there = {"redirects/0/source": "source", "redirects/0/target": "target"} if not content else {}
        return await _redirects_page(request, form.failed(problem, there))
    said = _("%(count)s addresses lead on from now on.") % {"count": made.saved}
    return go(request, "/admin/content/redirects", said)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


@post("/admin/content/redirects/remove")
async def remove_redirects(request: AnyRequest) -> Response[Any]:
    """Remove those that are ticked."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    ids = [UUID(text) for text in form.all("id") if _is_uuid(text)]
    gone = await change(request, lambda tx: redirects.remove(tx, ids))
    if not gone:
        return go(request, "/admin/content/redirects", _("Nothing was chosen."), kind="warning")
    undo = undo_href(request, "content.redirects", gone=[msgspec.to_builtins(each) for each in gone[:50]])
    return go(request, "/admin/content/redirects", _("Removed."), undo=undo if len(gone) <= 50 else None)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@undoable("content.redirects")
async def _undo_redirects(tx: Tx, arguments: dict[str, Any]) -> str:
    gone = msgspec.convert(arguments["gone"], list[Redirect])
    for channel_id in sorted({each.channel for each in gone}):
        channel = await channels.get(tx, channel_id)
        back = [
            RedirectInput(source=each.source, target=each.target, is_permanent=each.is_permanent)
            for each in gone
            if each.channel == channel_id
        ]
        await redirects.add(tx, RedirectsInput(channel=channel.code, redirects=back))
    return "/admin/content/redirects"


HANDLERS = [
    list_pages,
    create_page,
    list_pictures,
    add_picture,
    show_menus,
    save_menu,
    list_redirects,
    save_redirects,
    remove_redirects,
]
