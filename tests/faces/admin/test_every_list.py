"""Every list of the admin can be searched, taken along as CSV that honours the search, and says what will be there while it is empty."""

import html
import re
from pathlib import Path
from typing import NamedTuple

import many_rows
import pytest

from samlad import documents
from samlad.faces import admin

TEMPLATES = Path(admin.__file__).parent / "templates" / "admin"
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
    "/admin/orders", "/admin/fulfilments", "/admin/returns", "/admin/till-sales", "/admin/till-devices", "/admin/till-keys", "/admin/store-work", "/admin/products", "/admin/stock", "/admin/stock/movements",
    "/admin/stock/lots", "/admin/stock/recalls", "/admin/stock/quarantine", "/admin/stock/counts", "/admin/stock/transfers",
    "/admin/stock/purchases", "/admin/stock/reorder", "/admin/stock/running-out", "/admin/stock/locations", "/admin/promotions",
    "/admin/customers", "/admin/segments", "/admin/documents", "/admin/subscriptions", "/admin/selling-plans", "/admin/gift-cards",
    "/admin/reviews", "/admin/questions", "/admin/channels", "/admin/channels?view=sharing", "/admin/staff", "/admin/keys", "/admin/delivery", "/admin/duplicates",
    "/admin/content", "/admin/content/pictures", "/admin/content/redirects", "/admin/conversations", "/admin/destinations",
    "/admin/payments/settlements", "/admin/payments/disputes", "/admin/stock/supplier-returns", "/admin/system/events", "/admin/tracking/events",
    "/admin/tracking/parked", "/admin/tracking/plan", "/admin/tracking/plan/violations",
    "/admin/identity/conflicts", "/admin/identity/quarantine", "/admin/tax/rates", "/admin/audit", "/admin/books", "/admin/tracking",
)  # fmt: skip
ALWAYS_SOMETHING = {"/admin/staff", "/admin/audit", "/admin/tax/rates", "/admin/system/events"}
"""Somebody must work here to look; what they did is kept; rates come along."""


_FEW = "so few that one sees them all"
_FILTERED = "found by place, person, day or state, which filters say"
NOT_SEARCHED = {
    "book_days.html": _FILTERED, "book_shifts.html": _FILTERED, "book_tip_payouts.html": _FILTERED, "book_tips.html": _FILTERED,
    "destination.html": "batches, the latest first", "identity_conflicts.html": _FILTERED, "identity_quarantine.html": _FILTERED,
    "oauth_clients.html": _FEW, "order_papers_list.html": _FILTERED, "privacy.html": "what one customer asked for is on their page",
    "stock_recall.html": "who got one lot, in the order in which they are written to", "tax_schemes.html": _FEW,
    "customer_timeline.html": "of one customer, by kind, channel and day",
}  # fmt: skip
NO_CSV = {
    "destination.html": "by the API; what was sent is hashed", "oauth_clients.html": _FEW,
    "customer_timeline.html": "of one customer; their export has all of it",
}  # fmt: skip
NEVER_EMPTY = {
    "audit.html": "what staff do is kept", "staff.html": "somebody must work here to look", "tax_rates.html": "rates come along",
}  # fmt: skip
NOT_PAGED = {
    "channels.html": "a tree", "customer_privacy.html": "of one customer", "privacy_request.html": "files of one request",
    "order_papers_run.html": "one run, of at most so many orders as were picked", "tax.html": "sums of a period", "order_desk_table.html": "the table of orders.html, which has pages", "destination_new.html": _FEW,
}  # fmt: skip


def test_no_list_of_the_admin_is_forgotten() -> None:
    """Whatever lists rows that may become many is searched, taken along, read by pages, and teaches while it is empty."""
    lacking, used = [], set()

    def needs(name: str, is_there: bool, what: str, reasons: dict[str, str]) -> None:
        if not is_there and name not in reasons:
            lacking.append(f"{name}: {what}")
        elif not is_there:
            used.add((what, name))

    for path in sorted(TEMPLATES.glob("*.html")):
        text, name = path.read_text(), path.name
        if "p.export(" in text or 'list["items"]' in text or " list.items" in text:
            needs(name, "p.pages(" in text, "is read by pages", NOT_PAGED)
        if "p.pages(" not in text:
            continue
        bar = re.search(r"toolbar\(list, .*", text)
        searched = 'type="search"' in text or (
            bar is not None and not re.search(r'search=(none|"")', bar[0].partition("%}")[0])
        )
        needs(name, searched, "is searched", NOT_SEARCHED)
        needs(name, "p.export(" in text or "csv" in text, "is taken along", NO_CSV)
        needs(name, "ui.empty(" in text, "teaches while it is empty", NEVER_EMPTY)
    assert lacking == [], "mend them, or say why not: " + "; ".join(lacking)
    named = [
        ("is searched", NOT_SEARCHED),
        ("is taken along", NO_CSV),
        ("teaches while it is empty", NEVER_EMPTY),
    ]
    gone = [f"{name}: {what}" for what, reasons in named for name in reasons if (what, name) not in used]
    assert gone == [], "these need no reason any more"


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
