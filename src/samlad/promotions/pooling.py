"""What promotions have in pools: themselves, with their codes and everything that people were promised.

A promotion keeps its id, so whoever holds it holds it on. It goes on holding only where it held: one for all channels of a
channel's own pool holds for that channel in a shared one. Those that are over stay as the history of their pool.
"""

from collections.abc import Sequence
from uuid import UUID

from samlad.channels import Resource
from samlad.channels.pooling import (
    SHOWN,
    Example,
    Finding,
    Level,
    Move,
    MoveKind,
    Pooling,
    Step,
    Turn,
    examples,
)
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.promotions import live, renaming_goods

# Which promotions move, and how: $1 from, $2 to, $3 the channel, $4 the join that is taken back.
_JOINS = "p.pool = $1 AND p.status <> 'ended' AND $2::uuid IS NOT NULL AND $3::uuid IS NOT NULL AND $4::uuid IS NULL"
_LEAVES = """p.pool = $1 AND $2::uuid IS NOT NULL AND (p.channels = ARRAY[$3::uuid] AND p.status <> 'ended' OR EXISTS (
             SELECT FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'promotion' AND j.row = p.id))"""


def _which(move: Move) -> tuple[str, tuple[UUID | None, ...]]:
    sql = _JOINS if move.kind is MoveKind.JOIN else _LEAVES
    return sql, (move.old, move.new, move.channel, move.joined)


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Which promotions come along, codes that clash, and which hold in the channel from then on, or no longer."""
    which, asked = _which(move)
    along = await examples(
        reader,
        f"""SELECT p.name AS label, p.status AS why, count(*) OVER () AS total,
                   (SELECT string_agg(code, ', ') FROM (SELECT code FROM promotion_code c WHERE c.promotion = p.id
                                                        ORDER BY c.id LIMIT 3) AS few) AS here
            FROM promotion p WHERE {which} ORDER BY p.id LIMIT {SHOWN}""",
        *asked,
    )
    clash = await examples(
        reader,
        f"""SELECT c.code AS label, p.name AS here, q.name AS there, q.status AS why, count(*) OVER () AS total
            FROM promotion p JOIN promotion_code c ON c.promotion = p.id
                 JOIN promotion_code d ON d.pool = $2 AND d.code = c.code JOIN promotion q ON q.id = d.promotion
            WHERE {which} ORDER BY c.code LIMIT {SHOWN}""",
        *asked,
    )
    others = await examples(
        reader,
        f"""SELECT p.name AS label, p.status AS why, count(*) OVER () AS total FROM promotion p
            WHERE p.pool = $1 AND p.status <> 'ended' AND (p.channels IS NULL OR $2 = ANY (p.channels))
              AND p.channels IS DISTINCT FROM ARRAY[$2::uuid] AND NOT EXISTS (
                  SELECT FROM pool_move_row j WHERE j.move = $3 AND j.subject = 'promotion' AND j.row = p.id)
            ORDER BY p.id LIMIT {SHOWN}""",
        move.shared,
        move.channel,
        move.joined,
    )
    return _findings(move, along, clash, others)


_Found = tuple[int, list[Example]]


def _findings(move: Move, along: _Found, clash: _Found, others: _Found) -> list[Finding]:
    is_join = move.kind is MoveKind.JOIN
    found = [
        Finding(
            code="promotions-codes",
            level=Level.BLOCKING,
            text=marked("Codes that another promotion has there"),
            advice=marked(
                "End the promotion of the channel and make it anew with another code; a code is somebody's promise."
            ),
            count=clash[0],
            examples=clash[1],
        ),
        Finding(
            code="promotions",
            level=Level.INFO,
            text=marked("Promotions that come along, for this channel alone; whoever was shown one keeps it")
            if is_join
            else marked("Promotions that go with the channel; whoever was shown one keeps it"),
            count=along[0],
            examples=along[1],
            is_moved=True,
        ),
        Finding(
            code="promotions-theirs",
            level=Level.WARNING if is_join else Level.INFO,
            text=marked("Promotions of the others that hold in the channel from then on, too")
            if is_join
            else marked(
                "Promotions that hold in the channel no longer, except for whoever was shown them in a cart"
            ),
            advice=marked("Name the channels of each where it is not to hold everywhere.") if is_join else "",
            count=others[0],
            examples=others[1],
        ),
    ]
    return [each for each in found if each.count or each.is_moved]


async def carry(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Promotions with their codes, at once: nobody may type a code in vain."""
    which, asked = _which(move)
    is_join = move.kind is MoveKind.JOIN
    before = (
        "CASE WHEN old.channels IS NULL THEN jsonb_build_object('channels', NULL) END"
        if is_join
        else "NULL::jsonb"
    )
    channels = (
        "coalesce(p.channels, ARRAY[$3::uuid])"
        if is_join
        else """CASE WHEN p.channels = ARRAY[$3::uuid] AND EXISTS (
                    SELECT FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'promotion' AND j.row = p.id
                    AND j.before ? 'channels') THEN NULL ELSE p.channels END"""
    )
    rows = await tx.rows(
        f"""
        WITH old AS MATERIALIZED (SELECT p.id, p.channels FROM promotion p WHERE {which} ORDER BY p.id FOR UPDATE),
        moved AS (
            UPDATE promotion p SET pool = $2, channels = {channels}, version = version + 1, updated_at = now()
            FROM old WHERE p.id = old.id
        ), kept AS (
            INSERT INTO pool_move_row (move, subject, row, before) SELECT $5, 'promotion', old.id, {before} FROM old
        )
        SELECT id FROM old
        """,
        *asked,
        move.id,
    )
    await tx.execute(
        "UPDATE promotion_code SET pool = $2 WHERE promotion = ANY ($1::uuid[])",
        [row["id"] for row in rows],
        move.new,
    )
    tx.after_commit(live.forget)
    return Turn(len(rows))


async def keep_shown(tx: Tx, move: Move, holders: Sequence[UUID]) -> dict[UUID, UUID]:
    """What these carts and customers of a channel that leaves were shown of the others' promotions stays theirs.

    The channel's own pool has a copy that nobody new gets (it is paused), with the same limits and what was used of them;
    the copies by what they are of. Called once, by whoever knows whose carts are the channel's.
    """
    rows = await tx.rows(
        """SELECT DISTINCT p.id FROM promotion_grant g JOIN promotion p ON p.id = g.promotion
           WHERE g.holder = ANY ($1::uuid[]) AND p.pool = $2 AND p.status <> 'ended' ORDER BY 1""",
        list(holders),
        move.shared,
    )
    shown = [row["id"] for row in rows]
    if not shown:
        return {}
    made = await tx.rows(
        """
        WITH source AS (SELECT p.*, n.copy FROM unnest($1::uuid[], $6::uuid[]) AS n (id, copy) JOIN promotion p USING (id)),
        made AS (
            INSERT INTO promotion (id, pool, name, status, is_automatic, channels, customer_group, first_order, currency, terms,
                                   priority, combination, first_day, last_day, weekdays, hours, limit_total, limit_customer,
                                   budget, uses, spent)
            SELECT copy, $2, name, 'paused', false, ARRAY[$3::uuid], customer_group, first_order, currency, terms, priority,
                   combination, first_day, last_day, weekdays, hours, limit_total, limit_customer, budget, uses, spent
            FROM source RETURNING id
        ), granted AS (
            INSERT INTO promotion_grant (holder, promotion, kind, source, granted_at)
            SELECT g.holder, s.copy, g.kind, g.source, g.granted_at
            FROM source s JOIN promotion_grant g ON g.promotion = s.id AND g.holder = ANY ($4::uuid[])
            WHERE EXISTS (SELECT FROM made WHERE made.id = s.copy)
        )
        INSERT INTO pool_move_row (move, subject, row, twin) SELECT $5, 'promotion copy', id, copy FROM source
        RETURNING row, twin
        """,
        shown,
        move.home,
        move.channel,
        list(holders),
        move.id,
        [new_id() for _ in shown],
    )
    tx.after_commit(live.forget)
    return {row["row"]: row["twin"] for row in made}


POOLING = Pooling(
    order=60,
    moves={"promotion": Resource.PROMOTIONS, "promotion_code": Resource.PROMOTIONS},
    look={Resource.PROMOTIONS: look, Resource.CATALOGUE: renaming_goods.look},
    steps={
        Resource.PROMOTIONS: [Step("promotions", carry, with_switch=True)],
        Resource.CATALOGUE: [Step("goods of promotions", renaming_goods.carry, with_switch=True)],
    },
)
