"""The verbs of paying tips out: all that is owed to somebody at a location, out of a drawer, by the bank or with the wages; and back.

A tip is paid once: its row is held while it is, so two who pay the same at once pay it once, and the other is told what is owed now.
"""

from uuid import UUID, uuid5

import msgspec

from samlad import orders, payments
from samlad.access import audit
from samlad.books import events, posting, store, till_rules, till_store, tills, tip_store
from samlad.books.model import MovedFor, Shift, TillState, VoucherKind
from samlad.books.permissions import READ, TIPS
from samlad.books.posting import Cause, Fact
from samlad.books.tip_model import Means, TipPayout, TipPayoutInput, TipsState, UndoTipsInput
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.stock import Location


async def pay_out(tx: Tx, data: TipPayoutInput) -> TipPayout:
    """Pay all that is owed to somebody at a location. The same ``id`` again pays once.

    Raises:
        TipsState: another sum is owed than what was to be paid. TillState: the drawer is closed, or another location's.
        InvalidInput: which drawer was not said. Conflict: the id was used for something else.
    """
    tx.actor.require(TIPS, location=data.location)
    key, known = data.id or new_id(), None
    if data.id is not None:
        known = await tip_store.payout(tx, data.id)
    if known is not None:
        return _same(known, data)
    place, channel = await tills.place_of(tx, data.location)
    shift = await _drawer(tx, data, place)
    book = await posting.book_of(tx, channel)
    whose = (data.location, data.clerk, data.name, data.currency)
    owed = await orders.lock_tips_owed(tx, whose, now())
    if data.id is not None and (known := await tip_store.payout(tx, data.id)) is not None:
        return _same(known, data)  # it was paid while this one waited
    amount = sum(each.owed for each in owed)
    if amount != data.amount:
        raise TipsState("Something else is owed by now: look once more.", owed=amount)
    payout = TipPayout(
        id=key,
        location=place.id,
        clerk=data.clerk,
        clerk_name=max(owed, key=lambda each: each.order_id).clerk_name,  # ids are made in the order of time
        currency=data.currency,
        amount=amount,
        paid=amount
        if shift is None
        else payments.round_cash(amount, payments.coin_of(channel, data.currency)),
        means=data.means,
        shift=None if shift is None else shift.id,
        actor=tx.actor.label,
        name=tx.actor.name,
        at=now(),
    )
    lines = [(each.order_id, each.owed) for each in owed]
    if not await tip_store.insert(tx, payout, lines):
        raise Conflict.at("id", "it was used for something else")
    await orders.add_tips_paid(tx, [order for order, _ in lines], [worth for _, worth in lines])
    if shift is not None and payout.paid:
        await till_store.add_movement(
            tx, shift.id, key, MovedFor.TIPS, -payout.paid, payout.clerk_name[:120], till_store.by(tx)
        )
    await _book(tx, book.id, payout, (place, channel), shift, 1)
    fact = events.TipsPaid(
        location=place.id, clerk=data.clerk, amount=amount, currency=data.currency, means=data.means
    )
    log.append(tx, fact, subject=key, channel=channel.id)
    after = {"clerk": data.clerk, "amount": amount, "currency": data.currency, "means": data.means}
    audit.record(tx, "tips.paid-out", "tip_payout", key, after=after)
    return payout


def _same(known: TipPayout, data: TipPayoutInput) -> TipPayout:
    if (known.location, known.clerk, known.amount) != (data.location, data.clerk, data.amount):
        raise Conflict.at("id", "it was used for something else")
    return known


async def _drawer(tx: Tx, data: TipPayoutInput, place: Location) -> Shift | None:
    """The open drawer that cash comes out of, held; the book first, as everywhere."""
    if data.means is not Means.DRAWER:
        return None
    if data.shift is None:
        raise InvalidInput.at("shift", "say out of which drawer")
    return await _open(tx, data.shift, place.id, data.currency)


async def _open(tx: Tx, shift_id: UUID, location: UUID, currency: str) -> Shift:
    known = await till_store.shift(tx, shift_id)
    if known is None or known.location != location or known.currency != currency:
        raise InvalidInput.at("shift", "there is no such drawer here")
    await store.share_book(tx, known.book)
    found = await till_store.lock_shift(tx, shift_id)
    assert found is not None
    if found.closed_at is not None:
        raise TillState("This drawer was counted meanwhile: choose one that is open.", shift=str(shift_id))
    return found


async def _book(
    tx: Tx, book_id: UUID, payout: TipPayout, at: tuple[Location, Channel], shift: Shift | None, sign: int
) -> None:
    """Book it (``sign`` 1), or the opposite of it (-1)."""
    place, channel = at
    book = await store.book(tx, book_id)
    assert book is not None
    whose = payout.clerk_name or "staff"
    fact = Fact(
        kind=VoucherKind.TIP if shift is None else VoucherKind.TILL,
        subject=payout.id if shift is None else shift.id,
        text=f"Tips paid out: {whose}" if sign > 0 else f"Tips not paid out after all: {whose}",
        channel=channel,
        location=place.id,
    )
    cause = Cause(key=f"tips:{'paid' if sign > 0 else 'undone'}:{payout.id}", at=now(), actor=tx.actor.label)
    target = till_rules.tips_target(
        payout.amount, payout.paid, payout.means, payout.currency, (channel.id, place.id, place.code)
    )
    await posting.post(tx, book, fact, cause, {entry: sign * value for entry, value in target.items()})


async def get(reader: Reader, payout_id: UUID) -> TipPayout:
    """A payout. Raises NotFound."""
    found = await tip_store.payout(reader, payout_id)
    if found is None:
        raise NotFound("There is no such payout of tips.")
    return found


async def undo(tx: Tx, payout_id: UUID, data: UndoTipsInput) -> TipPayout:
    """The tips are owed again; cash goes back into a drawer that is open. Twice is once.

    Raises:
        NotFound. TillState: the drawer was counted. InvalidInput: it is no drawer of this location.
    """
    known = await tip_store.payout(tx, payout_id)
    if known is None:
        tx.actor.require(READ)
        raise NotFound("There is no such payout of tips.")
    tx.actor.require(TIPS, location=known.location)
    cards.refuse(data.reason, "reason")
    if known.undone_at is not None:
        return known
    place, channel = await tills.place_of(tx, known.location)
    shift = (
        None if known.shift is None else await _open(tx, data.shift or known.shift, place.id, known.currency)
    )
    book = await posting.book_of(tx, channel)
    held = await tip_store.lock(tx, payout_id)
    assert held is not None
    if held.undone_at is not None:
        return held
    at = now()
    await tip_store.undo(tx, payout_id, (tx.actor.label, tx.actor.name, at), data.reason)
    lines = await tip_store.lines(tx, payout_id)
    await orders.add_tips_paid(tx, [order for order, _ in lines], [-amount for _, amount in lines])
    if shift is not None and held.paid:
        key = uuid5(payout_id, "undone")
        await till_store.add_movement(
            tx, shift.id, key, MovedFor.TIPS, held.paid, data.reason[:120], till_store.by(tx)
        )
    await _book(tx, book.id, held, (place, channel), shift, -1)
    fact = events.TipsUnpaid(
        location=place.id, clerk=held.clerk, amount=held.amount, currency=held.currency, reason=data.reason
    )
    log.append(tx, fact, subject=payout_id, channel=channel.id)
    audit.record(tx, "tips.payout-undone", "tip_payout", payout_id, after={"reason": data.reason})
    return msgspec.structs.replace(
        held, undone_by=tx.actor.label, undone_name=tx.actor.name, undone_at=at, reason=data.reason
    )
