"""SQL of money that comes in by bank or by hand: ``payment_receipt``, references, reminders."""

from datetime import date
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort
from samlad.kernel.rows import into
from samlad.payments.model import Payment, Receipt, Refund
from samlad.payments.store import COLUMNS, REFUND_COLUMNS

_RECEIPT = "id, payment, reference, currency, amount, matched, received_on, bank_id, note"

RECEIPTS = Listing(
    row=Receipt,
    select=_RECEIPT,
    source="payment_receipt",
    key="id",
    sorts={"received_on": Sort("received_on", "date"), "amount": Sort("amount", "bigint")},
    default_sort="-received_on",
    filters={
        "unmatched": Filter(
            "(matched < amount) = {}::bool", lambda text: text.lower() in ("1", "true", "yes")
        )
    },
)
"""Money that came in, the latest first; ``unmatched`` is what a person must look at."""


async def next_number(tx: Tx) -> int:
    """A number for a reference that nobody had before."""
    number: int = await tx.value("SELECT nextval('payment_reference_number')")
    return number


async def insert_receipt(tx: Tx, receipt: Receipt) -> bool:
    """Add money that came in; False if the bank's entry was booked before."""
    return bool(
        await tx.execute(
            """
            INSERT INTO payment_receipt (id, bank_id, reference, currency, amount, received_on, note, actor)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (bank_id) DO NOTHING
            """,
            receipt.id,
            receipt.bank_id,
            receipt.reference,
            receipt.currency,
            receipt.amount,
            receipt.received_on,
            receipt.note,
            tx.actor.label,
        )
    )


async def receipt_of(reader: Reader, bank_id: str) -> Receipt | None:
    """What was booked of an entry of the bank."""
    return await reader.one(Receipt, f"SELECT {_RECEIPT} FROM payment_receipt WHERE bank_id = $1", bank_id)


async def match(tx: Tx, receipt: UUID, payment: UUID, amount: int) -> None:
    """Say what money was for, and how much of it was due."""
    await tx.execute(
        "UPDATE payment_receipt SET payment = $2, matched = $3 WHERE id = $1", receipt, payment, amount
    )


async def lock_by_reference(tx: Tx, reference: str) -> Payment | None:
    """The bank transfer or invoice with a reference, locked."""
    return await tx.one(
        Payment,
        f"SELECT {COLUMNS} FROM payment WHERE reference = $1 AND due_on IS NOT NULL FOR UPDATE",
        reference,
    )


async def refund(reader: Reader, refund: UUID) -> Refund | None:
    """A refund, or None."""
    return await reader.one(Refund, f"SELECT {REFUND_COLUMNS} FROM refund WHERE id = $1", refund)


async def overdue(tx: Tx, today: date, *, every: int, most: int, limit: int) -> list[tuple[Payment, int]]:
    """Count a reminder for pending payments whose day is over; each with how many there were."""
    rows = await tx.rows(
        f"""
        UPDATE payment SET reminded = reminded + 1,
               remind_on = CASE WHEN reminded + 1 < $3 THEN $1::date + $2::int END
        WHERE id IN (SELECT id FROM payment WHERE status = 'pending' AND remind_on < $1::date
                     ORDER BY remind_on LIMIT $4 FOR UPDATE SKIP LOCKED)
        RETURNING {COLUMNS}, reminded
        """,
        today,
        every,
        most,
        limit,
    )
    return [
        (into(Payment, [{k: v for k, v in row.items() if k != "reminded"}])[0], row["reminded"])
        for row in rows
    ]
