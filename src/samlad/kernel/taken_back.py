"""Rows that were decided together and are let stand as before: of reviews and of questions, which keep with each how it stood.

Their tables have ``status``, ``reason``, ``reports``, ``decided_at``, ``decided_by``, each once more with ``was_`` before it, and
``batch``, the id under which they were decided.
"""

from uuid import UUID

from samlad.kernel.database import Tx


async def take_back(tx: Tx, table: str, batch: UUID, *, was: str = "was_status") -> dict[UUID, str]:
    """Let what was decided together and not changed since stand as before: how each row stands now.

    ``table`` and ``was``, the column of the status before, are the program's own names, never what somebody sent.
    """
    rows = await tx.rows(
        f"""UPDATE {table} SET status = {was}, reason = was_reason, reports = reports + was_reports,
                   decided_at = was_decided_at, decided_by = was_decided_by, {was} = NULL, was_reason = '',
                   was_reports = 0, was_decided_at = NULL, was_decided_by = NULL, batch = NULL, version = version + 1
            WHERE batch = $1 AND {was} IS NOT NULL RETURNING id, status""",
        batch,
    )
    return {row["id"]: row["status"] for row in rows}
