"""The query: words, filters, order and facets of one channel's catalogue, in three short statements.

What is found
    A product is found when each word of the query is in it: as it is written, as its stem in the channel's language, or
    (the last word, which may be half typed) as a beginning. A query that is a SKU or GTIN puts that product first.
    When nothing is found, each word that does not occur is replaced by the nearest that does, and ``corrected`` says so.
Filters
    Values of one filter widen (red or blue), filters narrow (red, and wool). The counts of a filter's other values are
    what one would get by adding them: they are taken without that filter itself.
Limits
    Counts and relevance look at the first 10,000 products that match; ``total`` says at most so many.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from asyncpg import Record

from samlad.catalog.search.mending import mend
from samlad.catalog.search.words import MOST_WORDS, configuration, tsquery
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Reader
from samlad.kernel.problems import InvalidInput

Order = Literal["relevance", "newest", "price", "-price", "name", "-name"]
FacetKind = Literal["category", "brand", "option", "attribute", "tag"]

MOST_MATCHES = 10_000
LARGEST_PAGE = 100
MOST_RANKED = 3_000
DEEPEST = 3_000
LONGEST = 200
FACET_VALUES = 50


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. ``filters`` by ``category`` (path), ``brand``, ``tag``, ``option.Size``, ``attribute.material``."""

    text: str = ""
    filters: Mapping[str, Sequence[str]] = {}
    price_from: int | None = None
    price_to: int | None = None
    sort: Order | None = None
    limit: int = 24
    offset: int = 0
    facets: bool = True
    condition: tuple[str, Sequence[Any]] | None = None
    """Of a collection: SQL over ``s`` (product_search) with ``{}`` where its parameters go."""
    own_order: Literal["own"] | None = None
    own_position: str = "s.created_at"


class Hit(msgspec.Struct, frozen=True):
    """A product as a list of a channel shows it. Prices in minor units; ``price_to`` is that of the dearest variant."""

    id: UUID
    handle: str
    title: str
    brand: str | None
    image: str | None
    image_alt: str
    price: int | None
    price_to: int | None
    is_reduced: bool
    variant: UUID | None
    variants: int


class FacetValue(msgspec.Struct, frozen=True):
    """A value to filter by, and how many of the products found have it."""

    value: str
    label: str
    count: int
    is_selected: bool = False


class Facet(msgspec.Struct, frozen=True):
    """A filter: ``name`` is what to send (``brand``, ``option.Size``), ``label`` what to show."""

    name: str
    kind: FacetKind
    label: str
    values: list[FacetValue]


class PriceRange(msgspec.Struct, frozen=True):
    """Cheapest and dearest price among the products found, without the price filter; minor units."""

    low: int
    high: int


class SearchResult(msgspec.Struct, frozen=True):
    """What was found. ``corrected`` is the query that was searched for instead, when nothing was found as typed."""

    items: list[Hit]
    total: int
    is_total_exact: bool
    currency: str
    facets: list[Facet] = []
    price_range: PriceRange | None = None
    corrected: str | None = None
    next_offset: int | None = None


class _Filter(msgspec.Struct, frozen=True):
    """One filter with the numbers of its values; a value that does not occur has none and finds nothing."""

    name: str
    kind: str
    key: str
    ids: list[int]


class _Prepared(msgspec.Struct):
    """What the first statement found out. ``exact`` are products whose SKU or GTIN the query is."""

    context: int | None
    has_listings: bool
    exact: list[UUID]
    words: list[tuple[str, str]]
    filters: list[_Filter]

    @property
    def query(self) -> str | None:
        """The words as a ``tsquery``."""
        return tsquery(self.words)


class _Sql:
    """Collects parameters while a statement is put together."""

    def __init__(self) -> None:
        self.args: list[Any] = []

    def __call__(self, value: Any) -> str:
        self.args.append(value)
        return f"${len(self.args)}"


async def search(
    reader: Reader, channel: Channel, query: SearchQuery, *, at: datetime | None = None
) -> SearchResult:
    """Search a channel's catalogue.

    Raises:
        InvalidInput: a page too large or too deep, an unknown filter or collection.
    """
    if not 1 <= query.limit <= LARGEST_PAGE:
        raise InvalidInput.at("limit", f"between 1 and {LARGEST_PAGE}")
    if not 0 <= query.offset <= DEEPEST:
        raise InvalidInput.at("offset", f"between 0 and {DEEPEST:,}; narrow the search instead")
    moment = at or now()
    text = " ".join(query.text.split())[:LONGEST]
    prepared = await _prepare(reader, channel, query, text)
    result = await _results(reader, channel, query, prepared, moment)
    if prepared.words and result.total == 0:
        better = await mend(reader, channel, prepared.words)
        if better is not None:
            prepared = await _prepare(reader, channel, query, better)
            result = await _results(reader, channel, query, prepared, moment)
            result = msgspec.structs.replace(result, corrected=better)
    if query.facets:
        facets, price_range = await _facets(reader, channel, query, prepared, moment)
        result = msgspec.structs.replace(result, facets=facets, price_range=price_range)
    return result


async def _prepare(reader: Reader, channel: Channel, query: SearchQuery, text: str) -> _Prepared:
    wanted = [(name, *_filter_key(name), value) for name, values in query.filters.items() for value in values]
    number = text.zfill(14) if text.isascii() and text.isdigit() and 8 <= len(text) <= 14 else None
    row = await reader.row(
        """
        SELECT (SELECT id FROM price_context c WHERE c.pool = $2 AND c.currency = $3
                AND (c.channel IS NULL OR c.channel = $4) ORDER BY c.channel IS NULL LIMIT 1) AS context,
               EXISTS (SELECT 1 FROM listing WHERE channel = $4) AS has_listings,
               (SELECT array_agg(DISTINCT product) FROM variant
                WHERE pool = $1 AND (sku IN ($5, upper($5)) OR gtin14 = $6)) AS exact,
               (SELECT jsonb_agg(jsonb_build_array(w.name, f.id))
                FROM unnest($7::text[], $8::text[], $9::text[], $10::text[]) AS w (name, kind, key, value)
                JOIN facet f ON f.pool = $1 AND f.kind = w.kind AND f.name = w.key
                    AND f.value = CASE WHEN w.kind = 'category'
                        THEN (SELECT c.id::text FROM category c WHERE c.pool = $1 AND c.path = w.value)
                        ELSE w.value END) AS ids,
               (SELECT jsonb_agg(jsonb_build_array(word, plainto_tsquery($11::text::regconfig, word)::text))
                FROM (SELECT word FROM regexp_split_to_table(plain_text($5), ' ') AS word
                      WHERE word <> '' LIMIT $12) AS each) AS words
        """,
        channel.pools[Resource.CATALOGUE],
        channel.pools[Resource.PRICES],
        channel.currency,
        channel.id,
        text,
        number,
        *([w[column] for w in wanted] for column in range(4)),
        configuration(language_of(channel.locale)),
        MOST_WORDS,
    )
    assert row is not None
    found: dict[str, list[int]] = {name: [] for name in query.filters}
    for name, facet_id in row["ids"] or []:
        found[name].append(facet_id)
    return _Prepared(
        context=row["context"],
        has_listings=row["has_listings"],
        exact=row["exact"] or [],
        words=[(word, stem) for word, stem in row["words"] or []],
        filters=[
            _Filter(name, *_filter_key(name), ids) for name, ids in found.items() if query.filters[name]
        ],
    )


def _filter_key(name: str) -> tuple[str, str]:
    """Kind and key of a filter's public name."""
    if name in ("category", "brand", "tag"):
        return name, ""
    kind, _, key = name.partition(".")
    if kind in ("option", "attribute") and key:
        return kind, key
    raise InvalidInput.at(name, "one can filter by category, brand, tag, option.NAME and attribute.CODE")


def _matches(
    sql: _Sql,
    channel: Channel,
    query: SearchQuery,
    prepared: _Prepared,
    moment: datetime,
    *,
    without: str | None = None,
    price: bool = True,
) -> str:
    """FROM and WHERE of the products that match; ``without`` leaves out one filter."""
    where = [f"s.pool = {sql(channel.pools[Resource.CATALOGUE])}", "s.is_active"]
    if query.text.strip():
        parts = []
        if prepared.query is not None:
            parts.append(
                f"SELECT w.product FROM product_words w WHERE w.words @@ {sql(prepared.query)}::text::tsquery"
            )
        if prepared.exact or not parts:
            parts.append(f"SELECT unnest({sql(prepared.exact)}::uuid[])")
        where.append(f"s.product IN ({' UNION '.join(parts)})")
    where += [f"s.facets && {sql(f.ids)}::int[]" for f in prepared.filters if f.name != without]
    if query.condition is not None:
        text, args = query.condition
        where.append(text.format(*(sql(value) for value in args)))
    if price and query.price_from is not None:
        where.append(f"o.high >= {sql(query.price_from)}")
    if price and query.price_to is not None:
        where.append(f"o.low <= {sql(query.price_to)}")
    where += _visible(sql, channel, prepared.has_listings, moment)
    return f"""product_search s
        LEFT JOIN search_price o ON o.context = {sql(prepared.context)} AND o.product = s.product
        WHERE {" AND ".join(where)}"""


def _visible(sql: _Sql, channel: Channel, has_listings: bool, moment: datetime) -> list[str]:
    if channel.kind is not ChannelKind.MARKETPLACE and not has_listings:
        return []
    mine = f"FROM listing l WHERE l.product = s.product AND l.channel = {sql(channel.id)}"
    at = sql(moment)
    listed = f"EXISTS (SELECT 1 {mine} AND l.published_at <= {at} AND coalesce(l.unpublish_at > {at}, true))"
    if channel.kind is ChannelKind.MARKETPLACE:
        return [listed]
    return [f"(NOT EXISTS (SELECT 1 {mine}) OR {listed})"]


async def _results(
    reader: Reader, channel: Channel, query: SearchQuery, prepared: _Prepared, moment: datetime
) -> SearchResult:
    sql = _Sql()
    matches = _matches(sql, channel, query, prepared, moment)
    language = language_of(channel.locale)
    rows = await reader.rows(
        f"""
        WITH page AS MATERIALIZED ({_page(sql, query, prepared, matches, language)}),
        counted AS (SELECT count(*) AS total FROM (SELECT 1 FROM {matches} LIMIT {MOST_MATCHES}) AS c)
        SELECT counted.total, p.id, p.handle, coalesce(l.title, p.translations -> {sql(language)} ->> 'title', p.title)
                   AS title, p.brand, m.url AS image, coalesce(m.alt, '') AS image_alt,
               o.low AS price, o.high AS price_to, coalesce(o.is_reduced, false) AS is_reduced,
               v.only AS variant, coalesce(v.number, 0) AS variants
        FROM counted LEFT JOIN page ON true LEFT JOIN product p ON p.id = page.product
        LEFT JOIN search_price o ON o.context = {sql(prepared.context)} AND o.product = p.id
        LEFT JOIN listing l ON l.product = p.id AND l.channel = {sql(channel.id)}
        LEFT JOIN LATERAL (
            SELECT coalesce('/media/' || media.storage_key, media.url) AS url, media.alt FROM media
            WHERE media.product = p.id ORDER BY media.position, media.id LIMIT 1
        ) AS m ON true
        LEFT JOIN LATERAL (
            SELECT count(*) AS number, CASE WHEN count(*) = 1 THEN (array_agg(variant.id))[1] END AS only FROM variant
            WHERE variant.product = p.id AND variant.status = 'active'
        ) AS v ON true
        ORDER BY page.place
        """,
        *sql.args,
    )
    total = rows[0]["total"]
    items = [_hit(row) for row in rows if row["id"] is not None]
    more = len(items) == query.limit and query.offset + query.limit < min(total, DEEPEST)
    return SearchResult(
        items=items,
        total=total,
        is_total_exact=total < MOST_MATCHES,
        currency=channel.currency,
        next_offset=query.offset + query.limit if more else None,
    )


def _hit(row: Record) -> Hit:
    return Hit(**{name: row[name] for name in Hit.__struct_fields__})


def _page(sql: _Sql, query: SearchQuery, prepared: _Prepared, matches: str, language: str) -> str:
    """The ids of one page with their place, in the order that was asked for."""
    sort = query.sort or ("relevance" if query.text.strip() else query.own_order or "newest")
    cut = f"LIMIT {sql(query.limit)}::int OFFSET {sql(query.offset)}::int"
    if sort == "relevance" and prepared.query is not None:
        ranked = f"""
            SELECT f.product, row_number() OVER (
                ORDER BY f.product = ANY({sql(prepared.exact)}::uuid[]) DESC,
                         ts_rank('{{0.05, 0.2, 0.4, 1}}', w.words, {sql(prepared.query)}::text::tsquery) DESC,
                         f.created_at DESC, f.product) AS place
            FROM (SELECT s.product, s.created_at FROM {matches} LIMIT {MOST_RANKED}) AS f
            JOIN product_words w ON w.product = f.product"""
        return f"SELECT * FROM ({ranked}) AS r ORDER BY place {cut}"
    name = f"s.name_{language}" if language in ("sv", "nl") else "s.name_en"
    order = {
        "price": "o.low NULLS LAST, s.product",
        "-price": "o.high DESC NULLS LAST, s.product",
        "name": f"{name}, s.product",
        "-name": f"{name} DESC, s.product DESC",
        "own": f"{query.own_position}, s.product",
    }.get(sort, "s.created_at DESC, s.product DESC")
    return f"SELECT r.*, row_number() OVER () AS place FROM (SELECT s.product FROM {matches} ORDER BY {order} {cut}) AS r"


async def _facets(
    reader: Reader, channel: Channel, query: SearchQuery, prepared: _Prepared, moment: datetime
) -> tuple[list[Facet], PriceRange | None]:
    """Values to filter by with their counts, and the range of prices; one statement."""
    sql = _Sql()
    parts = []
    for chosen in (None, *prepared.filters):
        name = chosen.name if chosen is not None else None
        matches = _matches(sql, channel, query, prepared, moment, without=name)
        which = (
            f"(f.kind, f.name) = ({sql(chosen.kind)}, {sql(chosen.key)})"
            if chosen is not None
            else _others(sql, prepared)
        )
        parts.append(
            f"""SELECT f.kind, f.name, f.value, c.n FROM (
                    SELECT id, count(*) AS n FROM (SELECT s.facets FROM {matches} LIMIT {MOST_MATCHES}) AS m,
                        unnest(m.facets) AS id GROUP BY id
                ) AS c JOIN facet f ON f.id = c.id WHERE {which}"""
        )
    priced = _matches(sql, channel, query, prepared, moment, price=False)
    language = sql(language_of(channel.locale))
    rows = await reader.rows(
        f"""
        WITH counts AS ({" UNION ALL ".join(parts)}),
        top AS (SELECT *, row_number() OVER (PARTITION BY kind, name ORDER BY n DESC, value) AS place FROM counts),
        prices AS (SELECT min(low) AS low, max(high) AS high
                   FROM (SELECT o.low, o.high FROM {priced} LIMIT {MOST_MATCHES}) AS x)
        SELECT prices.low, prices.high, t.kind, t.name, t.n, coalesce(c.path, t.value) AS value,
               coalesce(c.translations -> {language} ->> 'name', c.name,
                        a.translations -> {language} -> 'words' ->> t.value, t.value) AS label,
               coalesce(a.translations -> {language} ->> 'name', a.name, t.name) AS title
        FROM prices LEFT JOIN top t ON t.place <= {FACET_VALUES}
        LEFT JOIN category c ON t.kind = 'category' AND c.id::text = t.value
        LEFT JOIN attribute a ON t.kind = 'attribute' AND a.code = t.name AND a.pool = $1
        ORDER BY array_position(ARRAY['category', 'brand', 'option', 'attribute', 'tag'], t.kind),
                 a.position, t.name, t.n DESC, value
        """,
        *sql.args,
    )
    return _grouped(rows, query), _range(rows[0])


def _others(sql: _Sql, prepared: _Prepared) -> str:
    """Every facet that no filter is set on."""
    kinds, keys = [f.kind for f in prepared.filters], [f.key for f in prepared.filters]
    return f"(f.kind, f.name) NOT IN (SELECT * FROM unnest({sql(kinds)}::text[], {sql(keys)}::text[]))"


def _range(row: Record) -> PriceRange | None:
    return None if row["low"] is None else PriceRange(row["low"], row["high"])


def _grouped(rows: Sequence[Record], query: SearchQuery) -> list[Facet]:
    facets: dict[str, Facet] = {}
    for row in rows:
        if row["kind"] is None:
            continue
        name = f"{row['kind']}.{row['name']}" if row["name"] else row["kind"]
        facet = facets.setdefault(name, Facet(name, row["kind"], row["title"] or row["kind"], []))
        selected = row["value"] in query.filters.get(name, ())
        facet.values.append(FacetValue(row["value"], row["label"], row["n"], selected))
    return list(facets.values())
