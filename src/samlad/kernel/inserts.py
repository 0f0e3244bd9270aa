"""One row into a table, by the names of its columns."""

from collections.abc import Mapping
from typing import Any

from samlad.kernel.database import Tx


async def insert(tx: Tx, table: str, values: Mapping[str, Any], *, unless: str | None = None) -> bool:
    """Insert a row; columns without a value have their default. Values go as one document, so that any table may have any columns.

    ``unless`` is what makes the row one that is known, as ON CONFLICT takes it (``(id)``; empty: whatever is unique): then
    nothing is inserted, and the answer is False. ``table`` and the names of ``values`` are the program's own, never input.
    """
    names = ", ".join(values)
    known = "" if unless is None else f" ON CONFLICT {unless} DO NOTHING"
    sql = f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_record(NULL::{table}, $1){known}"
    return bool(await tx.execute(sql, dict(values)))
