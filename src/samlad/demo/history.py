"""The order history: 25,900 invoices with their 541,909 lines, as records in the order they were written.

DuckDB groups the lines of each invoice and spells the record as JSON, msgspec reads it into structs and checks every
type on the way: half a second of Python for half a million lines.

**Kinds of order.** Goods that go out make a `sale`, goods that come back (an invoice whose number begins with C) a
`return`. What moves neither is an `adjustment`: fees, discounts, manual credits and bad debt without any goods, and
stock corrections.

**Stock corrections.** An invoice with no customer whose lines are all at price 0 is the warehouse writing: "damaged",
"found", "thrown away". Its item lines keep kind "item", quantity and the remark as title, have total 0 and are marked
`stock_correction`: an importer books them as stock movements, not as sales. Goods at price 0 on an invoice with a
customer, or beside paid goods, are gifts and stay plain item lines.

**Cancellations.** A cancelled item line takes back the latest earlier sale in which the same customer bought the same
code at the same price and of which enough is left after the cancellations before it. Where one sale can explain all
item lines of a cancellation, that sale is preferred for all of them. No part of a sale is given back twice.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import msgspec

from samlad.demo.products import products
from samlad.demo.records import Facts, OrderLine, OrderRecord
from samlad.demo.source import FILE, open_source

# 43 invoices were typed over a minute or more: the first line's time counts.
# A line says what the catalogue says; remarks on corrections and lines that are not goods keep their own words.
_ORDERS = """
with titles as (select unnest($skus::varchar[]) as sku, unnest($titles::varchar[]) as title),
warehouse as (
    select invoice from line group by invoice having max(abs(price)) = 0 and any_value(customer) is null
),
marked as (
    select *, invoice in (from warehouse) as unpaid
    from line left join titles on kind = 'item' and code = sku
),
invoices as (
    select
        invoice as number,
        strftime(min(timezone('UTC', timezone('Europe/London', uk_time))), '%Y-%m-%dT%H:%M:%SZ') as placed_at,
        'GBP' as currency,
        any_value(customer) as customer,
        any_value(country) as country,
        case
            when not bool_or(kind = 'item' and not unpaid) then 'adjustment'
            when any_value(cancelled) then 'return'
            else 'sale'
        end as kind,
        sum(total_minor)::bigint as total_minor,
        list(
            {
                'sku': sku,
                'title': case when unpaid or title is null then coalesce(description, title, code) else title end,
                'kind': kind,
                'quantity': quantity,
                'unit_price': case when price = price::decimal(12, 2) then price::decimal(12, 2)::varchar else price::varchar end,
                'total_minor': total_minor,
                'stock_correction': unpaid and kind = 'item'
            }
            order by row
        ) as lines,
        min(row) as first_row
    from marked
    group by invoice
)
select to_json({
    'number': number, 'placed_at': placed_at, 'currency': currency, 'customer': customer, 'country': country,
    'kind': kind, 'total_minor': total_minor, 'lines': lines
})::varchar from invoices order by first_row
"""

# Sold is one row a sale, customer, code and price; only where a cancellation could ask for it.
_CANCELLED = """
select invoice, row, customer, code, price, -quantity
from line where cancelled and kind = 'item' and customer is not null order by row
"""
_SOLD = """
select customer, code, price, invoice, min(row), sum(quantity)::bigint
from line
semi join (select distinct customer, code from line where cancelled) as asked using (customer, code)
where not cancelled and kind = 'item' and quantity > 0
group by customer, code, price, invoice
order by min(row) desc
"""


def orders(db: duckdb.DuckDBPyConnection | None = None) -> Iterator[OrderRecord]:
    """Every invoice once, earliest first, with its lines in the file's order; pass an open source to share it."""
    db = db or open_source()
    taken_back = cancellations(db)
    titles = {variant.sku: variant.title for product in products(db) for variant in product.variants}
    decode = msgspec.json.Decoder(OrderRecord).decode
    # A cursor of its own: another query on `db` would end this one.
    rows = db.cursor().execute(_ORDERS, {"skus": list(titles), "titles": list(titles.values())})
    while batch := rows.fetchmany(1000):
        for (text,) in batch:
            order = decode(text)
            yield _with_returns(order, taken_back) if order.kind == "return" else order


def facts(db: duckdb.DuckDBPyConnection | None = None) -> Facts:
    """The file's own totals, from its own columns. Revenue is the exact sum, rounded to pence once at the end."""
    row = (db or duckdb.connect()).execute(_FACTS, {"file": str(FILE)}).fetchone()
    assert row is not None
    return Facts(
        invoices=row[0],
        cancellations=row[1],
        lines=row[2],
        customers=row[3],
        stock_codes=row[4],
        revenue_minor=round(row[5] * 100),  # a Decimal: half-even, no float in between
    )


_FACTS = """
select
    count(distinct InvoiceNo),
    count(distinct InvoiceNo) filter (InvoiceNo like 'C%'),
    count(*),
    count(distinct CustomerID),
    count(distinct StockCode),
    sum(Quantity * UnitPrice::decimal(12, 3))
from read_parquet($file)
"""


@dataclass(slots=True)
class _Sale:
    invoice: str
    row: int
    left: int


# What a refund must agree on: customer, code and price.
_Goods = tuple[str, str, Decimal]


@dataclass(slots=True, frozen=True)
class _Claim:
    row: int
    goods: _Goods
    quantity: int


def cancellations(db: duckdb.DuckDBPyConnection) -> dict[str, dict[int, str]]:
    """By cancellation, which of its item lines (counted from 0 in the file's order) takes back which sale."""
    sales: dict[_Goods, list[_Sale]] = defaultdict(list)  # latest first
    for customer, code, price, invoice, row, quantity in db.execute(_SOLD).fetchall():
        sales[customer, code, price].append(_Sale(invoice, row, quantity))
    claims: dict[str, list[_Claim]] = defaultdict(list)
    for invoice, row, customer, code, price, quantity in db.execute(_CANCELLED).fetchall():
        claims[invoice].append(_Claim(row, (customer, code, price), quantity))
    return {invoice: _take_back(lines, sales) for invoice, lines in claims.items()}


def _take_back(claims: list[_Claim], sales: dict[_Goods, list[_Sale]]) -> dict[int, str]:
    possible = [[sale.invoice for sale in _covering(claim, sales)] for claim in claims]
    everywhere = [invoice for invoice in possible[0] if all(invoice in each for each in possible)]
    found: dict[int, str] = {}
    for at, claim in enumerate(claims):
        # Asked again, because the line before may have taken the last of it.
        fitting = _covering(claim, sales)
        preferred = [sale for sale in fitting if sale.invoice in everywhere[:1]]
        for sale in (preferred or fitting)[:1]:
            sale.left -= claim.quantity
            found[at] = sale.invoice
    return found


def _covering(claim: _Claim, sales: dict[_Goods, list[_Sale]]) -> list[_Sale]:
    return [
        sale for sale in sales.get(claim.goods, ()) if sale.row < claim.row and sale.left >= claim.quantity
    ]


def _with_returns(order: OrderRecord, taken_back: dict[str, dict[int, str]]) -> OrderRecord:
    sources = taken_back.get(order.number, {})
    lines: list[OrderLine] = []
    items = 0
    for line in order.lines:
        if line.kind != "item":
            lines.append(line)
            continue
        lines.append(msgspec.structs.replace(line, returns=sources.get(items)))
        items += 1
    named = set(sources.values())
    single = named.pop() if len(named) == 1 and len(sources) == items else None
    return msgspec.structs.replace(order, lines=tuple(lines), returns=single)
