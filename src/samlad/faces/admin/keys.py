"""API keys: make one (shown once), see them, revoke them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad.access import keys
from samlad.access.keys import KeyInput
from samlad.access.permissions import KEY_READ, KEY_WRITE, PermissionInfo, permissions
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import Problem


@get("/admin/keys")
async def list_keys(request: AnyRequest) -> Response[Any]:
    """All keys, newest first; of whoever is bound to locations, those that act nowhere else."""
    require(request, KEY_READ)
    _ = words(request)
    states = [("valid", _("Valid")), ("expired", _("Expired")), ("revoked", _("Revoked"))]
    found = await shown(
        request, database_of(request), keys.KEYS, fixed={"within": keys.own(actor_of(request))}
    )
    return await admin_page(request, "admin/keys.html", list=found, states=states, now=now())


@get("/admin/keys/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new key."""
    require(request, KEY_WRITE)
    return await _new_page(request, Form.of(expires_in_days=365))


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    groups = groups_of(request)
    return await admin_page(request, "admin/key_new.html", status_code=form.status, form=form, groups=groups)


def groups_of(request: AnyRequest, also: Sequence[str] = ()) -> dict[str, list[PermissionInfo]]:
    """The permissions that somebody can give, and others that are given already, by their first part."""
    actor = actor_of(request)
    groups: dict[str, list[PermissionInfo]] = {}
    for info in permissions().values():
        if actor.may(info.name) or info.name in also:
            groups.setdefault(info.name.partition(".")[0], []).append(info)
    return groups


@post("/admin/keys/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Make a key, and show it this once."""
    require(request, KEY_WRITE)
    form = await read_form(request)
    try:
        days = form.whole("expires_in_days")
        given = form.into(KeyInput, scopes=form.all("scopes"), expires_in_days=days)
        made = await change(request, lambda tx: keys.create(tx, given))
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    return await admin_page(request, "admin/key_made.html", status_code=201, made=made)


@post("/admin/keys/{key_id:uuid}/revoke")
async def revoke(request: AnyRequest, key_id: FromPath[UUID]) -> Response[Any]:
    """Make a key worthless at once."""
    require(request, KEY_WRITE)
    _ = words(request)
    key = await change(request, lambda tx: keys.revoke(tx, key_id))
    return go(request, "/admin/keys", _("The key “%(name)s” does not work any more.") % {"name": key.name})


HANDLERS = [list_keys, show_new, create, revoke]
