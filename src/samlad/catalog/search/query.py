"""The query: words, filters, order and facets of one channel's catalogue, in two statements.

What is found
    A product is found when each word of the query is in it: as it is written, as its stem in the channel's language, or
    (the last word, which may be half typed) as a beginning. A query that is a SKU or GTIN puts that product first.
    When nothing is found, each word that does not occur is replaced by the nearest that does, and ``corrected`` says so.
Filters
    Values of one filter widen (red or blue), filters narrow (red, and wool). The counts of a filter's other values are
    what one would get by adding them: they are taken without that filter itself.
Limits
    Counts and relevance look at the first 3,000 products that match; ``total`` says at most so many.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from samlad.catalog.model import Measure
from samlad.catalog.search.mending import mend
from samlad.catalog.search.words import MOST_WORDS, configuration, tsquery
from samlad.catalog.sellables import language_of
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Reader
from samlad.kernel.problems import InvalidInput

Order = Literal["relevance", "newest", "price", "-price", "name", "-name", "rated"]
FacetKind = Literal["category", "brand", "option", "attribute", "tag"]

MOST_MATCHES = 3_000
LARGEST_PAGE = 100
DEEPEST = 3_000
LONGEST = 200
FACET_VALUES = 50


PRICE_CONTEXT: Final = object()
"""Among the parameters of a condition: the number under which the channel's prices are kept, known only later."""


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. ``filters`` by ``category`` (path), ``brand``, ``tag``, ``option.Size``, ``attribute.material``."""

    text: str = ""
    filters: Mapping[str, Sequence[str]] = {}
    price_from: int | None = None
    price_to: int | None = None
    stars_from: int | None = None
    """Only what is rated so many stars or more, on average."""
    sort: Order | None = None
    limit: int = 24
    offset: int = 0
    facets: bool = True
    is_exact: bool = False
    """Search for the words as they are; ``corrected`` is then only told."""
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
    rating: int = 0
    """Average of its reviews in hundredths of stars; ``ratings`` is how many."""
    ratings: int = 0
    sold_by: Measure = Measure.PIECE
    """What a price is for: a piece, or a kilogram, metre or litre."""
    content: float | None = None
    """How much is in one (attribute of the channel setting `content_attribute`), in ``content_unit``; None where variants differ."""
    content_unit: str | None = None


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
    """What was found. ``corrected`` is the query that was searched for instead, when nothing was found as typed; of an exact
    search, what would find something."""

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
            if not query.is_exact:
                prepared = await _prepare(reader, channel, query, better)
                result = await _results(reader, channel, query, prepared, moment)
            result = msgspec.structs.replace(result, corrected=better)
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
    joined: str = "",
) -> str:
    """FROM and WHERE of the products that match; ``without`` leaves out one filter, ``price`` that on prices."""
    where = [f"s.pool = {sql(channel.pools[Resource.CATALOGUE])}", "s.is_active"]
    if query.text.strip():
        parts = [f"s.product = ANY({sql(prepared.exact)}::uuid[])"] if prepared.exact else []
        if prepared.query is not None:
            parts.append(f"s.words @@ {sql(prepared.query)}::text::tsquery")
        where.append(f"({' OR '.join(parts) or 'false'})")
    where += [f"s.facets && {sql(f.ids)}::int[]" for f in prepared.filters if f.name != without]
    if query.condition is not None:
        text, args = query.condition
        values = (prepared.context if value is PRICE_CONTEXT else value for value in args)
        where.append(text.format(*(sql(value) for value in values)))
    if price and query.price_from is not None:
        where.append(f"{_price(sql, prepared, 'highs')} >= {sql(query.price_from)}")
    if price and query.price_to is not None:
        where.append(f"{_price(sql, prepared, 'lows')} <= {sql(query.price_to)}")
    if query.stars_from is not None:
        where.append(f"s.rating >= {sql(query.stars_from * 100)}")
    where += _visible(sql, channel, prepared.has_listings, moment)
    return f"product_search s {joined} WHERE {' AND '.join(where)}"


def _price(sql: _Sql, prepared: _Prepared, which: Literal["lows", "highs"]) -> str:
    """A product's price in the channel, from the arrays in its search row; null without one."""
    return f"s.{which}[array_position(s.contexts, {sql(prepared.context)}::int)]"


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
    language = language_of(channel.locale)
    by_rank = (query.sort or "relevance") == "relevance" and prepared.query is not None
    rank = (
        f"ts_rank('{{0.05, 0.2, 0.4, 1}}', s.words, {sql(prepared.query)}::text::tsquery)" if by_rank else "0"
    )
    row = await reader.row(
        f"""
        WITH found AS MATERIALIZED (
            SELECT s.product, s.facets, s.created_at, {rank} AS rank, {_price(sql, prepared, "lows")} AS low,
                   {_price(sql, prepared, "highs")} AS high
            FROM {_matches(sql, channel, query, prepared, moment)} LIMIT {MOST_MATCHES}
        ), page AS MATERIALIZED ({_page(sql, channel, query, prepared, moment, by_rank=by_rank)})
        SELECT (SELECT count(*) FROM found) AS total,
               (SELECT jsonb_agg(to_jsonb(i) - 'place' ORDER BY i.place)
                FROM ({_items(sql, channel, prepared, language)}) AS i) AS items,
               {_facets(sql, channel, query, prepared, moment, language) if query.facets else "NULL::jsonb"} AS facets,
               {_prices(sql, channel, query, prepared, moment) if query.facets else "NULL::jsonb"} AS prices
        """,
        *sql.args,
    )
    assert row is not None
    total, items = row["total"], msgspec.convert(row["items"] or [], list[Hit])
    more = len(items) == query.limit and query.offset + query.limit < min(total, DEEPEST)
    return SearchResult(
        items=items,
        total=total,
        is_total_exact=total < MOST_MATCHES,
        currency=channel.currency,
        facets=_grouped(row["facets"] or [], query),
        price_range=PriceRange(*row["prices"]) if row["prices"] and row["prices"][0] is not None else None,
        next_offset=query.offset + query.limit if more else None,
    )


def _page(
    sql: _Sql, channel: Channel, query: SearchQuery, prepared: _Prepared, moment: datetime, *, by_rank: bool
) -> str:
    """The ids of one page with their place, in the order that was asked for."""
    cut = f"LIMIT {sql(query.limit)}::int OFFSET {sql(query.offset)}::int"
    if by_rank:
        order = (
            f"f.product = ANY({sql(prepared.exact)}::uuid[]) DESC, f.rank DESC, f.created_at DESC, f.product"
        )
        return f"SELECT f.product, row_number() OVER (ORDER BY {order}) AS place FROM found f ORDER BY place {cut}"
    sort = query.sort or query.own_order or "newest"
    language = language_of(channel.locale)
    name = f"s.name_{language}" if language in ("sv", "nl") else "s.name_en"
    order = {
        "price": "o.low, o.product",
        "-price": "o.high DESC, o.product DESC",
        "name": f"{name}, s.product",
        "-name": f"{name} DESC, s.product DESC",
        "rated": "s.standing DESC, s.product DESC",
        "own": f"{query.own_position}, s.product",
    }.get(sort, "s.created_at DESC, s.product DESC")
    joined = ""
    if sort in ("price", "-price"):
        # What has no price cannot be sorted by it: left out, so that the index on prices gives the order.
        joined = f"JOIN search_price o ON o.product = s.product AND o.context = {sql(prepared.context)}"
    matches = _matches(sql, channel, query, prepared, moment, joined=joined)
    return f"""
        SELECT r.product, row_number() OVER () AS place
        FROM (SELECT s.product FROM {matches} ORDER BY {order} {cut}) AS r"""


def _items(sql: _Sql, channel: Channel, prepared: _Prepared, language: str) -> str:
    """The products of the page as a customer sees them in a list."""
    pool, content = channel.pools[Resource.CATALOGUE], f"{sql(channel.setting('content_attribute'))}::text"
    return f"""
        SELECT page.place, p.id, p.handle, p.brand,
               coalesce(l.title, p.translations -> {sql(language)} ->> 'title', p.title) AS title,
               m.url AS image, coalesce(m.alt, '') AS image_alt, o.low AS price, o.high AS price_to,
               coalesce(o.is_reduced, false) AS is_reduced, v.only AS variant, coalesce(v.number, 0) AS variants,
               r.rating, r.ratings, coalesce(v.sold_by, 'piece') AS sold_by,
               CASE WHEN jsonb_typeof(c.content) = 'number' THEN c.content END AS content,
               (SELECT unit FROM attribute WHERE pool = {sql(pool)} AND code = {content}) AS content_unit
        FROM page JOIN product p ON p.id = page.product JOIN product_search r ON r.product = p.id
        LEFT JOIN search_price o ON o.context = {sql(prepared.context)} AND o.product = p.id
        LEFT JOIN listing l ON l.product = p.id AND l.channel = {sql(channel.id)}
        LEFT JOIN LATERAL (
            SELECT coalesce('/media/' || media.storage_key, media.url) AS url, media.alt FROM media
            WHERE media.product = p.id AND media.status = 'ready' ORDER BY media.position, media.id LIMIT 1
        ) AS m ON true
        LEFT JOIN LATERAL (
            SELECT count(*) AS number, CASE WHEN count(*) = 1 THEN (array_agg(variant.id))[1] END AS only,
                   CASE WHEN min(variant.sold_by) = max(variant.sold_by) THEN min(variant.sold_by) END AS sold_by,
                   bool_or(variant.attributes ? {content}) AS have_own,
                   (array_agg(variant.attributes -> {content}))[1] AS own
            FROM variant WHERE variant.product = p.id AND variant.status = 'active'
        ) AS v ON true
        CROSS JOIN LATERAL (
            SELECT CASE WHEN NOT v.have_own THEN p.attributes -> {content} WHEN v.number = 1 THEN v.own END AS content
        ) AS c"""


def _facets(
    sql: _Sql, channel: Channel, query: SearchQuery, prepared: _Prepared, moment: datetime, language: str
) -> str:
    """Values to filter by with their counts, as a JSON array."""
    kinds, keys = [f.kind for f in prepared.filters], [f.key for f in prepared.filters]
    free = f"(f.kind, f.name) NOT IN (SELECT * FROM unnest({sql(kinds)}::text[], {sql(keys)}::text[]))"
    parts = [_counts("SELECT facets FROM found", free)]
    for chosen in prepared.filters:
        matches = _matches(sql, channel, query, prepared, moment, without=chosen.name)
        which = f"(f.kind, f.name) = ({sql(chosen.kind)}, {sql(chosen.key)})"
        parts.append(_counts(f"SELECT s.facets FROM {matches} LIMIT {MOST_MATCHES}", which))
    spoken = sql(language)
    return f"""(
        SELECT jsonb_agg(jsonb_build_array(t.kind, t.name,
                coalesce(a.translations -> {spoken} ->> 'name', a.name, t.name), coalesce(c.path, t.value),
                coalesce(c.translations -> {spoken} ->> 'name', c.name,
                         a.translations -> {spoken} -> 'words' ->> t.value, t.value || E'\\u00a0' || a.unit, t.value),
                t.n)
            ORDER BY array_position(ARRAY['category', 'brand', 'option', 'attribute', 'tag'], t.kind),
                     a.position, t.name, t.n DESC, coalesce(c.path, t.value))
        FROM (SELECT x.*, row_number() OVER (PARTITION BY kind, name ORDER BY n DESC, value) AS place
              FROM ({" UNION ALL ".join(parts)}) AS x) AS t
        LEFT JOIN category c ON t.kind = 'category' AND c.id::text = t.value
        LEFT JOIN attribute a ON t.kind = 'attribute' AND a.code = t.name
            AND a.pool = {sql(channel.pools[Resource.CATALOGUE])}
        WHERE t.place <= {FACET_VALUES})"""


def _counts(facets: str, which: str) -> str:
    return f"""
        SELECT f.kind, f.name, f.value, c.n FROM (
            SELECT id, count(*) AS n FROM (SELECT unnest(facets) AS id FROM ({facets}) AS m) AS u GROUP BY id
        ) AS c JOIN facet f ON f.id = c.id WHERE {which}"""


def _prices(sql: _Sql, channel: Channel, query: SearchQuery, prepared: _Prepared, moment: datetime) -> str:
    """Cheapest and dearest price, whatever prices were asked for, as a JSON array."""
    source = "found"
    if query.price_from is not None or query.price_to is not None:
        matches = _matches(sql, channel, query, prepared, moment, price=False)
        low, high = _price(sql, prepared, "lows"), _price(sql, prepared, "highs")
        source = f"(SELECT {low} AS low, {high} AS high FROM {matches} LIMIT {MOST_MATCHES}) AS x"
    return f"(SELECT jsonb_build_array(min(low), max(high)) FROM {source})"


def _grouped(rows: Sequence[Sequence[Any]], query: SearchQuery) -> list[Facet]:
    facets: dict[str, Facet] = {}
    for kind, key, title, value, label, count in rows:
        name = f"{kind}.{key}" if key else kind
        facet = facets.setdefault(name, Facet(name, kind, title or kind, []))
        facet.values.append(FacetValue(value, label, count, value in query.filters.get(name, ())))
    return list(facets.values())
