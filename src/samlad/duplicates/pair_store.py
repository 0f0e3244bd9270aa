"""SQL of the table ``duplicate_pair``: what was found, the queue of clerks, and what they decided."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad.duplicates.model import NextInput, Pair, PairRow, Score
from samlad.duplicates.rules import strong
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered, texts, uuids

HELD = timedelta(minutes=5)
"""How long a pair is somebody's after it was shown to them."""

_PAIR = """p.id, p.left_customer AS left, p.right_customer AS right, p.weight, p.prior, 1 / (1 + power(2, -p.weight)) AS probability,
           p.strong, p.evidence, p.status, p.decision, p.decided_by, p.decided_at, p.is_automatic,
           CASE WHEN p.held_until > now() THEN p.held_by END AS held_by, p.model, p.found_at"""
_TWO = """duplicate_pair p JOIN customer l ON l.id = p.left_customer JOIN customer r ON r.id = p.right_customer"""
_APART_STILL = "l.pool = r.pool AND coalesce(l.survivor, l.id) <> coalesce(r.survivor, r.id)"
"""Two of whom it is still to be decided: not those that became one by themselves, or went into different pools."""
_SHOWN = f"(p.status <> 'open' OR ({_APART_STILL}))"


class Found(msgspec.Struct, frozen=True):
    """Two customers, the lesser id first, with their score by a version of the model."""

    left: UUID
    right: UUID
    score: Score
    model: int


LISTING = Listing(
    row=PairRow,
    select="""p.id, p.status, p.weight, 1 / (1 + power(2, -p.weight)) AS probability, p.strong, l.id AS left,
              l.name AS left_name, l.email AS left_email, r.id AS right, r.name AS right_name, r.email AS right_email,
              p.decided_by, p.decided_at, p.is_automatic, p.found_at""",
    source=f"{_TWO} WHERE {_SHOWN}",
    key="p.id",
    sorts={
        "weight": Sort("p.weight", "float8"),
        "found_at": Sort("p.found_at", "timestamptz"),
        "decided_at": Sort("coalesce(p.decided_at, '-infinity')", "timestamptz"),
    },
    default_sort="-weight",
    filters={
        "q": Filter("(l.search LIKE {0} OR r.search LIKE {0})", anywhere_lowered),
        "status": Filter("p.status = ANY({})", texts),
        "strong": Filter("p.strong::text = ANY({})", texts),
        "pool": Filter("l.pool = ANY({}::uuid[])", uuids),
        "customer": Filter(
            """(p.left_customer = ANY(customer_members({0}::uuid[])) OR p.right_customer = ANY(customer_members({0}::uuid[])))""",
            uuids,
        ),
    },
)
"""All pairs; those that wait only while it is still to be decided."""


async def get(reader: Reader, pair: UUID) -> Pair | None:
    """One pair, or None."""
    return await reader.one(Pair, f"SELECT {_PAIR} FROM duplicate_pair p WHERE p.id = $1", pair)


async def between(reader: Reader, left: UUID, right: UUID) -> Pair | None:
    """The pair of two customers, the lesser id first; None if they are none."""
    return await reader.one(
        Pair,
        f"SELECT {_PAIR} FROM duplicate_pair p WHERE p.left_customer = $1 AND p.right_customer = $2",
        left,
        right,
    )


async def waiting(reader: Reader, pool: UUID | None = None) -> int:
    """How many pairs wait for somebody; counted up to 10,000."""
    found: int = await reader.value(
        f"""SELECT count(*) FROM (SELECT FROM {_TWO} WHERE p.status = 'open' AND {_APART_STILL}
                                  AND ($1::uuid IS NULL OR l.pool = $1) LIMIT 10000) AS few""",
        pool,
    )
    return found


async def put(tx: Tx, found: Sequence[Found]) -> None:
    """Keep pairs, in key order. Two that were set apart wait again only if other things agree now than did then."""
    ordered = sorted(found, key=lambda each: (each.left.bytes, each.right.bytes))
    await tx.execute(
        """
        INSERT INTO duplicate_pair AS p (id, left_customer, right_customer, weight, prior, strong, evidence, levels, model)
        SELECT id, one, other, weight, prior, strong, evidence::jsonb, levels, model
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::float8[], $5::float8[], $6::int[], $7::text[], $8::text[],
                    $9::int[]) AS t (id, one, other, weight, prior, strong, evidence, levels, model)
        ORDER BY one, other
        ON CONFLICT (left_customer, right_customer) DO UPDATE
        SET weight = excluded.weight, prior = excluded.prior, strong = excluded.strong, evidence = excluded.evidence,
            levels = excluded.levels, model = excluded.model, scored_at = now(),
            status = 'open', decision = NULL, decided_by = NULL, decided_at = NULL, is_automatic = false, skipped_by =
                CASE WHEN p.levels = excluded.levels THEN p.skipped_by ELSE '{}' END
        WHERE p.status = 'open' OR (p.status = 'apart' AND p.levels <> excluded.levels)
        """,
        [new_id() for _ in ordered],
        [each.left for each in ordered],
        [each.right for each in ordered],
        [each.score.weight for each in ordered],
        [each.score.prior for each in ordered],
        [strong(each.score.evidence) for each in ordered],
        [msgspec.json.encode(each.score.evidence).decode() for each in ordered],
        [each.score.levels for each in ordered],
        [each.model for each in ordered],
    )


async def drop_others(tx: Tx, customers: Collection[UUID], kept: Sequence[tuple[UUID, UUID]]) -> None:
    """Forget pairs of these customers that nothing speaks for any more. What was decided stays."""
    await tx.execute(
        """DELETE FROM duplicate_pair p
           WHERE p.status = 'open' AND (p.left_customer = ANY($1) OR p.right_customer = ANY($1))
             AND NOT EXISTS (SELECT FROM unnest($2::uuid[], $3::uuid[]) AS t (one, other)
                             WHERE one = p.left_customer AND other = p.right_customer)""",
        list(customers),
        [left for left, _ in kept],
        [right for _, right in kept],
    )


async def drop_older(tx: Tx, pool: UUID, model: int, since: datetime) -> None:
    """Forget pairs of a pool that an older model found and the newest does not."""
    await tx.execute(
        """DELETE FROM duplicate_pair p USING customer l
           WHERE l.id = p.left_customer AND l.pool = $1 AND p.status = 'open' AND p.model <> $2 AND p.scored_at < $3""",
        pool,
        model,
        since,
    )


# -- the queue ---------------------------------------------------------------------------------------------------------


async def take(tx: Tx, who: str, pool: UUID | None, wanted: NextInput) -> Pair | None:
    """The pair that somebody looks at already, else the surest that nobody does; it is theirs for `HELD`."""
    # Somebody who asks twice at once is to get one pair, not what the first request is just holding and another.
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 44))", who)
    return await tx.one(
        Pair,
        f"""
        WITH chosen AS (
            SELECT p.id FROM {_TWO}
            WHERE p.status = 'open' AND {_APART_STILL} AND ($2::uuid IS NULL OR l.pool = $2)
              AND (p.held_by IS NULL OR p.held_by = $1 OR p.held_until <= now()) AND NOT $1 = ANY (p.skipped_by)
              AND ($3::float8 IS NULL OR p.weight >= $3) AND ($4::int IS NULL OR p.strong >= $4)
            ORDER BY (p.held_by IS NOT DISTINCT FROM $1 AND p.held_until > now()) DESC, p.weight DESC, p.id
            LIMIT 1 FOR UPDATE OF p SKIP LOCKED
        )
        UPDATE duplicate_pair p SET held_by = $1, held_until = now() + $5::interval FROM chosen WHERE p.id = chosen.id
        RETURNING {_PAIR}
        """,
        who,
        pool,
        wanted.at_least,
        wanted.strong,
        HELD,
    )


async def decide(tx: Tx, pair: UUID, who: str, status: str, *, is_automatic: bool = False) -> Pair | None:
    """Note what somebody decided; None if it is decided already, or somebody else looks at it."""
    return await tx.one(
        Pair,
        f"""UPDATE duplicate_pair p
            SET status = $3, decided_by = $2, decided_at = now(), is_automatic = $4, held_by = NULL, held_until = NULL
            WHERE p.id = $1 AND p.status = 'open' AND (p.held_by IS NULL OR p.held_by = $2 OR p.held_until <= now())
            RETURNING {_PAIR}""",
        pair,
        who,
        status,
        is_automatic,
    )


async def set_decision(tx: Tx, pair: UUID, decision: UUID) -> None:
    """Which decision of identity a pair's is."""
    await tx.execute("UPDATE duplicate_pair SET decision = $2 WHERE id = $1", pair, decision)


async def reopen(tx: Tx, pair: UUID, who: str, decision: UUID) -> Pair | None:
    """A decision was taken back: the pair waits again, for who did it first. None if it is not the pair's."""
    return await tx.one(
        Pair,
        f"""UPDATE duplicate_pair p
            SET status = 'open', decision = NULL, decided_by = NULL, decided_at = NULL, is_automatic = false,
                held_by = $2, held_until = now() + $4::interval
            WHERE p.id = $1 AND p.decision = $3 RETURNING {_PAIR}""",
        pair,
        who,
        decision,
        HELD,
    )


async def reopen_undone(tx: Tx, decisions: Collection[UUID]) -> list[Pair]:
    """Pairs whose decision was taken back elsewhere wait again."""
    return await tx.all(
        Pair,
        f"""UPDATE duplicate_pair p
            SET status = 'open', decision = NULL, decided_by = NULL, decided_at = NULL, is_automatic = false
            WHERE p.decision = ANY($1) RETURNING {_PAIR}""",
        list(decisions),
    )


async def settle_apart(tx: Tx, decision: UUID, who: str, left: Sequence[UUID], right: Sequence[UUID]) -> None:
    """Pairs that somebody set apart elsewhere wait no longer."""
    await tx.execute(
        """UPDATE duplicate_pair SET status = 'apart', decision = $1, decided_by = $2, decided_at = now()
           WHERE status = 'open' AND ((left_customer = ANY($3) AND right_customer = ANY($4))
                                      OR (left_customer = ANY($4) AND right_customer = ANY($3)))""",
        decision,
        who,
        list(left),
        list(right),
    )


async def skip(tx: Tx, pair: UUID, who: str) -> Pair | None:
    """Not now, and not by me; None if it does not wait, or is somebody else's."""
    return await tx.one(
        Pair,
        f"""UPDATE duplicate_pair p
            SET skipped_by = array_append(array_remove(p.skipped_by, $2), $2), held_by = NULL, held_until = NULL
            WHERE p.id = $1 AND p.status = 'open' AND (p.held_by IS NULL OR p.held_by = $2 OR p.held_until <= now())
            RETURNING {_PAIR}""",
        pair,
        who,
    )


async def unskip(tx: Tx, who: str, pair: UUID | None) -> list[Pair]:
    """Show somebody again what they skipped: one pair, theirs at once, or all."""
    return await tx.all(
        Pair,
        f"""UPDATE duplicate_pair p
            SET skipped_by = array_remove(p.skipped_by, $1),
                held_by = CASE WHEN $2::uuid IS NULL OR (p.held_by <> $1 AND p.held_until > now()) THEN p.held_by ELSE $1 END,
                held_until = CASE WHEN $2::uuid IS NULL OR (p.held_by <> $1 AND p.held_until > now())
                                  THEN p.held_until ELSE now() + $3::interval END
            WHERE p.status = 'open' AND $1 = ANY (p.skipped_by) AND ($2::uuid IS NULL OR p.id = $2) RETURNING {_PAIR}""",
        who,
        pair,
        HELD,
    )


async def numbers_of(reader: Reader, customers: Collection[UUID]) -> dict[UUID, list[tuple[str, str]]]:
    """By customer, the numbers, logins and loyalty cards of the person that they are."""
    rows: list[Any] = await reader.rows(
        """SELECT c.id AS customer, n.kind, n.value FROM identity_node c JOIN identity_node n ON n.profile = c.profile
           WHERE c.id = ANY($1) AND n.kind IN ('external_id', 'login', 'loyalty') AND n.is_known""",
        list(customers),
    )
    found: dict[UUID, list[tuple[str, str]]] = {each: [] for each in customers}
    for row in rows:
        found[row["customer"]].append((row["kind"], row["value"]))
    return found
