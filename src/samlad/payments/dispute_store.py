"""SQL of the table ``payment_dispute``, and of what is disputed of a payment."""

from uuid import UUID

from samlad.kernel import inserts
from samlad.kernel.database import Reader, Tx
from samlad.payments.dispute_model import Dispute

COLUMNS = ", ".join(Dispute.__struct_fields__)

HELD = "NOT is_inquiry AND status IN ('needs_response', 'under_review', 'lost')"
"""SQL: a dispute whose money the bank has taken, or may take."""


async def add(tx: Tx, dispute: Dispute) -> bool:
    """Keep one that is new; False if its provider's id is known."""
    values = {name: getattr(dispute, name) for name in Dispute.__struct_fields__}
    return await inserts.insert(tx, "payment_dispute", values, unless="(provider, reference)")


async def lock(tx: Tx, provider: str, reference: str) -> Dispute | None:
    """One by its provider's id, held against changes until the transaction ends."""
    return await tx.one(
        Dispute,
        f"SELECT {COLUMNS} FROM payment_dispute WHERE provider = $1 AND reference = $2 FOR UPDATE",
        provider,
        reference,
    )


async def change(tx: Tx, dispute: Dispute) -> None:
    """Keep how one stands that the caller has locked."""
    names = [name for name in Dispute.__struct_fields__ if name != "id"]
    sets = ", ".join(f"{name} = ${position}" for position, name in enumerate(names, 2))
    await tx.execute(
        f"UPDATE payment_dispute SET {sets}, version = version + 1 WHERE id = $1",
        dispute.id,
        *(getattr(dispute, name) for name in names),
    )


async def count_on(tx: Tx, payment: UUID) -> None:
    """Bring what is disputed of a payment in line with its disputes; an amount in another currency is all of it."""
    await tx.execute(
        f"""
        UPDATE payment p SET version = version + 1, updated_at = now(), disputed = held.amount
        FROM (SELECT least(q.captured, (
                  SELECT coalesce(sum(CASE WHEN d.currency = q.currency THEN d.amount ELSE q.captured END), 0)
                  FROM payment_dispute d WHERE d.payment = q.id AND {HELD})) AS amount
              FROM payment q WHERE q.id = $1) AS held
        WHERE p.id = $1 AND p.disputed <> held.amount
        """,
        payment,
    )


async def newest(reader: Reader, provider: str) -> Dispute | None:
    """The one that was opened last at a provider."""
    return await reader.one(
        Dispute,
        f"SELECT {COLUMNS} FROM payment_dispute WHERE provider = $1 ORDER BY opened_at DESC, id DESC LIMIT 1",
        provider,
    )


async def open_at(reader: Reader, provider: str, limit: int) -> list[str]:
    """The provider's ids of those that are open, the one that was heard of longest ago first."""
    rows = await reader.rows(
        "SELECT reference FROM payment_dispute WHERE provider = $1 AND closed_at IS NULL ORDER BY said_at LIMIT $2",
        provider,
        limit,
    )
    return [row["reference"] for row in rows]
