"""A card terminal, simulated: it waits for a card, which a person holds to it on a page or by the API.

It behaves as terminals do: the till starts a payment and is told *pending*; the end comes from the device, or never
comes, and then the device gives up after `WAIT_SECONDS`. Its memory is a table of its own that stands for the device
and its bank. No card is involved, and no money moves.
"""

from typing import Literal
from uuid import UUID

import msgspec

from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import Conflict, NotFound
from samlad.payments import operations
from samlad.payments.model import Action, Operation, Outcome, Payment, PaymentStatus, Request
from samlad.payments.permissions import TERMINAL
from samlad.payments.providers import ProviderSilent, register

NAME = "terminal"
WAIT_SECONDS = 90
Button = Literal["approve", "decline", "cancel"]

_STATUS = {
    "waiting": PaymentStatus.PENDING,
    "approved": PaymentStatus.AUTHORIZED,
    "declined": PaymentStatus.DECLINED,
    "cancelled": PaymentStatus.VOIDED,
    "timed_out": PaymentStatus.DECLINED,
}
_PRESSED: dict[str, tuple[str, str | None]] = {
    "approve": ("approved", None),
    "decline": ("declined", "card-declined"),
    "cancel": ("cancelled", "cancelled-at-the-terminal"),
}


class TerminalPayment(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal (``device``: which of several) shows: a payment, its amount (minor units) and how far it is."""

    id: UUID
    amount: int
    currency: str
    status: str
    reason: str | None = None
    device: str | None = None


_SHOWN = "id, amount, currency, status, reason, device"
_COLUMNS = f"{_SHOWN}, captured"


class _Memory(TerminalPayment, frozen=True, kw_only=True):
    captured: int = 0


class Terminal:
    """The simulator as a provider on the network."""

    name, is_local, staff_only, needs_offer = NAME, False, True, True

    async def authorize(self, database: Database, request: Request, operation: Operation) -> Outcome:  # noqa: ARG002
        """Wake the device. Asked again it shows the same payment."""
        await database.rows(
            """
            INSERT INTO terminal_simulation (id, amount, currency, status, device) VALUES ($1, $2, $3, 'waiting', $4)
            ON CONFLICT DO NOTHING RETURNING id
            """,
            request.payment,
            request.amount,
            request.currency,
            request.terminal,
        )
        return await self._look(database, request.payment)

    async def status(self, database: Database, payment: Payment) -> Outcome:
        """What the device says; one that has waited too long has given up."""
        return await self._look(database, payment.id)

    async def capture(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        """Take it, once."""
        await database.rows(
            """
            UPDATE terminal_simulation SET captured = least($2, amount)
            WHERE id = $1 AND status = 'approved' AND captured = 0 RETURNING id
            """,
            payment.id,
            operation.amount,
        )
        return await self._look(database, payment.id)

    async def void(self, database: Database, payment: Payment, operation: Operation) -> Outcome:  # noqa: ARG002
        """Let go, unless it was captured."""
        await database.rows(
            """
            UPDATE terminal_simulation SET status = 'cancelled', reason = 'let go'
            WHERE id = $1 AND captured = 0 AND status IN ('waiting', 'approved') RETURNING id
            """,
            payment.id,
        )
        return await self._look(database, payment.id)

    async def refund(self, database: Database, payment: Payment, operation: Operation) -> Outcome:
        """Give back, each key once, never more than was captured."""
        row = await database.row(
            """
            UPDATE terminal_simulation SET refunds = refunds || jsonb_build_object($2::text, $3::bigint)
            WHERE id = $1 AND (refunds ? $2::text OR captured >= $3::bigint + (
                SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(refunds))) RETURNING id
            """,
            payment.id,
            str(operation.id),
            operation.amount,
        )
        if row is None:
            return Outcome(status=PaymentStatus.DECLINED, reason="more-than-captured")
        return Outcome(status=PaymentStatus.CAPTURED, reference=f"terminal-{operation.id}")

    async def _look(self, database: Database, payment: UUID) -> Outcome:
        await database.rows(
            """
            UPDATE terminal_simulation SET status = 'timed_out', reason = 'timed-out'
            WHERE id = $1 AND status = 'waiting' AND started_at < now() - make_interval(secs => $2) RETURNING id
            """,
            payment,
            float(WAIT_SECONDS),
        )
        found = await database.one(
            _Memory, f"SELECT {_COLUMNS} FROM terminal_simulation WHERE id = $1", payment
        )
        if found is None:
            raise ProviderSilent("the terminal does not know this payment")
        status = PaymentStatus.CAPTURED if found.captured else _STATUS[found.status]
        return Outcome(
            status=status,
            reference=f"terminal-{payment}",
            reason=found.reason,
            captured=found.captured or None,
            action=Action(kind="terminal") if status is PaymentStatus.PENDING else None,
        )


async def press(tx: Tx, payment: UUID, button: Button) -> TerminalPayment:
    """Hold a card to the terminal that is accepted or declined, or press its red button.

    Raises:
        NotFound: it shows no such payment. Conflict: that one is over.
    """
    tx.actor.require(TERMINAL)
    status, reason = _PRESSED[button]
    found = await tx.one(
        TerminalPayment,
        f"""
        UPDATE terminal_simulation SET status = $2, reason = $3 WHERE id = $1 AND status = 'waiting'
        RETURNING {_SHOWN}
        """,
        payment,
        status,
        reason,
    )
    if found is None:
        before = await tx.value("SELECT status FROM terminal_simulation WHERE id = $1", payment)
        if before is None:
            raise NotFound("The terminal shows no such payment.")
        if before != status:
            raise Conflict(f"It is {before} already.")
    await operations.hurry(tx, payment)
    return found or await shown(tx, payment)


async def shown(reader: Reader, payment: UUID) -> TerminalPayment:
    """A payment as the terminal shows it.

    Raises:
        NotFound: it shows no such payment.
    """
    found = await reader.one(
        TerminalPayment,
        f"SELECT {_SHOWN} FROM terminal_simulation WHERE id = $1",
        payment,
    )
    if found is None:
        raise NotFound("The terminal shows no such payment.")
    return found


async def waiting(reader: Reader) -> list[TerminalPayment]:
    """What terminals wait for now, the latest first; at most fifty."""
    return await reader.all(
        TerminalPayment,
        f"""
        SELECT {_SHOWN} FROM terminal_simulation
        WHERE status = 'waiting' ORDER BY started_at DESC LIMIT 50
        """,
    )


register(Terminal())
