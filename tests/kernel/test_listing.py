"""Lists: keyset pages neither repeat nor hide a row; CSV has all of them and runs no formula."""

import csv
import io
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel import listing
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, ListQuery, Page, Sort, texts
from samlad.kernel.problems import InvalidInput


class Ware(msgspec.Struct):
    id: UUID
    name: str
    price: int
    tags: list[str]


WARES = Listing(
    row=Ware,
    select="id, name, price, tags",
    source="ware WHERE pool = $1",
    key="id",
    sorts={"name": Sort("name"), "price": Sort("price", "int"), "made": Sort("made", "timestamptz")},
    default_sort="name",
    filters={
        "name": Filter("name ILIKE '%' || {} || '%'"),
        "price": Filter("price = {}", int),
        "tags": Filter("tags && {}", texts),
    },
)


async def fill(db: Database, rows: list[tuple[str, int]], pool: int = 1) -> None:
    async def work(tx: Tx) -> None:
        await tx.execute(
            "CREATE TABLE IF NOT EXISTS ware (id uuid PRIMARY KEY, pool int, name text, price int,"
            " made timestamptz DEFAULT '2026-01-01T00:00:00.123456Z', tags text[] DEFAULT '{}')"
        )
        await tx.copy("ware", ["id", "pool", "name", "price"], [(new_id(), pool, *row) for row in rows])

    await db.transaction(work)


async def all_pages(db: Database, sort: str, limit: int, **filters: str) -> list[Ware]:
    found: list[Ware] = []
    cursor: str | None = None
    while True:
        query = ListQuery(limit=limit, sort=sort, cursor=cursor, filters=filters)
        page: Page[Ware] = await WARES.page(db, query, 1)
        found += page.items
        assert len(page.items) <= limit
        if page.next_cursor is None:
            return found
        assert len(page.items) == limit
        cursor = page.next_cursor


@pytest.mark.parametrize("sort", ["name", "-name", "price", "-price", "made", "-made"])
@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_pages_over_equal_values_neither_repeat_nor_hide(db: Database, sort: str, limit: int) -> None:
    await fill(db, [(name, price) for name in ("a", "b", "å", "") for price in (1, 1, 2)])
    await fill(db, [("other pool", 1)], pool=2)
    found = await all_pages(db, sort, limit)
    assert len(found) == 12
    assert len({ware.id for ware in found}) == 12
    values = [getattr(ware, sort.removeprefix("-"), None) for ware in found]
    keys = [ware.id for ware in found]
    order = (
        sorted(zip(values, keys, strict=True), reverse=sort.startswith("-"))
        if values[0] is not None
        else None
    )
    if order is not None:
        assert list(zip(values, keys, strict=True)) == order


async def test_a_row_that_arrives_meanwhile_moves_no_page(db: Database) -> None:
    await fill(db, [(name, 1) for name in "bdfh"])
    first = await WARES.page(db, ListQuery(limit=2), 1)
    await fill(db, [("a", 1), ("e", 1)])
    second = await WARES.page(db, ListQuery(limit=9, cursor=first.next_cursor), 1)
    assert [ware.name for ware in (*first.items, *second.items)] == ["b", "d", "e", "f", "h"]


async def test_filters_narrow_and_counts_follow(db: Database) -> None:
    await fill(db, [("kettle", 5), ("Kettle XL", 9), ("filter", 5)])
    query = ListQuery(filters={"name": "kettle", "price": "5", "tags": None})
    assert [ware.name for ware in (await WARES.page(db, query, 1)).items] == ["kettle"]
    assert await WARES.count(db, query, 1) == 1
    assert await WARES.count(db, ListQuery(filters={"price": ""}), 1) == 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (ListQuery(limit=0), "limit"),
        (ListQuery(limit=201), "limit"),
        (ListQuery(sort="colour"), "sort"),
        (ListQuery(filters={"colour": "red"}), "colour"),
        (ListQuery(filters={"price": "cheap"}), "price"),
        (ListQuery(cursor="nonsense"), "cursor"),
        (ListQuery(cursor="é"), "cursor"),
        (ListQuery(cursor=listing._encode_cursor("-price", "1", str(new_id()))), "cursor"),
        (ListQuery(cursor=listing._encode_cursor("name", "a", "no uuid")), "cursor"),
        (ListQuery(cursor=listing._encode_cursor("name", "a\0b", str(new_id()))), "cursor"),
        (ListQuery(sort="price", cursor=listing._encode_cursor("price", "dear", str(new_id()))), "cursor"),
        (ListQuery(filters={"name": "a\0b"}), "name"),
        (ListQuery(filters={"price": "99999999999999999999"}), "price"),
    ],
)
async def test_what_cannot_be_is_told_at_its_field(db: Database, query: ListQuery, field: str) -> None:
    await fill(db, [("a", 1)])
    with pytest.raises(InvalidInput) as caught:
        await WARES.page(db, query, 1)
    assert [error.field for error in caught.value.errors] == [field]


async def read_csv(db: Database, query: ListQuery) -> list[list[str]]:
    chunks = [chunk async for chunk in WARES.csv(db, query, 1)]
    return list(csv.reader(io.StringIO(b"".join(chunks).decode())))


async def test_csv_has_every_row_and_no_formula(db: Database) -> None:
    names = ["=1+1", "+49", "-5", "@sum", "\tx", 'say "hi", bye', "line\nbreak", "", "å"]
    await fill(db, [(name, -3) for name in names])
    head, *rows = await read_csv(db, ListQuery())
    assert head == ["id", "name", "price", "tags"]
    told = {row[1] for row in rows}
    assert told == {"'=1+1", "'+49", "'-5", "'@sum", "'\tx", 'say "hi", bye', "line\nbreak", "", "å"}
    assert {row[2] for row in rows} == {"-3"}, "a number is a number"
    assert {row[3] for row in rows} == {"[]"}


async def test_csv_of_ten_thousand_rows_is_streamed_whole(db: Database) -> None:
    await fill(db, [(f"ware {n:05}", n) for n in range(10_000)])
    chunks = [chunk async for chunk in WARES.csv(db, ListQuery(sort="-price"), 1)]
    assert len(chunks) > 5
    rows = list(csv.reader(io.StringIO(b"".join(chunks).decode())))[1:]
    assert [int(row[2]) for row in rows] == list(range(9_999, -1, -1))
    assert len(await all_pages(db, "price", 200)) == 10_000
    assert await WARES.count(db, ListQuery(), 1) == 10_000


async def test_answer_is_json_or_a_file(db: Database) -> None:
    await fill(db, [("a", 1)])
    page: Any = await WARES.answer(db, ListQuery(), 1)
    assert [ware.name for ware in page.content.items] == ["a"]
    file: Any = await WARES.answer(db, ListQuery(), 1, as_csv=True, name="wares")
    assert file.headers["Content-Disposition"] == 'attachment; filename="wares.csv"'
    with pytest.raises(InvalidInput):
        await WARES.answer(db, ListQuery(sort="x"), 1, as_csv=True)


@given(st.text(), st.uuids())
def test_a_cursor_comes_back(value: str, key: UUID) -> None:
    text = listing._encode_cursor("name", value, str(key))
    if "\0" not in value:
        assert listing._decode_cursor(text, "name", "uuid") == (value, str(key))
