"""What the handlers share: query parameters, and which pool a request means."""

from typing import Annotated, Literal
from uuid import UUID

from litestar.params import QueryParameter

from samlad import channels
from samlad.channels import Channel, Resource
from samlad.kernel.database import Database
from samlad.kernel.http import CHANNEL_SCOPE, AnyRequest, database_of
from samlad.kernel.problems import InvalidInput

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="Rows of a page")]
Format = Annotated[
    Literal["json", "csv"], QueryParameter(name="format", description="csv: everything as a file")
]
Text = Annotated[str | None, QueryParameter(max_length=1000, pattern=r"^[^\x00]*$")]
ChannelCode = Annotated[
    str | None,
    QueryParameter(
        name="channel",
        max_length=63,
        pattern=r"^[^\x00]*$",
        description="Code of a channel: its pool is meant. Not needed while there is only one pool",
    ),
]


async def pools_of(request: AnyRequest, resource: Resource, code: str | None) -> list[UUID]:
    """The pools that a read looks at: the named channel's, else all."""
    database = database_of(request)
    if code:
        return [(await channels.by_code(database, code)).pools[resource]]
    return sorted({channel.pools[resource] for channel in await channels.cached_all(database)})


async def pool_of(request: AnyRequest, resource: Resource, code: str | None) -> UUID:
    """The one pool that a write goes to.

    Raises:
        InvalidInput: there are several (or none), and the request does not say which.
    """
    pools = await pools_of(request, resource, code)
    if len(pools) != 1:
        raise InvalidInput.at(
            "channel", f"there are {len(pools)} pools; name a channel that uses the one you mean"
        )
    return pools[0]


async def price_pool_of(request: AnyRequest, code: str | None) -> UUID | None:
    """The pool of prices for prices that come with products; None when that is not clear."""
    pools = await pools_of(request, Resource.PRICES, code)
    return pools[0] if len(pools) == 1 else None


async def shop_of(request: AnyRequest, code: str | None) -> Channel:
    """The channel that a customer looks at: the named one, that of the address, else the only one.

    Raises:
        InvalidInput: there are several, and the request does not say which.
    """
    database: Database = database_of(request)
    if code:
        return await channels.by_code(database, code)
    here: UUID | None = request.scope.get(CHANNEL_SCOPE)  # type: ignore[assignment]
    if here is not None:
        return await channels.cached(database, here)
    every = await channels.cached_all(database)
    if len(every) != 1:
        raise InvalidInput.at("channel", "say which channel, by its code")
    return every[0]
