"""An export of any size: every row of every table is in it once, and a page shows the first of each."""

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import IO, Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel import personal
from samlad.kernel.database import Database, Tx
from samlad.kernel.personal import Holding, Person
from samlad.kernel.problems import NotFound
from samlad.kernel.settings import Settings
from samlad.kernel.vault import CannotOpen, Vault
from samlad.privacy import archive, pieces, running, service, store
from samlad.privacy.model import Export, RequestKind

MADE_AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
NOBODY = Person(ids=[], texts=[], needles=[], things=[])
# What could be taken for the beginning or the end of a part.
TEXTS = st.sampled_from(["", "Åsa", "a\nb", ']}\n,\n{"table":"x","rows":[\n', '"rows":[', "\u2028"])
TABLES = st.lists(
    st.lists(st.fixed_dictionaries({"table": TEXTS, "rows": st.lists(TEXTS, max_size=2)}), max_size=7),
    max_size=4,
)


class Made(msgspec.Struct):
    """An archive that was taken piece by piece."""

    pieces: list[bytes]
    packed: archive.Packed | None = None

    async def put(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def file(self) -> IO[bytes]:
        sizes = [len(piece) for piece in self.pieces]
        return io.BufferedReader(archive.Pieces(sizes, self.pieces.__getitem__))


async def made_of(holdings: list[Holding]) -> Made:
    made = Made([])
    made.packed = await archive.pack(None, holdings, NOBODY, MADE_AT, made.put)  # type: ignore[arg-type]
    return made


async def packed(tables: list[list[dict[str, Any]]], at_once: int) -> Made:
    async def pages(_tx: Tx, holding: Holding, _person: Person) -> AsyncIterator[list[dict[str, Any]]]:
        rows = tables[int(holding.table)]
        for start in range(0, len(rows), at_once):
            yield rows[start : start + at_once]

    holdings = [
        Holding(
            table=str(number), about="What", whose="true", personal=(), kept="the law" if number % 2 else None
        )
        for number in range(len(tables))
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(personal, "pages", pages)
        patch.setattr(archive, "PIECE", 64)
        made = await made_of(holdings)
        assert b"".join(made.pieces) == made.file().read()
        return made


@given(tables=TABLES, at_once=st.integers(1, 3), most=st.integers(0, 8))
async def test_every_row_is_there_once(tables: list[list[dict[str, Any]]], at_once: int, most: int) -> None:
    made = await packed(tables, at_once)
    assert made.packed is not None
    assert len({len(piece) for piece in made.pieces[:-1]}) == 1
    there = {str(number): rows for number, rows in enumerate(tables) if rows}
    export = msgspec.json.decode(b"".join(archive.lines(made.file())), type=Export)
    assert export.made_at == MADE_AT
    assert {part.table: part.rows for part in export.parts} == there
    assert made.packed.counts == {table: len(rows) for table, rows in there.items()}
    assert made.packed.kept == {table: len(rows) for table, rows in there.items() if int(table) % 2}
    page = archive.excerpt(made.file(), most)
    assert page.made_at == MADE_AT
    assert {part.table: (part.rows, part.more) for part in page.parts} == {
        table: (rows[:most], max(len(rows) - most, 0)) for table, rows in there.items()
    }
    spoken = msgspec.json.decode(b"".join(archive.lines(made.file(), str.upper)), type=Export)
    assert {part.table: (part.about, part.kept) for part in spoken.parts} == {
        table: ("WHAT", "THE LAW" if int(table) % 2 else None) for table in there
    }


async def test_what_a_table_has_of_two_kinds_is_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines with a card and all lines, orders with a tax number and all orders: the second kind stood behind the end of the first."""
    told = {"Cards": [{"n": 1}], "Goods": [{"n": 1}, {"n": 2}, {"n": 3}]}

    async def pages(_tx: Tx, holding: Holding, _person: Person) -> AsyncIterator[list[dict[str, Any]]]:
        yield told[holding.about]

    monkeypatch.setattr(personal, "pages", pages)
    both = [
        Holding(
            table="order_line",
            about=about,
            whose="true",
            personal=(),
            kept="books" if about == "Goods" else None,
        )
        for about in told
    ]
    made = await made_of(both)
    export = msgspec.json.decode(b"".join(archive.lines(made.file())), type=Export)
    assert {part.about: part.rows for part in export.parts} == told
    assert made.packed is not None
    assert (made.packed.counts, made.packed.kept) == ({"order_line": 4}, {"order_line": 3})
    page = archive.excerpt(made.file(), 2)
    assert [(part.number, len(part.rows), part.more) for part in page.parts] == [(1, 1, 0), (2, 2, 1)]
    # A page of its own has what the first does not show.
    [rest] = archive.excerpt(made.file(), 2, part=2, after=2).parts
    assert (rest.rows, rest.more) == ([{"n": 3}], 0)
    assert archive.excerpt(made.file(), 2, part=7, after=2).parts == []


async def test_rows_come_in_the_order_of_time_and_key(db: Database) -> None:
    for made in (
        "heard (id int PRIMARY KEY, at timestamptz)",
        "piece (whole int, place int, PRIMARY KEY (whole, place))",
        "loose (n int)",
    ):
        await db.rows(f"CREATE TABLE {made}")
    await db.rows(
        "INSERT INTO heard VALUES (1, '2026-11-03'), (3, '2026-11-01'), (2, '2026-11-01') RETURNING 1"
    )
    await db.rows("INSERT INTO piece VALUES (2, 1), (1, 2), (1, 1) RETURNING 1")
    await db.rows("INSERT INTO loose VALUES (7) RETURNING 1")

    async def read(table: str, *shown: str) -> list[tuple[Any, ...]]:
        holding = Holding(table=table, about="", whose="true", personal=shown)
        found = await db.transaction(lambda tx: _rows(tx, holding))
        return [tuple(row.values()) for row in found]

    assert [row[0] for row in await read("heard", "id", "at")] == [2, 3, 1]
    assert await read("piece", "whole", "place") == [(1, 1), (1, 2), (2, 1)]
    assert await read("loose", "n") == [(7,)]


async def _rows(tx: Tx, holding: Holding) -> list[dict[str, Any]]:
    return [row async for page in personal.pages(tx, holding, NOBODY) for row in page]


async def test_more_than_is_in_memory_at_once_is_read_in_pages(db: Database) -> None:
    rows = Holding(table="generate_series(1, 2500) AS n", about="", whose="true", personal=("n",))
    read = await db.transaction(lambda tx: _sizes(tx, rows))
    assert read == ([1000, 1000, 500], list(range(1, 2501)))
    assert await personal.count(db, rows, NOBODY) == 2500


async def _sizes(tx: Tx, holding: Holding) -> tuple[list[int], list[int]]:
    pages = [page async for page in personal.pages(tx, holding, NOBODY)]
    return [len(page) for page in pages], [row["n"] for page in pages for row in page]


async def test_an_export_of_before_is_collected_again(settings: Settings, db: Database) -> None:
    keys, person = Vault.of(settings), uuid4()

    async def older(tx: Tx) -> UUID:
        made = await store.insert(tx, RequestKind.ACCESS, person, MADE_AT, 1, "x")
        assert made is not None
        sealed = await pieces.seal(tx, keys, made.id, b"PK\3\4")
        await store.set_state(tx, made.id, state="done", sealed=sealed)
        return made.id

    request = await db.transaction(older)
    with pytest.raises(NotFound, match="Collect it again"):
        await db.transaction(lambda tx: pieces.kept(tx, keys, request))


async def test_an_export_is_larger_than_what_is_in_memory(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of any size are in it. Its pieces are sealed, each for its place, and go with it."""
    monkeypatch.setattr(archive, "PIECE", 1_000)
    keys, file = Vault.of(settings), bytes(range(256)) * 20
    await db.rows("CREATE TABLE sent (id int PRIMARY KEY, content bytea)")
    await db.rows("INSERT INTO sent SELECT n, $1 FROM generate_series(1, 3) AS n RETURNING 1", file)
    sent = Holding(
        table="sent",
        about="Files",
        whose="true",
        personal=("content",),
        shown=("id",),
        files=("id", "content", "bin"),
    )
    monkeypatch.setattr(running, "HOLDINGS", (sent,))
    asked = await db.transaction(lambda tx: store.insert(tx, RequestKind.ACCESS, uuid4(), MADE_AT, 1, "x"))
    assert asked is not None
    await running.collect(db, keys, asked.id)
    assert await db.value("SELECT count(*) FROM privacy_piece") > 15
    assert not await db.value(
        "SELECT count(*) FROM privacy_piece WHERE position($1::bytea IN sealed) > 0", file[:40]
    )
    kept = await db.transaction(lambda tx: service.download(tx, keys, asked.id))
    whole = b"".join([piece async for piece in kept.zipped(db)])
    with zipfile.ZipFile(io.BytesIO(whole)) as zipped:
        assert zipped.namelist() == ["export.json", "sent/1.bin", "sent/2.bin", "sent/3.bin"]
        assert {zipped.read(name) for name in zipped.namelist()[1:]} == {file}
    told = msgspec.json.decode(b"".join([some async for some in kept.lines(db)]), type=Export)
    assert [row["file"] for row in told.parts[0].rows] == zipped.namelist()[1:]
    assert await db.transaction(lambda tx: service.file(tx, keys, asked.id, "sent/2.bin")) == file
    page = await db.transaction(lambda tx: service.excerpt(tx, keys, asked.id, 2))
    assert (len(page.parts[0].rows), page.parts[0].more) == (2, 1)
    other = await db.value("SELECT sealed FROM privacy_piece WHERE number = 2")
    await db.rows("UPDATE privacy_piece SET sealed = $1 WHERE number = 1 RETURNING 1", other)
    with pytest.raises(CannotOpen):
        assert [piece async for piece in kept.zipped(db)]
    await db.transaction(lambda tx: pieces.forget(tx, asked.id))
    assert await db.value("SELECT count(*) FROM privacy_piece") == 0
    with pytest.raises(NotFound):
        await db.transaction(lambda tx: service.download(tx, keys, asked.id))
    with pytest.raises(NotFound):
        assert [piece async for piece in kept.zipped(db)]
