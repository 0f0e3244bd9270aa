"""SQL that writes answers and votes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from samlad.kernel import inserts
from samlad.kernel.database import Tx


async def insert(tx: Tx, values: dict[str, Any]) -> None:
    """Keep an answer."""
    await inserts.insert(tx, "question_answer", values)


async def update(tx: Tx, answer: UUID, values: dict[str, Any]) -> None:
    """Change columns of an answer; its version counts up."""
    changes = ", ".join(f"{name} = n.{name}" for name in values)
    await tx.execute(
        f"""UPDATE question_answer SET {changes}, version = question_answer.version + 1
            FROM jsonb_populate_record(NULL::question_answer, $2) AS n WHERE question_answer.id = $1""",
        answer,
        values,
    )


async def forget_votes(tx: Tx, answer: UUID) -> None:
    """Votes were for what it said before. The caller sets ``helpful`` to 0."""
    await tx.execute("DELETE FROM question_vote WHERE answer = $1", answer)


async def set_answered(tx: Tx, question: UUID, at: datetime) -> None:
    """Note when a question was answered, or since when it has no answer that stands."""
    await tx.execute(
        """UPDATE question q SET version = version + 1, answered_at = CASE WHEN EXISTS (
               SELECT FROM question_answer a WHERE a.question = q.id AND a.status = 'published')
               THEN coalesce(q.answered_at, $2) END
           WHERE q.id = $1""",
        question,
        at,
    )


async def vote(tx: Tx, answer: UUID, voter: UUID, *, helpful: bool) -> tuple[UUID, UUID, int] | None:
    """Count a vote, or take it back: question, its product and votes then; None when that changes nothing or it is not shown."""
    change = (
        """INSERT INTO question_vote (answer, voter)
           SELECT a.id, $2 FROM question_answer a JOIN question q ON q.id = a.question
           WHERE a.id = $1 AND a.status = 'published' AND q.status = 'published'
           ON CONFLICT DO NOTHING RETURNING 1"""
        if helpful
        else "DELETE FROM question_vote WHERE answer = $1 AND voter = $2 RETURNING 1"
    )
    row = await tx.row(
        f"""WITH changed AS ({change})
            UPDATE question_answer a SET helpful = a.helpful + {1 if helpful else -1} FROM question q
            WHERE a.id = $1 AND q.id = a.question AND EXISTS (SELECT 1 FROM changed)
            RETURNING q.id AS question, q.product, a.helpful""",
        answer,
        voter,
    )
    return None if row is None else (row["question"], row["product"], row["helpful"])
