"""SQL of reviews, votes, reports and totals."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from samlad.channels import Resource
from samlad.kernel import inserts, taken_back
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.reviews.model import Purchase, Review, ShownReview, Status, ToReview
from samlad.stock.reach import belongs

_FIELDS = ", ".join(
    {"product_title": "p.title AS product_title", "handle": "p.handle"}.get(name, f"r.{name}")
    for name in Review.__struct_fields__
)
_SOURCE = "review r JOIN product p ON p.id = r.product"
_GOODS = """CROSS JOIN LATERAL (VALUES (l.variant, l.title, l.options),
                (CAST(l.set_of ->> 'variant' AS uuid), l.set_of ->> 'title', l.set_of ->> 'options')) AS g (variant, title, options)
        JOIN variant v ON v.id = g.variant"""
"""What a line is of: the thing itself, and the set that it is a part of."""
_HAD = """o.kind = 'sale' AND o.status <> 'cancelled' AND l.kind = 'item' AND (l.fulfilled > 0 OR o.imported IS NOT NULL)"""
"""Lines whose goods somebody has got."""


def _whole(text: str) -> list[int]:
    return [int(each) for each in texts(text) if len(each) < 6]


REVIEWS = Listing(
    row=Review,
    select=_FIELDS,
    source=f"{_SOURCE} WHERE p.pool = ANY($1)",
    key="r.id",
    sorts={
        "written_at": Sort("r.written_at", "timestamptz"),
        "stars": Sort("r.stars", "int"),
        "helpful": Sort("r.helpful", "int"),
        "reports": Sort("r.reports", "int"),
    },
    default_sort="-written_at",
    filters={
        "state": Filter("r.status = ANY({})", texts),
        "product": Filter("r.product = ANY({})", uuids),
        "stars": Filter("r.stars = ANY({}::int[])", _whole),
        "language": Filter("r.language = ANY({})", texts),
        "reported": Filter("(r.reports > 0) = ({} = 'true')"),
        "q": Filter(
            "strpos(lower(p.title || ' ' || r.title || ' ' || r.text || ' ' || r.author), lower({})) > 0"
        ),
    },
)
"""For staff; ``$1`` are pools of the catalogue."""

SHOWN = Listing(
    row=ShownReview,
    select=", ".join(f"r.{name}" for name in ShownReview.__struct_fields__),
    source="review r WHERE r.product = $1 AND r.status = 'approved'",
    key="r.id",
    sorts={
        "written_at": Sort("r.written_at", "timestamptz"),
        "helpful": Sort("r.helpful", "int"),
        "stars": Sort("r.stars", "int"),
    },
    default_sort="-helpful",
    filters={
        "stars": Filter("r.stars = ANY({}::int[])", _whole),
        "language": Filter("r.language = ANY({})", texts),
    },
)
"""For everybody; ``$1`` is the product."""


async def get(reader: Reader, review: UUID) -> Review | None:
    """A review, or None."""
    return await reader.one(Review, f"SELECT {_FIELDS} FROM {_SOURCE} WHERE r.id = $1", review)


async def lock(tx: Tx, review: UUID) -> Review | None:
    """A review held against changes, or None."""
    return await tx.one(Review, f"SELECT {_FIELDS} FROM {_SOURCE} WHERE r.id = $1 FOR UPDATE OF r", review)


async def purchase(
    reader: Reader, product: UUID, *, order: UUID | None = None, customer: UUID | None = None
) -> Purchase | None:
    """The latest purchase of a product in an order, or by a customer in whatever order."""
    return await reader.one(
        Purchase,
        f"""
        SELECT o.id AS "order", o.channel, o.customer, coalesce(o.name, '') AS name, g.variant, g.options
        FROM orders o JOIN order_line l ON l.order_id = o.id {_GOODS}
        WHERE v.product = $1 AND {_HAD}
          AND (o.id = $2 OR ($2 IS NULL AND o.customer = ANY (customer_members(ARRAY[$3::uuid]))))
        ORDER BY o.placed_at DESC, l.position LIMIT 1
        """,
        product,
        order,
        customer,
    )


async def of_order(reader: Reader, order: UUID) -> list[ToReview]:
    """What of an order may be reviewed, and what its buyer has said of it (by this order or another)."""
    return await reader.all(
        ToReview,
        f"""
        SELECT DISTINCT ON (p.id) p.id AS product, p.handle, g.title, g.variant, r.id AS review, r.stars, r.status,
               coalesce(r.reason, '') AS reason
        FROM orders o JOIN order_line l ON l.order_id = o.id {_GOODS}
        JOIN product p ON p.id = v.product
        LEFT JOIN review r ON r.product = p.id
            AND (r.order_id = o.id OR r.customer = ANY (customer_members(ARRAY[o.customer])))
        WHERE o.id = $1 AND {_HAD} ORDER BY p.id, l.position
        """,
        order,
    )


async def of_customer(reader: Reader, customer: UUID, product: UUID) -> ToReview | None:
    """A product that a customer may review, with what they have said of it; None when they have not got it."""
    return await reader.one(
        ToReview,
        f"""
        SELECT p.id AS product, p.handle, g.title, g.variant, r.id AS review, r.stars, r.status,
               coalesce(r.reason, '') AS reason
        FROM orders o JOIN order_line l ON l.order_id = o.id {_GOODS}
        JOIN product p ON p.id = v.product
        LEFT JOIN review r ON r.product = p.id
            AND (r.order_id = o.id OR r.customer = ANY (customer_members(ARRAY[$1::uuid])))
        WHERE o.customer = ANY (customer_members(ARRAY[$1::uuid])) AND p.id = $2 AND {_HAD}
        ORDER BY r.written_at NULLS LAST, o.placed_at DESC LIMIT 1
        """,
        customer,
        product,
    )


async def lock_own(tx: Tx, product: UUID, bought: Purchase) -> Review | None:
    """The review that a buyer has written of a product, held against changes; none can be written at the same time."""
    await tx.value(
        """SELECT pg_advisory_xact_lock(hashtextextended(
               $1::uuid::text || coalesce((SELECT coalesce(survivor, id) FROM customer WHERE id = $2), $3)::text, 31))""",
        product,
        bought.customer,
        bought.order,
    )
    return await tx.one(
        Review,
        f"""SELECT {_FIELDS} FROM {_SOURCE}
            WHERE r.product = $1 AND (r.order_id = $2 OR r.customer = ANY (customer_members(ARRAY[$3::uuid])))
            ORDER BY r.written_at LIMIT 1 FOR UPDATE OF r""",
        product,
        bought.order,
        bought.customer,
    )


async def insert(tx: Tx, values: dict[str, Any]) -> None:
    """Keep a review."""
    await inserts.insert(tx, "review", values)


async def update(tx: Tx, review: UUID, values: dict[str, Any]) -> None:
    """Change columns of a review; its version counts up. What it was before a batch is forgotten."""
    forgotten = {"batch": None, "was_status": None, "was_reason": "", "was_reports": 0}
    values = forgotten | {"was_decided_at": None, "was_decided_by": None} | values
    changes = ", ".join(f"{name} = n.{name}" for name in values)
    await tx.execute(
        f"""UPDATE review SET {changes}, version = review.version + 1
            FROM jsonb_populate_record(NULL::review, $2) AS n WHERE review.id = $1""",
        review,
        values,
    )


async def lock_batch(tx: Tx, batch: UUID) -> list[Review]:
    """Reviews that were decided together and not changed since, held."""
    return await tx.all(
        Review,
        f"SELECT {_FIELDS} FROM {_SOURCE} WHERE r.batch = $1 ORDER BY r.id FOR UPDATE OF r",
        batch,
    )


async def take_back(tx: Tx, batch: UUID) -> dict[UUID, Status]:
    """Let reviews that were decided together stand as before: how each stands now."""
    now_so = await taken_back.take_back(tx, "review", batch)
    return {review: Status(status) for review, status in now_so.items()}


_BY_STARS = ("ones", "twos", "threes", "fours", "fives")


async def count(tx: Tx, product: UUID, changes: dict[int, int]) -> list[int]:
    """Change how many reviews of a product have so many stars; the numbers after that. One statement."""
    changed = {_BY_STARS[stars - 1]: by for stars, by in changes.items() if by}
    sets = ", ".join(f"{name} = t.{name} + {by}" for name, by in changed.items())
    first = {name: by for name, by in changed.items() if by > 0}
    # Without a row there is nothing to take away; the proposed row must keep the checks by itself.
    row = await tx.row(
        f"""INSERT INTO review_total AS t (product{"".join(f", {name}" for name in first)})
            VALUES ($1{"".join(f", {by}" for by in first.values())})
            ON CONFLICT (product) DO UPDATE SET {sets} RETURNING {", ".join(_BY_STARS)}""",
        product,
    )
    assert row is not None
    return [row[name] for name in _BY_STARS]


async def by_stars(reader: Reader, products: Sequence[UUID]) -> dict[UUID, list[int]]:
    """How many approved reviews have one, two … five stars, of products that have any."""
    rows = await reader.rows(
        f"SELECT product, {', '.join(_BY_STARS)} FROM review_total WHERE product = ANY($1)", list(products)
    )
    return {row["product"]: [row[name] for name in _BY_STARS] for row in rows}


async def vote(tx: Tx, review: UUID, voter: UUID, *, helpful: bool) -> tuple[UUID, int] | None:
    """Count a vote, or take it back: product and votes then; None when that changes nothing or it is not shown."""
    change = (
        """INSERT INTO review_vote (review, voter)
           SELECT id, $2 FROM review WHERE id = $1 AND status = 'approved' ON CONFLICT DO NOTHING RETURNING 1"""
        if helpful
        else "DELETE FROM review_vote WHERE review = $1 AND voter = $2 RETURNING 1"
    )
    row = await tx.row(
        f"""WITH changed AS ({change})
            UPDATE review SET helpful = helpful + {1 if helpful else -1}
            WHERE id = $1 AND EXISTS (SELECT 1 FROM changed) RETURNING product, helpful""",
        review,
        voter,
    )
    return None if row is None else (row["product"], row["helpful"])


async def report(tx: Tx, review: UUID, voter: UUID, reason: str) -> tuple[UUID, int] | None:
    """Keep a report of a review that is shown: product and reports then; None when this one told already."""
    row = await tx.row(
        """WITH told AS (INSERT INTO review_report (review, voter, reason)
                         SELECT id, $2, $3 FROM review WHERE id = $1 AND status = 'approved'
                         ON CONFLICT DO NOTHING RETURNING 1)
           UPDATE review SET reports = reports + 1 WHERE id = $1 AND EXISTS (SELECT 1 FROM told)
           RETURNING product, reports""",
        review,
        voter,
        reason,
    )
    return None if row is None else (row["product"], row["reports"])


async def forget_reactions(tx: Tx, review: UUID) -> None:
    """Votes and reports were of what it said before."""
    await tx.execute(
        """WITH votes AS (DELETE FROM review_vote WHERE review = $1)
           DELETE FROM review_report WHERE review = $1""",
        review,
    )


async def reports_of(reader: Reader, review: UUID) -> list[tuple[str, datetime]]:
    """Why and when a review was reported, the latest first; 50 at most."""
    rows = await reader.rows(
        "SELECT reason, reported_at FROM review_report WHERE review = $1 ORDER BY reported_at DESC LIMIT 50",
        review,
    )
    return [(row["reason"], row["reported_at"]) for row in rows]


async def is_customer(reader: Reader, one: UUID | None, other: UUID | None) -> bool:
    """Whether two customers are the same person."""
    return bool(await reader.value("SELECT $1::uuid = ANY (customer_members(ARRAY[$2::uuid]))", one, other))


belongs(
    ("review_id",),
    Resource.CATALOGUE,
    "SELECT p.pool FROM review r JOIN product p ON p.id = r.product WHERE r.id = $1",
)
