"""HTTP: the card terminals of locations."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.payments import card_terminal_store, card_terminals
from samlad.payments.card_terminal_model import CardTerminal, CardTerminalChange, CardTerminalInput
from samlad.payments.permissions import READ

Id = FromPath[UUID]
Anyway = Annotated[bool, QueryParameter(description="Also while it waits for a card, which goes on")]


@get("/card-terminals", summary="List card terminals")
async def list_terminals(
    request: AnyRequest,
    location: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[CardTerminal]]:
    """Those that are used, by name, and what each is busy with. ``location`` are ids; ``q`` is a part of a name or of what the
    provider calls it."""
    actor = actor_of(request)
    actor.require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"location": location, "q": q})
    scope = actor.bound_to
    return await card_terminal_store.TERMINALS.answer(
        database_of(request), query, scope, as_csv=as_format == "csv", name="card-terminals"
    )


@post("/card-terminals", status_code=201, summary="List another card terminal")
async def add_terminal(request: AnyRequest, data: JSONBody[CardTerminalInput]) -> Response[CardTerminal]:
    """Tills of its location can take cards there. A payment chooses it by its id (`terminal`)."""
    return await write(
        request,
        lambda tx: card_terminals.add(tx, data),
        status=201,
        headers=lambda made: {"ETag": f'"{made.version}"'},
    )


@patch("/card-terminals/{terminal_id:uuid}", summary="Change a card terminal")
async def change_terminal(
    request: AnyRequest, terminal_id: Id, data: JSONBody[CardTerminalChange]
) -> Response[CardTerminal]:
    """What is left out stays. What it waits for goes on."""
    version = if_match(request)
    return await write(
        request,
        lambda tx: card_terminals.change(tx, terminal_id, data, version=version),
        headers=lambda made: {"ETag": f'"{made.version}"'},
    )


@delete("/card-terminals/{terminal_id:uuid}", status_code=204, summary="Remove a card terminal")
async def remove_terminal(request: AnyRequest, terminal_id: Id, anyway: Anyway = False) -> Response[None]:
    """Payments still name it. While it waits for a card it is refused (409), but for ``anyway``. Again is no error."""
    return await write(request, lambda tx: card_terminals.remove(tx, terminal_id, anyway=anyway), status=204)


routes = [
    Router(
        path="/api",
        tags=["Payments"],
        route_handlers=[list_terminals, add_terminal, change_terminal, remove_terminal],
    )
]
