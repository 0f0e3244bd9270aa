"""SQL of the tables ``subscription``, ``subscription_line`` and ``subscription_cycle``."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Resource
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.stock.reach import belongs
from samlad.subscriptions.model import (
    CycleRow,
    Line,
    LineInput,
    Subscription,
    SubscriptionHead,
    SubscriptionRow,
)

_HEAD = ", ".join(f"s.{name}" for name in SubscriptionHead.__struct_fields__)

LISTING: Listing[SubscriptionRow] = Listing(
    row=SubscriptionRow,
    select="""s.id, s.number, c.code AS channel, p.code AS plan, s.status, s.is_ending, s.customer,
              coalesce(s.name, k.name) AS name, coalesce(s.email, k.email) AS email, s.next_on, s.resume_on, s.orders,
              s.last_total, s.currency, s.trouble, s.created_at""",
    source="""subscription s JOIN channel c ON c.id = s.channel JOIN selling_plan p ON p.id = s.plan
              JOIN customer k ON k.id = s.customer""",
    key="s.id",
    sorts={
        "created_at": Sort("s.created_at", "timestamptz"),
        "next_on": Sort("s.next_on", "date"),
        "number": Sort("s.number"),
    },
    default_sort="-created_at",
    filters={
        "status": Filter("s.status = ANY({}::text[])", texts),
        "pool": Filter("s.pool = ANY({}::uuid[])", uuids),
        "channel": Filter("c.code = ANY({}::text[])", texts),
        "plan": Filter("p.code = ANY({}::text[])", texts),
        "customer": Filter("s.customer = ANY(customer_members({}::uuid[]))", uuids),
        "trouble": Filter(
            "CASE WHEN {0}::text = 'any' THEN s.trouble IS NOT NULL ELSE s.trouble = {0}::text END"
        ),
        "before": Filter("s.next_on < {}::date", date.fromisoformat),
        "variant": Filter(
            "s.id IN (SELECT subscription FROM subscription_line WHERE variant = ANY({}::uuid[]))", uuids
        ),
        "q": Filter(
            "(s.number ILIKE {0} OR coalesce(s.email, k.email) ILIKE {0} OR coalesce(s.name, k.name) ILIKE {0})",
            lambda t: f"{_plain(t)}%",
        ),
    },
)
"""Subscriptions, newest first. ``trouble``: what keeps the next order from coming, or ``any`` of it. ``q`` is the
beginning of a number, a name or an e-mail address."""

CYCLES: Listing[CycleRow] = Listing(
    row=CycleRow,
    select="y.cycle, y.due_on, y.state, y.order_id, o.number AS order_number, y.total, y.actor, y.at",
    source="subscription_cycle y LEFT JOIN orders o ON o.id = y.order_id WHERE y.subscription = $1",
    key="y.subscription",
    sorts={"cycle": Sort("y.cycle", "int")},
    default_sort="-cycle",
    filters={"state": Filter("y.state = ANY({}::text[])", texts)},
)
"""What came and did not come of one subscription, latest first."""


def _plain(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


async def insert(tx: Tx, values: Mapping[str, Any], lines: Sequence[LineInput]) -> UUID | None:
    """Add a subscription with its lines; None when its order has begun one by this plan before."""
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    made: UUID | None = await tx.value(
        f"INSERT INTO subscription ({names}) VALUES ({places}) ON CONFLICT (origin, plan) DO NOTHING RETURNING id",
        *values.values(),
    )
    if made is not None:
        await set_lines(tx, made, lines)
    return made


async def read(reader: Reader, subscription: UUID) -> Subscription | None:
    """A subscription with its lines, or None. Two statements."""
    found = await reader.one(
        SubscriptionHead, f"SELECT {_HEAD} FROM subscription s WHERE s.id = $1", subscription
    )
    return None if found is None else await _with_lines(reader, found)


async def lock(tx: Tx, subscription: UUID, *, if_free: bool = False) -> Subscription | None:
    """A subscription with its lines, held against changes until the transaction ends; None if there is none, or
    (``if_free``) somebody else works on it."""
    skip = " SKIP LOCKED" if if_free else ""
    found = await tx.one(
        SubscriptionHead,
        f"SELECT {_HEAD} FROM subscription s WHERE s.id = $1 FOR NO KEY UPDATE{skip}",
        subscription,
    )
    return None if found is None else await _with_lines(tx, found)


async def _with_lines(reader: Reader, head: SubscriptionHead) -> Subscription:
    lines = await reader.all(
        Line,
        """SELECT l.variant, v.sku, p.title || CASE WHEN v.option_text = '' THEN '' ELSE ', ' || v.option_text END AS title,
                  l.quantity, l.list_price, l.told_price, l.told_on
           FROM subscription_line l JOIN variant v ON v.id = l.variant JOIN product p ON p.id = v.product
           WHERE l.subscription = $1 ORDER BY l.variant""",
        head.id,
    )
    values = {name: getattr(head, name) for name in SubscriptionHead.__struct_fields__}
    return Subscription(**values, lines=lines)


async def update(tx: Tx, subscription: UUID, values: Mapping[str, Any]) -> None:
    """Set columns of a subscription that the caller has locked and count its version up; names are ours."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 2))
    await tx.execute(
        f"UPDATE subscription SET {sets} version = version + 1, updated_at = now() WHERE id = $1",
        subscription,
        *values.values(),
    )


async def set_lines(tx: Tx, subscription: UUID, lines: Sequence[LineInput]) -> None:
    """Let these be the lines; one whose quantity changes has a price to compare with from its next order on."""
    await tx.execute(
        """
        WITH wanted AS (SELECT * FROM unnest($2::uuid[], $3::int[]) AS n (variant, quantity)),
             gone AS (DELETE FROM subscription_line WHERE subscription = $1
                      AND variant NOT IN (SELECT variant FROM wanted))
        INSERT INTO subscription_line AS l (subscription, variant, quantity)
        SELECT $1, variant, quantity FROM wanted
        ON CONFLICT (subscription, variant) DO UPDATE
        SET quantity = excluded.quantity, list_price = NULL, told_price = NULL, told_on = NULL
        WHERE l.quantity <> excluded.quantity
        """,
        subscription,
        [line.variant for line in lines],
        [line.quantity for line in lines],
    )


async def keep_prices(tx: Tx, subscription: UUID, prices: Mapping[UUID, int], told_after: date) -> None:
    """Note what an order was worked out from: list prices by variant.

    A rise that was told after a day is still to come. One that was told before and did not come is told anew if it does.
    """
    await tx.execute(
        """UPDATE subscription_line l SET list_price = n.price,
                  told_price = CASE WHEN l.told_price > n.price AND l.told_on > $4 THEN l.told_price END,
                  told_on = CASE WHEN l.told_price > n.price AND l.told_on > $4 THEN l.told_on END
           FROM unnest($2::uuid[], $3::bigint[]) AS n (variant, price)
           WHERE l.subscription = $1 AND l.variant = n.variant""",
        subscription,
        list(prices),
        list(prices.values()),
        told_after,
    )


async def tell_prices(tx: Tx, subscription: UUID, prices: Mapping[UUID, int], day: date) -> None:
    """Note which list prices (by variant) the customer was told on a day."""
    await tx.execute(
        """UPDATE subscription_line l SET told_price = n.price, told_on = $4
           FROM unnest($2::uuid[], $3::bigint[]) AS n (variant, price)
           WHERE l.subscription = $1 AND l.variant = n.variant""",
        subscription,
        list(prices),
        list(prices.values()),
        day,
    )


async def token_of(reader: Reader, subscription: UUID) -> bytes | None:
    """The sealed token of how it is paid."""
    found: bytes | None = await reader.value(
        "SELECT sealed_token FROM subscription WHERE id = $1", subscription
    )
    return found


# -- cycles ------------------------------------------------------------------------------------------------------------


async def end_cycle(
    tx: Tx,
    subscription: UUID,
    cycle: int,
    due_on: date,
    state: str,
    *,
    order: UUID | None = None,
    total: int | None = None,
) -> bool:
    """Say that a cycle is done with; False if it was before."""
    return bool(
        await tx.execute(
            """INSERT INTO subscription_cycle (subscription, cycle, due_on, state, order_id, total, actor)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subscription, cycle) DO NOTHING""",
            subscription,
            cycle,
            due_on,
            state,
            order,
            total,
            tx.actor.label,
        )
    )


async def last_skipped(tx: Tx, subscription: UUID, before: int) -> tuple[int, date] | None:
    """The cycle right before another one, and its day, if it was skipped and nothing came after it."""
    row = await tx.row(
        """SELECT cycle, due_on, state FROM subscription_cycle WHERE subscription = $1 AND cycle < $2
           ORDER BY cycle DESC LIMIT 1""",
        subscription,
        before,
    )
    return None if row is None or row["state"] != "skipped" else (row["cycle"], row["due_on"])


async def forget_cycle(tx: Tx, subscription: UUID, cycle: int) -> None:
    """A cycle that was skipped is open again."""
    await tx.execute(
        "DELETE FROM subscription_cycle WHERE subscription = $1 AND cycle = $2 AND state = 'skipped'",
        subscription,
        cycle,
    )


async def is_renewal(reader: Reader, order: UUID) -> bool:
    """Whether an order is one that a subscription placed."""
    return bool(
        await reader.value("SELECT EXISTS (SELECT FROM subscription_cycle WHERE order_id = $1)", order)
    )


async def of_origin(reader: Reader, order: UUID) -> list[UUID]:
    """The subscriptions that began with an order, in the order they were made."""
    rows = await reader.rows("SELECT id FROM subscription WHERE origin = $1 ORDER BY id", order)
    return [row["id"] for row in rows]


async def has_plan(reader: Reader, order: UUID) -> bool:
    """Whether a line of an order was bought by a selling plan."""
    return bool(
        await reader.value(
            "SELECT EXISTS (SELECT FROM order_line WHERE order_id = $1 AND plan IS NOT NULL)", order
        )
    )


# -- what is to be done ------------------------------------------------------------------------------------------------


_COMES = "NOT (s.is_ending AND s.orders >= (s.terms ->> 'minimum_orders')::int)"
"""It does not end in place of its next order."""


async def due(reader: Reader, days: Mapping[UUID, date], moment: datetime, limit: int) -> list[UUID]:
    """Active subscriptions whose next order is to be placed (``days``: the last day of each channel), earliest first."""
    rows = await reader.rows(
        """
        SELECT s.id FROM unnest($1::uuid[], $2::date[]) AS d (channel, day)
        JOIN subscription s ON s.channel = d.channel AND (s.next_on <= d.day OR s.is_wanted_now)
        WHERE s.status = 'active' AND s.charging IS NULL AND (s.retry_at IS NULL OR s.retry_at <= $3)
        ORDER BY s.next_on, s.id LIMIT $4
        """,
        list(days),
        list(days.values()),
        moment,
        limit,
    )
    return [row["id"] for row in rows]


async def to_resume(reader: Reader, days: Mapping[UUID, date], limit: int) -> list[UUID]:
    """Paused subscriptions that go on by a day of their channel."""
    rows = await reader.rows(
        """SELECT s.id FROM unnest($1::uuid[], $2::date[]) AS d (channel, day)
           JOIN subscription s ON s.channel = d.channel AND s.resume_on <= d.day
           WHERE s.status = 'paused' ORDER BY s.resume_on, s.id LIMIT $3""",
        list(days),
        list(days.values()),
        limit,
    )
    return [row["id"] for row in rows]


async def to_tell(reader: Reader, days: Mapping[UUID, date], limit: int) -> list[UUID]:
    """Active subscriptions whose next order comes by a day of their channel and whose customer does not know."""
    rows = await reader.rows(
        f"""SELECT s.id FROM unnest($1::uuid[], $2::date[]) AS d (channel, day)
           JOIN subscription s ON s.channel = d.channel AND s.next_on <= d.day
           WHERE s.status = 'active' AND s.told_cycle < s.cycle AND s.attempts = 0 AND {_COMES}
           ORDER BY s.next_on, s.id LIMIT $3""",
        list(days),
        list(days.values()),
        limit,
    )
    return [row["id"] for row in rows]


async def to_compare(reader: Reader, days: Mapping[UUID, tuple[date, date]], limit: int) -> list[UUID]:
    """Active subscriptions to compare prices of: by channel the last day of the next order, and today."""
    rows = await reader.rows(
        f"""SELECT s.id FROM unnest($1::uuid[], $2::date[], $3::date[]) AS d (channel, day, today)
           JOIN subscription s ON s.channel = d.channel AND s.next_on <= d.day
           WHERE s.status = 'active' AND s.orders > 0 AND s.looked_on IS DISTINCT FROM d.today AND {_COMES}
           ORDER BY s.next_on, s.id LIMIT $4""",
        list(days),
        [last for last, _ in days.values()],
        [today for _, today in days.values()],
        limit,
    )
    return [row["id"] for row in rows]


async def note(tx: Tx, subscription: UUID, values: Mapping[str, Any]) -> None:
    """Set columns that nobody sees: the version stays."""
    sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 2))
    await tx.execute(f"UPDATE subscription SET {sets} WHERE id = $1", subscription, *values.values())


async def mark_told(tx: Tx, subscription: UUID, cycle: int) -> bool:
    """Note that the customer was told of a cycle; False if that is noted already."""
    return bool(
        await tx.execute(
            "UPDATE subscription SET told_cycle = $2 WHERE id = $1 AND told_cycle < $2", subscription, cycle
        )
    )


class Charge(msgspec.Struct, frozen=True):
    """What a payment that is under way was worked out from: list prices by variant, and the lines that are not there."""

    charging_prices: dict[UUID, int]
    charging_short: list[dict[str, Any]]


async def charge_of(tx: Tx, subscription: UUID) -> Charge:
    """Of a subscription that waits for a payment."""
    found = await tx.one(
        Charge, "SELECT charging_prices, charging_short FROM subscription WHERE id = $1", subscription
    )
    assert found is not None
    return found


async def charged_by(reader: Reader, payment: UUID) -> UUID | None:
    """The subscription that waits for a payment."""
    found: UUID | None = await reader.value("SELECT id FROM subscription WHERE charging = $1", payment)
    return found


belongs(("subscription_id",), Resource.ORDERS, "SELECT pool FROM subscription WHERE id = $1")
