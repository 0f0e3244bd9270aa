"""What a provider refused to give back is given back in another way: a refund of its own, in place of the one that failed.

The money stays with the provider, which pays it out to us; what is owed to the customer is paid from where it was taken instead. All of it
or a part; a refund that was paid otherwise is never asked of its provider again. The verbs stand above, in `samlad.orders.paid_otherwise` and
`samlad.books.till_refunds`, because they move credit and drawers too.
"""

from uuid import UUID

from samlad.access import audit
from samlad.kernel import cards
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.payments import events, manual, manual_store, store
from samlad.payments.model import Payment, PaymentDisputed, Refund, RefundStatus, Way
from samlad.payments.permissions import RECEIVE
from samlad.payments.telling import tell_refund


async def left(reader: Reader, refund: Refund) -> int:
    """How much of a refund that failed nobody has given back otherwise yet, minor units; 0 if its provider was asked once more."""
    if refund.status is not RefundStatus.FAILED:
        return 0
    if await manual_store.refund(reader, manual.again_key(refund.id)) is not None:
        return 0
    return refund.amount - await store.paid_otherwise(reader, refund.id)


async def pay(
    tx: Tx,
    refund_id: UUID,
    key: UUID,
    way: Way,
    amount: int | None,
    *,
    reference: str = "",
    reason: str = "",
    location: UUID | None = None,
) -> tuple[Refund, Payment, bool]:
    """Note that a refund that failed was given back in another way, all that is left of it or ``amount`` (minor units).

    ``key`` is the id of what goes back so: the same again changes nothing. Answers it, its payment, and whether it is new. The caller moves
    the money in the same transaction.

    Raises:
        NotFound: no such refund. InvalidInput: it did not fail, was asked for once more, or less is left of it.
        Conflict: the key was used for something else. PaymentDisputed: the bank takes it back.
    """
    tx.actor.require(RECEIVE)
    cards.refuse((reference, reason), "reference")
    failed, payment = await manual.refund_of(tx, refund_id)
    known = await manual_store.refund(tx, key)
    if known is not None:
        if (known.instead_of, known.way) != (refund_id, way) or amount not in (None, known.amount):
            raise Conflict.at("id", "it was used for something else")
        return known, payment, False
    if failed.status is not RefundStatus.FAILED:
        raise InvalidInput(f"It is {failed.status}; only what a provider refused is paid back otherwise.")
    open_part = await left(tx, failed)
    most = min(open_part, payment.refundable)
    if payment.disputed and most < (amount or open_part):
        raise PaymentDisputed.of(payment.refundable)
    if most <= 0:
        raise InvalidInput(
            "Nothing of it is left: it went back otherwise, or the provider was asked once more."
        )
    if amount is not None and amount > most:
        raise InvalidInput.at("amount", f"at most {most} (minor units) is left to pay back")
    given = Refund(
        id=key,
        payment=payment.id,
        amount=amount or most,
        status=RefundStatus.DONE,
        reference=reference or None,
        reason=reason or failed.reason,
        instead_of=failed.id,
        way=way,
        location=location,
    )
    await store.add_refunds(tx, [given])
    tell_refund(tx, events.PaidOtherwise, payment, given, instead_of=failed.id, way=way, location=location)
    after = {"amount": given.amount, "way": way, "reference": reference, "reason": reason}
    audit.record(tx, "refund.paid-otherwise", "refund", failed.id, after=after)
    return given, payment, True
