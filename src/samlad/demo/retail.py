"""A British gift shop's year of trade, as records to import: the *Online Retail* data set (see NOTICE).

What goes in is one table of 541,909 invoice lines: code, 35 letters of description, quantity, price, time, customer,
country. What comes out are the records of `samlad.demo.records`:

- `products()` and `categories()`: the catalogue that the lines imply (`samlad.demo.products`, `samlad.demo.words`);
- `orders()`: all 25,900 invoices with returns tied to their sales (`samlad.demo.history`);
- `opening_stock()`: what is on the shelves today (`samlad.demo.stock_plan`);
- `facts()`: the totals that whoever imports must arrive at, £9,747,747.93 among them.

Nothing here knows a database or a channel. To map your own shop's files, copy the shape: read with DuckDB, decide once
what each foreign code means (`samlad.demo.source`), and hand over frozen records that say what the file says.
"""

from samlad.demo.history import facts, orders
from samlad.demo.products import products
from samlad.demo.records import CategoryRecord, Facts, OrderLine, OrderRecord, ProductRecord, VariantRecord
from samlad.demo.source import open_source
from samlad.demo.stock_plan import WAREHOUSE, StockLine, opening_stock
from samlad.demo.words import categories

__all__ = [
    "WAREHOUSE",
    "CategoryRecord",
    "Facts",
    "OrderLine",
    "OrderRecord",
    "ProductRecord",
    "StockLine",
    "VariantRecord",
    "categories",
    "facts",
    "open_source",
    "opening_stock",
    "orders",
    "products",
]
