"""How the sources of each channel are, for whoever looks after the channels."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader

MOST_PARKED = 1000


class Heard(msgspec.Struct, frozen=True):
    """Sources of a channel that are on, the last minute of a day in which one brought events, and how many events are parked
    (counted up to `MOST_PARKED` a source), and in which of them."""

    channel: UUID
    sources: int
    last_at: datetime | None
    parked: int
    parked_in: tuple[UUID, ...]


async def heard(reader: Reader, channels: Sequence[UUID]) -> dict[UUID, Heard]:
    """By channel; those without a source that is on are left out. One statement."""
    rows = await reader.all(
        Heard,
        f"""SELECT s.channel, count(*)::int AS sources, max(v.last_at) AS last_at, sum(p.parked)::int AS parked,
                   coalesce(array_agg(s.id) FILTER (WHERE p.parked > 0), '{{}}') AS parked_in
            FROM tracking_source s
            CROSS JOIN LATERAL (SELECT max(minute) AS last_at FROM tracking_volume
                                WHERE minute >= now() - interval '24 hours' AND source = s.id AND accepted > 0) v
            CROSS JOIN LATERAL (SELECT count(*) AS parked FROM (
                                    SELECT FROM tracking_parked WHERE source = s.id LIMIT {MOST_PARKED}) n) p
            WHERE s.is_on AND s.channel = ANY ($1) GROUP BY s.channel""",
        list(channels),
    )
    return {row.channel: row for row in rows}
