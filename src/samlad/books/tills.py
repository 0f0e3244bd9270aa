"""The verbs of drawers: opened, used, counted without seeing what should be in them, closed with a Z report.

What was paid at a location belongs to the shift that is closed next there: each payment to one shift, whenever its
event is seen. So a sale that commits while its drawer is closed is in the next shift, and none is lost or counted twice.
What a till tells of later belongs to the shift in which it was made, be it counted by then.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad import channels, stock
from samlad.access import audit
from samlad.books import events, posting, store, till_rules, till_store
from samlad.books.model import (
    CloseTillInput,
    OpenTillInput,
    Shift,
    ShiftView,
    TillMovementInput,
    TillReport,
    TillState,
    VoucherKind,
)
from samlad.books.permissions import TILL, TILL_REPORT
from samlad.books.posting import Cause, Fact
from samlad.books.till_store import By
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.log import Event
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.stock import Location


async def note_payment(tx: Tx, event: Event) -> None:
    """A payment or refund at a location is kept for the shift that it belongs to. Part of the follower's work.

    What a till tells of after its drawer was counted is added to that shift: the cash was in the drawer when it was
    counted, so what was more than expected then is less of a difference now. The report that was printed is kept.
    """
    if event.type not in ("payment.captured", "payment.refunded") or not event.payload.get("order"):
        return
    await till_store.note_payment(tx, event.id)
    shift_id = await till_store.told_shift(tx, event.id)
    if shift_id is None:
        return
    found = await till_store.lock_shift(tx, shift_id)  # whoever counts it now has ended
    assert found is not None
    if found.closed_at is None:
        return
    cash = await till_store.add_late(tx, event.id, shift_id)
    if cash is None:
        return
    report = await _report(tx, found)
    await till_store.amend(tx, shift_id, report.expected, msgspec.to_builtins(report))
    place, channel = await place_of(tx, found.location)
    await _book(tx, place, channel, shift_id, f"late:{event.id}", -cash, "till_difference", now())
    assert found.number is not None
    assert found.counted is not None
    fact = events.TillAmended(
        till=found.till,
        location=place.id,
        number=found.number,
        amount=cash,
        difference=found.counted - report.expected,
        currency=found.currency,
    )
    log.append(tx, fact, subject=shift_id, channel=channel.id)


async def open_till(tx: Tx, data: OpenTillInput, *, who: By | None = None) -> ShiftView:
    """Open a drawer with what is in it. What that differs from what was left in it is booked as put in or taken out.

    ``who``, here and below: somebody did it before, as a till tells.

    Raises:
        TillState: it is open already. InvalidInput: the location is no store. NotFound: there is none.
    """
    tx.actor.require(TILL, location=data.location)
    place, channel = await place_of(tx, data.location)
    book = await posting.book_of(tx, channel)
    till = await till_store.lock_till(tx, place.id, data.till)
    shift_id, who = data.id or new_id(), who or till_store.by(tx)
    if not await till_store.insert_shift(
        tx, shift_id, till, book.id, channel.currency, data.float_amount, who
    ):
        known = await till_store.shift(tx, shift_id)
        if known is not None and known.till == till.id:
            return await view(tx, shift_id)
        raise TillState(f"Drawer {till.name} is open already.", till=till.name)
    await till_store.join(tx, shift_id, who)
    put_in = data.float_amount - till.left_in
    await _book(tx, place, channel, shift_id, f"open:{shift_id}", put_in, "safe", who.at)
    fact = events.TillOpened(
        till=till.id, location=place.id, amount=data.float_amount, currency=channel.currency
    )
    log.append(tx, fact, subject=shift_id, channel=channel.id)
    audit.record(tx, "till.opened", "till", till.id, after={"shift": shift_id, "float": data.float_amount})
    return await view(tx, shift_id)


async def join_till(tx: Tx, shift_id: UUID) -> ShiftView:
    """Somebody else works at this drawer, too: what they ring up is in its shift."""
    found = await lock_open(tx, shift_id)
    await till_store.join(tx, found.id, till_store.by(tx))
    return await view(tx, shift_id)


async def move_cash(tx: Tx, shift_id: UUID, data: TillMovementInput, *, who: By | None = None) -> ShiftView:
    """Put cash in or take it out. The same ``id`` again counts once.

    Raises:
        TillState: the drawer is closed. InvalidInput: nothing, or no word why.
    """
    found = await lock_open(tx, shift_id)
    if data.amount == 0:
        raise InvalidInput.at("amount", "more or less than nothing")
    if data.reason in ("petty_cash", "correction", "tips") and not data.note.strip():
        raise InvalidInput.at("note", "say what for")
    cards.refuse(data.note, "note")
    key, who = data.id or new_id(), who or till_store.by(tx)
    if await till_store.add_movement(tx, shift_id, key, data.reason, data.amount, data.note, who):
        place, channel = await place_of(tx, found.location)
        against = till_rules.against(data.reason)
        await _book(tx, place, channel, shift_id, f"move:{key}", data.amount, against, who.at)
        fact = events.TillMoved(
            till=found.till,
            location=place.id,
            reason=data.reason,
            amount=data.amount,
            currency=found.currency,
        )
        log.append(tx, fact, subject=shift_id, channel=channel.id)
        after = {"shift": shift_id, "amount": data.amount, "reason": data.reason, "note": data.note}
        audit.record(tx, "till.moved", "till", found.till, after=after)
    return await view(tx, shift_id)


async def close_till(
    tx: Tx, shift_id: UUID, data: CloseTillInput, *, version: int | None = None, who: By | None = None
) -> ShiftView:
    """Count a drawer and close it: its Z report. The difference to what should be there is booked openly.

    Raises:
        TillState: somebody else has closed it. InvalidInput: more is taken out than was counted.
    """
    cards.refuse(data.note, "note")
    found = await lock_open(tx, shift_id)
    check_version(version, found.version)
    who = who or till_store.by(tx)
    place, channel = await place_of(tx, found.location)
    counted = till_rules.counted(data.counts)
    if data.taken > counted:
        raise InvalidInput.at("taken", f"at most what was counted: {counted} (minor units)")
    await till_store.catch_up(tx, found.location)
    await till_store.claim(tx, found)
    report = await _report(tx, found)
    difference = counted - report.expected
    values = {
        "counted": counted,
        "counts": {key: pieces for key, pieces in data.counts.items() if pieces},
        "expected": report.expected,
        "taken": data.taken,
        "note": data.note,
        "report": msgspec.to_builtins(report),
    }
    number = await till_store.close_shift(tx, shift_id, found.till, values, counted - data.taken, who)
    await _book(tx, place, channel, shift_id, f"difference:{shift_id}", difference, "till_difference", who.at)
    await _book(tx, place, channel, shift_id, f"taken:{shift_id}", -data.taken, "safe", who.at)
    fact = events.TillClosed(
        till=found.till,
        location=place.id,
        number=number,
        counted=counted,
        difference=difference,
        currency=found.currency,
    )
    log.append(tx, fact, subject=shift_id, channel=channel.id)
    after = {"shift": shift_id, "number": number, "counted": counted, "difference": difference}
    audit.record(tx, "till.closed", "till", found.till, after=after)
    return await view(tx, shift_id)


async def x_report(tx: Tx, shift_id: UUID) -> TillReport:
    """What an open drawer has done so far, without closing anything; of a closed one its Z report.

    Raises:
        NotFound: there is no such shift.
    """
    known = await _found(tx, shift_id)
    tx.actor.require(TILL_REPORT, location=known.location)
    if known.report is not None:
        return known.report
    found = await till_store.lock_shift(tx, shift_id)
    assert found is not None
    if found.report is not None:
        return found.report
    await till_store.catch_up(tx, found.location)
    await till_store.claim(tx, found)
    return await _report(tx, found)


async def view(reader: Reader, shift_id: UUID) -> ShiftView:
    """A shift with what was moved. What should be in the drawer is not told before it was counted."""
    found = await _found(reader, shift_id)
    moved = await till_store.movements(reader, shift_id)
    return ShiftView(shift=found, movements=moved, difference=found.difference, report=found.report)


async def _report(reader: Reader, found: Shift) -> TillReport:
    tenders = await till_store.tenders(reader, found.id)
    sales, rates = await till_store.rates(reader, found.id)
    moved = sum(each.amount for each in await till_store.movements(reader, found.id))
    return TillReport(
        sales=sales,
        tenders=tenders,
        rates=rates,
        tips=await till_store.tips(reader, found.id),
        moved=moved,
        expected=till_rules.expected(found.float, tenders, moved),
    )


async def _found(reader: Reader, shift_id: UUID) -> Shift:
    found = await till_store.shift(reader, shift_id)
    if found is None:
        raise NotFound("There is no such shift.")
    return found


async def lock_open(tx: Tx, shift_id: UUID) -> Shift:
    """An open shift, held. The book first, as everywhere. Raises NotFound, TillState."""
    known = await till_store.shift(tx, shift_id)
    if known is None:
        tx.actor.require(TILL)
        raise NotFound("There is no such shift.")
    tx.actor.require(TILL, location=known.location)
    await store.share_book(tx, known.book)
    found = await till_store.lock_shift(tx, shift_id)
    assert found is not None
    if found.closed_at is not None:
        raise TillState(f"It was closed by {found.closed_name}.", shift=str(shift_id))
    return found


async def place_of(reader: Reader, location: UUID) -> tuple[Location, Channel]:
    place = await stock.location(reader, location)
    if place.channel is None:
        raise InvalidInput.at("location", "no store stands there")
    return place, await channels.get(reader, place.channel)


async def _book(
    tx: Tx, place: Location, channel: Channel, shift: UUID, key: str, amount: int, against: str, at: datetime
) -> None:
    """Book cash into a drawer (above zero) or out of it."""
    book = await posting.book_of(tx, channel)
    fact = Fact(
        kind=VoucherKind.TILL,
        subject=shift,
        text=f"Drawer {place.name}: {against.replace('_', ' ')}",
        channel=channel,
        location=place.id,
    )
    cause = Cause(key=f"till:{key}", at=at, actor=tx.actor.label)
    target = till_rules.moved_target(amount, against, channel.currency, (channel.id, place.id, place.code))
    await posting.post(tx, book, fact, cause, target)
