"""The work list before two catalogues become one: what each variant is there, and what somebody says of it.

What is said is kept, is used by plan and join, and can be taken back until the channel joins.
"""

import csv
import io
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from samlad.access import audit
from samlad.catalog.permissions import CHANGE
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import FieldError, InvalidInput

MOST = 10_000
"""Decisions of one request or file."""


class DecisionKind(StrEnum):
    """``same``: it is the variant ``twin``. ``another``: it comes along as a new one. ``out``: it is not sold meanwhile."""

    SAME = "same"
    ANOTHER = "another"
    OUT = "out"


Code = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$", examples=["KETTLE-RED"])
]


class DecisionInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is said of a variant of the channel."""

    sku: Annotated[Code, Meta(description="SKU in the channel's own catalogue")]
    kind: Annotated[DecisionKind | None, Meta(description="Null takes back what was said")] = None
    twin: Annotated[
        Code | None,
        Meta(description="Of `same`: SKU or GTIN in the catalogue of the others", examples=["K-RED"]),
    ] = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """How many were decided, and what stood before, so that it can be taken back by saying it again."""

    count: int
    before: list[DecisionInput]


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the work list.

    ``state``: gtin, sku, hand or parts (the same as ``twin``, and by what), new, another, out, contrary (``why`` says what
    contradicts). Prices are those of a single piece for everybody today, minor units of the channel's currency.
    """

    variant: UUID
    product: UUID
    sku: str
    gtin: str | None
    title: str
    is_active: bool
    state: str
    why: str | None
    twin: UUID | None
    twin_sku: str | None
    twin_gtin: str | None
    twin_title: str | None
    price: int | None
    twin_price: int | None
    decision: DecisionKind | None


# The parameters: the two pools of goods, the two of prices, the channel and its currency.
_PRICE = """(SELECT r.amount FROM price r JOIN price_list l ON l.id = r.price_list
             WHERE r.variant = {0} AND l.pool = {1} AND l.status = 'active' AND l.currency = $6 AND r.min_quantity = 1
               AND l.customer_group IS NULL AND (l.channel IS NULL OR l.channel = $5)
               AND (l.valid_from IS NULL OR l.valid_from <= now()) AND (l.valid_to IS NULL OR l.valid_to > now())
             ORDER BY l.priority DESC, l.channel IS NULL, r.amount LIMIT 1)"""

PAIRS: Listing[Pair] = Listing(
    row=Pair,
    select=f"""p.variant, p.product, p.sku, p.gtin, p.title, p.is_active, p.state, p.why, p.twin, p.twin_sku, p.twin_gtin,
               p.twin_title, {_PRICE.format("p.variant", "$3")} AS price, {_PRICE.format("p.twin", "$4")} AS twin_price,
               (SELECT kind FROM catalogue_decision d WHERE d.variant = p.variant) AS decision""",
    source="catalogue_pairs($1, $2) p WHERE $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL AND $5::uuid IS NOT NULL AND $6::text <> ''",
    key="p.variant",
    sorts={
        "sku": Sort("p.sku"),
        "title": Sort("p.title"),
        # What needs a hand first.
        "state": Sort(
            "(CASE p.state WHEN 'contrary' THEN 0 WHEN 'new' THEN 1 WHEN 'hand' THEN 3 ELSE 2 END)", "int"
        ),
    },
    default_sort="state",
    filters={
        "state": Filter("p.state = ANY({}::text[])", texts),
        "why": Filter("p.why = ANY({}::text[])", texts),
        "q": Filter(
            "lower(concat_ws(' ', p.sku, p.gtin, p.title, p.twin_sku, p.twin_title)) LIKE '%' || lower({}) || '%'"
        ),
    },
)
"""Of two pools: see `scope` for its parameters."""


async def states(reader: Reader, home: UUID, shared: UUID) -> dict[str, int]:
    """How many lines of the work list are in each state."""
    rows = await reader.rows(
        "SELECT state, count(*) AS lines FROM catalogue_pairs($1, $2) GROUP BY 1 ORDER BY 1", home, shared
    )
    return {row["state"]: row["lines"] for row in rows}


async def decide(tx: Tx, home: UUID, shared: UUID, decisions: Sequence[DecisionInput]) -> Decided:
    """Say of variants of one pool what they are in the other. The last word on each holds; saying it twice changes nothing.

    Raises:
        InvalidInput: there is no such variant here or there, it cannot be the same (sold by another measure, only one is a
            set, kept by lots in another way), or what it would be the same as is somebody else's already. Nothing is written then.
    """
    tx.actor.require(CHANGE)
    if len(decisions) > MOST:
        raise InvalidInput.at("decisions", f"at most {MOST:,} at once")
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"catalogue decisions {home}")
    said = {each.sku: each for each in decisions}
    here = await _by_code(tx, home, list(said), by_gtin=False)
    there = await _by_code(tx, shared, [each.twin for each in said.values() if each.twin], by_gtin=True)
    faults = [
        FieldError(f"decisions.{sku}.sku", "is none of the channel's") for sku in said if sku not in here
    ]
    for sku, each in said.items():
        if (each.kind is DecisionKind.SAME) != (each.twin is not None):
            faults.append(FieldError(f"decisions.{sku}.twin", "is needed for `same`, and only for that"))
        elif each.twin is not None and each.twin not in there:
            faults.append(
                FieldError(
                    f"decisions.{sku}.twin", f"there is no “{each.twin}” in the catalogue of the others"
                )
            )
    if faults:
        raise InvalidInput("What was said cannot be kept.", errors=tuple(faults[:100]))
    before = await _before(tx, list(here.values()))
    await _put(tx, home, {here[sku]: (each.kind, there.get(each.twin or "")) for sku, each in said.items()})
    await _refuse_contradictions(tx, home, shared, list(here.values()))
    audit.record(tx, "catalogue.decide", "pool", home, after={"decisions": len(said)})
    return Decided(
        count=len(said),
        before=[before.get(variant, DecisionInput(sku=sku)) for sku, variant in here.items()],
    )


async def _by_code(reader: Reader, pool: UUID, codes: Sequence[str], *, by_gtin: bool) -> dict[str, UUID]:
    rows = await reader.rows(
        """SELECT DISTINCT ON (c.code) c.code, v.id FROM unnest($2::text[]) AS c (code)
           JOIN variant v ON v.pool = $1 AND (v.sku = c.code OR ($3 AND c.code ~ '^[0-9]{8,14}$' AND v.gtin14 = lpad(c.code, 14, '0')))
           ORDER BY c.code, v.sku = c.code DESC, v.status, v.created_at, v.id""",
        pool,
        list(codes),
        by_gtin,
    )
    return {row["code"]: row["id"] for row in rows}


async def _before(reader: Reader, variants: Sequence[UUID]) -> dict[UUID, DecisionInput]:
    rows = await reader.rows(
        """SELECT d.variant, v.sku, d.kind, t.sku AS twin FROM catalogue_decision d JOIN variant v ON v.id = d.variant
           LEFT JOIN variant t ON t.id = d.twin WHERE d.variant = ANY ($1::uuid[])""",
        list(variants),
    )
    return {
        row["variant"]: DecisionInput(sku=row["sku"], kind=DecisionKind(row["kind"]), twin=row["twin"])
        for row in rows
    }


async def _put(tx: Tx, home: UUID, said: dict[UUID, tuple[DecisionKind | None, UUID | None]]) -> None:
    """Those that are said anew go first, so that two may swap what they are."""
    await tx.execute("DELETE FROM catalogue_decision WHERE variant = ANY ($1::uuid[])", list(said))
    kept = {variant: (str(kind), twin) for variant, (kind, twin) in said.items() if kind is not None}
    try:
        await tx.execute(
            """INSERT INTO catalogue_decision (variant, home, kind, twin, actor)
               SELECT n.variant, $4, n.kind, n.twin, $5 FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS n (variant, kind, twin)
               ORDER BY n.variant""",
            list(kept),
            [kind for kind, _ in kept.values()],
            [twin for _, twin in kept.values()],
            home,
            tx.actor.label,
        )
    except asyncpg.UniqueViolationError:
        raise InvalidInput.at(
            "decisions", "two of the channel's would be the same one there: pair each with another"
        ) from None


CANNOT = {
    "measure": "it is sold by another measure there: give it the same measure, or say that it is another",
    "set": "only one of them is a set, whose stock is that of its parts: say that it is another, or leave it out",
    "lots": "one is kept by lots, dates or serial numbers, the other is not, or otherwise: keep both in the same way, or say "
    "that it is another",
}


async def _refuse_contradictions(tx: Tx, home: UUID, shared: UUID, variants: Sequence[UUID]) -> None:
    rows = await tx.rows(
        """SELECT p.sku, p.why FROM catalogue_pairs($1, $2) p JOIN catalogue_decision d ON d.variant = p.variant
           WHERE d.kind = 'same' AND p.state = 'contrary' AND p.variant = ANY ($3::uuid[]) ORDER BY p.sku LIMIT 100""",
        home,
        shared,
        list(variants),
    )
    if rows:
        faults = [
            FieldError(f"decisions.{row['sku']}.twin", CANNOT.get(row["why"], row["why"])) for row in rows
        ]
        raise InvalidInput("These cannot be the same.", errors=tuple(faults))


async def suggested(reader: Reader, home: UUID, shared: UUID, skus: Sequence[str]) -> dict[str, str]:
    """What these variants may be the same as, by SKU: as the work list shows it."""
    rows = await reader.rows(
        "SELECT sku, twin_sku FROM catalogue_pairs($1, $2) WHERE sku = ANY ($3::text[]) AND twin IS NOT NULL",
        home,
        shared,
        list(skus),
    )
    return {row["sku"]: row["twin_sku"] for row in rows}


async def candidates(reader: Reader, shared: UUID, words: str, limit: int = 20) -> list[tuple[str, str]]:
    """Variants of the others' catalogue by SKU, GTIN or words of their title: (SKU, title)."""
    rows = await reader.rows(
        """SELECT v.sku, p.title || CASE WHEN v.option_text = '' THEN '' ELSE ', ' || v.option_text END AS title
           FROM variant v JOIN product p ON p.id = v.product
           WHERE v.pool = $1 AND v.status = 'active'
             AND lower(concat_ws(' ', v.sku, v.gtin, p.title, v.option_text)) LIKE '%' || lower($2) || '%'
           ORDER BY v.sku = $2 DESC, v.sku LIMIT $3""",
        shared,
        words,
        limit,
    )
    return [(row["sku"], row["title"]) for row in rows]


def _cell(text: str | None) -> str:
    """What stands in a cell; the apostrophe that an export puts before what a spreadsheet would run is not of it."""
    cell = (text or "").strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell


COLUMNS = ("sku", "decision", "twin_sku")


def read_csv(text: str) -> list[DecisionInput]:
    """Decisions of a file with the columns sku, decision (same, another, out, or empty) and twin_sku; others are ignored.

    The list's own export is such a file.

    Raises:
        InvalidInput: a column is missing, or a line cannot be read; each names its line.
    """
    reader = csv.DictReader(
        io.StringIO(text.removeprefix("\ufeff")), delimiter=";" if ";" in text.split("\n", 1)[0] else ","
    )
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput.at("file", f"the first line needs the columns {', '.join(missing)}")
    found, faults = [], []
    for number, row in enumerate(reader, 2):
        sku, kind, twin = (_cell(row[name]) for name in COLUMNS)
        if not sku:
            continue
        if kind not in ("", *DecisionKind):
            faults.append(
                FieldError(f"file.{number}.decision", f"“{kind[:40]}” is none of same, another, out")
            )
            continue
        is_same = kind == DecisionKind.SAME
        found.append(
            DecisionInput(sku=sku, kind=DecisionKind(kind) if kind else None, twin=twin if is_same else None)
        )
    if faults:
        raise InvalidInput("The file was not read.", errors=tuple(faults[:100]))
    return found
