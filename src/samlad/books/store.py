"""SQL of books, accounts and vouchers, and of the facts that are booked. `samlad.books.till_store` has that of tills."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad.books.model import Account, Book, Entry, Voucher, VoucherHead, VoucherKind, VoucherLine
from samlad.books.rules import (
    CREDIT_COUNTERS,
    OrderFact,
    OrderLineFact,
    PaymentFact,
    PointsFact,
    RefundFact,
    SupplierReturnFact,
    TipFact,
)
from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader, Tx

BOOK = "id, name, org_number, country, currency, time_zone, fiscal_month, recognition, posts_imports, points_worth, version"
HEAD = """v.id, v.book, v.series, v.year, v.number, v.day, v.fact_day, v.place, v.text, v.kind, v.cause, v.event, v.subject,
          v.order_id, v.reverses, v.actor, v.posted_at"""


async def make_book(tx: Tx, channel: Channel) -> None:
    """The book of a channel's pool of orders, made where there is none yet."""
    await tx.execute(
        """
        INSERT INTO book (id, name, country, currency, time_zone)
        SELECT $1, p.name, $2, $3, $4 FROM pool p WHERE p.id = $1 ON CONFLICT DO NOTHING
        """,
        channel.pools[Resource.ORDERS],
        channel.country,
        channel.currency,
        channel.time_zone,
    )


async def share_book(tx: Tx, book: UUID) -> Book | None:
    """A book that nobody closes a day of or changes until this transaction ends."""
    return await tx.one(Book, f"SELECT {BOOK} FROM book WHERE id = $1 FOR SHARE", book)


async def lock_book(tx: Tx, book: UUID) -> Book | None:
    """A book that nobody posts in until this transaction ends."""
    return await tx.one(Book, f"SELECT {BOOK} FROM book WHERE id = $1 FOR UPDATE", book)


async def book(reader: Reader, book_id: UUID) -> Book | None:
    """A book by its pool of orders."""
    return await reader.one(Book, f"SELECT {BOOK} FROM book WHERE id = $1", book_id)


async def books(reader: Reader) -> list[Book]:
    """All books, by name."""
    return await reader.all(Book, f"SELECT {BOOK} FROM book ORDER BY name, id")


async def change_book(tx: Tx, book_id: UUID, values: Mapping[str, object]) -> None:
    """Set columns of a book; the names are ours, never a caller's."""
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 2))
    await tx.execute(
        f"UPDATE book SET {columns}, version = version + 1 WHERE id = $1", book_id, *values.values()
    )


async def accounts(reader: Reader, book_id: UUID) -> list[Account]:
    """What the shop itself has mapped, latest first."""
    return await reader.all(
        Account,
        """SELECT purpose, number, name, valid_from FROM book_account WHERE book = $1
           ORDER BY purpose, valid_from DESC""",
        book_id,
    )


async def set_account(tx: Tx, book_id: UUID, given: Account) -> None:
    """Map a purpose from a day on; the same day again corrects it."""
    await tx.execute(
        """
        INSERT INTO book_account (book, purpose, valid_from, number, name, actor) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (book, purpose, valid_from) DO UPDATE
        SET number = excluded.number, name = excluded.name, actor = excluded.actor, set_at = now()
        """,
        book_id,
        given.purpose,
        given.valid_from,
        given.number,
        given.name,
        tx.actor.label,
    )


async def open_day(tx: Tx, place: UUID, day: date) -> date:
    """The first day from this one on that a place has not closed; the caller shares the book."""
    found: date = await tx.value("SELECT book_open_day($1, $2)", place, day)
    return found


async def booked(tx: Tx, subject: UUID, kind: VoucherKind) -> dict[Entry, int]:
    """What the book has of a subject, by entry; one at a time, so that two who look book once."""
    await tx.value("SELECT pg_advisory_xact_lock(hashtextextended($1, 23))", f"{kind}:{subject}")
    rows = await tx.rows(
        """
        SELECT l.purpose, l.currency, l.channel, l.location, l.tender, l.tax_rate, sum(l.amount)::bigint AS amount
        FROM voucher v JOIN voucher_line l ON l.voucher = v.id WHERE v.subject = $1 AND v.kind = $2
        GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(l.amount) <> 0
        """,
        subject,
        kind,
    )
    return {
        Entry(
            row["purpose"], row["currency"], row["channel"], row["location"], row["tender"], row["tax_rate"]
        ): row["amount"]
        for row in rows
    }


async def insert(tx: Tx, head: VoucherHead, lines: Sequence[VoucherLine]) -> int | None:
    """Write a voucher (its number is given here); None if its cause was booked before."""
    number: int | None = await tx.value(
        """SELECT book_post($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                            $21, $22)""",
        head.id,
        head.book,
        head.series,
        head.day,
        head.fact_day,
        head.place,
        head.text,
        head.kind,
        head.cause,
        head.event,
        head.subject,
        head.order_id,
        head.reverses,
        head.actor,
        [line.purpose for line in lines],
        [line.account for line in lines],
        [line.amount for line in lines],
        [line.currency for line in lines],
        [line.channel for line in lines],
        [line.location for line in lines],
        [line.tender for line in lines],
        [line.tax_rate for line in lines],
    )
    return number


async def voucher(reader: Reader, voucher_id: UUID) -> Voucher | None:
    """A voucher with its lines."""
    found = await reader.one(
        Voucher,
        f"""SELECT {HEAD}, (SELECT r.id FROM voucher r WHERE r.reverses = v.id) AS reversed_by
            FROM voucher v WHERE v.id = $1""",
        voucher_id,
    )
    if found is None:
        return None
    lines = await reader.all(
        VoucherLine,
        """SELECT position, purpose, account, amount, currency, channel, location, tender, tax_rate
           FROM voucher_line WHERE voucher = $1 ORDER BY position""",
        voucher_id,
    )
    return msgspec.structs.replace(found, lines=lines)


# -- facts of the floors below -----------------------------------------------------------------------------------------


async def tip_fact(reader: Reader, order: UUID) -> TipFact | None:
    """The tip of an order as it is now."""
    return await reader.one(
        TipFact,
        """SELECT t.order_id, o.number, t.channel, t.location, t.currency, t.amount - t.returned AS amount
           FROM order_tip t JOIN orders o ON o.id = t.order_id WHERE t.order_id = $1""",
        order,
    )


async def order_fact(reader: Reader, order: UUID) -> OrderFact | None:
    """An order as it is now. Its location is told where that sold it, or where it came back.

    ``imported`` is history: what came from elsewhere with a payment of ours is trade like any other.
    """
    rows = await reader.rows(
        """
        SELECT o.id, o.number, o.channel, o.kind, o.status, o.payment_status, o.delivery, o.country, o.currency,
               o.local_day,
               CASE WHEN NOT EXISTS (SELECT FROM payment p WHERE p.order_id = o.id AND p.provider <> 'history')
                    THEN o.imported END AS imported,
               CASE WHEN o.delivery = 'carry_out' OR o.kind = 'return' THEN o.location END AS location,
               l.kind AS line_kind, l.quantity, l.fulfilled, l.cancelled, l.tax_rate, l.tax_included, l.tax, l.total,
               l.tax_country, l.tax_treatment, l.kind <> 'adjustment' OR l.tax_rate > 0 OR l.tax_treatment IS NOT NULL
                   AS is_taxable,
               CASE WHEN l.tax_treatment = 'margin' AND l.kind = 'item' THEN (
                   SELECT coalesce(-sum(m.value_e4), 0) FROM movement m
                   WHERE m.reference = o.id AND m.variant IN (SELECT variant_names(l.variant)) AND m.cause IN ('sale', 'return'))
                   * CASE WHEN o.kind = 'sale' THEN l.fulfilled ELSE l.quantity END
                   / nullif((SELECT sum(CASE WHEN o.kind = 'sale' THEN x.fulfilled ELSE x.quantity END) FROM order_line x
                             WHERE x.order_id = o.id AND x.variant = l.variant AND x.kind = 'item'), 0)
               END::bigint AS cost_e4,
               (SELECT coalesce(sum((r ->> 'amount')::bigint), 0)::bigint FROM jsonb_array_elements(l.reductions) r)
                   AS reduced,
               CASE WHEN o.deposit IS NULL THEN 0
                    ELSE (SELECT coalesce(sum(p.captured - p.refunded), 0) FROM payment p WHERE p.order_id = o.id)
               END::bigint AS on_account
        FROM orders o LEFT JOIN order_line l ON l.order_id = o.id WHERE o.id = $1 ORDER BY l.position
        """,
        order,
    )
    if not rows:
        return None
    names = [name for name in OrderFact.__struct_fields__ if name not in ("lines", "margin_rate")]
    return OrderFact(
        **{name: rows[0][name] for name in names},
        lines=[
            OrderLineFact(
                kind=row["line_kind"],
                **{name: row[name] for name in OrderLineFact.__struct_fields__ if name != "kind"},
            )
            for row in rows
            if row["line_kind"] is not None
        ],
    )


_PAYMENT = """
    p.id, p.order_id, o.number, coalesce(o.channel, p.channel) AS channel, o.delivery, p.provider, p.currency,
    p.captured, place.id AS location, place.code AS location_code
"""
_PAYMENT_FROM = """
    payment p LEFT JOIN orders o ON o.id = p.order_id
    LEFT JOIN location place ON place.id = coalesce(
        p.location, CASE WHEN o.delivery = 'carry_out' OR p.provider = 'cash' THEN o.location END)
"""


async def payment_fact(reader: Reader, payment: UUID) -> PaymentFact | None:
    """A payment as it is now, with its order."""
    return await reader.one(PaymentFact, f"SELECT {_PAYMENT} FROM {_PAYMENT_FROM} WHERE p.id = $1", payment)


async def refund_fact(reader: Reader, refund: UUID) -> RefundFact | None:
    """What goes back by a refund, how that stands, and its payment."""
    row = await reader.row(
        """SELECT r.payment, r.amount, r.status, r.way, r.location, place.code
           FROM refund r LEFT JOIN location place ON place.id = r.location WHERE r.id = $1""",
        refund,
    )
    if row is None:
        return None
    payment = await payment_fact(reader, row["payment"])
    if payment is None:
        return None
    where = (row["location"], row["code"]) if row["way"] else (payment.location, payment.location_code)
    return RefundFact(
        payment=payment,
        amount=row["amount"],
        status=row["status"],
        way=row["way"],
        location=where[0],
        location_code=where[1],
    )


async def receipt_fact(reader: Reader, receipt: UUID) -> tuple[str, int, UUID | None] | None:
    """Of money that came in: its currency, how much of it nobody knows what for, and the channel of its payment."""
    row = await reader.row(
        """SELECT r.currency, r.amount - r.matched AS unmatched, p.channel FROM payment_receipt r
           LEFT JOIN payment p ON p.id = r.payment WHERE r.id = $1""",
        receipt,
    )
    return None if row is None else (row["currency"], row["unmatched"], row["channel"])


class CreditFact(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of the book of credit: its legs are (kind of account, unit, amount)."""

    id: UUID
    kind: str
    pool: UUID
    channel: UUID | None
    order_id: UUID | None
    legs: list[tuple[str, str, int]]


async def credit_facts(reader: Reader, holder: UUID) -> list[CreditFact]:
    """The transactions of a card or customer that gave or ended value and are not booked here, earliest first."""
    rows = await reader.rows(
        """
        SELECT DISTINCT t.id, t.kind, a.pool, coalesce(g.channel, o.channel) AS channel, o.id AS order_id,
               (SELECT jsonb_agg(jsonb_build_array(x.kind, x.unit, e2.amount) ORDER BY e2.seq)
                FROM credit_entry e2 JOIN credit_account x ON x.id = e2.account WHERE e2.transaction = t.id) AS legs
        FROM credit_account a JOIN credit_entry e ON e.account = a.id JOIN credit_transaction t ON t.id = e.transaction
             LEFT JOIN gift_card g ON g.id = a.holder LEFT JOIN orders o ON o.id = t.reference
        WHERE a.holder = $1 AND a.kind IN ('gift_card', 'store_credit')
              AND EXISTS (SELECT FROM credit_entry e3 JOIN credit_account h ON h.id = e3.account
                          WHERE e3.transaction = t.id AND h.kind = ANY ($2::text[]))
              AND NOT EXISTS (SELECT FROM voucher v WHERE v.cause = 'credit:' || t.id)
        ORDER BY 1
        """,
        holder,
        list(CREDIT_COUNTERS),
    )
    return [
        CreditFact(
            id=row["id"],
            kind=row["kind"],
            pool=row["pool"],
            channel=row["channel"],
            order_id=row["order_id"],
            legs=[(kind, unit, amount) for kind, unit, amount in row["legs"]],
        )
        for row in rows
    ]


async def channel_of_pool(reader: Reader, pool: UUID) -> UUID | None:
    """The oldest channel of a pool, to book what belongs to no channel."""
    found: UUID | None = await reader.value(
        """SELECT c.id FROM channel_pool p JOIN channel c ON c.id = p.channel WHERE p.pool = $1
           ORDER BY c.created_at, c.id LIMIT 1""",
        pool,
    )
    return found


async def stock_moves(
    reader: Reader, event: UUID, reference: UUID | None, levels: Sequence[tuple[UUID, UUID]]
) -> list[tuple[UUID, str, str, int]]:
    """What the movements of an event are worth, by location, currency and cause, in ten-thousandths of a minor unit.

    They are found by their reference where there is one, because a level that sells well has very many; else by the
    ``levels`` (location, variant) that the event names.
    """
    worth = "m.location, place.currency, m.cause, sum(m.value_e4)::bigint AS value"
    if reference is not None:
        rows = await reader.rows(
            f"""SELECT {worth} FROM movement m JOIN location place ON place.id = m.location
                WHERE m.reference = $1 AND m.event = $2 GROUP BY 1, 2, 3 ORDER BY 1, 3""",
            reference,
            event,
        )
    else:
        rows = await reader.rows(
            f"""
            SELECT {worth} FROM (SELECT DISTINCT * FROM unnest($2::uuid[], $3::uuid[]) AS t (location, variant)) AS t
                 JOIN movement m ON m.location = t.location AND m.variant = t.variant AND m.event = $1
                 JOIN location place ON place.id = m.location
            GROUP BY 1, 2, 3 ORDER BY 1, 3
            """,
            event,
            [location for location, _ in levels],
            [variant for _, variant in levels],
        )
    return [(row["location"], row["currency"], row["cause"], row["value"]) for row in rows]


class SettlementFact(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a payment provider's account."""

    id: UUID
    provider: str
    reference: str
    kind: str
    amount: int
    fee: int
    currency: str
    channel: UUID | None


async def settlement_fact(reader: Reader, settlement: UUID) -> SettlementFact | None:
    """An entry of a payment provider's account, with the channel of the payment that it is about."""
    return await reader.one(
        SettlementFact,
        "SELECT id, provider, reference, kind, amount, fee, currency, channel FROM payment_settlement WHERE id = $1",
        settlement,
    )


async def points_fact(reader: Reader, customer: UUID) -> tuple[UUID, PointsFact] | None:
    """The pool of a customer who has or had points, and what these come to; None for who never had any."""
    row = await reader.row(
        """
        WITH mine AS (SELECT id, pool, balance FROM credit_account
                      WHERE holder = $1 AND kind IN ('points', 'pending') AND unit = 'points'),
        house AS (
            SELECT h.kind, -sum(e.amount)::bigint AS points FROM credit_entry e JOIN credit_account h ON h.id = e.account
            WHERE h.holder IS NULL AND e.transaction IN (
                SELECT transaction FROM credit_entry WHERE account IN (SELECT id FROM mine)) AND h.unit = 'points'
            GROUP BY 1)
        SELECT (SELECT pool FROM mine LIMIT 1) AS pool, (SELECT sum(balance)::bigint FROM mine) AS balance,
               coalesce((SELECT points FROM house WHERE kind = 'earned'), 0) AS earned,
               coalesce(-(SELECT points FROM house WHERE kind = 'rewarded'), 0) AS used,
               coalesce(-(SELECT points FROM house WHERE kind = 'expired'), 0) AS expired
        """,
        customer,
    )
    if row is None or row["pool"] is None:
        return None
    names = PointsFact.__struct_fields__
    return row["pool"], PointsFact(**{name: row[name] for name in names})


async def holders(reader: Reader, book: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """Customers whose points are in a book or belong into it, by id, those after one."""
    rows = await reader.rows(
        """
        SELECT holder FROM (
            SELECT DISTINCT a.holder FROM credit_account a WHERE a.kind IN ('points', 'pending') AND a.pool IN (
                SELECT c.pool FROM channel_pool o JOIN channel_pool c ON c.channel = o.channel
                WHERE o.pool = $1 AND c.resource = 'customers')
            UNION SELECT subject FROM voucher WHERE book = $1 AND kind = 'points') h
        WHERE $2::uuid IS NULL OR holder > $2 ORDER BY holder LIMIT $3
        """,
        book,
        after,
        limit,
    )
    return [row["holder"] for row in rows]


async def channel_of_location(reader: Reader, location: UUID) -> UUID | None:
    """The store that stands there, else the first channel that has its stock."""
    found: UUID | None = await reader.value(
        """SELECT coalesce(l.channel, (SELECT p.channel FROM channel_pool p JOIN channel c ON c.id = p.channel
                                       WHERE p.pool = l.pool ORDER BY c.created_at, c.id LIMIT 1))
           FROM location l WHERE l.id = $1""",
        location,
    )
    return found


async def supplier_return_fact(reader: Reader, return_id: UUID) -> SupplierReturnFact | None:
    """Goods that went back to a supplier, as they are now."""
    return await reader.one(
        SupplierReturnFact,
        """SELECT r.id, r.number, r.location, r.status, r.currency, r.expected, r.credited,
                  (SELECT coalesce(sum(l.value_e4), 0)::bigint FROM supplier_return_line l
                   WHERE l.supplier_return = r.id) AS value_e4
           FROM supplier_return r WHERE r.id = $1""",
        return_id,
    )
