"""Attributes: what can be said of products beyond their texts, with a type, so that it can be filtered by."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.access import audit
from samlad.catalog.model import ONE_LINE, AttributeCode, NamedTexts, NamedTranslations, Position, Title
from samlad.catalog.permissions import CHANGE
from samlad.catalog.search import index
from samlad.kernel import inserts
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import Conflict, InvalidInput, NotFound


class AttributeType(StrEnum):
    """What a value is. ``colour`` is a name or ``#rrggbb``, ``date`` is ISO 8601, ``number`` is in the unit."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    COLOUR = "colour"
    DATE = "date"


Choices = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)]],
    Meta(max_length=2000, examples=[["steel", "enamel"]]),
]
Unit = Annotated[str, Meta(min_length=1, max_length=20, pattern=ONE_LINE, examples=["cm"])]


class Attribute(msgspec.Struct, frozen=True):
    """A definition; the values are with products and variants, by ``code``."""

    id: UUID
    pool: UUID
    code: str
    name: str
    type: AttributeType
    unit: str | None
    choices: list[str]
    is_filterable: bool
    position: int
    translations: dict[str, NamedTexts]
    version: int
    created_at: datetime
    updated_at: datetime


class AttributeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new attribute. Only numbers have a unit, only choices have choices."""

    code: AttributeCode
    name: Annotated[Title, Meta(examples=["Material"])]
    type: AttributeType
    unit: Unit | None = None
    choices: Choices = []
    is_filterable: bool = True
    position: Position = 0
    translations: NamedTranslations = {}


class AttributeChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. Code and type stay for ever: values depend on them."""

    name: Title | UnsetType = UNSET
    unit: Unit | UnsetType | None = UNSET
    choices: Choices | UnsetType = UNSET
    is_filterable: bool | UnsetType = UNSET
    position: Position | UnsetType = UNSET
    translations: NamedTranslations | UnsetType = UNSET


_COLUMNS = ", ".join(Attribute.__struct_fields__)

ATTRIBUTES = Listing(
    row=Attribute,
    select=_COLUMNS,
    source="attribute WHERE pool = ANY($1)",
    key="id",
    sorts={"code": Sort("code"), "position": Sort("position", "int")},
    default_sort="code",
    filters={
        "type": Filter("type = ANY({})", texts),
        "code": Filter("code = ANY({})", texts),
        "pool": Filter("pool = ANY({})", uuids),
    },
)


async def all_attributes(reader: Reader, pool: UUID) -> list[Attribute]:
    """Every attribute of a pool, by code."""
    sql = f"SELECT {_COLUMNS} FROM attribute WHERE pool = $1 ORDER BY code"
    return await reader.all(Attribute, sql, pool)


async def get(reader: Reader, attribute_id: UUID) -> Attribute:
    """One attribute.

    Raises:
        NotFound: there is none with this id.
    """
    found = await reader.one(Attribute, f"SELECT {_COLUMNS} FROM attribute WHERE id = $1", attribute_id)
    if found is None:
        raise NotFound("There is no such attribute.")
    return found


async def create(tx: Tx, pool: UUID, data: AttributeInput) -> Attribute:
    """A new attribute.

    Raises:
        Conflict: the code is taken.
        InvalidInput: a unit or choices where the type has none, or a choice without choices.
    """
    tx.actor.require(CHANGE)
    moment = now()
    made = Attribute(
        id=new_id(),
        pool=pool,
        version=1,
        created_at=moment,
        updated_at=moment,
        **msgspec.structs.asdict(data),
    )
    _check(made)
    try:
        await inserts.insert(tx, "attribute", msgspec.structs.asdict(made))
    except asyncpg.UniqueViolationError:
        raise Conflict.at("code", f"There is an attribute “{made.code}” already.") from None
    audit.record(tx, "attribute.created", "attribute", made.id, after=made)
    return made


async def change(tx: Tx, attribute_id: UUID, data: AttributeChange, expected: int | None = None) -> Attribute:
    """Change an attribute.

    Raises:
        NotFound, Outdated, InvalidInput: no such attribute; changed meanwhile; as for `create`.
        Conflict: a choice that is left out is in use.
    """
    tx.actor.require(CHANGE)
    await tx.value("SELECT 1 FROM attribute WHERE id = $1 FOR UPDATE", attribute_id)
    before = await get(tx, attribute_id)
    check_version(expected, before.version)
    values = {k: v for k, v in msgspec.structs.asdict(data).items() if v is not UNSET}
    after = msgspec.structs.replace(before, **values)
    if after == before:
        return before
    _check(after)
    await _check_use(tx, after, set(before.choices) - set(after.choices))
    after = msgspec.structs.replace(after, version=before.version + 1, updated_at=now())
    written = [
        "name",
        "unit",
        "choices",
        "is_filterable",
        "position",
        "translations",
        "version",
        "updated_at",
    ]
    await tx.execute(
        f"""
        UPDATE attribute SET ({", ".join(written)}) = ({", ".join("n." + each for each in written)})
        FROM jsonb_populate_record(NULL::attribute, $1) AS n WHERE attribute.id = n.id
        """,
        after,
    )
    if after.is_filterable != before.is_filterable:
        rows = await tx.rows(_USERS, after.pool, after.code)
        await index.refresh(tx, [row["id"] for row in rows])
    audit.record(tx, "attribute.changed", "attribute", after.id, before=before, after=after)
    return after


_USERS = """
SELECT id FROM product WHERE pool = $1 AND attributes ? $2
UNION SELECT product FROM variant WHERE pool = $1 AND attributes ? $2
"""


async def _check_use(tx: Tx, after: Attribute, gone: set[str]) -> None:
    if not gone:
        return
    used = await tx.rows(
        """
        SELECT DISTINCT attributes ->> $2 AS value FROM (
            SELECT attributes FROM product WHERE pool = $1 UNION ALL SELECT attributes FROM variant WHERE pool = $1
        ) AS every WHERE attributes ->> $2 = ANY($3) ORDER BY 1 LIMIT 5
        """,
        after.pool,
        after.code,
        sorted(gone),
    )
    if used:
        raise Conflict.at("choices", f"in use: {', '.join(row['value'] for row in used)}")


def _check(made: Attribute) -> None:
    if made.unit is not None and made.type is not AttributeType.NUMBER:
        raise InvalidInput.at("unit", "only numbers have a unit")
    if made.choices and made.type is not AttributeType.CHOICE:
        raise InvalidInput.at("choices", "only an attribute of type choice has choices")
    if made.type is AttributeType.CHOICE and not made.choices:
        raise InvalidInput.at("choices", "a choice needs at least one")
    if len(set(made.choices)) < len(made.choices):
        raise InvalidInput.at("choices", "one is named twice")
