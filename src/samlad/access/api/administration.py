"""/api/staff, /api/keys, /api/audit, /api/roles, /api/permissions."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.access import keys, sessions, staff
from samlad.access.api.browser import base_url_of
from samlad.access.audit import ENTRIES
from samlad.access.keys import KEYS, KeyInput
from samlad.access.permissions import AUDIT_READ, KEY_READ, STAFF_READ, Role, permissions, permissions_of
from samlad.access.sessions import Session
from samlad.access.staff import STAFF, StaffChange, StaffInput
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Unauthenticated

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="Rows of one page")]
Cursor = Annotated[
    str | None, QueryParameter(max_length=1000, description="`next_cursor` of the page before")
]
Sorting = Annotated[
    str | None, QueryParameter(max_length=60, description="A field, with `-` before it for descending")
]
Text = Annotated[str | None, QueryParameter(max_length=500, pattern=r"^[^\x00]*$")]
Format = Annotated[
    Literal["json", "csv"], QueryParameter(description="`csv`: everything under the filters as a file")
]


class RoleInfo(msgspec.Struct, frozen=True):
    """A role and what it may do."""

    role: Role
    permissions: list[str]


class PermissionEntry(msgspec.Struct, frozen=True):
    """A permission, what it allows, and the roles that have it."""

    name: str
    description: str
    roles: list[Role]


def _require_somebody(request: AnyRequest) -> None:
    if actor_of(request).kind in ("guest", "customer"):
        raise Unauthenticated("Sign in, or send an API key.")


@get("/roles", summary="Roles")
async def list_roles(request: AnyRequest) -> list[RoleInfo]:
    """Every role with its permissions."""
    _require_somebody(request)
    return [RoleInfo(role, sorted(permissions_of(role))) for role in Role]


@get("/permissions", summary="Permissions")
async def list_permissions(request: AnyRequest) -> list[PermissionEntry]:
    """Every permission that there is: what keys can be given, and which roles have it."""
    _require_somebody(request)
    return [PermissionEntry(p.name, p.description, sorted(p.roles)) for p in permissions().values()]


@get("/staff", summary="Staff")
async def list_staff(
    request: AnyRequest,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Sorting = None,
    status: Text = None,
    role: Text = None,
    q: Text = None,
    format: Format = "json",  # noqa: A002 - the parameter's public name
) -> Response[Any]:
    """Everybody who works here. Filters: ``status`` and ``role`` (lists with commas), ``q`` in name and e-mail."""
    actor_of(request).require(STAFF_READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"status": status, "role": role, "q": q})
    return await STAFF.answer(database_of(request), query, as_csv=format == "csv", name="staff")


@post("/staff", status_code=201, summary="Invite somebody")
async def invite_staff(request: AnyRequest, data: JSONBody[StaffInput]) -> Response[Any]:
    """Invite somebody; the answer holds the one-time link to hand to them. Nobody can give more than they have."""
    base_url = base_url_of(request)
    return await write(request, lambda tx: staff.invite(tx, data, base_url), status=201, secret=True)


@get("/staff/{staff_id:uuid}", summary="One member of staff")
async def read_staff(request: AnyRequest, staff_id: FromPath[UUID]) -> Response[Any]:
    """One member of staff, with an ETag."""
    found = await database_of(request).transaction(lambda tx: staff.read(tx, staff_id), context_of(request))
    return with_etag(found, found.version)


@patch("/staff/{staff_id:uuid}", summary="Change somebody")
async def change_staff(
    request: AnyRequest, staff_id: FromPath[UUID], data: JSONBody[StaffChange]
) -> Response[Any]:
    """Change name, language, roles or locations; ``If-Match`` guards against a change meanwhile."""
    expected = if_match(request)
    return await write(request, lambda tx: staff.change(tx, staff_id, data, expected))


@post("/staff/{staff_id:uuid}/disable", status_code=200, summary="Disable somebody")
async def disable_staff(request: AnyRequest, staff_id: FromPath[UUID]) -> Response[Any]:
    """Shut somebody out at once. 409 for the last owner."""
    return await write(request, lambda tx: staff.disable(tx, staff_id))


@post("/staff/{staff_id:uuid}/enable", status_code=200, summary="Enable somebody")
async def enable_staff(request: AnyRequest, staff_id: FromPath[UUID]) -> Response[Any]:
    """Let somebody in again."""
    return await write(request, lambda tx: staff.enable(tx, staff_id))


@post("/staff/{staff_id:uuid}/link", status_code=201, summary="One-time link for somebody")
async def make_staff_link(request: AnyRequest, staff_id: FromPath[UUID]) -> Response[Any]:
    """A new invitation for who has not come yet, else a password reset. Older links stop to work."""
    base_url = base_url_of(request)
    return await write(request, lambda tx: staff.make_link(tx, staff_id, base_url), status=201, secret=True)


@post(
    "/staff/{staff_id:uuid}/reset-second-factor", status_code=200, summary="Remove somebody's second factor"
)
async def reset_second_factor(request: AnyRequest, staff_id: FromPath[UUID]) -> Response[Any]:
    """Remove codes and passkeys of somebody who lost them; their sessions end."""
    return await write(request, lambda tx: staff.reset_second_factor(tx, staff_id))


@get("/staff/{staff_id:uuid}/sessions", summary="Somebody's open sessions")
async def list_staff_sessions(request: AnyRequest, staff_id: FromPath[UUID]) -> list[Session]:
    """Somebody's open sessions."""
    await database_of(request).transaction(lambda tx: staff.read(tx, staff_id), context_of(request))
    return await sessions.of_staff(database_of(request), staff_id)


@delete("/staff/{staff_id:uuid}/sessions", status_code=204, summary="End somebody's sessions")
async def end_staff_sessions(request: AnyRequest, staff_id: FromPath[UUID]) -> None:
    """End all of somebody's sessions (a stolen laptop)."""
    await write(request, lambda tx: staff.end_sessions(tx, staff_id))


@get("/keys", summary="API keys")
async def list_keys(
    request: AnyRequest,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Sorting = None,
    q: Text = None,
    status: Text = None,
    format: Format = "json",  # noqa: A002 - the parameter's public name
) -> Response[Any]:
    """All keys, without their secrets; of whoever is bound to locations, those that act nowhere else.

    ``q`` is a part of the name. Filter: ``status`` is valid, expired or revoked.
    """
    actor = actor_of(request)
    actor.require(KEY_READ)
    filters = {"q": q, "status": status, "within": keys.own(actor)}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await KEYS.answer(database_of(request), query, as_csv=format == "csv", name="keys")


@post("/keys", status_code=201, summary="Make an API key")
async def create_key(request: AnyRequest, data: JSONBody[KeyInput]) -> Response[Any]:
    """Make a key; its secret is in this answer and nowhere else. It can do nothing that its maker cannot."""
    return await write(request, lambda tx: keys.create(tx, data), status=201, secret=True)


@get("/keys/{key:uuid}", summary="One API key")
async def read_key(request: AnyRequest, key: FromPath[UUID]) -> keys.Key:
    """One key, without its secret."""
    return await database_of(request).transaction(lambda tx: keys.read(tx, key), context_of(request))


@delete("/keys/{key:uuid}", status_code=200, summary="Revoke an API key")
async def revoke_key(request: AnyRequest, key: FromPath[UUID]) -> Response[Any]:
    """Make a key worthless at once. It stays in the list."""
    return await write(request, lambda tx: keys.revoke(tx, key))


@get("/audit", summary="Who changed what")
async def list_audit(
    request: AnyRequest,
    limit: Limit = 50,
    cursor: Cursor = None,
    sort: Sorting = None,
    verb: Text = None,
    subject_type: Text = None,
    subject: Text = None,
    actor: Text = None,
    request_id: Text = None,
    since: Text = None,
    until: Text = None,
    q: Text = None,
    format: Format = "json",  # noqa: A002 - the parameter's public name
) -> Response[Any]:
    """The audit log, newest first. Filters take lists with commas; ``since`` and ``until`` are times; ``q`` searches
    verb, actor and the readable difference."""
    actor_of(request).require(AUDIT_READ)
    filters = {
        "verb": verb,
        "subject_type": subject_type,
        "subject": subject,
        "actor": actor,
        "request": request_id,
        "since": since,
        "until": until,
        "q": q,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await ENTRIES.answer(database_of(request), query, as_csv=format == "csv", name="audit")


HANDLERS = [
    list_roles,
    list_permissions,
    list_staff,
    invite_staff,
    read_staff,
    change_staff,
    disable_staff,
    enable_staff,
    make_staff_link,
    reset_second_factor,
    list_staff_sessions,
    end_staff_sessions,
    list_keys,
    create_key,
    read_key,
    revoke_key,
    list_audit,
]
