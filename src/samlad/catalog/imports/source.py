"""From bytes to records: which encoding, which format, which separator. Reads as a stream."""

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

import msgspec

from samlad.catalog.imports.report import BrokenFile

LONGEST_FIELD = 2_000_000
PIECE = 1 << 16

csv.field_size_limit(LONGEST_FIELD)


def begins_json(file: IO[str]) -> bool:
    """Whether a text begins with a brace or bracket; it is left at its beginning."""
    first = next(lines_of(file), "")
    file.seek(0)
    return first.lstrip()[:1] in ("{", "[")


class Record(msgspec.Struct, frozen=True):
    """A line of a CSV file with its number (of its first physical line, the header is 1)."""

    line: int
    cells: dict[str, str]


class Table(msgspec.Struct):
    """A CSV file that has been opened: its header, and its records as they come."""

    columns: list[str]
    records: Iterator[Record]


def encoding_of(path: Path) -> str:
    """As `encoding_in`, of a file on disk."""
    with path.open("rb") as file:
        return encoding_in(file)


def encoding_in(file: IO[bytes]) -> str:
    """The encoding of a text file: by its byte order mark, else UTF-8 if all of it is, else Windows-1252.

    Raises:
        BrokenFile: it is no text at all.
    """
    head = file.read(PIECE)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in head:
        return _utf16_without_mark(head)
    for encoding in ("utf-8", "cp1252"):
        file.seek(0)
        if _is_all(file, encoding):
            return encoding
    raise BrokenFile("This is neither UTF-8 nor UTF-16 nor Windows-1252.")


def _is_all(file: IO[bytes], encoding: str) -> bool:
    """Whether the rest of a file can be read in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(head: bytes) -> str:
    """Which half of the bytes is zero says which UTF-16 it is; anything else is not a text."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 4 and even < len(head) // 20:
        return "utf-16-le"
    if even > len(head) // 4 and odd < len(head) // 20:
        return "utf-16-be"
    raise BrokenFile("This is not a text file: there are zero bytes in it.")


def lines_of(file: IO[str]) -> Iterator[str]:
    """The lines of a text file.

    Raises:
        BrokenFile: bytes that are no text in its encoding.
    """
    try:
        for line in file:  # noqa: UP028 - ``yield from`` would close the file with the generator
            yield line
    except UnicodeDecodeError as error:
        raise BrokenFile(f"Not {error.encoding}: {error.reason} at byte {error.start}.") from None


def table(file: IO[str]) -> Table:
    """Open a CSV file: comma, semicolon or tab, as its first line has most of.

    Raises:
        BrokenFile: it is empty, a column is named twice, or (while its records are read) a quote is never closed or a
            line has more cells than the header.
    """
    lines = lines_of(file)
    first = next(lines, None)
    if first is None or not first.strip():
        raise BrokenFile("The file is empty.")
    separator = max(",;\t", key=first.count)
    # Newlines inside a quoted header cell are as legal as anywhere else.
    reader = csv.reader(_chained(first, lines), delimiter=separator, strict=True)
    columns = [name.strip() for name in _next(reader) or []]
    twice = {name for name in columns if name and columns.count(name) > 1}
    if twice:
        raise BrokenFile(f"These columns are there twice: {', '.join(sorted(twice))}.")
    return Table(columns, _records(reader, columns))


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


class _Reader(Protocol):
    """What `csv.reader` gives."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...

    def __iter__(self) -> Iterator[list[str]]: ...


def _records(reader: _Reader, columns: list[str]) -> Iterator[Record]:
    while True:
        line = reader.line_num + 1
        cells = _next(reader)
        if cells is None:
            return
        if not any(cells):
            continue
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            raise BrokenFile(
                f"Line {line} has {len(cells)} cells, the header {len(columns)}. Is a quote missing?",
                line=line,
            )
        yield Record(line, {name: cell for name, cell in zip(columns, cells, strict=False) if name})


def _next(reader: _Reader) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise BrokenFile(f"Line {reader.line_num}: {error}.", line=reader.line_num) from None


def open_text(path: Path) -> tuple[IO[str], str]:
    """Open a file as text; and its encoding. The caller closes it."""
    encoding = encoding_of(path)
    return io.open(path, encoding=encoding, newline="", errors="strict"), encoding  # noqa: UP020
