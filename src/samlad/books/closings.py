"""Days: what a place sold and took, closed once, reopened with a reason.

A place is a location, or a channel for what it sells without one. Whoever closes holds the book, so nothing is posted
on that day meanwhile, and the follower books what comes later on the next open day.
"""

from datetime import date
from uuid import UUID

import msgspec

from samlad import channels, stock
from samlad.access import audit
from samlad.books import closing_store, events, posting, store
from samlad.books.followers import MONEY_EVENTS
from samlad.books.model import (
    CloseDayInput,
    DayClosing,
    DayReport,
    DayState,
    Entry,
    ReopenInput,
    TenderDay,
    VoucherKind,
)
from samlad.books.permissions import CLOSE, REOPEN
from samlad.books.posting import Cause, Fact
from samlad.books.rules import tender_purpose
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.clock import day_bounds, local_day, now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Whose day it is: a location with its store, or a channel. ``time_zone`` says when its day ends."""

    id: UUID
    kind: str
    name: str
    code: str
    channel: Channel
    location: UUID | None
    time_zone: str


async def place_of(reader: Reader, place: UUID) -> Place:
    """A location in which a store stands, or a channel.

    Raises:
        InvalidInput: neither.
    """
    try:
        here = await stock.location(reader, place)
    except NotFound:
        here = None
    try:
        channel = await channels.get(reader, place if here is None or here.channel is None else here.channel)
    except NotFound:
        raise InvalidInput.at("place", "neither a store's location nor a channel") from None
    if here is None:
        return Place(
            id=channel.id,
            kind="channel",
            name=channel.name,
            code=channel.code,
            channel=channel,
            location=None,
            time_zone=channel.time_zone,
        )
    return Place(
        id=here.id,
        kind="location",
        name=here.name,
        code=here.code,
        channel=channel,
        location=here.id,
        time_zone=here.time_zone,
    )


async def report(reader: Reader, place: Place, day: date) -> DayReport:
    """What a place sold and took on a day, as it is in the book now."""
    start, end = day_bounds(day, place.time_zone)
    shifts = await closing_store.shifts_closed(reader, place.id, start, end)
    tenders = await closing_store.tenders(reader, place.id, day)
    sold, returned, vouchers = await closing_store.sold(reader, place.id, day)
    return DayReport(
        place=place.id,
        place_kind="location" if place.location else "channel",
        name=place.name,
        day=day,
        currency=place.channel.currency,
        vouchers=vouchers,
        sold=sold,
        returned=returned,
        tenders=tenders,
        rates=await closing_store.rates(reader, place.id, day),
        cash_difference=sum(one.difference or 0 for one in shifts),
        shifts=[one.id for one in shifts],
    )


async def close_day(tx: Tx, data: CloseDayInput) -> DayClosing:
    """Close a day of a place: compare, book what providers' totals differ by, and let nothing more onto it.

    Raises:
        DayState: it is closed, not over yet in the place's time zone, or a drawer of it is open; or events of it are
            still to be booked (try again in a moment).
        InvalidInput: no such place, or a total of a tender that it has not.
    """
    tx.actor.require(CLOSE)
    cards.refuse(data.note, "note")
    place = await place_of(tx, data.place)
    # Staff who are bound to locations close their own; a channel without one only those who are bound to none.
    tx.actor.require(CLOSE, location=place.id)
    book = await posting.book_of(tx, place.channel, alone=True)
    await _may_close(tx, place, data.day)
    found = await report(tx, place, data.day)
    compared = _compared(found.tenders, data.provider_totals)
    closing_id = new_id()
    await _book_differences(tx, place, data.day, closing_id, compared)
    found = msgspec.structs.replace(found, tenders=compared)
    if not await closing_store.insert(tx, closing_id, book.id, found, data.note):
        raise DayState("It is closed already.", place=str(place.id), day=data.day.isoformat())
    fact = events.DayClosed(place=place.id, place_kind=place.kind, day=data.day)
    log.append(tx, fact, subject=closing_id, channel=place.channel.id)
    audit.record(tx, "day.closed", "closing", closing_id, after={"place": place.id, "day": data.day})
    closing = await closing_store.closing(tx, closing_id)
    assert closing is not None
    return closing


async def _may_close(tx: Tx, place: Place, day: date) -> None:
    def refusal(detail: str) -> DayState:
        return DayState(detail, place=str(place.id), day=day.isoformat())

    if await closing_store.is_closed(tx, place.id, day):
        raise refusal("It is closed already.")
    if day > local_day(now(), place.time_zone):
        raise refusal("It has not come yet.")
    end = day_bounds(day, place.time_zone)[1]
    still = await closing_store.open_drawers(tx, place.id, end)
    if still:
        raise refusal(f"Count these drawers first: {', '.join(still)}.")
    waiting = await closing_store.waiting(tx, end, MONEY_EVENTS)
    if waiting:
        raise refusal(f"{waiting} events are still to be booked. Try again in a moment.")


def _compared(tenders: list[TenderDay], totals: dict[str, int]) -> list[TenderDay]:
    """The tenders with what their providers say, and what that is more than ours.

    Raises:
        InvalidInput: cash, gift cards and credit have no provider's total.
    """
    known = {one.tender: one for one in tenders}
    for tender in totals:
        if tender in ("cash", "gift_card", "store_credit"):
            raise InvalidInput.at(f"provider_totals/{tender}", "only of providers of card and other payments")
        known.setdefault(tender, TenderDay(tender=tender, taken=0, given_back=0))
    return [
        msgspec.structs.replace(
            one, counted=totals[tender], difference=totals[tender] - (one.taken - one.given_back)
        )
        if tender in totals
        else one
        for tender, one in sorted(known.items())
    ]


async def _book_differences(tx: Tx, place: Place, day: date, closing: UUID, tenders: list[TenderDay]) -> None:
    book = await posting.book_of(tx, place.channel)
    amounts: dict[Entry, int] = {}
    against = Entry("till_difference", place.channel.currency, place.channel.id, place.location)
    for one in tenders:
        if one.difference:
            entry = Entry(
                tender_purpose(one.tender, place.code),
                place.channel.currency,
                place.channel.id,
                place.location,
                one.tender,
            )
            amounts[entry] = one.difference
            amounts[against] = amounts.get(against, 0) - one.difference
    fact = Fact(
        kind=VoucherKind.CLOSING,
        subject=closing,
        text=f"Day {day.isoformat()} {place.name}",
        channel=place.channel,
        location=place.location,
        day=day,
    )
    cause = Cause(key=f"closing:{closing}", at=now(), actor=tx.actor.label)
    await posting.post(
        tx, book, fact, cause, {entry: amount for entry, amount in amounts.items() if amount}, day=day
    )


async def reopen_day(tx: Tx, closing_id: UUID, data: ReopenInput) -> DayClosing:
    """Let entries onto a closed day again. The differences that it booked are taken back.

    Raises:
        NotFound: no such closing. DayState: it was reopened before.
    """
    cards.refuse(data.reason, "reason")
    found = await closing_store.closing(tx, closing_id)
    if found is None:
        tx.actor.require(REOPEN)
        raise NotFound("There is no such closing.")
    tx.actor.require(REOPEN, location=found.place)
    await store.lock_book(tx, found.book)
    if not await closing_store.reopen(tx, closing_id, data.reason):
        raise DayState("It was reopened before.", place=str(found.place), day=found.day.isoformat())
    place = await place_of(tx, found.place)
    booked = await store.booked(tx, closing_id, VoucherKind.CLOSING)
    fact = Fact(
        kind=VoucherKind.CLOSING,
        subject=closing_id,
        text=f"Reopened {found.day.isoformat()} {place.name}",
        channel=place.channel,
        location=place.location,
        day=found.day,
    )
    cause = Cause(key=f"reopening:{closing_id}", at=now(), actor=tx.actor.label)
    book = await posting.book_of(tx, place.channel)
    await posting.post(
        tx, book, fact, cause, {entry: -amount for entry, amount in booked.items()}, day=found.day
    )
    reopened = events.DayReopened(
        place=found.place, place_kind=found.place_kind, day=found.day, reason=data.reason
    )
    log.append(tx, reopened, subject=closing_id, channel=place.channel.id)
    after = {"place": found.place, "day": found.day, "reason": data.reason}
    audit.record(tx, "day.reopened", "closing", closing_id, after=after)
    again = await closing_store.closing(tx, closing_id)
    assert again is not None
    return again
