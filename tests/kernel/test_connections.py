"""What a new connection asks before it does anything: nothing that another of the process was told."""

from uuid import UUID

import pytest

from samlad.kernel import connections
from samlad.kernel.connections import ARRAYS, make_pool
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id

ASK = "SELECT $1::uuid[] AS ids, $2::int[] AS counts, $3::jsonb[] AS bodies, $4::bool[] AS flags, now() AS at, $5::timestamptz[] AS times"


async def test_types_are_asked_for_once_a_process(
    db: Database, wire: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_known_types", {})
    ids, bodies = [new_id(), new_id()], [{"a": [1, None]}, "text"]
    pool = make_pool(db.dsn, db.settings)
    async with pool, pool.acquire() as one, pool.acquire() as two:
        asked = []
        for connection in (one, two):
            wire.clear()
            row = await connection.fetchrow(ASK, ids, [1, 2], bodies, [True, None], [])
            assert (row["ids"], row["counts"], row["bodies"]) == (ids, [1, 2], bodies)
            assert (row["flags"], row["times"]) == ([True, None], [])
            asked.append(sum("typeinfo_tree" in sql for sql in wire))
        assert asked == [1, 0]
        await two.fetchval(
            "SELECT array_agg(x) FROM unnest($1::bytea[], $2::bigint[]) AS t (x, y)", [b"a"], [1]
        )
        assert sum("typeinfo_tree" in sql for sql in wire) == 0, "and for all that we use"


async def test_types_of_our_own_are_asked_for_by_each_connection(db: Database) -> None:
    """They are others in another database."""
    pool = make_pool(db.dsn, db.settings)
    pick = "SELECT (NULL, $1::uuid, 3, 0)::stock_pick AS pick, ARRAY[(NULL, $1::uuid, 3, 0)::stock_pick] AS picks"
    variant: UUID = new_id()
    async with pool, pool.acquire() as one, pool.acquire() as two:
        for connection in (one, two, one):
            row = await connection.fetchrow(pick, variant)
            assert (row["pick"]["variant"], row["picks"][0]["quantity"]) == (variant, 3)


async def test_the_arrays_are_those_of_postgresql(db: Database) -> None:
    rows = await db.rows(
        "SELECT oid::int, typname FROM pg_type WHERE oid = ANY($1::int[]::oid[]) AND typelem <> 0",
        list(ARRAYS),
    )
    assert {row["oid"] for row in rows} == set(ARRAYS)
    names = [
        "xid8",
        "bool",
        "bytea",
        "int2",
        "int4",
        "int8",
        "float8",
        "date",
        "timestamptz",
        "numeric",
        "uuid",
        "jsonb",
    ]
    assert {row["typname"] for row in rows} == {f"_{name}" for name in names}
