"""What the overview asks of orders each time that somebody looks: today against the same weekday before, and what waits.

Two statements, whatever the number of channels and orders: sums come from `order_quarter`, what waits from partial indexes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from samlad.kernel.clock import day_bounds, local_day
from samlad.kernel.database import Reader
from samlad.orders.lists import NOT_REFUNDED

MOST = 1000
"""Beyond this nobody counts on: it is told as “more than 1,000”."""


class Day(msgspec.Struct, frozen=True):
    """A channel's present day, and the same weekday a week before: until the same time (``cut``) and to its end."""

    channel: UUID
    begins: datetime
    ends: datetime
    then_begins: datetime
    then_ends: datetime
    cut: datetime


def day_of(channel: UUID, time_zone: str, moment: datetime) -> Day:
    """The day of a moment where a channel is.

    Days are calendar days of the time zone, so that nine o'clock is compared with nine o'clock when clocks were changed
    between the two. A time that a changed clock has left out lies an hour later.
    """
    zone, today = ZoneInfo(time_zone), local_day(moment, time_zone)
    then = today - timedelta(days=7)
    begins, ends = day_bounds(today, time_zone)
    then_begins, then_ends = day_bounds(then, time_zone)
    clock: time = moment.astimezone(zone).time()
    cut = datetime.combine(then, clock, zone).astimezone(UTC)
    return Day(channel, begins, ends, then_begins, then_ends, min(max(cut, then_begins), then_ends))


class Sold(msgspec.Struct, frozen=True):
    """What a channel sold in a quarter of an hour that begins at ``period``, in minor units with tax.

    ``part``: ``today``; ``then``, the whole day a week before; ``cut``, the part of the quarter that the cut divides which
    lies before the cut. It is in ``then`` too.
    """

    part: str
    channel: UUID
    currency: str
    period: datetime
    orders: int
    revenue: int
    items: int


_OF_DAYS = """
    WITH asked AS (
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                             $6::timestamptz[]) AS d (channel, begins, ends, then_begins, then_ends, cut)
    ), span AS (
        SELECT 'today' AS part, channel, begins, ends FROM asked
        UNION ALL SELECT 'then', channel, then_begins, then_ends FROM asked
    )"""


async def sold(reader: Reader, days: Sequence[Day], locations: Sequence[UUID] | None = None) -> list[Sold]:
    """What channels sold on their days and a week before, at some locations or (None) at all. One statement.

    Exact at any moment: orders that the sums do not have yet, or still have though they were cancelled, are added. The sums
    know no locations: of these the orders themselves are added up, those of two days of a few channels.
    """
    if not days:
        return []
    if locations is not None:
        return await _sold_at(reader, days, locations)
    return await reader.all(
        Sold,
        f"""
        {_OF_DAYS}, one AS (
            SELECT s.part, q.channel, q.currency, q.starts_at AS period, q.orders, q.revenue, q.items
            FROM span s JOIN order_quarter q ON q.channel = s.channel AND q.starts_at >= s.begins AND q.starts_at < s.ends
            UNION ALL
            SELECT s.part, o.channel, o.currency, date_bin('15 minutes', o.placed_at, 'epoch'), n.sign * (o.kind = 'sale')::int,
                   n.sign * o.total, n.sign * o.items
            FROM span s JOIN orders o ON o.channel = s.channel AND o.placed_at >= s.begins AND o.placed_at < s.ends
                 AND o.counted = (o.status = 'cancelled'),
                 LATERAL (SELECT CASE WHEN o.counted THEN -1 ELSE 1 END AS sign) n
            UNION ALL
            SELECT 'cut', o.channel, o.currency, date_bin('15 minutes', a.cut, 'epoch'), (o.kind = 'sale')::int, o.total, o.items
            FROM asked a JOIN orders o ON o.channel = a.channel AND o.placed_at >= date_bin('15 minutes', a.cut, 'epoch')
                 AND o.placed_at < a.cut AND o.status <> 'cancelled'
        )
        SELECT part, channel, currency, period, sum(orders)::int AS orders, sum(revenue)::bigint AS revenue,
               sum(items)::int AS items
        FROM one GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        """,
        *([getattr(day, name) for day in days] for name in Day.__struct_fields__),
    )


async def _sold_at(reader: Reader, days: Sequence[Day], locations: Sequence[UUID]) -> list[Sold]:
    return await reader.all(
        Sold,
        f"""
        {_OF_DAYS}, one AS (
            SELECT s.part, o.channel, o.currency, date_bin('15 minutes', o.placed_at, 'epoch') AS period, o.kind, o.total,
                   o.items, o.location, o.status
            FROM span s JOIN orders o ON o.channel = s.channel AND o.placed_at >= s.begins AND o.placed_at < s.ends
            UNION ALL
            SELECT 'cut', o.channel, o.currency, date_bin('15 minutes', a.cut, 'epoch'), o.kind, o.total, o.items, o.location,
                   o.status
            FROM asked a JOIN orders o ON o.channel = a.channel AND o.placed_at >= date_bin('15 minutes', a.cut, 'epoch')
                 AND o.placed_at < a.cut
        )
        SELECT part, channel, currency, period, (count(*) FILTER (WHERE kind = 'sale'))::int AS orders,
               sum(total)::bigint AS revenue, sum(items)::int AS items
        FROM one WHERE location = ANY ($7::uuid[]) AND status <> 'cancelled' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        """,
        *([getattr(day, name) for day in days] for name in Day.__struct_fields__),
        list(locations),
    )


class Waiting(msgspec.Struct, frozen=True):
    """How many of each need a hand, counted up to `MOST` + 1.

    Orders: ``to_give`` to ship or hand over (one of gift cards alone has nothing to give), ``unpaid`` (or paid in part by what is pending) that are not cancelled. Parts of
    orders: ``late`` to pick, ``uncollected`` past their date, ``stuck`` until the customer answers or goods come,
    ``rejected`` by a location in the last seven days. Announced returns: ``returns`` not settled, of which ``overdue``.
    ``not_refunded``: orders with refunds that a provider refused and nobody tried again or paid back otherwise.
    ``disputed``: payments that customers dispute at their banks, which wait for an answer; some may be of no order that is known.
    """

    to_give: int
    unpaid: int
    late: int
    uncollected: int
    stuck: int
    rejected: int
    returns: int
    overdue: int
    not_refunded: int
    disputed: int


REJECTED_DAYS = 7

_WAITING = {
    "to_give": """orders o WHERE o.status IN ('placed', 'paid', 'partially_fulfilled') AND o.kind = 'sale'
                  AND o.items > 0 AND {order}""",
    "unpaid": """orders o WHERE o.kind = 'sale' AND o.payment_status IN ('unpaid', 'pending')
                 AND o.status IN ('placed', 'partially_fulfilled', 'fulfilled') AND {order}""",
    "late": """fulfilment f WHERE f.state IN ('open', 'picking') AND f.due_at < now() AND {place}""",
    "uncollected": "fulfilment f WHERE f.state = 'ready' AND f.pick_up_by < now() AND {place}",
    "stuck": """fulfilment f JOIN orders o ON o.id = f.order_id
                WHERE f.state IN ('needs_customer', 'waiting') AND ({place} OR {order})""",
    "rejected": f"""fulfilment f WHERE f.state = 'rejected'
                    AND f.changed_at >= now() - {REJECTED_DAYS} * interval '1 day' AND {{place}}""",
    "returns": """return_request r JOIN orders o ON o.id = r.order_id
                  WHERE r.state IN ('requested', 'received', 'inspected') AND ({order} OR r.location = ANY ($1))""",
    "overdue": """return_request r JOIN orders o ON o.id = r.order_id
                  WHERE r.state = 'requested' AND r.due_on < current_date AND ({order} OR r.location = ANY ($1))""",
    "disputed": """payment_dispute d LEFT JOIN payment p ON p.id = d.payment LEFT JOIN orders o ON o.id = p.order_id
                   WHERE d.status = 'needs_response' AND {order}""",
    "not_refunded": f"""orders o WHERE o.id IN (SELECT p.order_id {NOT_REFUNDED}) AND {{order}}""",
}
_COUNTS = ", ".join(
    f"(SELECT count(*) FROM (SELECT FROM {source} LIMIT {MOST + 1}) n)::int AS {name}"
    for name, source in _WAITING.items()
).format(
    order="($1::uuid[] IS NULL OR o.location = ANY ($1))",
    place="($1::uuid[] IS NULL OR f.location = ANY ($1))",
)


async def waiting(reader: Reader, locations: Sequence[UUID] | None) -> Waiting:
    """What needs a hand, at some locations or (None) at all. One statement."""
    found = await reader.one(Waiting, f"SELECT {_COUNTS}", None if locations is None else list(locations))
    assert found is not None
    return found


async def last_sales(reader: Reader, channels: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each channel sold last; those that never did are left out. One statement, one step of an index each."""
    rows = await reader.rows(
        # By an equal sign the planner may look for a channel that never sold through the times of all others' orders.
        """SELECT c.id, o.placed_at FROM unnest($1::uuid[]) AS c (id) CROSS JOIN LATERAL (
               SELECT placed_at FROM orders WHERE channel BETWEEN c.id AND c.id
               ORDER BY channel DESC, placed_at DESC LIMIT 1) AS o""",
        list(channels),
    )
    return {row["id"]: row["placed_at"] for row in rows}
