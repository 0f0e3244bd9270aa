"""Orders whose goods are not there yet: on which day each has all of its own, as things are now."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader
from samlad.stock.model import Level
from samlad.stock.promise_store import COMING, TODAY
from samlad.stock.rules import coming, days_of


class Waiting(msgspec.Struct, frozen=True):
    """A variant of which an order waits for units. ``expected_on``: when the last of them comes, a day of the ``location`` that it
    comes to; None: nobody knows. ``today`` is the day there now."""

    order: UUID
    variant: UUID
    location: UUID
    expected_on: date | None
    today: date


class _Queued(Level, frozen=True, kw_only=True):
    """A level of which more is held than there is, with the orders that hold of it, the earliest first."""

    today: date
    queue: list[tuple[UUID, int]]


async def waiting(reader: Reader, orders: Sequence[UUID]) -> list[Waiting]:
    """What these orders wait for. Who bought first is served first, whatever of it was asked for. One statement."""
    levels = await reader.all(
        _Queued,
        f"""SELECT l.location, l.variant, l.on_hand, l.held, 0 AS available, l.backorder_limit, {COMING},
                   l.expired, l.blocked, {TODAY} AS today,
                   (SELECT jsonb_agg(jsonb_build_array(q.owner, q.quantity) ORDER BY q.created_at, q.id) FROM hold q
                    WHERE q.location = l.location AND q.variant = l.variant AND q.expires_at IS NULL AND q.kind = 'order')
                       AS queue
            FROM (SELECT DISTINCT location, variant FROM hold WHERE owner = ANY($1::uuid[]) AND kind = 'order') h
            JOIN level l ON l.location = h.location AND l.variant = h.variant
            JOIN location p ON p.id = l.location
            WHERE l.held > l.on_hand - l.expired - l.blocked ORDER BY l.variant, l.location""",
        list(orders),
    )
    asked, found = set(orders), dict[tuple[UUID, UUID], Waiting]()
    for level in levels:
        here = level.on_hand - level.expired - level.blocked
        for order, day in days_of(here, level.queue, coming(level)).items():
            if order in asked:
                now = Waiting(order, level.variant, level.location, day, level.today)
                before = found.get((order, level.variant))
                found[order, level.variant] = now if before is None else max(before, now, key=_last)
    return list(found.values())


def _last(each: Waiting) -> date:
    return each.expected_on or date.max
