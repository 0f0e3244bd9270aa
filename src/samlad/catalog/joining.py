"""A catalogue joins another, or leaves it: which goods come along, which others stand for, and how they get back.

Everything is done in the transaction of the switch, with the variants of the channel locked: nobody may find half a
catalogue. What refers to variants follows in the steps of the packages (`samlad.catalog.twins`).
"""

from uuid import UUID

from samlad.catalog import events
from samlad.catalog.search import index
from samlad.channels.pooling import Move, MoveKind, Turn
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict

EVENT_SIZE = 1000


async def carry(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """All goods at once."""
    if move.kind is MoveKind.JOIN:
        return Turn(await _join(tx, move))
    return Turn(await _leave(tx, move) if move.joined is not None else 0)


async def _join(tx: Tx, move: Move) -> int:
    await tx.execute("SELECT FROM variant WHERE pool = $1 ORDER BY id FOR UPDATE", move.home)
    await tx.execute("SELECT FROM product WHERE pool = $1 ORDER BY id FOR UPDATE", move.home)
    rows = await tx.rows("SELECT * FROM catalogue_pairs($1, $2)", move.home, move.shared)
    unclear = [row["sku"] for row in rows if row["state"] == "contrary"]
    if unclear:
        raise Conflict(f"Goods need a hand since the plan was made: {', '.join(unclear[:5])}.")
    along = [row["variant"] for row in rows if row["state"] in ("new", "another")]
    products = await _products_along(tx, move, along)
    await _groups_along(tx, move, products)
    ending = await tx.value("SELECT code FROM channel WHERE id = $1", move.channel)
    await tx.execute(
        """
        WITH old AS (SELECT id, handle, category FROM product WHERE id = ANY ($4::uuid[])),
        moved AS (
            UPDATE product p SET pool = $2, handle = free_handle($2, p.handle, $3),
                   category = (SELECT coalesce(k.twin, k.row) FROM pool_move_row k
                               WHERE k.move = $1 AND k.subject = 'category' AND k.row = p.category)
            FROM old WHERE p.id = old.id RETURNING p.id, p.handle, p.category
        )
        INSERT INTO pool_move_row (move, subject, row, before)
        SELECT $1, 'product', old.id, jsonb_build_object('handle', old.handle, 'given', moved.handle,
                                                         'category', old.category, 'put', moved.category)
        FROM old JOIN moved USING (id)
        """,
        move.id,
        move.shared,
        ending,
        products,
    )
    await tx.execute(
        """
        WITH old AS (SELECT id, sku FROM variant WHERE id = ANY ($4::uuid[])),
        moved AS (
            UPDATE variant v SET pool = $2, sku = free_sku($2, v.sku, $3) FROM old WHERE v.id = old.id RETURNING v.id, v.sku
        )
        INSERT INTO pool_move_row (move, subject, row, before)
        SELECT $1, 'variant', old.id, jsonb_build_object('sku', old.sku, 'given', moved.sku)
        FROM old JOIN moved USING (id)
        """,
        move.id,
        move.shared,
        ending,
        along,
    )
    # What stays behind beside others of its product that came along is not to be seen there.
    await tx.execute(
        """
        WITH told AS (SELECT * FROM unnest($2::uuid[], $3::uuid[]) AS t (id, twin)),
        old AS (SELECT v.id, v.status, t.twin, v.product = ANY ($4::uuid[]) AS is_beside FROM variant v JOIN told t USING (id)),
        changed AS (
            UPDATE variant v SET twin = old.twin, status = CASE WHEN old.is_beside THEN 'archived' ELSE v.status END
            FROM old WHERE v.id = old.id
        )
        INSERT INTO pool_move_row (move, subject, row, twin, before)
        SELECT $1, 'variant', id, twin, CASE WHEN is_beside THEN jsonb_build_object('status', status) END FROM old
        """,
        move.id,
        [row["variant"] for row in rows if row["state"] not in ("new", "another")],
        [row["twin"] for row in rows if row["state"] not in ("new", "another")],
        products,
    )
    await tx.execute(
        "UPDATE product_search SET pool = $2 WHERE product = ANY ($1::uuid[])", products, move.shared
    )
    await _list_twins(tx, move)
    return len(rows)


async def _products_along(tx: Tx, move: Move, variants: list[UUID]) -> list[UUID]:
    """Products of variants that come along, and those that have none at all."""
    rows = await tx.rows(
        """SELECT p.id FROM product p WHERE p.pool = $1
           AND (EXISTS (SELECT FROM variant v WHERE v.product = p.id AND v.id = ANY ($2::uuid[]))
                OR NOT EXISTS (SELECT FROM variant v WHERE v.product = p.id)) ORDER BY p.id""",
        move.home,
        variants,
    )
    return [row["id"] for row in rows]


async def _groups_along(tx: Tx, move: Move, products: list[UUID]) -> None:
    """Categories that are not there at the same path, and attributes that are not there by their code: what is needed."""
    await tx.execute(
        """
        WITH needed AS (
            SELECT DISTINCT a.id, a.path, a.parent FROM product p JOIN category c ON c.id = p.category
            JOIN category a ON a.pool = $2 AND a.path = ANY (path_line(c.path)) WHERE p.id = ANY ($4::uuid[])
        )
        INSERT INTO pool_move_row (move, subject, row, twin, before)
        SELECT $1, 'category', n.id, b.id, jsonb_build_object('parent', n.parent)
        FROM needed n LEFT JOIN category b ON b.pool = $3 AND b.path = n.path
        """,
        move.id,
        move.home,
        move.shared,
        products,
    )
    await tx.execute(
        """
        UPDATE category c SET pool = $2, parent = CASE WHEN c.parent IS NOT NULL THEN
               (SELECT coalesce(k.twin, k.row) FROM pool_move_row k
                WHERE k.move = $1 AND k.subject = 'category' AND k.row = c.parent) END
        FROM pool_move_row j WHERE j.move = $1 AND j.subject = 'category' AND j.twin IS NULL AND c.id = j.row
        """,
        move.id,
        move.shared,
    )
    await tx.execute(
        """
        WITH moved AS (
            UPDATE attribute a SET pool = $3 WHERE a.pool = $2
            AND NOT EXISTS (SELECT FROM attribute b WHERE b.pool = $3 AND b.code = a.code)
            AND (EXISTS (SELECT FROM product p WHERE p.id = ANY ($4::uuid[]) AND p.attributes ? a.code)
                 OR EXISTS (SELECT FROM variant v WHERE v.product = ANY ($4::uuid[]) AND v.attributes ? a.code))
            RETURNING a.id
        )
        INSERT INTO pool_move_row (move, subject, row) SELECT $1, 'attribute', id FROM moved
        """,
        move.id,
        move.home,
        move.shared,
        products,
    )


async def _list_twins(tx: Tx, move: Move) -> None:
    """Where the channel listed its own product, it lists what stands for it, under its own texts if it keeps them."""
    await tx.execute(
        """
        WITH listed AS (
            SELECT DISTINCT ON (b.product) b.product, a.product AS own, l.product IS NOT NULL AS was_listed,
                   CASE WHEN l.product IS NULL THEN p.created_at ELSE l.published_at END AS published_at, l.unpublish_at,
                   CASE WHEN $3 THEN coalesce(l.title, p.title) ELSE l.title END AS title,
                   CASE WHEN $3 THEN coalesce(l.description, p.description) ELSE l.description END AS description,
                   l.external_id, coalesce(l.problems, '[]') AS problems
            FROM pool_move_row j JOIN variant a ON a.id = j.row JOIN product p ON p.id = a.product
                 JOIN variant b ON b.id = j.twin LEFT JOIN listing l ON l.product = p.id AND l.channel = $2
            WHERE j.move = $1 AND j.subject = 'variant' AND j.twin IS NOT NULL AND (l.product IS NOT NULL OR $3)
            ORDER BY b.product, l.product IS NULL, a.id
        ), put AS (
            INSERT INTO listing (product, channel, published_at, unpublish_at, title, description, external_id, problems)
            SELECT product, $2, published_at, unpublish_at, title, description, external_id, problems FROM listed
            ON CONFLICT (product, channel) DO NOTHING RETURNING *
        )
        INSERT INTO pool_move_row (move, subject, row, twin, before)
        SELECT $1, 'listing', put.product, listed.own, CASE WHEN listed.was_listed THEN to_jsonb(put) END
        FROM put JOIN listed USING (product)
        """,
        move.id,
        move.channel,
        move.keeps_own,
    )


async def _leave(tx: Tx, move: Move) -> int:
    await tx.execute(
        """SELECT FROM variant v WHERE id IN (SELECT row FROM pool_move_row WHERE move = $1 AND subject = 'variant')
           OR product IN (SELECT row FROM pool_move_row WHERE move = $1 AND subject = 'product') ORDER BY id FOR UPDATE""",
        move.joined,
    )
    await _groups_back(tx, move)
    ending = await tx.value("SELECT code FROM channel WHERE id = $1", move.channel)
    moved = await tx.execute(
        """
        WITH back AS (
            UPDATE product p SET pool = $3, handle = CASE WHEN p.handle = j.before ->> 'given' THEN j.before ->> 'handle'
                                                          ELSE free_handle($3, p.handle, $4) END,
                   category = CASE WHEN p.category IS NOT DISTINCT FROM (j.before ->> 'put')::uuid
                                   THEN (j.before ->> 'category')::uuid
                                   ELSE (SELECT c.id FROM category c JOIN category k ON k.path = c.path
                                         WHERE c.pool = $3 AND k.id = p.category) END
            FROM pool_move_row j WHERE j.move = $2 AND j.subject = 'product' AND p.id = j.row RETURNING p.id
        )
        INSERT INTO pool_move_row (move, subject, row) SELECT $1, 'product', id FROM back
        """,
        move.id,
        move.joined,
        move.home,
        ending,
    )
    # Those that came along first, under their old numbers; then what their products have got since.
    moved += await tx.execute(
        """UPDATE variant v SET pool = $2, sku = CASE WHEN v.sku = j.before ->> 'given' THEN j.before ->> 'sku'
                                                      ELSE free_sku($2, v.sku, $3) END
           FROM pool_move_row j
           WHERE j.move = $1 AND j.subject = 'variant' AND j.before ? 'given' AND v.id = j.row""",
        move.joined,
        move.home,
        ending,
    )
    moved += await tx.execute(
        """UPDATE variant v SET pool = $2, sku = free_sku($2, v.sku, $3)
           FROM pool_move_row j
           WHERE j.move = $1 AND j.subject = 'product' AND v.product = j.row AND v.pool <> $2""",
        move.joined,
        move.home,
        ending,
    )
    moved += await tx.execute(
        """UPDATE variant v SET twin = NULL, status = coalesce(j.before ->> 'status', v.status)
           FROM pool_move_row j WHERE j.move = $1 AND j.subject = 'variant' AND v.id = j.row AND v.pool = $2""",
        move.joined,
        move.home,
    )
    await tx.execute(
        """UPDATE product_search s SET pool = $2 FROM pool_move_row j
           WHERE j.move = $1 AND j.subject = 'product' AND s.product = j.row""",
        move.id,
        move.home,
    )
    await _unlist_twins(tx, move)
    return moved


async def _groups_back(tx: Tx, move: Move) -> None:
    """Categories and attributes go back; where the others use them, they have a copy."""
    goes = "SELECT row FROM pool_move_row WHERE move = $1 AND subject = 'product'"
    rows = await tx.rows(
        f"""SELECT c.id, gen_random_uuid() AS copy, c.path FROM pool_move_row j JOIN category c ON c.id = j.row
            WHERE j.move = $1 AND j.subject = 'category' AND j.twin IS NULL AND EXISTS (
                SELECT FROM category b LEFT JOIN product p ON p.category = b.id AND p.pool = $2 AND p.id NOT IN ({goes})
                WHERE b.pool = $2 AND c.path = ANY (path_line(b.path)) AND (p.id IS NOT NULL
                      OR NOT EXISTS (SELECT FROM pool_move_row o
                                     WHERE o.move = $1 AND o.subject = 'category' AND o.row = b.id)))
            ORDER BY c.path""",
        move.joined,
        move.shared,
    )
    await tx.execute(
        """
        UPDATE category c SET pool = $2, parent = (j.before ->> 'parent')::uuid FROM pool_move_row j
        WHERE j.move = $1 AND j.subject = 'category' AND j.twin IS NULL AND c.id = j.row
        """,
        move.joined,
        move.home,
    )
    for row in rows:  # parents first: a copy is found by its path
        await tx.execute(
            """
            INSERT INTO category (id, pool, parent, slug, path, name, description, position, seo_title, seo_description,
                                  translations)
            SELECT $2, $3, (SELECT id FROM category WHERE pool = $3 AND path = regexp_replace(c.path, '/[^/]*$', '')
                            AND c.path LIKE '%/%'),
                   slug, path, name, description, position, seo_title, seo_description, translations
            FROM category c WHERE id = $1
            """,
            row["id"],
            row["copy"],
            move.shared,
        )
        await tx.execute(
            f"""UPDATE product SET category = $4 WHERE category = $3 AND pool = $2 AND id NOT IN ({goes})""",
            move.joined,
            move.shared,
            row["id"],
            row["copy"],
        )
        await tx.execute(
            "UPDATE category SET parent = $3 WHERE parent = $1 AND pool = $2",
            row["id"],
            move.shared,
            row["copy"],
        )
    await tx.execute(
        f"""
        WITH used AS (
            SELECT a.* FROM pool_move_row j JOIN attribute a ON a.id = j.row
            WHERE j.move = $1 AND j.subject = 'attribute'
              AND EXISTS (SELECT FROM product p WHERE p.pool = $2 AND p.attributes ? a.code AND p.id NOT IN ({goes}))
        ), back AS (
            UPDATE attribute a SET pool = $3 FROM pool_move_row j
            WHERE j.move = $1 AND j.subject = 'attribute' AND a.id = j.row RETURNING a.id
        )
        INSERT INTO attribute (id, pool, code, name, type, unit, choices, is_filterable, position, translations)
        SELECT gen_random_uuid(), $2, code, name, type, unit, choices, is_filterable, position, translations
        FROM used WHERE id IN (SELECT id FROM back) ON CONFLICT (pool, code) DO NOTHING
        """,
        move.joined,
        move.shared,
        move.home,
    )


async def _unlist_twins(tx: Tx, move: Move) -> None:
    """What was changed of a listing of what stood for it is changed of the channel's own."""
    await tx.execute(
        """
        UPDATE listing o SET published_at = l.published_at, unpublish_at = l.unpublish_at, external_id = l.external_id,
               problems = l.problems, version = o.version + 1, updated_at = now(),
               title = CASE WHEN l.title IS DISTINCT FROM j.before ->> 'title' THEN l.title ELSE o.title END,
               description = CASE WHEN l.description IS DISTINCT FROM j.before ->> 'description' THEN l.description
                                  ELSE o.description END
        FROM pool_move_row j JOIN listing l ON l.product = j.row AND l.channel = $2
        WHERE j.move = $1 AND j.subject = 'listing' AND j.before IS NOT NULL AND o.product = j.twin AND o.channel = $2
          AND (l.version > 1)
        """,
        move.joined,
        move.channel,
    )
    await tx.execute(
        """DELETE FROM listing l USING pool_move_row j
           WHERE j.move = $1 AND j.subject = 'listing' AND l.product = j.row AND l.channel = $2""",
        move.joined,
        move.channel,
    )


async def index_anew(tx: Tx, move: Move, cursor: UUID | None, limit: int) -> Turn:
    """What search reads of goods that came along, or went back, and of those that others stand for."""
    rows = await tx.rows(
        """
        SELECT DISTINCT n.product FROM pool_move_row j
        CROSS JOIN LATERAL (SELECT unnest(ARRAY[j.row, j.twin]) AS product WHERE j.subject LIKE 'product%'
                            UNION ALL SELECT product FROM variant WHERE j.subject = 'variant' AND id IN (j.row, j.twin)) n
        WHERE j.move = ANY ($1::uuid[]) AND j.subject IN ('product', 'product copy', 'variant') AND n.product IS NOT NULL
          AND ($2::uuid IS NULL OR n.product > $2)
        ORDER BY 1 LIMIT $3
        """,
        [move.id, move.joined],
        cursor,
        min(limit, EVENT_SIZE),
    )
    products = [row["product"] for row in rows]
    await index.refresh(tx, products)
    if products:
        assert move.new is not None
        log.append(tx, events.ProductChanged(pool=move.new, products=products))
    return Turn(0, products[-1] if len(products) == min(limit, EVENT_SIZE) else None)
