"""SQL of questions, reports, and of what is read of answers; `answer_store` writes those."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Resource
from samlad.kernel import inserts, taken_back
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.questions.model import (
    Answer,
    AnsweredQuestion,
    Asker,
    OwnQuestion,
    Question,
    ShownAnswer,
    ShownQuestion,
    Waits,
)
from samlad.stock.reach import belongs

_COUNTED = {
    "answers": "(SELECT count(*) FROM question_answer a WHERE a.question = q.id AND a.status = 'published')::int",
    "offered": "(SELECT count(*) FROM question_answer a WHERE a.question = q.id AND a.status = 'waiting')::int",
    "helpful": """(SELECT coalesce(sum(a.helpful), 0) FROM question_answer a
                  WHERE a.question = q.id AND a.status = 'published')::int""",
}
"""Counted when they are read: a question has few answers."""
_NAMED = {"product_title": "p.title", "handle": "p.handle"}


def _fields(kind: Any, **further: str) -> str:
    known = _NAMED | _COUNTED | further
    return ", ".join(
        f"{known[name]} AS {name}" if name in known else f"q.{name}" for name in kind.__struct_fields__
    )


_SOURCE = "question q JOIN product p ON p.id = q.product"
_FIELDS = _fields(Question)
_ANSWER_FIELDS = ", ".join(f"a.{name}" for name in Answer.__struct_fields__)
_SHOWN_ANSWER = ", ".join(f"a.{name}" for name in ShownAnswer.__struct_fields__)
_BEST_FIRST = "a.helpful DESC, (a.kind = 'shop') DESC, a.written_at, a.id"
_ONE = (
    "(EXISTS (SELECT FROM question_answer a WHERE a.question = q.id AND a.status = '{}') = ({{}} = 'true'))"
)

QUESTIONS = Listing(
    row=Question,
    select=_FIELDS,
    source=f"{_SOURCE} WHERE p.pool = ANY($1)",
    key="q.id",
    sorts={
        "asked_at": Sort("q.asked_at", "timestamptz"),
        "reports": Sort("q.reports", "int"),
    },
    default_sort="-asked_at",
    filters={
        "state": Filter("q.status = ANY({})", texts),
        "product": Filter("q.product = ANY({})", uuids),
        "customer": Filter("q.customer = ANY (customer_members({}::uuid[]))", uuids),
        "channel": Filter("q.channel = ANY({})", uuids),
        "language": Filter("q.language = ANY({})", texts),
        "answered": Filter(_ONE.format("published")),
        "offered": Filter(_ONE.format("waiting")),
        "reported": Filter("(q.reports > 0) = ({} = 'true')"),
        "q": Filter("strpos(lower(p.title || ' ' || q.text || ' ' || q.author), lower({})) > 0"),
    },
)
"""For staff; ``$1`` are pools of the catalogue."""

SHOWN = Listing(
    row=ShownQuestion,
    select=_fields(
        ShownQuestion,
        best=f"""coalesce((SELECT jsonb_agg(to_jsonb(b)) FROM (
                     SELECT {_SHOWN_ANSWER} FROM question_answer a WHERE a.question = q.id AND a.status = 'published'
                     ORDER BY {_BEST_FIRST} LIMIT 3) AS b), '[]')""",
    ),
    source="question q WHERE q.product = $1 AND q.status = 'published'",
    key="q.id",
    sorts={
        "asked_at": Sort("q.asked_at", "timestamptz"),
        "helpful": Sort(_COUNTED["helpful"], "int"),
    },
    default_sort="-helpful",
    filters={
        "language": Filter("q.language = ANY({})", texts),
        "answered": Filter(_ONE.format("published")),
        "q": Filter(
            """(strpos(lower(q.text), lower({0})) > 0 OR EXISTS (
                   SELECT FROM question_answer a WHERE a.question = q.id AND a.status = 'published'
                      AND strpos(lower(a.text), lower({0})) > 0))"""
        ),
    },
)
"""For everybody; ``$1`` is the product."""

OWN = Listing(
    row=OwnQuestion,
    select=_fields(OwnQuestion),
    source=f"{_SOURCE} WHERE q.customer = ANY (customer_members(ARRAY[$1::uuid])) AND q.status <> 'withdrawn'",
    key="q.id",
    sorts={"asked_at": Sort("q.asked_at", "timestamptz")},
    default_sort="-asked_at",
)
"""For who asked; ``$1`` is the customer."""


class Anchor(msgspec.Struct, frozen=True):
    """What somebody looks at: a variant, with its options in words."""

    variant: UUID
    options: str


# -- read ----------------------------------------------------------------------------------------------------------------


async def get(reader: Reader, question: UUID) -> Question | None:
    """A question, or None."""
    return await reader.one(Question, f"SELECT {_FIELDS} FROM {_SOURCE} WHERE q.id = $1", question)


async def lock(tx: Tx, question: UUID) -> Question | None:
    """A question held against changes, or None. Whoever changes an answer holds its question first."""
    return await tx.one(
        Question, f"SELECT {_FIELDS} FROM {_SOURCE} WHERE q.id = $1 FOR UPDATE OF q", question
    )


async def lock_many(tx: Tx, questions: Sequence[UUID]) -> list[Question]:
    """Questions held against changes, in the order of their ids; those that there are."""
    return await tx.all(
        Question,
        f"SELECT {_FIELDS} FROM {_SOURCE} WHERE q.id = ANY($1) ORDER BY q.id FOR UPDATE OF q",
        list(questions),
    )


async def shown(reader: Reader, product: UUID, question: UUID) -> ShownQuestion | None:
    """A question of a product that is published, or None."""
    return await reader.one(
        ShownQuestion, f"SELECT {SHOWN.select} FROM {SHOWN.source} AND q.id = $2", product, question
    )


async def shown_answers(reader: Reader, question: UUID, most: int = 100) -> list[ShownAnswer]:
    """The published answers to a question, those that helped most first."""
    return await reader.all(
        ShownAnswer,
        f"""SELECT {_SHOWN_ANSWER} FROM question_answer a WHERE a.question = $1 AND a.status = 'published'
            ORDER BY {_BEST_FIRST} LIMIT $2""",
        question,
        most,
    )


async def answers_of(reader: Reader, question: UUID, most: int = 100) -> list[Answer]:
    """All answers to a question, for staff: those that wait to be read first, then the shop's, then the oldest."""
    return await reader.all(
        Answer,
        f"""SELECT {_ANSWER_FIELDS} FROM question_answer a WHERE a.question = $1
            ORDER BY (a.status = 'waiting') DESC, (a.kind = 'shop') DESC, a.written_at, a.id LIMIT $2""",
        question,
        most,
    )


async def get_answer(reader: Reader, answer: UUID) -> Answer | None:
    """An answer, or None."""
    return await reader.one(Answer, f"SELECT {_ANSWER_FIELDS} FROM question_answer a WHERE a.id = $1", answer)


async def waiting_answer(reader: Reader, pools: Sequence[UUID]) -> UUID | None:
    """The question of the buyer's answer that waits longest to be read; ``pools`` are those of the catalogue."""
    found: UUID | None = await reader.value(
        """SELECT a.question FROM question_answer a JOIN question q ON q.id = a.question JOIN product p ON p.id = q.product
           WHERE a.status = 'waiting' AND p.pool = ANY($1) ORDER BY a.written_at, a.id LIMIT 1""",
        list(pools),
    )
    return found


async def own_answer(reader: Reader, question: UUID, customer: UUID) -> Answer | None:
    """What a customer has answered, whatever became of it."""
    return await reader.one(
        Answer,
        f"""SELECT {_ANSWER_FIELDS} FROM question_answer a
            WHERE a.question = $1 AND a.customer = ANY (customer_members(ARRAY[$2::uuid])) ORDER BY a.written_at LIMIT 1""",
        question,
        customer,
    )


async def bought(reader: Reader, customer: UUID, product: UUID) -> str | None:
    """Under which name a customer has bought a product and got it ("" without one); None: they have not."""
    found: str | None = await reader.value(
        """
        SELECT coalesce(o.name, '') FROM orders o JOIN order_line l ON l.order_id = o.id
        CROSS JOIN LATERAL (VALUES (l.variant), (CAST(l.set_of ->> 'variant' AS uuid))) AS g (variant)
        JOIN variant v ON v.id = g.variant
        WHERE o.customer = ANY (customer_members(ARRAY[$1::uuid])) AND v.product = $2
          AND o.kind = 'sale' AND o.status <> 'cancelled' AND l.kind = 'item' AND (l.fulfilled > 0 OR o.imported IS NOT NULL)
        ORDER BY o.placed_at DESC LIMIT 1
        """,
        customer,
        product,
    )
    return found


async def anchor(reader: Reader, product: UUID, variant: UUID | None) -> Anchor | None:
    """A variant of a product, the first without one; None: there is no such product, or it is no variant of it."""
    return await reader.one(
        Anchor,
        """SELECT id AS variant, CASE WHEN $2::uuid IS NULL THEN '' ELSE option_text END AS options FROM variant
           WHERE product = $1 AND ($2 IS NULL OR id = $2) ORDER BY (status = 'active') DESC, position, id LIMIT 1""",
        product,
        variant,
    )


async def asker(reader: Reader, question: UUID) -> Asker | None:
    """Where who asked is written to."""
    names = _fields(Asker)
    return await reader.one(Asker, f"SELECT {names} FROM {_SOURCE} WHERE q.id = $1", question)


async def reports_of(reader: Reader, question: UUID) -> list[tuple[str, datetime]]:
    """Why and when a question was reported, the latest first; 50 at most."""
    rows = await reader.rows(
        "SELECT reason, reported_at FROM question_report WHERE question = $1 ORDER BY reported_at DESC LIMIT 50",
        question,
    )
    return [(row["reason"], row["reported_at"]) for row in rows]


async def answered(reader: Reader, pool: UUID, most: int) -> list[AnsweredQuestion]:
    """Published questions of a catalogue that have a published answer, the latest answered first."""
    return await reader.all(
        AnsweredQuestion,
        f"""SELECT q.id, q.product, p.handle, q.answered_at FROM {_SOURCE}
            WHERE p.pool = $1 AND q.status = 'published' AND q.answered_at IS NOT NULL
              AND EXISTS (SELECT FROM question_answer a WHERE a.question = q.id AND a.status = 'published')
            ORDER BY q.answered_at DESC, q.id LIMIT $2""",
        pool,
        most,
    )


async def to_read(reader: Reader, pools: Sequence[UUID] | None = None) -> Waits:
    """What somebody has to read of what is asked about goods of some pools (None: of all), as their lists have it."""
    found = await reader.one(
        Waits,
        """WITH asked AS (
               SELECT q.asked_at FROM question q JOIN product p ON p.id = q.product
               WHERE q.status = 'waiting' AND ($1::uuid[] IS NULL OR p.pool = ANY ($1))
           ), answered AS (
               SELECT min(a.written_at) AS since FROM question_answer a JOIN question q ON q.id = a.question
               JOIN product p ON p.id = q.product
               WHERE a.status = 'waiting' AND ($1::uuid[] IS NULL OR p.pool = ANY ($1)) GROUP BY q.id
           )
           SELECT (SELECT count(*) FROM asked)::int AS questions, (SELECT min(asked_at) FROM asked) AS asked_at,
                  (SELECT count(*) FROM answered)::int AS answered, (SELECT min(since) FROM answered) AS answered_at""",
        None if pools is None else list(pools),
    )
    assert found is not None
    return found


# -- written -------------------------------------------------------------------------------------------------------------


async def lock_same(
    tx: Tx, product: UUID, customer: UUID | None, email: str | None, text: str
) -> Question | None:
    """The same words asked before by the same person of the same product; nobody can ask them at the same time."""
    await tx.value(
        "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text || coalesce($2::uuid::text, $3), 32))",
        product,
        customer,
        email or "",
    )
    return await tx.one(
        Question,
        f"""SELECT {_FIELDS} FROM {_SOURCE}
            WHERE q.product = $1 AND q.text = $4 AND q.status <> 'withdrawn'
              AND (q.customer = ANY (customer_members(ARRAY[$2::uuid])) OR ($2 IS NULL AND q.email = $3))
            ORDER BY q.asked_at LIMIT 1""",
        product,
        customer,
        email,
        text,
    )


async def insert(tx: Tx, values: dict[str, Any]) -> None:
    """Keep a question."""
    await inserts.insert(tx, "question", values)


async def update(tx: Tx, question: UUID, values: dict[str, Any]) -> None:
    """Change columns of a question; its version counts up. What it was before a batch is forgotten."""
    forgotten = {"batch": None, "was": None, "was_reason": "", "was_reports": 0}
    values = forgotten | {"was_decided_at": None, "was_decided_by": None} | values
    changes = ", ".join(f"{name} = n.{name}" for name in values)
    await tx.execute(
        f"""UPDATE question SET {changes}, version = question.version + 1
            FROM jsonb_populate_record(NULL::question, $2) AS n WHERE question.id = $1""",
        question,
        values,
    )


async def decide(
    tx: Tx,
    questions: Sequence[UUID],
    status: str,
    reason: str,
    batch: UUID,
    at: datetime | None,
    by: str | None,
) -> None:
    """Decide questions, held, in one statement. How they stood is kept with ``batch``, for who takes it back.

    Decided, they have no reports any more; without ``at`` they wait, and what was reported still stands.
    """
    await tx.execute(
        """UPDATE question SET was = status, was_reason = reason, was_reports = CASE WHEN $5::timestamptz IS NULL THEN 0 ELSE reports END,
                  was_decided_at = decided_at, was_decided_by = decided_by, batch = $4, status = $2, reason = $3,
                  reports = CASE WHEN $5::timestamptz IS NULL THEN reports ELSE 0 END,
                  decided_at = $5, decided_by = $6, version = version + 1 WHERE id = ANY($1)""",
        list(questions),
        status,
        reason,
        batch,
        at,
        by,
    )


async def lock_batch(tx: Tx, batch: UUID) -> list[Question]:
    """Questions that were decided together and not changed since, held."""
    return await tx.all(
        Question,
        f"SELECT {_FIELDS} FROM {_SOURCE} WHERE q.batch = $1 ORDER BY q.id FOR UPDATE OF q",
        batch,
    )


async def take_back(tx: Tx, batch: UUID) -> dict[UUID, str]:
    """Let questions that were decided together stand as before: how each stands now."""
    return await taken_back.take_back(tx, "question", batch, was="was")


async def claim_telling(tx: Tx, question: UUID, at: datetime) -> bool:
    """Note that who asked is written to now; False when they were already."""
    return bool(
        await tx.execute(
            "UPDATE question SET told_at = $2 WHERE id = $1 AND told_at IS NULL AND status <> 'withdrawn'",
            question,
            at,
        )
    )


async def forget_unconfirmed(tx: Tx, before: datetime, most: int) -> int:
    """Remove what nobody confirmed in time; how many."""
    return await tx.execute(
        """DELETE FROM question WHERE id IN (SELECT id FROM question WHERE status = 'unconfirmed' AND asked_at < $1
               ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)""",
        before,
        most,
    )


async def report(tx: Tx, question: UUID, voter: UUID, reason: str) -> tuple[UUID, int] | None:
    """Keep a report of a question that is shown: product and reports then; None when this one told already."""
    row = await tx.row(
        """WITH told AS (INSERT INTO question_report (question, voter, reason)
                         SELECT id, $2, $3 FROM question WHERE id = $1 AND status = 'published'
                         ON CONFLICT DO NOTHING RETURNING 1)
           UPDATE question SET reports = reports + 1 WHERE id = $1 AND EXISTS (SELECT 1 FROM told)
           RETURNING product, reports""",
        question,
        voter,
        reason,
    )
    return None if row is None else (row["product"], row["reports"])


belongs(
    ("question_id",),
    Resource.CATALOGUE,
    "SELECT p.pool FROM question q JOIN product p ON p.id = q.product WHERE q.id = $1",
)
