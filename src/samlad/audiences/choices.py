"""What conditions can name, for pickers: found by typing, and shown by name where only an id or a code is kept."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from samlad.audiences.conditions import (
    Condition,
    Consented,
    HasOrders,
    InSegment,
    InTier,
    Listed,
    OrderDate,
    Subscribed,
    Tagged,
    Tracked,
    UsedPromotion,
)
from samlad.audiences.rules import walk
from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader

SHOWN = 8
"""Of what fits what was typed."""
LATEST = 20_000
"""Tracked events that names are read from."""
LATEST_OF_NAME = 200


class Choice(msgspec.Struct, frozen=True):
    """Something that a condition can name. ``note`` tells those of the same name apart."""

    value: str
    label: str
    note: str = ""


class Source(NamedTuple):
    """Where choices of a sort come from. ``rows`` selects value, label, note of a pool ($1); ``resource`` says of which, and
    ``is_by_id`` that the values are ids."""

    rows: str
    resource: Resource
    is_by_id: bool = False


_RECENT = f"SELECT name, payload FROM tracked_event WHERE name IS NOT NULL ORDER BY received_at DESC, id DESC LIMIT {LATEST}"

SOURCES: Mapping[str, Source] = {
    "products": Source(
        "SELECT id::text AS value, title AS label, coalesce(brand, '') AS note FROM product WHERE pool = $1",
        Resource.CATALOGUE,
        is_by_id=True,
    ),
    "categories": Source(
        "SELECT id::text AS value, name AS label, path AS note FROM category WHERE pool = $1",
        Resource.CATALOGUE,
        is_by_id=True,
    ),
    "brands": Source(
        "SELECT brand AS value, brand AS label, '' AS note FROM product WHERE pool = $1 AND brand <> '' GROUP BY brand",
        Resource.CATALOGUE,
    ),
    "skus": Source(
        """SELECT v.sku AS value, v.sku AS label, g.title AS note
           FROM variant v JOIN product g ON g.id = v.product WHERE v.pool = $1""",
        Resource.CATALOGUE,
    ),
    "promotions": Source(
        "SELECT id::text AS value, name AS label, status AS note FROM promotion WHERE pool = $1",
        Resource.PROMOTIONS,
        is_by_id=True,
    ),
    "channels": Source(
        "SELECT id::text AS value, name AS label, code AS note FROM channel WHERE $1::uuid IS NOT NULL",
        Resource.CUSTOMERS,
        is_by_id=True,
    ),
    "tags": Source(
        """SELECT t.tag AS value, t.tag AS label, '' AS note FROM customer_tag t JOIN customer c ON c.id = t.customer
           WHERE c.pool = $1 GROUP BY t.tag""",
        Resource.CUSTOMERS,
    ),
    "groups": Source(
        """SELECT group_name AS value, group_name AS label, '' AS note FROM customer
           WHERE pool = $1 AND group_name <> '' GROUP BY group_name""",
        Resource.CUSTOMERS,
    ),
    "tiers": Source(
        """SELECT t ->> 'code' AS value, coalesce(t ->> 'name', t ->> 'code') AS label, t ->> 'code' AS note
           FROM loyalty_programme g, jsonb_array_elements(g.tiers) AS t WHERE g.pool = $1""",
        Resource.CUSTOMERS,
    ),
    "variants": Source(
        """SELECT v.id::text AS value, concat_ws(', ', g.title, v.sku) AS label, v.sku AS note
           FROM variant v JOIN product g ON g.id = v.product WHERE v.pool = $1""",
        Resource.CATALOGUE,
        is_by_id=True,
    ),
    "plans": Source(
        "SELECT id::text AS value, name AS label, code AS note FROM selling_plan WHERE $1::uuid IS NOT NULL",
        Resource.ORDERS,
        is_by_id=True,
    ),
    "segments": Source(
        "SELECT id::text AS value, name AS label, '' AS note FROM segment WHERE pool = $1 AND deleted_at IS NULL",
        Resource.CUSTOMERS,
        is_by_id=True,
    ),
    "events": Source(
        f"""SELECT name AS value, name AS label, '' AS note FROM (
                SELECT event AS name FROM tracking_schema UNION SELECT name FROM ({_RECENT}) AS came) AS known
            WHERE $1::uuid IS NOT NULL""",
        Resource.CUSTOMERS,
    ),
}


OF_EVENTS = ("variants", "products", "categories", "channels", "promotions")
"""What ids in events may be of."""


def is_id(value: Any) -> bool:
    """Whether a value is an id of ours."""
    try:
        return isinstance(value, str) and len(value) == 36 and bool(UUID(value))
    except ValueError:
        return False


async def search(reader: Reader, source: str, typed: str, channel: Channel) -> list[Choice]:
    """What fits what was typed, those that begin with it first; `SHOWN` at most.

    Raises:
        KeyError: there is no such source.
    """
    found = SOURCES[source]
    escaped = typed.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return await reader.all(
        Choice,
        f"""SELECT value, label, note FROM ({found.rows}) AS known
            WHERE lower(label) LIKE '%' || $2 || '%' OR lower(note) LIKE $2 || '%'
            ORDER BY NOT starts_with(lower(label), $3), lower(label), value LIMIT {SHOWN}""",
        channel.pools[found.resource],
        escaped,
        typed.strip().lower(),
    )


async def labels(
    reader: Reader, wanted: Mapping[str, Iterable[str]], channel: Channel
) -> dict[tuple[str, str], str]:
    """Names by source and value; what is not there any more has none.

    An id has its name in any pool: what a condition names may be of a channel that has left, and is still called so.
    """
    named: dict[tuple[str, str], str] = {}
    for source, values in wanted.items():
        known = SOURCES.get(source)
        some = sorted(set(values))
        if known is None or not some or not (known.is_by_id or source == "tiers"):
            continue
        everywhere = known.rows.replace("v.pool = $1", "$1::uuid IS NOT NULL").replace(
            "pool = $1", "$1::uuid IS NOT NULL"
        )
        rows = await reader.rows(
            f"SELECT value, label FROM ({everywhere if known.is_by_id else known.rows}) AS known WHERE value = ANY ($2)",
            channel.pools[known.resource],
            some,
        )
        named |= {(source, row["value"]): row["label"] for row in rows}
    return named


async def properties(reader: Reader, event: str) -> list[str]:
    """The properties that events of a name have: by the tracking plan, and by those that came."""
    rows = await reader.rows(
        f"""SELECT key FROM tracking_schema s, jsonb_object_keys(
                CASE WHEN jsonb_typeof(s.schema -> 'properties') = 'object' THEN s.schema -> 'properties' ELSE '{{}}' END) AS key
            WHERE s.event = $1
            UNION SELECT key FROM (SELECT payload FROM ({_RECENT}) AS came WHERE name = $1 LIMIT {LATEST_OF_NAME}) AS mine,
                jsonb_object_keys(CASE WHEN jsonb_typeof(payload -> 'properties') = 'object' THEN payload -> 'properties'
                                       ELSE '{{}}' END) AS key
            ORDER BY key LIMIT 100""",
        event,
    )
    return [row["key"] for row in rows]


def named_in(definition: Condition) -> dict[str, set[str]]:
    """What conditions name, by source: for `labels`."""
    found: dict[str, set[str]] = {}
    for each in walk(definition):
        for source, values in _named(each):
            found.setdefault(source, set()).update(str(value) for value in values or ())
    return found


def _named(condition: Condition) -> Iterator[tuple[str, Sequence[UUID | str] | None]]:
    """What one condition names: source and values."""
    if isinstance(condition, HasOrders | OrderDate):
        yield "channels", condition.channels
        if condition.goods is not None:
            yield "products", condition.goods.products
            yield "categories", condition.goods.categories
    elif isinstance(condition, Tracked):
        values = [str(each.value) for each in condition.properties if is_id(each.value)]
        yield from ((source, values) for source in OF_EVENTS)
    elif isinstance(condition, InSegment | Listed):
        yield "segments", [condition.segment]
    elif isinstance(condition, Consented):
        yield "channels", None if condition.channel is None else [condition.channel]
    else:
        yield from (
            (source, getattr(condition, field))
            for kind, field, source in _LISTS
            if isinstance(condition, kind)
        )


_LISTS = (
    (UsedPromotion, "promotions", "promotions"),
    (InTier, "tiers", "tiers"),
    (Tagged, "tags", "tags"),
    (Subscribed, "plans", "plans"),
)
"""Conditions that name only things of one sort: in which field, and of which source."""
