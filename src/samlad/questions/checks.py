"""What must always hold of questions; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database


async def _votes(database: Database) -> Finding:
    rows = await database.rows(
        "SELECT answer, kept, truth FROM question_vote_difference ORDER BY answer LIMIT 20"
    )
    if not rows:
        return Finding("ok", "all of them")
    told = "; ".join(f"answer {row['answer']}: {row['kept']}, should be {row['truth']}" for row in rows[:5])
    return Finding("failed", f"{len(rows)}: {told}", "samlad doctor --fix counts them anew")


async def _count_anew(database: Database) -> int:
    async with database.pool.acquire() as connection:
        done: str = await connection.execute(
            """UPDATE question_answer a SET helpful = d.truth FROM question_vote_difference d
               WHERE d.answer = a.id AND a.helpful = d.kept"""
        )
    return int(done.rpartition(" ")[2])


CHECKS = [
    Check("question-votes", "How often an answer helped is what its votes add up to", _votes, _count_anew)
]
"""The checks of questions."""
