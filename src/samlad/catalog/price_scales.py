"""Goods with every price that may come to apply in a channel: for a till that reckons by itself while it is offline.

Which of them applies is decided where it is asked, by the rule of `samlad.catalog.price_rules`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.catalog.model import Measure
from samlad.catalog.prices import PriceList, all_lists
from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader

_SCALED = """
SELECT v.id AS variant, v.product, v.sku, p.tax_class, v.requires_shipping AS is_goods, v.sold_by,
       p.status = 'active' AND v.status = 'active' AND (l.product IS NULL OR l.published_at IS NOT NULL) AS is_sold,
       l.published_at AS sold_from, l.unpublish_at AS sold_to,
       coalesce((SELECT jsonb_agg(jsonb_build_array(pr.price_list, pr.min_quantity, pr.amount)
                                  ORDER BY pr.price_list, pr.min_quantity)
                 FROM price pr WHERE pr.variant = v.id AND pr.price_list = ANY($3)), '[]') AS prices
FROM variant v JOIN product p ON p.id = v.product LEFT JOIN listing l ON l.product = p.id AND l.channel = $2
WHERE v.pool = $1 AND """


class Scaled(msgspec.Struct, frozen=True, kw_only=True):
    """A variant with its prices, as (list, from so many pieces on, amount in minor units).

    ``is_sold``: it may be sold here from ``sold_from`` until ``sold_to`` (None: ever).
    """

    variant: UUID
    product: UUID
    sku: str
    tax_class: str
    is_goods: bool
    is_sold: bool
    sold_from: datetime | None
    sold_to: datetime | None
    prices: list[tuple[UUID, int, int]]
    sold_by: Measure = Measure.PIECE


async def lists_for(reader: Reader, channel: Channel, at: datetime) -> list[PriceList]:
    """The price lists that hold in a channel at a moment or will later, for whatever customer group. One statement."""
    return [
        each
        for each in await all_lists(reader, channel.pools[Resource.PRICES])
        if each.currency == channel.currency
        and each.channel in (None, channel.id)
        and (each.valid_to is None or each.valid_to > at)
    ]


async def scaled(
    reader: Reader, channel: Channel, lists: Sequence[UUID], variants: Sequence[UUID]
) -> list[Scaled]:
    """Some variants with their prices in some lists. One statement; what is not in the catalogue is left out."""
    catalogue = channel.pools[Resource.CATALOGUE]
    return await reader.all(
        Scaled,
        f"{_SCALED} v.id = ANY($4) ORDER BY v.id",
        catalogue,
        channel.id,
        list(lists),
        list(dict.fromkeys(variants)),
    )
