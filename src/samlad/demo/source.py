"""The shipped order file, opened: one DuckDB table `line` with what every other module needs to know of a line.

The file is a printout of invoices, so codes carry more than goods: postage, fees of Amazon and the bank, discounts,
gift vouchers, write-offs. Which is which is decided here, once.
"""

from importlib import resources

import duckdb

from samlad.demo.records import LineKind

FILE = resources.files("samlad.demo") / "data" / "uci_online_retail.parquet"

# Codes that are not goods. Everything else that was ever sold at a price is a product.
NON_PRODUCTS: dict[str, LineKind] = {
    "POST": "shipping",
    "DOT": "shipping",  # postage of the shop's own site, dotcomgiftshop
    "C2": "shipping",  # carriage
    "23444": "shipping",  # next day carriage
    "AMAZONFEE": "fee",
    "BANK CHARGES": "fee",
    "CRUK": "fee",  # commission to Cancer Research UK
    "23574": "fee",  # packing charge
    "23702": "fee",  # for a high resolution image
    "D": "discount",
    "M": "adjustment",  # typed in by hand, both ways
    "S": "adjustment",  # samples
    "B": "adjustment",  # bad debt
    "PADS": "adjustment",  # cushion pads at £0.001, a note to the packer
    "22016": "adjustment",  # a voucher for £100; vouchers are money owed, not goods
    "GIFT_0001_10": "adjustment",
    "GIFT_0001_20": "adjustment",
    "GIFT_0001_30": "adjustment",
    "GIFT_0001_40": "adjustment",
    "GIFT_0001_50": "adjustment",
}

# The file's names to ISO 3166-1. The Channel Islands are two codes there (JE, GG) and the file cannot tell them
# apart: the larger one stands for both. EU (reserved by ISO) and ZZ ("unknown region" in CLDR) are not countries,
# but Babel and CLDR name them.
COUNTRIES = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Brazil": "BR",
    "Canada": "CA",
    "Channel Islands": "JE",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "EIRE": "IE",
    "European Community": "EU",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "Malta": "MT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "RSA": "ZA",
    "Saudi Arabia": "SA",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "USA": "US",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
    "Unspecified": "ZZ",
}

# Upper case because 112 codes appear in both cases with the same description (85123A and 85123a).
# Half-even once per line: docs/decisions/uci-rounding.md.
_LINES = """
create table line as
with raw as (
    select
        file_row_number as row,
        InvoiceNo as invoice,
        InvoiceNo like 'C%' as cancelled,
        InvoiceDate as uk_time,
        CustomerID::varchar as customer,
        map($country_names, $country_codes)[Country] as country,
        upper(StockCode) as code,
        trim(Description) as description,
        Quantity as quantity,
        UnitPrice::decimal(12, 3) as price
    from read_parquet($file, file_row_number = true)
)
select
    *,
    round_even(quantity * price * 100, 0)::bigint as total_minor,
    map($other_codes, $other_kinds)[code] as other_kind,
    case
        when other_kind is not null then other_kind
        when max(price) over (partition by code) > 0 then 'item'
        else 'adjustment'  -- a code that was never sold and never named: only written off
    end as kind
from raw
"""


def open_source() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the table `line`, one row a line of the file, in a third of a second."""
    db = duckdb.connect()
    parameters = {
        "file": str(FILE),
        "country_names": list(COUNTRIES),
        "country_codes": list(COUNTRIES.values()),
        "other_codes": list(NON_PRODUCTS),
        "other_kinds": list(NON_PRODUCTS.values()),
    }
    db.execute(_LINES, parameters)
    return db
