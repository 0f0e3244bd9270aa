"""What staff who are bound to locations see: their own."""

from collections.abc import Iterable
from uuid import UUID

from samlad import orders, stock
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.stock import Location


def order_scope(actor: Actor) -> dict[str, str | None]:
    """The filter of the order list for an actor: all orders, or those of their locations."""
    return {"location": _joined(actor.locations) if actor.locations is not None else None}


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


async def own_codes(actor: Actor, database: Database, chosen: str | None = None) -> str | None:
    """The filter of a stock list by codes of locations: what was chosen, within what the actor deals with.

    None is everywhere; a choice of somebody else's location shows the actor's own.
    """
    if actor.locations is None:
        return chosen or None
    codes = [place.code for place in await own_locations(actor, database)]
    return chosen if chosen in codes else ",".join(codes) or "-"
