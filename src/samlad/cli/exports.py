"""``samlad export …``: take everything out again, in formats that ``samlad import`` reads."""

import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import progress, with_runtime

if TYPE_CHECKING:
    from samlad.kernel.runtime import Runtime

exports = typer.Typer(
    help="Take data out as CSV or JSON Lines; `samlad import` reads it back without loss.",
    no_args_is_help=True,
)
app.add_typer(exports, name="export")


class ProductFormat(StrEnum):
    """JSON Lines bring categories, attributes and price lists with them; CSV is for spreadsheets."""

    JSONL = "jsonl"
    CSV = "csv"


@exports.command("products")
def export_products(
    file: Annotated[
        Path | None, typer.Argument(dir_okay=False, help="Where to; standard output when it is left out.")
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(help="Code of a channel whose catalogue is meant; not needed for the only one."),
    ] = None,
    as_format: Annotated[
        ProductFormat | None, typer.Option("--format", help="Default: by the file's name, else jsonl.")
    ] = None,
) -> None:
    """Export products with variants, prices and images.

    Example: `samlad export products products.csv`
    """
    chosen = as_format or (
        ProductFormat.CSV if file is not None and file.suffix.lower() == ".csv" else ProductFormat.JSONL
    )

    async def work(runtime: "Runtime") -> None:
        from samlad.catalog import exports as verbs
        from samlad.catalog.shops import choose

        shop = await choose(runtime.database, channel)
        write = verbs.csv_file if chosen is ProductFormat.CSV else verbs.jsonl
        pieces = write(runtime.database, shop)
        if file is None:
            await _copy_to(pieces, sys.stdout.buffer.write)
            return
        # A reader never sees half a file, and an old one is kept until the new one is whole.
        partial = file.with_name(f".{file.name}.part")
        with partial.open("wb") as out, progress("Exporting", quiet=False) as step:

            def put(piece: bytes) -> None:
                out.write(piece)
                step.advance(piece.count(b"\n"))

            await _copy_to(pieces, put)
        partial.replace(file)

    with_runtime(work)


async def _copy_to(pieces: AsyncIterator[bytes], put: Callable[[bytes], object]) -> None:
    async for piece in pieces:
        put(piece)


class BookFormat(StrEnum):
    """CSV (RFC 4180) has every line; SIE 4 is what Swedish bookkeeping reads, one fiscal year a file."""

    CSV = "csv"
    SIE = "sie"


@exports.command("books")
def export_books(
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; included.")],
    file: Annotated[
        Path | None, typer.Argument(dir_okay=False, help="Where to; standard output when it is left out.")
    ] = None,
    as_format: Annotated[BookFormat, typer.Option("--format", help="csv or sie.")] = BookFormat.CSV,
    channel: Annotated[
        str | None, typer.Option(help="Code of a channel whose book is meant; not needed for the only one.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Of a SIE file; the book's own when it is left out.")
    ] = None,
) -> None:
    """Export the money book.

    Example: `samlad export books 2026.se --format sie --from 2026-01-01 --to 2026-12-31`
    """

    async def work(runtime: "Runtime") -> None:
        from samlad.books import exports as verbs

        book = await verbs.choose(runtime.database, channel)
        first, last = start.date(), end.date()
        if as_format is BookFormat.SIE:
            verbs.check_sie(book, first, last, currency or book.currency)
            pieces = verbs.sie_file(runtime.database, book, first, last, currency)
        else:
            verbs.check_period(first, last)
            pieces = verbs.csv_file(runtime.database, book, first, last)
        await _write(pieces, file)

    with_runtime(work)


async def _write(pieces: AsyncIterator[bytes], file: Path | None) -> None:
    """To standard output, or to a file. A reader never sees half of it, and an old one is kept until the new is whole."""
    if file is None:
        await _copy_to(pieces, sys.stdout.buffer.write)
        return
    partial = file.with_name(f".{file.name}.part")
    with partial.open("wb") as out:
        await _copy_to(pieces, out.write)
    partial.replace(file)
