"""Every list of the admin can be searched, taken along as CSV that honours the search, and says what will be there while it is empty."""

import html
import re
from typing import NamedTuple

import many_rows
import pytest

from samlad import documents

PEOPLE = {"accept": "text/html"}
FRAMES = (
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SET ",
    "RESET",
    "SELECT pg_advisory_unlock",
    "CLOSE",
    "UNLISTEN",
    "DO ",
)
"""Statements that only open and close."""

LISTS = (
    "/admin/orders", "/admin/fulfilments", "/admin/returns", "/admin/till-sales", "/admin/till-keys", "/admin/store-work", "/admin/products", "/admin/stock", "/admin/stock/movements",
    "/admin/stock/lots", "/admin/stock/recalls", "/admin/stock/quarantine", "/admin/stock/counts", "/admin/stock/transfers",
    "/admin/stock/purchases", "/admin/stock/reorder", "/admin/stock/running-out", "/admin/stock/locations", "/admin/promotions",
    "/admin/customers", "/admin/segments", "/admin/documents", "/admin/subscriptions", "/admin/selling-plans", "/admin/gift-cards",
    "/admin/reviews", "/admin/questions", "/admin/channels", "/admin/channels?view=sharing", "/admin/staff", "/admin/keys", "/admin/delivery", "/admin/duplicates",
    "/admin/identity/conflicts", "/admin/identity/quarantine", "/admin/tax/rates", "/admin/audit", "/admin/books", "/admin/tracking",
)  # fmt: skip
ALWAYS_SOMETHING = {"/admin/staff", "/admin/audit", "/admin/tax/rates"}
"""Somebody must work here to look; what they did is kept; rates come along."""


async def test_an_empty_list_says_what_will_be_there(api) -> None:
    for path in LISTS:
        if path == "/admin/duplicates":
            continue  # of a pool of customers, which a shop without channels has none of
        page = await api.get(path, headers=PEOPLE)
        assert page.status_code == 200, path
        if path not in ALWAYS_SOMETHING:
            said = re.search(r'class="empty".*?<p>(.{20,})</p>', page.text, re.DOTALL)
            assert said, path


async def test_every_list_is_searched_and_taken_along(api, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    await shop.trade.follow()
    for path in LISTS:
        page = (await api.get(path, headers=PEOPLE)).text
        main = page[page.index("<main") : page.index("</main>")]
        if 'class="empty"' in main and 'type="search"' not in main:
            continue  # nothing to be searched yet
        search = re.search(r'<input class="input" type="search" name="(\w+)"', main)
        assert search, f"{path} cannot be searched"
        glue = "&" if "?" in path else "?"
        asked = f"{path}{glue}{search[1]}=zz-nothing-is-called-this"
        searched = await api.get(asked, headers=PEOPLE)
        assert searched.status_code == 200, asked
        assert 'class="empty"' in searched.text, f"{asked} finds what is not there"
        link = re.search(r'href="([^"]+)"[^>]* download', searched.text)
        assert link, f"{path} has no CSV"
        file = await api.get(html.unescape(link[1]))
        assert file.status_code == 200, (link[1], file.text[:300])
        assert file.headers["content-type"].startswith("text/csv"), link[1]
        rows = file.text.strip().splitlines()
        if not path.startswith("/admin/channels"):  # the whole tree, always
            assert len(rows) == 1, f"the CSV of {asked} does not honour the search"
    assert order.number in (await api.get("/admin/orders", headers=PEOPLE)).text


MOST_BYTES = 100_000
MANY_ROWS = (
    "/admin/orders", "/admin/fulfilments", "/admin/returns", "/admin/products", "/admin/stock", "/admin/stock/movements",
    "/admin/stock/counts", "/admin/stock/transfers", "/admin/stock/running-out", "/admin/promotions", "/admin/customers",
    "/admin/documents", "/admin/gift-cards", "/admin/reviews", "/admin/questions", "/admin/segments", "/admin/staff", "/admin/keys", "/admin/audit",
)  # fmt: skip
"""Lists that may grow for ever."""


@pytest.mark.slow
async def test_ten_thousand_rows_cost_what_a_few_do(wire: list[str], api, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    await shop.db.transaction(lambda tx: documents.issue(tx, order.id, documents.IssueInput()))
    web = str(shop.trade.web.id)
    effect = {"kind": "percent", "percent": 1_000}
    promotion = {"channel": web, "name": "Week", "is_automatic": False, "terms": {"effect": effect}}
    for path, body in (
        ("promotions", promotion),
        ("gift-cards", {"channel": web, "amount": 1_000, "note": "Thanks"}),
    ):
        made = await api.post(f"/api/{path}", json=body)
        assert made.status_code == 201, made.text
    await shop.trade.follow()
    await many_rows.seed(shop.db)
    few = await _cost(api, wire)
    await many_rows.multiply(shop.db)
    many = await _cost(api, wire)
    told = {
        path: f"{few[path].rows} and {rows} rows, {size:,} bytes, {few[path].statements} and {statements} statements"
        for path, (rows, size, statements) in many.items()
        if not few[path].rows < rows <= 52 or size > MOST_BYTES or statements > few[path].statements + 1
    }
    assert told == {}


class Cost(NamedTuple):
    rows: int
    size: int
    statements: int


async def _cost(api, wire: list[str]) -> dict[str, Cost]:
    """Rows, bytes and statements of each list when it is asked for again, as what never changes is remembered then."""
    found = {}
    for path in MANY_ROWS:
        first = await api.get(path, headers=PEOPLE, follow_redirects=True)
        assert first.status_code == 200, path
        wire.clear()
        page = await api.get(first.url, headers=PEOPLE)
        rows = page.text[page.text.index("<main") :].count("<tr") - 1
        found[path] = Cost(rows, len(page.content), sum(not sql.startswith(FRAMES) for sql in wire))
    return found
