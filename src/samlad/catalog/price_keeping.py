"""A channel keeps the prices that its shoppers see when it moves to another pool of prices.

Where its goods would cost something else there, to anybody, at any quantity or at any time, it takes copies of the lists
that hold for them along: for a quantity on, for a group, from or until a day, with what was paid in the 30 days before. They
come before all other lists of the pool but those of listings, in the order that they had.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import Record

from samlad.catalog.listings import LISTING_PRIORITY
from samlad.catalog.price_writing import put_prices
from samlad.catalog.search import index
from samlad.channels.pooling import Move, MoveKind
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id

KEPT_PRIORITY = LISTING_PRIORITY - 1
"""Of the first list with a channel's own prices: above all but those of listings."""


class _Channel(msgspec.Struct, frozen=True):
    id: UUID
    code: str
    name: str
    currency: str

    @property
    def listing(self) -> str:
        """The code of the list in which the prices of its listings are (`samlad.catalog.listings`)."""
        return f"listing:{self.code}"


async def keep(tx: Tx, move: Move) -> int:
    """Copy what differs into the pool that the channel moves to; how many variants that were."""
    assert move.old is not None and move.new is not None  # noqa: PT018 - of a move that has begun both are there
    channel = await tx.one(
        _Channel,
        "SELECT c.id, c.code, c.name, e.currency FROM channel c, effective_channel(c.id) e WHERE c.id = $1",
        move.channel,
    )
    assert channel is not None
    rows = await tx.rows(
        """
        WITH differing AS MATERIALIZED (
            SELECT o.variant FROM price_structures($1, $3, $4) o LEFT JOIN price_structures($2, $3, $4) n USING (variant)
            WHERE o.everything IS DISTINCT FROM n.everything
        )
        SELECT s.*, l.code FROM standing_prices($1, $3, $4) s JOIN differing USING (variant)
        JOIN price_list l ON l.id = s.price_list ORDER BY s.place, s.price_list, s.variant, s.min_quantity
        """,
        move.old,
        move.new,
        channel.currency,
        move.channel,
    )
    variants = list(dict.fromkeys(row["variant"] for row in rows))
    if not variants:
        return 0
    places = sorted({row["place"] for row in rows if row["code"] != channel.listing})
    if move.kind is MoveKind.LEAVE:
        await _step_aside(tx, move.new, channel, KEPT_PRIORITY - len(places))
        await _forget_listed(tx, move.new, channel, variants)
    copies = await _copy_lists(tx, move, channel, rows, places)
    moment = now()
    await put_prices(
        tx,
        [row["variant"] for row in rows],
        [copies[row["price_list"]] for row in rows],
        [row["min_quantity"] for row in rows],
        [row["amount"] for row in rows],
        [row["compare_at"] for row in rows],
        moment,
    )
    await _copy_history(tx, move, channel, rows, copies, moment)
    if await index.ensure_context(tx, move.new, channel.currency, move.channel):
        await index.refresh_all_prices(tx, move.new)
    await index.refresh_variant_prices(tx, variants)
    return len(variants)


async def _step_aside(tx: Tx, pool: UUID, channel: _Channel, most: int) -> None:
    """Let the channel's own lists that wait in its pool come after the copies, in the order that they had."""
    await tx.execute(
        """
        WITH ranked AS (
            SELECT id, $3 + 1 - dense_rank() OVER (ORDER BY priority DESC) AS most FROM price_list
            WHERE pool = $1 AND code <> $2
        ), lowered AS (
            UPDATE price_list l SET priority = r.most, version = l.version + 1, updated_at = now() FROM ranked r
            WHERE l.id = r.id AND l.priority > r.most RETURNING l.id, l.priority
        )
        UPDATE price_history h SET priority = lowered.priority FROM lowered WHERE h.price_list = lowered.id
        """,
        pool,
        channel.listing,
        most,
    )


async def _forget_listed(tx: Tx, pool: UUID, channel: _Channel, variants: Sequence[UUID]) -> None:
    """What the channel listed these for before it shared prices would come before what they cost now."""
    rows = await tx.rows(
        """SELECT p.variant, p.price_list, p.min_quantity FROM price p JOIN price_list l ON l.id = p.price_list
           WHERE l.pool = $1 AND l.code = $2 AND p.variant = ANY ($3::uuid[]) ORDER BY 1, 3""",
        pool,
        channel.listing,
        list(variants),
    )
    await put_prices(
        tx,
        [row["variant"] for row in rows],
        [row["price_list"] for row in rows],
        [row["min_quantity"] for row in rows],
        [None] * len(rows),
        [None] * len(rows),
        now(),
    )


async def _copy_lists(
    tx: Tx, move: Move, channel: _Channel, rows: Sequence[Record], places: Sequence[int]
) -> dict[UUID, UUID]:
    """A list for each that is copied, by that; of listings there is one in a pool.

    In the pool of others the copies are the channel's alone. So there, of two lists of one priority one of which named the
    channel and the other a group, the latter comes first, which names more now.
    """
    copies: dict[UUID, UUID] = {}
    for row in rows:
        if row["price_list"] in copies:
            continue
        is_listing = row["code"] == channel.listing
        kept = f"kept:{channel.code}:{row['code'].removeprefix(f'kept:{channel.code}:')}:{str(move.id)[-8:]}"
        copies[row["price_list"]] = await tx.value(
            """
            WITH known AS (SELECT id FROM price_list WHERE pool = $3 AND code = $4), made AS (
                INSERT INTO price_list (id, pool, code, name, currency, channel, customer_group, kind, tax_included, priority,
                                        valid_from, valid_to, status)
                SELECT $2, $3, $4, CASE WHEN $5 AND channel IS NULL THEN left($6 || ': ' || name, 300) ELSE name END, currency,
                       CASE WHEN $5 THEN $7 ELSE channel END, customer_group, kind, tax_included, $8, valid_from, valid_to,
                       'active'
                FROM price_list WHERE id = $1 AND NOT EXISTS (SELECT FROM known) RETURNING id
            ), kept AS (INSERT INTO pool_move_row (move, subject, row) SELECT $9, 'price_list', id FROM made)
            SELECT id FROM made UNION ALL SELECT id FROM known
            """,
            row["price_list"],
            new_id(),
            move.new,
            channel.listing if is_listing and move.kind is MoveKind.LEAVE else kept,
            move.kind is MoveKind.JOIN,
            channel.name,
            channel.id,
            LISTING_PRIORITY if is_listing else KEPT_PRIORITY - places.index(row["place"]),
            move.id,
        )
    return copies


async def _copy_history(
    tx: Tx,
    move: Move,
    channel: _Channel,
    rows: Sequence[Record],
    copies: dict[UUID, UUID],
    moment: datetime,
) -> None:
    """What a piece cost everybody until now, whichever list said so: a later reduction is compared with that.

    It is told with the first list that has the variant for everybody now.
    """
    first: dict[UUID, UUID] = {}
    for row in rows:
        if row["customer_group"] is None and row["valid_from"] is None:
            first.setdefault(row["variant"], copies[row["price_list"]])
    await tx.execute(
        """
        WITH wanted AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS w (variant, price_list)),
        h AS MATERIALIZED (
            SELECT h.* FROM price_history h JOIN wanted USING (variant)
            WHERE h.pool = $3 AND h.currency = $4 AND (h.channel IS NULL OR h.channel = $5) AND h.applied_from < $6
        ), turn AS (
            SELECT variant, applied_from AS t FROM h UNION SELECT variant, applied_to FROM h WHERE applied_to < $6
        ), line AS (
            SELECT variant, t, coalesce(lead(t) OVER (PARTITION BY variant ORDER BY t), $6) AS until FROM turn
        )
        INSERT INTO price_history (variant, price_list, pool, channel, currency, kind, priority, tax_included, amount,
                                   applied_from, applied_to)
        SELECT w.variant, l.id, l.pool, l.channel, l.currency, best.kind, l.priority, best.tax_included, best.amount, line.t,
               line.until
        FROM wanted w JOIN price_list l ON l.id = w.price_list JOIN line ON line.variant = w.variant
        CROSS JOIN LATERAL (
            SELECT h.kind, h.tax_included, h.amount FROM h
            WHERE h.variant = w.variant AND h.applied_from <= line.t AND (h.applied_to IS NULL OR line.t < h.applied_to)
            ORDER BY h.priority DESC, (h.channel IS NULL), h.amount, h.price_list LIMIT 1) AS best
        ON CONFLICT (variant, price_list, applied_from) DO NOTHING
        """,
        list(first),
        list(first.values()),
        move.old,
        channel.currency,
        move.channel,
        moment,
    )


async def take_back(tx: Tx, move: Move) -> int:
    """When a channel leaves: the lists that it kept when it joined, which the others have no use for. How many they were.

    Those that were changed since go into the channel's own pool, unless it keeps all that its shoppers see: then that is
    there as copies.
    """
    rows = await tx.rows(
        """SELECT l.id, EXISTS (SELECT FROM price p WHERE p.price_list = l.id AND p.updated_at > m.finished_at) AS is_changed
           FROM pool_move_row j JOIN price_list l ON l.id = j.row JOIN pool_move m ON m.id = j.move
           WHERE j.move = $1 AND j.subject = 'price_list' AND l.pool = $2 ORDER BY l.id FOR UPDATE OF l""",
        move.joined,
        move.old,
    )
    for row in rows:
        priced = await tx.rows("SELECT DISTINCT variant FROM price WHERE price_list = $1", row["id"])
        if row["is_changed"] and not move.keeps_own:
            await tx.execute("UPDATE price_list SET pool = $2 WHERE id = $1", row["id"], move.new)
            await tx.execute("UPDATE price_history SET pool = $2 WHERE price_list = $1", row["id"], move.new)
        else:
            for table, column in (
                ("price_history", "price_list"),
                ("price", "price_list"),
                ("price_list", "id"),
            ):
                await tx.execute(f"DELETE FROM {table} WHERE {column} = $1", row["id"])
        await index.refresh_variant_prices(tx, [each["variant"] for each in priced])
    return len(rows)
