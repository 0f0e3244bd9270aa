"""A webshop and two stores over one stock pool, with three locations."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import channels, stock
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.stock import HoldKind, HoldLine, Location, LocationInput, LocationKind


class Shop(msgspec.Struct):
    """The world of the tests, and short ways to act in it."""

    db: Database
    web: Channel
    malmo: Channel
    lund: Channel
    warehouse: Location
    at_malmo: Location
    at_lund: Location

    async def variants(self, *quantities: int, at: Location | None = None) -> list[UUID]:
        """New variants, with so many units at a location (the warehouse)."""
        ids = await new_variants(self.db, len(quantities))
        place = at or self.warehouse
        wanted = [(v, q) for v, q in zip(ids, quantities, strict=True) if q]
        if wanted:
            await self.db.transaction(lambda tx: stock.receive(tx, place.id, wanted))
        return ids

    async def receive(self, variant: UUID, quantity: int, at: Location) -> None:
        await self.db.transaction(lambda tx: stock.receive(tx, at.id, [(variant, quantity)]))

    async def take(
        self,
        *lines: tuple[UUID, int] | tuple[UUID, int, UUID],
        channel: Channel | None = None,
        kind: HoldKind = HoldKind.CHECKOUT,
        owner: UUID | None = None,
        expires_at: object = None,
    ) -> list[stock.Hold]:
        wanted = [HoldLine(*line) for line in lines]
        return await self.db.transaction(
            lambda tx: stock.take(
                tx,
                wanted,
                channel=channel or self.web,
                kind=kind,
                owner=owner or new_id(),
                expires_at=expires_at,  # type: ignore[arg-type]
            )
        )

    async def backorder(self, variant: UUID, limit: int, at: Location) -> None:
        await self.db.rows(
            """INSERT INTO level (location, variant, backorder_limit) VALUES ($1, $2, $3)
               ON CONFLICT (location, variant) DO UPDATE SET backorder_limit = $3 RETURNING 1""",
            at.id,
            variant,
            limit,
        )

    async def level(self, variant: UUID, at: Location | None = None) -> tuple[int, int]:
        """On hand and held."""
        row = await self.db.row(
            "SELECT on_hand, held FROM level WHERE variant = $1 AND location = $2",
            variant,
            (at or self.warehouse).id,
        )
        return (0, 0) if row is None else (row["on_hand"], row["held"])


async def new_variants(db: Database, count: int) -> list[UUID]:
    """Ids of variants that exist."""
    ids = [new_id() for _ in range(count)]
    await db.rows(
        """
        WITH made AS (INSERT INTO product (id, pool, handle, title, status)
                      SELECT id, $2, id, 'Kettle ' || id, 'active' FROM unnest($1::uuid[]) AS id)
        INSERT INTO variant (id, product, pool, sku, status) SELECT id, id, $2, 'K-' || id, 'active'
        FROM unnest($1::uuid[]) AS id RETURNING id
        """,
        ids,
        await db.value("SELECT id FROM pool WHERE resource = 'catalogue' ORDER BY id LIMIT 1"),
    )
    return ids


async def books_are_right(db: Database, variants: Sequence[UUID] | None = None) -> None:
    """Ledger = levels, holds = held, nothing negative, nothing oversold."""
    wrong = await db.rows(
        """
        SELECT l.location, l.variant, l.on_hand, l.held, l.backorder_limit, m.sum AS moved, h.sum AS holds
        FROM level l
        LEFT JOIN LATERAL (SELECT coalesce(sum(quantity), 0) FROM movement m
                           WHERE (m.location, m.variant) = (l.location, l.variant)) m (sum) ON true
        LEFT JOIN LATERAL (SELECT coalesce(sum(quantity), 0) FROM hold h
                           WHERE (h.location, h.variant) = (l.location, l.variant)) h (sum) ON true
        WHERE ($1::uuid[] IS NULL OR l.variant = ANY($1))
          AND (l.on_hand <> m.sum OR l.held <> h.sum OR l.on_hand < 0 OR l.held > l.on_hand + l.backorder_limit
               + CASE WHEN l.sells_incoming THEN l.incoming ELSE 0 END)
        """,
        variants,
    )
    assert wrong == []
    lost = await db.value(
        """SELECT count(*) FROM hold h WHERE NOT EXISTS
           (SELECT FROM level l WHERE (l.location, l.variant) = (h.location, h.variant))"""
    )
    assert lost == 0


async def build_shop(db: Database) -> Shop:
    """Make the channels and locations."""

    async def work(tx: Tx) -> Shop:
        web = await channels.create(
            tx,
            ChannelInput(
                code="web",
                name="Web",
                kind=ChannelKind.WEBSHOP,
                country="SE",
                locale="sv",
                currency="SEK",
                time_zone="Europe/Stockholm",
            ),
        )
        stores = []
        for code in ("malmo", "lund"):
            data = ChannelInput(
                code=code,
                name=code.title(),
                kind=ChannelKind.STORE,
                parent="web",
                join=dict.fromkeys(Resource, "web"),
            )
            stores.append(await channels.create(tx, data))
        warehouse = await stock.create_location(
            tx,
            LocationInput(
                code="dc", name="Warehouse", kind=LocationKind.WAREHOUSE, pool_of="web", priority=1
            ),
        )
        at_malmo, at_lund = [
            await stock.create_location(
                tx,
                LocationInput(code=c.code, name=c.name, kind=LocationKind.STORE, channel=c.code, priority=n),
            )
            for n, c in enumerate(stores, 10)
        ]
        return Shop(db, web, *stores, warehouse, at_malmo, at_lund)

    return await db.transaction(work)
