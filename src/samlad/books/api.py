"""HTTP of the money book: vouchers, accounts, days and export. Drawers are in `samlad.books.api_tills`."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from samlad.books import closing_store, closings, exports, lists, service, store
from samlad.books.api_days import FirstDay, LastDay
from samlad.books.api_tills import TILLS
from samlad.books.api_tips import TIPS
from samlad.books.lists import CLOSINGS, VOUCHERS, ClosingRow, VoucherRow
from samlad.books.model import (
    Account,
    AccountInput,
    BalanceRow,
    Book,
    BookChange,
    CloseDayInput,
    DayClosing,
    DayPoint,
    DayReport,
    ReopenInput,
    ReverseInput,
    Voucher,
)
from samlad.books.permissions import READ
from samlad.kernel.clock import local_day, now
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.kernel.problems import InvalidInput, NotFound

Day = Annotated[date | None, QueryParameter(description="YYYY-MM-DD")]
From = Annotated[date | None, QueryParameter(name="from", description="First day, YYYY-MM-DD")]
To = Annotated[date | None, QueryParameter(name="to", description="Last day, YYYY-MM-DD; included")]
CurrencyCode = Annotated[
    str | None,
    QueryParameter(pattern="^[A-Z]{3}$", max_length=3, description="ISO 4217; default: the book's own"),
]
LONGEST_DAYS = 3_700
NO_CLOSING = "There is no such closing."


@get("/books", summary="List the money books")
async def list_books(request: AnyRequest) -> list[Book]:
    """One for each pool of orders in which something was sold."""
    actor_of(request).require(READ, shop_wide=True)
    return await store.books(database_of(request))


@get("/books/{book_id:uuid}", summary="Read a money book's settings")
async def read_book(request: AnyRequest, book_id: FromPath[UUID]) -> Response[Book]:
    """Its name, fiscal year and when it recognises income; an ETag of its version."""
    actor_of(request).require(READ, shop_wide=True)
    found = await service.get(database_of(request), book_id)
    return with_etag(found, found.version)


@patch("/books/{book_id:uuid}", summary="Change a money book's settings")
async def change_book(
    request: AnyRequest, book_id: FromPath[UUID], data: JSONBody[BookChange]
) -> Response[Book]:
    """What is booked already stays as it is. With If-Match only this version is changed."""
    version = if_match(request)
    return await write(request, lambda tx: service.change(tx, book_id, data, version=version))


@get("/books/{book_id:uuid}/accounts", summary="Read the chart of accounts")
async def read_accounts(request: AnyRequest, book_id: FromPath[UUID], day: Day = None) -> list[Account]:
    """The account of each purpose on a day (default: today)."""
    actor_of(request).require(READ, shop_wide=True)
    database = database_of(request)
    book = await service.get(database, book_id)
    return await service.chart(database, book_id, day or local_day(now(), book.time_zone))


@post("/books/{book_id:uuid}/accounts", summary="Map a purpose to an account", status_code=200)
async def set_account(
    request: AnyRequest, book_id: FromPath[UUID], data: JSONBody[AccountInput]
) -> Response[list[Account]]:
    """From a day on; the same day again corrects it. Purposes that are never booked are refused."""
    return await write(request, lambda tx: service.set_account(tx, book_id, data))


@get("/books/{book_id:uuid}/balances", summary="Read what accounts hold")
async def read_balances(
    request: AnyRequest, book_id: FromPath[UUID], start: From = None, end: To = None
) -> list[BalanceRow]:
    """Each account over a period (default: this month): before it, debit, credit, after it. Minor units."""
    actor_of(request).require(READ, shop_wide=True)
    database = database_of(request)
    book = await service.get(database, book_id)
    begin, last = period(book, start, end)
    return await lists.balances(database, book, await service.names(database, book), begin, last)


@get("/books/{book_id:uuid}/balances/{account:str}", summary="Read what an account held over time")
async def read_balance(
    request: AnyRequest,
    book_id: FromPath[UUID],
    account: FromPath[str],
    start: From = None,
    end: To = None,
    currency: CurrencyCode = None,
) -> list[DayPoint]:
    """What it held at the end of each day of a period of at most ten years (default: this month)."""
    actor_of(request).require(READ, shop_wide=True)
    database = database_of(request)
    book = await service.get(database, book_id)
    begin, last = period(book, start, end)
    if (last - begin).days > LONGEST_DAYS:
        raise InvalidInput.at("to", "at most ten years at once")
    if not account.isascii() or not account.isdecimal():
        raise NotFound("There is no such account.")
    return await lists.over_time(database, book_id, account, currency or book.currency, begin, last)


def period(book: Book, start: date | None, end: date | None) -> tuple[date, date]:
    """What was asked for, else the month until today where the book is.

    Raises:
        InvalidInput: it ends before it begins.
    """
    last = end or max(local_day(now(), book.time_zone), start or date.min)
    begin = start or last.replace(day=1)
    exports.check_period(begin, last)
    return begin, last


@get("/books/{book_id:uuid}/export", summary="Export a money book")
async def export(
    request: AnyRequest,
    book_id: FromPath[UUID],
    start: From = None,
    end: To = None,
    as_format: Annotated[Literal["csv", "sie"], QueryParameter(name="format")] = "csv",
    currency: CurrencyCode = None,
) -> Stream:
    """Every line of a period as CSV (RFC 4180), or the vouchers of a part of one fiscal year as SIE 4 (code page 437)."""
    actor_of(request).require(READ, shop_wide=True)
    database = database_of(request)
    book = await service.get(database, book_id)
    begin, last = period(book, start, end)
    name = f"books-{begin:%Y%m%d}-{last:%Y%m%d}"
    if as_format == "sie":
        exports.check_sie(book, begin, last, currency or book.currency)
        headers = {"Content-Disposition": f'attachment; filename="{name}.se"'}
        return Stream(
            exports.sie_file(database, book, begin, last, currency),
            media_type="application/octet-stream",
            headers=headers,
        )
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Stream(exports.csv_file(database, book, begin, last), media_type="text/csv", headers=headers)


@get("/books/vouchers", summary="List vouchers")
async def list_vouchers(
    request: AnyRequest,
    book: Wanted = None,
    series: Wanted = None,
    kind: Wanted = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    place: Wanted = None,
    order: Wanted = None,
    account: Wanted = None,
    tender: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[VoucherRow]]:
    """Vouchers of all books, the latest day first. Sort by day, number or debit; `q` searches text and number."""
    actor_of(request).require(READ, shop_wide=True)
    database = database_of(request)
    filters = {
        "book": book,
        "series": series,
        "kind": kind,
        "from": first_day,
        "to": last_day,
        "place": place,
        "order": order,
        "account": account,
        "tender": tender,
        "q": q,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    scope = [one.id for one in await store.books(database)]
    return await VOUCHERS.answer(database, query, scope, as_csv=as_format == "csv", name="vouchers")


@get("/books/vouchers/{voucher_id:uuid}", summary="Read a voucher")
async def read_voucher(request: AnyRequest, voucher_id: FromPath[UUID]) -> Voucher:
    """A voucher with its lines, which come to zero in each currency."""
    actor_of(request).require(READ, shop_wide=True)
    return await service.voucher(database_of(request), voucher_id)


@post("/books/vouchers/{voucher_id:uuid}/reverse", summary="Reverse a voucher", status_code=200)
async def reverse(
    request: AnyRequest, voucher_id: FromPath[UUID], data: JSONBody[ReverseInput]
) -> Response[Voucher]:
    """Take it back by another voucher, dated today, on the same accounts; both stay. Done once."""
    return await write(request, lambda tx: service.reverse(tx, voucher_id, data))


@get("/books/days", summary="List closed days")
async def list_days(
    request: AnyRequest,
    place: Wanted = None,
    status: Wanted = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[ClosingRow]]:
    """Closed and reopened days, the latest first."""
    actor = actor_of(request)
    actor.require(READ)
    filters = {"place": place, "status": status, "from": first_day, "to": last_day}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    scope = actor.bound_to
    return await CLOSINGS.answer(database_of(request), query, scope, as_csv=as_format == "csv", name="days")


@post("/books/days", summary="Close a day", status_code=201)
async def close_day(request: AnyRequest, data: JSONBody[CloseDayInput]) -> Response[DayClosing]:
    """Close a location's day (or a channel's that sells without one). Later corrections go to the next open day."""
    return await write(request, lambda tx: closings.close_day(tx, data), status=201)


@get("/books/days/report", summary="Read what a place sold and took on a day")
async def day_report(
    request: AnyRequest,
    place: Annotated[UUID, QueryParameter(description="Id of a location, or of a channel without one")],
    day: Annotated[date, QueryParameter(description="YYYY-MM-DD")],
) -> DayReport:
    """As it is in the book now, whether the day is closed or not."""
    actor_of(request).require(READ)
    database = database_of(request)
    here = await closings.place_of(database, place)
    actor_of(request).require(READ, location=here.id)
    if not 1900 <= day.year <= 9000:
        raise InvalidInput.at("day", "between the years 1900 and 9000")
    return await closings.report(database, here, day)


@get("/books/days/{closing_id:uuid}", summary="Read a closed day")
async def read_day(request: AnyRequest, closing_id: FromPath[UUID]) -> DayClosing:
    """What it came to when it was closed."""
    actor_of(request).require(READ)
    found = await closing_store.closing(database_of(request), closing_id)
    if found is None:
        raise NotFound(NO_CLOSING)
    actor_of(request).require(READ, location=found.place)
    return found


@post("/books/days/{closing_id:uuid}/reopen", summary="Reopen a closed day", status_code=200)
async def reopen_day(
    request: AnyRequest, closing_id: FromPath[UUID], data: JSONBody[ReopenInput]
) -> Response[DayClosing]:
    """With a reason, which the audit log keeps. The differences that it booked are taken back."""
    return await write(request, lambda tx: closings.reopen_day(tx, closing_id, data))


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_books,
            read_book,
            change_book,
            read_accounts,
            set_account,
            read_balances,
            read_balance,
            export,
            list_vouchers,
            read_voucher,
            reverse,
            list_days,
            close_day,
            day_report,
            read_day,
            reopen_day,
        ],
        tags=["Money book"],
    ),
    Router(path="/api", route_handlers=TILLS, tags=["Drawers"]),
    Router(path="/api", route_handlers=TIPS, tags=["Tips"]),
]
