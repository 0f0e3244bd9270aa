"""What a row changes: the present state and a row in, the next state out. Pure; the database comes after.

The one write path of products: the API, the import and the demo all go through it.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from samlad.catalog.model import (
    Component,
    Media,
    Product,
    ProductRow,
    ProductStatus,
    Tracking,
    Variant,
    VariantInput,
    VariantStatus,
)
from samlad.catalog.rules import attribute_value, clean_html, grown_options, is_gtin, option_text, slug
from samlad.kernel.ids import new_id
from samlad.kernel.problems import FieldError

SOLD_BY_STAYS = "its stock and orders count it so: make another variant"


class AttributeRule(msgspec.Struct, frozen=True):
    """What a value of an attribute must be."""

    type: str
    choices: list[str]


class Known(msgspec.Struct):
    """What the database has that rows may touch or name."""

    pool: UUID
    products: dict[UUID, Product] = {}
    variants: dict[UUID, list[Variant]] = {}  # of each product, in order
    media: dict[UUID, list[Media]] = {}
    components: dict[UUID, list[Component]] = {}  # of each bundle
    by_handle: dict[str, UUID] = {}
    taken: set[str] = set()  # more handles that a new product cannot have
    by_sku: dict[str, Variant] = {}
    bundles: set[UUID] = set()  # which of the known variants are bundles
    categories: dict[str, UUID] = {}  # by path
    attributes: dict[str, AttributeRule] = {}
    price_lists: dict[str, UUID] = {}
    tax_classes: set[str] = set()
    prices: dict[tuple[UUID, UUID, int], tuple[int, int | None]] = {}  # by variant, list and quantity


class PriceWrite(msgspec.Struct, frozen=True):
    """A price to write."""

    variant: UUID
    price_list: UUID
    min_quantity: int
    amount: int | None
    compare_at: int | None


class Plan(msgspec.Struct):
    """What a row makes of a product. ``changed`` lists only what differs from the database."""

    product: Product
    is_new: bool
    product_changed: bool
    variants: list[Variant]
    new_variants: set[UUID]
    changed_variants: set[UUID]
    named: list[Variant]
    media: list[Media] | None
    components: dict[UUID, list[tuple[str, int]]]
    prices: list[PriceWrite]


class Refused(Exception):
    """A row that cannot be taken; every reason with its place."""

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors))


def plan(known: Known, row: ProductRow, moment: datetime) -> Plan:
    """The next state of the row's product.

    Raises:
        Refused: with every fault that was found.
    """
    errors: list[FieldError] = []
    current = _find(known, row, errors)
    if errors:
        raise Refused(errors)
    old = known.variants.get(current.id, []) if current else []
    product = _merge_product(known, current, row, moment, errors)
    variants, named = _merge_variants(known, product, old, row.variants, moment, errors)
    product = _with_options(product, row, variants)
    variants = [
        msgspec.structs.replace(v, option_text=option_text(product.options, v.options)) for v in variants
    ]
    _check_options(product, variants, errors)
    before = {v.id: v for v in old}
    prices = _prices(known, row.variants, named, errors)
    media = _merge_media(known, product, row, variants, errors)
    components = _components(known, row.variants, named, errors)
    if errors:
        raise Refused(errors)
    return _plan(current, product, before, variants, named, media, components, prices)


def _plan(
    current: Product | None,
    product: Product,
    before: dict[UUID, Variant],
    variants: list[Variant],
    named: list[Variant],
    media: list[Media] | None,
    components: dict[UUID, list[tuple[str, int]]],
    prices: list[PriceWrite],
) -> Plan:
    new = {v.id for v in variants if v.id not in before}
    changed = {v.id for v in variants if v.id in before and _differs(before[v.id], v)}
    is_changed = current is not None and _differs(current, product)
    by_id = {v.id: v for v in variants}
    return Plan(
        product=product,
        is_new=current is None,
        product_changed=is_changed,
        variants=variants,
        new_variants=new,
        changed_variants=changed,
        named=[by_id[v.id] for v in named],
        media=media,
        components=components,
        prices=prices,
    )


def _differs(a: Any, b: Any) -> bool:
    return any(
        getattr(a, field) != getattr(b, field)
        for field in a.__struct_fields__
        if field not in ("version", "created_at", "updated_at")
    )


def _find(known: Known, row: ProductRow, errors: list[FieldError]) -> Product | None:
    """The product that a row means, or None for a new one."""
    owners = {known.by_sku[v.sku].product for v in row.variants if v.sku in known.by_sku}
    if isinstance(row.handle, str):
        found = known.by_handle.get(row.handle)
        for index, variant in enumerate(row.variants):
            other = known.by_sku.get(variant.sku)
            if other is not None and other.product != found:
                errors.append(
                    FieldError(f"variants/{index}/sku", f"“{variant.sku}” belongs to another product already")
                )
        return known.products[found] if found else None
    if len(owners) > 1:
        errors.append(FieldError("variants", "These SKUs belong to different products."))
        return None
    return known.products[owners.pop()] if owners else None


def _given(row: msgspec.Struct, *, without: Sequence[str]) -> dict[str, Any]:
    return {
        name: getattr(row, name)
        for name in row.__struct_fields__
        if name not in without and getattr(row, name) is not UNSET
    }


def _merge_product(
    known: Known, current: Product | None, row: ProductRow, moment: datetime, errors: list[FieldError]
) -> Product:
    values = _given(row, without=("variants", "media", "category", "options"))
    if isinstance(row.description, str):
        values["description"] = clean_html(row.description)
    if isinstance(row.title, str) and not row.title.strip():
        errors.append(FieldError("title", "must not be empty"))
    if "attributes" in values:
        values["attributes"] = _attributes(known, row.attributes, "attributes", errors)
    if isinstance(row.tax_class, str) and row.tax_class not in known.tax_classes:
        errors.append(FieldError("tax_class", f"“{row.tax_class}” is unknown"))
    if row.category is None:
        values["category"] = None
    elif isinstance(row.category, str):
        values["category"] = known.categories.get(row.category)
        if values["category"] is None:
            errors.append(FieldError("category", f"there is no category “{row.category}”"))
    for name in ("brand", "supplier", "seo_title", "seo_description"):
        if values.get(name) == "":
            values[name] = None
    if "tags" in values:
        values["tags"] = list(dict.fromkeys(values["tags"]))
    if current is not None:
        return msgspec.structs.replace(current, **values)
    return _new_product(known, row, values, moment, errors)


def _new_product(
    known: Known, row: ProductRow, values: dict[str, Any], moment: datetime, errors: list[FieldError]
) -> Product:
    if not isinstance(row.title, str):
        errors.append(FieldError("title", "a new product needs a title"))
    if not row.variants:
        errors.append(FieldError("variants", "a new product needs at least one variant with a SKU"))
    title = values.pop("title", "")
    handle = values.pop("handle", None) or free_handle(title, known.taken | known.by_handle.keys())
    defaults: dict[str, Any] = {
        "description": "",
        "status": ProductStatus.DRAFT,
        "category": None,
        "brand": None,
        "supplier": None,
        "tags": [],
        "attributes": {},
        "tax_class": "standard",
        "seo_title": None,
        "seo_description": None,
        "translations": {},
        "tracking": Tracking.NONE,
        "min_days_left": 0,
    }
    return Product(
        id=new_id(),
        pool=known.pool,
        handle=handle,
        title=title,
        options=[],
        version=1,
        created_at=moment,
        updated_at=moment,
        **(defaults | values),
    )


def handle_base(title: str) -> str:
    """The handle that a title makes if it is not taken."""
    return slug(title) or "product"


def free_handle(title: str, taken: AbstractSet[str]) -> str:
    """A handle from a title; with a number when the plain one is taken."""
    base = handle_base(title)
    if base not in taken:
        return base
    return next(f"{base}-{n}" for n in range(2, len(taken) + 3) if f"{base}-{n}" not in taken)


def _attributes(known: Known, values: Any, where: str, errors: list[FieldError]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for code, value in values.items():
        rule = known.attributes.get(code)
        if rule is None:
            errors.append(FieldError(f"{where}/{code}", "there is no such attribute; create it first"))
            continue
        if value is None:
            continue
        try:
            result[code] = attribute_value(rule.type, rule.choices, value)
        except ValueError as error:
            errors.append(FieldError(f"{where}/{code}", f"must be {error}"))
    return result


def _merge_variants(
    known: Known,
    product: Product,
    old: list[Variant],
    rows: list[VariantInput],
    moment: datetime,
    errors: list[FieldError],
) -> tuple[list[Variant], list[Variant]]:
    """All variants of the product as they will be, and those that the row names, in its order."""
    variants = {v.sku: v for v in old}
    named: list[Variant] = []
    seen: set[str] = set()
    for index, row in enumerate(rows):
        where = f"variants/{index}"
        if row.sku in seen:
            errors.append(FieldError(f"{where}/sku", f"“{row.sku}” is named twice"))
            continue
        seen.add(row.sku)
        if isinstance(row.gtin, str) and not is_gtin(row.gtin):
            errors.append(
                FieldError(f"{where}/gtin", f"“{row.gtin}” is not a GTIN: its check digit is wrong")
            )
        values = _given(row, without=("sku", "components", "prices"))
        if "attributes" in values:
            values["attributes"] = _attributes(known, row.attributes, f"{where}/attributes", errors)
        present = variants.get(row.sku)
        if present is None:
            present = _new_variant(product, row.sku, len(variants), moment)
        elif values.get("sold_by", present.sold_by) != present.sold_by:
            errors.append(FieldError(f"{where}/sold_by", SOLD_BY_STAYS))
        variants[row.sku] = msgspec.structs.replace(present, **values)
        named.append(variants[row.sku])
    return list(variants.values()), named


def _new_variant(product: Product, sku: str, position: int, moment: datetime) -> Variant:
    return Variant(
        id=new_id(),
        product=product.id,
        sku=sku,
        gtin=None,
        status=VariantStatus.ACTIVE,
        options={},
        option_text="",
        position=position,
        weight_g=None,
        length_mm=None,
        width_mm=None,
        height_mm=None,
        hs_code=None,
        origin_country=None,
        requires_shipping=True,
        attributes={},
        version=1,
        created_at=moment,
        updated_at=moment,
    )


def _with_options(product: Product, row: ProductRow, variants: list[Variant]) -> Product:
    given = row.options if isinstance(row.options, list) else product.options
    grown = grown_options(given, (v.options for v in variants))
    return msgspec.structs.replace(product, options=grown)


def _check_options(product: Product, variants: list[Variant], errors: list[FieldError]) -> None:
    """Active variants choose a value of each option, and no two choose alike."""
    active = [v for v in variants if v.status is VariantStatus.ACTIVE]
    names = [option.name for option in product.options]
    chosen: dict[tuple[str | None, ...], str] = {}
    for variant in active:
        missing = [name for name in names if name not in variant.options]
        if missing and len(active) > 1:
            errors.append(FieldError("variants", f"“{variant.sku}” has no value for {', '.join(missing)}"))
            continue
        key = tuple(variant.options.get(name) for name in names)
        if key in chosen:
            label = variant.option_text or "no option values"
            errors.append(
                FieldError("variants", f"“{variant.sku}” and “{chosen[key]}” have the same options ({label})")
            )
        chosen[key] = variant.sku


def _prices(
    known: Known, rows: list[VariantInput], named: list[Variant], errors: list[FieldError]
) -> list[PriceWrite]:
    ids = {v.sku: v.id for v in named}
    found: dict[tuple[UUID, UUID, int], PriceWrite] = {}
    for index, row in enumerate(rows):
        for at, price in enumerate(row.prices if isinstance(row.prices, list) else ()):
            where = f"variants/{index}/prices/{at}"
            chosen = known.price_lists.get(price.price_list)
            if chosen is None:
                errors.append(
                    FieldError(f"{where}/price_list", f"there is no price list “{price.price_list}”")
                )
                continue
            key = (ids[row.sku], chosen, price.min_quantity)
            if key in found:
                errors.append(FieldError(where, "one price list and quantity is named twice"))
            found[key] = PriceWrite(*key, price.amount, price.compare_at)
    return [write for key, write in found.items() if not _stands(known, key, write)]


def _stands(known: Known, key: tuple[UUID, UUID, int], write: PriceWrite) -> bool:
    """Whether a price is so already; one that is not there need not be taken away."""
    present = known.prices.get(key)
    return present is None if write.amount is None else present == (write.amount, write.compare_at)


def _merge_media(
    known: Known, product: Product, row: ProductRow, variants: list[Variant], errors: list[FieldError]
) -> list[Media] | None:
    """The product's pictures as they will be, or None when the row does not speak of them."""
    if not isinstance(row.media, list):
        return None
    ids = {v.sku: v.id for v in variants}
    present = {m.url: m for m in known.media.get(product.id, [])}
    result: dict[str, Media] = {}
    for position, given in enumerate(row.media):
        if given.sku is not None and given.sku not in ids:
            errors.append(
                FieldError(f"media/{position}/sku", f"“{given.sku}” is not a variant of this product")
            )
            continue
        old = present.get(given.url)
        result.setdefault(
            given.url,
            Media(
                id=old.id if old else new_id(),
                product=product.id,
                variant=ids[given.sku] if given.sku is not None else None,
                url=given.url,
                storage_key=old.storage_key if old else None,
                alt=given.alt,
                position=len(result),
                status=old.status if old else ("ready" if given.url.startswith("/") else "pending"),
                problem=old.problem if old else None,
            ),
        )
    made = list(result.values())
    return None if made == known.media.get(product.id, []) else made


def _components(
    known: Known, rows: list[VariantInput], named: list[Variant], errors: list[FieldError]
) -> dict[UUID, list[tuple[str, int]]]:
    """Bundles that the row describes and that differ from what is there. Whether parts exist is known only later."""
    ids = {v.sku: v.id for v in named}
    made: dict[UUID, list[tuple[str, int]]] = {}
    for index, row in enumerate(rows):
        if not isinstance(row.components, list):
            continue
        parts = [(part.sku, part.quantity) for part in row.components]
        where = f"variants/{index}/components"
        if row.sku in {sku for sku, _ in parts}:
            errors.append(FieldError(where, "a bundle cannot contain itself"))
        if len({sku for sku, _ in parts}) < len(parts):
            errors.append(FieldError(where, "a part is named twice"))
        present = known.components.get(ids[row.sku], [])
        if sorted(parts) != sorted((c.sku, c.quantity) for c in present):
            made[ids[row.sku]] = parts
    return made
