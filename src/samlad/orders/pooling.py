"""What orders have in pools."""

from collections.abc import Sequence
from uuid import UUID

from samlad import customers
from samlad.catalog.twins import repointing, stand_ins
from samlad.channels import Resource
from samlad.channels.pooling import SHOWN, Finding, Level, Move, Pooling, Step, Turn, examples, relabel
from samlad.customers import Spend
from samlad.customers.pooling import renaming
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked
from samlad.stock.lots_pooling import lots_of
from samlad.stock.pooling import STRAYS


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Orders that appear among those of the others, or go."""
    total = await reader.value(
        "SELECT count(*) FROM orders WHERE channel = $1 AND pool = $2", move.channel, move.old
    )
    _, newest = await examples(
        reader,
        f"""SELECT number AS label, coalesce(name, email, '') AS here, status AS why, 0 AS total
            FROM orders WHERE channel = $1 AND pool = $2 ORDER BY placed_at DESC, id DESC LIMIT {SHOWN}""",
        move.channel,
        move.old,
    )
    still_open = await reader.value(
        """SELECT count(*) FROM orders WHERE channel = $1 AND pool = $2
           AND status IN ('placed', 'paid', 'partially_fulfilled')""",
        move.channel,
        move.old,
    )
    found = [
        Finding(
            code="orders",
            level=Level.INFO,
            text=marked("Orders that come along"),
            count=total,
            examples=newest,
            is_moved=True,
        )
    ]
    if still_open:
        found.append(
            Finding(
                code="orders-open",
                level=Level.INFO,
                text=marked("Of these, orders that are still to be handed over: they go on as they are"),
                count=still_open,
            )
        )
    return found


async def _sum_up(tx: Tx, people: Sequence[UUID]) -> None:
    """What these customers have ordered, summed anew rather than added to."""
    spends = await tx.all(
        Spend,
        """SELECT customer, currency, count(*) FILTER (WHERE kind = 'sale')::int AS orders, sum(total)::bigint AS spent,
                  max(placed_at) AS last_order_at
           FROM orders WHERE counted AND customer = ANY ($1::uuid[]) GROUP BY 1, 2""",
        list(people),
    )
    await customers.set_spend(tx, people, spends)


_OPEN = "o.status IN ('placed', 'paid', 'partially_fulfilled')"
_OWN_ORDER = "EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND o.channel = $1)"
_OWN_PART = "EXISTS (SELECT FROM fulfilment f JOIN orders o ON o.id = f.order_id WHERE f.id = t.fulfilment AND o.channel = $1)"


def _lines(*, is_open: bool) -> list[Step]:
    """Lines of orders and of their parts. Those that are still to be sent name what is held for them: with the switch."""
    of_order, of_part = [
        f"{'' if is_open else 'NOT '}EXISTS (SELECT FROM {source} AND {_OPEN})"
        for source in (
            "orders o WHERE o.id = t.order_id",
            "fulfilment f JOIN orders o ON o.id = f.order_id WHERE f.id = t.fulfilment",
        )
    ]
    return [
        repointing("order_line", key="order_id", ours=_OWN_ORDER, only=of_order, with_switch=is_open),
        repointing("fulfilment_line", key="fulfilment", ours=_OWN_PART, only=of_part, with_switch=is_open),
        repointing("fulfilment_lot", key="fulfilment", ours=_OWN_PART, only=of_part, with_switch=is_open),
        lots_of("fulfilment_lot", with_switch=is_open),
    ]


_OWN_PLACE = """EXISTS (SELECT FROM location p JOIN channel_pool u ON u.pool = p.pool AND u.resource = 'stock'
                        WHERE p.id = t.location AND u.channel = $1)"""


async def name_sets(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Parts of sets say of which set they are: of that of the catalogue that the order's channel uses."""
    rows = await tx.rows(
        """SELECT DISTINCT (l.set_of ->> 'variant')::uuid AS set, o.channel = $1 AS is_ours
           FROM order_line l JOIN orders o ON o.id = l.order_id JOIN variant v ON v.id = (l.set_of ->> 'variant')::uuid
           WHERE l.set_of IS NOT NULL AND v.pool = ANY ($2::uuid[]) ORDER BY 1""",
        move.channel,
        [move.home, move.shared],
    )
    moved = 0
    for is_ours in (True, False):
        asked = [row["set"] for row in rows if row["is_ours"] is is_ours]
        found = await stand_ins(tx, move, asked, is_ours=is_ours) if asked else {}
        moved += await tx.execute(
            """UPDATE order_line l SET set_of = jsonb_set(l.set_of, '{variant}', to_jsonb(n.there))
               FROM unnest($2::uuid[], $3::uuid[]) AS n (here, there), orders o
               WHERE o.id = l.order_id AND (o.channel = $1) = $4 AND (l.set_of ->> 'variant')::uuid = n.here""",
            move.channel,
            list(found),
            list(found.values()),
            is_ours,
        )
    return Turn(moved)


_STAYS = "how returns are taken is a rule of the pool; the channel follows that of the pool it is in"

POOLING = Pooling(
    order=70,
    moves={"orders": Resource.ORDERS},
    stays={"return_reason": _STAYS, "return_window": _STAYS},
    look={Resource.ORDERS: look},
    steps={
        Resource.ORDERS: [relabel("orders", since="t.channel = $3")],
        Resource.CATALOGUE: [
            *_lines(is_open=True),
            repointing("order_expected", key="order_id", ours=_OWN_ORDER, with_switch=True),
            repointing("pick_bin", key="location", ours=_OWN_PLACE, with_switch=True),
            *_lines(is_open=False),
            Step("sets of order_line", name_sets),
            STRAYS,
        ],
        Resource.CUSTOMERS: [renaming("orders", after=_sum_up)],
    },
)
