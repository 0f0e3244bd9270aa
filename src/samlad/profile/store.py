"""SQL over the tables of the packages below: a person in few statements, each part where it may be seen."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.profile.model import (
    Bought,
    Favourite,
    HeldCard,
    HeldCart,
    HeldCredit,
    HeldPromotion,
    Housemate,
    KnownBy,
    Money,
    Returned,
    Subscribed,
    Talked,
    Visited,
)

MOST, MOST_PROOFS, MOST_HOUSEMATES = 20, 5, 20
TOO_MANY = 10
"""More people than that at one address are no household: a school, an office, a parcel shop."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of a person that are read in one statement; None: was not asked for."""

    carts: list[HeldCart] | None = None
    orders: list[Bought] | None = None
    returns: list[Returned] | None = None
    stores: list[Visited] | None = None
    promotions: list[HeldPromotion] | None = None
    store_credit: list[HeldCredit] | None = None
    gift_cards: list[HeldCard] | None = None
    subscriptions: list[Subscribed] | None = None
    conversations: list[Talked] | None = None
    household: list[Housemate] | None = None
    tags: list[str] | None = None


# Each is an expression. $1: all customers that are the person; $2: locations that the actor is bound to, or null.
_IS_MINE = "o.customer = ANY ($1) AND ($2::uuid[] IS NULL OR o.location = ANY ($2))"
_PARTS = {
    "carts": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.is_current DESC, x.updated_at DESC) FROM (
        SELECT c.id, h.code AS channel, c.kind, c.status, c.label, c.is_current, c.currency, l.items, l.value,
               c.updated_at
        FROM cart c JOIN channel h ON h.id = c.channel
        CROSS JOIN LATERAL (SELECT coalesce(sum(CASE v.sold_by WHEN 'piece' THEN i.quantity ELSE 1 END), 0) AS items,
                                   coalesce(sum(i.quantity * i.unit_price
                                                / CASE v.sold_by WHEN 'piece' THEN 1 ELSE 1000 END), 0)::bigint AS value
                            FROM cart_line i JOIN variant v ON v.id = i.variant WHERE i.cart = c.id) l
        WHERE c.customer = ANY ($1) AND c.status IN ('open', 'checkout', 'parked')
        ORDER BY c.is_current DESC, c.updated_at DESC LIMIT {MOST}) x)""",
    "orders": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.placed_at DESC) FROM (
        SELECT o.id, o.number, h.code AS channel, o.status, o.payment_status, o.currency, o.total, o.items,
               o.placed_at, coalesce((SELECT jsonb_agg(t.title) FROM (
                   SELECT title FROM order_line WHERE order_id = o.id AND kind = 'item' ORDER BY position LIMIT 3) t),
                   '[]') AS titles
        FROM orders o JOIN channel h ON h.id = o.channel WHERE {_IS_MINE} AND o.kind = 'sale'
        ORDER BY o.placed_at DESC LIMIT {MOST}) x)""",
    "returns": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.at DESC) FROM (
        SELECT r.id, r.number, o.id AS "order", o.number AS order_number, r.state, NULL::bigint AS total, o.currency,
               r.created_at AS at
        FROM orders o JOIN return_request r ON r.order_id = o.id WHERE {_IS_MINE} AND r.state <> 'settled'
        UNION ALL
        SELECT o.id, o.number, o.returns, s.number, 'returned', o.total, o.currency, o.placed_at
        FROM orders o LEFT JOIN orders s ON s.id = o.returns WHERE {_IS_MINE} AND o.kind = 'return'
        ORDER BY 8 DESC LIMIT {MOST}) x)""",
    "stores": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.visits DESC, x.name) FROM (
        SELECT p.id AS location, p.code, p.name, count(DISTINCT o.local_day) AS visits, max(o.placed_at) AS last_at
        FROM orders o JOIN location p ON p.id = o.location AND p.kind = 'store'
        WHERE {_IS_MINE} AND o.status <> 'cancelled' GROUP BY p.id ORDER BY 4 DESC LIMIT {MOST}) x)""",
    "promotions": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.granted_at DESC) FROM (
        SELECT * FROM (
            SELECT DISTINCT ON (g.promotion) g.promotion, p.name, p.status, g.source, c.code, g.granted_at
            FROM promotion_grant g JOIN promotion p ON p.id = g.promotion LEFT JOIN promotion_code c ON c.id = g.code
            WHERE g.holder = ANY ($1) AND p.status <> 'ended' ORDER BY g.promotion, g.granted_at DESC) d
        ORDER BY d.granted_at DESC LIMIT {MOST}) x)""",
    "store_credit": """(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.currency) FROM (
        SELECT unit AS currency, sum(balance)::bigint AS balance, sum(held)::bigint AS held FROM credit_account
        WHERE holder = ANY ($1) AND kind = 'store_credit' GROUP BY unit) x)""",
    "gift_cards": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.expires_on NULLS LAST, x.id) FROM (
        SELECT g.id, g.last_four, g.currency, a.balance, a.held, g.status, g.expires_on
        FROM gift_card g JOIN credit_account a ON a.id = g.account
        WHERE g.customer = ANY ($1) AND g.status IN ('waiting', 'active', 'blocked')
        ORDER BY g.created_at DESC LIMIT {MOST}) x)""",
    "subscriptions": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.next_on, x.number) FROM (
        SELECT s.id, s.number, h.code AS channel, p.code AS plan, s.status, s.is_ending, s.next_on, s.trouble
        FROM subscription s JOIN channel h ON h.id = s.channel JOIN selling_plan p ON p.id = s.plan
        WHERE s.customer = ANY ($1) ORDER BY s.status = 'cancelled', s.created_at DESC LIMIT {MOST}) x)""",
    "conversations": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.last_at DESC, x.id) FROM (
        SELECT t.id, h.code AS channel, t.subject, t.topic, t.state, t.order_id AS "order", t.assignee, t.messages,
               t.waiting_since, t.begun_at, t.last_at
        FROM conversation t JOIN channel h ON h.id = t.channel WHERE t.customer = ANY ($1) AND t.merged_into IS NULL
        ORDER BY t.last_at DESC, t.id LIMIT {MOST}) x)""",
    "household": f"""(SELECT jsonb_agg(to_jsonb(x) ORDER BY x.why DESC, x.name, x.customer) FROM (
        SELECT DISTINCT ON (k.id) k.id AS customer, k.name, k.email, m.why FROM (
            SELECT unnest(ARRAY[one, other]) AS id, 'said' AS why FROM profile_household
            WHERE one = ANY ($1) OR other = ANY ($1)
            UNION ALL
            SELECT b.customer, 'address' FROM profile_address a JOIN profile_address b ON b.key = a.key
            WHERE a.customer = ANY ($1)
              AND (SELECT count(*) FROM (SELECT 1 FROM profile_address z WHERE z.key = a.key LIMIT {TOO_MANY + 1}) n)
                  <= {TOO_MANY}) m
        JOIN customer c ON c.id = m.id JOIN customer k ON k.id = coalesce(c.survivor, c.id)
        WHERE NOT k.id = ANY ($1) AND k.pool IN (SELECT pool FROM customer WHERE id = ANY ($1)) ORDER BY k.id, m.why DESC LIMIT {MOST_HOUSEMATES}) x)""",
    "tags": "(SELECT jsonb_agg(DISTINCT tag ORDER BY tag) FROM customer_tag WHERE customer = ANY ($1))",
}
TOGETHER = frozenset(_PARTS)
"""The parts that one statement reads."""


async def parts(
    reader: Reader, members: Sequence[UUID], wanted: Collection[str], locations: Sequence[UUID] | None
) -> Parts:
    """Some parts of a person. One statement."""
    names = [name for name in _PARTS if name in wanted]
    if not names:
        return Parts()
    select = ", ".join(f"coalesce({_PARTS[name]}, '[]') AS {name}" for name in names)
    found = await reader.one(
        Parts,
        f"SELECT {select} WHERE $1::uuid[] IS NOT NULL AND ($2::uuid[] IS NULL OR true)",
        list(members),
        None if locations is None else list(locations),
    )
    assert found is not None
    return found


async def known_by(reader: Reader, ids: Sequence[UUID]) -> list[KnownBy]:
    """The identifiers of a person with their evidence, those of the person first, then devices. One statement."""
    return await reader.all(
        KnownBy,
        f"""
        SELECT n.id, n.kind, n.value, n.state, n.is_known, s.sightings, s.first_seen, s.last_seen,
               coalesce((SELECT jsonb_agg(to_jsonb(x) ORDER BY x.last_seen DESC) FROM (
                   SELECT i.source, i.channel, i.device_class, i.auth, i.first_seen, i.last_seen
                   FROM identity_sighting_node j JOIN identity_sighting i ON i.id = j.sighting
                   WHERE j.node = n.id ORDER BY i.last_seen DESC LIMIT {MOST_PROOFS}) x), '[]') AS evidence
        FROM identity_node n CROSS JOIN LATERAL (
            SELECT count(*)::int AS sightings, min(i.first_seen) AS first_seen, max(i.last_seen) AS last_seen
            FROM identity_sighting_node j JOIN identity_sighting i ON i.id = j.sighting WHERE j.node = n.id) s
        WHERE n.id = ANY ($1) AND n.kind NOT IN ('customer', 'sighting')
        ORDER BY n.is_known DESC, s.last_seen DESC NULLS LAST, n.id LIMIT 200
        """,
        list(ids),
    )


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What orders and events say of a person, as the database counts it."""

    first_event: datetime | None
    last_event: datetime | None
    first_order: datetime | None
    last_order: datetime | None
    orders: int
    sold: int
    returned: int
    money: list[Money]
    category: Favourite | None
    channel: Favourite | None
    store: Favourite | None
    hour: int | None


async def behaviour(
    reader: Reader,
    members: Sequence[UUID],
    ids: Sequence[UUID],
    zones: dict[UUID, str],
) -> Behaviour:
    """What a person did. ``ids``: all under which events are kept; ``zones``: time zones of channels. One statement."""
    found = await reader.one(
        Behaviour,
        """
        WITH mine AS MATERIALIZED (
            SELECT id, CASE WHEN is_empty THEN 'empty' ELSE kind END AS kind, channel, location, currency, total, items, placed_at FROM orders
            WHERE customer = ANY ($1) AND status <> 'cancelled'
        ), seen AS (
            SELECT e.occurred_at FROM unnest($2::uuid[]) AS i (id) CROSS JOIN LATERAL (
                (SELECT occurred_at FROM event WHERE profile = i.id ORDER BY seq LIMIT 1) UNION ALL
                (SELECT occurred_at FROM event WHERE profile = i.id ORDER BY seq DESC LIMIT 1) UNION ALL
                (SELECT occurred_at FROM tracked_profile WHERE identity = i.id ORDER BY occurred_at LIMIT 1) UNION ALL
                (SELECT occurred_at FROM tracked_profile WHERE identity = i.id ORDER BY occurred_at DESC LIMIT 1)) e
        ), sums AS (
            SELECT currency, count(*) FILTER (WHERE kind = 'sale') AS orders, sum(total)::bigint AS spent,
                   (avg(total) FILTER (WHERE kind = 'sale'))::bigint AS average_basket
            FROM mine GROUP BY currency
        )
        SELECT (SELECT min(occurred_at) FROM seen) AS first_event, (SELECT max(occurred_at) FROM seen) AS last_event,
               min(placed_at) FILTER (WHERE kind = 'sale') AS first_order,
               max(placed_at) FILTER (WHERE kind = 'sale') AS last_order,
               count(*) FILTER (WHERE kind = 'sale')::int AS orders,
               coalesce(sum(items) FILTER (WHERE kind = 'sale'), 0)::int AS sold,
               coalesce(-sum(items) FILTER (WHERE kind = 'return'), 0)::int AS returned,
               coalesce((SELECT jsonb_agg(to_jsonb(sums) ORDER BY orders DESC, currency) FROM sums), '[]') AS money,
               (SELECT to_jsonb(x) FROM (
                    SELECT c.path AS id, c.name, sum(l.quantity)::int AS times
                    FROM mine m JOIN order_line l ON l.order_id = m.id JOIN variant v ON v.id = l.variant
                    JOIN product p ON p.id = v.product JOIN category c ON c.id = p.category
                    WHERE m.kind = 'sale' AND l.kind = 'item' GROUP BY c.id ORDER BY 3 DESC, 1 LIMIT 1) x) AS category,
               (SELECT to_jsonb(x) FROM (
                    SELECT h.code AS id, h.name, count(*)::int AS times FROM mine m JOIN channel h ON h.id = m.channel
                    WHERE m.kind = 'sale' GROUP BY h.id ORDER BY 3 DESC, 1 LIMIT 1) x) AS channel,
               (SELECT to_jsonb(x) FROM (
                    SELECT p.code AS id, p.name, count(*)::int AS times FROM mine m JOIN location p ON p.id = m.location
                    WHERE m.kind = 'sale' AND p.kind = 'store' GROUP BY p.id ORDER BY 3 DESC, 1 LIMIT 1) x) AS store,
               (SELECT mode() WITHIN GROUP (ORDER BY extract(hour FROM m.placed_at AT TIME ZONE z.name)::int)
                FROM mine m JOIN unnest($3::uuid[], $4::text[]) AS z (channel, name) ON z.channel = m.channel
                WHERE m.kind = 'sale') AS hour
        FROM mine
        """,
        list(members),
        list(ids),
        list(zones),
        list(zones.values()),
    )
    assert found is not None
    return found


async def keep_address(tx: Tx, order: UUID) -> None:
    """Note where a customer had an order sent. Again changes nothing."""
    await tx.execute(
        """INSERT INTO profile_address AS a (key, customer, seen_at)
           SELECT profile_address_key(address), customer, placed_at FROM orders
           WHERE id = $1 AND customer IS NOT NULL AND profile_address_key(address) IS NOT NULL
           ON CONFLICT (key, customer) DO UPDATE SET seen_at = greatest(a.seen_at, excluded.seen_at)""",
        order,
    )


async def keep_addresses(tx: Tx, channel: UUID) -> None:
    """Note where the customers of imported orders of a channel had them sent, as far as that is not known."""
    await tx.execute(
        """INSERT INTO profile_address (key, customer, seen_at)
           SELECT profile_address_key(address), customer, max(placed_at) FROM orders
           WHERE channel = $1 AND imported IS NOT NULL AND customer IS NOT NULL
             AND profile_address_key(address) IS NOT NULL
           GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (key, customer) DO NOTHING""",
        channel,
    )


async def say_household(tx: Tx, one: UUID, other: UUID, actor: str) -> bool:
    """Keep that two customers live together; False if it was said before."""
    return bool(
        await tx.execute(
            """INSERT INTO profile_household (one, other, actor) VALUES (least($1::uuid, $2), greatest($1::uuid, $2), $3)
               ON CONFLICT DO NOTHING""",
            one,
            other,
            actor,
        )
    )


async def unsay_household(tx: Tx, one: UUID, other: UUID) -> bool:
    """Take back that two people live together, as whichever customers it was said of; False if it was not said."""
    return bool(
        await tx.execute(
            """DELETE FROM profile_household h
               USING (SELECT customer_members(ARRAY[$1::uuid]) AS mine, customer_members(ARRAY[$2::uuid]) AS theirs) m
               WHERE h.one = ANY (m.mine) AND h.other = ANY (m.theirs)
                  OR h.one = ANY (m.theirs) AND h.other = ANY (m.mine)""",
            one,
            other,
        )
    )
