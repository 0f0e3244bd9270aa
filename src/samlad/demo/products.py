"""The catalogue that the order lines imply: one product per five-digit code, its letters as variants.

The file has no catalogue. What a thing is called and what it costs is what was most often printed on invoices for it;
lines at price 0 are left out of that vote, because that is where the warehouse wrote "damaged" and "?" instead.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import NamedTuple

import duckdb
import msgspec

from samlad.demo import words
from samlad.demo.records import ProductRecord, VariantRecord
from samlad.demo.source import open_source


class _Code(NamedTuple):
    """What the file says about one stock code; `price_minor` is its most frequent price in pence."""

    code: str
    description: str
    price_minor: int
    first_sold: date
    last_sold: date
    units_sold: int
    recent_units: int


# Ties go to the price and the wording that sort first, so that two runs agree.
_CODES = """
with priced as (select * from line where kind = 'item' and price > 0),
descriptions as (
    select code, description from priced where description is not null group by code, description
    qualify row_number() over (partition by code order by count(*) desc, description) = 1
),
prices as (
    select code, price from priced group by code, price
    qualify row_number() over (partition by code order by count(*) desc, price) = 1
)
select
    code,
    descriptions.description,
    (any_value(prices.price) * 100)::bigint,
    min(uk_time)::date,
    max(uk_time)::date,
    sum(quantity)::bigint,
    coalesce(sum(quantity) filter (uk_time >= (select max(uk_time)::date - 91 from line)), 0)::bigint
from priced join descriptions using (code) join prices using (code)
group by code, descriptions.description
order by code
"""


def products(db: duckdb.DuckDBPyConnection | None = None) -> Iterator[ProductRecord]:
    """Every product once, in order of its code; pass an open source to read the file only once."""
    rows = [_Code(*row) for row in (db or open_source()).execute(_CODES).fetchall()]
    found = [_product(root, list(codes)) for root, codes in groupby(rows, key=lambda row: _root(row.code))]
    names = Counter(product.handle for product in found)
    for product in found:
        if names[product.handle] > 1:
            handle = f"{product.handle}-{product.code.lower()}"
            yield msgspec.structs.replace(product, handle=handle)
        else:
            yield product


def _root(code: str) -> str:
    """The code without the letters after its five digits. Codes of another shape stand for themselves."""
    digits = re.fullmatch(r"(\d{5})[A-Z]*", code)
    return digits[1] if digits else code


def _product(root: str, codes: list[_Code]) -> ProductRecord:
    titles = [words.title(code.description) for code in codes]
    name, option, values = _options(codes, titles)
    return ProductRecord(
        handle=words.slug(name),
        code=root,
        title=name,
        category=words.category(titles[0]),
        tags=words.tags(" ".join(titles)),
        option_name=option,
        variants=tuple(_variant(*each) for each in zip(codes, titles, values, strict=True)),
    )


def _variant(code: _Code, title: str, value: str | None) -> VariantRecord:
    return VariantRecord(
        sku=code.code,
        title=title,
        option_value=value,
        price_minor=code.price_minor,
        colour=words.colour(title),
        material=words.material(title),
        pieces=words.pieces(title),
        first_sold=code.first_sold,
        last_sold=code.last_sold,
        units_sold=code.units_sold,
        recent_units=code.recent_units,
    )


def _options(codes: list[_Code], titles: list[str]) -> tuple[str, str | None, list[str | None]]:
    """The product's title, its option's name and each variant's value.

    The words that all titles share name the product, the others name the variant. When that leaves a variant without
    a word of its own, or two with the same, the code's letter is the value for all.
    """
    if len(codes) == 1:
        return titles[0], None, [None]
    split = [re.findall(r"[^\s,]+", title) for title in titles]
    shared = set.intersection(*(set(map(_stem, each)) for each in split))
    best_seller = max(range(len(codes)), key=lambda at: codes[at].units_sold)
    common = [word for word in split[best_seller] if _stem(word) in shared]
    if len(common) < 2:  # "Wrap" is no title
        shared, name = set(), titles[best_seller]
    else:
        name = _tidy(common)
    values = [_tidy([word for word in each if _stem(word) not in shared]) for each in split]
    if "" in values or len({value.lower() for value in values}) < len(values):
        return name, "Variant", [code.code[5:] or "–" for code in codes]
    return name, "Colour" if all(map(words.is_colour, values)) else "Style", list(values)


def _stem(word: str) -> str:
    """A word as it is compared: "Coaster" and "Coasters" are the same."""
    return word.lower().removesuffix("s")


_LOOSE = {"of", "in", "and", "with", "on", "for", "the", "to", "&", "a"}


def _tidy(parts: list[str]) -> str:
    """Words without the little ones that lost their neighbours at either end, the first with a capital."""
    while parts and parts[-1].lower() in _LOOSE:
        parts = parts[:-1]
    while parts and parts[0].lower() in _LOOSE - {"the", "a"}:
        parts = parts[1:]
    text = " ".join(parts)
    return text[:1].upper() + text[1:]
