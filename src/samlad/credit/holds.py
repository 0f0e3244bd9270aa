"""Paying with a card or with store credit: hold, take, let go, give back. Parts of the verbs of payments.

Each is exact however often it is called and however many call at once: the hold is one conditional statement, the
payment's id is its key, the refund's id is the key of what goes back. `samlad.payments.stored_value` calls them.
"""

from uuid import UUID

from samlad.credit import codes, events, store
from samlad.credit.gift_cards import tries
from samlad.credit.permissions import PAY
from samlad.credit.store import REVIVED_DAYS, Held
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id


async def hold_card(tx: Tx, payment: UUID, code: str, amount: int, currency: str) -> Held | None:
    """Hold an amount (minor units) of the card with this code; None if it cannot pay that, whatever the reason.

    Raises:
        TooMany: a stranger has tried too many codes.
    """
    if tx.actor.kind in ("guest", "customer"):
        tries.check(tx.context.remote or "?")
    plain = codes.read_card_code(code)
    return (
        None
        if plain is None
        else await store.hold_on_card(tx, payment, codes.card_hash(plain), amount, currency)
    )


async def hold_own_card(
    tx: Tx, payment: UUID, card: UUID, amount: int, currency: str, customer: UUID | None = None
) -> Held | None:
    """Hold an amount of a card that a customer (`whose`) keeps in their account; None if it cannot pay that, or if it is
    not theirs. Its code is not needed: who is signed in has shown it once (`gift_cards.keep`).

    Raises:
        Forbidden: staff without the permission.
    """
    holder = whose(tx, customer)
    return (
        None if holder is None else await store.hold_on_own_card(tx, payment, card, holder, amount, currency)
    )


async def hold_credit(
    tx: Tx, payment: UUID, customer: UUID | None, amount: int, currency: str
) -> Held | None:
    """Hold an amount of a customer's store credit (`whose`); None if there is less.

    Raises:
        Forbidden: staff without the permission.
    """
    customer = whose(tx, customer)
    return None if customer is None else await store.hold_on_credit(tx, payment, customer, amount, currency)


def whose(tx: Tx, customer: UUID | None) -> UUID | None:
    """With whose value somebody pays: customers with their own, whatever ``customer`` says; guests have none; staff name whom they serve.

    Raises:
        Forbidden: staff without the permission.
    """
    if tx.actor.kind == "customer":
        return tx.actor.id
    if tx.actor.kind == "guest":
        return None
    tx.actor.require(PAY)
    return customer


async def capture(tx: Tx, payment: UUID, amount: int) -> bool:
    """Take what is held for a payment, or a part; the rest is free again. True as well if it was taken before."""
    taken = await tx.value(
        "SELECT credit_capture($1, $2, $3, $4, $5)",
        [new_id(), new_id()],
        payment,
        amount,
        tx.actor.label,
        REVIVED_DAYS,
    )
    if not taken:
        return await store.hold_status(tx, payment) == "captured"
    await _tell_redeemed(tx, payment)
    return True


async def _tell_redeemed(tx: Tx, payment: UUID) -> None:
    rows = await tx.rows(
        """SELECT h.captured, a.unit, a.holder, a.kind, a.balance, g.last_four, g.channel FROM credit_hold h
           JOIN credit_account a ON a.id = h.account LEFT JOIN gift_card g ON g.account = a.id
           WHERE h.payment = $1 AND h.status = 'captured' ORDER BY a.holder""",
        payment,
    )
    for row in rows:
        if row["kind"] == "gift_card":
            card = events.GiftCardRedeemed(
                last_four=row["last_four"],
                currency=row["unit"],
                balance=row["balance"],
                amount=row["captured"],
                payment=payment,
            )
            log.append(tx, card, subject=row["holder"])
        else:
            spent = events.StoreCreditRedeemed(amount=row["captured"], currency=row["unit"], payment=payment)
            log.append(tx, spent, subject=row["holder"], profile=row["holder"])


async def void(tx: Tx, payment: UUID) -> None:
    """Let go of a payment: what is held is free again; what was taken and has not gone back goes back."""
    if await store.release(tx, payment):
        return
    left = await tx.value(
        """SELECT sum(taken)::bigint FROM (
               SELECT captured - refunded AS taken FROM credit_hold
               WHERE payment = $1 AND status = 'captured' ORDER BY account FOR UPDATE) AS parts""",
        payment,
    )
    if left:
        await _give_back(tx, payment, payment, left, "void")


async def refund(tx: Tx, payment: UUID, refund_id: UUID, amount: int) -> bool:
    """Give back a part of what was taken, to where it came from; False if not so much was taken.

    A card that was replaced since: to its successor. One that has expired: it lives on for `REVIVED_DAYS`. The same
    holds for what is let go.
    """
    return await _give_back(tx, payment, refund_id, amount, "refund")


async def _give_back(tx: Tx, payment: UUID, refund_id: UUID, amount: int, kind: str) -> bool:
    booked = await tx.value(
        "SELECT credit_refund($1, $2, $3, $4, $5, $6, $7)",
        new_id(),
        payment,
        refund_id,
        amount,
        tx.actor.label,
        REVIVED_DAYS,
        kind,
    )
    if booked is None:
        return False
    if booked:
        fact = events.CreditRefunded(payment=payment, refund=refund_id, amount=amount)
        log.append(tx, fact, subject=payment)
    return True
