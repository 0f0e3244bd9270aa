"""What a channel sells at what price: the hot path of carts and orders, one statement whatever the number of lines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record

from samlad import tax
from samlad.catalog.model import Codes, Measure, Sellable, SetPart, VariantRef
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Reader

# wanted_variants() is unnest() that the planner knows to give a few rows: it plans once and not for every call, which costs
# more than the answer. Tax rates are not read here: `samlad.tax.setup` has them.
# The order of prices is that of price_rules.choose. A marketplace sells only what is listed there; everywhere else a
# product without a listing is sold as it is.
_SELLABLES = """
SELECT wanted.quantity AS wanted, v.id AS variant, v.product, v.sku, v.option_text, v.options, p.handle,
       coalesce(l.title, p.translations -> $7 ->> 'title', p.title) AS title,
       p.translations -> $7 -> 'options' AS words,
       (SELECT coalesce('/media/' || m.storage_key, m.url) FROM media m WHERE m.product = p.id AND m.status = 'ready'
        ORDER BY CASE WHEN m.variant = v.id THEN 0 WHEN m.variant IS NULL THEN 1 ELSE 2 END, m.position LIMIT 1
       ) AS image,
       best.amount AS price, best.compare_at, coalesce(best.tax_included, $10) AS tax_included,
       CASE WHEN best.is_public AND (best.kind = 'sale' OR best.compare_at > best.amount)
            THEN lowest_prior_price(v.id, $4, $5, $6, best.tax_included, $9) END AS reference_price,
       p.tax_class,
       best.amount IS NOT NULL AND p.status = 'active' AND v.status = 'active'
           AND CASE WHEN l.product IS NULL THEN NOT $11
                    ELSE coalesce(l.published_at <= $9, false) AND coalesce($9 < l.unpublish_at, true) END
           AS is_available,
       v.weight_g AS weight, v.requires_shipping, v.sold_by, best.valid_to AS price_until,
       (SELECT jsonb_object_agg(b.component, b.quantity) FROM bundle_component b WHERE b.bundle = v.id) AS parts
FROM wanted_variants($1, $2) AS wanted (id, quantity)
JOIN variant v ON v.id = wanted.id AND v.pool = $3
JOIN product p ON p.id = v.product
LEFT JOIN listing l ON l.product = p.id AND l.channel = $5
LEFT JOIN LATERAL (
    SELECT pr.amount, pr.compare_at, pl.tax_included, pl.kind, pl.valid_to,
           pl.customer_group IS NULL AND pr.min_quantity = 1 AS is_public
    FROM price pr JOIN price_list pl ON pl.id = pr.price_list
    WHERE pr.variant = v.id AND pr.min_quantity <= wanted.quantity
      AND pl.pool = $4 AND pl.currency = $6 AND pl.status = 'active'
      AND (pl.channel IS NULL OR pl.channel = $5)
      AND (pl.customer_group IS NULL OR pl.customer_group = $8)
      AND (pl.valid_from IS NULL OR pl.valid_from <= $9) AND (pl.valid_to IS NULL OR $9 < pl.valid_to)
    ORDER BY pl.priority DESC, (pl.channel IS NOT NULL)::int + (pl.customer_group IS NOT NULL)::int DESC,
             pr.min_quantity DESC, pr.amount, pl.id
    LIMIT 1
) AS best ON true
"""


async def sellables(
    reader: Reader,
    channel: Channel,
    variant_ids: Sequence[UUID],
    *,
    customer_group: str | None = None,
    at: datetime | None = None,
    quantities: Mapping[UUID, int] | None = None,
) -> dict[UUID, Sellable]:
    """Variants as a channel sells them; one statement, and one more where there is a set among them, for its parts.

    Ids that are not in the channel's catalogue are left out. ``quantities`` decides which price of a scale applies (1 where
    it says nothing). Titles and options are in the channel's language. Prices are by the rule in
    `samlad.catalog.price_rules`.
    """
    moment = at or now()
    rows = await _rows(reader, channel, variant_ids, customer_group, moment, quantities or {})
    parts = sorted({UUID(each) for row in rows for each in row["parts"] or ()})
    beside = await _rows(reader, channel, parts, customer_group, moment, {}) if parts else []
    taxes, day = await tax.current(reader), local_day(moment, channel.time_zone)
    classes = {row["tax_class"] for row in [*rows, *beside]}
    rates = {each: taxes.home_rate(channel, each, day) for each in classes}
    known = {row["variant"]: _sellable(row, channel.currency, rates, {}) for row in beside}
    return {row["variant"]: _sellable(row, channel.currency, rates, known) for row in rows}


class _Asked(msgspec.Struct, frozen=True):
    """Variants with so many of each, and the arguments of `_SELLABLES` after these."""

    wanted: list[tuple[UUID, int]]
    how: tuple[Any, ...]


async def _rows(
    reader: Reader,
    channel: Channel,
    variant_ids: Sequence[UUID],
    customer_group: str | None,
    moment: datetime,
    counts: Mapping[UUID, int],
) -> list[Record]:
    how = (
        channel.pools[Resource.CATALOGUE],
        channel.pools[Resource.PRICES],
        channel.id,
        channel.currency,
        language_of(channel.locale),
        customer_group,
        moment,
        bool(channel.setting("prices_include_tax")),
        channel.kind is ChannelKind.MARKETPLACE,
    )
    ids = dict.fromkeys(variant_ids)
    return await reader.with_others(_rows_each, _Asked([(each, counts.get(each, 1)) for each in ids], how))


_MOMENT = 6


async def _rows_each(reader: Reader, asked: Sequence[_Asked]) -> list[list[Record]]:
    """The rows for each; one statement for those who ask the same way, and at a moment as others do."""
    ways: dict[tuple[Any, ...], list[_Asked]] = {}
    for each in asked:
        ways.setdefault((*each.how[:_MOMENT], *each.how[_MOMENT + 1 :]), []).append(each)
    found: dict[int, list[Record]] = {}
    for those in ways.values():
        wanted = list(dict.fromkeys(one for each in those for one in each.wanted))
        how = those[-1].how  # who asked last, at the latest moment
        rows = await reader.rows(_SELLABLES, [one for one, _ in wanted], [many for _, many in wanted], *how)
        by_want = {(row["variant"], row["wanted"]): row for row in rows}
        for each in those:
            found[id(each)] = [by_want[one] for one in each.wanted if one in by_want]
    return [found[id(each)] for each in asked]


def _sellable(
    row: Record, currency: str, rates: Mapping[str, int], known: Mapping[UUID, Sellable]
) -> Sellable:
    values = dict(row.items()) | {"tax_rate": rates[row["tax_class"]]}
    del values["wanted"]
    words, options, text = values.pop("words"), values.pop("options"), values.pop("option_text")
    text = in_words(text, options, words)
    sold_by = Measure(values.pop("sold_by"))
    parts = tuple(
        SetPart(known[UUID(part)], quantity)
        for part, quantity in sorted((values.pop("parts") or {}).items())
        if UUID(part) in known
    )
    if parts:  # a set weighs what its parts weigh, unless it says otherwise, and is a thing if one of them is
        values["requires_shipping"] = any(part.sold.requires_shipping for part in parts)
        if values["weight"] is None:
            values["weight"] = sum((part.sold.weight or 0) * part.quantity for part in parts) or None
    return Sellable(options=text, currency=currency, sold_by=sold_by, parts=parts, **values)


def in_words(text: str, options: dict[str, str], words: dict[str, str] | None) -> str:
    """Option values as one text in another language. The text has the order, the translations are by word: each value is replaced
    where it stands."""
    return " / ".join(words.get(part, part) for part in _parts(text, options)) if words else text


def _parts(text: str, options: dict[str, str]) -> list[str]:
    """The values in the order in which the text has them; a value may itself contain the separator."""
    return sorted(options.values(), key=lambda value: f" / {text} / ".find(f" / {value} / "))


def language_of(locale: str) -> str:
    """The language of a locale tag: ``sv-SE`` is ``sv``."""
    return locale.replace("_", "-").split("-", 1)[0].lower()


async def by_skus(reader: Reader, pool: UUID, skus: Sequence[str]) -> dict[str, VariantRef]:
    """Variants of a catalogue pool by SKU; unknown ones are left out."""
    found = await reader.all(VariantRef, f"{_REFS} WHERE v.pool = $1 AND v.sku = ANY($2)", pool, list(skus))
    return {each.sku: each for each in found}


async def by_ids(reader: Reader, variant_ids: Sequence[UUID]) -> dict[UUID, VariantRef]:
    """Variants by id, of whatever pool; unknown ones are left out."""
    found = await reader.all(VariantRef, f"{_REFS} WHERE v.id = ANY($1)", list(variant_ids))
    return {each.id: each for each in found}


async def called_now(reader: Reader, pool: UUID, variant_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Of variants that are not of this catalogue pool: what they are called in it since catalogues were joined, or came apart."""
    rows = await reader.rows(
        """SELECT DISTINCT ON (v.id) v.id, w.id AS now FROM unnest($2::uuid[]) AS a (id) JOIN variant v ON v.id = a.id AND v.pool <> $1
                CROSS JOIN LATERAL variant_names(v.id) AS name JOIN variant w ON w.id = name AND w.pool = $1
           ORDER BY v.id, w.id""",
        pool,
        list(variant_ids),
    )
    return {row["id"]: row["now"] for row in rows}


async def variant_by_code(reader: Reader, pool: UUID, code: str) -> VariantRef | None:
    """The variant that a scanner or a person names: by SKU, else by GTIN (a UPC equals its EAN with 0 in front).

    Active variants come first; of several with one GTIN the oldest is meant.
    """
    code = code.strip()
    number = code.zfill(14) if code.isascii() and code.isdigit() and 8 <= len(code) <= 14 else None
    return await reader.one(
        VariantRef,
        f"""
        {_REFS} WHERE v.pool = $1 AND (v.sku = $2 OR v.gtin14 = $3)
        ORDER BY (v.sku = $2) DESC, (v.status = 'active') DESC, v.created_at, v.id LIMIT 1
        """,
        pool,
        code,
        number,
    )


async def page_of_codes(reader: Reader, pool: UUID, after: UUID | None, limit: int) -> list[Codes]:
    """What variants of a catalogue pool are scanned by, those with ids above ``after``, by id; archived ones, too."""
    return await reader.all(
        Codes,
        """SELECT id, sku, gtin FROM variant WHERE pool = $1 AND ($2::uuid IS NULL OR id > $2)
           ORDER BY id LIMIT $3""",
        pool,
        after,
        limit,
    )


async def codes_of(reader: Reader, variant_ids: Sequence[UUID]) -> list[Codes]:
    """The same of these variants, of whatever pool."""
    return await reader.all(
        Codes, "SELECT id, sku, gtin FROM variant WHERE id = ANY($1) ORDER BY id", list(variant_ids)
    )


async def variants_of_products(reader: Reader, product_ids: Sequence[UUID]) -> list[UUID]:
    """The ids of all variants of some products, archived ones, too."""
    rows = await reader.rows("SELECT id FROM variant WHERE product = ANY($1)", list(product_ids))
    return [row["id"] for row in rows]


_REFS = """
SELECT v.id, v.product, v.sku, p.title || CASE WHEN v.option_text = '' THEN '' ELSE ', ' || v.option_text END AS title
FROM variant v JOIN product p ON p.id = v.product
"""
