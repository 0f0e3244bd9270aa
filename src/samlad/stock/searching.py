"""Stock as a part of statements of floors above, and of the catalogue's search, which knows nothing of stock: they stay one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from samlad.stock.promise_store import FREE


def there_now(location: UUID) -> tuple[str, Sequence[Any]]:
    """Products with a variant that can be taken away at a location now, as `SearchQuery.condition` takes it.

    A set is there when each of its parts is.
    """
    free = "l.location = {} AND l.on_hand > l.held"
    return (
        f"""EXISTS (
            SELECT 1 FROM variant v WHERE v.product = s.product AND v.status = 'active' AND (
                (EXISTS (SELECT 1 FROM level l WHERE l.variant = v.id AND {free})
                 AND NOT EXISTS (SELECT 1 FROM bundle_component b WHERE b.bundle = v.id))
                OR (EXISTS (SELECT 1 FROM bundle_component b WHERE b.bundle = v.id) AND NOT EXISTS (
                    SELECT 1 FROM bundle_component b WHERE b.bundle = v.id AND NOT EXISTS (
                        SELECT 1 FROM level l WHERE l.variant = b.component AND l.location = {{}}
                          AND l.on_hand - l.held >= b.quantity)))))""",
        [location, location],
    )


def free_for(variant: str, channel: str) -> str:
    """An expression: how many units of a variant a channel may sell now (both expressions), without what its locations keep back.

    Of a set as many as its parts make. What the channel itself keeps back, and what comes later, does not count.
    """
    return f"""(
        SELECT min(coalesce(f.units, 0) / w.quantity)::bigint
        FROM (SELECT coalesce(b.component, {variant}) AS part, coalesce(b.quantity, 1) AS quantity
              FROM (SELECT 1) AS one LEFT JOIN bundle_component b ON b.bundle = {variant}) AS w
        CROSS JOIN LATERAL (
            SELECT sum(greatest({FREE} - coalesce(c.buffer, p.buffer), 0)) AS units
            FROM level l JOIN location p ON p.id = l.location AND p.is_active
                 JOIN channel_pool s ON s.channel = {channel} AND s.resource = 'stock' AND s.pool = p.pool
                 LEFT JOIN location_sharing c ON c.location = p.id AND c.channel = {channel}
            WHERE l.variant = w.part AND NOT coalesce(c.is_excluded, false)) AS f)"""
