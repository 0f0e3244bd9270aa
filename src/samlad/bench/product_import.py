"""``import``: 100,000 variants from a CSV file."""

import asyncio
import csv
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from asyncpg import Connection

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.server import environment, fresh_shop
from samlad.catalog import ProductRow, synthetic
from samlad.catalog.imports.cells import write_json, write_words
from samlad.kernel.connections import connect
from samlad.kernel.money import decimal_text
from samlad.kernel.runtime import Runtime, dsn_of

VARIANTS = 100_000
TABLES = ("product", "variant", "price")


async def run(variants: int = VARIANTS) -> Figures:
    """``samlad import products`` of a new catalogue; then a bare COPY of the rows that came of it.

    The COPY goes into tables with the same columns, indexes and constraints, without looking at anything.
    """
    async with fresh_shop() as runtime:
        await shops.open_shop(runtime)
        file = runtime.settings.home / "products.csv"
        lines = write_file(file, variants)
        began = time.monotonic()
        report = await _import(runtime, file)
        seconds = time.monotonic() - began
        there = await runtime.database.value("SELECT count(*) FROM variant")
        copy_seconds, rows = await _copy(runtime)
    return {
        "import_s": round(seconds, 1),
        "copy_s": round(copy_seconds, 2),
        "times_copy": round(seconds / copy_seconds, 1),
        "variants_per_s": round(variants / seconds),
        "lines": lines,
        "rows": rows,
        "missing": variants - there,
        "refused": report["refused"],
    }


def write_file(file: Path, variants: int) -> int:
    """A made-up catalogue as our CSV; the number of lines without the header."""
    columns = ("handle", "title", "description", "status", "brand", "tags", "options", "sku")
    more = ("option.Colour", "option.Size", "weight_g", f"price.{shops.PRICE_LIST}")
    count = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*columns, *more])
        for row in synthetic.rows(variants, price_list=shops.PRICE_LIST):
            for cells in _cells(row):
                writer.writerow(cells)
                count += 1
    return count


def _cells(row: ProductRow) -> Iterator[list[Any]]:
    """The lines of a product, one a variant; its own columns count on the first."""
    own = [row.title, row.description, row.status, row.brand, write_words(list(row.tags or []))]
    for number, variant in enumerate(row.variants):
        [price] = variant.prices or []
        assert isinstance(price.amount, int)
        options = variant.options or {}
        yield [
            row.handle,
            *(own if number == 0 else [""] * len(own)),
            write_json(row.options) if number == 0 else "",
            variant.sku,
            options["Colour"],
            options["Size"],
            variant.weight_g,
            decimal_text(price.amount, "SEK"),
        ]


async def _import(runtime: Runtime, file: Path) -> dict[str, Any]:
    """Let the command line import the file; its report."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "samlad.cli", "import", "products", str(file), "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment(runtime.settings.home),
    )  # fmt: skip
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"the import failed: {errors.decode()[-2000:]} {output.decode()[-2000:]}")
    report: dict[str, Any] = json.loads(output.decode().splitlines()[-1])
    return report


async def _copy(runtime: Runtime) -> tuple[float, int]:
    """Seconds of a bare COPY of the same rows into tables of the same shape, one after the other; how many rows."""
    connection = await connect(dsn_of(runtime.settings), runtime.settings)
    seconds, rows = 0.0, 0
    for table in TABLES:
        await connection.execute(f"CREATE TABLE copied_{table} (LIKE {table} INCLUDING ALL)")
        columns = await _written_columns(connection, table)
        with TemporaryFile() as data:
            await connection.copy_from_query(
                f"SELECT {', '.join(columns)} FROM {table}", output=data, format="binary", timeout=300
            )
            data.seek(0)
            began = time.monotonic()
            status = await connection.copy_to_table(
                f"copied_{table}", source=data, columns=columns, format="binary", timeout=300
            )
            seconds += time.monotonic() - began
        rows += int(status.split()[-1])
    await connection.close()
    return seconds, rows


async def _written_columns(connection: Connection, table: str) -> list[str]:
    """The columns that are not computed."""
    found = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' ORDER BY attnum",
        table,
    )
    return [row["attname"] for row in found]


BENCHMARK = Benchmark(
    "import",
    "100,000 variants from a CSV file by `samlad import products`, against a bare COPY of the same rows",
    (Bound("import_s", most=60), Bound("missing", most=0), Bound("refused", most=0)),
    run,
)
