"""An export of any size: every row of every table is in it once, and a page shows the first of each."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel import personal
from samlad.kernel.database import Database, Tx
from samlad.kernel.personal import Holding, Person
from samlad.kernel.problems import NotFound
from samlad.privacy import archive
from samlad.privacy.model import Export

MADE_AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
NOBODY = Person(ids=[], texts=[], needles=[], things=[])
# What could be taken for the beginning or the end of a part.
TEXTS = st.sampled_from(["", "Åsa", "a\nb", ']}\n,\n{"table":"x","rows":[\n', '"rows":[', "\u2028"])
TABLES = st.lists(
    st.lists(st.fixed_dictionaries({"table": TEXTS, "rows": st.lists(TEXTS, max_size=2)}), max_size=7),
    max_size=4,
)


async def packed(tables: list[list[dict[str, Any]]], at_once: int) -> archive.Packed:
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
        return await archive.pack(None, holdings, NOBODY, MADE_AT)  # type: ignore[arg-type]


@given(tables=TABLES, at_once=st.integers(1, 3), most=st.integers(0, 8))
async def test_every_row_is_there_once(tables: list[list[dict[str, Any]]], at_once: int, most: int) -> None:
    made = await packed(tables, at_once)
    there = {str(number): rows for number, rows in enumerate(tables) if rows}
    export = msgspec.json.decode(b"".join(archive.pieces(made.content)), type=Export)
    assert export.made_at == MADE_AT
    assert {part.table: part.rows for part in export.parts} == there
    assert made.counts == {table: len(rows) for table, rows in there.items()}
    assert made.kept == {table: len(rows) for table, rows in there.items() if int(table) % 2}
    page = archive.excerpt(made.content, most)
    assert page.made_at == MADE_AT
    assert {part.table: (part.rows, part.more) for part in page.parts} == {
        table: (rows[:most], max(len(rows) - most, 0)) for table, rows in there.items()
    }
    spoken = msgspec.json.decode(b"".join(archive.pieces(made.content, str.upper)), type=Export)
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
    made = await archive.pack(None, both, NOBODY, MADE_AT)  # type: ignore[arg-type]
    export = msgspec.json.decode(b"".join(archive.pieces(made.content)), type=Export)
    assert {part.about: part.rows for part in export.parts} == told
    assert (made.counts, made.kept) == ({"order_line": 4}, {"order_line": 3})
    page = archive.excerpt(made.content, 2)
    assert [(part.number, len(part.rows), part.more) for part in page.parts] == [(1, 1, 0), (2, 2, 1)]
    # A page of its own has what the first does not show.
    [rest] = archive.excerpt(made.content, 2, part=2, after=2).parts
    assert (rest.rows, rest.more) == ([{"n": 3}], 0)
    assert archive.excerpt(made.content, 2, part=7, after=2).parts == []


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


@pytest.mark.parametrize("old", [b'{"made_at": "2026-11-01T00:00:00Z", "parts": []}'])
def test_an_export_of_before_is_collected_again(old: bytes) -> None:
    with pytest.raises(NotFound, match="Collect it again"):
        archive.excerpt(old, 10)
