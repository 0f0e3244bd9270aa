"""Size charts: measures by size, attached to products, categories or brands."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.access import audit
from samlad.catalog.model import ONE_LINE, NamedTexts, NamedTranslations, Text, Title
from samlad.catalog.permissions import CHANGE
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, uuids
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

Length = Annotated[float, Meta(ge=0, le=10_000)]
Span = Annotated[list[Length], Meta(min_length=1, max_length=2, description="One value, or from and to")]
Measures = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=100, pattern=ONE_LINE)]],
    Meta(min_length=1, max_length=30, examples=[["chest", "waist"]]),
]
CENTIMETRES_OF_AN_INCH = 2.54


class SizeRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A size with a value (or span) for each measure; null where there is none."""

    size: Annotated[str, Meta(min_length=1, max_length=50, pattern=ONE_LINE, examples=["M"])]
    values: Annotated[list[Span | None], Meta(max_length=30, examples=[[[96, 100], [80, 84]]])]


Rows = Annotated[list[SizeRow], Meta(min_length=1, max_length=200)]
Brands = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=300, pattern=ONE_LINE)]], Meta(max_length=1000)
]
Ids = Annotated[list[UUID], Meta(max_length=1000)]


class SizeChart(msgspec.Struct, frozen=True):
    """Measures by size. The chart of a product is its own, else its nearest category's, else its brand's."""

    id: UUID
    pool: UUID
    name: str
    unit: Literal["cm", "in"]
    measures: list[str]
    rows: list[SizeRow]
    note: str
    products: list[UUID]
    categories: list[UUID]
    brands: list[str]
    translations: dict[str, NamedTexts]
    version: int
    created_at: datetime
    updated_at: datetime

    def name_in(self, locale: str) -> str:
        """What it is called in the language of a locale tag."""
        return self.translations.get(locale.split("-")[0], NamedTexts()).name or self.name


class SizeChartInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new size chart."""

    name: Annotated[Title, Meta(examples=["Shirts, men"])]
    unit: Literal["cm", "in"] = "cm"
    measures: Measures
    rows: Rows
    note: Text = ""
    products: Ids = []
    categories: Ids = []
    brands: Brands = []
    translations: NamedTranslations = {}


class SizeChartChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays."""

    name: Title | UnsetType = UNSET
    unit: Literal["cm", "in"] | UnsetType = UNSET
    measures: Measures | UnsetType = UNSET
    rows: Rows | UnsetType = UNSET
    note: Text | UnsetType = UNSET
    products: Ids | UnsetType = UNSET
    categories: Ids | UnsetType = UNSET
    brands: Brands | UnsetType = UNSET
    translations: NamedTranslations | UnsetType = UNSET


_COLUMNS = ", ".join(SizeChart.__struct_fields__)

SIZE_CHARTS = Listing(
    row=SizeChart,
    select=_COLUMNS,
    source="size_chart WHERE pool = ANY($1)",
    key="id",
    sorts={"name": Sort("lower(name)"), "created_at": Sort("created_at", "timestamptz")},
    default_sort="name",
    filters={
        "product": Filter("products && {}", uuids),
        "brand": Filter("{} = ANY(brands)"),
        "pool": Filter("pool = ANY({})", uuids),
    },
)


def in_unit(chart: SizeChart, unit: Literal["cm", "in"]) -> SizeChart:
    """The chart with its lengths in another unit, to one decimal."""
    if unit == chart.unit:
        return chart
    factor = CENTIMETRES_OF_AN_INCH if unit == "cm" else 1 / CENTIMETRES_OF_AN_INCH
    rows = [
        SizeRow(
            row.size, [None if span is None else [round(v * factor, 1) for v in span] for span in row.values]
        )
        for row in chart.rows
    ]
    return msgspec.structs.replace(chart, unit=unit, rows=rows)


async def get(reader: Reader, chart_id: UUID) -> SizeChart:
    """One size chart.

    Raises:
        NotFound: there is none with this id.
    """
    found = await reader.one(SizeChart, f"SELECT {_COLUMNS} FROM size_chart WHERE id = $1", chart_id)
    if found is None:
        raise NotFound("There is no such size chart.")
    return found


async def of_product(reader: Reader, product_id: UUID) -> SizeChart | None:
    """The size chart of a product: its own, else of its category or the nearest above, else of its brand."""
    return await reader.one(
        SizeChart,
        f"""
        SELECT {", ".join("s." + name for name in SizeChart.__struct_fields__)}
        FROM product p JOIN size_chart s ON s.pool = p.pool
        LEFT JOIN category own ON own.id = p.category
        LEFT JOIN LATERAL (
            SELECT max(length(c.path)) AS depth FROM category c
            WHERE c.pool = p.pool AND c.id = ANY(s.categories) AND c.path = ANY(path_line(own.path))
        ) AS near ON true
        WHERE p.id = $1 AND (p.id = ANY(s.products) OR near.depth IS NOT NULL OR p.brand = ANY(s.brands))
        ORDER BY (p.id = ANY(s.products)) DESC, near.depth DESC NULLS LAST, s.name LIMIT 1
        """,
        product_id,
    )


async def create(tx: Tx, pool: UUID, data: SizeChartInput) -> SizeChart:
    """A new size chart.

    Raises:
        Conflict: the name is taken.
        InvalidInput: a row with too many or too few values, a size twice, an unknown product or category.
    """
    tx.actor.require(CHANGE)
    moment = now()
    values = {name: getattr(data, name) for name in data.__struct_fields__}
    made = SizeChart(id=new_id(), pool=pool, version=1, created_at=moment, updated_at=moment, **values)
    await _put(tx, made)
    audit.record(tx, "size-chart.created", "size_chart", made.id, after=made)
    return made


async def change(tx: Tx, chart_id: UUID, data: SizeChartChange, expected: int | None = None) -> SizeChart:
    """Change a size chart.

    Raises:
        NotFound, Outdated, Conflict, InvalidInput: no such chart; changed meanwhile; as for `create`.
    """
    tx.actor.require(CHANGE)
    await tx.value("SELECT 1 FROM size_chart WHERE id = $1 FOR UPDATE", chart_id)
    before = await get(tx, chart_id)
    check_version(expected, before.version)
    values = {n: getattr(data, n) for n in data.__struct_fields__ if getattr(data, n) is not UNSET}
    after = msgspec.structs.replace(before, **values)
    if after == before:
        return before
    after = msgspec.structs.replace(after, version=before.version + 1, updated_at=now())
    await _put(tx, after)
    audit.record(tx, "size-chart.changed", "size_chart", after.id, before=before, after=after)
    return after


async def remove(tx: Tx, chart_id: UUID, expected: int | None = None) -> None:
    """Remove a size chart.

    Raises:
        NotFound, Outdated: no such chart; changed meanwhile.
    """
    tx.actor.require(CHANGE)
    await tx.value("SELECT 1 FROM size_chart WHERE id = $1 FOR UPDATE", chart_id)
    before = await get(tx, chart_id)
    check_version(expected, before.version)
    await tx.execute("DELETE FROM size_chart WHERE id = $1", chart_id)
    audit.record(tx, "size-chart.removed", "size_chart", chart_id, before=before)


async def _put(tx: Tx, made: SizeChart) -> None:
    _check(made)
    row = await tx.row(
        """
        SELECT (SELECT count(*) FROM product WHERE id = ANY($1) AND pool = $3) AS products,
               (SELECT count(*) FROM category WHERE id = ANY($2) AND pool = $3) AS categories
        """,
        made.products,
        made.categories,
        made.pool,
    )
    assert row is not None
    for name in ("products", "categories"):
        if row[name] < len(set(getattr(made, name))):
            raise InvalidInput.at(name, "some of them do not exist in this pool")
    written = [n for n in SizeChart.__struct_fields__ if n not in ("id", "pool", "created_at")]
    try:
        await tx.execute(
            f"""
            INSERT INTO size_chart ({_COLUMNS}) SELECT {_COLUMNS} FROM jsonb_populate_record(NULL::size_chart, $1)
            ON CONFLICT (id) DO UPDATE SET ({", ".join(written)}) = ({", ".join("EXCLUDED." + n for n in written)})
            """,
            made,
        )
    except asyncpg.UniqueViolationError:
        raise Conflict.at("name", f"There is a size chart “{made.name}” already.") from None


def _check(made: SizeChart) -> None:
    if len(set(made.measures)) < len(made.measures):
        raise InvalidInput.at("measures", "one is named twice")
    if len({row.size for row in made.rows}) < len(made.rows):
        raise InvalidInput.at("rows", "a size is named twice")
    for index, row in enumerate(made.rows):
        if len(row.values) != len(made.measures):
            raise InvalidInput.at(
                f"rows/{index}/values", f"{len(made.measures)} values, one for each measure"
            )
        if any(span is not None and len(span) == 2 and span[0] > span[1] for span in row.values):
            raise InvalidInput.at(f"rows/{index}/values", "from must not be above to")
