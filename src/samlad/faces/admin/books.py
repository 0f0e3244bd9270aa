"""The money book: vouchers, what accounts hold, which account is for what. Days and drawers are in `books_days`."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import books
from samlad.books import ACCOUNTS, READ, REOPEN, VOUCHERS, AccountInput, Book, BookChange, ReverseInput
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.design import formats
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.money import decimal_text, exponent
from samlad.kernel.problems import NotFound, Problem

BASE = "/admin/books"
PLOTTED_DAYS = 400
"""Days of one plot; a longer period shows its last ones."""


@get(BASE)
async def list_vouchers(request: AnyRequest) -> Response[Any]:
    """Vouchers, the latest day first."""
    require(request, READ)
    if actor_of(request).locations is not None:
        return go(request, "/admin/books/days")  # the money book is everybody's; their own days are theirs
    database = database_of(request)
    known = await books.books(database)
    found = await shown(request, database, VOUCHERS, [one.id for one in known])
    return await admin_page(
        request,
        "admin/books.html",
        list=found,
        books=known,
        kinds=translated(request, names.voucher_kind),
        names=names,
        tabs=tabs(request, BASE),
        period=_period(request, known[0] if known else None),
    )


def tabs(request: AnyRequest, here: str) -> list[dict[str, Any]]:
    """The pages of the money book."""
    _ = words(request)
    pages = [
        (_("Vouchers"), BASE),
        (_("Accounts"), f"{BASE}/accounts"),
        (_("Days"), f"{BASE}/days"),
        (_("Drawers"), f"{BASE}/shifts"),
        (_("Tips"), f"{BASE}/tips"),
        (_("Settings"), f"{BASE}/settings"),
    ]
    return [{"text": text, "href": href, "current": href == here} for text, href in pages]


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if 1900 <= found.year <= 9000 else None


def _period(request: AnyRequest, book: Book | None) -> tuple[date, date]:
    """The days that the address names, else this month."""
    today = local_day(now(), book.time_zone if book else "UTC")
    last = _day(request.query_params.get("to")) or today
    first = _day(request.query_params.get("from")) or last.replace(day=1)
    return min(first, last), last


async def _book(request: AnyRequest, database: Database) -> tuple[list[Book], Book | None]:
    """All books, and the one that the address names or the first."""
    known = await books.books(database)
    wanted = request.query_params.get("book")
    chosen = next((one for one in known if str(one.id) == wanted), None)
    return known, chosen or (known[0] if known else None)


@get(f"{BASE}/vouchers/{{voucher_id:uuid}}")
async def show_voucher(request: AnyRequest, voucher_id: FromPath[UUID]) -> Response[Any]:
    """A voucher with its lines."""
    require(request, READ, shop_wide=True)
    return await _voucher_page(request, voucher_id, Form())


async def _voucher_page(request: AnyRequest, voucher_id: UUID, form: Form) -> Response[Any]:
    database = database_of(request)
    voucher = await books.voucher(database, voucher_id)
    book = await books.get(database, voucher.book)
    return await admin_page(
        request,
        "admin/book_voucher.html",
        status_code=form.status,
        voucher=voucher,
        book=book,
        accounts=await books.names(database, book),
        purposes=books.PURPOSES,
        names=names,
        form=form,
    )


@post(f"{BASE}/vouchers/{{voucher_id:uuid}}/reverse")
async def reverse(request: AnyRequest, voucher_id: FromPath[UUID]) -> Response[Any]:
    """Take a voucher back by another."""
    require(request, REOPEN, shop_wide=True)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(ReverseInput)
        done = await change(request, lambda tx: books.reverse(tx, voucher_id, data))
    except NotFound:
        raise
    except Problem as problem:
        return await _voucher_page(request, voucher_id, form.failed(problem))
    return go(request, f"{BASE}/vouchers/{done.reversed_by}", _("The voucher was taken back by this one."))


@get(f"{BASE}/accounts")
async def show_accounts(request: AnyRequest) -> Response[Any]:
    """What each account holds in a period, and one of them over time."""
    require(request, READ, shop_wide=True)
    database = database_of(request)
    known, book = await _book(request, database)
    first, last = _period(request, book)
    rows = (
        []
        if book is None
        else await books.balances(database, book, await books.names(database, book), first, last)
    )
    wanted = request.query_params.get("account")
    chosen = next((row for row in rows if row.account == wanted), rows[0] if rows else None)
    return await admin_page(
        request,
        "admin/book_accounts.html",
        books=known,
        book=book,
        rows=rows,
        chosen=chosen,
        course=None
        if chosen is None or book is None
        else await _course(request, book, (chosen.account, chosen.name, chosen.currency), (first, last)),
        tabs=tabs(request, f"{BASE}/accounts"),
        period=(first, last),
    )


async def _course(
    request: AnyRequest, book: Book, account: tuple[str, str, str], period: tuple[date, date]
) -> dict[str, Any]:
    """The plot of what an account held at the end of each day."""
    _, locale = words(request), locale_of(request)
    number, name, currency = account
    first, last = period
    if (last - first).days >= PLOTTED_DAYS:
        first = date.fromordinal(last.toordinal() - PLOTTED_DAYS + 1)
    points = await books.over_time(database_of(request), book.id, number, currency, first, last)
    scale = 10 ** exponent(currency)
    said = _("%(account)s: %(first)s on %(start)s, %(last)s on %(end)s.") % {
        "account": f"{number} {name}",
        "first": formats.money(points[0].balance, currency, locale),
        "start": formats.day(points[0].day, locale),
        "last": formats.money(points[-1].balance, currency, locale),
        "end": formats.day(points[-1].day, locale),
    }
    option = {
        "xAxis": {"type": "category", "data": [formats.day_as(one.day, "d MMM", locale) for one in points]},
        "yAxis": {"type": "value"},
        "series": [
            {
                "name": f"{number} {name}",
                "type": "line",
                "step": "end",
                "showSymbol": len(points) < 2,
                "data": [one.balance / scale for one in points],
            }
        ],
    }
    return {"option": option, "said": said}


@get(f"{BASE}/settings")
async def show_settings(request: AnyRequest) -> Response[Any]:
    """What the book is called, when it books, and which account is for what."""
    require(request, READ, shop_wide=True)
    return await _settings_page(request, Form())


async def _settings_page(request: AnyRequest, form: Form) -> Response[Any]:
    database = database_of(request)
    known, book = await _book(request, database)
    today = local_day(now(), book.time_zone if book else "UTC")
    if book is not None and not form.fields:
        form = Form.of(
            name=book.name,
            org_number=book.org_number,
            fiscal_month=book.fiscal_month,
            recognition=book.recognition.value,
            posts_imports=book.posts_imports,
            points_worth=decimal_text(book.points_worth, book.currency),
            version=book.version,
            valid_from=today.isoformat(),
        )
    return await admin_page(
        request,
        "admin/book_settings.html",
        status_code=form.status,
        books=known,
        book=book,
        form=form,
        chart=[] if book is None else await books.chart(database, book.id, today),
        purposes=books.PURPOSES,
        months=[
            (str(month), formats.day_as(date(2024, month, 1), "LLLL", locale_of(request)))
            for month in range(1, 13)
        ],
        recognitions=translated(request, names.recognition),
        tabs=tabs(request, f"{BASE}/settings"),
    )


@post(f"{BASE}/settings")
async def save_settings(request: AnyRequest) -> Response[Any]:
    """Change the book."""
    require(request, ACCOUNTS)
    form, _ = await read_form(request), words(request)
    _known, book = await _book(request, database_of(request))
    if book is None:
        raise NotFound("There is no such book.")
    book_id = book.id
    try:
        data = form.into(
            BookChange,
            org_number=form.get("org_number").strip(),
            fiscal_month=form.whole("fiscal_month"),
            posts_imports=form.has("posts_imports"),
            points_worth=form.amount("points_worth", book.currency) or 0,
        )
        await change(request, lambda tx: books.change(tx, book_id, data, version=form.version()))
    except Problem as problem:
        return await _settings_page(request, form.failed(problem))
    return go(request, f"{BASE}/settings?book={book_id}", _("The book was changed."))


@post(f"{BASE}/settings/accounts")
async def save_account(request: AnyRequest) -> Response[Any]:
    """Book a purpose on another account from a day on."""
    require(request, ACCOUNTS)
    form, _ = await read_form(request), words(request)
    _known, book = await _book(request, database_of(request))
    if book is None:
        raise NotFound("There is no such book.")
    book_id = book.id
    try:
        data = form.into(AccountInput, name=form.text("account_name") or "")
        await change(request, lambda tx: books.set_account(tx, book_id, data))
    except Problem as problem:
        failed = form.failed(problem, {"name": "account_name"})
        for name, value in (
            ("name", book.name),
            ("org_number", book.org_number),
            ("fiscal_month", str(book.fiscal_month)),
            ("recognition", book.recognition.value),
            ("version", str(book.version)),
        ):
            failed.fields[name] = [value]
        return await _settings_page(request, failed)
    return go(request, f"{BASE}/settings?book={book_id}", _("The account is used from that day on."))


HANDLERS = [
    list_vouchers,
    show_voucher,
    reverse,
    show_accounts,
    show_settings,
    save_settings,
    save_account,
]
