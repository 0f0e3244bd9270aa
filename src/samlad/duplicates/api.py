"""HTTP: probable duplicates, the queue in which they are decided, models and settings."""

from uuid import UUID

from litestar import Response, Router, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from samlad.duplicates import deciding, pair_store, running, store
from samlad.duplicates.model import (
    NextInput,
    Pair,
    PairRow,
    PoolSettings,
    Progress,
    SettingsInput,
    TrainedModel,
    TrainInput,
)
from samlad.duplicates.permissions import READ, SEE_CUSTOMERS
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    Wanted,
)
from samlad.kernel.problems import NotFound


@get("/duplicates", summary="List probable duplicates")
async def list_pairs(
    request: AnyRequest,
    q: Wanted = None,
    status: Wanted = None,
    strong: Wanted = None,
    pool: Wanted = None,
    customer: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[PairRow]]:
    """Pairs of customers that may be one person, the surest first. ``status``: open, merged, apart.

    ``strong``: how many of e-mail address, phone and postal address are the same. Sort by weight, found_at, decided_at.
    """
    actor = actor_of(request)
    actor.require(READ)
    actor.require(SEE_CUSTOMERS)
    filters = {"q": q, "status": status, "strong": strong, "pool": pool, "customer": customer}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await pair_store.LISTING.answer(
        database_of(request), query, as_csv=as_format == "csv", name="duplicates"
    )


@post(
    "/duplicates/next",
    summary="Take the next pair to decide",
    status_code=200,
    responses={204: ResponseSpec(None, description="Nothing waits", generate_examples=False)},
)
async def take_next(request: AnyRequest, data: JSONBody[NextInput]) -> Response[Pair]:
    """The surest pair that waits; for five minutes nobody else is shown it. Asked again it is the same one.

    204: nothing waits (but what you skipped, or others look at).
    """
    return await write(request, lambda tx: deciding.next_pair(tx, data))


@get("/duplicates/{pair_id:uuid}", summary="Read a pair")
async def read_pair(request: AnyRequest, pair_id: FromPath[UUID]) -> Pair:
    """A pair with its evidence: each comparison's level, and for how much it counts in bits (log2 of m/u).

    ``prior`` and all bits add up to ``weight``, the log2 of the odds that they are one person.
    """
    actor_of(request).require(READ)
    found = await pair_store.get(database_of(request), pair_id)
    if found is None:
        raise NotFound("There is no such pair.")
    return found


@post("/duplicates/{pair_id:uuid}/merge", summary="Merge a pair", status_code=200)
async def merge(request: AnyRequest, pair_id: FromPath[UUID]) -> Response[Pair]:
    """They are one person. It is a decision of identity, and can be taken back here or there."""
    return await write(request, lambda tx: deciding.merge(tx, pair_id))


@post("/duplicates/{pair_id:uuid}/apart", summary="Keep a pair apart", status_code=200)
async def keep_apart(request: AnyRequest, pair_id: FromPath[UUID]) -> Response[Pair]:
    """They are two people, whatever is seen. The pair comes back only if other things agree than now."""
    return await write(request, lambda tx: deciding.keep_apart(tx, pair_id))


@post("/duplicates/{pair_id:uuid}/skip", summary="Skip a pair", status_code=200)
async def skip(request: AnyRequest, pair_id: FromPath[UUID]) -> Response[Pair]:
    """Not now: it waits for somebody else."""
    return await write(request, lambda tx: deciding.skip(tx, pair_id))


@post("/duplicates/{pair_id:uuid}/undo", summary="Take a decision of a pair back", status_code=200)
async def undo(request: AnyRequest, pair_id: FromPath[UUID]) -> Response[Pair]:
    """The pair waits again, for you first; who is who becomes what it would be had nothing been decided."""
    return await write(request, lambda tx: deciding.undo(tx, pair_id))


@get("/duplicates/channels/{channel_id:uuid}/models", summary="List the models of a channel's customers")
async def list_models(request: AnyRequest, channel_id: FromPath[UUID]) -> list[TrainedModel]:
    """Every model that was trained, the newest (which is in use) first; the last comes with Samlad."""
    actor_of(request).require(READ)
    database = database_of(request)
    return await store.models(database, await deciding.pool_of(database, channel_id))


@get("/duplicates/channels/{channel_id:uuid}/training", summary="Read how a training goes")
async def read_training(request: AnyRequest, channel_id: FromPath[UUID]) -> Progress:
    """The latest training of the pool of a channel's customers."""
    actor_of(request).require(READ)
    database = database_of(request)
    found = await store.run_of(database, await deciding.pool_of(database, channel_id))
    if found is None:
        raise NotFound("Nothing was trained yet.")
    return found


@post("/duplicates/training", summary="Train on a channel's customers", status_code=202)
async def train(request: AnyRequest, data: JSONBody[TrainInput]) -> Response[Progress]:
    """Learn from all people of the pool and compare them all, in the background."""
    return await write(request, lambda tx: running.ask(tx, data), status=202)


@get("/duplicates/channels/{channel_id:uuid}/settings", summary="Read the settings of duplicates")
async def read_settings(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[PoolSettings]:
    """How the pool of a channel's customers treats duplicates, with an ETag of its version."""
    actor_of(request).require(READ)
    found = await running.settings(database_of(request), channel_id)
    return with_etag(found, found.version)


@patch("/duplicates/channels/{channel_id:uuid}/settings", summary="Change the settings of duplicates")
async def change_settings(
    request: AnyRequest, channel_id: FromPath[UUID], data: JSONBody[SettingsInput]
) -> Response[PoolSettings]:
    """From which probability pairs are shown, and whether sure ones are merged without asking."""
    expected = if_match(request)
    return await write(request, lambda tx: running.change_settings(tx, channel_id, data, expected))


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_pairs,
            take_next,
            read_pair,
            merge,
            keep_apart,
            skip,
            undo,
            list_models,
            read_training,
            train,
            read_settings,
            change_settings,
        ],
        tags=["Probable duplicates"],
    )
]
