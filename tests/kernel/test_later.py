"""What is left for the last statement of a transaction."""

import asyncpg
import pytest

from samlad.kernel.database import Database, Tx

_ADD = "INSERT INTO thing (id, of) SELECT * FROM unnest($1::int[], $2::int[])"


@pytest.fixture
async def things(database: Database) -> Database:
    await database.pool.execute("CREATE TABLE thing (id int PRIMARY KEY, of int REFERENCES thing)")
    return database
