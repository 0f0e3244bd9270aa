"""Listings: where and how a product is shown in one channel when that differs from the product itself.

No listing: the product is sold there as it is (on a marketplace: not at all). A price of its own is kept in a price list
of the channel, ``listing:CODE``, above all others, so that every rule of prices and their history holds for it too.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad import channels
from samlad.access import audit
from samlad.catalog import events, prices, product_store
from samlad.catalog.model import NO_CONTROL, ONE_LINE, Amount, Title
from samlad.catalog.permissions import CHANGE, PRICES
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import InvalidInput, NotFound

LISTING_PRIORITY = 10_000
AUDITED = 50
"""Most listings that one line of the audit log quotes."""


class ListingProblem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a channel does not take a product as it is, as its connector reported it."""

    code: Annotated[str, Meta(min_length=1, max_length=100, pattern=ONE_LINE, examples=["missing-gtin"])]
    message: Annotated[
        str, Meta(max_length=2000, pattern=NO_CONTROL, examples=["Shoes need a GTIN here."])
    ] = ""


class ProductListing(msgspec.Struct, frozen=True):
    """A product in a channel. ``price`` (minor units) is the channel's own; null: that of its other lists."""

    product: UUID
    channel: UUID
    handle: str
    product_title: str
    published_at: datetime | None
    unpublish_at: datetime | None
    title: str | None
    description: str | None
    external_id: str | None
    problems: list[ListingProblem]
    price: int | None
    version: int
    updated_at: datetime


class ListingInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to list products in a channel; what is left out stays. Null title or price: the product's own again."""

    products: Annotated[list[UUID], Meta(min_length=1, max_length=1000)]
    channel: UUID
    published_at: Annotated[datetime, Meta(tz=True, description="Null hides it")] | UnsetType | None = UNSET
    unpublish_at: Annotated[datetime, Meta(tz=True)] | UnsetType | None = UNSET
    title: Title | UnsetType | None = UNSET
    description: Annotated[str, Meta(max_length=100_000, pattern=NO_CONTROL)] | UnsetType | None = UNSET
    external_id: Annotated[str, Meta(min_length=1, max_length=200, pattern=ONE_LINE)] | UnsetType | None = (
        UNSET
    )
    problems: Annotated[list[ListingProblem], Meta(max_length=100)] | UnsetType = UNSET
    price: Annotated[Amount, Meta(description="In the channel's currency")] | UnsetType | None = UNSET


_SELECT = """l.product, l.channel, p.handle, p.title AS product_title, l.published_at, l.unpublish_at, l.title,
    l.description, l.external_id, l.problems,
    (SELECT min(pr.amount) FROM price pr JOIN price_list pl ON pl.id = pr.price_list
     JOIN variant v ON v.id = pr.variant
     WHERE v.product = l.product AND pl.channel = l.channel AND pl.code = 'listing:' || ch.code
       AND pl.status = 'active') AS price,
    l.version, l.updated_at"""
_SOURCE = "listing l JOIN product p ON p.id = l.product JOIN channel ch ON ch.id = l.channel"

LISTINGS = Listing(
    row=ProductListing,
    select=_SELECT,
    source=f"{_SOURCE} WHERE p.pool = ANY($1)",
    key="l.product",
    sorts={"handle": Sort("(p.handle || ' ' || ch.code)"), "updated_at": Sort("l.updated_at", "timestamptz")},
    default_sort="handle",
    filters={
        "channel": Filter("l.channel = ANY({})", uuids),
        "product": Filter("l.product = ANY({})", uuids),
        "external_id": Filter("l.external_id = ANY({})", texts),
        "has_problems": Filter("(l.problems <> '[]') = ({} = 'true')"),
    },
)


async def get(reader: Reader, product_id: UUID, channel_id: UUID) -> ProductListing:
    """How a product is listed in a channel.

    Raises:
        NotFound: it has no listing there.
    """
    found = await listings(reader, [product_id], channel_id)
    if not found:
        raise NotFound("This product has no listing of its own in this channel.")
    return found[0]


async def listings(reader: Reader, product_ids: Sequence[UUID], channel_id: UUID) -> list[ProductListing]:
    """Listings of several products in one channel."""
    sql = f"SELECT {_SELECT} FROM {_SOURCE} WHERE l.product = ANY($1) AND l.channel = $2 ORDER BY l.product"
    return await reader.all(ProductListing, sql, list(product_ids), channel_id)


async def put(tx: Tx, data: ListingInput, expected: int | None = None) -> list[ProductListing]:
    """List products in a channel, or change how they are listed.

    A listing that is new is published now unless it says otherwise.

    Raises:
        InvalidInput: a product that is not in the channel's catalogue, a time that ends before it begins.
        Outdated: with ``expected``, for one product: it was changed meanwhile.
    """
    tx.actor.require(CHANGE)
    channel = await channels.get(tx, data.channel)
    ids = list(dict.fromkeys(data.products))
    pool = channel.pools[Resource.CATALOGUE]
    known = await tx.rows(
        "SELECT id FROM product WHERE id = ANY($1) AND pool = $2 ORDER BY id FOR SHARE", ids, pool
    )
    if len(known) < len(ids):
        raise InvalidInput.at("products", "some of them are not in this channel's catalogue")
    before = await listings(tx, ids, channel.id)
    if expected is not None:
        check_version(expected, before[0].version if before else 0)
    await _upsert(tx, ids, data)
    if data.price is not UNSET:
        await _set_price(tx, channel, ids, data.price if isinstance(data.price, int) else None)
    after = await listings(tx, ids, channel.id)
    if any(one.unpublish_at and one.published_at and one.unpublish_at <= one.published_at for one in after):
        raise InvalidInput.at("unpublish_at", "must be after published_at")
    log.append(
        tx, events.ListingChanged(products=ids), subject=ids[0] if len(ids) == 1 else None, channel=channel.id
    )
    audit.record(
        tx,
        "listing.changed",
        "channel",
        channel.id,
        before={"listings": before[:AUDITED]},
        after={"listings": after[:AUDITED]},
    )
    return after


_FIELDS = ("published_at", "unpublish_at", "title", "description", "external_id", "problems")


async def _upsert(tx: Tx, ids: list[UUID], data: ListingInput) -> None:
    given = {name: getattr(data, name) for name in _FIELDS if getattr(data, name) is not UNSET}
    values = {"published_at": now(), "problems": []} | given
    names = list(values)
    parameters = ", ".join(f"r.{name}" for name in names)
    changes = "".join(f"{name} = EXCLUDED.{name}, " for name in given)
    await tx.execute(
        f"""
        INSERT INTO listing AS l (product, channel, {", ".join(names)})
        SELECT w.id, $2, {parameters} FROM unnest($1::uuid[]) AS w (id), jsonb_populate_record(NULL::listing, $3) AS r
        ON CONFLICT (product, channel) DO UPDATE SET {changes} version = l.version + 1, updated_at = now()
        """,
        ids,
        data.channel,
        values,
    )


async def _set_price(tx: Tx, channel: Channel, ids: list[UUID], amount: int | None) -> None:
    tx.actor.require(PRICES)
    code = f"listing:{channel.code}"
    pool = channel.pools[Resource.PRICES]
    chosen = (await prices.lists_by_code(tx, pool, [code])).get(code)
    if chosen is None:
        if amount is None:
            return
        chosen = await prices.create_list(
            tx,
            pool,
            prices.PriceListInput(
                code=code,
                name=f"Listings in {channel.name}",
                currency=channel.currency,
                channel=channel.id,
                tax_included=bool(channel.setting("prices_include_tax")),
                priority=LISTING_PRIORITY,
            ),
        )
    if chosen.currency != channel.currency:
        raise InvalidInput.at("price", f"the channel's own prices are in {chosen.currency} already")
    variants = await product_store.variants_of(tx, ids)
    settings = [prices.PriceSetting(variant=v.id, amount=amount) for v in variants]
    await prices.set_prices(tx, chosen.id, settings)


async def remove(tx: Tx, product_id: UUID, channel_id: UUID, expected: int | None = None) -> None:
    """Forget how a product is listed in a channel: from then on it is there as it is (on a marketplace: not at all).

    Raises:
        NotFound, Outdated: it has no listing there; changed meanwhile.
    """
    tx.actor.require(CHANGE)
    await tx.value(
        "SELECT 1 FROM listing WHERE product = $1 AND channel = $2 FOR UPDATE", product_id, channel_id
    )
    before = await get(tx, product_id, channel_id)
    check_version(expected, before.version)
    if before.price is not None:
        await _set_price(tx, await channels.get(tx, channel_id), [product_id], None)
    await tx.execute("DELETE FROM listing WHERE product = $1 AND channel = $2", product_id, channel_id)
    log.append(tx, events.ListingChanged(products=[product_id]), subject=product_id, channel=channel_id)
    audit.record(tx, "listing.removed", "product", product_id, before=before)
