"""The brand kit of a channel, with the shop in it beside."""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, content
from samlad.channels import Channel
from samlad.content import brands, rules, store, theme
from samlad.content.brand_model import Brand, Face, Finding, Kit, Palette, Radius
from samlad.content.permissions import PUBLISH, READ
from samlad.faces.admin.page_editor import FRAMED
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.admin.website import shops_of
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.faces.storefront import start
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, Problem

BASE = "/admin/content/brand"
PICTURES = ("logo", "logo_dark", "icon", "share")
TEXTS = ("name", "voice", "theme", "heading_face", "body_face", "radius", *PICTURES)
FACES: dict[str, str] = {
    Face.SYSTEM: marked("As the device"),
    Face.HUMANIST: marked("Humanist"),
    Face.GEOMETRIC: marked("Geometric"),
    Face.GROTESQUE: marked("Grotesque"),
    Face.OLD_STYLE: marked("Old style"),
    Face.TRANSITIONAL: marked("Transitional"),
    Face.SLAB: marked("Slab"),
    Face.ROUNDED: marked("Rounded"),
}
RADII: dict[str, str] = {
    Radius.NONE: marked("Square"),
    Radius.SMALL: marked("A little round"),
    Radius.MEDIUM: marked("Round"),
    Radius.LARGE: marked("Very round"),
}
COLOURS = {
    "accent": marked("Accent"),
    "on_accent": marked("Text on the accent"),
    "canvas": marked("Behind everything"),
    "surface": marked("Cards and fields"),
    "text": marked("Text"),
}
SCHEMES = {"light": marked("Colours by day"), "dark": marked("Colours by night")}


@get(BASE)
async def choose(request: AnyRequest) -> Response[Any]:
    """The kit of the first shop."""
    require(request, READ)
    shops = await shops_of(request)
    return go(request, f"{BASE}/{shops[0].code}" if shops else "/admin/channels/new")


@get(f"{BASE}/{{code:str}}")
async def show_kit(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """A kit."""
    require(request, READ)
    kit = await brands.kit_of(database_of(request), code)
    return await _kit_page(request, code, kit, _form_of(kit.own, kit.version))


def _form_of(own: Brand, version: int) -> Form:
    values: dict[str, Any] = {name: getattr(own, name) for name in TEXTS} | {"version": version}
    for scheme in SCHEMES:
        palette = getattr(own, scheme)
        values |= {f"{scheme}-{name}": getattr(palette, name) for name in COLOURS}
    return Form.of(**values)


async def _kit_page(request: AnyRequest, code: str, kit: Kit, form: Form) -> Response[Any]:
    database = database_of(request)
    channel = await channels.by_code(database, code)
    holds = theme.palettes(kit.brand)
    library = await store.PICTURES.page(database, ListQuery(limit=200))
    _ = words(request)
    return await admin_page(
        request,
        "admin/brand.html",
        status_code=form.status,
        form=form,
        kit=kit,
        channel=channel,
        shops=[(each.code, each.name) for each in await shops_of(request)],
        heirs=len(rules.below(channel.id, await channels.cached_all(database))),
        schemes=SCHEMES,
        colours=COLOURS,
        holds={f"{scheme}-{name}": getattr(holds[scheme], name) for scheme in SCHEMES for name in COLOURS},
        faces=[("", _("As inherited")), *translated(request, FACES)],
        radii=[("", _("As inherited")), *translated(request, RADII)],
        library=[("", _("As inherited")), *((each.key, each.name) for each in library.items)],
    )


def read_brand(form: Form, kept: Brand) -> Brand:
    """The kit that a form says; what the form does not show stays.

    Raises:
        InvalidInput: at the field that does not fit.
    """
    values: dict[str, Any] = {name: form.text(name) for name in TEXTS}
    for scheme in SCHEMES:
        palette = {name: _colour(form, f"{scheme}-{name}") for name in COLOURS}
        values[scheme] = msgspec.convert(palette, Palette)
    values["pictures"] = kept.pictures
    try:
        return msgspec.convert(values, Brand)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].rstrip("`") or "name"
        raise InvalidInput.at(name, "this cannot be used as it is written") from None


def _colour(form: Form, name: str) -> str | None:
    text = (form.text(name) or "").lower().removeprefix("#")
    if not text:
        return None
    if len(text) == 3:
        text = "".join(digit * 2 for digit in text)
    if len(text) != 6 or any(digit not in "0123456789abcdef" for digit in text):
        raise InvalidInput.at(name, form.translate(marked("Six digits from 0 to f, such as #0a6353.")))
    return f"#{text}"


@post(f"{BASE}/{{code:str}}")
async def save_kit(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Set the kit; the shop looks so at once."""
    require(request, PUBLISH)
    form, _ = await read_form(request), words(request)
    before = await brands.kit_of(database_of(request), code)
    try:
        own = read_brand(form, before.own)
        after = await change(request, lambda tx: brands.set_kit(tx, code, own, version=form.version()))
    except Problem as problem:
        return await _kit_page(request, code, before, form.failed(problem, _PLACES))
    back = msgspec.to_builtins(before.own)
    undo = undo_href(request, "content.brand", code=code, version=after.version, back=back)
    return go(request, f"{BASE}/{code}", _("Saved. The shop looks so from now on."), undo=undo)


_PLACES = {f"{scheme}/{name}": f"{scheme}-{name}" for scheme in SCHEMES for name in COLOURS}


@undoable("content.brand")
async def _undo_brand(tx: Tx, arguments: dict[str, Any]) -> str:
    own = msgspec.convert(arguments["back"], Brand)
    await brands.set_kit(tx, arguments["code"], own, version=arguments["version"])
    return f"{BASE}/{arguments['code']}"


# -- how it looks ----------------------------------------------------------------------------------------------------------


@get(f"{BASE}/{{code:str}}/preview")
async def preview(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The shop as it looks."""
    require(request, READ)
    kit = await brands.kit_of(database_of(request), code)
    return await _preview(request, code, kit.own)


@post(f"{BASE}/{{code:str}}/preview", status_code=200)
async def preview_typed(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The shop as it would look with what was typed and is not saved."""
    require(request, READ)
    form = await read_form(request)
    kit = await brands.kit_of(database_of(request), code)
    try:
        own = read_brand(form, kit.own)
    except InvalidInput:
        own = kit.own  # the form says what is wrong when it is saved
    return await _preview(request, code, own)


async def _preview(request: AnyRequest, code: str, own: Brand) -> Response[Any]:
    database, _ = database_of(request), words(request)
    channel = await channels.by_code(database, code)
    brand = await _with(request, channel, own)
    keys = [key for key in (brand.logo, brand.logo_dark) if key]
    look = msgspec.structs.replace(
        await content.look_of(database, channel), brand=brand, pictures=await store.pictures(database, keys)
    )
    text = quote(msgspec.json.encode(own).decode(), safe="")
    found = theme.findings(brand)
    extra = {"preview_note": " ".join(_said(request, each) for each in found)} if found else {}
    live = await store.live(database, look.line, "")
    return await start.render(
        request,
        msgspec.structs.replace(channel, locale=locale_of(request)),
        live.document if live else rules.start_document(),
        is_start=True,
        headers=FRAMED,
        look=look,
        theme_href=f"{BASE}/{quote(code)}/theme.css?own={text}",
        cart_live=None,
        alternates=[],
        **extra,
    )


def _said(request: AnyRequest, found: Finding) -> str:
    """What is wrong with two colours, in the reader's language."""
    _ = words(request)
    text = _("“%(token)s” has %(ratio)s : 1 on “%(ground)s”; text needs %(needed)s : 1. %(better)s would do.")
    return text % {
        "token": _(COLOURS[found.token]),
        "ground": _(COLOURS[found.ground]),
        "ratio": found.ratio,
        "needed": found.needed,
        "better": found.better,
    }


async def _with(request: AnyRequest, channel: Channel, own: Brand) -> Brand:
    """The brand that would hold in a channel that sets this."""
    known = {each.id: each for each in await channels.cached_all(database_of(request))}
    kits = {each.channel: each.own for each in await store.kits(database_of(request))} | {channel.id: own}
    return theme.inherit([kits[each] for each in rules.line_of(channel, known) if each in kits])


@get(f"{BASE}/{{code:str}}/theme.css")
async def preview_theme(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """The style sheet of a preview."""
    require(request, READ)
    channel = await channels.by_code(database_of(request), code)
    try:
        own = msgspec.json.decode(request.query_params.get("own", "{}")[:20_000], type=Brand)
    except (msgspec.ValidationError, msgspec.DecodeError):
        own = Brand()
    sheet = theme.style_sheet(await _with(request, channel, own))
    return Response(sheet, media_type="text/css", headers={"Cache-Control": "no-store"})


HANDLERS = [choose, show_kit, save_kit, preview, preview_typed, preview_theme]
