"""Collections: products put together by hand, or by a rule that is evaluated whenever somebody looks."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.access import audit
from samlad.catalog.model import (
    NO_CONTROL,
    ONE_LINE,
    Handle,
    Line,
    NamedTexts,
    NamedTranslations,
    ProductStatus,
    Text,
    Title,
)
from samlad.catalog.permissions import CHANGE
from samlad.catalog.rules import slug
from samlad.catalog.search.query import PRICE_CONTEXT
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

Field = Annotated[
    str,
    Meta(
        pattern=r"^(category|brand|supplier|tag|title|price|created|attribute\.[a-z][a-z0-9_]{0,62})(?!\n)$",
        description="category, brand, supplier, tag, title, price, created or attribute.CODE",
        examples=["tag"],
    ),
]
Operator = Literal["is", "is_not", "contains", "at_least", "at_most"]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One condition. ``category`` means it and all below; ``price`` is minor units; ``created`` is days ago."""

    field: Field
    op: Operator
    value: Annotated[str, Meta(min_length=1, max_length=300, pattern=ONE_LINE, examples=["summer"])]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All or any of some conditions."""

    match: Literal["all", "any"]
    conditions: Annotated[list[Condition], Meta(min_length=1, max_length=50)]


class CollectionKind(StrEnum):
    """Put together by hand, or by a rule."""

    MANUAL = "manual"
    RULE = "rule"


class Collection(msgspec.Struct, frozen=True):
    """Products to show together."""

    id: UUID
    pool: UUID
    handle: str
    name: str
    description: str
    kind: CollectionKind
    rule: Rule | None
    status: ProductStatus
    seo_title: str | None
    seo_description: str | None
    translations: dict[str, NamedTexts]
    version: int
    created_at: datetime
    updated_at: datetime


class CollectionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new collection: with a rule, or with products in their order."""

    name: Annotated[Title, Meta(examples=["Summer"])]
    handle: Handle | None = None
    description: Text = ""
    rule: Rule | None = None
    products: Annotated[list[UUID], Meta(max_length=10_000)] = []
    status: ProductStatus = ProductStatus.ACTIVE
    seo_title: Line | None = None
    seo_description: Annotated[str, Meta(max_length=2000, pattern=NO_CONTROL)] | None = None
    translations: NamedTranslations = {}


class CollectionChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. ``products`` replaces all of them."""

    name: Title | UnsetType = UNSET
    handle: Handle | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    rule: Rule | UnsetType = UNSET
    products: Annotated[list[UUID], Meta(max_length=10_000)] | UnsetType = UNSET
    status: ProductStatus | UnsetType = UNSET
    seo_title: Line | UnsetType | None = UNSET
    seo_description: Annotated[str, Meta(max_length=2000, pattern=NO_CONTROL)] | UnsetType | None = UNSET
    translations: NamedTranslations | UnsetType = UNSET


_COLUMNS = ", ".join(Collection.__struct_fields__)

COLLECTIONS = Listing(
    row=Collection,
    select=_COLUMNS,
    source="collection WHERE pool = ANY($1)",
    key="id",
    sorts={
        "name": Sort("lower(name)"),
        "handle": Sort("handle"),
        "created_at": Sort("created_at", "timestamptz"),
    },
    default_sort="name",
    filters={
        "status": Filter("status = ANY({})", texts),
        "kind": Filter("kind = ANY({})", texts),
        "handle": Filter("handle = ANY({})", texts),
        "pool": Filter("pool = ANY({})", uuids),
    },
)

_TEXT_FIELDS = {"brand": "p.brand", "supplier": "p.supplier", "title": "p.title"}
_SIGNS = {"at_least": ">=", "at_most": "<="}


def condition_sql(condition: Condition) -> tuple[str, list[Any]]:
    """A condition as SQL over product ``p`` and its search row ``s``, with ``{}`` for each parameter.

    Raises:
        InvalidInput: the operator or the value does not fit the field.
    """
    field, op, value = condition.field, condition.op, condition.value
    if field in ("price", "created"):
        if op not in _SIGNS:
            raise InvalidInput.at("rule", f"{field} takes at_least or at_most")
        if not (value.isascii() and value.isdigit() and len(value) < 16):
            raise InvalidInput.at("rule", f"“{value}” is not a whole number")
        if field == "price":
            return f"s.lows[array_position(s.contexts, {{}}::int)] {_SIGNS[op]} {{}}::bigint", [
                PRICE_CONTEXT,
                int(value),
            ]
        if int(value) > 100_000:
            raise InvalidInput.at("rule", "at most 100,000 days")
        # "created at most 30 days ago" is a date that is at least so late
        sign = "<=" if op == "at_least" else ">="
        return f"p.created_at {sign} now() - make_interval(days => {{}}::int)", [int(value)]
    if field.startswith("attribute."):
        return _attribute_sql(field.removeprefix("attribute."), op, value)
    if op in _SIGNS:
        raise InvalidInput.at("rule", f"{field} takes is, is_not or contains")
    if field == "category":
        inner = "EXISTS (SELECT 1 FROM category c WHERE c.id = p.category AND (c.path = {} OR starts_with(c.path, {})))"
        return _negated(inner, op), [value, value + "/"]
    if field == "tag":
        if op == "contains":
            return "EXISTS (SELECT 1 FROM unnest(p.tags) AS t WHERE strpos(lower(t), lower({})) > 0)", [value]
        return _negated("{} = ANY(p.tags)", op), [value]
    column = _TEXT_FIELDS[field]
    if op == "contains":
        return f"strpos(lower({column}), lower({{}})) > 0", [value]
    return _negated(f"coalesce({column} = {{}}, false)", op), [value]


def _attribute_sql(code: str, op: str, value: str) -> tuple[str, list[Any]]:
    if op in _SIGNS:
        try:
            number = float(value)
        except ValueError:
            raise InvalidInput.at("rule", f"“{value}” is not a number") from None
        test = f"CASE WHEN jsonb_typeof(a) = 'number' THEN a::text::float8 {_SIGNS[op]} {{}}::float8 END"
        return f"EXISTS (SELECT 1 FROM ({_ATTRIBUTE}) AS x (a) WHERE {test})", [code, code, number]
    if op == "contains":
        test = "strpos(lower(a #>> '{{}}'), lower({})) > 0"
        return f"EXISTS (SELECT 1 FROM ({_ATTRIBUTE}) AS x (a) WHERE {test})", [code, code, value]
    inner = f"EXISTS (SELECT 1 FROM ({_ATTRIBUTE}) AS x (a) WHERE a #>> '{{{{}}}}' = {{}})"
    return _negated(inner, op), [code, code, value]


_ATTRIBUTE = (
    "SELECT p.attributes -> {} UNION ALL SELECT v.attributes -> {} FROM variant v"
    " WHERE v.product = p.id AND v.status = 'active'"
)


def _negated(text: str, op: str) -> str:
    return f"NOT ({text})" if op == "is_not" else text if op == "is" else f"({text})"


def search_condition(collection: Collection) -> tuple[str, Sequence[Any]]:
    """What a product must fulfil to be in a collection, as SQL over its search row ``s``."""
    if collection.rule is None:
        member = (
            "SELECT 1 FROM collection_product cp WHERE cp.collection = {}::uuid AND cp.product = s.product"
        )
        return f"EXISTS ({member})", [collection.id]
    parts = [condition_sql(condition) for condition in collection.rule.conditions]
    glue = " AND " if collection.rule.match == "all" else " OR "
    joined = glue.join(f"({text})" for text, _ in parts)
    return (
        f"EXISTS (SELECT 1 FROM product p WHERE p.id = s.product AND ({joined}))",
        [value for _, args in parts for value in args],
    )


async def get(reader: Reader, collection_id: UUID) -> Collection:
    """One collection.

    Raises:
        NotFound: there is none with this id.
    """
    sql = f"SELECT {_COLUMNS} FROM collection WHERE id = $1"
    found = await reader.one(Collection, sql, collection_id)
    if found is None:
        raise NotFound("There is no such collection.")
    return found


async def by_handle(reader: Reader, pool: UUID, handle: str) -> Collection:
    """One collection that customers may see, by its name in addresses.

    Raises:
        NotFound: there is none in this pool that is active.
    """
    sql = f"SELECT {_COLUMNS} FROM collection WHERE pool = $1 AND handle = $2 AND status = 'active'"
    found = await reader.one(Collection, sql, pool, handle)
    if found is None:
        raise NotFound("There is no such collection.")
    return found


async def members(reader: Reader, collection_id: UUID) -> list[UUID]:
    """The products of a manual collection in their order."""
    sql = "SELECT product FROM collection_product WHERE collection = $1 ORDER BY position, product"
    return [row["product"] for row in await reader.rows(sql, collection_id)]


async def create(tx: Tx, pool: UUID, data: CollectionInput) -> Collection:
    """A new collection.

    Raises:
        Conflict: the handle is taken.
        InvalidInput: a rule that makes no sense, products besides a rule, a product of another pool.
    """
    tx.actor.require(CHANGE)
    values = {k: v for k, v in msgspec.structs.asdict(data).items() if k != "products"}
    values["handle"] = data.handle or slug(data.name)
    if not values["handle"]:
        raise InvalidInput.at("handle", "this name makes no handle; give one")
    moment = now()
    made = Collection(
        id=new_id(),
        pool=pool,
        kind=CollectionKind.MANUAL if data.rule is None else CollectionKind.RULE,
        version=1,
        created_at=moment,
        updated_at=moment,
        **values,
    )
    await _put(tx, made)
    if data.products:
        await _set_members(tx, made, data.products)
    audit.record(tx, "collection.created", "collection", made.id, after=made)
    return made


async def change(
    tx: Tx, collection_id: UUID, data: CollectionChange, expected: int | None = None
) -> Collection:
    """Change a collection; what it is (by hand or by rule) stays.

    Raises:
        NotFound, Outdated, Conflict, InvalidInput: no such collection; changed meanwhile; as for `create`.
    """
    tx.actor.require(CHANGE)
    await tx.value("SELECT 1 FROM collection WHERE id = $1 FOR UPDATE", collection_id)
    before = await get(tx, collection_id)
    check_version(expected, before.version)
    if isinstance(data.rule, Rule) and before.kind is CollectionKind.MANUAL:
        raise InvalidInput.at("rule", "this collection is put together by hand")
    values = {k: v for k, v in msgspec.structs.asdict(data).items() if v is not UNSET and k != "products"}
    after = msgspec.structs.replace(before, **values)
    if after == before and data.products is UNSET:
        return before
    after = msgspec.structs.replace(after, version=before.version + 1, updated_at=now())
    await _put(tx, after)
    if isinstance(data.products, list):
        await _set_members(tx, after, data.products)
    audit.record(tx, "collection.changed", "collection", after.id, before=before, after=after)
    return after


async def _put(tx: Tx, made: Collection) -> None:
    if made.rule is not None:
        search_condition(made)  # a rule that cannot be evaluated is refused now, not when a customer looks
    written = [n for n in Collection.__struct_fields__ if n not in ("id", "pool", "kind", "created_at")]
    try:
        await tx.execute(
            f"""
            INSERT INTO collection ({_COLUMNS})
            SELECT {_COLUMNS.replace("rule", "nullif(rule, 'null')")} FROM jsonb_populate_record(NULL::collection, $1)
            ON CONFLICT (id) DO UPDATE SET ({", ".join(written)}) = ({", ".join("EXCLUDED." + n for n in written)})
            """,
            made,
        )
    except asyncpg.UniqueViolationError:
        raise Conflict.at("handle", f"There is a collection “{made.handle}” already.") from None


async def _set_members(tx: Tx, made: Collection, product_ids: list[UUID]) -> None:
    if made.kind is CollectionKind.RULE:
        raise InvalidInput.at("products", "a collection with a rule chooses its products itself")
    ids = list(dict.fromkeys(product_ids))
    known = await tx.value("SELECT count(*) FROM product WHERE id = ANY($1) AND pool = $2", ids, made.pool)
    if known < len(ids):
        raise InvalidInput.at("products", "some of them do not exist in this pool")
    await tx.execute(
        "DELETE FROM collection_product WHERE collection = $1 AND product <> ALL($2)", made.id, ids
    )
    await tx.execute(
        """
        INSERT INTO collection_product (collection, product, position)
        SELECT $1, id, place - 1 FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
        ON CONFLICT (collection, product) DO UPDATE SET position = EXCLUDED.position
        """,
        made.id,
        ids,
    )


def search_fields(collection: Collection) -> dict[str, Any]:
    """What to add to a `SearchQuery` so that it finds the collection's products, by hand in their own order."""
    if collection.kind is CollectionKind.RULE:
        return {"condition": search_condition(collection)}
    place = f"SELECT position FROM collection_product WHERE collection = '{collection.id}' AND product = s.product"
    return {"condition": search_condition(collection), "own_order": "own", "own_position": f"({place})"}
