"""SQL of the table ``selling_plan``."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.rows import into
from samlad.subscriptions.model import Plan

_PLAN = """p.id, p.code, p.name, p.names,
           (SELECT array_agg(c.code ORDER BY c.code) FROM channel c WHERE c.id = ANY(p.channels)) AS channels,
           p.products, p.variants, p.terms, p.position, p.is_active, p.version, p.created_at, p.updated_at"""

PLANS: Listing[Plan] = Listing(
    row=Plan,
    select=_PLAN,
    source="selling_plan p",
    key="p.id",
    sorts={
        "position": Sort("p.position", "int"),
        "code": Sort("p.code"),
        "created_at": Sort("p.created_at", "timestamptz"),
    },
    default_sort="position",
    filters={
        "channel": Filter(
            "p.channels && (SELECT array_agg(id) FROM channel WHERE code = ANY({}::text[]))", texts
        ),
        "code": Filter("p.code = ANY({}::text[])", texts),
        "state": Filter("CASE WHEN p.is_active THEN 'active' ELSE 'inactive' END = ANY({}::text[])", texts),
    },
)
"""Selling plans in their order."""


async def insert(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Add a plan; False when its code is taken."""
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    return bool(
        await tx.execute(
            f"INSERT INTO selling_plan ({names}) VALUES ({places}) ON CONFLICT (code) DO NOTHING",
            *values.values(),
        )
    )


async def read(reader: Reader, plan: UUID) -> Plan | None:
    """A plan, or None."""
    return await reader.one(Plan, f"SELECT {_PLAN} FROM selling_plan p WHERE p.id = $1", plan)


async def update(tx: Tx, plan: UUID, version: int, values: Mapping[str, Any]) -> bool:
    """Set columns and count the version up; False when the version is not that any more."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 3))
    return bool(
        await tx.execute(
            f"""UPDATE selling_plan SET {sets} version = version + 1, updated_at = now()
                WHERE id = $1 AND version = $2""",
            plan,
            version,
            *values.values(),
        )
    )


async def offered(
    reader: Reader, channel: UUID, variants: Sequence[UUID], plans: Sequence[UUID] | None = None
) -> list[tuple[UUID, Plan]]:
    """Which active plans (of ``plans``, None for all) sell which variants in a channel, in their order. One statement."""
    rows = await reader.rows(
        f"""
        SELECT v.id AS for_variant, {_PLAN} FROM selling_plan p JOIN variant v ON v.id = ANY($2::uuid[])
        WHERE p.is_active AND p.channels @> ARRAY[$1::uuid] AND ($3::uuid[] IS NULL OR p.id = ANY($3))
              AND (v.id = ANY(p.variants) OR v.product = ANY(p.products)
                   OR cardinality(p.variants) = 0 AND cardinality(p.products) = 0)
        ORDER BY p.position, p.code
        """,
        channel,
        list(variants),
        None if plans is None else list(plans),
    )
    return [
        (row["for_variant"], into(Plan, [{k: v for k, v in row.items() if k != "for_variant"}])[0])
        for row in rows
    ]


async def unknown(
    reader: Reader, pools: Sequence[UUID], products: Sequence[UUID], variants: Sequence[UUID]
) -> set[UUID]:
    """Which of these products and variants are not in one of these catalogues."""
    if not products and not variants:
        return set()
    rows = await reader.rows(
        """SELECT id FROM unnest($2::uuid[]) AS w (id)
           WHERE NOT EXISTS (SELECT FROM product p WHERE p.id = w.id AND p.pool = ANY($1::uuid[]))
           UNION SELECT id FROM unnest($3::uuid[]) AS w (id)
           WHERE NOT EXISTS (SELECT FROM variant v WHERE v.id = w.id AND v.pool = ANY($1::uuid[]))""",
        list(pools),
        list(products),
        list(variants),
    )
    return {row["id"] for row in rows}
