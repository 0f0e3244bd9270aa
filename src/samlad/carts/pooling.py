"""What carts have in pools: themselves, and offers to go on elsewhere."""

import re
from collections.abc import Mapping
from uuid import UUID

from samlad.catalog.twins import repointing, stand_ins
from samlad.channels import Resource
from samlad.channels.pooling import (
    SHOWN,
    Finding,
    Level,
    Move,
    MoveKind,
    Pooling,
    Step,
    Turn,
    examples,
    relabel,
)
from samlad.customers.pooling import renaming
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked
from samlad.promotions import pooling as promotions_of_pool
from samlad.stock import lots_pooling

_LIVE = "{0}.is_current AND {0}.kind = 'cart' AND {0}.status IN ('open', 'checkout')"
_WHOSE = """($3 = 'join' OR t.channel = $2 OR EXISTS (SELECT FROM pool_move_row j
             WHERE j.move = $4 AND j.subject = 'cart' AND j.row = t.id))"""

# The customers of the other pool who are the same person as c: the row itself, and while customers are apart ($6, $7) those
# whom a join would match.
_SAME_PERSON = """SELECT c.id
    UNION SELECT b.id FROM customer b WHERE c.pool = $6 AND b.pool = $7 AND lower(b.email) = lower(c.email)
    UNION SELECT b.id FROM customer b WHERE c.pool = $6 AND b.pool = $7 AND b.external_id = c.external_id
                                            AND (b.email IS NULL OR c.email IS NULL)"""


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Carts that come along, and people who have one in both pools."""
    whose = (move.old, move.channel, str(move.kind), move.joined)
    count = await reader.value(
        f"SELECT count(*) FROM cart t WHERE t.pool = $1 AND status IN ('open', 'checkout', 'parked') AND {_WHOSE}",
        *whose,
    )
    twice, people = await examples(
        reader,
        f"""SELECT coalesce(c.name, c.email, c.external_id, c.id::text) AS label, count(*) OVER () AS total
            FROM cart t JOIN customer c ON c.id = t.customer
            WHERE t.pool = $1 AND {_LIVE.format("t")} AND {_WHOSE} AND EXISTS (
                SELECT FROM ({_SAME_PERSON}) person JOIN cart o ON o.customer = person.id
                WHERE o.pool = $5 AND {_LIVE.format("o")})
            ORDER BY t.id LIMIT {SHOWN}""",
        *whose,
        move.new,
        *(move.people or (None, None)),
    )
    found = [
        Finding(
            code="carts",
            level=Level.INFO,
            text=marked("Carts that are open and come along"),
            count=count,
            is_moved=True,
        )
    ]
    if twice:
        found.append(
            Finding(
                code="carts-both",
                level=Level.INFO,
                text=marked(
                    "People with a cart in both: the one touched last goes on, the other is kept beside it"
                ),
                count=twice,
                examples=people,
            )
        )
    return found


async def step_back(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Where a person would have two current carts in one pool, the one touched before steps back."""
    await tx.execute(
        f"""
        WITH both_current AS (
            SELECT t.id AS ours, o.id AS theirs, (t.updated_at, t.id) > (o.updated_at, o.id) AS is_ours
            FROM cart t JOIN cart o ON o.customer = t.customer AND o.pool = $5
            WHERE t.pool = $1 AND {_LIVE.format("t")} AND {_LIVE.format("o")} AND {_WHOSE}
        ), loser AS (SELECT CASE WHEN is_ours THEN theirs ELSE ours END AS id FROM both_current),
        locked AS (SELECT c.id FROM cart c JOIN loser USING (id) ORDER BY c.id FOR UPDATE OF c),
        changed AS (
            UPDATE cart c SET is_current = false, version = version + 1 FROM locked WHERE c.id = locked.id
            RETURNING c.id
        )
        INSERT INTO pool_move_row (move, subject, row, before)
        SELECT $6, 'cart beside', id, '{{"is_current": true}}'::jsonb FROM changed
        """,
        move.old,
        move.channel,
        str(move.kind),
        move.joined,
        move.new,
        move.id,
    )
    return Turn(0)


async def step_forward(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """After leaving: what stepped back for the join is current again, unless its customer has gone on with another."""
    if move.kind is MoveKind.LEAVE and move.joined is not None:
        await tx.execute(
            """
            WITH back AS (
                SELECT c.id FROM pool_move_row j JOIN cart c ON c.id = j.row
                WHERE j.move = $1 AND j.subject = 'cart beside' AND c.kind = 'cart' AND NOT c.is_current
                  AND c.status IN ('open', 'checkout')
                  AND NOT EXISTS (SELECT FROM cart o WHERE o.customer = c.customer AND o.pool = c.pool AND o.is_current
                                  AND o.kind = 'cart' AND o.status IN ('open', 'checkout'))
                ORDER BY c.id FOR UPDATE OF c
            )
            UPDATE cart c SET is_current = true, version = version + 1 FROM back WHERE c.id = back.id
            """,
            move.joined,
        )
    return Turn(0)


async def lock_carts(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Whoever is buying buys to the end; whoever comes next reads lines that name the other variants."""
    await tx.execute(
        "SELECT FROM cart WHERE channel = $1 AND status IN ('open', 'checkout', 'parked') ORDER BY id FOR UPDATE",
        move.channel,
    )
    return Turn(0)


async def rename_agreed(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """What buyers agreed to, and discounts by hand, name variants too: they stand in a checkout, whatever happens around."""
    rows = await tx.rows(
        """SELECT id, channel = $1 AS is_ours, agreed::text AS agreed, discounts::text AS discounts, lots::text AS lots FROM cart
           WHERE status IN ('open', 'checkout', 'parked') AND (agreed IS NOT NULL OR discounts <> '[]' OR lots <> '[]')
             AND (channel = $1 OR $2 = 'leave') ORDER BY id FOR UPDATE""",
        move.channel,
        str(move.kind),
    )
    ids = {
        row["id"]: {UUID(each) for each in _ID.findall(f"{row['agreed']} {row['discounts']} {row['lots']}")}
        for row in rows
    }
    names: dict[tuple[UUID, bool], UUID] = {}
    for is_ours in (True, False):
        asked = sorted({each for row in rows if row["is_ours"] is is_ours for each in ids[row["id"]]})
        found = await stand_ins(tx, move, asked, is_ours=is_ours) if asked else {}
        found |= await lots_pooling.stand_ins(tx, found) if found else {}
        names |= {(each, is_ours): there for each, there in found.items()}
    for row in rows:
        mine = {
            each: names[each, row["is_ours"]] for each in ids[row["id"]] if (each, row["is_ours"]) in names
        }
        if mine:
            await _rewrite(tx, row["id"], mine)
    return Turn(0)


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def _rewrite(tx: Tx, cart: UUID, names: Mapping[UUID, UUID]) -> None:
    """Put other ids into what was agreed of a cart."""
    row = await tx.row(
        "SELECT agreed::text AS agreed, discounts::text AS discounts, lots::text AS lots FROM cart WHERE id = $1",
        cart,
    )
    assert row is not None
    agreed, discounts, lots = (
        None
        if row[name] is None
        else _ID.sub(lambda found: str(names.get(UUID(found[0]), found[0])), row[name])
        for name in ("agreed", "discounts", "lots")
    )
    await tx.execute(
        "UPDATE cart SET agreed = $2::text::jsonb, discounts = $3::text::jsonb, lots = $4::text::jsonb WHERE id = $1",
        cart,
        agreed,
        discounts,
        lots,
    )


async def keep_shown(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """What the others' promotions promised to carts of the channel, and to whose carts these are, stays promised."""
    if move.kind is MoveKind.JOIN:
        return Turn(0)
    rows = await tx.rows(
        """SELECT id, customer FROM cart WHERE channel = $1 AND status IN ('open', 'checkout', 'parked') ORDER BY id""",
        move.channel,
    )
    holders = {row["id"] for row in rows} | {row["customer"] for row in rows if row["customer"] is not None}
    copies = await promotions_of_pool.keep_shown(tx, move, sorted(holders))
    if copies:
        for row in rows:
            await _rewrite(tx, row["id"], copies)
    return Turn(len(copies))


_OWN_CART = "EXISTS (SELECT FROM cart c WHERE c.id = t.cart AND c.channel = $1)"

_STEPS_BACK = f""", is_current = t.is_current AND NOT EXISTS (
    SELECT FROM cart o WHERE o.customer = ours.there AND o.pool = t.pool AND {_LIVE.format("o")})"""
_OF_CHANNEL = "t.channel = $3"
_OPEN = "t.status IN ('open', 'checkout', 'parked')"

POOLING = Pooling(
    order=65,
    moves={"cart": Resource.CARTS, "cart_handover": Resource.CARTS},
    look={Resource.CARTS: look},
    steps={
        Resource.CARTS: [
            Step("carts in both", step_back, with_switch=True),
            # An offer to go on elsewhere lives for minutes; it goes before its cart, by which it is found.
            relabel(
                "cart_handover",
                key="cart",
                since="EXISTS (SELECT FROM cart c WHERE c.id = t.cart AND c.channel = $3)",
                with_switch=True,
            ),
            relabel("cart", only=_OPEN, since=_OF_CHANNEL, with_switch=True),
            relabel("cart", since=_OF_CHANNEL),
            Step("carts beside", step_forward),
        ],
        Resource.CATALOGUE: [
            Step("carts", lock_carts, with_switch=True, is_first=True),
            repointing("cart_line", key="cart", ours=_OWN_CART, with_switch=True),
            Step("what was agreed", rename_agreed, with_switch=True),
        ],
        Resource.PROMOTIONS: [Step("what was shown", keep_shown, with_switch=True)],
        Resource.CUSTOMERS: [renaming("cart", sets=_STEPS_BACK)],
    },
)
