"""An export as one file: a ZIP of ``export.json`` and, beside it, the photographs and other files that it names.

People may have a hundred thousand rows, so nobody has all of them in memory: each row of the JSON is a line of its own, written
as it is read from its table, and read again line by line.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from samlad.kernel import personal
from samlad.kernel.database import Tx
from samlad.kernel.personal import Holding, Person
from samlad.kernel.problems import NotFound
from samlad.privacy.model import Excerpt, ExcerptPart, Export

JSON = "export.json"
MOST_BYTES = 300_000_000
"""Of all files of one export together; more than that are named, and left out."""

_PART_BEGINS = re.compile(rb'(?P<head>\{"table":.*),"rows":\[\n', re.DOTALL)
_PART_ENDS = b"]}"
_OLDER = "This export was made by an older version. Collect it again."


class Packed(msgspec.Struct, frozen=True):
    """An archive, and how many rows of each table are in it; ``kept``: of those that an erasure leaves."""

    content: bytes
    counts: dict[str, int]
    kept: dict[str, int]


async def pack(tx: Tx, holdings: Sequence[Holding], person: Person, made_at: datetime) -> Packed:
    """Everything that tables hold of a person. Photographs are packed already: they are stored as they are."""
    out, counts = io.BytesIO(), [0] * len(holdings)
    with zipfile.ZipFile(out, "w") as archive:
        with archive.open(_entry(JSON, made_at, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as stream:
            async for line in _lines(tx, holdings, person, made_at, counts):
                stream.write(line)
        left = MOST_BYTES
        for holding in holdings:
            for name, content in await personal.files(tx, holding, person, left):
                archive.writestr(_entry(name, made_at, zipfile.ZIP_STORED), content)
                left -= len(content)
    rows, kept = Counter[str](), Counter[str]()
    for each, count in zip(holdings, counts, strict=True):
        rows[each.table] += count
        kept[each.table] += count if each.kept else 0
    return Packed(out.getvalue(), dict(+rows), dict(+kept))


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


def pieces(packed: bytes, said: Callable[[str], str] = str) -> Iterator[bytes]:
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


def excerpt(packed: bytes, most: int, *, part: int | None = None, after: int = 0) -> Excerpt:
    """The first rows of each part, and how many there are besides; of one ``part`` (from 1) those ``after`` so many."""
    lines, parts, seen = _read(packed), list[ExcerptPart](), 0
    made_at = msgspec.json.decode(next(lines).rstrip() + b"]}", type=Export).made_at
    for line in lines:
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


def _read(packed: bytes) -> Iterator[bytes]:
    """The lines of an archive's JSON.

    Raises:
        NotFound: it was made when rows were not lines of their own; such exports end within 30 days.
    """
    if packed[:1] == b"{":
        raise NotFound(_OLDER)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open(JSON) as stream:
        first = stream.readline()
        if not first.startswith(b'{"made_at":'):
            raise NotFound(_OLDER)
        yield first
        yield from stream


def file_of(packed: bytes, name: str) -> bytes:
    """One file of an archive.

    Raises:
        NotFound: there is none of this name.
    """
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        if name in archive.namelist():
            return archive.read(name)
    raise NotFound("There is no such file in this export.")
