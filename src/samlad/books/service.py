"""The verbs of books: what they are called and when they book, which account is for what, taking a voucher back."""

from datetime import date
from uuid import UUID

import msgspec

from samlad import channels
from samlad.access import audit
from samlad.books import events, posting, purposes, revalue, store
from samlad.books.model import (
    Account,
    AccountInput,
    Book,
    BookChange,
    ReverseInput,
    Voucher,
    VoucherKind,
    VoucherState,
)
from samlad.books.permissions import ACCOUNTS, REOPEN
from samlad.books.posting import Cause, Fact
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import Conflict, NotFound


async def get(reader: Reader, book_id: UUID) -> Book:
    """A book. Raises NotFound."""
    found = await store.book(reader, book_id)
    if found is None:
        raise NotFound("There is no such book; one is made at the first sale of a pool of orders.")
    return found


async def change(tx: Tx, book_id: UUID, data: BookChange, *, version: int | None = None) -> Book:
    """Change a book's name, number, fiscal year and when it recognises income. What is booked stays.

    Raises:
        NotFound, Outdated. Conflict: the fiscal year of a book that has vouchers.
    """
    tx.actor.require(ACCOUNTS)
    old = await store.lock_book(tx, book_id)
    if old is None:
        raise NotFound("There is no such book.")
    check_version(version, old.version)
    values = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not None}
    is_moved = values.get("fiscal_month", old.fiscal_month) != old.fiscal_month
    if is_moved and await tx.value("SELECT EXISTS (SELECT FROM voucher WHERE book = $1)", book_id):
        raise Conflict("Its vouchers are numbered by fiscal year already; the first month cannot be moved.")
    if values:
        await store.change_book(tx, book_id, values)
    new = await get(tx, book_id)
    if new.points_worth != old.points_worth:
        await revalue.defer(tx, book_id)
    audit.record(tx, "book.changed", "book", book_id, before=old, after=new)
    return new


async def chart(reader: Reader, book_id: UUID, day: date) -> list[Account]:
    """The accounts of all purposes on a day: the default chart's, and what the shop has mapped instead."""
    book = await get(reader, book_id)
    own = await store.accounts(reader, book_id)
    wanted = {*purposes.chart(book.country), *(one.purpose for one in own)}
    found = [
        msgspec.structs.replace(purposes.account_of(purpose, day, book.country, own), purpose=purpose)
        for purpose in sorted(wanted)
    ]
    return sorted(found, key=lambda one: (one.number, one.purpose))


async def set_account(tx: Tx, book_id: UUID, data: AccountInput) -> list[Account]:
    """Book a purpose on another account from a day on; vouchers that are there stay as they are.

    Raises:
        NotFound: no such book. InvalidInput: a purpose that is never booked.
    """
    tx.actor.require(ACCOUNTS)
    purposes.check(data.purpose)
    await get(tx, book_id)
    given = Account(
        purpose=data.purpose, number=data.number, name=data.name.strip(), valid_from=data.valid_from
    )
    await store.set_account(tx, book_id, given)
    audit.record(tx, "book.account-set", "book", book_id, after=given)
    return await chart(tx, book_id, data.valid_from)


async def names(reader: Reader, book: Book) -> dict[str, str]:
    """The names of accounts by number: the shop's latest before the chart's."""
    found = dict(purposes.chart(book.country).values())
    for one in reversed(await store.accounts(reader, book.id)):
        found[one.number] = one.name
    return found


async def voucher(reader: Reader, voucher_id: UUID) -> Voucher:
    """A voucher with its lines. Raises NotFound."""
    found = await store.voucher(reader, voucher_id)
    if found is None:
        raise NotFound("There is no such voucher.")
    return found


async def reverse(tx: Tx, voucher_id: UUID, data: ReverseInput) -> Voucher:
    """Take a voucher back by another with the opposite amounts, dated today; both stay. Done twice it is done once.

    Raises:
        NotFound: no such voucher. VoucherState: it is a reversal, or was reversed.
    """
    tx.actor.require(REOPEN, shop_wide=True)
    cards.refuse(data.reason, "reason")
    old = await voucher(tx, voucher_id)
    if old.reverses is not None:
        raise VoucherState("It is itself a reversal.")
    channel_id = next((line.channel for line in old.lines if line.channel is not None), None)
    assert channel_id is not None
    channel = await channels.get(tx, channel_id)
    book = await posting.book_of(tx, channel)
    location = old.place if old.place != channel.id else None
    fact = Fact(
        kind=VoucherKind.REVERSAL,
        subject=voucher_id,
        text=f"Reverses {old.series}{old.number}: {data.reason}",
        channel=channel,
        location=location,
        order_id=old.order_id,
        reverses=voucher_id,
    )
    cause = Cause(key=f"reversal:{voucher_id}", at=now(), actor=tx.actor.label)
    number = await posting.take_back(tx, book, fact, cause, old.lines)
    again = await voucher(tx, voucher_id)
    if number is None or again.reversed_by is None:
        raise VoucherState("It was reversed before.", by=str(again.reversed_by))
    reversed_fact = events.VoucherReversed(voucher=voucher_id, by=again.reversed_by, reason=data.reason)
    log.append(tx, reversed_fact, subject=voucher_id, channel=channel.id)
    audit.record(tx, "voucher.reversed", "voucher", voucher_id, after={"reason": data.reason})
    return again
