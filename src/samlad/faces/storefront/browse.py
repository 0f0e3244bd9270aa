"""Looking around: the front, categories, search with filters, suggestions while typing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from babel.numbers import get_decimal_symbol
from litestar import Response, get
from litestar.params import FromPath

from samlad import stock
from samlad.catalog import product_store
from samlad.catalog.search.completing import complete
from samlad.catalog.search.query import Facet, FacetValue, SearchQuery, SearchResult, search
from samlad.catalog.sellables import language_of
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.design.formats import money
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, looked, shelf, stores
from samlad.faces.storefront.place import channel_of, show
from samlad.faces.storefront.typed import typed
from samlad.kernel.http import database_of
from samlad.kernel.i18n import formatting_locale, marked
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import InvalidInput, NotFound

PAGE_LENGTH = 24
SHOWN_FIRST = 8
"""Products of a list that are told of: those that everybody sees."""
SORTS = (
    ("relevance", marked("What fits best")),
    ("newest", marked("Newest first")),
    ("price", marked("Cheapest first")),
    ("-price", marked("Dearest first")),
    ("rated", marked("Best rated")),
    ("name", marked("By name")),
)
STARS = (4, 3, 2)
"""From so many stars on one can filter."""
MOST_FILTERS = 40
OPEN_FACETS = 3
"""So many filters are unfolded; the others open by a click."""


@get("/search")
async def search_page(request: AnyRequest) -> Response[Any]:
    """What a search finds, or everything."""
    limits.searches.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    text = typed(request.query_params.get("q"))
    heading = _("Results for “%(query)s”") % {"query": text} if text else _("All products")
    return await _list(request, channel, "/search", heading, text=text)


@get("/c/{path:path}")
async def category_page(request: AnyRequest, path: FromPath[str]) -> Response[Any]:
    """The products of a category and of those below it."""
    limits.searches.check(limits.who(request))
    channel = await channel_of(request)
    path = path.strip("/")
    known = await shelf.branches(database_of(request), channel)
    branch = next((b for b in known if b.path == path), None)
    if branch is None:
        raise NotFound(face.words(request)("There is no such category here."))
    names = {b.path: b for b in known}
    line = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
    crumbs = [(names[each].name, names[each].href) for each in line if each in names]
    return await _list(request, channel, branch.href, branch.name, category=path, crumbs=crumbs)


@get("/search/suggest")
async def suggest(request: AnyRequest) -> Response[Any]:
    """What may be meant, while somebody types."""
    limits.searches.check(limits.who(request))
    channel, database = await channel_of(request), database_of(request)
    text = typed(request.query_params.get("q"))
    if len(text) < 2:
        return Response("", media_type="text/html")
    found = await search(database, channel, SearchQuery(text=text, limit=6, facets=False))
    wanted = text.casefold()
    meant = [b for b in await shelf.branches(database, channel) if wanted in b.name.casefold()][:2]
    completed = await complete(database, channel, text)
    return face.page(
        request,
        "storefront/suggestions.html",
        query=text,
        words=[{"text": each, "href": _search_href(each)} for each in completed if each != wanted],
        products=await shelf.cards(database, channel, found.items, ""),
        branches=[{"text": b.name, "href": b.href} for b in meant],
        search_href=_search_href(text),
    )


def _search_href(text: str, **more: str) -> str:
    return f"/search?{urlencode({'q': text, **more})}"


async def _list(
    request: AnyRequest,
    channel: Channel,
    href: str,
    heading: str,
    *,
    text: str = "",
    category: str | None = None,
    crumbs: Sequence[tuple[str, str]] = (),
) -> Response[Any]:
    """A list with its filters. What cannot be read in the address is left out: a list is never refused for that."""
    _, database = face.words(request), database_of(request)
    places = await stores.stores_of(request, channel)
    asked = Asked(request, channel, places)
    filters = dict(asked.filters)
    if category is not None:
        filters["category"] = [category]
    query = SearchQuery(
        text=text,
        filters=filters,
        price_from=asked.price_from,
        price_to=asked.price_to,
        stars_from=asked.stars_from,
        sort=asked.sort,
        limit=PAGE_LENGTH,
        offset=asked.offset,
        is_exact=asked.is_exact,
        condition=stock.there_now(asked.store.location.id) if asked.store else None,
    )
    try:
        found = await search(database, channel, query)
    except InvalidInput:  # too deep a page, a filter that is none
        return face.go(request, href)
    if category is not None:
        looked.at_list(
            request, channel, category, [hit.id for hit in found.items][:SHOWN_FIRST], asked.filters
        )
    spoken = await _option_words(request, channel, found)
    facets = _facets(_, found, asked, spoken)
    context = {
        "heading": heading,
        "intro": None,
        "crumbs": list(crumbs) or None,
        "query": text,
        "list_href": href,
        "products": await shelf.cards(database, channel, found.items, _("Sale")),
        "total": found.total,
        "corrected": found.corrected,
        "is_exact": asked.is_exact,
        "exact_href": _search_href(text, exact="1"),
        "meant_href": _search_href(found.corrected) if found.corrected else None,
        "stores": [(each.location.code, each.location.name) for each in places],
        "store": asked.store.location.code if asked.store else "",
        "star_choices": STARS,
        "stars_from": asked.stars_from,
        "hints": _price_hints(found, channel),
        "branches": [] if category is None else await _branches(request, channel, category),
        "facets": facets,
        "facets_open": request.query_params.get("filter") == "1",
        "price_from": _written(asked.price_from, channel),
        "price_to": _written(asked.price_to, channel),
        **_addresses(request, href, text, asked, found, facets),
    }
    template = "storefront/results.html" if face.is_htmx(request) else "storefront/list.html"
    return await show(request, channel, template, **context)


def _price_hints(found: SearchResult, channel: Channel) -> tuple[str, str] | None:
    """Between which prices one can choose."""
    if found.price_range is None:
        return None
    return _written(found.price_range.low, channel), _written(found.price_range.high, channel)


def _written(amount: int | None, channel: Channel) -> str:
    """An amount as its field takes it, with the decimal sign of who reads the page."""
    if amount is None:
        return ""
    return decimal_text(amount, channel.currency).replace(
        ".", get_decimal_symbol(formatting_locale(channel.locale))
    )


class Asked:
    """What the address of a list asks for."""

    def __init__(self, request: AnyRequest, channel: Channel, places: Sequence[stores.Store] = ()) -> None:
        params = request.query_params
        form = Form({name: [value] for name, value in params.items()})
        self.price_from = _amount(form, "price_from", channel.currency)
        self.price_to = _amount(form, "price_to", channel.currency)
        self.sort = params.get("sort") if params.get("sort") in {name for name, _text in SORTS} else None
        offset = params.get("from", "0")
        self.offset = int(offset) if offset.isascii() and offset.isdecimal() and len(offset) < 6 else 0
        self.filters: dict[str, list[str]] = {}
        for name, value in list(params.multi_items())[:MOST_FILTERS]:
            if _is_filter(name) and typed(value) == value != "" and typed(name) == name:
                self.filters.setdefault(name, []).append(value)
        self.currency, self.locale = channel.currency, channel.locale
        self.store = next((each for each in places if each.location.code == params.get("store")), None)
        stars = params.get("stars_from", "")
        self.stars_from = int(stars) if stars in {str(each) for each in STARS} else None
        self.is_exact = params.get("exact") == "1"

    @property
    def prices(self) -> str:
        """The prices between which it must be, as a chip shows them."""
        low, high = (
            "" if each is None else money(each, self.currency, self.locale)
            for each in (self.price_from, self.price_to)
        )
        return f"{low}–{high}"

    def pairs(self) -> list[tuple[str, str]]:
        """The address's own parameters again, without the page."""
        pairs = [(name, value) for name, values in self.filters.items() for value in values]
        for name, amount in (("price_from", self.price_from), ("price_to", self.price_to)):
            if amount is not None:
                pairs.append((name, decimal_text(amount, self.currency)))
        if self.stars_from is not None:
            pairs.append(("stars_from", str(self.stars_from)))
        if self.store is not None:
            pairs.append(("store", self.store.location.code))
        if self.is_exact:
            pairs.append(("exact", "1"))
        if self.sort:
            pairs.append(("sort", self.sort))
        return pairs


def _is_filter(name: str) -> bool:
    return name in ("brand", "tag") or (name.startswith(("option.", "attribute.")) and len(name) <= 100)


def _amount(form: Form, name: str, currency: str) -> int | None:
    try:
        amount = form.amount(name, currency)
    except InvalidInput:
        return None
    return amount if amount is not None and 0 <= amount < 2**52 else None


async def _branches(request: AnyRequest, channel: Channel, category: str) -> list[dict[str, Any]]:
    """The categories below this one; without any, those beside it."""
    known = await shelf.branches(database_of(request), channel)
    below = [b for b in known if b.path.startswith(f"{category}/") and b.depth == category.count("/") + 1]
    above = category.rpartition("/")[0]
    beside = [b for b in known if b.path.rpartition("/")[0] == above]
    return [
        {"text": b.name, "href": b.href, "count": b.count, "current": b.path == category}
        for b in below or beside
    ]


async def _option_words(request: AnyRequest, channel: Channel, found: SearchResult) -> Mapping[str, str]:
    """What options and their values are called in the reader's language, by the products of the page that say so."""
    if not any(facet.kind == "option" for facet in found.facets):
        return {}
    shown = [hit.id for hit in found.items]
    return await product_store.option_words(database_of(request), shown, language_of(channel.locale))


def _facets(
    _: Callable[[str], str], found: SearchResult, asked: Asked, spoken: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Filters worth showing: with more than one value, or with one that is chosen."""
    shown = [
        f for f in found.facets if f.kind != "category" and (len(f.values) > 1 or f.name in asked.filters)
    ]
    titles = {"brand": _("Brand"), "tag": _("Keyword")}
    answers = {"true": _("Yes"), "false": _("No")}

    def text(facet: Facet, value: FacetValue) -> str:
        if facet.kind == "option":
            return spoken.get(value.value, value.label)
        is_plain = facet.kind == "attribute" and value.label == value.value
        return answers.get(value.value, value.label) if is_plain else value.label

    return [
        {
            "title": spoken.get(facet.label, facet.label)
            if facet.kind == "option"
            else titles.get(facet.name, facet.label),
            "name": facet.name,
            "open": place < OPEN_FACETS or facet.name in asked.filters,
            "choices": [
                {"value": v.value, "text": text(facet, v), "count": v.count, "checked": v.is_selected}
                for v in facet.values
            ],
        }
        for place, facet in enumerate(shown)
    ]


def _more_chips(request: AnyRequest, asked: Asked) -> list[tuple[str, str]]:
    """Parameter and text of the filters that are no facets."""
    _, chips = face.words(request), []
    if asked.stars_from is not None:
        chips.append(("stars_from", _("%(num)d stars and up") % {"num": asked.stars_from}))
    if asked.store is not None:
        chips.append(("store", _("There now: %(store)s") % {"store": asked.store.location.name}))
    return chips


def _addresses(
    request: AnyRequest,
    href: str,
    text: str,
    asked: Asked,
    found: SearchResult,
    facets: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Where everything on a list leads to."""
    _ = face.words(request)
    base = [("q", text)] if text else []
    if text and asked.is_exact:
        base.append(("exact", "1"))

    def address(pairs: Sequence[tuple[str, str]]) -> str:
        return f"{href}?{urlencode(pairs)}" if pairs else href

    everything = [*base[:1], *asked.pairs()] if text else asked.pairs()
    labels = {(facet["name"], each["value"]): each["text"] for facet in facets for each in facet["choices"]}
    chosen = [
        {
            "text": labels.get((name, value), value),
            "href": address([p for p in everything if p != (name, value)]),
        }
        for name, values in asked.filters.items()
        for value in values
    ]
    if asked.price_from is not None or asked.price_to is not None:
        rest = [pair for pair in everything if not pair[0].startswith("price_")]
        chosen.append({"text": asked.prices, "href": address(rest)})
    for name, said in _more_chips(request, asked):
        chosen.append({"text": said, "href": address([pair for pair in everything if pair[0] != name])})
    last = min(asked.offset + PAGE_LENGTH, found.total)
    before = max(0, asked.offset - PAGE_LENGTH)
    note = _("%(first)s to %(last)s of %(total)s") % {
        "first": asked.offset + 1,
        "last": last,
        "total": found.total,
    }
    is_first = asked.offset == 0
    return {
        "chosen": chosen,
        "clear_href": address(base),
        "kept": base + ([("sort", asked.sort)] if asked.sort else []),
        "kept_by_sort": [pair for pair in everything if pair[0] != "sort"],
        "sort": asked.sort or ("relevance" if text else "newest"),
        "sorts": [(name, _(label)) for name, label in SORTS if text or name != "relevance"],
        "note": note if found.total else "",
        "previous_href": None
        if is_first
        else address(everything + ([("from", str(before))] if before else [])),
        "next_href": None
        if found.next_offset is None
        else address([*everything, ("from", str(found.next_offset))]),
    }


handlers = [search_page, category_page, suggest]
