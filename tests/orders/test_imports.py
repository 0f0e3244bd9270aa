"""Orders of the past: real ones from the demo's file, whole or not at all, finished after being killed."""

import asyncio
import csv
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from samlad.demo import history
from samlad.kernel.problems import InvalidInput
from samlad.orders import import_files, imports
from samlad.orders.import_files import BrokenFile
from samlad.orders.import_model import OrderInput
from trade import Trade

SLICE = 2_000


@pytest.fixture(scope="session")
def slice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 2,000 invoices of the real file as JSON lines."""
    path = tmp_path_factory.mktemp("orders") / "slice.jsonl"
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        for record in itertools.islice(history.orders(), SLICE):
            file.write(encode(record) + b"\n")
    return path


def records_of(path: Path) -> list[OrderInput]:
    return [order for _, order in import_files.read(path) if isinstance(order, OrderInput)]


async def books(trade: Trade) -> tuple[Any, ...]:
    row = await trade.db.row(
        """SELECT (SELECT count(*) FROM orders), (SELECT sum(total) FROM orders)::bigint,
                  (SELECT count(*) FROM order_line), (SELECT sum(revenue) FROM order_day)::bigint,
                  (SELECT count(*) FROM customer), (SELECT sum(spent) FROM customer_spend)::bigint"""
    )
    assert row is not None
    return tuple(row.values())


def truth(records: list[OrderInput]) -> tuple[Any, ...]:
    total = sum(record.total_minor for record in records)
    buyers = {record.customer for record in records if record.customer}
    spent = sum(record.total_minor for record in records if record.customer)
    return (len(records), total, sum(len(r.lines) for r in records), total, len(buyers), spent)


async def test_real_invoices_come_in_exactly_and_only_once(trade: Trade, slice_file: Path) -> None:
    records = records_of(slice_file)
    assert len(records) == SLICE
    heard: list[int] = []
    report = await import_files.import_file(trade.db, trade.web, slice_file, progress=heard.append)
    assert (report.orders, report.skipped, sum(heard)) == (SLICE, 0, SLICE)
    assert await books(trade) == truth(records)
    await trade.sound()
    again = await import_files.import_file(trade.db, trade.web, slice_file)
    assert (again.orders, again.skipped) == (0, SLICE)
    assert await books(trade) == truth(records)
    events = await trade.db.rows("SELECT payload FROM event WHERE type = 'order.imported'")
    assert [len(event["payload"]["orders"]) for event in events] == [SLICE]
    await trade.follow()
    assert await books(trade) == truth(records), "nothing is counted twice by the follower"


async def test_returns_point_at_their_sales_and_move_no_stock(trade: Trade, slice_file: Path) -> None:
    await imports.run(trade.db, trade.web, records_of(slice_file))
    pairs = await trade.db.rows(
        """SELECT back.number, sale.number AS sale FROM orders back JOIN orders sale ON sale.id = back.returns
           WHERE back.kind = 'return'"""
    )
    expected = {(r.number, r.returns) for r in records_of(slice_file) if r.returns}
    assert {(row["number"], row["sale"]) for row in pairs} == expected
    assert expected
    assert await trade.db.value("SELECT count(*) FROM movement") == 0
    assert await trade.db.value("SELECT count(*) FROM orders WHERE imported IS NULL") == 0


KILLED = """
import asyncio, sys
from pathlib import Path
from samlad import channels
from samlad.kernel.database import open_database
from samlad.kernel.settings import load
from samlad.orders import import_files, imports
imports.CHUNK_ORDERS = 100
async def main(dsn, file):
    database = await open_database(dsn, load({}, home=Path(file).parent, database_url=dsn))
    web = await channels.by_code(database, "web")
    await import_files.import_file(database, web, Path(file), progress=lambda n: print(n, flush=True))
asyncio.run(main(*sys.argv[1:]))
"""


async def test_an_import_that_was_killed_is_finished_by_running_it_again(
    trade: Trade, slice_file: Path, dsn: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, dsn, str(slice_file), stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdout is not None
    for _ in range(4):
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"100\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    for _ in range(100):  # the server notices a little later
        if not await trade.db.value(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientRead' AND state LIKE 'idle in%'"
        ):
            break
        await asyncio.sleep(0.05)
    half = await trade.db.value("SELECT count(*) FROM orders")
    assert half % 100 == 0
    assert 400 <= half < SLICE
    await trade.sound()
    report = await import_files.import_file(trade.db, trade.web, slice_file)
    assert (report.orders, report.skipped) == (SLICE - half, half)
    assert await books(trade) == truth(records_of(slice_file))
    await trade.sound()


async def test_the_channels_numbers_go_on_after_those_that_came_in(trade: Trade) -> None:
    await imports.run(trade.db, trade.web, [an_order("W5000"), an_order("C-7")])
    placed = await trade.buy((await trade.kettle(), 1))
    assert placed.number == "W5001"


async def test_an_order_that_does_not_add_up_is_refused_with_where_and_why(trade: Trade) -> None:
    wrong = msgspec.structs.replace(an_order("2"), total_minor=999)
    with pytest.raises(InvalidInput) as refused:
        await imports.run(trade.db, trade.web, [an_order("1"), wrong])
    assert refused.value.errors[0].field == "order 2"
    assert "the lines come to 5000, but the order says 999" in refused.value.errors[0].message
    assert await trade.db.value("SELECT count(*) FROM orders") == 0


async def test_a_broken_file_is_told_of_as_a_whole_and_nothing_comes_in(trade: Trade, tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    good = msgspec.json.encode(an_order("1")).decode()
    odd = json.loads(good) | {"number": "2", "total_minor": 1}
    path.write_text("\n".join([good, "", "{not json", json.dumps(odd), good, json.dumps({"number": "3"})]))
    with pytest.raises(BrokenFile) as refused:
        await import_files.import_file(trade.db, trade.web, path)
    assert [(fault.line, fault.number) for fault in refused.value.faults] == [
        (3, None),
        (4, "2"),
        (5, "1"),
        (6, None),
    ]
    assert await trade.db.value("SELECT count(*) FROM orders") == 0


async def test_csv_says_the_same_as_json(trade: Trade, tmp_path: Path) -> None:
    orders = [an_order("1", customer="17850"), an_order("2", lines=3)]
    path = tmp_path / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, import_files.COLUMNS)
        writer.writeheader()
        for order in orders:
            plain = msgspec.to_builtins(order)
            for line in plain.pop("lines"):
                writer.writerow(plain | {f"line_{name}": value for name, value in line.items()})
    assert records_of(path) == orders
    rehearsed = await import_files.import_file(trade.db, trade.web, path, dry_run=True)
    assert (rehearsed.orders, rehearsed.lines, rehearsed.customers) == (2, 5, 1)
    assert rehearsed.unknown_skus == ["GONE"]
    assert await trade.db.value("SELECT count(*) FROM orders") == 0
    report = await import_files.import_file(trade.db, trade.web, path)
    assert (report.orders, report.lines, report.totals) == (2, 5, rehearsed.totals)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("number,colour\n1,red\n", "unknown columns"),
        ("", "missing columns"),
    ],
)
def test_csv_with_other_columns_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text)
    assert message in import_files.check(path)[0].message


def test_rows_of_one_order_agree(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    row = "1,2010-12-01T08:26:00Z,SEK,,{},sale,20,,GONE,Kettle,item,1,0.10,10,false,"
    path.write_text("\n".join([",".join(import_files.COLUMNS), row.format("SE"), row.format("NO")]))
    assert [f.message for f in import_files.check(path)] == ["country differs within order 1"]


def an_order(number: str, *, lines: int = 2, customer: str | None = None) -> OrderInput:
    line = {"sku": "GONE", "title": "Kettle", "kind": "item", "quantity": 1, "unit_price": "25.00"}
    given = {
        "number": number,
        "placed_at": "2010-12-01T08:26:00Z",
        "currency": "SEK",
        "customer": customer,
        "country": "SE",
        "total_minor": 2_500 * lines,
        "lines": [line | {"total_minor": 2_500}] * lines,
    }
    return msgspec.convert(given, OrderInput)
