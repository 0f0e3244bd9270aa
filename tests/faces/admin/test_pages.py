"""Every page of the admin over HTTP: it opens, it is guarded, its acts do what they say, and names are only names."""

import asyncio
import re
from uuid import UUID

import pytest
from test_subscription_pages import subscribe

from samlad import conversations, orders, reviews, stock
from samlad.access.permissions import Role, permissions_of
from samlad.conversations import BeginInput
from samlad.faces.admin import routes
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.reviews import ReviewInput

PEOPLE = {"accept": "text/html"}
HTMX = {**PEOPLE, "hx-request": "true"}
OPEN = {"/admin/sign-in", "/admin/sign-in/code", "/admin/link/{token:str}", "/admin/sign-out"}
HOSTILE = '<script>alert("x")</script>{{ 7*7 }}'
RIGHT_TO_LEFT = "متجر ‮القهوة"


def acts_of(page: str) -> list[str]:
    """The addresses of a page's forms."""
    return re.findall(r'<form[^>]* action="([^"]+)" method="post"', page)


def undo_of(page: str) -> str:
    """The address that the message of a page offers to undo by."""
    return re.search(r'action="(/admin/undo/[^"]+)"', page)[1]


async def paths_of(shop, order) -> list[str]:
    rows = await shop.db.rows("SELECT id FROM customer LIMIT 1")
    product = shop.products["KTL-150"]
    return [
        "/admin", "/admin?period=months", "/admin/overview/hints", "/admin/orders", f"/admin/orders/{order.id}",
        f"/admin/orders/{order.id}/change", "/admin/returns", "/admin/returns?overdue=true",
        "/admin/orders?status=paid&channel=web&first=2020-01-01&last=2099-01-01&q=W10", "/admin/orders?cursor=rubbish&sort=rubbish",
        "/admin/products", "/admin/products?q=kettel", "/admin/products?q=nothing-at-all", "/admin/products/new", "/admin/products/import",
        *(f"/admin/products/{product}?tab={tab}" for tab in ("details", "variants", "stock", "channels", "languages", "x")),
        f"/admin/variants/{shop.variants['KTL-150']}/prices", "/admin/stock", "/admin/stock?state=low&location=dc",
        "/admin/stock/movements", "/admin/stock/lots", "/admin/stock/lots?state=expired&within_days=7", "/admin/stock/recalls",
        "/admin/stock/quarantine", "/admin/stock/quarantine?state=done", "/admin/stock/counts", "/admin/stock/transfers", "/admin/stock/transfers/new",
        "/admin/stock/receipts/new", "/admin/stock/purchases", "/admin/stock/purchases/new", "/admin/stock/reorder",
        "/admin/stock/locations", f"/admin/stock/locations/{shop.trade.warehouse.id}",
        f"/admin/stock/levels/{shop.trade.warehouse.id}/{shop.variants['KTL-150']}", "/admin/customers", "/admin/customers?q=kim", *(f"/admin/customers/{row['id']}" for row in rows),
        "/admin/channels", "/admin/channels?view=sharing", f"/admin/channels/{shop.trade.malmo.id}", "/admin/channels/new",
        "/admin/delivery", "/admin/delivery/new", f"/admin/delivery/locations/{shop.trade.at_malmo.id}",
        "/admin/gift-cards", "/admin/gift-cards?status=active", "/admin/gift-cards/new", "/admin/loyalty",
        "/admin/staff", "/admin/staff/new", "/admin/keys", "/admin/keys/new", "/admin/audit", "/admin/system",
        "/admin/system/events", "/admin/style", "/admin/promotions", "/admin/promotions?q=a&state=active", "/admin/promotions/new", "/admin/promotions/new?kind=tiers",
        "/admin/search?q=kettle", "/admin/search/options?q=W1", "/admin/search",
    ]  # fmt: skip


@pytest.mark.parametrize("locale", ["en", "sv", "nl"])
async def test_every_page_opens(api, shop, locale: str) -> None:
    order = await shop.buy("MUG-032", 2)
    await shop.trade.follow()
    for path in await paths_of(shop, order):
        answer = await api.get(path, headers={**PEOPLE, "accept-language": locale})
        assert answer.status_code == 200, (path, answer.text[:500])
        assert len(answer.content) < 100_000, path


async def test_empty_shops_are_told_what_to_do(api) -> None:
    assert "data-start-card" in (await api.get("/admin", headers=PEOPLE)).text
    for path in (
        "/admin/products",
        "/admin/orders",
        "/admin/stock",
        "/admin/customers",
        "/admin/channels",
        "/admin/keys",
    ):
        page = await api.get(path, headers=PEOPLE)
        assert page.status_code == 200, path
        assert 'class="empty"' in page.text, path


def _all_paths() -> list[tuple[str, str]]:
    found = {
        (method, route.path_format)
        for router in routes.routes
        for route in router.routes
        for method in getattr(route, "methods", ())
    }
    return sorted(pair for pair in found if pair[0] in ("GET", "POST"))


async def test_no_page_is_open_to_strangers(api_as, shop) -> None:
    async with api_as(GUEST) as guest:
        checked = 0
        for method, template in _all_paths():
            if template.replace("{token}", "{token:str}") in OPEN:
                continue
            path = re.sub(
                r"\{(\w+)\}",
                lambda hole: (
                    {"act": "x", "signed": "x", "follower": "x", "number": "1"}.get(hole[1]) or str(new_id())
                ),
                template,
            )
            answer = await guest.request(method, path, headers=PEOPLE, data={} if method == "POST" else None)
            assert answer.status_code in (303, 401), (method, path, answer.status_code)
            checked += 1
        assert checked > 40


@pytest.mark.parametrize("role", list(Role))
async def test_roles_see_what_is_theirs_and_nothing_breaks(api_as, shop, role: Role) -> None:
    order = await shop.buy("MUG-032", 2)
    somebody = Actor(kind="staff", id=new_id(), name="Sam", permissions=permissions_of(role))
    async with api_as(somebody) as client:
        home = await client.get("/admin", headers=PEOPLE)
        hrefs = set(re.findall(r'href="(/admin[^"#]*)"', home.text))
        for href in hrefs - {"/admin/profile"}:  # this somebody is not in the database
            answer = await client.get(href.replace("&amp;", "&"), headers=PEOPLE, follow_redirects=True)
            assert answer.status_code == 200, (
                role,
                href,
                answer.status_code,
            )  # what is offered may be opened
        for path in await paths_of(shop, order):
            assert (await client.get(path, headers=PEOPLE)).status_code in (200, 403), path


async def test_store_staff_see_their_own(api_as, shop) -> None:
    trade = shop.trade
    online = await shop.buy("MUG-032", 1)
    carried = await shop.buy("MUG-032", 1, channel=trade.malmo)
    bound = Actor(
        kind="staff",
        id=new_id(),
        name="Malin",
        permissions=permissions_of(Role.STORE),
        locations=frozenset({trade.at_malmo.id}),
    )
    async with api_as(bound) as client:
        desk = (await client.get("/admin/orders")).text
        assert carried.number in desk
        assert online.number not in desk
        assert (await client.get(f"/admin/orders/{online.id}", headers=PEOPLE)).status_code == 404
        shelves = (await client.get("/admin/stock?location=dc")).text
        assert "Warehouse" not in shelves
        assert "MUG-032" in shelves
        refused = await client.post(
            "/admin/stock/correct",
            data={
                "location": str(trade.warehouse.id),
                "variant": str(shop.variants["MUG-032"]),
                "known": "5",
                "on_hand": "1",
                "reason": "x",
            },
        )
        assert refused.status_code == 403


async def test_what_store_staff_may_not_open_is_no_link(api_as, shop) -> None:
    trade = shop.trade
    online = await shop.buy("MUG-032", 1)
    carried = await shop.buy("MUG-032", 1, channel=trade.malmo)
    assert online.email is not None

    async def work(tx: Tx) -> list[str]:
        talked = [
            await conversations.begin(
                tx,
                BeginInput(
                    channel=trade.web.id, subject="Hi", body="Hi", email=online.email, order=order.number
                ),
            )
            for order in (online, carried)
        ]
        assert [each.order for each in talked] == [online.id, carried.id]
        sent = await orders.fulfil(tx, online.id, orders.FulfilInput())
        told = ReviewInput(product=shop.products["MUG-032"], stars=4, language="en", text="Good.")
        review = await reviews.write_for_order(tx, sent.id, told)
        return [
            *(f"/admin/conversations/{each.id}" for each in talked),
            f"/admin/reviews/{review.id}",
            f"/admin/customers/{talked[0].customer}",
        ]

    paths = await shop.db.transaction(work)
    subscription = await subscribe(shop)
    paths.append(f"/admin/subscriptions/{subscription.id}")
    bound = Actor(
        kind="staff",
        id=new_id(),
        name="Malin",
        permissions=permissions_of(Role.STORE),
        locations=frozenset({trade.at_malmo.id}),
    )
    async with api_as(bound) as client, api_as() as owner:
        found = set()
        for path in paths:
            theirs = re.findall(r'href="(/admin/orders/[0-9a-f-]+)"', (await owner.get(path)).text)
            page = await client.get(path)
            assert page.status_code == 200, path
            for href in re.findall(r'href="(/admin/orders/[0-9a-f-]+)"', page.text):
                assert (await client.get(href, headers=PEOPLE)).status_code == 200, (path, href)
                found.add(href)
            assert theirs or "/customers/" in path or f"/admin/orders/{carried.id}" in found, path
    assert f"/admin/orders/{carried.id}" in found, "their own is one still"


async def test_what_a_page_would_not_send_is_refused_where_it_was_typed(api, shop) -> None:
    order = await shop.buy("MUG-032", 1)
    for tags in ("x" * 41, "gift, a/b", "x" * 5000):
        refused = await api.post(f"/admin/orders/{order.id}/words/tag", data={"tags": tags}, headers=HTMX)
        assert refused.status_code == 422, tags[:50]
        assert "at most 40 characters" in refused.text
    data = BeginInput(channel=shop.trade.web.id, subject="Hi", body="Hi", email="kim@example.org")
    talk = await shop.db.transaction(lambda tx: conversations.begin(tx, data))
    for wrong in ({"assignee": "nobody"}, {"assignee": str(new_id())}, {"state": "lost"}):
        refused = await api.post(f"/admin/conversations/{talk.id}/change", data=wrong, headers=PEOPLE)
        assert refused.status_code == 422, wrong
        assert 'class="error"' in refused.text or "notice" in refused.text
    assert (
        await api.post(f"/admin/conversations/{talk.id}/change", data={"assignee": ""})
    ).status_code == 303


async def test_hostile_names_are_only_names(api, shop) -> None:
    await shop.trade.db.rows(
        "UPDATE product SET title = $1 WHERE id = $2 RETURNING 1", HOSTILE, shop.products["KTL-150"]
    )
    cart = await shop.cart(
        "KTL-150",
        email="x@example.org",
        address={
            "name": HOSTILE,
            "line1": RIGHT_TO_LEFT,
            "postal_code": "211 34",
            "city": HOSTILE,
            "country": "SE",
        },
    )
    order = await shop.trade.place(cart.id)
    await shop.trade.follow()
    for path in await paths_of(shop, order):
        page = (await api.get(path, headers=PEOPLE)).text
        assert HOSTILE not in page, path
        assert "{{ 7*7 }}" not in page or "&lt;script&gt;" in page, path


# -- orders ------------------------------------------------------------------------------------------------------------------


async def test_an_order_is_handed_over_in_parts_and_taken_back(api, shop) -> None:
    order = await shop.buy("MUG-032", 3)
    here = f"/admin/orders/{order.id}"
    page = (await api.get(here)).text
    assert {f"{here}/fulfil", f"{here}/cancel"} <= set(acts_of(page))
    assert f"{here}/return" not in acts_of(page)
    wrong = await api.post(f"{here}/fulfil", data={"version": str(order.version), "fulfil-1": "9"})
    assert wrong.status_code == 422
    assert "Nothing was changed yet" in wrong.text
    nothing = await api.post(f"{here}/fulfil", data={"version": str(order.version), "fulfil-1": "0"})
    assert "Choose at least one piece." in nothing.text
    assert (
        await api.post(f"{here}/fulfil", data={"version": str(order.version), "fulfil-1": "2"})
    ).status_code == 303
    assert "The rest waits." in (await api.get(here)).text
    late = await api.post(f"{here}/fulfil", data={"version": str(order.version), "fulfil-1": "1"})
    assert late.status_code == 412
    now = await orders.read(shop.db, order.id)
    back = {"version": str(now.version), "return-1": "1", "restock": "1", "refund": "1", "reason": "Chipped"}
    assert (await api.post(f"{here}/return", data=back)).status_code == 303
    page = (await api.get(here)).text
    assert "Chipped" in page
    after = await orders.read(shop.db, order.id)
    assert (after.lines[0].fulfilled, after.lines[0].returned, after.refunded) == (2, 1, 14_500)


async def test_an_order_is_cancelled_or_paid(api, shop) -> None:
    order = await shop.buy("MUG-032", 1, pay_later=True)
    here = f"/admin/orders/{order.id}"
    assert f"{here}/pay" in acts_of((await api.get(here)).text)
    assert (
        await api.post(f"{here}/pay", data={"version": str(order.version), "provider": "cash"})
    ).status_code == 303
    paid = await orders.read(shop.db, order.id)
    assert paid.payment_status == "paid"
    assert (
        await api.post(f"{here}/cancel", data={"version": str(paid.version), "reason": "Changed their mind"})
    ).status_code == 303
    page = (await api.get(here)).text
    acts = acts_of(page.split("<main")[1].split("</main>")[0])
    assert [act for act in acts if "/words/" not in act] == []  # tags and notes stay possible
    assert "Changed their mind" in page
    assert (await api.post(f"{here}/explode", data={}, headers=PEOPLE)).status_code == 404


async def test_what_has_come_since_is_marked(api, shop) -> None:
    first = await shop.buy("MUG-032", 1)
    second = await shop.buy("MUG-032", 1)
    desk = (await api.get("/admin/orders", params={"seen": first.placed_at.isoformat()})).text
    assert re.search(rf'<tr class="arrived" data-order="{second.number}"', desk)
    assert re.search(rf'<tr data-order="{first.number}"', desk)


async def test_lists_are_paged_forth_and_back(api, shop) -> None:
    for _ in range(3):
        await shop.buy("MUG-032", 1)
    numbers = re.findall(r'data-order="(\w+)"', (await api.get("/admin/orders?sort=number")).text)
    assert numbers == sorted(numbers)
    assert (await api.get("/api/orders?format=csv")).text.count("\n") == 4


# -- stock ---------------------------------------------------------------------------------------------------------------------


async def on_hand(shop, sku: str, at) -> int:
    levels = await stock.levels_of(shop.db, [shop.variants[sku]])
    return next((level.on_hand for level in levels if level.location == at.id), 0)


async def test_stock_is_corrected_with_a_reason_and_taken_back(api, shop) -> None:
    place = shop.trade.warehouse
    line = {
        "location": str(place.id),
        "variant": str(shop.variants["KTL-150"]),
        "known": "12",
        "back": "/admin/stock?sku=KTL-150",
    }
    silent = await api.post("/admin/stock/correct", data={**line, "on_hand": "11", "reason": " "})
    assert silent.status_code == 422
    assert "Please say why" in silent.text
    done = await api.post(
        "/admin/stock/correct", data={**line, "on_hand": "9", "reason": "Fell down", "is_damage": "1"}
    )
    assert done.headers["location"] == "/admin/stock?sku=KTL-150"
    assert await on_hand(shop, "KTL-150", place) == 9
    page = (await api.get(done.headers["location"])).text
    assert "Booked: -3 pieces." in page
    assert "Fell down" in (await api.get("/admin/stock/movements?cause=damage")).text
    assert (await api.post(undo_of(page))).status_code == 303
    assert await on_hand(shop, "KTL-150", place) == 12
    elsewhere = await api.post(
        "/admin/stock/correct", data={**line, "back": "//evil", "on_hand": "12", "reason": "x"}
    )
    assert elsewhere.headers["location"] == "/admin/stock"


async def test_what_is_sent_twice_is_done_once(api, shop) -> None:
    """A double click, a page sent again: each form has a word of its own. Shown again it may say the same again."""
    page = (await api.get("/admin/stock?sku=KTL-150")).text
    words = re.findall(r'name="_once" value="([^"]+)"', page)
    assert len(words) == len(set(words)) > 1
    line = {
        "location": str(shop.trade.warehouse.id),
        "variant": str(shop.variants["KTL-150"]),
        "known": "12",
        "on_hand": "9",
        "_once": words[0],
    }
    refused = await api.post("/admin/stock/correct", data={**line, "reason": ""})
    assert refused.status_code == 422  # and may be sent again
    answers = await asyncio.gather(
        *(api.post("/admin/stock/correct", data={**line, "reason": "Fell"}) for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409]
    assert "Nothing was done twice." in next(answer for answer in answers if answer.status_code == 409).text
    assert await on_hand(shop, "KTL-150", shop.trade.warehouse) == 9
    other = await api.post("/admin/stock/correct", data={**line, "reason": "Fell", "_once": words[1]})
    assert other.status_code == 303
    assert await on_hand(shop, "KTL-150", shop.trade.warehouse) == 6


async def test_goods_come_in_by_lines(api, shop) -> None:
    form = {"location": "dc", "lines": "KTL-150 3\nMUG-032\nMUG-032\n\nLIN-TT2;4", "note": "D-17"}
    assert (await api.post("/admin/stock/receipts/new", data=form)).status_code == 303
    assert await on_hand(shop, "KTL-150", shop.trade.warehouse) == 15
    assert await on_hand(shop, "MUG-032", shop.trade.warehouse) == 320
    assert await on_hand(shop, "LIN-TT2", shop.trade.warehouse) == 6
    wrong = await api.post("/admin/stock/receipts/new", data={**form, "lines": "NO-SUCH 3"})
    assert wrong.status_code == 422
    assert "NO-SUCH 3</textarea>" in wrong.text
    assert "is not known here" in wrong.text


async def test_a_count_is_entered_and_booked(api, shop) -> None:
    begun = await api.post("/admin/stock/counts", data={"location": "dc", "note": "Shelf 4"})
    here = begun.headers["location"]
    assert (await api.post(f"{here}/enter", data={"lines": "KTL-150 10"})).status_code == 303
    page = (await api.get(here)).text
    assert "-2" in page or "−2" in page
    assert (await api.post(f"{here}/close")).status_code == 303
    assert await on_hand(shop, "KTL-150", shop.trade.warehouse) == 10
    assert (await api.post(f"{here}/enter", data={"lines": "KTL-150 1"})).status_code == 409


async def test_scanned_codes_add_up_and_a_blind_count_tells_nothing(api, shop) -> None:
    await shop.db.rows("UPDATE variant SET gtin = '4006381333931' WHERE sku = 'KTL-150' RETURNING 1")
    begun = await api.post("/admin/stock/counts", data={"location": "dc", "is_blind": "1"})
    here = begun.headers["location"]
    for lines in ("4006381333931\n4006381333931\nKTL-150", "4006381333931 7"):
        assert (await api.post(f"{here}/enter", data={"lines": lines})).status_code == 303
    page = (await api.get(here)).text
    assert ">10</td>" in page
    assert ">12</td>" not in page, "what the books say"
    await api.post(f"{here}/enter", data={"lines": "KTL-150 11", "is_again": "1"})
    assert (await api.post(f"{here}/close")).status_code == 303
    assert await on_hand(shop, "KTL-150", shop.trade.warehouse) == 11


async def test_a_count_that_differs_by_much_waits_for_somebody_else(api, api_as, shop) -> None:
    place = f"/admin/stock/locations/{shop.trade.warehouse.id}"
    kept = {"buffer": "3", "is_active": "1", "variance_units": "1", "variance_value": "1 000,00"}
    assert (await api.post(place, data=kept)).status_code == 303
    assert 'value="1000.00"' in (await api.get(place)).text
    here = (await api.post("/admin/stock/counts", data={"location": "dc"})).headers["location"]
    await api.post(f"{here}/enter", data={"lines": "KTL-150 10"})
    await api.post(f"{here}/close")
    assert await on_hand(shop, "KTL-150", shop.trade.warehouse) == 12
    assert "Somebody who has not counted" in (await api.get(here)).text
    refused = await api.post(f"{here}/approve")
    assert (refused.status_code, "has not counted must approve" in refused.text) == (409, True)
    boss = Actor(kind="staff", id=new_id(), name="Sam", permissions=permissions_of(Role.MANAGER))
    async with api_as(boss) as other:
        assert (await other.post(f"{here}/approve")).status_code == 303
    assert await on_hand(shop, "KTL-150", shop.trade.warehouse) == 10


async def test_what_a_channel_gets_is_said_and_explained(api, shop) -> None:
    trade = shop.trade
    place = f"/admin/stock/locations/{trade.warehouse.id}"
    wrong = await api.post(place, data={"buffer": "-1", "is_active": "1"})
    assert wrong.status_code == 422
    rule = f"{place}/channels/{trade.web.id}"
    assert (await api.post(rule, data={f"kept-{trade.web.id}": "5", "is_served": "1"})).status_code == 303
    level = f"/admin/stock/levels/{trade.warehouse.id}/{shop.variants['KTL-150']}"
    form = {"low_at": "2", "backorder_limit": "4", "backorder_on": "2099-12-24", "reorder_point": "20"}
    assert (await api.post(level, data=form)).status_code == 303
    for name, value in (("backorder_on", "soon"), ("low_at", "-3"), ("reorder_point", "many")):
        assert (await api.post(level, data={**form, name: value})).status_code == 422
    (promise,) = await stock.promises(shop.db, trade.web, [shop.variants["KTL-150"]])
    assert (promise.available, promise.backorder) == (7, 4)
    page = (await api.get(f"{level}?channel=web")).text
    assert "24 Dec 2099" in page
    assert "Copper kettle" in (await api.get("/admin/stock/reorder")).text
    await api.post(rule, data={})
    assert "does not serve this channel" in (await api.get(f"{level}?channel=web")).text
    assert (await api.get(f"/admin/stock/levels/{trade.warehouse.id}/{new_id()}")).status_code == 404


async def test_goods_are_bought_and_received(api, shop) -> None:
    wrong = await api.post("/admin/stock/suppliers", data={"name": "Bodum", "code": "Not a code"})
    assert wrong.status_code == 422
    made = await api.post("/admin/stock/suppliers", data={"name": "Bodum", "code": "bodum"})
    assert made.headers["location"] == "/admin/stock/purchases/new?supplier=bodum"
    form = {"supplier": "bodum", "location": "dc", "lines": "KTL-150; 3; 89,1234\nMUG-032 10"}
    for name, value in (
        ("supplier", "nobody"),
        ("location", "nowhere"),
        ("lines", "KTL-150"),
        ("lines", "KTL-150; 3; 0.0000001"),
        ("lines", "KTL-150; 3; 1e999999"),
        ("lines", "KTL-150; 0"),
        ("lines", ""),
    ):
        refused = await api.post("/admin/stock/purchases/new", data={**form, name: value})
        assert refused.status_code == 422, (name, value)
    here = (await api.post("/admin/stock/purchases/new", data=form)).headers["location"]
    assert "89.12" in (await api.get(here)).text
    stale = await api.post(f"{here}/order", data={"version": "7"})
    assert stale.status_code == 412
    assert (await api.post(f"{here}/order", data={"version": "1"})).status_code == 303
    receipt = re.search(r'name="receipt" value="([^"]+)"', (await api.get(here)).text)[1]
    version = re.search(r'name="version" value="(\d+)"', (await api.get(here)).text)[1]
    came = {"receipt": receipt, "version": version, "lines": "KTL-150\nKTL-150", "note": "D-1"}
    for _ in range(2):  # the button was pressed twice
        assert (await api.post(f"{here}/receive", data=came)).status_code == 303
    twice = await api.post(f"{here}/receive", data={**came, "receipt": str(new_id())})
    assert twice.status_code == 412, "two who receive the same delivery from their own pages book it once"
    assert await on_hand(shop, "KTL-150", shop.trade.warehouse) == 14
    for costs in ("MUG-032;x", "NO-SUCH;9.99", "9.99"):
        wrong = await api.post(f"{here}/receive", data={"receipt": str(new_id()), "costs": costs})
        assert wrong.status_code == 422, costs
    rest = {"receipt": str(new_id()), "costs": "MUG-032;9.99"}
    assert (await api.post(f"{here}/receive", data=rest)).status_code == 303
    assert await on_hand(shop, "MUG-032", shop.trade.warehouse) == 328
    page = (await api.get(here)).text
    assert "All here" in page
    assert "D-1" in page
    assert "came at" in page, "the mugs cost something else than was ordered"
    assert (await api.post(f"{here}/cancel")).status_code == 409
    assert "All here" in (await api.get("/admin/stock/purchases?status=received")).text
    await shop.db.rows(
        "UPDATE product SET supplier = 'bodum' WHERE id = $1 RETURNING 1", shop.products["LIN-TT2"]
    )
    level = f"/admin/stock/levels/{shop.trade.warehouse.id}/{shop.variants['LIN-TT2']}"
    await api.post(level, data={"low_at": "2", "reorder_point": "5", "reorder_quantity": "12"})
    proposal = {"supplier": "bodum", "location": "dc"}
    drafted = await api.post("/admin/stock/reorder", data=proposal)
    assert "Linen tea towel" in (await api.get(drafted.headers["location"])).text
    assert (await api.post("/admin/stock/reorder", data=proposal)).status_code == 409


async def test_a_transfer_leaves_and_arrives_in_parts(api, shop) -> None:
    trade = shop.trade
    sent = await api.post(
        "/admin/stock/transfers/new", data={"origin": "dc", "destination": "malmo", "lines": "KTL-150 5"}
    )
    here = sent.headers["location"]
    arrived = f"arrived-{shop.variants['KTL-150']}"
    many = await api.post(f"{here}/receive", data={arrived: "9"}, headers=PEOPLE)
    assert (many.status_code, "Of “KTL-150” only 5 such units are under way." in many.text) == (409, True)
    seen = {
        arrived: "2",
        "version": re.search(r'name="version" value="(\d+)"', (await api.get(here)).text)[1],
    }
    assert (await api.post(f"{here}/receive", data=seen)).status_code == 303
    again = await api.post(f"{here}/receive", data=seen)
    assert again.status_code == 412, "pressed twice, or two who receive the same: booked once"
    assert await on_hand(shop, "KTL-150", trade.at_malmo) == 2
    assert (await api.post(f"{here}/cancel")).status_code == 303
    assert await on_hand(shop, "KTL-150", trade.warehouse) == 10
    for page in (here, "/admin/stock/transfers"):
        assert "Rest called off" in (await api.get(page, headers=PEOPLE)).text, "two of it had come"
    none = await api.post(
        "/admin/stock/transfers/new", data={"origin": "dc", "destination": "dc", "lines": "KTL-150 5"}
    )
    assert none.status_code == 422


async def test_what_is_lost_on_the_way_is_written_off_and_taken_back(api, shop) -> None:
    sent = await api.post(
        "/admin/stock/transfers/new", data={"origin": "dc", "destination": "malmo", "lines": "KTL-150 5"}
    )
    here, lost = sent.headers["location"], f"lost-{shop.variants['KTL-150']}"
    shown = re.search(r'name="version" value="(\d+)"', (await api.get(here, headers=PEOPLE)).text)[1]
    wrong = await api.post(f"{here}/lose", data={lost: "2", "version": shown}, headers=PEOPLE)
    assert (wrong.status_code, "kept in the ledger" in wrong.text) == (422, True)
    none = await api.post(f"{here}/lose", data={lost: "0", "reason": "stolen"}, headers=PEOPLE)
    assert (none.status_code, "at least one piece" in none.text) == (422, True)
    seen = {lost: "2", "reason": "stolen", "version": shown}
    gone = await api.post(f"{here}/lose", data=seen)
    assert gone.status_code == 303
    page = (await api.get(here, headers=PEOPLE)).text
    assert (await api.post(f"{here}/lose", data=seen)).status_code == 412, "pressed twice it is lost once"
    assert ("Found after all?" in page, "stolen" in (await api.get("/admin/stock/movements")).text) == (
        True,
        True,
    )
    assert (await api.post(undo_of(page))).headers["location"] == here
    assert "Found after all?" not in (await api.get(here, headers=PEOPLE)).text
    await api.post(f"{here}/lose", data={lost: "5", "reason": "stolen"})
    assert "Lost on the way" in (await api.get("/admin/stock/transfers", headers=PEOPLE)).text
    assert (await api.post(f"{here}/find")).status_code == 303
    await api.post(f"{here}/receive", data={})
    assert await on_hand(shop, "KTL-150", shop.trade.at_malmo) == 5


# -- products --------------------------------------------------------------------------------------------------------------------


async def test_a_product_is_made_with_variants_and_found(api, shop) -> None:
    form = {
        "title": "Wool throw",
        "status": "active",
        "tax_class": "standard",
        "sku": "THR",
        "price": "1 199,00",
        "option": "Colour",
        "values": "Moss, Heather",
    }
    made = await api.post("/admin/products/new", data=form)
    assert made.status_code == 303, made.text
    product = (await api.get(f"/api{made.headers['location'].removeprefix('/admin')}")).json()
    assert [variant["sku"] for variant in product["variants"]] == ["THR-MOSS", "THR-HEATHER"]
    assert "1,199.00" in (await api.get(f"{made.headers['location']}?tab=variants")).text
    assert "Wool throw" in (await api.get("/admin/products?q=wol trow")).text
    assert "Wool throw" in (await api.get("/admin/search/options?q=THR-MOSS")).text
    taken = await api.post("/admin/products/new", data={**form, "option": "", "sku": "KTL-150"})
    assert taken.status_code == 422
    assert 'id="f-sku-error"' in taken.text
    for wrong, field in (
        ({"price": "-1"}, "price"),
        ({"option": "", "price": "-1"}, "price"),
        ({"sku": "x" * 500}, "sku"),
    ):
        refused = await api.post("/admin/products/new", data={**form, **wrong})
        assert refused.status_code == 422
        assert f'id="f-{field}-error"' in refused.text


async def test_a_product_is_changed_and_a_clash_told_kindly(api, shop) -> None:
    here = f"/admin/products/{shop.products['KTL-150']}"
    page = (await api.get(here)).text
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    form = {
        "version": version, "title": "Copper kettle", "handle": "copper-kettle", "description": "<p>Warm</p>", "status": "active",
        "category": "", "brand": "Hemma", "supplier": "", "tax_class": "standard", "tags": "kitchen, tea", "media": "", "seo_title": "", "seo_description": "",
    }  # fmt: skip
    assert (await api.post(here, data=form)).status_code == 303
    page = (await api.get(here)).text
    assert "<h1>Copper kettle</h1>" in page
    clash = await api.post(here, data={**form, "title": "Mine"})
    assert clash.status_code == 412
    assert 'value="Mine"' in clash.text
    assert "Somebody changed this meanwhile." in clash.text
    anew = re.search(r'name="version" value="(\d+)"', clash.text)[1]
    assert (await api.post(here, data={**form, "title": "Mine", "version": anew})).status_code == 303, (
        "who has been told may put theirs over it"
    )
    mine = (await api.get(here)).text
    assert "<h1>Mine</h1>" in mine
    assert (await api.post(undo_of(mine))).status_code == 303
    assert "<h1>Copper kettle</h1>" in (await api.get(here)).text


async def test_prices_and_barcodes_of_variants_are_changed(api, shop) -> None:
    variant, here = shop.variants["KTL-150"], f"/admin/products/{shop.products['KTL-150']}"
    version = (await api.get(f"/api/products/{shop.products['KTL-150']}")).json()["version"]
    row = {
        f"gtin-{variant}": "7310865004703",
        f"weight-{variant}": "900",
        f"status-{variant}": "active",
        f"price-{variant}": "749,50",
        f"was-{variant}": "899",
    }
    assert (await api.post(f"{here}/variants", data={"version": str(version), **row})).status_code == 303
    page = (await api.get(f"{here}?tab=variants")).text
    assert 'value="7310865004703"' in page
    assert 'value="749.50"' in page
    history = (await api.get(f"/admin/variants/{variant}/prices")).text
    assert "749.50" in history
    assert "899.00" in history
    wrong = await api.post(f"{here}/variants", data={**row, f"gtin-{variant}": "123"})
    assert wrong.status_code == 422


async def test_texts_and_listings(api, shop) -> None:
    here = f"/admin/products/{shop.products['KTL-150']}"
    assert (
        await api.post(f"{here}/languages", data={"title-nl": "Koperen ketel", "title-en": ""})
    ).status_code == 303
    assert 'value="Koperen ketel"' in (await api.get(f"{here}?tab=languages")).text
    seen = re.search(r'href="([^"]*/p/[^"]+)"', (await api.get(here)).text)
    assert seen is not None, "a link into the shop"
    assert (await api.get(seen[1])).status_code == 200
    program = f"/api/products/{shop.products['KTL-150']}"
    assert (await api.patch(program, json={"status": "archived"})).status_code == 200
    assert "See it in the shop" not in (await api.get(here)).text
    assert (await api.patch(program, json={"status": "active"})).status_code == 200
    channel = shop.trade.malmo.id
    hidden = await api.post(f"{here}/channels/{channel}", data={"title": "Kettle of Malmö", "price": "799"})
    assert hidden.status_code == 303
    page = (await api.get(f"{here}?tab=channels")).text
    assert "Kettle of Malmö" in page
    assert "Hidden" in page
    late = await api.post(
        f"{here}/channels/{channel}", data={"title": "Late", "price": "1", "version": "0", "published": "1"}
    )
    assert late.status_code == 412
    assert "Somebody changed this meanwhile." in late.text
    assert 'value="Late"' in late.text, "nothing that was typed is lost"
    assert "data-open-now" in late.text
    wrong = await api.post(f"{here}/channels/{channel}", data={"title": "Dear", "price": "dear"})
    assert wrong.status_code == 422
    assert 'value="Dear"' in wrong.text
    assert "Kettle of Malmö" in (await api.get(f"{here}?tab=channels")).text
    assert (await api.post(f"{here}/channels/{channel}", data={"act": "forget"})).status_code == 303
    assert "Kettle of Malmö" not in (await api.get(f"{here}?tab=channels")).text


# -- customers, staff, keys -----------------------------------------------------------------------------------------------------------


async def test_a_customer_is_changed_and_changed_back(api, shop) -> None:
    await shop.buy("MUG-032", 1)
    await shop.trade.follow()
    row = (await shop.db.rows("SELECT id, version FROM customer"))[0]
    here = f"/admin/customers/{row['id']}"
    assert "W1001" in (await api.get(here)).text
    wrong = await api.post(
        here, data={"version": str(row["version"]), "name": "Kim", "email": "not an address"}
    )
    assert wrong.status_code == 422
    assert 'id="f-email-error"' in wrong.text
    assert (
        await api.post(
            here, data={"version": str(row["version"]), "name": "Kim Åberg", "email": "kim@example.org"}
        )
    ).status_code == 303
    page = (await api.get(here)).text
    assert "<h1>Kim Åberg</h1>" in page
    assert (await api.post(undo_of(page))).status_code == 303


async def test_somebody_is_invited_disabled_and_let_in_again(api, shop) -> None:
    form = {
        "name": "Malin",
        "email": "malin@example.com",
        "locale": "sv",
        "roles": ["store"],
        "locations": [str(shop.trade.at_malmo.id)],
    }
    nobody = await api.post("/admin/staff/new", data={**form, "roles": []})
    assert nobody.status_code == 422
    invited = await api.post("/admin/staff/new", data=form)
    assert invited.status_code == 201
    link = re.search(r"http://\S+/admin/link/[\w-]+", invited.text)[0]
    page = await api.get(link.removeprefix("http://samlad.test"))
    assert "Welcome to the team" in page.text
    again = await api.post("/admin/staff/new", data=form)
    assert again.status_code == 409
    assert 'id="f-email-error"' in again.text
    listed = (await api.get("/admin/staff?q=malin")).text
    here = re.search(r"/admin/staff/[0-9a-f-]{36}", listed)[0]
    assert (await api.post(f"{here}/disable")).status_code == 303
    page = (await api.get(here)).text
    assert "Disabled" in page
    assert (await api.post(undo_of(page))).status_code == 303
    assert "Invited" in (await api.get(here)).text
    assert (await api.post(f"{here}/link")).status_code == 201
    assert "staff.disabled" in (await api.get("/admin/audit?q=disabled")).text


async def test_a_key_is_shown_once_and_revoked(api) -> None:
    none = await api.post("/admin/keys/new", data={"name": "Sync"})
    assert none.status_code == 422
    made = await api.post(
        "/admin/keys/new",
        data={"name": HOSTILE, "scopes": ["orders.read", "stock.read"], "expires_in_days": "30"},
    )
    assert made.status_code == 201
    secret = re.search(r"sk_live_[\w-]+", made.text)[0]
    listed = (await api.get("/admin/keys")).text
    assert secret not in listed
    assert HOSTILE not in listed
    revoke = re.search(r"/admin/keys/[0-9a-f-]{36}/revoke", listed)[0]
    assert (await api.post(revoke)).status_code == 303
    assert "Revoked" in (await api.get("/admin/keys?state=revoked")).text


async def test_events_are_listed_without_personal_data(api, shop) -> None:
    await shop.buy("MUG-032", 1)
    page = (await api.get("/admin/system/events?type=order.")).text
    assert "order.placed" in page
    assert "kim@example.org" not in page
    assert UUID(re.search(r"subject=([0-9a-f-]{36})", page)[1])
    large = {"orders": [str(new_id()) for _ in range(2_000)]}
    await shop.db.transaction(
        lambda tx: tx.execute(
            """INSERT INTO event (id, type, occurred_at, actor, request, payload)
               VALUES ($1, 'order.imported', now(), 'system', $1, $2)""",
            new_id(),
            large,
        )
    )
    page = (await api.get("/admin/system/events?type=order.imported")).text
    assert len(page) < 60_000
    facts = await api.get(re.search(r'href="(/admin/system/events/[^"]+/facts.json)"', page)[1])
    assert facts.json() == large
    assert (await api.get(f"/admin/system/events/{new_id()}/facts.json")).status_code == 404


async def test_products_come_in_from_a_file_after_a_look(api, shop) -> None:
    csv = "title,sku,price\nOak board,BRD-1,54.00\nNameless,,1\n"
    sent = await api.post("/admin/products/import", files={"file": ("goods.csv", csv, "text/csv")})
    assert sent.status_code == 303, sent.text
    here = sent.headers["location"]
    page = (await api.get(here)).text
    assert "Some lines cannot be taken" in page
    assert "goods.csv" in page
    assert "Oak board" not in (await api.get("/admin/products")).text  # only looked at
    assert (await api.post(here, data={"skip_refused": "1"})).status_code == 303
    async with asyncio.timeout(60):
        while "The products are in" not in (await api.get(here)).text:
            await asyncio.sleep(0.05)
    assert "Oak board" in (await api.get("/admin/products")).text
    nothing = await api.post("/admin/products/import", files={"file": ("", b"", "text/csv")})
    assert nothing.status_code == 422
    broken = await api.post("/admin/products/import", files={"file": ("x.csv", b"\x00\x01\x02", "text/csv")})
    assert broken.status_code == 422
    assert "Nothing was changed yet" in broken.text
