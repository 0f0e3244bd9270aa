"""SQL of the tables ``payment`` and ``refund``; `samlad.payments.operations` has that of payments under way."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.payments.model import Outcome, Payment, Refund, RefundStatus

COLUMNS = """id, order_id, provider, currency, amount, status, captured, refunded, reference, reason, tendered,
             change_due, due_on, cart, channel, is_leaving, places, expires_at, created_at, customer,
             keeps, terminal, disputed"""
REFUND_COLUMNS = (
    "id, payment, amount, status, reference, reason, problem, created_at, instead_of, way, location"
)


_INSERT = """
    INSERT INTO payment (id, order_id, provider, currency, amount, status, reference, reason, tendered, captured,
                         due_on, remind_on, channel)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
                         $8::text[], $9::bigint[], $10::bigint[], $11::date[], $11::date[], $12::uuid[])
"""


async def insert(tx: Tx, payments: Sequence[Payment], *, channel: UUID, later: bool = False) -> None:
    """Add payments; one statement, or ``later`` with the last one of the transaction."""
    values = (
        [payment.id for payment in payments],
        [payment.order_id for payment in payments],
        [payment.provider for payment in payments],
        [payment.currency for payment in payments],
        [payment.amount for payment in payments],
        [payment.status for payment in payments],
        [payment.reference for payment in payments],
        [payment.reason for payment in payments],
        [payment.tendered for payment in payments],
        [payment.captured for payment in payments],
        [payment.due_on for payment in payments],
        [channel for _ in payments],
    )
    if later:
        tx.rows_later(_INSERT, *values)
    else:
        await tx.execute(_INSERT, *values)


async def of_order(reader: Reader, order: UUID) -> list[Payment]:
    """The payments of an order, earliest first."""
    return await reader.all(Payment, f"SELECT {COLUMNS} FROM payment WHERE order_id = $1 ORDER BY id", order)


async def lock_of_order(tx: Tx, order: UUID) -> list[Payment]:
    """The payments of an order, held against changes until the transaction ends."""
    return await tx.all(
        Payment, f"SELECT {COLUMNS} FROM payment WHERE order_id = $1 ORDER BY id FOR UPDATE", order
    )


async def set_outcomes(tx: Tx, outcomes: Sequence[tuple[UUID, Outcome]]) -> None:
    """Keep what the providers answered; one statement, none without outcomes."""
    if not outcomes:
        return
    await tx.execute(
        """
        UPDATE payment p SET status = o.status, reference = coalesce(o.reference, p.reference), reason = o.reason,
               captured = CASE WHEN o.status = 'captured' THEN p.amount ELSE p.captured END,
               version = p.version + 1, updated_at = now()
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS o (id, status, reference, reason)
        WHERE p.id = o.id
        """,
        [payment for payment, _ in outcomes],
        [outcome.status for _, outcome in outcomes],
        [outcome.reference for _, outcome in outcomes],
        [outcome.reason for _, outcome in outcomes],
    )


async def add_refunds(tx: Tx, refunds: Sequence[Refund]) -> None:
    """Note what goes back; what has not failed counts as given back from now on. One statement."""
    await tx.execute(
        """
        WITH given AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                                 $8::uuid[], $9::text[], $10::uuid[])
                   AS g (id, payment, amount, reference, status, reason, instead_of, way, location)
        ), noted AS (
            INSERT INTO refund (id, payment, amount, reference, status, reason, instead_of, way, location, actor)
            SELECT id, payment, amount, reference, status, reason, instead_of, way, location, $7 FROM given
        )
        UPDATE payment p SET refunded = p.refunded + g.amount, version = p.version + 1, updated_at = now()
        FROM (SELECT payment, sum(amount) AS amount FROM given GROUP BY 1) AS g WHERE g.payment = p.id
        """,
        [refund.id for refund in refunds],
        [refund.payment for refund in refunds],
        [refund.amount for refund in refunds],
        [refund.reference for refund in refunds],
        [refund.status for refund in refunds],
        [refund.reason for refund in refunds],
        tx.actor.label,
        [refund.instead_of for refund in refunds],
        [refund.way for refund in refunds],
        [refund.location for refund in refunds],
    )


async def paid_otherwise(reader: Reader, refund: UUID) -> int:
    """How much was given back in other ways in place of a refund that failed, minor units."""
    found: int = await reader.value(
        "SELECT coalesce(sum(amount), 0)::bigint FROM refund WHERE instead_of = $1", refund
    )
    return found


async def note_again(tx: Tx, refund: UUID, failed: UUID) -> None:
    """A refund stands for one that failed, from now on."""
    await tx.execute("UPDATE refund SET again_of = $2 WHERE id = $1", refund, failed)


async def refunds_of(reader: Reader, order: UUID) -> list[Refund]:
    """What went back or is to go back of an order, earliest first."""
    return await reader.all(
        Refund,
        f"""SELECT {", ".join(f"r.{c}" for c in REFUND_COLUMNS.split(", "))} FROM refund r
            JOIN payment p ON p.id = r.payment WHERE p.order_id = $1 ORDER BY r.id""",
        order,
    )


async def taken_at(tx: Tx, payments: Sequence[UUID], location: UUID) -> None:
    """Note where somebody took the money of payments."""
    await tx.execute("UPDATE payment SET location = $2 WHERE id = ANY ($1)", list(payments), location)


async def refund_at(reader: Reader, payment: UUID, reference: str) -> Refund | None:
    """The refund of a payment that its provider calls so."""
    return await reader.one(
        Refund,
        f"SELECT {REFUND_COLUMNS} FROM refund WHERE payment = $1 AND reference = $2",
        payment,
        reference,
    )


async def end_refund(
    tx: Tx,
    refund: UUID,
    status: RefundStatus,
    reference: str | None,
    problem: str | None,
    *,
    was: RefundStatus = RefundStatus.PENDING,
) -> bool:
    """Say how a pending refund (``was``: another one) ended; what failed is not given back. Whether it was pending. One statement."""
    return bool(
        await tx.value(
            """
            WITH ended AS (
                UPDATE refund SET status = $2, reference = coalesce($3, reference), problem = $4
                WHERE id = $1 AND status = $5 RETURNING payment, amount
            ), back AS (
                UPDATE payment p SET refunded = p.refunded - e.amount, version = p.version + 1, updated_at = now()
                FROM ended e WHERE p.id = e.payment AND $2 = 'failed'
            )
            SELECT count(*) FROM ended
            """,
            refund,
            status,
            reference,
            problem,
            was,
        )
    )


async def read(reader: Reader, payment: UUID) -> Payment | None:
    """A payment, or None."""
    return await reader.one(Payment, f"SELECT {COLUMNS} FROM payment WHERE id = $1", payment)


async def lock(tx: Tx, payment: UUID) -> Payment | None:
    """A payment, held against changes until the transaction ends, or None."""
    return await tx.one(Payment, f"SELECT {COLUMNS} FROM payment WHERE id = $1 FOR UPDATE", payment)


async def change(tx: Tx, payment: Payment) -> None:
    """Keep how a payment stands now that the caller has locked."""
    await tx.execute(
        """
        UPDATE payment SET status = $2, captured = $3, reference = $4, reason = $5, is_leaving = $6, asked_at = now(),
               remind_on = CASE WHEN $2 = 'pending' THEN remind_on END, version = version + 1, updated_at = now()
        WHERE id = $1
        """,
        payment.id,
        payment.status,
        payment.captured,
        payment.reference,
        payment.reason,
        payment.is_leaving,
    )
