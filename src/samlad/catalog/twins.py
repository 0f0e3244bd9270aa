"""References to variants while a catalogue joins or leaves: each row names the variant of the catalogue that its channel uses.

When a channel joins, what names one of its variants that has a counterpart (``variant.twin``) names that from then on.
When it leaves, what is the channel's names variants of its own catalogue again, and what is the others' names theirs: the
counterpart from the join, or else a copy, made once. Packages declare their tables with `repointing`.
"""

from collections.abc import Sequence
from uuid import UUID

from samlad.catalog import copying
from samlad.channels.pooling import Move, MoveKind, Step, Turn
from samlad.kernel.database import Tx

IS_SAME = "state IN ('gtin', 'sku', 'hand', 'parts')"
"""Of a row of `catalogue_pairs`: both would become one."""


def to_pair(move: Move) -> tuple[UUID | None, UUID | None]:
    """The arguments of `catalogue_pairs` in a plan that is made before goods are shared; else there are no pairs."""
    return move.goods or (None, None)


async def counterparts(
    tx: Tx, move: Move, variants: Sequence[UUID], pool: UUID, *, copies: bool = True
) -> dict[UUID, UUID]:
    """Which variants of a pool stand for these of the other one, after the channel left.

    ``copies``: where there is none a copy is made; else it is left out.
    """
    rows = await tx.rows(
        """
        SELECT DISTINCT ON (t.id) t.id, coalesce(c.twin, w.id) AS found
        FROM unnest($1::uuid[]) AS t (id)
             LEFT JOIN pool_move_row c ON c.move = $2 AND c.subject = 'variant copy' AND c.row = t.id
             LEFT JOIN pool_move_row j ON j.move = $3 AND j.subject = 'variant' AND j.twin IS NOT NULL AND t.id IN (j.row, j.twin)
             LEFT JOIN variant w ON w.id IN (j.row, j.twin) AND w.id <> t.id AND w.pool = $4
        ORDER BY t.id, w.id
        """,
        list(variants),
        move.id,
        move.joined,
        pool,
    )
    found: dict[UUID, UUID] = {row["id"]: row["found"] for row in rows if row["found"] is not None}
    missing = [row["id"] for row in rows if row["found"] is None] if copies else []
    return found | await copying.copy_into(tx, move, pool, missing)


async def stand_ins(tx: Tx, move: Move, ids: Sequence[UUID], *, is_ours: bool) -> dict[UUID, UUID]:
    """What some of these ids are renamed to, where they are of variants that the move renames; others are left out.

    ``is_ours``: what names them is the channel's.
    """
    assert move.home is not None
    if move.kind is MoveKind.JOIN:
        rows = await tx.rows(
            "SELECT id, twin FROM variant WHERE id = ANY ($1::uuid[]) AND twin IS NOT NULL", list(ids)
        )
        return {row["id"]: row["twin"] for row in rows}
    pool, other = (move.home, move.shared) if is_ours else (move.shared, move.home)
    rows = await tx.rows("SELECT id FROM variant WHERE id = ANY ($1::uuid[]) AND pool = $2", list(ids), other)
    return await counterparts(tx, move, [row["id"] for row in rows], pool) if rows else {}


def repointing(
    table: str,
    *,
    key: str,
    ours: str,
    column: str = "variant",
    only: str = "true",
    with_switch: bool = False,
    is_last: bool = False,
    copies_ours: bool = True,
) -> Step:
    """The step of a table whose rows (``t``) name a variant.

    Rows with one ``key`` (a uuid) are done together. ``ours`` says whether a row is the channel's, with that as ``$1`` and
    its own catalogue as ``$2``; ``only`` are the rows of this step. Names and conditions are the calling package's own.
    ``copies_ours``: what is the channel's and names goods of the others makes a copy of them; else it names them on.
    """

    async def run(tx: Tx, move: Move, cursor: UUID | None, limit: int) -> Turn:
        assert move.home is not None
        if move.kind is MoveKind.JOIN:
            needs, is_ours = "v.pool = $2 AND v.twin IS NOT NULL AND $1::uuid <> $3::uuid", "true"
        else:
            needs = f"v.pool = CASE WHEN {ours} THEN $3::uuid ELSE $2::uuid END AND $1::uuid IS NOT NULL"
            is_ours = ours
        rows = await tx.rows(
            f"""
            WITH batch AS (
                SELECT DISTINCT t.{key} AS key FROM {table} t JOIN variant v ON v.id = t.{column}
                WHERE {needs} AND {only} AND ($4::uuid IS NULL OR t.{key} > $4) ORDER BY 1 LIMIT $5
            )
            SELECT DISTINCT t.{key} AS key, v.id, v.twin, {is_ours} AS is_ours
            FROM batch JOIN {table} t ON t.{key} = batch.key JOIN variant v ON v.id = t.{column} WHERE {needs} AND {only}
            ORDER BY 1, 2
            """,
            move.channel,
            move.home,
            move.shared,
            cursor,
            limit,
        )
        if not rows:
            return Turn(0)
        keys = {row["key"] for row in rows}
        there = [row["twin"] for row in rows]
        if move.kind is MoveKind.LEAVE:
            found: dict[tuple[UUID, bool], UUID] = {}
            for side, pool in ((True, move.home), (False, move.shared)):
                chosen = sorted({row["id"] for row in rows if row["is_ours"] is side})
                if chosen:
                    known = await counterparts(tx, move, chosen, pool, copies=copies_ours or not side)
                    found |= {(variant, side): twin for variant, twin in known.items()}
            rows = [row for row in rows if (row["id"], row["is_ours"]) in found]
            there = [found[row["id"], row["is_ours"]] for row in rows]
        moved = await tx.execute(
            f"""
            UPDATE {table} t SET {column} = n.there
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS n (key, here, there)
            WHERE t.{key} = n.key AND t.{column} = n.here
            """,
            [row["key"] for row in rows],
            [row["id"] for row in rows],
            there,
        )
        return Turn(moved, max(keys, key=lambda each: each.bytes) if len(keys) == limit else None)

    return Step(f"variants of {table}", run, with_switch=with_switch, is_last=is_last)
