"""Refunds that are paid out of a drawer: of an imported order, and in place of what a provider refused to give back."""

from uuid import UUID, uuid5

from samlad import channels, payments
from samlad.access import audit
from samlad.books import events, posting, till_rules, till_store
from samlad.books.model import CashRefundInput, Entry, MovedFor, Shift, ShiftView, VoucherKind
from samlad.books.permissions import TILL_REFUND
from samlad.books.posting import Cause, Fact
from samlad.books.rules import Amounts
from samlad.books.tills import lock_open, place_of, view
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.orders import paid_otherwise
from samlad.payments import Payment, Refund, RefundStatus, elsewhere, manual
from samlad.stock import Location


async def refund_cash(tx: Tx, shift_id: UUID, data: CashRefundInput) -> ShiftView:
    """Pay a refund out of a drawer, as coins can pay it. The same refund again is paid once; of one that failed parts are, each with
    an ``id`` of its own. The movement has the id of what went back.

    How an imported order was paid nobody here knows, so its refund waits for a person; here it is cash. A refund that its provider refused
    is paid otherwise (`samlad.payments.otherwise`).

    Raises:
        NotFound: no such refund, or it is of an order of other locations than the ones somebody is bound to. InvalidInput: its provider has not refused it and it is no imported order's, it is in another currency
            or book, or so little that no coin pays it. TillState: the drawer is closed. Conflict: it was sent otherwise.
    """
    found = await lock_open(tx, shift_id)
    tx.actor.require(TILL_REFUND, location=found.location)
    cards.refuse(data.reason, "reason")
    known = await manual.known_refund(tx, data.refund)
    if tx.actor.locations is not None and not await till_store.is_refund_at(
        tx, data.refund, tx.actor.locations
    ):
        raise NotFound("There is no such refund at your locations.")
    if known.status is RefundStatus.FAILED:
        await _in_place_of_failed(tx, found, known, data)
    else:
        await _of_imported(tx, found, data)
    return await view(tx, shift_id)


async def _of_imported(tx: Tx, found: Shift, data: CashRefundInput) -> None:
    refund, payment = await manual.refund_of(tx, data.refund)
    if payment.provider != elsewhere.HISTORY:
        raise InvalidInput.at(
            "refund",
            "only what was paid before an order was imported, or what a provider refused, goes back so",
        )
    _check_currency(found, payment)
    if refund.status is not RefundStatus.PENDING:
        if await till_store.movement_shift(tx, refund.id) is None:
            raise Conflict.at("refund", "it went back already")
        return
    await manual.refunded(tx, refund.id)
    place, channel = await place_of(tx, found.location)
    paid = payments.round_cash(refund.amount, payments.coin_of(channel, found.currency))
    target = till_rules.refunded_target(
        refund.amount, paid, payment.provider, found.currency, (channel.id, place.id, place.code)
    )
    await _out(tx, found, (place, channel), refund, payment, paid, target, data.reason)


async def _in_place_of_failed(tx: Tx, found: Shift, failed: Refund, data: CashRefundInput) -> None:
    key = data.id or uuid5(failed.id, "cash")
    given, payment, is_new = await paid_otherwise.in_cash(
        tx, failed.id, key, data.amount, location=found.location, reason=data.reason
    )
    if not is_new:
        return
    _check_currency(found, payment)
    place, channel = await place_of(tx, found.location)
    if payment.channel is None or (await posting.book_of(tx, await _channel(tx, payment))).id != found.book:
        raise InvalidInput.at("refund", "its money is in another book than this drawer")
    paid = payments.round_cash(given.amount, payments.coin_of(channel, found.currency))
    if paid <= 0:
        raise InvalidInput.at("amount", "so little that no coin pays it")
    # The refund itself takes what was owed out of the drawer; here is what coins make of it.
    more = paid - given.amount
    drawer = Entry(f"cash:{place.code}", found.currency, channel.id, place.id, "cash")
    rounding = Entry("rounding", found.currency, channel.id, place.id)
    target = {drawer: -more, rounding: more} if more else {}
    await _out(tx, found, (place, channel), given, payment, paid, target, data.reason)


async def _channel(tx: Tx, payment: Payment) -> Channel:
    assert payment.channel is not None
    return await channels.cached(tx, payment.channel)


def _check_currency(found: Shift, payment: Payment) -> None:
    if payment.currency != found.currency:
        raise InvalidInput.at("refund", f"it is in {payment.currency}, the drawer in {found.currency}")


async def _out(
    tx: Tx,
    found: Shift,
    where: tuple[Location, Channel],
    refund: Refund,
    payment: Payment,
    paid: int,
    target: Amounts,
    reason: str,
) -> None:
    """The cash leaves the drawer: a movement, what is to be booked of it, the event and its record."""
    place, channel = where
    who = till_store.by(tx)
    if paid:
        await till_store.add_movement(tx, found.id, refund.id, MovedFor.REFUND, -paid, reason, who)
    fact = Fact(
        kind=VoucherKind.TILL,
        subject=found.id,
        text=f"Drawer {place.name}: refund",
        channel=channel,
        location=place.id,
        order_id=payment.order_id,
    )
    cause = Cause(key=f"till:refund:{refund.id}", at=who.at, actor=tx.actor.label)
    await posting.post(tx, await posting.book_of(tx, channel), fact, cause, target)
    moved = events.TillMoved(
        till=found.till, location=place.id, reason=MovedFor.REFUND, amount=-paid, currency=found.currency
    )
    log.append(tx, moved, subject=found.id, channel=channel.id)
    after = {"shift": found.id, "refund": refund.id, "amount": -paid, "reason": reason}
    audit.record(tx, "till.refunded", "till", found.till, after=after)
