"""The order list, and the numbers of the overview."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.kernel.clock import day_bounds
from samlad.kernel.database import Reader
from samlad.kernel.listing import Filter, Listing, Sort, at_start, texts, uuids
from samlad.orders.model import ChannelSales, OrderRow


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time needs its offset, as in 2026-11-22T00:00:00Z")
    return found


def _truth(text: str) -> str:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text


def _only_true(text: str) -> str:
    if text != "true":
        raise ValueError("true, or left out")
    return text


class _LocalDays(msgspec.Struct, frozen=True):
    """Days of a channel by its own clock, both included."""

    channel: UUID
    first: date
    last: date


def _local_days(text: str) -> str:
    return msgspec.json.encode(msgspec.json.decode(text, type=list[_LocalDays])).decode()


NOT_REFUNDED = """FROM refund f JOIN payment p ON p.id = f.payment JOIN orders own ON own.id = p.order_id
    WHERE f.status = 'failed' AND own.refunded + own.credited < own.paid
      AND (own.status = 'cancelled' OR own.paid - own.refunded - own.credited > own.total - own.called_off
           OR EXISTS (SELECT FROM orders b WHERE b.returns = own.id))
      AND NOT EXISTS (SELECT FROM refund n JOIN payment q ON q.id = n.payment
                      WHERE q.order_id = p.order_id AND n.status <> 'failed' AND n.instead_of IS NULL
                            AND n.created_at > f.created_at)
      AND NOT EXISTS (SELECT FROM refund n WHERE n.again_of = f.id)
      AND f.amount > (SELECT coalesce(sum(n.amount), 0) FROM refund n WHERE n.instead_of = f.id)
      AND p.disputed < p.captured - p.refunded"""
"""SQL: refunds ``f`` with payments ``p`` of orders, that a provider refused and nobody tried again or gave back otherwise since; without
those whose money the customer's bank has taken back by itself."""

LISTING = Listing(
    row=OrderRow,
    select="""o.id, o.number, c.code AS channel, o.kind, o.status, o.payment_status, o.placed_at, o.customer,
              k.external_id AS customer_number, o.name,
              o.email, o.items, o.total, o.currency, o.delivery, o.imported,
              (o.status = 'returned' AND EXISTS (SELECT FROM order_line l WHERE l.order_id = o.id AND l.cancelled > 0))
                  AS is_partly_cancelled""",
    source="orders o JOIN channel c ON c.id = o.channel LEFT JOIN customer k ON k.id = o.customer",
    key="o.id",
    sorts={
        "placed_at": Sort("o.placed_at", "timestamptz"),
        "total": Sort("o.total", "bigint"),
        "number": Sort("o.number"),
    },
    default_sort="-placed_at",
    filters={
        "channel": Filter(
            "c.code = ANY({})",
            texts,
            one="o.channel = (SELECT one.id FROM channel one WHERE one.code = ({}::text[])[1])",
        ),
        "status": Filter("o.status = ANY({})", texts),
        "payment": Filter("o.payment_status = ANY({})", texts),
        "kind": Filter("o.kind = ANY({})", texts),
        "currency": Filter("o.currency = ANY({})", texts),
        "pool": Filter("o.pool = ANY({}::uuid[])", uuids),
        "customer": Filter("o.customer = ANY(customer_members({}::uuid[]))", uuids),
        "location": Filter("o.location = ANY({}::uuid[])", uuids, one="o.location = ({}::uuid[])[1]"),
        "local_days": Filter(
            """EXISTS (SELECT FROM jsonb_to_recordset({}::text::jsonb) AS d (channel uuid, first date, last date)
                       WHERE d.channel = o.channel AND o.local_day BETWEEN d.first AND d.last)""",
            _local_days,
        ),
        "goods": Filter("({} = 'true') = (o.items > 0)", _truth),
        "from": Filter("o.placed_at >= {}", _moment),
        "before": Filter("o.placed_at < {}", _moment),
        "id": Filter("o.id = ANY({}::uuid[])", uuids),
        "number": Filter("o.number = ANY({}::text[])", texts),
        "delivery": Filter("o.delivery = ANY({})", texts),
        "tag": Filter(
            "o.id IN (SELECT t.order_id FROM order_tag t WHERE t.tag = ANY ({}::text[]))",
            lambda text: texts(text.lower()),
        ),
        "place": Filter(
            """EXISTS (SELECT FROM fulfilment f JOIN location p ON p.id = f.location
                       WHERE f.order_id = o.id AND f.state <> 'cancelled' AND p.code = ANY ({}))""",
            texts,
        ),
        "part": Filter(
            "o.id IN (SELECT f.order_id FROM fulfilment f WHERE f.state = ANY ({}))",
            texts,
        ),
        "late": Filter(
            """o.id IN (SELECT f.order_id FROM fulfilment f WHERE {} = 'true' AND (
                   f.state IN ('open', 'picking') AND f.due_at < now() OR f.state = 'ready' AND f.pick_up_by < now()))""",
            _only_true,
        ),
        "returned": Filter(
            """({} = 'true') = (EXISTS (SELECT FROM orders r WHERE r.returns = o.id)
                   OR EXISTS (SELECT FROM return_request r WHERE r.order_id = o.id AND r.state <> 'cancelled'))""",
            _truth,
            few="""SELECT returns FROM orders WHERE {0}::text = 'true' AND returns IS NOT NULL
                   UNION ALL SELECT order_id FROM return_request WHERE state <> 'cancelled'""",
            few_of="true",
        ),
        "not_refunded": Filter(f"{{}} = 'true' AND o.id IN (SELECT p.order_id {NOT_REFUNDED})", _only_true),
        "disputed": Filter(
            """{} = 'true' AND o.id IN (SELECT p.order_id FROM payment_dispute d JOIN payment p ON p.id = d.payment
                                        WHERE d.status = 'needs_response')""",
            _only_true,
        ),
        "least": Filter("o.total >= {}::bigint", int),
        "most": Filter("o.total <= {}::bigint", int),
        "q": Filter(
            """o.number LIKE {0} OR lower(o.email) LIKE lower({0})
               OR EXISTS (SELECT FROM order_line l WHERE l.order_id = o.id AND l.sku LIKE {0} {walk})
               OR EXISTS (SELECT FROM order_arrival a WHERE a.order_id = o.id AND a.external_id LIKE {0} {walk})""",
            at_start,
            few="""SELECT id FROM orders WHERE number LIKE {0}
                   UNION ALL SELECT id FROM orders WHERE lower(email) LIKE lower({0})
                   UNION ALL SELECT order_id FROM order_line WHERE sku LIKE {0}
                   UNION ALL SELECT order_id FROM order_arrival WHERE external_id LIKE {0}""",
        ),
    },
)
"""All orders, latest first. ``local_days`` are days of channels by their own clocks, as JSON; ``goods`` says whether there is anything
to give, which of a gift card alone there is not. ``place`` is the code of a location that gives a part, ``part`` the state of one; ``late`` has a part
that is late; ``returned`` came back in part or is announced to; ``least`` and ``most`` are totals in minor units. ``q`` is the beginning of a number, here or where it came from, an e-mail address or an SKU
on one of the lines."""


async def by_hour(reader: Reader, day: date, time_zone: str) -> list[ChannelSales]:
    """What every channel sold in each hour of a day as clocks in ``time_zone`` show it. One statement.

    Hours without a sale are left out. Cancelled orders do not count; returns take off revenue.
    """
    start, end = day_bounds(day, time_zone)
    return await reader.all(
        ChannelSales,
        """
        SELECT date_trunc('hour', placed_at, $3) AS period, channel, currency,
               count(*) FILTER (WHERE kind = 'sale')::int AS orders, sum(total)::bigint AS revenue,
               sum(items)::int AS items
        FROM orders WHERE placed_at >= $1 AND placed_at < $2 AND status <> 'cancelled'
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """,
        start,
        end,
        time_zone,
    )


async def by_day(
    reader: Reader, first: date, last: date, *, channel: UUID | None = None
) -> list[ChannelSales]:
    """What every channel (or one) sold on each of its own days, both ends included. One statement on `order_day`.

    ``period`` is the day's midnight written as UTC. Days without a sale are left out.
    """
    return await reader.all(
        ChannelSales,
        """
        SELECT (day::timestamp AT TIME ZONE 'UTC') AS period, channel, currency, orders, revenue, items
        FROM order_day WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR channel = $3)
        ORDER BY day, channel, currency
        """,
        first,
        last,
        channel,
    )


async def days_with_trade(reader: Reader, until: date, limit: int) -> list[date]:
    """The last days, each channel's own, on which anything was sold or came back; latest first."""
    # One step of the index on the day for each answer, however many channels sold on it.
    rows = await reader.rows(
        """
        WITH RECURSIVE trade AS (
            (SELECT day, 1 AS place FROM order_day WHERE day <= $1 ORDER BY day DESC LIMIT 1)
            UNION ALL
            SELECT (SELECT max(day) FROM order_day WHERE day < trade.day), place + 1 FROM trade
            WHERE place < $2 AND trade.day IS NOT NULL
        )
        SELECT day FROM trade WHERE day IS NOT NULL
        """,
        until,
        limit,
    )
    return [row["day"] for row in rows]


async def sold_most(reader: Reader, channel: UUID, since: datetime, most: int) -> list[UUID]:
    """The variants of which a channel has sold most units since, those first."""
    rows = await reader.rows(
        """SELECT l.variant FROM orders o JOIN order_line l ON l.order_id = o.id
           WHERE o.channel = $1 AND o.placed_at >= $2 AND o.kind = 'sale' AND o.status <> 'cancelled'
             AND l.kind = 'item' AND l.variant IS NOT NULL
           GROUP BY l.variant ORDER BY sum(CASE l.sold_by WHEN 'piece' THEN l.quantity ELSE 1 END) DESC, l.variant LIMIT $3""",
        channel,
        since,
        most,
    )
    return [row["variant"] for row in rows]
