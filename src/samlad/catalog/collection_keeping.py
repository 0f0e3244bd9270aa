"""A channel that leaves a catalogue and keeps its own takes copies of the collections that its shoppers see."""

from uuid import UUID

from samlad.channels.pooling import Move, MoveKind, Turn
from samlad.kernel.database import Reader, Tx

_TOLD = "c.name, c.description, c.kind, c.rule, c.status, c.seo_title, c.seo_description, c.translations"


async def count(reader: Reader, move: Move) -> int:
    """How many collections of the others there are that their shoppers see."""
    found: int = await reader.value(
        "SELECT count(*) FROM collection WHERE pool = $1 AND status = 'active'", move.shared
    )
    return found


async def keep(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Each collection that is shown, with those of its goods that are the channel's, under the address that shoppers know.

    One that the channel has already just so is left alone; one of its own under the same address is archived under
    another one, so that nothing is lost.
    """
    if move.kind is not MoveKind.LEAVE or not move.keeps_own:
        return Turn(0)
    rows = await tx.rows(
        f"""
        WITH mine AS (
            SELECT p.id AS product, p.id AS own FROM product p WHERE p.pool = $2
            UNION ALL SELECT b.product, a.product FROM pool_move_row j JOIN variant a ON a.id = j.row AND a.pool = $2
                             JOIN variant b ON b.id = j.twin
                      WHERE j.move = $4 AND j.subject = 'variant'
            UNION ALL SELECT j.row, j.twin FROM pool_move_row j WHERE j.move = $3 AND j.subject = 'product copy'
                             AND EXISTS (SELECT FROM product p WHERE p.id = j.twin AND p.pool = $2)
        ), theirs AS (
            SELECT c.*, ARRAY(SELECT own FROM (SELECT DISTINCT ON (m.own) m.own, t.position FROM collection_product t
                                               JOIN mine m USING (product) WHERE t.collection = c.id
                                               ORDER BY m.own, t.position) o ORDER BY o.position, o.own) AS goods
            FROM collection c WHERE c.pool = $1 AND c.status = 'active'
        )
        SELECT c.id, c.handle, c.goods, o.id AS own FROM theirs c
        LEFT JOIN collection o ON o.pool = $2 AND o.handle = c.handle
        WHERE o.id IS NULL OR ({_TOLD}) IS DISTINCT FROM ({_TOLD.replace("c.", "o.")}) OR c.goods IS DISTINCT FROM
              ARRAY(SELECT product FROM collection_product WHERE collection = o.id ORDER BY position, product)
        ORDER BY c.id
        """,
        move.shared,
        move.home,
        move.id,
        move.joined,
    )
    for row in rows:
        if row["own"] is not None:
            await _put_aside(tx, row["own"])
        await tx.execute(
            """
            WITH made AS (
                INSERT INTO collection (id, pool, handle, name, description, kind, rule, status, seo_title, seo_description,
                                        translations)
                SELECT gen_random_uuid(), $2, handle, name, description, kind, rule, status, seo_title, seo_description,
                       translations FROM collection WHERE id = $1 RETURNING id
            ), kept AS (INSERT INTO pool_move_row (move, subject, row) SELECT $4, 'collection', id FROM made)
            INSERT INTO collection_product (collection, product, position)
            SELECT made.id, w.product, w.place - 1 FROM made, unnest($3::uuid[]) WITH ORDINALITY AS w (product, place)
            """,
            row["id"],
            move.home,
            row["goods"],
            move.id,
        )
    return Turn(len(rows))


async def _put_aside(tx: Tx, collection: UUID) -> None:
    """Under the next address that is free: ``summer`` is ``summer-2``."""
    await tx.execute(
        """
        UPDATE collection c SET status = 'archived', version = version + 1, updated_at = now(), handle = (
            SELECT left(c.handle, 240) || '-' || n FROM generate_series(2, 10000) AS n
            WHERE NOT EXISTS (SELECT FROM collection o WHERE o.pool = c.pool AND o.handle = left(c.handle, 240) || '-' || n)
            ORDER BY n LIMIT 1)
        WHERE c.id = $1
        """,
        collection,
    )
