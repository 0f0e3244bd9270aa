"""Price lists, prices, and the history that says the lowest price of the last 30 days."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.access import audit
from samlad.catalog import events
from samlad.catalog.model import ONE_LINE, Amount, Currency, Quantity, Title
from samlad.catalog.permissions import PRICES
from samlad.catalog.price_writing import put_prices, rewrite_history
from samlad.catalog.search import index
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.money import currencies
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

EVENT_SIZE = 1000
"""Most things that one event names."""
AUDITED = 50
"""Most prices that one line of the audit log quotes; the history has them all."""


class PriceListKind(StrEnum):
    """What is in a ``sale`` list is announced as reduced, with its prior price."""

    REGULAR = "regular"
    SALE = "sale"


class PriceListStatus(StrEnum):
    """Lists are archived, not deleted: the history points to them."""

    ACTIVE = "active"
    ARCHIVED = "archived"


Code = Annotated[
    str,
    Meta(
        min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*(?!\n)$", examples=["summer-sale"]
    ),
]
Group = Annotated[str, Meta(min_length=1, max_length=100, pattern=ONE_LINE, examples=["staff"])]
Priority = Annotated[int, Meta(ge=-10_000, le=10_000, description="The highest wins")]


class PriceList(msgspec.Struct, frozen=True):
    """For whom, where and when its prices hold; null is everybody, everywhere in the pool, always."""

    id: UUID
    pool: UUID
    code: str
    name: str
    currency: str
    channel: UUID | None
    customer_group: str | None
    kind: PriceListKind
    tax_included: bool
    priority: int
    valid_from: datetime | None
    valid_to: datetime | None
    status: PriceListStatus
    version: int
    created_at: datetime
    updated_at: datetime


class PriceListInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new price list."""

    code: Code
    name: Annotated[Title, Meta(examples=["Summer sale"])]
    currency: Currency
    channel: UUID | None = None
    customer_group: Group | None = None
    kind: PriceListKind = PriceListKind.REGULAR
    tax_included: bool = True
    priority: Priority = 0
    valid_from: Annotated[datetime, Meta(tz=True)] | None = None
    valid_to: (
        Annotated[datetime, Meta(tz=True, description="First moment at which it no longer holds")] | None
    ) = None


class PriceListChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. Currency and tax cannot change: make a new list."""

    name: Title | UnsetType = UNSET
    channel: UUID | UnsetType | None = UNSET
    customer_group: Group | UnsetType | None = UNSET
    kind: PriceListKind | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    valid_from: Annotated[datetime, Meta(tz=True)] | UnsetType | None = UNSET
    valid_to: Annotated[datetime, Meta(tz=True)] | UnsetType | None = UNSET
    status: PriceListStatus | UnsetType = UNSET


class PriceSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price to set; ``amount`` null takes it away."""

    variant: UUID
    amount: Amount | None
    compare_at: (
        Annotated[int, Meta(ge=0, le=2**53, description="Former or recommended price, struck through")] | None
    ) = None
    min_quantity: Quantity = 1


class Price(msgspec.Struct, frozen=True):
    """A price as it stands in a list, minor units of the list's currency."""

    price_list: UUID
    code: str
    currency: str
    tax_included: bool
    variant: UUID
    sku: str
    min_quantity: int
    amount: int
    compare_at: int | None


class PricePeriod(msgspec.Struct, frozen=True):
    """That an amount stood in a list for a time; ``applied_to`` null: still."""

    price_list: UUID
    code: str
    channel: UUID | None
    currency: str
    tax_included: bool
    kind: PriceListKind
    priority: int
    amount: int
    applied_from: datetime
    applied_to: datetime | None


_COLUMNS = """id, pool, code, name, currency, channel, customer_group, kind, tax_included, priority, valid_from,
    valid_to, status, version, created_at, updated_at"""

LISTS = Listing(
    row=PriceList,
    select=_COLUMNS,
    source="price_list WHERE pool = ANY($1)",
    key="id",
    sorts={
        "code": Sort("code"),
        "priority": Sort("priority", "int"),
        "created_at": Sort("created_at", "timestamptz"),
    },
    default_sort="code",
    filters={
        "status": Filter("status = ANY({})", texts),
        "currency": Filter("currency = ANY({})", texts),
        "channel": Filter("channel = ANY({})", uuids),
        "pool": Filter("pool = ANY({})", uuids),
    },
)

PRICES_OF = Listing(
    row=Price,
    select="""pl.id AS price_list, pl.code, pl.currency, pl.tax_included, v.id AS variant, v.sku,
        pr.min_quantity, pr.amount, pr.compare_at""",
    source="""price pr JOIN price_list pl ON pl.id = pr.price_list JOIN variant v ON v.id = pr.variant
        WHERE pl.pool = ANY($1)""",
    key="(pl.code || ' ' || lpad(pr.min_quantity::text, 10, '0') || ' ' || v.id)",
    key_type="text",
    sorts={"sku": Sort("v.sku")},
    default_sort="sku",
    filters={
        "price_list": Filter("pl.code = ANY({})", texts),
        "variant": Filter("v.id = ANY({})", uuids),
        "product": Filter("v.product = ANY({})", uuids),
        "sku": Filter("v.sku = ANY({})", texts),
        "currency": Filter("pl.currency = ANY({})", texts),
    },
)


async def price_list(reader: Reader, list_id: UUID) -> PriceList:
    """One price list.

    Raises:
        NotFound: there is none with this id.
    """
    found = await reader.one(PriceList, f"SELECT {_COLUMNS} FROM price_list WHERE id = $1", list_id)
    if found is None:
        raise NotFound("There is no such price list.")
    return found


async def lists_by_code(reader: Reader, pool: UUID, codes: Sequence[str]) -> dict[str, PriceList]:
    """Price lists of a pool by code; unknown ones are left out."""
    sql = f"SELECT {_COLUMNS} FROM price_list WHERE pool = $1 AND code = ANY($2)"
    return {each.code: each for each in await reader.all(PriceList, sql, pool, list(codes))}


async def all_lists(reader: Reader, pool: UUID) -> list[PriceList]:
    """Every price list of a pool that is in use, by code."""
    sql = f"SELECT {_COLUMNS} FROM price_list WHERE pool = $1 AND status = 'active' ORDER BY code"
    return await reader.all(PriceList, sql, pool)


async def create_list(tx: Tx, pool: UUID, data: PriceListInput) -> PriceList:
    """A new price list in a pool of prices.

    Raises:
        Conflict: the code is taken.
        InvalidInput: no such currency or channel, or it ends before it begins.
    """
    tx.actor.require(PRICES)
    if data.currency not in currencies():
        raise InvalidInput.at("currency", f"“{data.currency}” is not a currency (ISO 4217)")
    moment = now()
    made = PriceList(
        id=new_id(),
        pool=pool,
        status=PriceListStatus.ACTIVE,
        version=1,
        created_at=moment,
        updated_at=moment,
        **msgspec.structs.asdict(data),
    )
    await _put_list(tx, made)
    await _keep_context(tx, made)
    audit.record(tx, "price-list.created", "price_list", made.id, after=made)
    return made


async def change_list(
    tx: Tx, list_id: UUID, data: PriceListChange, expected: int | None = None, *, at: datetime | None = None
) -> PriceList:
    """Change a price list; the history of its prices is cut where what applied changes.

    Raises:
        NotFound, Outdated, InvalidInput: no such list; changed meanwhile; no such channel or an impossible time.
    """
    tx.actor.require(PRICES)
    await tx.value("SELECT 1 FROM price_list WHERE id = $1 FOR UPDATE", list_id)
    before = await price_list(tx, list_id)
    check_version(expected, before.version)
    values = {k: v for k, v in msgspec.structs.asdict(data).items() if v is not UNSET}
    after = msgspec.structs.replace(before, **values)
    if after == before:
        return before
    after = msgspec.structs.replace(after, version=before.version + 1, updated_at=now())
    await _put_list(tx, after)
    pairs = await tx.rows("SELECT DISTINCT variant FROM price WHERE price_list = $1", list_id)
    variants = [row["variant"] for row in pairs]
    await rewrite_history(tx, variants, [list_id] * len(variants), at or now())
    if not await _keep_context(tx, after):
        await index.refresh_variant_prices(tx, variants)
    _tell(tx, after, variants)
    audit.record(tx, "price-list.changed", "price_list", after.id, before=before, after=after)
    return after


async def _keep_context(tx: Tx, made: PriceList) -> bool:
    """Have search keep prices for the list's channel; whether that was new (then all prices were gone through)."""
    is_new = await index.ensure_context(tx, made.pool, made.currency, made.channel)
    if is_new:
        await index.refresh_all_prices(tx, made.pool)
    return is_new


async def _put_list(tx: Tx, made: PriceList) -> None:
    if made.valid_from and made.valid_to and made.valid_to <= made.valid_from:
        raise InvalidInput.at("valid_to", "must be after valid_from")
    fields = PriceList.__struct_fields__
    try:
        await tx.execute(
            f"""
            INSERT INTO price_list ({_COLUMNS})
            VALUES ({", ".join(f"${n}" for n in range(1, len(fields) + 1))})
            ON CONFLICT (id) DO UPDATE SET (name, channel, customer_group, kind, priority, valid_from, valid_to, status,
                                            version, updated_at)
              = (EXCLUDED.name, EXCLUDED.channel, EXCLUDED.customer_group, EXCLUDED.kind, EXCLUDED.priority,
                 EXCLUDED.valid_from, EXCLUDED.valid_to, EXCLUDED.status, EXCLUDED.version, EXCLUDED.updated_at)
            """,
            *(getattr(made, field) for field in fields),
        )
    except asyncpg.UniqueViolationError:
        raise Conflict.at("code", f"There is a price list “{made.code}” already.") from None
    except asyncpg.ForeignKeyViolationError:
        raise InvalidInput.at("channel", "There is no such channel.") from None


async def set_prices(
    tx: Tx, list_id: UUID, settings: Sequence[PriceSetting], *, at: datetime | None = None
) -> int:
    """Set or take away prices of one list, all at once; how many changed.

    Raises:
        NotFound: no such list.
        InvalidInput: a variant that does not exist, or one variant and quantity twice.
    """
    tx.actor.require(PRICES)
    chosen = await price_list(tx, list_id)
    keys = [(each.variant, each.min_quantity) for each in settings]
    if len(set(keys)) < len(keys):
        raise InvalidInput.at("prices", "One variant and quantity is named twice.")
    try:
        changed = await put_prices(
            tx,
            [s.variant for s in settings],
            [list_id] * len(settings),
            [s.min_quantity for s in settings],
            [s.amount for s in settings],
            [s.compare_at for s in settings],
            at or now(),
        )
    except asyncpg.ForeignKeyViolationError:
        raise InvalidInput.at("variant", "There is no such variant.") from None
    variants = list(dict.fromkeys(variant for _, variant in changed))
    await index.refresh_variant_prices(tx, variants)
    _tell(tx, chosen, variants)
    if changed:
        told = {"changed": len(changed), "prices": list(settings[:AUDITED])}
        audit.record(tx, "prices.set", "price_list", list_id, after=told)
    return len(changed)


async def tell(tx: Tx, changed: Sequence[tuple[UUID, UUID]]) -> None:
    """Append the events for changed prices, given as list and variant."""
    if not changed:
        return
    sql = f"SELECT {_COLUMNS} FROM price_list WHERE id = ANY($1)"
    for chosen in await tx.all(PriceList, sql, list({each for each, _ in changed})):
        _tell(tx, chosen, list(dict.fromkeys(v for each, v in changed if each == chosen.id)))


def _tell(tx: Tx, chosen: PriceList, variants: list[UUID]) -> None:
    for start in range(0, len(variants), EVENT_SIZE):
        fact = events.PriceChanged(
            price_list=chosen.id, currency=chosen.currency, variants=variants[start : start + EVENT_SIZE]
        )
        log.append(tx, fact, subject=chosen.id, channel=chosen.channel)


async def prices_of(reader: Reader, pool: UUID, variant_ids: Sequence[UUID]) -> list[Price]:
    """What variants have in the lists of a pool that are in use and for every channel."""
    return await reader.all(
        Price,
        """
        SELECT pl.id AS price_list, pl.code, pl.currency, pl.tax_included, v.id AS variant, v.sku, pr.min_quantity,
               pr.amount, pr.compare_at
        FROM price pr JOIN price_list pl ON pl.id = pr.price_list JOIN variant v ON v.id = pr.variant
        WHERE pr.variant = ANY($2) AND pl.pool = $1 AND pl.status = 'active' AND pl.channel IS NULL
        ORDER BY pr.variant, pl.code, pr.min_quantity
        """,
        pool,
        list(variant_ids),
    )


async def keys(reader: Reader, pool: UUID) -> list[tuple[str, int]]:
    """Every list code and minimum quantity that a price of a pool has, of lists for every channel."""
    rows = await reader.rows(
        """
        SELECT DISTINCT pl.code, pr.min_quantity FROM price pr JOIN price_list pl ON pl.id = pr.price_list
        WHERE pl.pool = $1 AND pl.status = 'active' AND pl.channel IS NULL ORDER BY 1, 2
        """,
        pool,
    )
    return [(row["code"], row["min_quantity"]) for row in rows]


async def history(reader: Reader, variant_id: UUID) -> list[PricePeriod]:
    """Every price that stood for everybody and a single piece, the newest first."""
    return await reader.all(
        PricePeriod,
        """
        SELECT h.price_list, pl.code, h.channel, h.currency, h.tax_included, h.kind, h.priority, h.amount,
               h.applied_from, h.applied_to
        FROM price_history h JOIN price_list pl ON pl.id = h.price_list
        WHERE h.variant = $1 ORDER BY h.applied_from DESC, pl.code
        """,
        variant_id,
    )


async def changed_since(reader: Reader, channel: Channel, since: datetime, limit: int) -> list[UUID]:
    """Variants for which another public price began or ended to apply in a channel since a moment, by id."""
    rows = await reader.rows(
        """SELECT DISTINCT variant FROM price_history
           WHERE pool = $1 AND currency = $2 AND (channel IS NULL OR channel = $3)
                 AND (applied_from BETWEEN $4 AND now() OR applied_to BETWEEN $4 AND now())
           ORDER BY variant LIMIT $5""",
        channel.pools[Resource.PRICES],
        channel.currency,
        channel.id,
        since,
        limit,
    )
    return [row["variant"] for row in rows]
