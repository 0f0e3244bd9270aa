"""Orders that staff enter at the desk: on the phone and from letters by SKU, drafts that wait, quotes with prices of their own."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from browser import Site
from market import text_of
from playwright.async_api import expect

from samlad import channels, credit, customers, delivery, orders
from samlad.access.permissions import Role, permissions, permissions_of
from samlad.catalog import prices
from samlad.channels import ChannelChange, Resource
from samlad.credit import IssueInput, PointsInput, ProgrammeInput, Reward
from samlad.credit.model import GrantInput
from samlad.customers import PersonInput
from samlad.faces.admin.order_entry import rows_of
from samlad.kernel.context import Actor
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.promotions import service as promotions
from samlad.promotions.model import PromotionInput

PEOPLE = {"accept": "text/html", "accept-language": "en"}
NEW = "/admin/orders/new"
KIM = {
    "name": "Kim Berg", "email": "kim@example.org", "line1": "Storgatan 1", "postal_code": "211 34", "city": "Malmö",
    "country": "SE",
}  # fmt: skip


async def begun(api: httpx.AsyncClient, shop: Any, codes: str, **more: str) -> str:
    data = {"channel": str(shop.trade.web.id), "codes": codes, "label": "Kim, on the phone", **more}
    made = await api.post(NEW, data=data, headers=PEOPLE)
    assert made.status_code == 303, text_of(made.text)
    return made.headers["location"]


def total_of(page: str) -> str:
    found = re.search(r'name="total" value="([0-9]+)"', page)
    assert found is not None
    return found[1]


def units_of(page: str) -> list[str]:
    return re.findall(r'name="(units-[0-9a-f-]+)"', page)


def test_codes_as_people_write_them() -> None:
    text = "KTL-150\n MUG-032 2\nMUG-032; 3\nMUG-032,4\nMUG-032 x 5\nTEA SET 6\t\n\n7350053850019"
    assert rows_of(text) == [
        ("KTL-150", 1), ("MUG-032", 2), ("MUG-032", 3), ("MUG-032", 4), ("MUG-032", 5), ("TEA SET", 6),
        ("7350053850019", 1),
    ]  # fmt: skip


async def test_a_letter_becomes_an_order(api: httpx.AsyncClient, shop: Any) -> None:
    wrong = {"channel": str(shop.trade.web.id), "codes": "MUG-032 2\nNOTHING 1"}
    refused = await api.post(NEW, data=wrong, headers=PEOPLE)
    assert refused.status_code == 422
    assert "Nothing has this code: NOTHING" in text_of(refused.text)
    assert await shop.db.value("SELECT count(*) FROM cart") == 0
    draft = await begun(api, shop, "MUG-032 2\nKTL-150")
    assert "Kim, on the phone" in (await api.get(NEW, headers=PEOPLE)).text
    page = (await api.get(draft, headers=PEOPLE)).text
    mugs, kettles = units_of(page)
    more = {**KIM, mugs: "3", kettles: "0", "codes": "MUG-032", "act": "keep", "total": total_of(page)}
    assert (await api.post(draft, data=more, headers=PEOPLE)).status_code == 303
    page = (await api.get(draft, headers=PEOPLE)).text
    assert units_of(page) == [mugs]
    assert 'value="Storgatan 1"' in page
    assert await shop.db.value("SELECT quantity FROM cart_line") == 4

    # What was on the page when it was pressed is what is ordered: more goods in the same press are looked at first.
    late = {**KIM, mugs: "4", "codes": "KTL-150", "act": "place", "pay": "later", "total": total_of(page)}
    again = await api.post(draft, data=late, headers=PEOPLE)
    assert (again.status_code, "The total is another one now" in again.text) == (422, True)
    assert await shop.db.value("SELECT count(*) FROM orders") == 0
    agreed = {**KIM, "act": "place", "pay": "later", "total": total_of(again.text)}
    agreed |= dict(zip(units_of(again.text), ("4", "1"), strict=True))
    done = await api.post(draft, data=agreed, headers=PEOPLE)
    assert done.status_code == 303, text_of(done.text)
    twice = await api.post(draft, data=agreed, headers=PEOPLE)
    assert twice.headers["location"].split("?")[0] == done.headers["location"].split("?")[0]
    rows = await shop.db.rows("SELECT id, email, payment_status, channel, actor FROM orders")
    assert [(row["email"], row["payment_status"], row["channel"]) for row in rows] == [
        ("kim@example.org", "unpaid", shop.trade.web.id)
    ]
    order = await orders.read(shop.db, rows[0]["id"])
    assert [(line.sku, line.quantity) for line in order.lines if line.sku] == [("MUG-032", 4), ("KTL-150", 1)]
    assert order.is_held
    assert "Kim, on the phone" not in (await api.get(NEW, headers=PEOPLE)).text
    await shop.trade.agree()


async def caller(shop: Any, **fields: str) -> str:
    """A customer who bought before, in a group with prices of its own and with store credit."""
    trade = shop.trade
    known = {"email": "robin@example.org", "name": "Robin Ek", "phone": "+46701234567", "group_name": "trade"}
    wanted = msgspec.convert(known | fields, PersonInput)
    pool = trade.web.pools[Resource.CUSTOMERS]

    async def work(tx: Tx) -> str:
        made = await customers.find_or_create(tx, pool, wanted)
        prices_of_trade = prices.PriceListInput(
            code="trade", name="Trade", currency="SEK", customer_group="trade", priority=5
        )
        if not fields:
            made_list = await prices.create_list(tx, trade.web.pools[Resource.PRICES], prices_of_trade)
            price = prices.PriceSetting(variant=shop.variants["MUG-032"], amount=10_000)
            await prices.set_prices(tx, made_list.id, [price])
            gift = GrantInput(amount=15_000, currency="SEK", reason="Sorry")
            await credit.grant(tx, made.id, gift)
        return str(made.id)

    return await shop.db.transaction(work)


async def test_who_calls_is_found_and_has_what_is_theirs(
    api: httpx.AsyncClient, api_as: Any, shop: Any
) -> None:
    robin = await caller(shop)
    where = {
        "name": "Robin Ek",
        "line1": "Ekvägen 3",
        "postal_code": "211 34",
        "city": "Malmö",
        "country": "SE",
    }
    cart = await shop.trade.cart(
        (shop.variants["KTL-150"], 1), customer=robin, address=where, delivery="ship"
    )
    await shop.trade.place(cart.id)
    draft = await begun(api, shop, "MUG-032 3")
    # Typing suggests, in any spelling of a phone number; each is a button of the form.
    for typed in ("robin", "Ek", "robin@example.org", "070-123 45 67", "+46 70 123 45 67"):
        seen = await api.get(f"{draft}/customers", params={"find": typed}, headers=PEOPLE)
        assert f'name="customer" value="{robin}"' in seen.text, typed
    assert (
        "Nobody fits this"
        in (await api.get(f"{draft}/customers", params={"find": "zzz"}, headers=PEOPLE)).text
    )
    # Return takes the only one who fits: prices of their group, their address and what they are called.
    page = (await api.get(draft, headers=PEOPLE)).text
    (mugs,) = units_of(page)
    empty = dict.fromkeys(("name", "email", "phone", "line1", "postal_code", "city"), "") | {
        mugs: "3",
        "country": "SE",
    }
    assert (
        await api.post(draft, data=empty | {"find": "070 123 45 67", "act": "keep"}, headers=PEOPLE)
    ).status_code == 303
    page = (await api.get(draft, headers=PEOPLE)).text
    for text in (
        'value="Robin Ek"',
        'value="robin@example.org"',
        'value="Ekvägen 3"',
        "Ekvägen 3, 211 34 Malmö, SE",
        'name="credit"',
    ):
        assert text in page, text
    assert await shop.db.value("SELECT unit_price FROM cart_line WHERE quantity = 3") == 10_000
    # The credit is not all of it: the rest is paid as was chosen, now or later.
    robins = {
        "name": "Robin Ek",
        "email": "robin@example.org",
        "line1": "Ekvägen 3",
        "postal_code": "211 34",
        "city": "Malmö",
        "country": "SE",
    }
    agreed = robins | {mugs: "3", "act": "place", "credit": "1", "pay": "later", "total": total_of(page)}
    done = await api.post(draft, data=agreed | {"pay": "test"}, headers=PEOPLE)
    assert done.status_code == 303, text_of(done.text)[:600]
    order = await shop.db.row("SELECT id, customer FROM orders ORDER BY placed_at DESC LIMIT 1")
    assert str(order["customer"]) == robin
    rows = await shop.db.rows(
        "SELECT provider, amount FROM payment WHERE order_id = $1 ORDER BY provider", order["id"]
    )
    paid = [(row["provider"], row["amount"]) for row in rows]
    assert paid == [("store_credit", 15_000), ("test", int(total_of(page)) - 15_000)]
    await shop.trade.agree()


async def test_from_a_customers_page_the_order_is_theirs(api: httpx.AsyncClient, shop: Any) -> None:
    robin = await caller(shop)
    page = (await api.get(f"/admin/customers/{robin}", headers=PEOPLE)).text
    assert f'href="{NEW}?customer={robin}"' in page
    asked = await api.get(NEW, params={"customer": robin}, headers=PEOPLE)
    assert "For Robin Ek." in text_of(asked.text)
    assert f'name="customer" value="{robin}"' in asked.text
    for nobody in (str(new_id()), "rubbish", "\x00"):
        asked = await api.get(NEW, params={"customer": nobody}, headers=PEOPLE)
        assert (asked.status_code, 'name="customer"' in asked.text) == (200, False)
    draft = await begun(api, shop, "MUG-032 3", customer=robin)
    page = (await api.get(draft, headers=PEOPLE)).text
    assert 'value="robin@example.org"' in page
    assert await shop.db.value("SELECT unit_price FROM cart_line") == 10_000, "the price of their group"
    # Their credit pays a part, the rest is paid later.
    (mugs,), total = units_of(page), total_of(page)
    robins = KIM | {"name": "Robin Ek", "email": "robin@example.org"}
    agreed = robins | {mugs: "3", "act": "place", "credit": "1", "pay": "later", "total": total}
    done = await api.post(draft, data=agreed, headers=PEOPLE)
    assert done.status_code == 303, text_of(done.text)[:600]
    order = await shop.db.row("SELECT customer, payment_status, paid, total FROM orders")
    assert (str(order["customer"]), order["payment_status"], order["paid"]) == (robin, "unpaid", 15_000)
    await shop.trade.agree()
    data = {"channel": str(shop.trade.web.id), "customer": str(new_id())}
    refused = await api.post(NEW, data=data, headers=PEOPLE)
    assert (refused.status_code, "Nobody fits this" in text_of(refused.text)) == (422, True)


async def test_codes_cards_and_points_pay_as_in_the_shop(
    api: httpx.AsyncClient, api_as: Any, shop: Any
) -> None:
    """A code of a promotion, a gift card by its code, and what the caller has: a card of theirs, credit, points."""
    robin, web = await caller(shop), shop.trade.web
    reward = Reward(code="fifty", name="50 kr", points=500, amount=5_000, currency="SEK")
    tenth = {"effect": {"kind": "percent", "percent": 1_000}}
    promoted = {
        "channel": web.id,
        "name": "Autumn",
        "is_automatic": False,
        "terms": tenth,
        "codes": ["AUTUMN"],
    }

    async def prepare(tx: Tx) -> str:
        await promotions.create(tx, msgspec.convert(promoted, PromotionInput))
        await credit.set_programme(tx, ProgrammeInput(channel=web.id, name="Club", rewards=[reward]))
        await credit.enrol(tx, UUID(robin))
        await credit.adjust(tx, UUID(robin), PointsInput(points=600, reason="Hello"))
        await credit.issue(tx, IssueInput(channel=web.id, amount=1_000, customer=UUID(robin), note="Hi"))
        return (await credit.issue(tx, IssueInput(channel=web.id, amount=2_000, note="Hi"))).code

    code = await shop.db.transaction(prepare)
    own = await shop.db.value("SELECT id FROM gift_card WHERE customer IS NOT NULL")
    draft = await begun(api, shop, "MUG-032 4", customer=robin)
    page = (await api.get(draft, headers=PEOPLE)).text
    (mugs,) = units_of(page)
    robins = KIM | {"name": "Robin Ek", "email": "robin@example.org", mugs: "4"}
    wrong = await api.post(draft, data=robins | {"act": "keep", "promotion": "WINTER"}, headers=PEOPLE)
    assert (wrong.status_code, "There is no such code." in text_of(wrong.text)) == (409, True)
    # A code that is typed counts whatever is pressed, and another total is looked at first.
    late = robins | {"act": "place", "pay": "later", "promotion": "autumn", "total": total_of(page)}
    seen = await api.post(draft, data=late, headers=PEOPLE)
    assert "The total is another one now" in text_of(seen.text)
    assert total_of(seen.text) == "36000"
    assert "AUTUMN" in seen.text
    assert (await api.post(draft, data=robins | {"drop_code": "AUTUMN"}, headers=PEOPLE)).status_code == 303
    assert total_of((await api.get(draft, headers=PEOPLE)).text) == "40000"
    kept = await api.post(draft, data=robins | {"act": "keep", "promotion": "AUTUMN"}, headers=PEOPLE)
    assert kept.status_code == 303
    # What pays a part is looked at before the order: nobody knows what is on a card.
    paid = {"gift_code": code, "gift_card": str(own), "credit": "1", "points-fifty": "1"}
    agreed = robins | paid | {"act": "place", "pay": "later", "total": "36000"}
    bad = await api.post(draft, data=agreed | {"gift_code": "KX4T-9PZC-M2HE-77QA-41"}, headers=PEOPLE)
    assert (bad.status_code, "This gift card cannot be used here" in text_of(bad.text)) == (422, True)
    look = await api.post(draft, data=agreed, headers=PEOPLE)
    assert (look.status_code, "Look at what is still to pay" in text_of(look.text)) == (422, True)
    assert 'name="pays" value="23000"' in look.text
    assert "130.00" in text_of(look.text).replace("\xa0", " "), "what is still to pay"
    assert await shop.db.value("SELECT count(*) FROM orders") == 0
    # Whoever may not use customers' value pays with none of it, even by a form that they write themselves.
    clerk = frozenset(permissions()) - {credit.PAY}
    async with api_as(Actor("staff", new_id(), clerk), **PEOPLE) as other:
        assert "points-fifty" not in (await other.get(draft)).text
    done = await api.post(draft, data=agreed | {"pays": "23000"}, headers=PEOPLE)
    assert done.status_code == 303, text_of(done.text)[:600]
    order = await shop.db.row("SELECT total, paid, payment_status FROM orders")
    assert tuple(order.values()) == (36_000, 23_000, "unpaid")
    rows = await shop.db.rows("SELECT provider, amount FROM payment ORDER BY amount")
    assert [tuple(row.values()) for row in rows] == [
        ("gift_card", 1_000), ("gift_card", 2_000), ("store_credit", 5_000), ("store_credit", 15_000)
    ]  # fmt: skip
    view = await credit.view(shop.db, UUID(robin))
    assert view is not None
    assert view.points == 100
    await shop.trade.agree()


async def test_several_fit_nobody_fits_and_a_guest_stays_one(
    api: httpx.AsyncClient, api_as: Any, shop: Any
) -> None:
    robin = await caller(shop)
    other = await caller(
        shop, email="robin2@example.org", name="Robin Alm", phone="+46709999999", group_name="other"
    )
    draft = await begun(api, shop, "MUG-032")
    page = (await api.get(draft, headers=PEOPLE)).text
    kept = {units_of(page)[0]: "2", "note": "Leave it at the door", "country": "SE", "act": "keep"}
    both = await api.post(draft, data=kept | {"find": "Robin"}, headers=PEOPLE)
    assert both.status_code == 200
    assert all(f'name="customer" value="{each}"' in both.text for each in (robin, other))
    assert await shop.db.value("SELECT quantity FROM cart_line") == 2, "what was typed is kept meanwhile"
    nobody = await api.post(draft, data=kept | {"find": "Nobody at all"}, headers=PEOPLE)
    assert (nobody.status_code, "it is a guest’s order then" in nobody.text) == (422, True)
    # One of them is chosen, and let go again: a guest has nobody's prices.
    assert (await api.post(draft, data=kept | {"customer": robin}, headers=PEOPLE)).status_code == 303
    assert await shop.db.value("SELECT unit_price FROM cart_line") == 10_000
    is_live = await shop.db.value("SELECT is_current FROM cart WHERE customer = $1", UUID(robin))
    assert not is_live, "a draft at the desk is not what the customer sees as their own cart"
    assert (await api.post(draft, data=KIM | kept | {"act": "guest"}, headers=PEOPLE)).status_code == 303
    assert await shop.db.value("SELECT customer FROM cart") is None
    assert await shop.db.value("SELECT unit_price FROM cart_line") == 14_500
    # Somebody of another pool of customers is nobody here.
    refused = await api.post(draft, data=kept | {"customer": str(new_id())}, headers=PEOPLE)
    assert refused.status_code == 422
    # Who may place orders and not look at customers enters guests.
    rights = frozenset(
        {"orders.place", "orders.read", "carts.write", "carts.read", "catalog.read", "channels.read"}
    )
    async with api_as(Actor("staff", new_id(), rights), **PEOPLE) as clerk:
        assert (await clerk.get(f"{draft}/customers", params={"find": "Robin"})).status_code == 403
        assert 'name="find"' not in (await clerk.get(draft)).text


async def test_what_cannot_be_is_said_at_its_field(api: httpx.AsyncClient, shop: Any) -> None:
    draft = await begun(api, shop, "MUG-032")
    page = (await api.get(draft, headers=PEOPLE)).text
    (mugs,) = units_of(page)
    for wrong, said in (
        ({"email": "kim"}, "email"),
        ({mugs: "10000"}, "Please write 0 to 9999."),
        ({"country": "Sweden"}, "country"),
        ({"codes": "\n".join(["MUG-032"] * 201)}, "At most 200 lines at once."),
    ):
        refused = await api.post(draft, data=KIM | {"act": "keep"} | wrong, headers=PEOPLE)
        assert refused.status_code == 422, wrong
        assert said in text_of(refused.text) or f'id="f-{said}"' in refused.text, wrong
    many = {**KIM, mugs: "9999", "act": "keep"}
    await api.post(draft, data=many, headers=PEOPLE)
    page = (await api.get(draft, headers=PEOPLE)).text
    assert re.search(r"Only \d+ there", text_of(page))
    placed = await api.post(
        draft, data={**many, "act": "place", "pay": "later", "total": total_of(page)}, headers=PEOPLE
    )
    assert placed.status_code == 409
    assert await shop.db.value("SELECT count(*) FROM orders") == 0
    empty = await begun(api, shop, "")
    nothing = await api.post(empty, data={**KIM, "act": "place", "total": "0"}, headers=PEOPLE)
    assert "Enter what is bought first" in nothing.text


async def test_a_quote_stands_and_is_ordered_by_its_link_or_here(api: httpx.AsyncClient, shop: Any) -> None:
    draft = await begun(api, shop, "MUG-032 3")
    page = (await api.get(draft, headers=PEOPLE)).text
    (mugs,) = units_of(page)
    price = mugs.replace("units-", "price-")
    asked = {**KIM, "act": "quote", "until": "2000-01-01", price: "100", "total": total_of(page)}
    assert (await api.post(draft, data=asked, headers=PEOPLE)).status_code == 422
    day = re.search(r'name="until"[^>]*value="([0-9-]+)"', page) or re.search(
        r'value="([0-9-]{10})"[^>]*name="until"', page
    )
    assert day is not None
    made = await api.post(draft, data=asked | {"until": day[1]}, headers=PEOPLE)
    assert made.status_code == 200
    link = re.search(r"https?://[^/\"<]+(/quote/([0-9a-f-]+)/[^\"<\s]+)", made.text)
    assert link is not None
    assert "300.00" in text_of(made.text).replace("\xa0", " ")
    listed = text_of((await api.get(NEW, headers=PEOPLE)).text)
    assert listed.count("Kim, on the phone") == 1, "the draft has become the quote"
    here = f"{NEW}/{link[2]}"
    assert (await api.post(here, headers=PEOPLE)).status_code == 303
    page = (await api.get(here, headers=PEOPLE)).text
    (mugs,) = units_of(page)
    agreed = {**KIM, mugs: "3", "act": "place", "pay": "later", "total": total_of(page)}
    done = await api.post(here, data=agreed, headers=PEOPLE)
    assert done.status_code == 303, text_of(done.text)
    order = await orders.read(shop.db, await shop.db.value("SELECT id FROM orders"))
    assert [(line.quantity, line.unit_price) for line in order.lines if line.sku] == [(3, 10_000)]


async def test_a_price_that_moved_is_said_before_the_order_is_placed(
    api: httpx.AsyncClient, shop: Any
) -> None:
    draft = await begun(api, shop, "MUG-032 3")
    page = (await api.get(draft, headers=PEOPLE)).text
    (mugs,), before = units_of(page), total_of(page)
    moved = "The price has changed from SEK 145.00"
    assert moved not in text_of(page).replace("\xa0", " ")
    await shop.trade.set_price(shop.variants["MUG-032"], 16_900)
    stale = {**KIM, mugs: "4", "act": "keep", "total": before}
    assert (await api.post(draft, data=stale, headers=PEOPLE)).status_code == 303
    page = (await api.get(draft, headers=PEOPLE)).text
    assert moved in text_of(page).replace("\xa0", " "), (
        "another quantity does not agree to what nobody has seen"
    )
    placed = {**KIM, mugs: "4", "act": "place", "pay": "later"}
    refused = await api.post(draft, data=placed | {"total": before}, headers=PEOPLE)
    assert refused.status_code == 422
    assert moved in text_of(refused.text).replace("\xa0", " ")
    done = await api.post(draft, data=placed | {"total": total_of(refused.text)}, headers=PEOPLE)
    assert done.status_code == 303, text_of(done.text)
    order = await orders.read(shop.db, await shop.db.value("SELECT id FROM orders"))
    assert [(line.quantity, line.unit_price) for line in order.lines if line.sku] == [(4, 16_900)]


async def test_how_it_is_paid_is_what_the_channel_offers(api: httpx.AsyncClient, shop: Any) -> None:
    setting = ChannelChange(settings={"payment_providers": ["invoice", "till_card"]})
    await shop.db.transaction(lambda tx: channels.change(tx, shop.trade.web.id, setting))
    draft = await begun(api, shop, "MUG-032")
    page = (await api.get(draft, headers=PEOPLE)).text
    options = re.findall(
        r'<option value="([a-z_]+)"', re.search(r'<select[^>]*name="pay".*?</select>', page, re.DOTALL)[0]
    )
    assert options == ["later", "invoice", "cash", "till_card"]
    (mugs,) = units_of(page)
    agreed = {**KIM, mugs: "1", "act": "place", "pay": "invoice", "total": total_of(page)}
    assert (await api.post(draft, data=agreed, headers=PEOPLE)).status_code == 303
    assert await shop.db.value("SELECT payment_status FROM orders") == "pending"
    await shop.trade.agree()


async def test_who_may_not_place_orders_enters_none(api_as: Any, shop: Any) -> None:
    viewer = Actor(kind="staff", id=new_id(), permissions=permissions_of(Role.MARKETING))
    async with api_as(viewer, **PEOPLE) as api:
        assert (await api.get(NEW)).status_code == 403
        assert NEW not in (await api.get("/admin/orders")).text


@pytest.mark.browser
async def test_an_order_is_entered_by_keyboard(site: Site, shop: Any) -> None:
    await caller(shop)
    await bike(shop)
    page = await site.staff(width=390)
    await page.goto(NEW)
    await page.get_by_label("Goods by SKU or GTIN").fill("MUG-032 2")
    await page.get_by_role("button", name="Go on").press("Enter")
    # Who calls is found while one types, and taken by the keyboard alone.
    finding = page.get_by_role("combobox", name="Find the customer")
    await finding.fill("rob")
    robin = page.get_by_role("option", name="Robin Ek")
    await expect(robin).to_be_visible()
    await expect(finding).to_have_attribute("aria-expanded", "true")
    await finding.press("Escape")
    await expect(robin).to_be_hidden()
    await expect(finding).to_have_value("rob")
    await finding.press("ArrowDown")
    await expect(robin).to_have_attribute("aria-selected", "true")
    await expect(finding).to_have_attribute("aria-activedescendant", await robin.get_attribute("id") or "")
    await site.fine(page)
    await site.picture(page, "order-draft-callers")
    await finding.press("Enter")
    await expect(page.get_by_role("link", name="Robin Ek")).to_be_visible()
    await expect(page.get_by_role("textbox", name="E-mail")).to_have_value("robin@example.org")
    await site.fine(page)
    await site.picture(page, "order-draft-caller")
    await page.get_by_role("button", name="Somebody else").press("Enter")
    await expect(finding).to_be_visible()
    await page.get_by_role("textbox", name="E-mail").fill("kim@example.org")
    for field, value in (
        ("name", "Kim"),
        ("line1", "Storgatan 1"),
        ("postal_code", "211 34"),
        ("city", "Malmö"),
    ):
        await page.locator(f"form [name={field}]").fill(value)
    # The times of a way that has some are there as soon as it is chosen, and go with it.
    await page.get_by_label("How it gets there").select_option("bike")
    await expect(page.get_by_label("When it comes")).to_be_visible()
    await page.get_by_label("How it gets there").select_option("courier")
    await expect(page.get_by_label("When it comes")).to_have_count(0)
    await page.get_by_label("How it gets there").select_option("bike")
    await expect(page.get_by_label("When it comes")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "order-draft")
    await page.get_by_role("button", name="Keep it").last.press("Enter")
    await expect(page.get_by_text("SEK 9.00")).to_be_visible()
    await page.get_by_role("button", name="Place the order").press("Enter")
    await page.wait_for_url(re.compile(r"/admin/orders/(?!new)"))
    await site.fine(page)


BIKE = {
    "channel": "web", "code": "bike", "kind": "same_day", "name": "Bike", "zones": [{}], "position": 9,
    "calendar": {"weekdays": [1, 2, 3, 4, 5, 6, 7]}, "pick_minutes": 5, "pack_minutes": 5,
    "rate": {"kind": "flat", "price": 900},
}  # fmt: skip
TIMES = re.compile(r'<option value="([-0-9]+T[0-9:]+)"( selected)?( disabled)?>([^<]+)</option>')


async def bike(shop: Any, capacity: int = 1) -> delivery.Method:
    """A same-day method with a slot in every hour of every day, behind one that is sent."""
    slots = [{"start": f"{hour:02d}:00", "end": f"{hour:02d}:45", "capacity": capacity} for hour in range(24)]
    sent = {"code": "courier", "kind": "ship", "name": "Courier", "position": 1}
    await shop.db.transaction(
        lambda tx: delivery.create_method(tx, msgspec.convert(BIKE | sent, delivery.MethodInput))
    )
    data = msgspec.convert(BIKE | {"slots": slots}, delivery.MethodInput)
    return await shop.db.transaction(lambda tx: delivery.create_method(tx, data))


async def fill(shop: Any, *slots: str) -> None:
    """Somebody else was quicker, at every store."""
    await shop.db.rows(
        """WITH full_now AS (
               INSERT INTO delivery_slot (method, day, location, start, orders)
               SELECT m.id, split_part(s, 'T', 1)::date, l.id, split_part(s, 'T', 2), 1
               FROM delivery_method m, location l, unnest($1::text[]) s
               ON CONFLICT DO NOTHING RETURNING *)
           INSERT INTO delivery_slot_share (owner, method, day, location, start)
           SELECT gen_random_uuid(), method, day, location, start FROM full_now RETURNING 1""",
        list(slots),
    )


async def test_staff_choose_when_it_is_brought(api: httpx.AsyncClient, shop: Any) -> None:
    await bike(shop)
    draft = await begun(api, shop, "MUG-032 2")
    page = (await api.get(draft, headers=PEOPLE)).text
    assert ('value="bike"' in page, TIMES.findall(page)) == (True, []), "by default it is sent"
    times = TIMES.findall((await api.get(f"{draft}/times?delivery=bike", headers=PEOPLE)).text)
    assert len(times) > 24
    assert [each[0] for each in times if each[1]] == [times[0][0]], "the soonest is chosen already"
    assert TIMES.findall((await api.get(f"{draft}/times?delivery=courier", headers=PEOPLE)).text) == []
    await fill(shop, times[-3][0])
    asked = await api.get(f"{draft}/times?delivery=bike&slot-bike={times[-2][0]}", headers=PEOPLE)
    marked = {key: (bool(on), bool(off), text) for key, on, off, text in TIMES.findall(asked.text)}
    assert marked[times[-2][0]][:2] == (True, False)
    assert marked[times[-3][0]][:2] == (False, True)
    assert marked[times[-3][0]][2].endswith("· Full")

    # Nobody is brought anything at a time that staff have not seen.
    unseen = {**KIM, units_of(page)[0]: "2", "delivery": "bike", "act": "place", "pay": "later"}
    again = await api.post(draft, data=unseen | {"total": total_of(page)}, headers=PEOPLE)
    assert again.status_code == 422
    assert "Choose when it is to come" in text_of(again.text)
    again = await api.post(draft, data=unseen | {"total": total_of(again.text)}, headers=PEOPLE)
    assert (again.status_code, "Choose when it is to come" in again.text) == (422, True)
    assert 'id="f-slot-bike-error"' in again.text

    # Full by now, or never offered: the next one is said at the field and chosen.
    for gone in (times[-3][0], "2020-01-01T10:00"):
        wrong = unseen | {"total": total_of(again.text), "slot-bike": gone}
        refused = await api.post(draft, data=wrong, headers=PEOPLE)
        assert refused.status_code == 409, text_of(refused.text)
        soonest = next(each for each in TIMES.findall(refused.text) if each[1])
        assert f"The next one that is free is chosen now: {soonest[3]}." in text_of(refused.text)
        assert 'id="f-slot-bike-error"' in refused.text
    assert await shop.db.value("SELECT count(*) FROM orders") == 0

    agreed = unseen | {"total": total_of(again.text), "slot-bike": times[-2][0]}
    for _twice in range(2):
        done = await api.post(draft, data=agreed, headers=PEOPLE)
        assert done.status_code == 303, text_of(done.text)
    [row] = await shop.db.rows("SELECT id FROM orders")
    promise = (await orders.read(shop.db, row["id"])).promise
    assert promise is not None
    assert promise.slot == times[-2][0]
    owned = "SELECT count(*) FROM delivery_slot_share WHERE owner = $1"
    assert await shop.db.value(owned, row["id"]) == 1
    await shop.trade.agree()


async def test_a_draft_keeps_its_time_until_somebody_else_has_it(api: httpx.AsyncClient, shop: Any) -> None:
    await bike(shop)
    draft = await begun(api, shop, "MUG-032")
    times = TIMES.findall((await api.get(f"{draft}/times?delivery=bike", headers=PEOPLE)).text)
    kept = {**KIM, "delivery": "bike", "act": "keep", "slot-bike": times[-2][0]}
    for _again in range(2):
        done = await api.post(draft, data=kept, headers=PEOPLE)
        assert done.status_code == 303, text_of(done.text)
    page = (await api.get(draft, headers=PEOPLE)).text
    assert [each[0] for each in TIMES.findall(page) if each[1]] == [times[-2][0]]
    await fill(shop, times[-2][0])
    page = (await api.get(draft, headers=PEOPLE)).text
    assert [each[0] for each in TIMES.findall(page) if each[1]] != [times[-2][0]]
    days = [date.fromisoformat(times[0][0][:10]) + timedelta(days=more) for more in range(-1, 20)]
    await fill(shop, *(f"{day}T{hour:02d}:00" for day in days for hour in range(24)))
    placed = kept | {"act": "place", "pay": "later", "total": total_of(page)}
    refused = await api.post(draft, data=placed, headers=PEOPLE)
    assert (refused.status_code, "Choose another way of delivery" in text_of(refused.text)) == (422, True)
    assert await shop.db.value("SELECT count(*) FROM orders") == 0
    sent = await api.post(draft, data=kept | {"delivery": "courier"}, headers=PEOPLE)
    assert sent.status_code == 303
