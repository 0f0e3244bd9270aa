"""Who works here: invite, roles, locations, links, disable."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import stock
from samlad.access import audit
from samlad.access import staff as people
from samlad.access.api.browser import base_url_of
from samlad.access.permissions import AUDIT_READ, STAFF_READ, STAFF_WRITE, Role
from samlad.access.staff import Staff, StaffChange, StaffInput
from samlad.faces.admin import bulk, names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page, forget_person
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, translated, words
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import NotFound, Problem


@get("/admin/staff")
async def list_staff(request: AnyRequest) -> Response[Any]:
    """Everybody who works here."""
    require(request, STAFF_READ)
    found = await shown(request, database_of(request), people.STAFF)
    return await admin_page(
        request,
        "admin/staff.html",
        list=found,
        names=names,
        roles=translated(request, names.role),
        states=translated(request, names.staff_status),
        places=await _location_names(request),
    )


async def _location_names(request: AnyRequest) -> dict[UUID, str]:
    return {place.id: place.name for place in await stock.locations(database_of(request))}


@get("/admin/staff/new")
async def show_invite(request: AnyRequest) -> Response[Any]:
    """The form to invite somebody."""
    require(request, STAFF_WRITE)
    return await _invite_page(request, Form.of(roles=["store"], locale="en"))


async def _invite_page(request: AnyRequest, form: Form) -> Response[Any]:
    return await admin_page(
        request,
        "admin/staff_new.html",
        status_code=form.status,
        form=form,
        **await _choices(request),
    )


async def _choices(request: AnyRequest) -> dict[str, Any]:
    """Roles and locations that the actor may hand out."""
    actor = actor_of(request)
    places = await stock.locations(database_of(request))
    return {
        "names": names,
        "roles": list(Role),
        "locations": [p for p in places if actor.locations is None or p.id in actor.locations],
        "languages_of": list(names.language.items()),
    }


@post("/admin/staff/new")
async def invite(request: AnyRequest) -> Response[Any]:
    """Invite somebody, and show their link this once."""
    require(request, STAFF_WRITE)
    form = await read_form(request)
    try:
        given = form.into(StaffInput, roles=form.all("roles"), locations=form.all("locations"))
        invited = await change(request, lambda tx: people.invite(tx, given, base_url_of(request)))
    except Problem as problem:
        return await _invite_page(request, form.failed(problem))
    return await _link_page(request, invited.staff, invited.link)


async def _link_page(request: AnyRequest, person: Staff, link: Any) -> Response[Any]:
    return await admin_page(request, "admin/staff_link.html", status_code=201, person=person, link=link)


@post("/admin/staff/bulk")
async def act_on_many(request: AnyRequest) -> Response[Any]:
    """Shut the picked ones out, or let them in again."""
    require(request, STAFF_WRITE)
    form, _ = await read_form(request), words(request)
    back, wanted = local_path(form.text("next"), "/admin/staff"), form.get("act")
    if wanted not in ("disable", "enable"):
        return go(request, back, _("Please say what is to be done with them."), kind="danger")
    verb = people.disable if wanted == "disable" else people.enable

    async def act(tx: Tx, person: UUID) -> str | None:
        before = await people.get(tx, person)
        after = await verb(tx, person)
        return None if after.version == before.version else before.status

    return await bulk.run(
        request, bulk.picked(form), act, named=_named, back=back, undo="staff.many", to=wanted
    )


async def _named(reader: Reader, person: UUID) -> str:
    return (await people.get(reader, person)).name


@undoable("staff.many")
async def _undo_many(tx: Tx, arguments: dict[str, Any]) -> str:
    was_shut_out = arguments["to"] == "disable"
    for person, _before in bulk.rows_before(arguments):
        found = await people.get(tx, person)
        if (found.status == "disabled") is was_shut_out:  # what somebody has changed since is theirs
            await (people.enable if was_shut_out else people.disable)(tx, person)
    return str(arguments["back"])


@get("/admin/staff/{staff_id:uuid}")
async def show_staff(request: AnyRequest, staff_id: FromPath[UUID]) -> Response[Any]:
    """Somebody: what they may do and where, how they sign in, what they did lately."""
    require(request, STAFF_READ)
    person = await people.get(database_of(request), staff_id)
    return await _staff_page(request, person, _form_of(person))


def _form_of(person: Staff) -> Form:
    return Form.of(
        name=person.name,
        locale=person.locale,
        roles=person.roles,
        locations=person.locations,
        version=person.version,
    )


async def _staff_page(request: AnyRequest, person: Staff, form: Form) -> Response[Any]:
    actor, recent = actor_of(request), []
    if actor.may(AUDIT_READ):
        query = ListQuery(limit=8, filters={"actor": str(person.id)})
        recent = (await audit.ENTRIES.page(database_of(request), query)).items
    return await admin_page(
        request,
        "admin/staff_one.html",
        status_code=form.status,
        person=person,
        form=form,
        recent=recent,
        is_self=actor.id == person.id,
        **await _choices(request),
    )


@post("/admin/staff/{staff_id:uuid}")
async def change_staff(request: AnyRequest, staff_id: FromPath[UUID]) -> Response[Any]:
    """Change name, language, roles and locations."""
    require(request, STAFF_WRITE)
    form, _ = await read_form(request), words(request)
    before = await people.get(database_of(request), staff_id)
    try:
        given = form.into(StaffChange, roles=form.all("roles"), locations=form.all("locations"))
        after = await change(request, lambda tx: people.change(tx, staff_id, given, form.version()))
    except Problem as problem:
        return await _staff_page(request, before, form.failed(problem))
    forget_person(staff_id)
    back = {
        "name": before.name,
        "locale": before.locale,
        "roles": before.roles,
        "locations": before.locations,
    }
    undo = undo_href(request, "staff.change", staff=staff_id, version=after.version, back=back)
    return go(request, f"/admin/staff/{staff_id}", _("Saved. It holds from now on."), undo=undo)


@undoable("staff.change")
async def _undo_change(tx: Tx, arguments: dict[str, Any]) -> str:
    staff_id = UUID(arguments["staff"])
    await people.change(tx, staff_id, msgspec.convert(arguments["back"], StaffChange), arguments["version"])
    forget_person(staff_id)
    return f"/admin/staff/{staff_id}"


@post("/admin/staff/{staff_id:uuid}/{act:str}")
async def act_on_staff(request: AnyRequest, staff_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Disable, enable, make a link, end sessions, reset the second factor."""
    require(request, STAFF_WRITE)
    _ = words(request)
    person = await people.get(database_of(request), staff_id)
    here, undo = f"/admin/staff/{staff_id}", None
    try:
        if act == "link":
            link = await change(request, lambda tx: people.make_link(tx, staff_id, base_url_of(request)))
            return await _link_page(request, person, link)
        if act == "disable":
            await change(request, lambda tx: people.disable(tx, staff_id))
            undo = undo_href(request, "staff.enable", staff=staff_id)
            text = _("They are shut out, everywhere and at once.")
        elif act == "enable":
            await change(request, lambda tx: people.enable(tx, staff_id))
            text = _("They can sign in again.")
        elif act == "sign-out":
            await change(request, lambda tx: people.end_sessions(tx, staff_id))
            text = _("They are signed out everywhere.")
        elif act == "reset":
            await change(request, lambda tx: people.reset_second_factor(tx, staff_id))
            text = _(
                "Their codes and passkeys are gone. They sign in with the password alone and can set them up anew."
            )
        else:
            raise NotFound("There is no such act.")
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        return go(request, here, problem.detail or problem.title, kind="danger")
    return go(request, here, text, undo=undo)


@undoable("staff.enable")
async def _undo_disable(tx: Tx, arguments: dict[str, Any]) -> str:
    await people.enable(tx, UUID(arguments["staff"]))
    return f"/admin/staff/{arguments['staff']}"


HANDLERS = [list_staff, act_on_many, show_invite, invite, show_staff, change_staff, act_on_staff]
