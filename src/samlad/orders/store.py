"""SQL of the tables ``orders``, ``order_line``, ``order_day`` and ``order_quarter``."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.orders import fulfilment_store
from samlad.orders.fulfilment_model import Part
from samlad.orders.model import Order, OrderHead, OrderLine

_HEAD = """o.id, o.pool, o.channel, o.number, o.kind, o.status, o.payment_status, o.customer, o.email, o.name,
           o.phone, o.address, o.country, o.currency, o.delivery, o.location, o.items, o.tax, o.total, o.paid,
           o.refunded, o.called_off, o.credited, o.cart, o.returns, o.changes, o.is_held, o.imported, o.vat_number,
           o.vat_check, o.vat_checked, o.vat_consultation, o.delivery_method, o.promise, o.note, o.gift_note, o.deposit, o.rest_due_on, o.placed_at, o.local_day, o.is_empty, o.version"""
_LINE = """l.position, l.kind, l.variant, l.sku, l.title, l.options, l.quantity, l.unit_price, l.tax_included,
           l.tax_rate, l.tax, l.total, l.fulfilled, l.returned, l.cancelled, l.substitutes, l.returns,
           l.stock_correction, l.reductions, l.concessions, l.tax_category, l.tax_treatment, l.tax_country,
           l.tax_note, l.plan, l.gift_note, l.sold_by, l.set_of"""

IN_QUARTER = """o.counted AND q.channel = o.channel AND q.currency = o.currency
    AND q.starts_at = date_bin('15 minutes', o.placed_at, 'epoch')"""
"""The quarter ``q`` of an hour that has counted an order ``o``."""

_ORDER = {
    "id": "uuid", "pool": "uuid", "channel": "uuid", "kind": "text", "status": "text", "payment_status": "text",
    "customer": "uuid", "email": "text", "name": "text", "phone": "text", "address": "jsonb", "country": "text",
    "currency": "text", "delivery": "text", "location": "uuid", "items": "int", "tax": "bigint", "total": "bigint",
    "paid": "bigint", "cart": "uuid", "returns": "uuid", "is_held": "bool", "placed_at": "timestamptz",
    "local_day": "date", "vat_number": "text", "vat_check": "text", "vat_checked": "timestamptz",
    "vat_consultation": "text", "delivery_method": "uuid", "promise": "jsonb", "note": "text", "gift_note": "text",
}  # fmt: skip
_ORDER_LINE = {
    "position": "smallint", "kind": "text", "variant": "uuid", "sku": "text", "title": "text", "options": "text",
    "quantity": "int", "unit_price": "bigint", "tax_included": "bool", "tax_rate": "int", "tax": "bigint",
    "total": "bigint", "fulfilled": "int", "returns": "uuid", "tax_category": "text", "tax_treatment": "text",
    "tax_country": "text", "tax_note": "text", "plan": "uuid", "gift_note": "text", "sold_by": "text",
}  # fmt: skip
"""What a new order and a new line of one have, and of which type that is: order matters."""


def _unnested(types: Sequence[str], first: int) -> str:
    return ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, first))


_LINES_AT = len(_ORDER) + 3  # after the columns of the orders, who acts, and what their numbers begin with
_INSERT = f"""
WITH placed AS (
    INSERT INTO orders ({", ".join(_ORDER)}, actor, number)
    SELECT {", ".join(f"n.{name}" for name in _ORDER)}, n.actor, n.prefix || order_number(n.channel)
    FROM unnest({_unnested([*_ORDER.values(), "text", "text"], 1)}) AS n ({", ".join(_ORDER)}, actor, prefix)
    RETURNING id, number, cart
), lines AS (
    INSERT INTO order_line (order_id, {", ".join(_ORDER_LINE)}, reductions, set_of)
    SELECT n.order_id, {", ".join(f"n.{name}" for name in _ORDER_LINE)}, n.reductions::jsonb, n.set_of::jsonb
    FROM unnest({_unnested(["uuid", *_ORDER_LINE.values(), "text", "text"], _LINES_AT)})
         AS n (order_id, {", ".join(_ORDER_LINE)}, reductions, set_of)
), {fulfilment_store.making(_LINES_AT + len(_ORDER_LINE) + 3)}
SELECT id, number, (SELECT w.id FROM exchange_to_pay w WHERE w.input ->> 'cart' = p.cart::text AND w.state = 'open' LIMIT 1) AS waits
FROM placed p
"""


class New(msgspec.Struct, frozen=True):
    """An order that is to be added with its fulfilments, who does that, and what its number begins with."""

    order: Order
    parts: Sequence[Part]
    actor: str
    prefix: str


async def insert(tx: Tx, order: Order, prefix: str, parts: Sequence[Part] = ()) -> str:
    """Add an order with its lines and fulfilments; its number, the next of its channel. One statement."""
    number, _waits = await insert_sold(tx, order, prefix, parts)
    return number


async def insert_sold(
    tx: Tx, order: Order, prefix: str, parts: Sequence[Part] = ()
) -> tuple[str, UUID | None]:
    """The same, and the exchange that waits at a terminal to be made together with the order's cart, or None."""
    return await tx.with_others(_insert_each, New(order, parts, tx.actor.label, prefix), writes=True)


async def _insert_each(tx: Tx, wanted: Sequence[New]) -> list[tuple[str, UUID | None]]:
    orders = [each.order for each in wanted]
    lines = [(order.id, line) for order in orders for line in order.lines]
    rows = await tx.rows(
        _INSERT,
        *([getattr(order, name) for order in orders] for name in _ORDER),
        [each.actor for each in wanted],
        [each.prefix for each in wanted],
        [order for order, _ in lines],
        *([getattr(line, name) for _, line in lines] for name in _ORDER_LINE),
        [msgspec.json.encode(line.reductions).decode() for _, line in lines],
        [set_text(line) for _, line in lines],
        *fulfilment_store.made_of([(each.order.id, part) for each in wanted for part in each.parts]),
    )
    numbers = {row["id"]: (row["number"], row["waits"]) for row in rows}
    return [numbers[order.id] for order in orders]


def set_text(line: OrderLine) -> str | None:
    """JSON of the set that a line is a part of."""
    return None if line.set_of is None else msgspec.json.encode(line.set_of).decode()


async def number_of(reader: Reader, order: UUID) -> str | None:
    """The number of an order, or None."""
    number: str | None = await reader.value("SELECT number FROM orders WHERE id = $1", order)
    return number


async def head(reader: Reader, order: UUID) -> OrderHead | None:
    """An order without its lines, or None."""
    return await reader.one(OrderHead, f"SELECT {_HEAD} FROM orders o WHERE o.id = $1", order)


async def at_places(
    reader: Reader, orders: Sequence[UUID], places: frozenset[UUID] | None
) -> frozenset[UUID]:
    """Those of these orders that are of one of these locations; all of them for None."""
    if places is None or not orders:
        return frozenset(orders)
    rows = await reader.rows(
        "SELECT id FROM orders WHERE id = ANY ($1) AND location = ANY ($2)", list(orders), list(places)
    )
    return frozenset(row["id"] for row in rows)


async def is_of(reader: Reader, order: UUID, places: Sequence[UUID]) -> bool:
    """Whether an order is of one of these locations, or one of them gives a part of it."""
    found = await reader.value(
        """SELECT EXISTS (SELECT FROM orders WHERE id = $1 AND location = ANY ($2))
               OR EXISTS (SELECT FROM fulfilment WHERE order_id = $1 AND location = ANY ($2))""",
        order,
        places,
    )
    return bool(found)


async def by_number(reader: Reader, channel: UUID, number: str) -> OrderHead | None:
    """The order with a number in a channel, or None."""
    return await reader.one(
        OrderHead, f"SELECT {_HEAD} FROM orders o WHERE o.channel = $1 AND o.number = $2", channel, number
    )


async def lines_of(reader: Reader, order: UUID) -> list[OrderLine]:
    """The lines of an order by position; those of a set stand together, where its first one stands."""
    return await reader.all(
        OrderLine,
        f"""SELECT {_LINE} FROM order_line l WHERE l.order_id = $1
            ORDER BY coalesce((l.set_of ->> 'group')::int, l.position), l.position""",
        order,
    )


async def lock(tx: Tx, order: UUID) -> tuple[OrderHead, list[OrderLine]] | None:
    """An order with its lines, held against changes until the transaction ends, or None."""
    found = await tx.one(OrderHead, f"SELECT {_HEAD} FROM orders o WHERE o.id = $1 FOR UPDATE", order)
    return None if found is None else (found, await lines_of(tx, order))


async def read(reader: Reader, order: UUID) -> Order | None:
    """An order with its lines (without payments), or None. Two statements."""
    found = await head(reader, order)
    if found is None:
        return None
    values = {name: getattr(found, name) for name in OrderHead.__struct_fields__}
    return Order(**values, lines=await lines_of(reader, order))


async def returns_of(reader: Reader, order: UUID) -> list[OrderHead]:
    """What came back of a sale, earliest first."""
    return await reader.all(
        OrderHead, f"SELECT {_HEAD} FROM orders o WHERE o.returns = $1 ORDER BY o.placed_at, o.id", order
    )


async def update(tx: Tx, order: UUID, values: dict[str, Any]) -> None:
    """Set columns of an order that the caller has locked and count its version up; names are ours."""
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 2))
    await tx.execute(
        f"UPDATE orders SET {assignments}, version = version + 1, updated_at = now() WHERE id = $1",
        order,
        *values.values(),
    )


async def set_deposit(tx: Tx, order: UUID, deposit: int, until: date | None) -> None:
    """Note what of an order is paid at once (minor units), and by when the rest is to be paid."""
    await tx.execute("UPDATE orders SET deposit = $2, rest_due_on = $3 WHERE id = $1", order, deposit, until)


async def remind_of_rest(tx: Tx, today: date, days: Sequence[int], limit: int) -> list[OrderHead]:
    """Orders whose rest nobody has paid or promised, that are to be reminded of it on a day: so many ``days`` after the one that was
    agreed. They are noted as reminded. One statement."""
    return await tx.all(
        OrderHead,
        f"""
        WITH late AS (
            SELECT o.id, t.passed FROM orders o
            CROSS JOIN LATERAL (SELECT count(*) FROM unnest($2::int[]) AS d WHERE $1::date >= o.rest_due_on + d) AS t (passed)
            WHERE o.rest_due_on IS NOT NULL AND o.payment_status = 'unpaid' AND o.status <> 'cancelled'
                  AND o.rest_due_on <= $1::date - (SELECT min(d) FROM unnest($2::int[]) AS d)
                  AND t.passed > o.rest_reminders AND o.total - o.called_off > o.paid
            ORDER BY o.rest_due_on, o.id LIMIT $3 FOR NO KEY UPDATE OF o SKIP LOCKED
        )
        UPDATE orders o SET rest_reminders = l.passed FROM late l WHERE o.id = l.id RETURNING {_HEAD}
        """,
        today,
        list(days),
        limit,
    )


async def add_to_lines(tx: Tx, order: UUID, column: str, parts: Sequence[tuple[int, int]]) -> None:
    """Add to ``fulfilled``, ``returned`` or ``cancelled`` of lines as (position, quantity); one statement."""
    assert column in ("fulfilled", "returned", "cancelled")
    await tx.execute(
        f"""UPDATE order_line l SET {column} = l.{column} + n.quantity
            FROM unnest($2::smallint[], $3::int[]) AS n (position, quantity)
            WHERE l.order_id = $1 AND l.position = n.position""",
        order,
        [position for position, _ in parts],
        [quantity for _, quantity in parts],
    )


async def add_line(tx: Tx, order: UUID, line: OrderLine) -> bool:
    """Add a line that changes the total of an order (the caller sets that); whether its day counted it already.

    If so the day's revenue follows here, and the customer's spend is the caller's.
    """
    return bool(
        await tx.execute(
            f"""
            WITH added AS (
                INSERT INTO order_line (order_id, position, kind, title, quantity, unit_price, total)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
            ), quarter AS (
                UPDATE order_quarter q SET revenue = q.revenue + $7 FROM orders o WHERE o.id = $1 AND {IN_QUARTER}
            )
            UPDATE order_day d SET revenue = d.revenue + $7 FROM orders o
            WHERE o.id = $1 AND o.counted AND d.channel = o.channel AND d.day = o.local_day AND d.currency = o.currency
            """,
            order,
            line.position,
            line.kind,
            line.title,
            line.quantity,
            line.unit_price,
            line.total,
        )
    )


async def replace_line(tx: Tx, order: UUID, line: OrderLine) -> None:
    """Say what a line is now: another thing, fewer units, another amount."""
    await tx.execute(
        """UPDATE order_line SET variant = $3, sku = $4, title = $5, options = $6, quantity = $7, tax = $8, total = $9,
                  substitutes = $10, unit_price = $11, tax_included = $12, reductions = $13::text::jsonb,
                  fulfilled = $14, set_of = $15::text::jsonb
           WHERE order_id = $1 AND position = $2""",
        order,
        line.position,
        line.variant,
        line.sku,
        line.title,
        line.options,
        line.quantity,
        line.tax,
        line.total,
        line.substitutes,
        line.unit_price,
        line.tax_included,
        msgspec.json.encode(line.reductions).decode(),
        line.fulfilled,
        set_text(line),
    )


async def name_returned(tx: Tx, back: UUID, line: OrderLine, quantity: int, variant: UUID) -> None:
    """Say of the line of a return by which so many of a sale's line came back which variant it was; of equal ones the first."""
    await tx.execute(
        """UPDATE order_line SET variant = $5 WHERE order_id = $1 AND position = (
               SELECT min(position) FROM order_line
               WHERE order_id = $1 AND kind = 'item' AND variant IS NULL AND sku IS NOT DISTINCT FROM $2 AND title = $3
                     AND quantity = -$4::int)""",
        back,
        line.sku,
        line.title,
        quantity,
        variant,
    )


async def insert_line(tx: Tx, order: UUID, line: OrderLine) -> None:
    """Add a line of goods that was split off another; the order's sums stay what they were."""
    await tx.execute(
        """INSERT INTO order_line (order_id, position, kind, variant, sku, title, options, quantity, unit_price,
                                   tax_included, tax_rate, tax, total, substitutes, tax_category, tax_treatment,
                                   tax_country, tax_note, gift_note, sold_by, set_of, reductions, fulfilled)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                   $21::text::jsonb, $22::text::jsonb, $23)""",
        order,
        line.position,
        line.kind,
        line.variant,
        line.sku,
        line.title,
        line.options,
        line.quantity,
        line.unit_price,
        line.tax_included,
        line.tax_rate,
        line.tax,
        line.total,
        line.substitutes,
        line.tax_category,
        line.tax_treatment,
        line.tax_country,
        line.tax_note,
        line.gift_note,
        line.sold_by,
        set_text(line),
        msgspec.json.encode(line.reductions).decode(),
        line.fulfilled,
    )


async def change_items(tx: Tx, order: UUID, change: int) -> None:
    """Let an order's pieces, and its day's if that has counted it already, follow a change of its lines."""
    await tx.execute(
        f"""WITH quarter AS (
               UPDATE order_quarter q SET items = q.items + $2 FROM orders o WHERE o.id = $1 AND {IN_QUARTER}
           ), day AS (
               UPDATE order_day d SET items = d.items + $2 FROM orders o
               WHERE o.id = $1 AND o.counted AND d.channel = o.channel AND d.day = o.local_day AND d.currency = o.currency
           )
           UPDATE orders SET items = items + $2 WHERE id = $1""",
        order,
        change,
    )


async def change_revenue(tx: Tx, order: UUID, change: int) -> bool:
    """Let an order's day follow a change of its total (minor units); False when the day has not counted it yet."""
    return bool(
        await tx.execute(
            f"""WITH quarter AS (
                   UPDATE order_quarter q SET revenue = q.revenue + $2 FROM orders o WHERE o.id = $1 AND {IN_QUARTER}
               )
               UPDATE order_day d SET revenue = d.revenue + $2 FROM orders o
               WHERE o.id = $1 AND o.counted AND d.channel = o.channel AND d.day = o.local_day
                 AND d.currency = o.currency""",
            order,
            change,
        )
    )


class Counted(msgspec.Struct, frozen=True):
    """An order that has just been counted (or, if ``is_out``, taken out of the count again).

    ``is_empty``: it was called off in parts until nothing was left, and is no order of its customer.
    """

    channel: UUID
    customer: UUID | None
    kind: str
    currency: str
    total: int
    placed_at: Any
    is_out: bool
    is_empty: bool


async def count(tx: Tx, order: UUID) -> Counted | None:
    """Bring an order into its day and quarter, or take it out if it was cancelled; None if that was done before.

    One statement, exact however often it is called: the mark on the order and the day's sums change together.
    """
    return await tx.one(
        Counted,
        """
        WITH changed AS (
            UPDATE orders SET counted = (status <> 'cancelled')
            WHERE id = $1 AND counted <> (status <> 'cancelled') RETURNING *
        ), quarters AS (
            INSERT INTO order_quarter AS q (channel, starts_at, currency, orders, revenue, items)
            SELECT channel, date_bin('15 minutes', placed_at, 'epoch'), currency, sign * (kind = 'sale')::int, sign * total,
                   sign * items
            FROM changed, LATERAL (SELECT CASE WHEN counted THEN 1 ELSE -1 END AS sign) AS s
            ON CONFLICT (channel, starts_at, currency) DO UPDATE
            SET orders = q.orders + excluded.orders, revenue = q.revenue + excluded.revenue,
                items = q.items + excluded.items
        ), sums AS (
            INSERT INTO order_day AS d (channel, day, currency, orders, revenue, items)
            SELECT channel, local_day, currency, sign * (kind = 'sale')::int, sign * total, sign * items
            FROM changed, LATERAL (SELECT CASE WHEN counted THEN 1 ELSE -1 END AS sign) AS s
            ON CONFLICT (channel, day, currency) DO UPDATE
            SET orders = d.orders + excluded.orders, revenue = d.revenue + excluded.revenue,
                items = d.items + excluded.items
        )
        SELECT channel, customer, kind, currency, total, placed_at, NOT counted AS is_out, is_empty FROM changed
        """,
        order,
    )


async def set_empty(tx: Tx, order: UUID, *, is_empty: bool) -> bool:
    """Note whether anything is left of an order; whether this is new of one that is counted already (`count`)."""
    counted = await tx.value(
        "UPDATE orders SET is_empty = $2 WHERE id = $1 AND is_empty <> $2 RETURNING counted", order, is_empty
    )
    return bool(counted)


async def link_customer(tx: Tx, order: UUID, customer: UUID) -> bool:
    """Say whose order it is, unless that is known; whether it was said."""
    return bool(
        await tx.execute(
            "UPDATE orders SET customer = $2 WHERE id = $1 AND customer IS NULL", order, customer
        )
    )


async def claim_name(tx: Tx, channel: UUID, external_id: str, order: UUID, content: bytes) -> bool:
    """Give an order that arrives the name that it has elsewhere; False if one has it already."""
    return bool(
        await tx.execute(
            """INSERT INTO order_arrival (channel, external_id, order_id, content) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING""",
            channel,
            external_id,
            order,
            content,
        )
    )


async def arrival(tx: Tx, channel: UUID, external_id: str) -> tuple[UUID, bytes]:
    """The order that has a name from elsewhere, and the SHA-256 of what was sent."""
    row = await tx.row(
        "SELECT order_id, content FROM order_arrival WHERE channel = $1 AND external_id = $2",
        channel,
        external_id,
    )
    assert row is not None, "somebody has the name"
    return row["order_id"], row["content"]


async def lock_name(tx: Tx, owner: UUID) -> None:
    """Let nobody else hold or let go for the same name at the same time."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 53))", str(owner))


async def arrived_as(tx: Tx, channel: UUID, external_id: str) -> UUID | None:
    """The order that has a name from elsewhere, if it has arrived."""
    order: UUID | None = await tx.value(
        "SELECT order_id FROM order_arrival WHERE channel = $1 AND external_id = $2", channel, external_id
    )
    return order


async def gone_among(
    reader: Reader,
    channel: UUID,
    pool: UUID,
    variants: Sequence[UUID],
    names: Sequence[tuple[str, tuple[str, str] | None]],
    owners: Sequence[UUID],
) -> list[int]:
    """Of orders that are about to arrive (name elsewhere; scope and key of an answer), places in the sequence of those that
    are new and hold nothing yet (``owners`` of holds, in the same order), where one of the variants is wholly gone."""
    rows = await reader.rows(
        """SELECT n.place FROM unnest($4::text[], $5::text[], $6::text[], $7::uuid[])
                              WITH ORDINALITY AS n (name, scope, key, owner, place)
           WHERE EXISTS (SELECT FROM unnest($3::uuid[]) AS v (id) WHERE stock_is_wholly_gone(v.id, $2, NULL, false))
             AND NOT EXISTS (SELECT FROM order_arrival a WHERE a.channel = $1 AND a.external_id = n.name)
             AND NOT EXISTS (SELECT FROM hold h WHERE h.owner = n.owner)
             AND NOT EXISTS (SELECT FROM idempotency i WHERE i.scope = n.scope AND i.key = n.key)""",
        channel,
        pool,
        sorted(set(variants)),
        [name for name, _ in names],
        [key and key[0] for _, key in names],
        [key and key[1] for _, key in names],
        list(owners),
    )
    return [row["place"] - 1 for row in rows]


async def order_of_payment(reader: Reader, payment: UUID) -> UUID | None:
    """The order that a payment is of; None: there is none, or it is not placed yet."""
    found: UUID | None = await reader.value(
        "SELECT o.id FROM payment p JOIN orders o ON o.id = p.order_id WHERE p.id = $1", payment
    )
    return found


async def order_of_refund(reader: Reader, refund: UUID) -> UUID | None:
    """The order whose money goes back; None: there is none."""
    found: UUID | None = await reader.value(
        """SELECT o.id FROM refund r JOIN payment p ON p.id = r.payment JOIN orders o ON o.id = p.order_id
           WHERE r.id = $1""",
        refund,
    )
    return found


async def order_of_part(reader: Reader, part: UUID) -> UUID | None:
    """The order that a fulfilment is of; None: there is none."""
    found: UUID | None = await reader.value("SELECT order_id FROM fulfilment WHERE id = $1", part)
    return found
