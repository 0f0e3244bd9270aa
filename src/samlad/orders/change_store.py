"""SQL of the tables ``order_change``, ``exchange_credit``, ``return_reason`` and ``return_window``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel import sealing
from samlad.kernel.database import Reader, Tx
from samlad.kernel.sealing import SealedColumn
from samlad.orders.change_model import Action, ChangeRow, Past, ReturnReason, Window, WindowInput
from samlad.orders.model import Concession, OrderLine
from samlad.orders.store import IN_QUARTER, set_text

SEALED = SealedColumn(
    table="order_change",
    owner="order_id",
    purpose="orders.change-note",
    sealed="sealed_note",
    text="note",
    emptied="''",
)
_CHANGE = """id, order_id, version, came_back, called_off, placed, worth, refunded, credited, transferred, location, note,
             photos, notices, preview, override, actor, created_at"""


class _Row(ChangeRow, frozen=True, kw_only=True):
    """As it is stored. ``note``: of before texts were sealed."""

    sealed_note: bytes | None


async def insert(tx: Tx, row: ChangeRow, actions: Any) -> None:
    """Keep a change that is being made."""
    sealed = await sealing.seal(tx, row.order_id, SEALED.purpose, row.note) if row.note else None
    row = msgspec.structs.replace(row, note="")
    await tx.execute(
        f"""INSERT INTO order_change ({_CHANGE.replace("preview, ", "")}, preview, actions, sealed_note)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)""",
        *(getattr(row, name) for name in ChangeRow.__struct_fields__ if name != "preview"),
        msgspec.to_builtins(row.preview),
        msgspec.to_builtins(actions),
        sealed,
    )


async def read(reader: Reader, change: UUID) -> ChangeRow | None:
    """A change, or None."""
    rows = await reader.all(_Row, f"SELECT {_CHANGE}, sealed_note FROM order_change WHERE id = $1", change)
    found = await _opened(reader, rows)
    return found[0] if found else None


async def of_order(reader: Reader, order: UUID) -> list[ChangeRow]:
    """The changes of an order, the latest first."""
    rows = await reader.all(
        _Row,
        f"""SELECT {_CHANGE}, sealed_note FROM order_change WHERE order_id = $1
            ORDER BY created_at DESC, id DESC LIMIT 200""",
        order,
    )
    return await _opened(reader, rows)


class CameBack(msgspec.Struct, frozen=True):
    """A change by which goods came back: the order that says so, where, and what was asked for."""

    came_back: UUID
    location: UUID | None
    actions: list[Action]


async def backs_of(reader: Reader, order: UUID) -> list[CameBack]:
    """The changes of an order by which goods came back, the first first."""
    return await reader.all(
        CameBack,
        """SELECT came_back, location, actions FROM order_change WHERE order_id = $1 AND came_back IS NOT NULL
           ORDER BY created_at, id""",
        order,
    )


async def by_return(reader: Reader, order: UUID, returned: UUID) -> ChangeRow | None:
    """The change of an order by which an order of kind return was made."""
    row = await reader.one(
        _Row,
        f"SELECT {_CHANGE}, sealed_note FROM order_change WHERE order_id = $1 AND came_back = $2",
        order,
        returned,
    )
    return None if row is None else (await _opened(reader, [row]))[0]


async def _opened(reader: Reader, rows: Sequence[_Row]) -> list[ChangeRow]:
    notes = await sealing.unseal(reader, SEALED.purpose, [(row.order_id, row.sealed_note) for row in rows])
    return [
        ChangeRow(
            **{name: getattr(row, name) for name in ChangeRow.__struct_fields__ if name != "note"},
            note=note if row.sealed_note is not None else row.note,
        )
        for row, note in zip(rows, notes, strict=True)
    ]


async def set_changes(tx: Tx, order: UUID, sale: UUID) -> None:
    """Say which sale a new sale came out of."""
    await tx.execute("UPDATE orders SET changes = $2 WHERE id = $1", order, sale)


async def concede(tx: Tx, order: UUID, given: Mapping[int, Sequence[Concession]]) -> None:
    """Note on lines, by position, what was given back while their goods stayed."""
    await tx.execute(
        """UPDATE order_line l SET concessions = l.concessions || n.given::jsonb
           FROM unnest($2::smallint[], $3::text[]) AS n (position, given)
           WHERE l.order_id = $1 AND l.position = n.position""",
        order,
        list(given),
        [msgspec.json.encode(each).decode() for each in given.values()],
    )


async def grow(tx: Tx, order: UUID, lines: Sequence[OrderLine]) -> bool:
    """Add lines to an order with their amounts in its sums; whether its day had counted it already."""
    await tx.execute(
        """INSERT INTO order_line (order_id, position, kind, variant, sku, title, options, quantity, unit_price,
                                   tax_included, tax_rate, tax, total, sold_by, tax_category, tax_treatment, tax_country,
                                   tax_note, set_of)
           SELECT $1, position, kind, variant, sku, title, options, quantity, unit_price, tax_included, tax_rate, tax, total,
                  sold_by, tax_category, tax_treatment, tax_country, tax_note, set_of::jsonb
           FROM unnest($2::smallint[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::int[], $9::bigint[],
                       $10::bool[], $11::int[], $12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::text[],
                       $17::text[], $18::text[], $19::text[])
                AS n (position, kind, variant, sku, title, options, quantity, unit_price, tax_included, tax_rate, tax, total,
                      sold_by, tax_category, tax_treatment, tax_country, tax_note, set_of)""",
        order,
        *([getattr(line, name) for line in lines] for name in _ADDED),
        [set_text(line) for line in lines],
    )
    units = sum(line.sold_by.pieces(line.quantity) for line in lines if line.variant is not None)
    return bool(
        await tx.execute(
            f"""WITH quarter AS (
                   UPDATE order_quarter q SET revenue = q.revenue + $2, items = q.items + $3 FROM orders o
                   WHERE o.id = $1 AND {IN_QUARTER}
               )
               UPDATE order_day d SET revenue = d.revenue + $2, items = d.items + $3 FROM orders o
               WHERE o.id = $1 AND o.counted AND d.channel = o.channel AND d.day = o.local_day
                 AND d.currency = o.currency""",
            order,
            sum(line.total for line in lines),
            units,
        )
    )


_ADDED = (
    "position",
    "kind",
    "variant",
    "sku",
    "title",
    "options",
    "quantity",
    "unit_price",
    "tax_included",
    "tax_rate",
    "tax",
    "total",
    "sold_by",
    "tax_category",
    "tax_treatment",
    "tax_country",
    "tax_note",
)

# -- what pays for new goods ---------------------------------------------------------------------------------------------


async def add_credit(tx: Tx, credit: UUID, order: UUID, amount: int) -> None:
    """What came back of an order will pay for something, in this transaction."""
    await tx.execute(
        "INSERT INTO exchange_credit (id, order_id, amount) VALUES ($1, $2, $3)", credit, order, amount
    )


async def use_credit(tx: Tx, credit: UUID, amount: int, payment: UUID) -> bool:
    """Pay with it, once and for exactly its amount; False if that cannot be."""
    return bool(
        await tx.execute(
            "UPDATE exchange_credit SET payment = $3 WHERE id = $1 AND amount = $2 AND payment IS NULL",
            credit,
            amount,
            payment,
        )
    )


async def give_back_credit(tx: Tx, credit: UUID, amount: int) -> UUID | None:
    """So much of it goes back; the order that it came from, or None when not so much is left."""
    order: UUID | None = await tx.value(
        """UPDATE exchange_credit SET given_back = given_back + $2
           WHERE id = $1 AND given_back + $2 <= amount AND payment IS NOT NULL RETURNING order_id""",
        credit,
        amount,
    )
    return order


# -- what is known about time, people, goods -----------------------------------------------------------------------------


async def handed_over(reader: Reader, order: UUID) -> dict[int, datetime]:
    """When each line (by position) was in the customer's hands: delivered as its carrier says, else when it left.

    Of several parcels the last counts (Directive 2011/83/EU, article 9).
    """
    found = await reader.rows(
        """
        SELECT n.position, max(coalesce(t.happened_at, f.left_at)) AS at
        FROM fulfilment f JOIN fulfilment_line n ON n.fulfilment = f.id
        LEFT JOIN LATERAL (SELECT max(happened_at) AS happened_at FROM tracking_event
                           WHERE fulfilment = f.id AND status = 'delivered') t ON true
        WHERE f.order_id = $1 AND f.state IN ('shipped', 'delivered') GROUP BY 1
        """,
        order,
    )
    return {row["position"]: row["at"] for row in found if row["at"] is not None}


async def products_of(reader: Reader, variants: Sequence[UUID]) -> dict[UUID, UUID]:
    """The product of each variant."""
    found = await reader.rows("SELECT id, product FROM variant WHERE id = ANY($1)", list(variants))
    return {row["id"]: row["product"] for row in found}


async def has_given_others(reader: Reader, order: UUID) -> bool:
    """Whether a change of an order gave other goods for some of its own."""
    found = await reader.value(
        """SELECT EXISTS (SELECT FROM order_change WHERE order_id = $1 AND placed IS NOT NULL
                          AND actions @? '$[*] ? (@.kind == "exchange" || @.kind == "claim")')""",
        order,
    )
    return bool(found)


async def past_of(reader: Reader, pool: UUID, customer: UUID, currency: str, days: int) -> Past:
    """What a customer bought and brought back in the last days. What was called off before it left did not come back."""
    found = await reader.one(
        Past,
        """SELECT count(*) FILTER (WHERE kind = 'return')::int AS returns,
                  count(*) FILTER (WHERE kind = 'return' AND returns IS NULL)::int AS no_receipt,
                  coalesce(-sum(total) FILTER (WHERE kind = 'return'), 0)::bigint AS returned_worth,
                  coalesce(sum(total) FILTER (WHERE kind = 'sale' AND status <> 'cancelled'), 0)::bigint AS bought
           FROM orders o WHERE customer = ANY (customer_members(ARRAY[$2::uuid])) AND pool = $1 AND currency = $3
             AND placed_at > now() - make_interval(days => $4)
             AND NOT EXISTS (SELECT FROM order_change c WHERE c.order_id = o.returns AND c.called_off = o.id)""",
        pool,
        customer,
        currency,
        days,
    )
    assert found is not None
    return found


# -- reasons and windows ---------------------------------------------------------------------------------------------------


async def reasons(reader: Reader, pool: UUID) -> list[ReturnReason]:
    """A pool's own reasons in their order; none: it has the defaults."""
    return await reader.all(
        ReturnReason,
        """SELECT code, name, restock, ships, photo, fee_bp, is_active, position FROM return_reason
           WHERE pool = $1 ORDER BY position, code""",
        pool,
    )


async def seed_reasons(tx: Tx, pool: UUID, defaults: Sequence[ReturnReason]) -> None:
    """Give a pool without reasons the defaults as its own. Two at once do no harm."""
    await tx.execute(
        """INSERT INTO return_reason (pool, code, name, restock, ships, photo, position)
           SELECT $1, n.* FROM unnest($2::text[], $3::text[], $4::bool[], $5::text[], $6::bool[], $7::int[]) AS n
           WHERE NOT EXISTS (SELECT FROM return_reason WHERE pool = $1) ON CONFLICT DO NOTHING""",
        pool,
        *(
            [getattr(reason, name) for reason in defaults]
            for name in ("code", "name", "restock", "ships", "photo", "position")
        ),
    )


async def put_reason(tx: Tx, pool: UUID, reason: ReturnReason) -> None:
    """Say what a reason is now."""
    await tx.execute(
        """INSERT INTO return_reason (pool, code, name, restock, ships, photo, fee_bp, is_active, position)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (pool, code) DO UPDATE SET name = excluded.name, restock = excluded.restock,
               ships = excluded.ships, photo = excluded.photo, fee_bp = excluded.fee_bp,
               is_active = excluded.is_active, position = excluded.position""",
        pool,
        *(getattr(reason, name) for name in ReturnReason.__struct_fields__),
    )


async def windows(reader: Reader, pool: UUID) -> list[Window]:
    """The windows of a pool that differ from its channels'."""
    return await reader.all(
        Window,
        "SELECT country, product, days FROM return_window WHERE pool = $1 ORDER BY country NULLS FIRST, product",
        pool,
    )


async def put_window(tx: Tx, window: UUID, pool: UUID, data: WindowInput) -> bool:
    """Set a window; False when there is no such product."""
    return bool(
        await tx.execute(
            """INSERT INTO return_window (id, pool, country, product, days)
               SELECT $1, $2, $3, $4, $5 WHERE $4::uuid IS NULL OR EXISTS (SELECT FROM product WHERE id = $4)
               ON CONFLICT (pool, country, product) DO UPDATE SET days = excluded.days""",
            window,
            pool,
            data.country,
            data.product,
            data.days,
        )
    )


async def remove_window(tx: Tx, pool: UUID, data: WindowInput) -> None:
    """Let the channel say again."""
    await tx.execute(
        """DELETE FROM return_window
           WHERE pool = $1 AND country IS NOT DISTINCT FROM $2 AND product IS NOT DISTINCT FROM $3""",
        pool,
        data.country,
        data.product,
    )
