"""Book facts: what the log tells becomes vouchers. Parts of the follower's work and of the verbs of tills and days.

Each function brings one subject (an order, a payment, a refund …) in line with its target (`samlad.books.rules`), so
that it books nothing when it is called again. Days that a place has closed are left alone: what comes after is
booked on its next open day.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad import channels, tax
from samlad.books import purposes, rules, store
from samlad.books.model import SERIES, Book, Entry, VoucherHead, VoucherKind, VoucherLine
from samlad.channels import Channel, Resource
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is booked: ``at`` is when it happened, ``key`` what it is booked for, once."""

    key: str
    at: datetime
    actor: str
    event: UUID | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What is booked: the subject, its day and place, and what a person reads."""

    kind: VoucherKind
    subject: UUID
    text: str
    channel: Channel
    location: UUID | None = None
    order_id: UUID | None = None
    day: date | None = None
    reverses: UUID | None = None

    @property
    def place(self) -> UUID:
        """The location or channel whose day it belongs to."""
        return self.location or self.channel.id


async def book_of(tx: Tx, channel: Channel, *, alone: bool = False) -> Book:
    """The book of a channel, which nobody closes a day of until this transaction ends; ``alone``: nor posts in.

    Whoever wants it alone asks so first: two who share it and both want more would wait for each other.
    """
    take = store.lock_book if alone else store.share_book
    pool = channel.pools[Resource.ORDERS]
    found = await take(tx, pool)
    if found is None:
        await store.make_book(tx, channel)
        found = await take(tx, pool)
    assert found is not None
    return found


async def post(
    tx: Tx, book: Book, fact: Fact, cause: Cause, amounts: Mapping[Entry, int], *, day: date | None = None
) -> int | None:
    """Write one voucher on the accounts that hold that day, if there is anything to book; its number, or None.

    ``day`` is taken as it is given; without it the voucher goes onto the first open day.

    Raises:
        InvalidInput: a purpose without an account.
        asyncpg.CheckViolationError: the lines do not come to zero.
    """
    if not amounts:
        return None
    happened = fact.day or local_day(cause.at, fact.channel.time_zone)
    on = day or await store.open_day(tx, fact.place, happened)
    own = await store.accounts(tx, book.id)
    lines = [
        VoucherLine(
            position=position,
            purpose=entry.purpose,
            account=purposes.account_of(entry.purpose, on, book.country, own).number,
            amount=amount,
            currency=entry.currency,
            channel=entry.channel,
            location=entry.location,
            tender=entry.tender,
            tax_rate=entry.tax_rate,
        )
        for position, (entry, amount) in enumerate(amounts.items(), 1)
    ]
    return await _write(tx, book, fact, cause, lines, (on, happened))


async def take_back(tx: Tx, book: Book, fact: Fact, cause: Cause, lines: Sequence[VoucherLine]) -> int | None:
    """Write the opposite of lines, on the same accounts; the voucher's number, or None if that was done before."""
    happened = local_day(cause.at, fact.channel.time_zone)
    on = await store.open_day(tx, fact.place, happened)
    opposite = [msgspec.structs.replace(line, amount=-line.amount) for line in lines]
    return await _write(tx, book, fact, cause, opposite, (on, happened))


async def _write(
    tx: Tx, book: Book, fact: Fact, cause: Cause, lines: Sequence[VoucherLine], days: tuple[date, date]
) -> int | None:
    on, happened = days
    head = VoucherHead(
        id=new_id(),
        book=book.id,
        series=SERIES[fact.kind],
        year=on,
        number=0,
        day=on,
        fact_day=happened,
        place=fact.place,
        text=fact.text[:200],
        kind=fact.kind,
        cause=cause.key,
        event=cause.event,
        subject=fact.subject,
        order_id=fact.order_id,
        reverses=fact.reverses,
        actor=cause.actor,
        posted_at=now(),
    )
    return await store.insert(tx, head, lines)


async def _settle(tx: Tx, book: Book, fact: Fact, cause: Cause, target: Mapping[Entry, int]) -> int | None:
    """Book what a subject lacks of its target."""
    booked = await store.booked(tx, fact.subject, fact.kind)
    keyed = msgspec.structs.replace(cause, key=f"{fact.kind}:{fact.subject}:{cause.key}")
    return await post(tx, book, fact, keyed, rules.difference(target, booked))


async def settle_order(tx: Tx, order_id: UUID, cause: Cause) -> None:
    """An order: its sales and tax, as far as they are to be booked now. Imported ones only where the book says so."""
    order = await store.order_fact(tx, order_id)
    if order is None:
        return
    channel = await channels.cached(tx, order.channel)
    book = await book_of(tx, channel)
    if order.imported is not None and not book.posts_imports:
        return
    if any(line.tax_treatment == "margin" for line in order.lines):
        order = msgspec.structs.replace(order, margin_rate=await _margin_rate(tx, channel, order.local_day))
    target = rules.order_target(order, book.country, book.recognition)
    if order.imported is not None:  # nobody pays here what was paid then
        target = {
            msgspec.structs.replace(entry, purpose="imported")
            if entry.purpose == "receivables"
            else entry: amount
            for entry, amount in target.items()
        }
    fact = Fact(
        kind=VoucherKind.ORDER,
        subject=order.id,
        text=f"{order.kind.title()} {order.number}",
        channel=channel,
        location=order.location,
        order_id=order.id,
        day=order.local_day if order.imported is not None else None,
    )
    await _settle(tx, book, fact, cause, target)


async def _margin_rate(tx: Tx, channel: Channel, day: date) -> int:
    """The rate of tax on a margin: the standard one at home (directive 2006/112/EC, article 315)."""
    found = (await tax.current(tx)).rates(channel).find(channel.country, "", tax.STANDARD, day)
    return 0 if found is None else found.rate_bp


async def settle_tip(tx: Tx, order_id: UUID, cause: Cause) -> None:
    """What was given for the staff with an order."""
    tip = await store.tip_fact(tx, order_id)
    if tip is None:
        return
    channel = await channels.cached(tx, tip.channel)
    fact = Fact(
        kind=VoucherKind.TIP,
        subject=order_id,
        text=f"Tip {tip.number}",
        channel=channel,
        location=tip.location,
        order_id=order_id,
    )
    await _settle(tx, await book_of(tx, channel), fact, cause, rules.tip_target(tip))


async def settle_settlement(tx: Tx, settlement_id: UUID, cause: Cause) -> None:
    """What a payment provider kept, corrected or paid out."""
    found = await store.settlement_fact(tx, settlement_id)
    channel = None if found is None else await _channel(tx, found.channel)
    if found is None or channel is None:
        return
    fact = Fact(
        kind=VoucherKind.SETTLEMENT,
        subject=found.id,
        text=f"{found.provider} {found.kind} {found.reference}",
        channel=channel,
    )
    target = rules.settlement_target(
        found.provider, found.kind, found.amount, found.fee, found.currency, channel.id
    )
    await _settle(tx, await book_of(tx, channel), fact, cause, target)


async def settle_points(tx: Tx, customer: UUID, cause: Cause) -> None:
    """What a customer's points are worth: in one book, that of the oldest channel of their pool of customers."""
    found = await store.points_fact(tx, customer)
    channel_id = None if found is None else await store.channel_of_pool(tx, found[0])
    if found is None or channel_id is None:
        return
    channel = await channels.cached(tx, channel_id)
    book = await book_of(tx, channel)
    if not book.points_worth and not await store.booked(tx, customer, VoucherKind.POINTS):
        return
    fact = Fact(kind=VoucherKind.POINTS, subject=customer, text="Points", channel=channel)
    target = rules.points_target(found[1], book.points_worth, book.currency, channel.id)
    await _settle(tx, book, fact, cause, target)


async def posts_imports(tx: Tx, channel_id: UUID | None) -> bool:
    """Whether the book of a channel has imported orders, too. Asked once for thousands of them; most have not."""
    if channel_id is None:
        return False
    channel = await channels.cached(tx, channel_id)
    found = await store.book(tx, channel.pools[Resource.ORDERS])
    return found is not None and found.posts_imports


async def settle_payment(tx: Tx, payment_id: UUID, cause: Cause) -> None:
    """What came in by a payment."""
    payment = await store.payment_fact(tx, payment_id)
    if payment is None or payment.channel is None:
        return
    channel = await channels.cached(tx, payment.channel)
    fact = Fact(
        kind=VoucherKind.PAYMENT,
        subject=payment.id,
        text=f"{payment.provider} {payment.number or ''}".strip(),
        channel=channel,
        location=payment.location,
        order_id=payment.order_id,
    )
    await _settle(tx, await book_of(tx, channel), fact, cause, rules.payment_target(payment))


async def settle_refund(tx: Tx, refund_id: UUID, cause: Cause) -> None:
    """What goes back by a refund."""
    found = await store.refund_fact(tx, refund_id)
    if found is None or found.payment.channel is None:
        return
    payment = found.payment
    channel = await channels.cached(tx, found.payment.channel)
    fact = Fact(
        kind=VoucherKind.REFUND,
        subject=refund_id,
        text=f"Refund {found.way or payment.provider} {payment.number or ''}".strip(),
        channel=channel,
        location=found.location,
        order_id=payment.order_id,
    )
    await _settle(tx, await book_of(tx, channel), fact, cause, rules.refund_target(found))


async def settle_receipt(tx: Tx, receipt_id: UUID, cause: Cause) -> None:
    """Money that came in by bank and nobody knows what for."""
    found = await store.receipt_fact(tx, receipt_id)
    if found is None:
        return
    currency, amount, channel_id = found
    channel = await _channel(tx, channel_id)
    if channel is None:
        return
    fact = Fact(kind=VoucherKind.RECEIPT, subject=receipt_id, text="Unmatched money", channel=channel)
    target = (
        {Entry("bank", currency, channel.id): amount, Entry("unmatched", currency, channel.id): -amount}
        if amount
        else {}
    )
    await _settle(tx, await book_of(tx, channel), fact, cause, target)


async def _channel(tx: Tx, channel: UUID | None) -> Channel | None:
    """This channel, else the oldest one of the shop."""
    if channel is not None:
        return await channels.cached(tx, channel)
    known = [one for one in await channels.cached_all(tx) if one.parent is None]
    return min(known, key=lambda one: (one.created_at, one.code), default=None)


async def settle_credit(tx: Tx, holder: UUID, cause: Cause) -> None:
    """Value that a gift card or a customer was given or has lost, each transaction once."""
    for each in await store.credit_facts(tx, holder):
        channel_id = each.channel or await store.channel_of_pool(tx, each.pool)
        if channel_id is None:
            continue
        channel = await channels.cached(tx, channel_id)
        fact = Fact(
            kind=VoucherKind.CREDIT,
            subject=each.id,
            text=f"Credit: {each.kind}",
            channel=channel,
            order_id=each.order_id,
        )
        keyed = msgspec.structs.replace(cause, key=f"credit:{each.id}")
        target = rules.credit_target(each.legs, (channel.id, None))
        await post(tx, await book_of(tx, channel), fact, keyed, target)


async def settle_stock(
    tx: Tx, event: UUID, reference: UUID | None, levels: list[tuple[UUID, UUID]], cause: Cause
) -> None:
    """What goods that moved were worth: the cost of what was sold, and what was lost or found.

    ``reference`` is the order that sold them or that they came back by, a count, or nothing; ``levels`` are (location,
    variant).
    """
    moves = await store.stock_moves(tx, event, reference, levels)
    if not any(value for *_, value in moves):
        return
    sold = None if reference is None else await store.order_fact(tx, reference)
    channel_id = sold.channel if sold else await store.channel_of_location(tx, moves[0][0])
    channel = await _channel(tx, channel_id)
    if channel is None:
        return
    fact = Fact(
        kind=VoucherKind.STOCK,
        subject=event,
        text=f"Goods {sold.number}" if sold else f"Stock: {moves[0][2]}",
        channel=channel,
        location=sold.location if sold else moves[0][0],
        order_id=sold.id if sold else None,
    )
    await _settle(tx, await book_of(tx, channel), fact, cause, rules.stock_target(moves, channel.id))


async def settle_supplier_return(tx: Tx, return_id: UUID, cause: Cause) -> None:
    """Goods that went back to a supplier, and what was credited for them."""
    found = await store.supplier_return_fact(tx, return_id)
    channel = (
        None if found is None else await _channel(tx, await store.channel_of_location(tx, found.location))
    )
    if found is None or channel is None:
        return
    fact = Fact(
        kind=VoucherKind.SUPPLIER_RETURN,
        subject=found.id,
        text=f"To supplier {found.number}",
        channel=channel,
        location=found.location,
    )
    target = rules.supplier_return_target(found, channel.id)
    await _settle(tx, await book_of(tx, channel), fact, cause, target)
