"""What staff who are bound to locations see: their own."""

from collections.abc import Iterable
from uuid import UUID

from samlad import channels, orders, stock
from samlad.channels import Channel, Resource
from samlad.faces.page import AnyRequest
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.stock import Location, reach


def order_scope(actor: Actor) -> dict[str, str | None]:
    """The filter of the order list for an actor: all orders, or those of their locations."""
    return {"location": _joined(actor.locations) if actor.locations is not None else None}


async def within(request: AnyRequest, resource: Resource, wanted: str | None = None) -> dict[str, str | None]:
    """The filter ``pool`` of a list: nothing, or the pools that who asks reaches; one that was asked for (``wanted``, or by the
    address) is kept if it is one."""
    wanted = wanted or request.query_params.get("pool")
    found = await reach.pool_filter(database_of(request), actor_of(request), resource, wanted)
    return {} if found == wanted else {"pool": found}


def _joined(ids: frozenset[UUID]) -> str:
    return ",".join(sorted(str(one) for one in ids))


async def open_orders(actor: Actor, database: Database, wanted: Iterable[UUID | None]) -> frozenset[UUID]:
    """Those of these orders whose page an actor may open: only they are links."""
    if not actor.may(orders.READ):
        return frozenset()
    return await orders.at_places(database, [each for each in wanted if each is not None], actor.locations)


async def own_locations(actor: Actor, database: Database) -> list[Location]:
    """The locations that an actor deals with, by priority."""
    found = await stock.locations(database)
    return [place for place in found if actor.locations is None or place.id in actor.locations]


async def own_channels(actor: Actor, database: Database) -> list[Channel]:
    """The channels that an actor deals with: all, or those of their locations."""
    every = await channels.cached_all(database)
    if actor.locations is None:
        return every
    own = {place.channel for place in await own_locations(actor, database)}
    return [channel for channel in every if channel.id in own]


async def own_codes(actor: Actor, database: Database, chosen: str | None = None) -> str | None:
    """The filter of a stock list by codes of locations: what was chosen, within what the actor deals with.

    None is everywhere; a choice of somebody else's location shows the actor's own.
    """
    return await reach.place_filter(database, actor, chosen)
