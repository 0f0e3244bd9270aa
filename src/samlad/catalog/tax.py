"""Tax classes and their rates by country and day.

A class without a rate of its own in a country is taxed there at the standard rate; class ``zero`` is never taxed.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.catalog.model import Country, Line, TaxClassCode, Title
from samlad.catalog.permissions import PRICES
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="Basis points: 2500 is 25 %", examples=[2500])]


class TaxClass(msgspec.Struct, frozen=True):
    """What is taxed alike."""

    code: TaxClassCode
    name: str
    description: str


class TaxRate(msgspec.Struct, frozen=True):
    """What a country takes of a class, from a day on until another (exclusive; None: until further notice)."""

    id: UUID
    country: str
    tax_class: str
    rate_bp: int
    valid_from: date
    valid_to: date | None
    name: str
    version: int


class TaxRateInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new rate. It may not overlap another of its country and class."""

    country: Country
    tax_class: TaxClassCode
    rate_bp: BasisPoints
    valid_from: date
    valid_to: Annotated[date | None, Meta(description="First day on which it no longer holds")] = None
    name: Annotated[Title, Meta(examples=["Moms 25 %"])]


class TaxRateChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a rate: normally the day on which it ends."""

    rate_bp: BasisPoints | UnsetType = UNSET
    valid_from: date | UnsetType = UNSET
    valid_to: date | UnsetType | None = UNSET
    name: Title | UnsetType = UNSET


class TaxClassInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A class of goods that some country taxes differently."""

    code: TaxClassCode
    name: Title
    description: Line = ""


_COLUMNS = "id, country, tax_class, rate_bp, valid_from, valid_to, name, version"

RATES = Listing(
    row=TaxRate,
    select=_COLUMNS,
    source="tax_rate",
    key="id",
    sorts={
        "country": Sort("country || ' ' || tax_class || ' ' || valid_from::text"),
        "valid_from": Sort("valid_from", "date"),
    },
    default_sort="country",
    filters={
        "country": Filter("country = ANY({})", texts),
        "tax_class": Filter("tax_class = ANY({})", texts),
        "on": Filter("daterange(valid_from, valid_to) @> {}::date", date.fromisoformat),
    },
)


async def classes(reader: Reader) -> list[TaxClass]:
    """Every tax class, by code."""
    return await reader.all(TaxClass, "SELECT code, name, description FROM tax_class ORDER BY code")


async def create_class(tx: Tx, data: TaxClassInput) -> TaxClass:
    """A new tax class.

    Raises:
        Conflict: the code is taken.
    """
    tx.actor.require(PRICES)
    row = await tx.one(
        TaxClass,
        "INSERT INTO tax_class (code, name, description) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        " RETURNING code, name, description",
        data.code,
        data.name,
        data.description,
    )
    if row is None:
        raise Conflict.at("code", f"There is a tax class “{data.code}” already.")
    return row


async def rate(reader: Reader, rate_id: UUID) -> TaxRate:
    """One rate.

    Raises:
        NotFound: there is none with this id.
    """
    found = await reader.one(TaxRate, f"SELECT {_COLUMNS} FROM tax_rate WHERE id = $1", rate_id)
    if found is None:
        raise NotFound("There is no such tax rate.")
    return found


async def rate_on(reader: Reader, country: str, tax_class: str, day: date) -> int:
    """The rate of a class in a country on a day, in basis points; 0 where nothing is known."""
    return int(await reader.value("SELECT tax_rate_on($1, $2, $3)", country, tax_class, day))


async def create_rate(tx: Tx, data: TaxRateInput) -> TaxRate:
    """A new rate.

    Raises:
        Conflict: it overlaps a rate of the same country and class. End that one first.
        InvalidInput: unknown class, or it ends before it begins.
    """
    tx.actor.require(PRICES)
    if data.tax_class not in {each.code for each in await classes(tx)}:
        raise InvalidInput.at("tax_class", "There is no such tax class.")
    made = TaxRate(id=new_id(), version=1, **msgspec.structs.asdict(data))
    return await _put(tx, made)


async def change_rate(tx: Tx, rate_id: UUID, data: TaxRateChange, expected: int | None = None) -> TaxRate:
    """Change a rate. What was sold before keeps the rate that it was sold with.

    Raises:
        NotFound, Outdated, Conflict, InvalidInput: as for `create_rate`.
    """
    tx.actor.require(PRICES)
    await tx.value("SELECT 1 FROM tax_rate WHERE id = $1 FOR UPDATE", rate_id)
    current = await rate(tx, rate_id)
    check_version(expected, current.version)
    values = {k: v for k, v in msgspec.structs.asdict(data).items() if v is not UNSET}
    return await _put(tx, msgspec.structs.replace(current, **values, version=current.version + 1))


async def _put(tx: Tx, made: TaxRate) -> TaxRate:
    if made.valid_to is not None and made.valid_to <= made.valid_from:
        raise InvalidInput.at("valid_to", "must be after valid_from")
    try:
        await tx.execute(
            f"""
            INSERT INTO tax_rate ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (id) DO UPDATE SET (rate_bp, valid_from, valid_to, name, version)
                = (EXCLUDED.rate_bp, EXCLUDED.valid_from, EXCLUDED.valid_to, EXCLUDED.name, EXCLUDED.version)
            """,
            *(getattr(made, field) for field in TaxRate.__struct_fields__),
        )
    except asyncpg.ExclusionViolationError:
        raise Conflict.at("valid_from", "It overlaps another rate of this country and class.") from None
    return made
