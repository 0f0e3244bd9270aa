"""SQL of payments that are begun before there is an order, and of what providers on the network are asked to do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.payments.model import Operation, OperationKind, Payment
from samlad.payments.store import COLUMNS

_OPERATION = "o.id, o.payment, o.kind, o.amount, o.tries, o.token, o.created_at"


async def begin(tx: Tx, payment: Payment, *, token: str | None) -> None:
    """Add a payment for a cart and the wish to authorise it; one statement."""
    await tx.execute(
        """
        WITH begun AS (
            INSERT INTO payment (id, cart, channel, provider, currency, amount, status, expires_at, places, customer,
                                 keeps, terminal)
            VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $10, $11, $12) RETURNING id, amount
        )
        INSERT INTO payment_operation (id, payment, kind, amount, token)
        SELECT id, id, 'authorize', amount, $9 FROM begun
        """,
        payment.id,
        payment.cart,
        payment.channel,
        payment.provider,
        payment.currency,
        payment.amount,
        payment.expires_at,
        payment.places,
        token,
        payment.customer,
        payment.keeps,
        payment.terminal,
    )


async def begin_held(tx: Tx, payment: Payment) -> None:
    """Add a payment for a cart whose amount a local provider holds already; one statement."""
    await tx.execute(
        """
        INSERT INTO payment (id, cart, channel, provider, currency, amount, status, reference, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        payment.id,
        payment.cart,
        payment.channel,
        payment.provider,
        payment.currency,
        payment.amount,
        payment.status,
        payment.reference,
        payment.expires_at,
    )


async def of_cart(reader: Reader, cart: UUID) -> list[Payment]:
    """The payments that were begun for a cart, earliest first."""
    return await reader.all(Payment, f"SELECT {COLUMNS} FROM payment WHERE cart = $1 ORDER BY id", cart)


async def lock_of_cart(tx: Tx, cart: UUID) -> list[Payment]:
    """The same, held against changes until the transaction ends."""
    return await tx.all(
        Payment, f"SELECT {COLUMNS} FROM payment WHERE cart = $1 ORDER BY id FOR UPDATE", cart
    )


async def lock_ticket(tx: Tx, ticket: UUID) -> None:
    """Let one at a time begin payments for a till's ticket, which has no row here that could be locked."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 73))", f"ticket {ticket}")


async def keep_reserved(tx: Tx, payment: UUID, until: datetime) -> bool:
    """Somebody was told that the money is reserved and sells for it: it stays so until then. False if it was let go or claimed."""
    return bool(
        await tx.execute(
            """
            UPDATE payment SET expires_at = greatest(expires_at, $2)
            WHERE id = $1 AND order_id IS NULL AND NOT is_leaving AND status IN ('authorized', 'captured')
            """,
            payment,
            until,
        )
    )


async def claim(
    tx: Tx, order: UUID, cart: UUID, payments: Sequence[UUID], captures: Sequence[str]
) -> list[Payment]:
    """Make an order's what is authorised (or captured) for its cart, and wish captured what the providers named in
    ``captures`` have authorised.

    One conditional update: what is another order's, or is being let go, is not among the answer.
    """
    return await tx.all(
        Payment,
        f"""
        WITH claimed AS (
            UPDATE payment SET order_id = $1, version = version + 1, updated_at = now()
            WHERE id = ANY($3) AND cart = $2 AND order_id IS NULL AND NOT is_leaving
                  AND (status = 'authorized' OR status = 'captured' AND refunded = 0)
            RETURNING {COLUMNS}
        ), wished AS (
            INSERT INTO payment_operation (id, payment, kind, amount)
            SELECT n.id, c.id, 'capture', c.amount FROM claimed c JOIN unnest($3::uuid[], $4::uuid[]) AS n (payment, id)
                   ON n.payment = c.id WHERE c.status = 'authorized' AND c.provider = ANY($5)
        )
        SELECT {COLUMNS} FROM claimed ORDER BY id
        """,
        order,
        cart,
        list(payments),
        [new_id() for _ in payments],
        list(captures),
    )


async def wish(tx: Tx, payment: UUID, kind: OperationKind, amount: int, *, key: UUID | None = None) -> bool:
    """Have a provider asked for something after the commit; False if that is wished already."""
    return bool(
        await tx.execute(
            "INSERT INTO payment_operation (id, payment, kind, amount) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            key or new_id(),
            payment,
            kind,
            amount,
        )
    )


async def withdraw(tx: Tx, payment: UUID) -> list[OperationKind]:
    """Drop wishes to authorise or capture that nobody has begun to ask for; which they were."""
    rows = await tx.rows(
        """
        UPDATE payment_operation SET status = 'failed', reason = 'let go', token = NULL, ended_at = now()
        WHERE payment = $1 AND kind IN ('authorize', 'capture') AND status = 'open' AND tries = 0 RETURNING kind
        """,
        payment,
    )
    return [OperationKind(row["kind"]) for row in rows]


async def take(
    tx: Tx, operation: UUID, lease: timedelta, *, sooner_than: timedelta | None = None
) -> tuple[Operation, Payment] | None:
    """Lease an operation to ask its provider now, with its payment; None if it is done or somebody else asks.

    ``sooner_than``: also before its time, unless the provider was asked within so long.
    """
    found = await tx.one(
        Operation,
        f"""
        UPDATE payment_operation o SET tries = o.tries + 1, next_at = now() + $2::interval
        FROM payment p WHERE o.id = $1 AND o.status = 'open' AND p.id = o.payment
             AND (o.next_at <= now() OR p.asked_at < now() - $3::interval OR $3::interval IS NOT NULL AND p.asked_at IS NULL)
        RETURNING {_OPERATION}
        """,
        operation,
        lease,
        sooner_than,
    )
    if found is None:
        return None
    payment = await tx.one(
        Payment,
        f"UPDATE payment SET asked_at = now() WHERE id = $1 RETURNING {COLUMNS}",
        found.payment,
    )
    assert payment is not None
    return found, payment


async def token_of(reader: Reader, payment: UUID) -> Operation | None:
    """The authorisation of a payment, with its token if it is not done."""
    return await reader.one(
        Operation,
        f"SELECT {_OPERATION} FROM payment_operation o WHERE o.payment = $1 AND o.kind = 'authorize'",
        payment,
    )


async def end(tx: Tx, operation: UUID, *, failed: str | None = None) -> bool:
    """Mark an operation as done, or as failed for a reason; whether it was open."""
    return bool(
        await tx.execute(
            """
            UPDATE payment_operation SET status = CASE WHEN $2::text IS NULL THEN 'done' ELSE 'failed' END,
                   reason = $2, token = NULL, ended_at = now() WHERE id = $1 AND status = 'open'
            """,
            operation,
            failed,
        )
    )


async def postpone(tx: Tx, operation: UUID, pause: timedelta, reason: str | None) -> None:
    """Ask again after a pause; ``reason`` is what went wrong, None if nothing did."""
    await tx.execute(
        """
        UPDATE payment_operation SET next_at = now() + $2::interval, reason = $3::text, tries = CASE WHEN $3::text IS NULL THEN 1 ELSE tries END
        WHERE id = $1 AND status = 'open'
        """,
        operation,
        pause,
        reason,
    )


async def hurry(tx: Tx, payment: UUID) -> None:
    """Something happened to a payment: ask about it at once."""
    await tx.execute(
        "UPDATE payment_operation SET next_at = least(next_at, now()) WHERE payment = $1 AND status = 'open'",
        payment,
    )


async def find(reader: Reader, provider: str, reference: str | None, payment: UUID | None) -> UUID | None:
    """The payment with a provider's reference, or with our id."""
    found: UUID | None = await reader.value(
        """
        SELECT id FROM payment WHERE provider = $1 AND reference = $2 AND cart IS NOT NULL
        UNION ALL SELECT id FROM payment WHERE provider = $1 AND id = $3 LIMIT 1
        """,
        provider,
        reference,
        payment,
    )
    return found


async def due(reader: Reader, limit: int) -> list[UUID]:
    """Operations whose time has come, the one that waits longest first."""
    rows = await reader.rows(
        "SELECT id FROM payment_operation WHERE status = 'open' AND next_at <= now() ORDER BY next_at LIMIT $1",
        limit,
    )
    return [row["id"] for row in rows]


async def open_of(reader: Reader, payment: UUID) -> list[UUID]:
    """The open operations of a payment."""
    rows = await reader.rows(
        "SELECT id FROM payment_operation WHERE payment = $1 AND status = 'open' ORDER BY created_at, id",
        payment,
    )
    return [row["id"] for row in rows]


async def trouble_of(reader: Reader, order: UUID) -> dict[UUID, str]:
    """Payments of an order whose provider is being asked, with what went wrong the last time ('' if nothing did)."""
    rows = await reader.rows(
        """
        SELECT DISTINCT ON (o.payment) o.payment, coalesce(o.reason, '') AS reason
        FROM payment_operation o JOIN payment p ON p.id = o.payment
        WHERE p.order_id = $1 AND o.status = 'open' ORDER BY o.payment, o.reason NULLS LAST
        """,
        order,
    )
    return {row["payment"]: row["reason"] for row in rows}


async def expired(tx: Tx, limit: int) -> list[Payment]:
    """Unclaimed payments whose time is over, locked; those that somebody works on are left."""
    return await tx.all(
        Payment,
        f"""
        SELECT {COLUMNS} FROM payment
        WHERE order_id IS NULL AND NOT is_leaving AND expires_at < now()
              AND (status IN ('pending', 'authorized') OR status = 'captured' AND refunded < captured)
        ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
        """,
        limit,
    )


async def to_place(reader: Reader, payment: UUID) -> Payment | None:
    """A payment whose order is to be placed as soon as it is authorised, unless it was claimed or let go."""
    return await reader.one(
        Payment,
        f"""SELECT {COLUMNS} FROM payment WHERE id = $1 AND places AND order_id IS NULL AND NOT is_leaving
            AND status IN ('authorized', 'captured')""",
        payment,
    )


async def to_look_at(tx: Tx, providers: Sequence[str], age: timedelta, limit: int) -> list[UUID]:
    """Payments that are authorised with these providers and that nobody has asked about for so long; marked as asked."""
    rows = await tx.rows(
        """
        UPDATE payment SET asked_at = now() WHERE id IN (
            SELECT id FROM payment WHERE status = 'authorized' AND provider = ANY($1) AND asked_at < now() - $2::interval
            ORDER BY asked_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id
        """,
        list(providers),
        age,
        limit,
    )
    return [row["id"] for row in rows]
