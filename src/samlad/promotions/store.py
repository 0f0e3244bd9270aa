"""SQL of promotions, codes, links and grants: what there is, and who may have it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Resource
from samlad.kernel.database import Reader, Tx, asked_once
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered, uuids
from samlad.promotions.model import Code, Grant, Link, Promotion, PromotionRow
from samlad.stock.reach import belongs

_COLUMNS = """p.id, p.pool, p.name, p.status, p.is_automatic, p.channels, p.customer_group, p.first_order, p.currency,
              p.terms, p.priority, p.combination, p.first_day, p.last_day, p.weekdays, p.hours, p.limit_total,
              p.limit_customer, p.budget, p.uses, p.spent, p.version, p.created_at, p.updated_at"""
WRITTEN = (
    "name",
    "status",
    "is_automatic",
    "channels",
    "customer_group",
    "first_order",
    "currency",
    "terms",
    "priority",
    "combination",
    "first_day",
    "last_day",
    "weekdays",
    "hours",
    "limit_total",
    "limit_customer",
    "budget",
)
"""Columns that are given."""

_COUNTED = "(p.limit_total IS NOT NULL OR p.budget IS NOT NULL)"
# Days are each channel's own; a list of all channels goes by the clock of UTC, half a day off at most.
_STATE = f"""CASE WHEN p.status = 'ended' OR p.last_day < (now() AT TIME ZONE 'UTC')::date THEN 'ended'
     WHEN p.status = 'paused' THEN 'paused'
     WHEN p.first_day > (now() AT TIME ZONE 'UTC')::date THEN 'scheduled'
     WHEN p.uses >= p.limit_total AND {_COUNTED} OR p.spent >= p.budget THEN 'used_up' ELSE 'active' END"""


LISTING = Listing(
    row=PromotionRow,
    select=f"""p.id, p.name, {_STATE} AS state, p.terms -> 'effect' ->> 'kind' AS kind, p.is_automatic,
              (SELECT count(*)::int FROM promotion_code c WHERE c.promotion = p.id) AS codes,
              (SELECT count(*)::int FROM promotion_link l WHERE l.promotion = p.id) AS links,
              p.customer_group, p.first_day, p.last_day, p.limit_total, p.budget,
              u.uses::int AS uses, CASE WHEN p.currency IS NOT NULL THEN u.spent::bigint END AS spent, p.currency, p.priority, p.created_at""",
    source="""promotion p CROSS JOIN LATERAL (
                  SELECT count(*) AS uses, coalesce(sum(amount), 0) AS spent
                  FROM promotion_use WHERE promotion = p.id AND released_at IS NULL) u WHERE p.pool = ANY($1::uuid[])""",
    key="p.id",
    sorts={
        "created_at": Sort("p.created_at", "timestamptz"),
        "name": Sort("lower(p.name)"),
        "priority": Sort("p.priority", "int"),
        "last_day": Sort("coalesce(p.last_day, 'infinity')", "date"),
    },
    default_sort="-created_at",
    filters={
        "q": Filter(
            """lower(p.name) LIKE {0} OR EXISTS (SELECT 1 FROM promotion_code c
               WHERE c.promotion = p.id AND lower(c.code) LIKE {0})""",
            anywhere_lowered,
        ),
        "id": Filter("p.id = ANY({}::uuid[])", uuids),
        "state": Filter(f"({_STATE}) = ANY(string_to_array({{}}, ','))"),
    },
)
"""Promotions of some pools (its parameter: their ids) with how often they were used."""

CODES = Listing(
    row=Code,
    select="c.id, c.code, c.limit_total, c.uses, c.created_at",
    source="promotion_code c WHERE c.promotion = $1",
    key="c.id",
    sorts={"created_at": Sort("c.created_at", "timestamptz"), "code": Sort("c.code")},
    default_sort="created_at",
    filters={
        "q": Filter("lower(c.code) LIKE {}", anywhere_lowered),
        "id": Filter("c.id = ANY({}::uuid[])", uuids),
    },
)
"""The codes of one promotion (its parameter)."""


# -- promotions ----------------------------------------------------------------------------------------------------------


@asked_once
async def fingerprint(reader: Reader) -> str:
    """Another text whenever something about promotions that have not ended is another."""
    return str(
        await reader.value(
            """SELECT count(*) || ' ' || coalesce(sum(hashtextextended(id::text, version)), 0)
               FROM promotion WHERE status <> 'ended'"""
        )
    )


@asked_once
async def live(reader: Reader) -> list[Promotion]:
    """Every promotion that has not ended (by its last day at the latest two days ago), of all pools."""
    return await reader.all(
        Promotion,
        f"""SELECT {_COLUMNS} FROM promotion p
            WHERE p.status <> 'ended' AND coalesce(p.last_day >= (now() AT TIME ZONE 'UTC')::date - 2, true)
            ORDER BY p.id""",
    )


async def get(reader: Reader, promotion: UUID) -> Promotion | None:
    """One promotion, or None."""
    return await reader.one(Promotion, f"SELECT {_COLUMNS} FROM promotion p WHERE p.id = $1", promotion)


async def lock(tx: Tx, promotion: UUID) -> Promotion | None:
    """One promotion, held against changes and uses until the transaction ends, or None."""
    return await tx.one(
        Promotion, f"SELECT {_COLUMNS} FROM promotion p WHERE p.id = $1 FOR UPDATE", promotion
    )


async def insert(tx: Tx, promotion: UUID, pool: UUID, values: dict[str, Any]) -> Promotion:
    """Add a promotion."""
    places = ", ".join(f"${number}" for number in range(3, 3 + len(WRITTEN)))
    made = await tx.one(
        Promotion,
        f"""INSERT INTO promotion AS p (id, pool, {", ".join(WRITTEN)}) VALUES ($1, $2, {places})
            RETURNING {_COLUMNS}""",
        promotion,
        pool,
        *(values[name] for name in WRITTEN),
    )
    assert made is not None
    return made


async def update(tx: Tx, promotion: UUID, values: dict[str, Any], *, recount: bool) -> Promotion:
    """Set columns of a promotion that the caller has locked; names are ours.

    ``recount``: it gets its first limit, and what is counted in the row begins with what was used so far.
    """
    assignments = "".join(f", {name} = ${number}" for number, name in enumerate(values, 2))
    if recount:
        assignments += """, (uses, spent) = (SELECT count(*), coalesce(sum(u.amount), 0) FROM promotion_use u
                            WHERE u.promotion = p.id AND u.released_at IS NULL)"""
    changed = await tx.one(
        Promotion,
        f"""UPDATE promotion p SET version = version + 1, updated_at = now() {assignments}
            WHERE p.id = $1 RETURNING {_COLUMNS}""",
        promotion,
        *values.values(),
    )
    assert changed is not None
    return changed


# -- codes and links -------------------------------------------------------------------------------------------------------


class FoundCode(msgspec.Struct, frozen=True):
    """A code as it is looked up."""

    id: UUID
    promotion: UUID
    is_used_up: bool


async def code(reader: Reader, pool: UUID, text: str) -> FoundCode | None:
    """The code of a pool, or None."""
    return await reader.one(
        FoundCode,
        """SELECT id, promotion, coalesce(uses >= limit_total, false) AS is_used_up
           FROM promotion_code WHERE pool = $1 AND code = $2""",
        pool,
        text,
    )


class OpenCode(msgspec.Struct, frozen=True):
    """A code that anybody may use any number of times."""

    promotion: UUID
    code: str


async def open_codes(reader: Reader, promotions: Sequence[UUID]) -> list[OpenCode]:
    """The codes of promotions that have no limit of their own, by code."""
    return await reader.all(
        OpenCode,
        "SELECT promotion, code FROM promotion_code WHERE promotion = ANY($1) AND limit_total IS NULL ORDER BY code",
        list(promotions),
    )


async def have_limited_codes(reader: Reader, promotions: Sequence[UUID]) -> bool:
    """Whether any of some promotions has a code that can be used a few times only, and is not used up."""
    return bool(
        await reader.value(
            "SELECT EXISTS (SELECT FROM promotion_code WHERE promotion = ANY($1) AND uses < limit_total)",
            list(promotions),
        )
    )


async def insert_codes(
    tx: Tx, pool: UUID, promotion: UUID, codes: Sequence[tuple[UUID, str]], limit: int | None
) -> set[str]:
    """Add codes as (id, text); those that were not taken already. One statement."""
    rows = await tx.rows(
        """INSERT INTO promotion_code (id, pool, promotion, code, limit_total)
           SELECT id, $1, $2, code, $5 FROM unnest($3::uuid[], $4::text[]) AS n (id, code) ORDER BY code
           ON CONFLICT (pool, code) DO NOTHING RETURNING code""",
        pool,
        promotion,
        [each for each, _ in codes],
        [text for _, text in codes],
        limit,
    )
    return {row["code"] for row in rows}


async def insert_link(tx: Tx, link: Link) -> None:
    """Add a link."""
    await tx.execute(
        "INSERT INTO promotion_link (token, promotion, leads_to, note) VALUES ($1, $2, $3, $4)",
        link.token,
        link.promotion,
        link.leads_to,
        link.note,
    )


async def link(reader: Reader, token: str) -> Link | None:
    """A link by its token, or None."""
    return await reader.one(
        Link,
        "SELECT token, promotion, leads_to, note, created_at FROM promotion_link WHERE token = $1",
        token,
    )


async def links_of(reader: Reader, promotion: UUID) -> list[Link]:
    """The links of a promotion, earliest first."""
    return await reader.all(
        Link,
        """SELECT token, promotion, leads_to, note, created_at FROM promotion_link
           WHERE promotion = $1 ORDER BY created_at, token LIMIT 200""",
        promotion,
    )


# -- grants ------------------------------------------------------------------------------------------------------------------


class HeldGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A grant that one of a cart's holders has. ``code`` and ``code_id`` if it came by one."""

    promotion: UUID
    name: str
    source: str
    code: str | None = None
    code_id: UUID | None = None
    is_used_up: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What changes from moment to moment: grants, a customer's uses, and what is left of limits and budgets."""

    grants: list[HeldGrant] = []
    customer_uses: dict[UUID, int] = {}
    counted: dict[UUID, tuple[int, int]] = {}


class Wanted(msgspec.Struct, frozen=True):
    """Whose facts are asked for: holders of grants, the person whose uses count, and the promotions with limits."""

    holders: Sequence[UUID]
    customer: UUID | None
    counted: Sequence[UUID]


# An array of arrays must have rows of one length, so the holders of each come as one text.
_FACTS = """
    WITH limits AS MATERIALIZED (
        SELECT coalesce(jsonb_object_agg(id, jsonb_build_array(uses, spent)), '{}') AS counted
        FROM promotion WHERE id = ANY($3)
    )
    SELECT coalesce((
               SELECT jsonb_agg(jsonb_build_object(
                   'promotion', g.promotion, 'name', p.name, 'source', g.source, 'code', c.code, 'code_id', c.id,
                   'is_used_up', coalesce(c.uses >= c.limit_total, false)) ORDER BY g.granted_at, g.promotion)
               FROM promotion_grant g JOIN promotion p ON p.id = g.promotion
               LEFT JOIN promotion_code c ON c.id = g.code
               WHERE g.holder = ANY(n.holders::uuid[]) OR g.holder = ANY(customer_members(n.holders::uuid[]))), '[]') AS grants,
           coalesce((SELECT jsonb_object_agg(promotion, uses) FROM (
                         SELECT promotion, sum(uses)::int AS uses FROM promotion_customer
                         WHERE customer = ANY(customer_members(ARRAY[n.customer])) GROUP BY promotion) AS u), '{}')
               AS customer_uses,
           limits.counted
    FROM (SELECT $1::text[] AS a, $2::uuid[] AS b OFFSET 0) AS given
    CROSS JOIN LATERAL unnest(given.a, given.b) WITH ORDINALITY AS n (holders, customer, place) CROSS JOIN limits
    ORDER BY n.place
"""


async def facts(reader: Reader, wanted: Wanted) -> Facts:
    """The grants of some holders, the uses of a person, (uses, spent) of counted promotions. One statement.

    Customers that are the same person have each other's grants and uses.
    """
    return await reader.with_others(_facts_each, wanted)


async def _facts_each(reader: Reader, wanted: Sequence[Wanted]) -> list[Facts]:
    return await reader.all(
        Facts,
        _FACTS,
        [f"{{{','.join(map(str, each.holders))}}}" for each in wanted],
        [each.customer for each in wanted],
        sorted({promotion for each in wanted for promotion in each.counted}),
    )


async def grant(
    tx: Tx,
    holders: Sequence[tuple[UUID, str]],
    promotions: Sequence[UUID],
    source: str,
    code: UUID | None = None,
) -> list[tuple[UUID, UUID]]:
    """Give promotions to holders as (id, kind); the (holder, promotion) that are new. One statement."""
    rows = await tx.rows(
        """
        INSERT INTO promotion_grant (holder, kind, promotion, source, code)
        SELECT h.id, h.kind, p.id, $4, $5
        FROM unnest($1::uuid[], $2::text[]) AS h (id, kind) CROSS JOIN unnest($3::uuid[]) AS p (id)
        ORDER BY h.id, p.id
        ON CONFLICT (holder, promotion) DO NOTHING RETURNING holder, promotion
        """,
        [holder for holder, _ in holders],
        [kind for _, kind in holders],
        list(promotions),
        source,
        code,
    )
    return [(row["holder"], row["promotion"]) for row in rows]


def grant_later(tx: Tx, holders: Sequence[tuple[UUID, str]], promotions: Sequence[UUID], source: str) -> None:
    """The same with the last statement of the transaction; nobody hears which are new."""
    rows = [(holder, kind, promotion) for holder, kind in holders for promotion in promotions]
    tx.rows_later(
        """INSERT INTO promotion_grant (holder, kind, promotion, source)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) AS n (holder, kind, promotion, source)
           ORDER BY holder, promotion ON CONFLICT (holder, promotion) DO NOTHING""",
        [holder for holder, _, _ in rows],
        [kind for _, kind, _ in rows],
        [promotion for _, _, promotion in rows],
        [source] * len(rows),
    )


async def hand_on(tx: Tx, giver: UUID, taker: UUID, kind: str) -> list[UUID]:
    """Give one holder's promotions to another, who keeps them beside; those that are new to them. One statement."""
    rows = await tx.rows(
        """
        INSERT INTO promotion_grant (holder, kind, promotion, source, code)
        SELECT $2, $3, g.promotion, g.source, g.code FROM promotion_grant g JOIN promotion p ON p.id = g.promotion
        WHERE g.holder = $1 AND p.status <> 'ended' ORDER BY g.promotion
        ON CONFLICT (holder, promotion) DO NOTHING RETURNING promotion
        """,
        giver,
        taker,
        kind,
    )
    return [row["promotion"] for row in rows]


async def drop_code(tx: Tx, holders: Sequence[UUID], code: UUID) -> int:
    """Take away what came to holders by a code; how many grants that was."""
    return await tx.execute(
        "DELETE FROM promotion_grant WHERE holder = ANY ($1 || customer_members($1)) AND code = $2",
        list(holders),
        code,
    )


async def forget_visitors(tx: Tx, before: datetime, limit: int) -> int:
    """Remove grants of visitors from before some time; how many. Those of carts and customers stay."""
    return await tx.execute(
        """DELETE FROM promotion_grant WHERE (holder, promotion) IN (
               SELECT holder, promotion FROM promotion_grant WHERE kind = 'visitor' AND granted_at < $1
               ORDER BY granted_at LIMIT $2 FOR UPDATE SKIP LOCKED)""",
        before,
        limit,
    )


async def grants_of(reader: Reader, holder: UUID) -> list[Grant]:
    """What somebody (as any customer that is the same person) may have, the latest first."""
    return await reader.all(
        Grant,
        """SELECT g.promotion, p.name, g.source, c.code, g.granted_at
           FROM promotion_grant g JOIN promotion p ON p.id = g.promotion LEFT JOIN promotion_code c ON c.id = g.code
           WHERE (g.holder = $1 OR g.holder = ANY (customer_members(ARRAY[$1::uuid])))
             AND NOT EXISTS (  -- of what several customers that are one person were given the latest
                 SELECT FROM promotion_grant n WHERE n.promotion = g.promotion AND n.holder <> g.holder
                   AND n.holder = ANY (customer_members(ARRAY[$1::uuid]))
                   AND (n.granted_at, n.holder) > (g.granted_at, g.holder))
           ORDER BY g.granted_at DESC, g.promotion LIMIT 500""",
        holder,
    )


belongs(("promotion_id",), Resource.PROMOTIONS, "SELECT pool FROM promotion WHERE id = $1")
