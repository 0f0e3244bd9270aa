"""The book goes out as CSV and SIE 4 and can be read by others."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from bookkeeping import accounts, book_of
from hypothesis import given
from hypothesis import strategies as st
from sie_reader import fields, read
from typer.testing import CliRunner, Result

from samlad import books, orders
from samlad.books import BookChange, exports, sie
from samlad.cli import app
from samlad.kernel.clock import local_day, now
from samlad.kernel.problems import InvalidInput
from samlad.orders import FulfilInput, ReturnInput
from samlad.orders.model import LineSelection
from samlad.payments import PaymentInput
from trade import Trade


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def some_trade(trade: Trade) -> tuple[books.Book, date, date]:
    kettle = await trade.kettle(price=19_950, at=trade.at_malmo, quantity=20)
    for tender in ("cash", "test", "cash"):
        cart = await trade.cart((kettle, 2), channel=trade.malmo, delivery="carry_out")
        sold = await trade.place(cart.id, PaymentInput(provider=tender))
    back = ReturnInput(lines=[LineSelection(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.take_back(tx, sold.id, back))
    web = await trade.kettle(price=10_001)
    order = await trade.buy((web, 3))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    await trade.follow()
    book = await book_of(trade.db)
    change = BookChange(name='Kök & "Bad" Łódź – 100 € AB', org_number="556000-0000")
    await trade.db.transaction(lambda tx: books.change(tx, book.id, change))
    today = local_day(now(), "Europe/Stockholm")
    return await book_of(trade.db), today.replace(month=1, day=1), today


async def test_sie_says_what_the_book_says(trade: Trade) -> None:
    book, start, end = await some_trade(trade)
    found = read(await whole(exports.sie_file(trade.db, book, start, end)))
    assert found.labels["FNAMN"] == [['Kök & "Bad" Lódz - 100 EUR AB']] or found.labels["FNAMN"] == [
        ['Kök & "Bad" ?ódz - 100 EUR AB']
    ]
    assert found.labels["ORGNR"] == [["556000-0000"]]
    assert found.labels["VALUTA"] == [["SEK"]]
    held = {number: Decimal(amount) / 100 for number, amount in (await accounts(trade.db)).items()}
    sums: dict[str, Decimal] = {}
    for ver in found.vouchers:
        for account, _objects, amount in ver.lines:
            sums[account] = sums.get(account, Decimal()) + amount
    assert {number: amount for number, amount in sums.items() if amount} == held
    balances = found.amounts("UB") | found.amounts("RES")
    assert {number: amount for number, amount in balances.items() if amount} == held
    assert set(found.amounts("IB").values()) == {Decimal()}
    rows = await trade.db.rows("SELECT series, number FROM voucher ORDER BY 1, 2")
    assert [(ver.series, ver.number) for ver in found.vouchers] == [tuple(row.values()) for row in rows]
    cash = [line for ver in found.vouchers for line in ver.lines if line[0] == "1910"]
    assert cash[0][1] == {1: "malmo", 20: "malmo", 21: "cash"}


async def test_csv_is_every_line(trade: Trade) -> None:
    book, start, end = await some_trade(trade)
    raw = await whole(exports.csv_file(trade.db, book, start, end))
    assert raw.count(b"\n") == raw.count(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(raw.decode(), newline=""), strict=True))
    assert len(rows) == await trade.db.value("SELECT count(*) FROM voucher_line")
    debit = sum(Decimal(row["debit"] or 0) for row in rows)
    assert debit == sum(Decimal(row["credit"] or 0) for row in rows) > 0
    assert {row["account_name"] for row in rows if row["account"] == "1910"} == {"Kassa"}


async def test_a_sie_file_holds_one_fiscal_year(trade: Trade) -> None:
    book, _start, _end = await some_trade(trade)
    with pytest.raises(InvalidInput, match="one fiscal year"):
        exports.check_sie(book, date(2025, 12, 31), date(2026, 1, 1), "SEK")
    with pytest.raises(InvalidInput, match="two decimals"):
        exports.check_sie(book, date(2026, 1, 1), date(2026, 1, 2), "KWD")


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 12))
def test_each_day_is_in_its_fiscal_year(day: date, month: int) -> None:
    first, last = exports.fiscal_year(day, month)
    assert first <= day <= last
    assert first.month == month
    assert exports.fiscal_year(last, month) == (first, last)


@given(st.text(max_size=60))
def test_any_text_is_a_field_that_can_be_read_again(text: str) -> None:
    written = sie.field(text)
    (found,) = fields(written.encode("cp437").decode("cp437"))
    assert found == sie.in_pc8(text).replace("\\", "/")
    assert all(ord(letter) >= 32 for letter in written)


async def test_the_command_writes_what_the_book_says(
    trade: Trade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, start, end = await some_trade(trade)
    monkeypatch.setenv("SAMLAD_DATABASE_URL", trade.db.dsn)
    monkeypatch.setenv("SAMLAD_HOME", str(tmp_path))
    span = ["--from", start.isoformat(), "--to", end.isoformat()]

    async def samlad(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["export", "books", *arguments])

    file = tmp_path / "year.se"
    done = await samlad(str(file), *span, "--format", "sie")
    assert done.exit_code == 0, done.output
    assert len(read(file.read_bytes()).vouchers) == await trade.db.value("SELECT count(*) FROM voucher")
    shown = await samlad(*span, "--channel", "web")
    assert shown.stdout_bytes == await whole(exports.csv_file(trade.db, book, start, end))
    wrong = await samlad("--from", end.isoformat(), "--to", "2020-01-01")
    assert wrong.exit_code == 1
    assert "before the beginning" in str(wrong.exception)
