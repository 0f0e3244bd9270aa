"""SQL of the tables ``payment`` and ``refund``."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.payments.model import Outcome, Payment

COLUMNS = """id, order_id, provider, currency, amount, status, refunded, reference, reason, tendered, change_due,
             created_at"""


async def insert(tx: Tx, payments: Sequence[Payment]) -> None:
    """Add payments; one statement."""
    await tx.execute(
        """
        INSERT INTO payment (id, order_id, provider, currency, amount, status, reference, reason, tendered)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
                             $8::text[], $9::bigint[])
        """,
        [payment.id for payment in payments],
        [payment.order_id for payment in payments],
        [payment.provider for payment in payments],
        [payment.currency for payment in payments],
        [payment.amount for payment in payments],
        [payment.status for payment in payments],
        [payment.reference for payment in payments],
        [payment.reason for payment in payments],
        [payment.tendered for payment in payments],
    )


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
               version = p.version + 1, updated_at = now()
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS o (id, status, reference, reason)
        WHERE p.id = o.id
        """,
        [payment for payment, _ in outcomes],
        [outcome.status for _, outcome in outcomes],
        [outcome.reference for _, outcome in outcomes],
        [outcome.reason for _, outcome in outcomes],
    )


async def add_refunds(tx: Tx, refunds: Sequence[tuple[UUID, UUID, int, str | None]], *, reason: str) -> None:
    """Note what went back as (refund, payment, amount, reference); one statement."""
    await tx.execute(
        """
        WITH given AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[]) AS g (id, payment, amount, reference)
        ), noted AS (
            INSERT INTO refund (id, payment, amount, reference, reason, actor)
            SELECT id, payment, amount, reference, $5, $6 FROM given
        )
        UPDATE payment p SET refunded = p.refunded + g.amount, version = p.version + 1, updated_at = now()
        FROM given g WHERE g.payment = p.id
        """,
        [refund[0] for refund in refunds],
        [refund[1] for refund in refunds],
        [refund[2] for refund in refunds],
        [refund[3] for refund in refunds],
        reason,
        tx.actor.label,
    )
