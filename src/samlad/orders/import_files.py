"""Orders in files: JSON lines or CSV (docs/how-to/import-orders.md), checked as a whole before anything is written.

A file is read twice, streamed: once to find every fault in it, once to bring it in. Nothing is half done when a file
is broken.
"""

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from samlad import catalog
from samlad.channels import Channel, Resource
from samlad.kernel.context import BACKGROUND, Context
from samlad.kernel.database import Database
from samlad.kernel.problems import InvalidInput
from samlad.orders import import_store, imports
from samlad.orders.import_model import Fault, OrderInput, Report, faults_of

MOST_FAULTS = 100
_ORDER_COLUMNS = ("number", "placed_at", "currency", "customer", "country", "kind", "total_minor", "returns")
_LINE_COLUMNS = (
    "sku",
    "title",
    "kind",
    "quantity",
    "unit_price",
    "total_minor",
    "stock_correction",
    "returns",
)
COLUMNS = (*_ORDER_COLUMNS, *(f"line_{name}" for name in _LINE_COLUMNS))
_OPTIONAL = {"customer", "kind", "returns", "line_sku", "line_kind", "line_stock_correction", "line_returns"}
_REQUIRED = frozenset(COLUMNS) - _OPTIONAL


class BrokenFile(InvalidInput):
    """The file has faults; ``faults`` says where and what. Nothing was imported."""

    code, title = "broken-file", "The file has faults; nothing was imported"

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        first = faults[0]
        super().__init__(
            f"line {first.line}: {first.message} ({len(faults)} faults)", faults=msgspec.to_builtins(faults)
        )


async def import_file(
    database: Database,
    channel: Channel,
    path: Path,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _orders: None,
    context: Context = BACKGROUND,
) -> Report:
    """Check a whole file, then bring it in (not with ``dry_run``, which says what would be done).

    Raises:
        BrokenFile: the faults, at most 100 of them. Nothing was imported.
    """
    started = time.monotonic()
    faults = check(path)
    if faults:
        raise BrokenFile(faults)
    if dry_run:
        report = await _rehearse(database, channel, path, progress)
    else:
        records = (order for _, order in read(path) if isinstance(order, OrderInput))
        report = await imports.run(
            database, channel, records, source=path.name, progress=progress, context=context
        )
    report.seconds = round(time.monotonic() - started, 3)
    return report


def check(path: Path) -> list[Fault]:
    """Every fault of a file, at most 100: what cannot be read, does not add up, or comes twice."""
    faults: list[Fault] = []
    numbers: set[str] = set()
    for line, order in read(path):
        if isinstance(order, str):
            faults.append(Fault(line, None, order))
        else:
            faults += [Fault(line, order.number, message) for message in faults_of(order)]
            if order.number in numbers:
                faults.append(Fault(line, order.number, "the number comes twice"))
            numbers.add(order.number)
        if len(faults) >= MOST_FAULTS:
            return faults[:MOST_FAULTS]
    return faults or ([] if numbers else [Fault(0, None, "there is no order in it")])


def read(path: Path) -> Iterator[tuple[int, OrderInput | str]]:
    """Each order of a file with the line it begins on, or what makes it unreadable.

    Raises:
        InvalidInput: the file cannot be opened or is neither ``.jsonl`` nor ``.csv``.
    """
    readers = {".jsonl": _read_json_lines, ".ndjson": _read_json_lines, ".csv": _read_csv}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput.at("file", f"“{path.name}” is neither .jsonl nor .csv")
    try:
        yield from reader(path)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.at("file", f"{path} cannot be read: {error}") from error


def _read_json_lines(path: Path) -> Iterator[tuple[int, OrderInput | str]]:
    decode = msgspec.json.Decoder(OrderInput).decode
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield number, decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                yield number, str(error)


def _read_csv(path: Path) -> Iterator[tuple[int, OrderInput | str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, strict=True)
        header = rows.fieldnames or []
        unknown, missing = set(header) - set(COLUMNS), _REQUIRED - set(header)
        if unknown or missing:
            told = [f"unknown columns {sorted(unknown)}"] * bool(unknown)
            told += [f"missing columns {sorted(missing)}"] * bool(missing)
            yield 1, " and ".join(told)
            return
        group: list[dict[str, Any]] = []
        begins = 2
        try:
            for row in rows:
                if group and row["number"] != group[0]["number"]:
                    yield begins, _from_rows(group)
                    group = []
                if not group:
                    begins = rows.line_num
                group.append(row)
        except csv.Error as error:
            yield rows.line_num, str(error)
            return
        if group:
            yield begins, _from_rows(group)


def _from_rows(rows: list[dict[str, Any]]) -> OrderInput | str:
    """The order of consecutive rows with one number; what it says of itself is the same on all of them."""
    first = {name: rows[0].get(name) for name in _ORDER_COLUMNS}
    for row in rows[1:]:
        other = next((name for name in _ORDER_COLUMNS if row.get(name) != first[name]), None)
        if other is not None:
            return f"{other} differs within order {first['number']}"
    if any(None in row or None in row.values() for row in rows):
        return f"order {first['number']} has rows with too many or too few cells"
    given = {name: text for name, text in first.items() if text}
    lines = [
        {name: row[f"line_{name}"] for name in _LINE_COLUMNS if row.get(f"line_{name}")}
        | {"title": row["line_title"]}
        for row in rows
    ]
    try:
        return msgspec.convert(given | {"lines": lines}, OrderInput, strict=False)
    except msgspec.ValidationError as error:
        return str(error)


async def _rehearse(
    database: Database, channel: Channel, path: Path, progress: Callable[[int], None]
) -> Report:
    """What an import would do; only reads."""
    report, skus, buyers = Report(dry_run=True), set[str](), set[str]()
    records = (order for _, order in read(path) if isinstance(order, OrderInput))
    for chunk in imports.chunks(records):
        known = await import_store.ids_of(database, channel.id, [order.number for order in chunk])
        fresh = [order for order in chunk if order.number not in known]
        report.orders += len(fresh)
        report.skipped += len(chunk) - len(fresh)
        report.lines += sum(len(order.lines) for order in fresh)
        for order in fresh:
            report.totals[order.currency] = report.totals.get(order.currency, 0) + order.total_minor
            skus.update(line.sku for line in order.lines if line.sku)
            buyers.update([order.customer] if order.customer else [])
        progress(len(chunk))
    found = await catalog.by_skus(database, channel.pools[Resource.CATALOGUE], sorted(skus))
    report.unknown_skus = sorted(skus - found.keys())
    report.customers = len(buyers)
    return report
