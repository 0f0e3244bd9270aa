"""/api/oauth-clients: who may fetch tokens."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.access import clients, keys
from samlad.access.clients import (
    CLIENTS,
    Client,
    ClientChange,
    ClientInput,
    ClientView,
    NewSecret,
    SecretInput,
)
from samlad.access.permissions import KEY_READ
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting


@get("/oauth-clients", summary="OAuth clients")
async def list_clients(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    status: Annotated[
        str | None, QueryParameter(max_length=20, pattern="^[a-z]*$", description="valid or revoked")
    ] = None,
    as_format: FileFormat = "json",
) -> Response[Page[Client]]:
    """All clients, without their secrets; of whoever is bound to locations, those that act nowhere else.

    Sort by created_at or name.
    """
    actor = actor_of(request)
    actor.require(KEY_READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"status": status, "within": keys.own(actor)}
    )
    return await CLIENTS.answer(database_of(request), query, as_csv=as_format == "csv", name="oauth-clients")


@post("/oauth-clients", status_code=201, summary="Make an OAuth client")
async def create_client(request: AnyRequest, data: JSONBody[ClientInput]) -> Response[NewSecret]:
    """Make a client; its secret is in this answer and nowhere else. It can do nothing that its maker cannot."""
    return await write(request, lambda tx: clients.create(tx, data), status=201, secret=True)


@get("/oauth-clients/{client_id:uuid}", summary="One OAuth client")
async def read_client(request: AnyRequest, client_id: FromPath[UUID]) -> Response[ClientView]:
    """One client with its secrets by how they begin, and an ETag."""
    found = await database_of(request).transaction(
        lambda tx: clients.read(tx, client_id), context_of(request)
    )
    return with_etag(found, found.version)


@patch("/oauth-clients/{client_id:uuid}", summary="Change an OAuth client")
async def change_client(
    request: AnyRequest, client_id: FromPath[UUID], data: JSONBody[ClientChange]
) -> Response[ClientView]:
    """Change its name, what its tokens may do, how long they work. Tokens that are out lose at once what it loses."""
    version = if_match(request)
    return await write(request, lambda tx: clients.change(tx, client_id, data, version=version))


@delete("/oauth-clients/{client_id:uuid}", status_code=200, summary="Revoke an OAuth client")
async def revoke_client(request: AnyRequest, client_id: FromPath[UUID]) -> Response[ClientView]:
    """Make it and all of its tokens worthless at once. It stays in the list."""
    return await write(request, lambda tx: clients.revoke(tx, client_id))


@post("/oauth-clients/{client_id:uuid}/secrets", status_code=201, summary="Make a secret of an OAuth client")
async def make_secret(
    request: AnyRequest, client_id: FromPath[UUID], data: JSONBody[SecretInput]
) -> Response[NewSecret]:
    """Make another secret, shown this once. With ``others_end_in_hours`` the older ones end then."""
    return await write(request, lambda tx: clients.make_secret(tx, client_id, data), status=201, secret=True)


@delete(
    "/oauth-clients/{client_id:uuid}/secrets/{secret_id:uuid}",
    status_code=200,
    summary="End a secret of an OAuth client",
)
async def end_secret(
    request: AnyRequest, client_id: FromPath[UUID], secret_id: FromPath[UUID]
) -> Response[Any]:
    """End a secret at once. Tokens that it fetched work until they expire."""
    return await write(request, lambda tx: clients.end_secret(tx, client_id, secret_id))


HANDLERS = [list_clients, create_client, read_client, change_client, revoke_client, make_secret, end_secret]
