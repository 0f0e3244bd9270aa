"""SQL of alerts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from samlad.alerts.model import StockAlert
from samlad.channels import Resource
from samlad.kernel import inserts
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, uuids
from samlad.stock.reach import belongs

_FIELDS = ", ".join("v.sku" if name == "sku" else f"a.{name}" for name in StockAlert.__struct_fields__)

ALERTS = Listing(
    row=StockAlert,
    select=_FIELDS,
    source="stock_alert a JOIN variant v ON v.id = a.variant",
    key="a.id",
    sorts={"asked_at": Sort("a.asked_at", "timestamptz")},
    default_sort="-asked_at",
    filters={
        "variant": Filter("a.variant = ANY({})", uuids),
        "channel": Filter("a.channel = ANY({})", uuids),
        "pool": Filter(
            """a.channel IN (SELECT channel FROM channel_pool WHERE resource = 'customers' AND pool = ANY({}::uuid[]))""",
            uuids,
        ),
        "waiting": Filter("(a.ended_at IS NULL) = ({} = 'true')"),
    },
)


async def insert(tx: Tx, values: dict[str, Any]) -> bool:
    """Keep an alert; False when they wait for it already."""
    return await inserts.insert(tx, "stock_alert", values, unless="")


async def exists(reader: Reader, alert: UUID, customer: UUID | None) -> bool:
    """Whether there is an alert; with a ``customer``, one of that person's."""
    return bool(
        await reader.value(
            """SELECT EXISTS (SELECT 1 FROM stock_alert WHERE id = $1
                              AND ($2::uuid IS NULL OR customer = ANY (customer_members(ARRAY[$2]))))""",
            alert,
            customer,
        )
    )


async def end(tx: Tx, alert: UUID) -> StockAlert | None:
    """End an alert that waits, forgetting the address; None when it does not wait (any more)."""
    return await tx.one(
        StockAlert,
        f"""UPDATE stock_alert a SET ended_at = now(), email = NULL FROM variant v
            WHERE a.id = $1 AND a.ended_at IS NULL AND v.id = a.variant RETURNING {_FIELDS}""",
        alert,
    )


async def waited_for(reader: Reader, channel: UUID, most: int) -> list[UUID]:
    """Variants that somebody waits for in a channel, those that were looked at longest ago first."""
    rows = await reader.rows(
        """SELECT variant FROM stock_alert WHERE channel = $1 AND ended_at IS NULL
           GROUP BY variant ORDER BY min(looked_at), variant LIMIT $2""",
        channel,
        most,
    )
    return [row["variant"] for row in rows]


async def look(tx: Tx, channel: UUID, variants: Sequence[UUID]) -> None:
    """Note that these were looked at, so that others have their turn."""
    await tx.execute(
        """UPDATE stock_alert a SET looked_at = now() FROM (
               SELECT id FROM stock_alert WHERE channel = $1 AND variant = ANY($2) AND ended_at IS NULL
               ORDER BY id FOR UPDATE SKIP LOCKED) AS w
           WHERE a.id = w.id""",
        channel,
        list(variants),
    )


async def tell(tx: Tx, channel: UUID, variants: Sequence[UUID]) -> list[StockAlert]:
    """End the alerts that wait for these, with their addresses as they were. What another process tells of is left out."""
    return await tx.all(
        StockAlert,
        f"""WITH due AS MATERIALIZED (
                SELECT id, email FROM stock_alert WHERE channel = $1 AND variant = ANY($2) AND ended_at IS NULL
                ORDER BY id FOR UPDATE SKIP LOCKED
            ), told AS (
                UPDATE stock_alert a SET told_at = now(), ended_at = now(), email = NULL FROM due
                WHERE a.id = due.id RETURNING a.*
            )
            SELECT {_FIELDS.replace("a.email", "due.email")} FROM told a JOIN due ON due.id = a.id
            JOIN variant v ON v.id = a.variant ORDER BY a.id""",
        channel,
        list(variants),
    )


belongs(
    ("alert_id",),
    Resource.CUSTOMERS,
    """SELECT u.pool FROM stock_alert a JOIN channel_pool u ON u.channel = a.channel AND u.resource = 'customers'
       WHERE a.id = $1""",
)
