"""Gift cards and store credit as ways to pay: local providers over the book of `samlad.credit`.

`gift_card`: the token is the card's code. `store_credit`: customers pay with their own; staff name the customer's id as
the token. Both take the money at once, as cash does, because it is in our own database; a token that begins with
``hold:`` only reserves it, to be captured or voided later. Several of each can be in one order.
"""

from uuid import UUID

from samlad import channels, credit
from samlad.channels import Resource
from samlad.credit.store import Held
from samlad.kernel.database import Tx
from samlad.payments.model import NotRefundable, Outcome, PaymentDeclined, PaymentStatus, Request
from samlad.payments.providers import register

HOLD = "hold:"


class _StoredValue:
    """What both share: once something is held, they are the same."""

    is_local, staff_only, pays_alone = True, False, True

    async def _taken(self, tx: Tx, request: Request, held: Held | None, *, only_hold: bool) -> Outcome:
        if held is None:
            return Outcome(status=PaymentStatus.DECLINED, reason="not-enough-or-unusable")
        tx.collect(_check_pools, (request.payment, held.pool))
        reference = f"{request.payment}:{held.last_four or ''}"
        if only_hold:
            return Outcome(status=PaymentStatus.AUTHORIZED, reference=reference)
        await credit.capture(tx, request.payment, request.amount)
        return Outcome(status=PaymentStatus.CAPTURED, reference=reference)

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:
        """Take what is held; what was taken before stays taken."""
        if await credit.capture(tx, payment, amount):
            return Outcome(status=PaymentStatus.CAPTURED, reference=reference)
        return Outcome(status=PaymentStatus.DECLINED, reference=reference, reason="nothing-held")

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:
        """Back to where it came from.

        Raises:
            NotRefundable: not so much was taken there.
        """
        payment = UUID((reference or "").partition(":")[0])
        if not await credit.refund(tx, payment, refund, amount):
            raise NotRefundable("Not so much was taken there.", refundable=0)
        return Outcome(status=PaymentStatus.CAPTURED, reference=f"credit-{refund}")

    async def void(self, tx: Tx, payment: UUID, reference: str | None) -> Outcome:
        """What is held is free again; what was taken goes back."""
        await credit.void(tx, payment)
        return Outcome(status=PaymentStatus.VOIDED, reference=reference)


class GiftCardProvider(_StoredValue):
    """A gift card, by its code. The answer to a wrong, blocked, expired or empty one is the same."""

    name = "gift_card"

    async def authorize(self, tx: Tx, request: Request) -> Outcome:
        """Hold the amount on the card, and take it unless the token begins with ``hold:``."""
        only_hold, code = _read(request.token)
        held = await credit.hold_card(tx, request.payment, code, request.amount, request.currency)
        return await self._taken(tx, request, held, only_hold=only_hold)


class StoreCreditProvider(_StoredValue):
    """A customer's store credit: their own when they are signed in, else of the customer that staff name."""

    name = "store_credit"

    async def authorize(self, tx: Tx, request: Request) -> Outcome:
        """Hold the amount, and take it unless the token begins with ``hold:``."""
        only_hold, text = _read(request.token)
        try:
            customer = UUID(text) if text else None
        except ValueError:
            return Outcome(status=PaymentStatus.DECLINED, reason="unknown-customer")
        held = await credit.hold_credit(tx, request.payment, customer, request.amount, request.currency)
        return await self._taken(tx, request, held, only_hold=only_hold)


def _read(token: str | None) -> tuple[bool, str]:
    text = token or ""
    return text.startswith(HOLD), text.removeprefix(HOLD)


async def _check_pools(tx: Tx, held: list[tuple[UUID, UUID]]) -> None:
    """Before the commit: value pays only in the channels whose customers it belongs to.

    `Request` does not say where the order is placed; the event of the payment, which is pending in the same
    transaction, does. Without such an event nobody keeps the payment: then nothing may be held for it either.

    Raises:
        PaymentDeclined: a card or a credit of another shop; nothing of the transaction happens.
    """
    where = {
        event.payload.get("payment"): event.channel
        for event in tx.events
        if event.type.startswith("payment.") and event.channel is not None
    }
    for payment, pool in held:
        channel_id = where.get(str(payment))
        channel = None if channel_id is None else await channels.cached(tx, channel_id)
        if channel is None or channel.pools[Resource.CUSTOMERS] != pool:
            raise PaymentDeclined(
                "It cannot pay here: not-enough-or-unusable.", reason="not-enough-or-unusable"
            )


register(GiftCardProvider())
register(StoreCreditProvider())
