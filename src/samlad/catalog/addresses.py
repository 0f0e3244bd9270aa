"""The products that a channel sells, one after the other by id: for sitemaps and feeds, whatever their number."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Reader

FIRST = UUID(int=0)
"""Before every product."""

# A product is sold where it has a price, unless its listing there says that it is not (cf. search.query).
_SOLD = """
    FROM product p JOIN product_search s ON s.product = p.id AND s.is_active
        AND s.contexts && ARRAY(SELECT id FROM price_context c WHERE c.pool = $2 AND c.currency = $3
                                AND (c.channel IS NULL OR c.channel = $4))
    LEFT JOIN listing l ON l.product = p.id AND l.channel = $4
    WHERE p.pool = $1
      AND CASE WHEN l.product IS NULL THEN NOT $5::bool
               ELSE coalesce(l.published_at <= $6, false) AND coalesce($6 < l.unpublish_at, true) END"""


class Address(msgspec.Struct, frozen=True):
    """A product with what its address is made of."""

    id: UUID
    handle: str
    updated_at: datetime


def _arguments(channel: Channel) -> tuple[object, ...]:
    return (
        channel.pools[Resource.CATALOGUE],
        channel.pools[Resource.PRICES],
        channel.currency,
        channel.id,
        channel.kind is ChannelKind.MARKETPLACE,
        now(),
    )


async def after(reader: Reader, channel: Channel, last: UUID, limit: int) -> list[Address]:
    """The next products that a channel sells, by id. Page 300,000 costs what the first does."""
    return await reader.all(
        Address,
        f"SELECT p.id, p.handle, p.updated_at {_SOLD} AND p.id > $7 ORDER BY p.id LIMIT $8",
        *_arguments(channel),
        last,
        limit,
    )


async def among(reader: Reader, channel: Channel, products: Collection[UUID]) -> set[UUID]:
    """Which of these products a channel sells."""
    rows = await reader.rows(f"SELECT p.id {_SOLD} AND p.id = ANY ($7)", *_arguments(channel), list(products))
    return {row["id"] for row in rows}


async def every(reader: Reader, channel: Channel, step: int) -> AsyncIterator[list[Address]]:
    """All products that a channel sells, in steps."""
    last = FIRST
    while found := await after(reader, channel, last, step):
        last = found[-1].id
        yield found


async def beginnings(reader: Reader, channel: Channel, size: int) -> list[UUID]:
    """After which product each part of so many begins; one part at least. Parts stay as they are when products are added."""
    rows = await reader.rows(
        f"""SELECT id FROM (SELECT p.id, row_number() OVER (ORDER BY p.id) AS place {_SOLD}) AS x
            WHERE place % $7 = 0 ORDER BY id""",
        *_arguments(channel),
        size,
    )
    return [FIRST, *(row["id"] for row in rows)]
