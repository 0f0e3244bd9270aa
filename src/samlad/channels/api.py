"""HTTP of channels and pools."""

from typing import Any
from uuid import UUID

from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, JSONBody

from samlad.channels import service, store
from samlad.channels.model import Channel, ChannelChange, ChannelInput, PoolUse
from samlad.channels.permissions import READ
from samlad.channels.settings import SETTINGS
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted


@get("/channels", summary="List channels")
async def list_channels(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    code: Wanted = None,
    kind: Wanted = None,
    status: Wanted = None,
    parent: Wanted = None,
    pool: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[Channel]]:
    """Channels with what they inherit. Filters take several values with commas; ``parent`` is a code."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit,
        cursor=cursor,
        sort=sort,
        filters={"code": code, "kind": kind, "status": status, "parent": parent, "pool": pool},
    )
    return await store.LIST.answer(database_of(request), query, as_csv=as_format == "csv", name="channels")


@post("/channels", status_code=201, summary="Make a channel")
async def create_channel(request: AnyRequest, data: JSONBody[ChannelInput]) -> Response[Channel]:
    """Make a channel. It gets a pool of its own of each resource, but for those named in ``join``."""
    return await write(request, lambda tx: service.create(tx, data), status=201)


@get("/channels/{channel_id:uuid}", summary="Read a channel")
async def read_channel(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[Channel]:
    """A channel with what it inherits; ``own`` is what it sets itself."""
    actor_of(request).require(READ)
    channel = await store.get(database_of(request), channel_id)
    return with_etag(channel, channel.version)


@patch("/channels/{channel_id:uuid}", summary="Change a channel")
async def change_channel(
    request: AnyRequest, channel_id: FromPath[UUID], data: JSONBody[ChannelChange]
) -> Response[Channel]:
    """Change what is given; null inherits again. Send ``If-Match`` so that nobody's change is lost."""
    version = if_match(request)
    return await write(request, lambda tx: service.change(tx, channel_id, data, version=version))


@get("/channel-settings", summary="The table of channel settings")
async def list_settings(request: AnyRequest) -> list[dict[str, Any]]:
    """Every setting that a channel can have, with its default."""
    actor_of(request).require(READ)
    return [{"name": s.name, "default": s.default, "description": s.description} for s in SETTINGS.values()]


@get("/pools", summary="List pools")
async def list_pools(
    request: AnyRequest,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    sort: Sorting = None,
    resource: Wanted = None,
    channel: Wanted = None,
    as_format: FileFormat = "json",
) -> Response[Page[PoolUse]]:
    """Pools and the channels in each; a pool with several channels is joined."""
    actor_of(request).require(READ)
    query = ListQuery(
        limit=limit, cursor=cursor, sort=sort, filters={"resource": resource, "channel": channel}
    )
    return await store.POOLS.answer(database_of(request), query, as_csv=as_format == "csv", name="pools")


routes: list[Router] = [
    Router(
        path="/api",
        route_handlers=[
            list_channels,
            create_channel,
            read_channel,
            change_channel,
            list_settings,
            list_pools,
        ],
        tags=["Channels"],
    )
]
