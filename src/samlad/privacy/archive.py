"""An export as one file: a ZIP of ``export.json`` and, beside it, the photographs and other files that it names.

People may have a hundred thousand rows and send gigabytes, so nobody has all of it in memory: each row of the JSON is a line of
its own, written as it is read from its table, and read again line by line; what is packed is handed on and read in pieces.
"""

import io
import re
import zipfile
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from typing import IO, Any

import msgspec

from samlad.kernel import personal
from samlad.kernel.database import Tx
from samlad.kernel.personal import Holding, Person
from samlad.kernel.problems import NotFound
from samlad.privacy.model import Excerpt, ExcerptPart, Export

JSON = "export.json"
PIECE = 4_000_000
"""Bytes of an archive that are handed on at once; only the last piece has fewer."""

_PART_BEGINS = re.compile(rb'(?P<head>\{"table":.*),"rows":\[\n', re.DOTALL)
_PART_ENDS = b"]}"


class Packed(msgspec.Struct, frozen=True):
    """How many rows of each table are in an archive; ``kept``: of those that an erasure leaves."""

    counts: dict[str, int]
    kept: dict[str, int]


async def pack(
    tx: Tx,
    holdings: Sequence[Holding],
    person: Person,
    made_at: datetime,
    put: Callable[[bytes], Awaitable[None]],
) -> Packed:
    """Everything that tables hold of a person; ``put`` is given the archive piece by piece. Photographs are packed already: they
    are stored as they are."""
    out, counts = _Out(), [0] * len(holdings)
    with zipfile.ZipFile(out, "w") as archive:
        with archive.open(_entry(JSON, made_at, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as stream:
            async for line in _lines(tx, holdings, person, made_at, counts):
                stream.write(line)
                for piece in out.full():
                    await put(piece)
        for holding in holdings:
            async for name, content in personal.files(tx, holding, person):
                archive.writestr(_entry(name, made_at, zipfile.ZIP_STORED), content)
                for piece in out.full():
                    await put(piece)
    for piece in (*out.full(), out.rest()):
        await put(piece)
    rows, kept = Counter[str](), Counter[str]()
    for each, count in zip(holdings, counts, strict=True):
        rows[each.table] += count
        kept[each.table] += count if each.kept else 0
    return Packed(dict(+rows), dict(+kept))


class _Out(io.RawIOBase):
    """What is written and not handed on yet."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._waiting += data
        return memoryview(data).nbytes

    def full(self) -> Iterator[bytes]:
        """The pieces that are full."""
        while len(self._waiting) >= PIECE:
            yield self.rest()

    def rest(self) -> bytes:
        """The next piece, also if it is not full."""
        piece = bytes(self._waiting[:PIECE])
        del self._waiting[:PIECE]
        return piece


class Pieces(io.RawIOBase):
    """An archive as a file to be read, of which one piece is in memory; ``get`` answers the piece with a number from 0."""

    def __init__(self, sizes: Sequence[int], get: Callable[[int], bytes]) -> None:
        self._ends, self._get = list(accumulate(sizes)), get
        self._at, self._number, self._piece = 0, -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        begins = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: (self._ends or [0])[-1]}
        self._at = max(0, begins[whence] + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        number = bisect_right(self._ends, self._at)
        if number == len(self._ends):
            return 0
        if number != self._number:
            self._number, self._piece = number, self._get(number)
        begins = self._ends[number] - len(self._piece)
        some = self._piece[self._at - begins :][: len(buffer)]
        buffer[: len(some)] = some
        self._at += len(some)
        return len(some)


def _entry(name: str, made_at: datetime, how: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, made_at.timetuple()[:6])
    entry.compress_type = how
    return entry


async def _lines(
    tx: Tx, holdings: Sequence[Holding], person: Person, made_at: datetime, counts: list[int]
) -> AsyncIterator[bytes]:
    """``counts`` is told how many rows there are of each holding: a table may have several kinds."""
    yield _first_line(made_at)
    for place, holding in enumerate(holdings):
        async for rows in personal.pages(tx, holding, person):
            for row in rows:
                if not counts[place]:
                    yield _part_begins(holding.table, holding.about, holding.kept, is_first=not any(counts))
                yield (b",\n" if counts[place] else b"") + msgspec.json.encode(row)
                counts[place] += 1
        if counts[place]:
            yield b"\n" + _PART_ENDS
    yield b"\n]}\n"


def _first_line(made_at: datetime) -> bytes:
    return b'{"made_at":%b,"parts":[\n' % msgspec.json.encode(made_at)


def _part_begins(table: str, about: str, kept: str | None, *, is_first: bool) -> bytes:
    head = msgspec.json.encode({"table": table, "about": about, "kept": kept})[:-1]
    return b'%b%b,"rows":[\n' % (b"" if is_first else b",\n", head)


def lines(packed: IO[bytes], said: Callable[[str], str] = str) -> Iterator[bytes]:
    """The archive's JSON, line by line; what tables are and why they are kept in other words if need be."""
    for line in _read(packed):
        found = _PART_BEGINS.fullmatch(line)
        if found is None:
            yield line
        else:
            head = msgspec.json.decode(found["head"] + b"}", type=_Head)
            yield _part_begins(
                head.table, said(head.about), said(head.kept) if head.kept else None, is_first=True
            )


def excerpt(packed: IO[bytes], most: int, *, part: int | None = None, after: int = 0) -> Excerpt:
    """The first rows of each part, and how many there are besides; of one ``part`` (from 1) those ``after`` so many."""
    told, parts, seen = _read(packed), list[ExcerptPart](), 0
    made_at = msgspec.json.decode(next(told).rstrip() + b"]}", type=Export).made_at
    for line in told:
        begins = _PART_BEGINS.fullmatch(line)
        if begins is not None:
            head = msgspec.json.decode(begins["head"] + b"}", type=_Head)
            number, seen = len(parts) + 1, 0
            parts.append(
                ExcerptPart(number=number, table=head.table, about=head.about, kept=head.kept, rows=[])
            )
        elif line.startswith(b"{"):
            this, seen = parts[-1], seen + 1
            if part not in (None, this.number) or seen <= after:
                continue
            if len(this.rows) < most:
                this.rows.append(msgspec.json.decode(line.rstrip(b",\n"), type=dict[str, Any]))
            else:
                parts[-1] = msgspec.structs.replace(this, more=this.more + 1)
    shown = [each for each in parts if part in (None, each.number)]
    return Excerpt(made_at=made_at, parts=shown)


class _Head(msgspec.Struct):
    table: str
    about: str
    kept: str | None


def _read(packed: IO[bytes]) -> Iterator[bytes]:
    """The lines of an archive's JSON."""
    with zipfile.ZipFile(packed) as archive, archive.open(JSON) as stream:
        yield from stream


def file_of(packed: IO[bytes], name: str) -> bytes:
    """One file of an archive.

    Raises:
        NotFound: there is none of this name.
    """
    with zipfile.ZipFile(packed) as archive:
        if name in archive.namelist():
            return archive.read(name)
    raise NotFound("There is no such file in this export.")
