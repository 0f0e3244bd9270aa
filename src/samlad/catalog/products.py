"""The verbs of products and variants."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET

from samlad.access import audit
from samlad.catalog import events, prices, product_store
from samlad.catalog.model import (
    Media,
    Product,
    ProductChange,
    ProductInput,
    ProductRow,
    ProductStatus,
    ProductView,
    Variant,
    VariantChange,
    VariantInput,
)
from samlad.catalog.permissions import CHANGE, PRICES
from samlad.catalog.planning import Known, Plan, PriceWrite, Refused, free_handle, handle_base, plan
from samlad.catalog.price_writing import put_prices
from samlad.catalog.search import index
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import ERRORS_BELOW, Conflict, FieldError, InvalidInput, NotFound


async def view(reader: Reader, product_id: UUID) -> ProductView:
    """A product with its variants, media and parts.

    Raises:
        NotFound: there is none with this id.
    """
    found = await product_store.product(reader, product_id)
    if found is None:
        raise NotFound("There is no such product.")
    variants = await product_store.variants_of(reader, [product_id])
    return ProductView(
        **{name: getattr(found, name) for name in Product.__struct_fields__},
        category_path=await product_store.category_path(reader, found.category),
        variants=variants,
        media=await product_store.media_of(reader, [product_id]),
        components=await product_store.components_of(reader, [v.id for v in variants]),
    )


async def view_by_handle(reader: Reader, pool: UUID, handle: str) -> ProductView:
    """A product by its name in addresses.

    Raises:
        NotFound: there is none in this pool.
    """
    found = await product_store.product_by_handle(reader, pool, handle)
    if found is None:
        raise NotFound("There is no such product.")
    return await view(reader, found.id)


async def variant(reader: Reader, variant_id: UUID) -> Variant:
    """One variant.

    Raises:
        NotFound: there is none with this id.
    """
    found = await product_store.variants_by_id(reader, [variant_id])
    if not found:
        raise NotFound("There is no such variant.")
    return found[0]


async def create(tx: Tx, pool: UUID, data: ProductInput, *, price_pool: UUID | None = None) -> ProductView:
    """A new product with its variants (and their prices in lists of ``price_pool``).

    Raises:
        InvalidInput: see its errors; a SKU or handle that is taken is one.
    """
    tx.actor.require(CHANGE)
    row = _as_row(data)
    if row.handle is UNSET:
        taken = await product_store.taken_handles(tx, pool, [handle_base(data.title)])
        row = msgspec.structs.replace(row, handle=free_handle(data.title, taken))
    made = await _apply_one(tx, pool, row, price_pool, is_new=True)
    after = await view(tx, made.product.id)
    audit.record(tx, "product.created", "product", after.id, after=after)
    return after


async def change(
    tx: Tx,
    product_id: UUID,
    data: ProductChange,
    expected: int | None = None,
    *,
    price_pool: UUID | None = None,
) -> ProductView:
    """Change a product and the variants that are named; new SKUs become new variants.

    Raises:
        NotFound, Outdated, InvalidInput: no such product; changed meanwhile; see its errors.
    """
    tx.actor.require(CHANGE)
    current = await view(tx, product_id)
    renamed = data.handle if isinstance(data.handle, str) and data.handle != current.handle else None
    if renamed is not None:
        if await product_store.product_by_handle(tx, current.pool, renamed):
            raise Conflict.at("handle", f"There is a product “{renamed}” already.")
        await tx.execute("UPDATE product SET handle = $2 WHERE id = $1", product_id, renamed)
    row = msgspec.structs.replace(_as_row(data), handle=renamed or current.handle)
    await _apply_one(tx, current.pool, row, price_pool, expected=expected, touched=renamed is not None)
    after = await view(tx, product_id)
    if after != current:
        audit.record(tx, "product.changed", "product", product_id, before=current, after=after)
    return after


async def archive(tx: Tx, product_id: UUID, expected: int | None = None) -> ProductView:
    """Take a product out of sale. Nothing is deleted: orders and their history point to it.

    Raises:
        NotFound, Outdated: no such product; changed meanwhile.
    """
    return await change(tx, product_id, ProductChange(status=ProductStatus.ARCHIVED), expected)


async def change_variant(
    tx: Tx,
    variant_id: UUID,
    data: VariantChange,
    expected: int | None = None,
    *,
    price_pool: UUID | None = None,
) -> Variant:
    """Change one variant; with ``sku`` it gets another one.

    Raises:
        NotFound, Outdated, InvalidInput, Conflict: no such variant; changed meanwhile; see errors; SKU taken.
    """
    tx.actor.require(CHANGE)
    await tx.value("SELECT 1 FROM variant WHERE id = $1 FOR UPDATE", variant_id)
    current = await variant(tx, variant_id)
    check_version(expected, current.version)
    owner = await product_store.product(tx, current.product)
    assert owner is not None
    sku = current.sku
    if isinstance(data.sku, str) and data.sku != sku:
        sku = data.sku
        try:
            await tx.execute(
                "UPDATE variant SET sku = $2, version = version + 1, updated_at = now() WHERE id = $1",
                variant_id,
                sku,
            )
        except asyncpg.UniqueViolationError:
            raise Conflict.at("sku", f"There is a variant “{sku}” already.") from None
    values = {f: getattr(data, f) for f in data.__struct_fields__ if f != "sku"}
    row = ProductRow(handle=owner.handle, variants=[VariantInput(sku=sku, **values)])
    await _apply_one(tx, owner.pool, row, price_pool, touched=sku != current.sku)
    after = await variant(tx, variant_id)
    if after != current:
        audit.record(tx, "variant.changed", "variant", variant_id, before=current, after=after)
    return after


def _as_row(data: ProductInput | ProductChange) -> ProductRow:
    return ProductRow(**{name: getattr(data, name) for name in data.__struct_fields__})


async def _apply_one(
    tx: Tx,
    pool: UUID,
    row: ProductRow,
    price_pool: UUID | None,
    *,
    expected: int | None = None,
    touched: bool = False,
    is_new: bool = False,
) -> Plan:
    [outcome] = await apply(
        tx, pool, [row], price_pool=price_pool, expected=expected, touched=touched, is_new=is_new
    )
    if isinstance(outcome, Refused):
        raise InvalidInput(ERRORS_BELOW, errors=tuple(outcome.errors))
    return outcome


async def apply(
    tx: Tx,
    pool: UUID,
    rows: Sequence[ProductRow],
    *,
    price_pool: UUID | None = None,
    expected: int | None = None,
    touched: bool = False,
    is_new: bool = False,
) -> list[Plan | Refused]:
    """Bring products to what rows say; for each row its plan, or why it was refused. Refused rows change nothing.

    A fixed number of statements however many rows. ``expected`` is the version that the (one) product must have;
    ``touched``: it was changed already in this transaction, so that it gets a new version in any case;
    ``is_new``: it must not be there yet.
    """
    handles = [row.handle for row in rows if isinstance(row.handle, str)]
    skus = [v.sku for row in rows for v in row.variants]
    known = await product_store.load_known(tx, pool, handles, skus, lock=True)
    if is_new and known.by_handle.keys() & set(handles):
        raise Conflict.at("handle", f"There is a product “{handles[0]}” already.")
    if expected is not None:
        check_version(expected, next(iter(known.products.values())).version)
    paths = [row.category for row in rows if isinstance(row.category, str)]
    lists = {
        price.price_list
        for row in rows
        for v in row.variants
        if isinstance(v.prices, list)
        for price in v.prices
    }
    if lists:
        tx.actor.require(PRICES)
    await product_store.load_names(tx, known, paths, price_pool, sorted(lists))
    moment = now()
    outcomes: list[Plan | Refused] = []
    for row in rows:
        try:
            made = plan(known, row, moment)
        except Refused as refused:
            outcomes.append(refused)
        else:
            outcomes.append(made)
            _remember(known, made)
    plans = [made for made in outcomes if isinstance(made, Plan)]
    await _write(tx, pool, plans, moment, touched=touched)
    return outcomes


def _remember(known: Known, made: Plan) -> None:
    """Later rows of the same batch see what earlier ones made."""
    known.products[made.product.id] = made.product
    known.by_handle[made.product.handle] = made.product.id
    known.variants[made.product.id] = made.variants
    known.by_sku.update({v.sku: v for v in made.variants})
    if made.media is not None:
        known.media[made.product.id] = made.media


async def _write(tx: Tx, pool: UUID, plans: list[Plan], moment: datetime, *, touched: bool) -> None:
    variants = [
        msgspec.structs.replace(v, version=v.version + (v.id in p.changed_variants), updated_at=moment)
        for p in plans
        for v in p.variants
        if v.id in p.new_variants or v.id in p.changed_variants
    ]
    changed = [p for p in plans if touched or _is_changed(p)]
    products = [
        p.product
        if p.is_new
        else msgspec.structs.replace(p.product, version=p.product.version + 1, updated_at=moment)
        for p in changed
    ]
    try:
        await product_store.put_products(tx, list({p.id: p for p in products}.values()))
        await product_store.put_variants(tx, pool, list({v.id: v for v in variants}.values()))
    except asyncpg.UniqueViolationError as error:
        raise Conflict("Somebody took the same handle or SKU at the same moment. Try again.") from error
    with_media = {p.product.id: p.media for p in plans if p.media is not None}
    media: list[Media] = [m for each in with_media.values() for m in each]
    await product_store.put_media(tx, media, list(with_media))
    await _write_components(tx, pool, plans)
    await _write_prices(tx, [each for p in plans for each in p.prices], moment)
    ids = {p.product.id for p in changed}
    await index.refresh(tx, list(ids))  # which includes their prices
    await index.change_prices(tx, [p.product.id for p in plans if p.prices and p.product.id not in ids])
    _tell(tx, pool, changed)


def _is_changed(made: Plan) -> bool:
    return bool(
        made.is_new
        or made.product_changed
        or made.new_variants
        or made.changed_variants
        or made.media is not None
        or made.components
    )


async def _write_components(tx: Tx, pool: UUID, plans: list[Plan]) -> None:
    bundles = {bundle: parts for p in plans for bundle, parts in p.components.items()}
    try:
        wrong = await product_store.put_components(tx, pool, bundles)
    except asyncpg.PostgresError as error:
        if error.sqlstate != "SSETS":  # a guard of those who keep stock and orders
            raise
        raise Conflict.at("variants/components", error.args[0]) from error
    if wrong:
        message = (
            f"these are unknown, bundles themselves, or not sold by the piece: {', '.join(wrong)}; "
            "a bundle and its parts are single variants that are counted in pieces"
        )
        raise InvalidInput(message, errors=(FieldError("variants/components", message),))


async def _write_prices(tx: Tx, writes: list[PriceWrite], moment: datetime) -> None:
    if not writes:
        return
    last = {(w.variant, w.price_list, w.min_quantity): w for w in writes}.values()
    changed = await put_prices(
        tx,
        [w.variant for w in last],
        [w.price_list for w in last],
        [w.min_quantity for w in last],
        [w.amount for w in last],
        [w.compare_at for w in last],
        moment,
    )
    await prices.tell(tx, changed)


def _tell(tx: Tx, pool: UUID, changed: list[Plan]) -> None:
    """One event for each kind of change and at most 1,000 products."""

    def kind(made: Plan) -> int:
        if made.is_new:
            return 0
        return 2 if made.product_changed and made.product.status is ProductStatus.ARCHIVED else 1

    facts = (events.ProductCreated, events.ProductChanged, events.ProductArchived)
    for each, group in groupby(sorted(changed, key=kind), key=kind):
        ids = list(dict.fromkeys(made.product.id for made in group))
        for start in range(0, len(ids), prices.EVENT_SIZE):
            part = ids[start : start + prices.EVENT_SIZE]
            log.append(tx, facts[each](pool=pool, products=part), subject=part[0] if len(part) == 1 else None)
