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
