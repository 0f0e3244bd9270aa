"""Keys of tills: what the devices of a store sign receipts with, when they did last, and which of them is not believed any more."""

from collections.abc import Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, stock, tills
from samlad.channels import ChannelKind
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import InvalidInput, Problem
from samlad.tills import KEYS, READ, RESOLVE, RestoreInput, RevokeInput, TillKey

BASE = "/admin/till-keys"


@get(BASE)
async def list_keys(request: AnyRequest) -> Response[Any]:
    """The keys of all tills, the newest first."""
    require(request, READ)
    database, actor = database_of(request), actor_of(request)
    scope = actor.bound_to
    stores = [one for one in await channels.cached_all(database) if one.kind is ChannelKind.STORE]
    return await admin_page(
        request,
        "admin/till_keys.html",
        list=await shown(request, database, KEYS, scope),
        states=translated(request, names.till_key_state),
        stores=[(one.code, one.name) for one in stores],
        store_names={one.code: one.name for one in stores},
        names=names,
    )


@get(f"{BASE}/{{kid:str}}")
async def show_key(request: AnyRequest, kid: FromPath[str]) -> Response[Any]:
    """One key: what what it signed is worth, and taking it back."""
    require(request, READ)
    return await _page(request, await _found(request, kid), Form())


async def _found(request: AnyRequest, kid: str) -> TillKey:
    found = await tills.get_key(database_of(request), kid)
    actor_of(request).require(READ, location=found.location)
    return found


async def _page(request: AnyRequest, key: TillKey, form: Form) -> Response[Any]:
    return await admin_page(
        request,
        "admin/till_key.html",
        status_code=form.status,
        key=key,
        place=await stock.location(database_of(request), key.location),
        form=form,
        may_resolve=actor_of(request).may(RESOLVE, key.location),
        names=names,
    )


@post(f"{BASE}/{{kid:str}}/revoke")
async def revoke(request: AnyRequest, kid: FromPath[str]) -> Response[Any]:
    """Its device is lost, or not ours any more."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    key = await _found(request, kid)
    try:
        data = form.into(RevokeInput, reason=_why(form, _))
        await change(request, lambda tx: tills.revoke_key(tx, kid, data))
    except Problem as problem:
        return await _page(request, key, form.failed(problem))
    said = _("The key of till %(till)s was taken back.") % {"till": key.till_code}
    return go(request, f"{BASE}/{kid}", said, undo=undo_href(request, "till-key.revoke", kid=kid))


def _why(form: Form, _: Callable[[str], str]) -> str:
    text = form.get("reason").strip()
    if not text:
        raise InvalidInput.at("reason", _("Say why, for whoever asks later."))
    return text


@undoable("till-key.revoke")
async def _undo_revoke(tx: Tx, arguments: dict[str, Any]) -> str:
    await tills.restore_key(tx, arguments["kid"], RestoreInput())
    return f"{BASE}/{arguments['kid']}"


@post(f"{BASE}/{{kid:str}}/restore")
async def restore(request: AnyRequest, kid: FromPath[str]) -> Response[Any]:
    """It was taken back by mistake."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    key = await _found(request, kid)
    try:
        data = form.into(RestoreInput, reason=_why(form, _))
        await change(request, lambda tx: tills.restore_key(tx, kid, data))
    except Problem as problem:
        return await _page(request, key, form.failed(problem))
    return go(request, f"{BASE}/{kid}", _("What this key signed is good again."))


HANDLERS = [list_keys, show_key, revoke, restore]
