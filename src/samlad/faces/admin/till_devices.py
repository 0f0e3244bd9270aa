"""Tills and kiosks as devices: when each was heard of last, what it has not sent, how old its goods are; naming and putting away."""

from typing import Any
from uuid import UUID

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
from samlad.kernel.seen import mark, unchanged
from samlad.tills import DEVICES, READ, RESOLVE, Device, NameDeviceInput, PutAwayInput

BASE = "/admin/till-devices"


@get(BASE)
async def list_devices(request: AnyRequest) -> Response[Any]:
    """Tills and kiosks that are in use, who was heard of last first; the address may ask for those that were put away."""
    require(request, READ)
    database, scope = database_of(request), actor_of(request).bound_to
    stores = [one for one in await channels.cached_all(database) if one.kind is ChannelKind.STORE]
    return await admin_page(
        request,
        "admin/till_devices.html",
        list=await shown(request, database, DEVICES, scope),
        states=translated(request, names.till_device_state),
        stores=[(one.code, one.name) for one in stores],
        store_names={one.code: one.name for one in stores},
        names=names,
    )


@get(f"{BASE}/{{device_id:uuid}}")
async def show_device(request: AnyRequest, device_id: FromPath[UUID]) -> Response[Any]:
    """One till or kiosk."""
    require(request, READ)
    return await _page(request, await _found(request, device_id), Form())


async def _found(request: AnyRequest, device: UUID) -> Device:
    found = await tills.get_device(database_of(request), device)
    actor_of(request).require(READ, location=found.location)
    return found


async def _page(request: AnyRequest, device: Device, form: Form) -> Response[Any]:
    return await admin_page(
        request,
        "admin/till_device.html",
        status_code=form.status,
        device=device,
        place=await stock.location(database_of(request), device.location),
        form=form,
        seen=mark(device.name),
        may_resolve=actor_of(request).may(RESOLVE, device.location),
        names=names,
    )


@post(f"{BASE}/{{device_id:uuid}}/name")
async def name(request: AnyRequest, device_id: FromPath[UUID]) -> Response[Any]:
    """What staff call it."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    device = await _found(request, device_id)
    try:
        data, seen = form.into(NameDeviceInput, name=form.get("name").strip()), form.version()

        async def verb(tx: Tx) -> None:
            await unchanged(tx, f"name of till {device_id}", lambda tx: _name_of(tx, device_id), seen)
            await tills.rename_device(tx, device_id, data)

        await change(request, verb)
    except Problem as problem:
        return await _page(request, device, form.failed(problem))
    return go(request, f"{BASE}/{device_id}", _("Saved."))


async def _name_of(tx: Tx, device: UUID) -> str:
    return (await tills.get_device(tx, device)).name


@post(f"{BASE}/{{device_id:uuid}}/put-away")
async def put_away(request: AnyRequest, device_id: FromPath[UUID]) -> Response[Any]:
    """It is not used any more."""
    require(request, RESOLVE)
    form, _ = await read_form(request), words(request)
    device = await _found(request, device_id)
    try:
        reason = form.get("reason").strip()
        if not reason:
            raise InvalidInput.at("reason", _("Say why, for whoever asks later."))
        data = form.into(PutAwayInput, reason=reason)
        await change(request, lambda tx: tills.put_away(tx, device_id, data))
    except Problem as problem:
        return await _page(request, device, form.failed(problem))
    undo = undo_href(request, "till-device.put-away", device=str(device_id))
    return go(request, f"{BASE}/{device_id}", _("Nobody is warned of it any more."), undo=undo)


@undoable("till-device.put-away")
async def _undo_put_away(tx: Tx, arguments: dict[str, Any]) -> str:
    await tills.bring_back(tx, UUID(arguments["device"]))
    return f"{BASE}/{arguments['device']}"


@post(f"{BASE}/{{device_id:uuid}}/bring-back")
async def bring_back(request: AnyRequest, device_id: FromPath[UUID]) -> Response[Any]:
    """It is in use after all."""
    require(request, RESOLVE)
    _form, _ = await read_form(request), words(request)
    await _found(request, device_id)
    await change(request, lambda tx: tills.bring_back(tx, device_id))
    return go(request, f"{BASE}/{device_id}", _("It is in use again."))


HANDLERS = [list_devices, show_device, name, put_away, bring_back]
