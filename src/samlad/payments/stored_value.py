"""Gift cards and store credit as ways to pay: local providers over the book of `samlad.credit`.

`gift_card`: the token is the card's code. `store_credit`: customers pay with their own; staff name the customer's id as
the token. Both take the money at once, as cash does, because it is in our own database; a token that begins with
``hold:`` only reserves it, to be captured or voided later, as `hold` does for a cart that is paid with another provider
too. Several of each can be in one order. A customer who is signed in names a card of their own by ``card:`` and its id; staff
who serve one add ``:`` and the customer's id, as to points.
"""

from uuid import UUID

from samlad import channels, credit
from samlad.channels import Resource
from samlad.kernel.database import Tx
from samlad.payments.model import NotRefundable, Outcome, PaymentDeclined, PaymentStatus, Request
from samlad.payments.providers import register

HOLD = "hold:"
OWN_CARD = "card:"
POINTS = "points:"
MOST_DIGITS = 4


class _StoredValue:
    """What both share: once something is held, they are the same."""

    is_local, staff_only, pays_alone, holds = True, False, True, True

    async def authorize(self, tx: Tx, request: Request) -> Outcome:
        """Take the amount, or only hold it if the token begins with ``hold:``."""
        outcome = await self.hold(tx, request)
        if outcome.status is not PaymentStatus.AUTHORIZED or (request.token or "").startswith(HOLD):
            return outcome
        return await self.capture(tx, request.payment, outcome.reference, request.amount)

    async def hold(self, tx: Tx, request: Request) -> Outcome:
        """Hold the amount."""
        held = await self._held(tx, request, (request.token or "").removeprefix(HOLD))
        if held is None:
            return Outcome(status=PaymentStatus.DECLINED, reason="not-enough-or-unusable")
        pool, mark = held
        tx.collect(_check_pools, (request.payment, pool))
        return Outcome(status=PaymentStatus.AUTHORIZED, reference=f"{request.payment}:{mark}")

    async def _held(self, tx: Tx, request: Request, token: str) -> tuple[UUID, str] | None:
        """The pool of what was held, and how the reference tells it apart; None if it cannot pay that."""
        raise NotImplementedError

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
    """A gift card, by its code or as one that its holder keeps. The answer to a wrong, blocked, expired or empty one is
    the same."""

    name = "gift_card"

    async def _held(self, tx: Tx, request: Request, token: str) -> tuple[UUID, str] | None:
        if token.startswith(OWN_CARD):
            text, customer = _served(token.removeprefix(OWN_CARD))
            card = _uuid(text)
            if card is None:
                return None
            held = await credit.hold_own_card(
                tx, request.payment, card, request.amount, request.currency, customer
            )
        else:
            held = await credit.hold_card(tx, request.payment, token, request.amount, request.currency)
        return None if held is None else (held.pool, held.last_four or "")


class StoreCreditProvider(_StoredValue):
    """A customer's store credit: their own when they are signed in, else of the customer that staff name.

    Members pay with points by ``points:REWARD:TIMES``: those are held, and turned into store credit when it is taken.
    """

    name = "store_credit"

    async def _held(self, tx: Tx, request: Request, token: str) -> tuple[UUID, str] | None:
        if token.startswith(POINTS):
            return await _hold_points(tx, request, token.removeprefix(POINTS))
        held = await credit.hold_credit(tx, request.payment, _uuid(token), request.amount, request.currency)
        return None if held is None else (held.pool, "")

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:
        """Take what is held; points become store credit first."""
        mark = (reference or "").partition(":")[2]
        if mark.startswith(POINTS):
            points, worth, currency = mark.removeprefix(POINTS).split(":")
            if not await credit.take_points(tx, payment, int(points), int(worth), amount, currency):
                return Outcome(status=PaymentStatus.DECLINED, reference=reference, reason="not-enough-points")
        return await super().capture(tx, payment, reference, amount)


async def _hold_points(tx: Tx, request: Request, token: str) -> tuple[UUID, str] | None:
    text, customer = _served(token)
    reward, _, times = text.rpartition(":")
    if not times.isascii() or not times.isdigit() or len(times) > MOST_DIGITS:
        return None
    held = await credit.hold_points(
        tx, request.payment, reward, int(times), request.amount, request.currency, customer
    )
    return (
        None if held is None else (held.held.pool, f"{POINTS}{held.points}:{held.worth}:{request.currency}")
    )


def _served(token: str) -> tuple[str, UUID | None]:
    """What a token says, and the customer whom staff name behind it."""
    text, _, last = token.rpartition(":")
    customer = _uuid(last) if text else None
    return (token, None) if customer is None else (text, customer)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


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
