"""A channel on its own beside a small retailer, and how it moves."""

from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, pools, stock
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.kernel.database import Database, Tx
from samlad.orders import Order, fulfilment, fulfilment_store
from samlad.orders.fulfilment_model import (
    Fulfilment,
    FulfilmentState,
    PackInput,
    PickInput,
    ShipInput,
    TakeInput,
)
from samlad.pools import moving
from samlad.stock import Location, LocationInput, LocationKind
from trade import BUYER, Trade

ASIDE = (
    "pool_move",
    "pool_move_row",
    "event",
    "audit",
    "procrastinate",
    "follower",
    "channel",
    "pool",
    "schema",
)
"""Tables that tell of a move: these differ when it is over."""


class Silo(msgspec.Struct):
    """The marketplace ``market`` with a warehouse of its own."""

    trade: Trade
    market: Channel
    depot: Location

    async def kettle(self, here: int, there: int = 0) -> UUID:
        """A new variant with so many in the marketplace's warehouse and in that of the others."""
        variant = await self.trade.kettle(quantity=there)
        if here:
            await self.trade.db.transaction(lambda tx: stock.receive(tx, self.depot.id, [(variant, here)]))
        return variant

    async def sell(self, variant: UUID, quantity: int = 1, *, email: str = "kim@example.org") -> Order:
        """Sold in the marketplace."""
        cart = await self.trade.cart(
            (variant, quantity), channel=await self.now(), **{**BUYER, "email": email}
        )
        return await self.trade.place(cart.id)

    async def send(self, order: UUID) -> None:
        """All of an order that is still here leaves the house."""
        for found in await fulfilment_store.of_order(self.trade.db, order):
            if found.state in (FulfilmentState.OPEN, FulfilmentState.PICKING):
                await self.trade.db.transaction(lambda tx, f=found: _send(tx, f))

    async def now(self) -> Channel:
        """The marketplace as it is."""
        return await channels.get(self.trade.db, self.market.id)

    async def begin(self, resource: Resource, kind: str = "join", **to: Any) -> UUID:
        """Begin a move; its id."""
        verb = pools.join if kind == "join" else pools.leave
        row = await self.trade.db.transaction(lambda tx: verb(tx, self.market.id, resource, **to))
        return row.id

    async def move(self, resource: Resource, kind: str = "join", **to: Any) -> UUID:
        """A move from beginning to end."""
        move = await self.begin(resource, kind, **to)
        await moving.carry_on(self.trade.db, move)
        return move

    async def join(self, *resources: Resource, **how: Any) -> None:
        for resource in resources:
            await self.move(resource, **how)

    async def leave(self, *resources: Resource) -> None:
        for resource in resources:
            await self.move(resource, "leave")


async def _send(tx: Tx, found: Fulfilment) -> None:
    await fulfilment.take(tx, found.id, TakeInput())
    for line in found.lines:
        await fulfilment.pick(tx, found.id, PickInput(position=line.position, quantity=line.quantity))
    await fulfilment.pack(tx, found.id, PackInput())
    await fulfilment.ship(tx, found.id, ShipInput())


async def build_silo(trade: Trade) -> Silo:
    """Make the marketplace: goods and prices are those of the others, all else is its own."""

    async def work(tx: Tx) -> Silo:
        market = await channels.create(
            tx,
            ChannelInput(
                code="market",
                name="Market",
                kind=ChannelKind.APP,
                country="SE",
                locale="sv",
                currency="SEK",
                time_zone="Europe/Stockholm",
                settings={"number_prefix": "A"},
                join={Resource.CATALOGUE: "web", Resource.PRICES: "web"},
            ),
        )
        depot = await stock.create_location(
            tx,
            LocationInput(
                code="depot", name="Depot", kind=LocationKind.MARKETPLACE, pool_of="market", priority=50
            ),
        )
        return Silo(trade, market, depot)

    return await trade.db.transaction(work)


async def contents(db: Database) -> dict[str, list[str]]:
    """Everything in every table that does not tell of moves, as text, row by row in order."""
    tables = await db.rows(
        """SELECT c.relname AS name FROM pg_class c WHERE c.relkind = 'r' AND NOT c.relispartition
           AND c.relnamespace = current_schema()::regnamespace ORDER BY 1"""
    )
    found = {}
    for (name,) in tables:
        if not name.startswith(ASIDE):
            rows = await db.rows(f'SELECT to_jsonb(t)::text AS row FROM "{name}" t ORDER BY 1')
            found[name] = [row["row"] for row in rows]
    return found
