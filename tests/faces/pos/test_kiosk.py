"""A kiosk: customers serve themselves at a till's device. What it may not do the server does not do for it; it sells without network."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from browser import Site, comes_true, session_of
from market import Market, text_of
from playwright.async_api import Page, expect

from applications import running
from samlad import channels, credit, customers, tills
from samlad.access import clerks, kiosks, pins, staff
from samlad.access.csrf import token_for
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.catalog import categories
from samlad.channels import ChannelChange, Resource
from samlad.credit import IssueInput, ProgrammeInput
from samlad.customers import PersonInput
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.settings import Settings
from samlad.payments.terminal import press, waiting

TILL = "/pos/soder"
KIOSK = f"{TILL}/kiosk"


async def person(market: Market, name: str, pin: str, *roles: Role) -> UUID:
    """Somebody with a PIN, bound to the store."""
    wanted = StaffInput(
        email=f"{name.split()[0].lower()}@example.org",
        name=name,
        roles=list(roles),
        locations=[market.places[0].id],
    )
    made = await market.db.transaction(lambda tx: staff.add(tx, wanted, "active"))
    await pins.set_pin(market.db, Context(actor=Actor(kind="staff", id=made.id, name=name)), pin)
    return made.id


@pytest.fixture
async def device(market: Market, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of a device that an owner has signed in."""
    token = await session_of(market.db)
    async with running(settings) as application:
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        headers = {"accept": "text/html", "accept-language": "en", "x-csrf-token": token_for(token)}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://samlad.test", headers=headers
        ) as client:
            client.cookies.set("samlad_session", token)
            yield client


async def as_kiosk(device: httpx.AsyncClient) -> None:
    """The owner hands it to customers."""
    answer = await device.post(f"{TILL}/kiosks", data={"name": "Kiosk 1"})
    assert answer.headers["location"] == KIOSK, answer.text


def entry(variant: UUID, price: int, **fields: Any) -> dict[str, Any]:
    """A sale of one as a kiosk's journal has it."""
    line = {
        "variant": str(variant), "title": "Kettle", "quantity": 1, "unit_price": price,
        "tax_rate": 2_500, "tax": price // 5, "total": price,
    }  # fmt: skip
    return {
        "id": str(uuid4()), "till": str(uuid4()), "sequence": 1, "happened_at": (now() - timedelta(minutes=2)).isoformat(),
        "lines": [line], "tenders": [{"kind": "card", "amount": price}], "total": price, "currency": "SEK",
        **fields,
    }  # fmt: skip


async def with_terminal(market: Market) -> None:
    """The store takes cards at a terminal that the server talks to."""
    ways = ChannelChange(settings={"payment_providers": ["cash", "gift_card", "terminal"]})
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, ways))


async def begun(device: httpx.AsyncClient, sale: dict[str, Any]) -> str:
    """The address of a payment at the terminal for a kiosk's sale; it waits for a card."""
    payment = uuid4()
    asked = {"ticket": sale["id"], "payment": str(payment), "amount": str(sale["total"]), "currency": "SEK"}
    answer = await device.post(f"{KIOSK}/card", data=asked)
    assert (answer.status_code, answer.json()) == (200, {"state": "waiting"}), answer.text
    return f"{KIOSK}/card/{sale['id']}/{payment}"


async def held_to(market: Market, address: str, button: Any) -> None:
    """What a customer does at the terminal."""
    await market.db.transaction(lambda tx: press(tx, UUID(address.rpartition("/")[2]), button))


async def by_card(device: httpx.AsyncClient, market: Market, sale: dict[str, Any]) -> dict[str, Any]:
    """The sale with a card that the terminal has accepted."""
    address = await begun(device, sale)
    await held_to(market, address, "approve")
    assert (await device.get(address)).json() == {"state": "accepted"}
    return {**sale, "tenders": [{**sale["tenders"][0], "payment": address.rpartition("/")[2]}]}


async def sent(device: httpx.AsyncClient, *entries: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await device.post("/api/till-sales/batch", json={"channel": "soder", "entries": list(entries)})
    assert answer.status_code == 200, answer.text
    return answer.json()["verdicts"]


async def test_a_kiosk_opens_nothing_but_the_kiosk(device: httpx.AsyncClient, market: Market) -> None:
    made = await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))
    assert (await device.get(KIOSK)).headers["location"] == f"{TILL}/kiosks"
    refused = await device.post(f"{TILL}/kiosks", data={"name": " "})
    assert refused.status_code == 422
    await as_kiosk(device)
    page = await device.get(KIOSK)
    assert page.status_code == 200, page.text
    assert "Kiosk 1" in page.text
    for begin in ("Touch to begin", "Tryck f", "Raak aan"):  # all languages at once
        assert begin in page.text, begin
    # Whoever set it up is nobody there any more, at whatever address.
    pages = ("/admin", "/admin/orders", TILL, f"{TILL}/offline", f"{TILL}/pay", f"{TILL}/drawer", f"{TILL}/returns", f"{TILL}/day",
             f"{TILL}/discount", f"{TILL}/customers", f"{TILL}/kiosks", f"{TILL}/clerks", "/pos/work", f"{TILL}/printers")  # fmt: skip
    for path in pages:
        answer = await device.get(path)
        assert answer.status_code in (303, 401, 403), (path, answer.status_code)
        assert answer.headers.get("location", "/admin/sign-in").startswith("/admin/sign-in"), (
            path,
            answer.headers,
        )
    order = uuid4()
    reads = (
        "/api/orders",
        "/api/customers",
        "/api/till-sales",
        "/api/staff",
        "/api/shifts",
        f"/api/orders/{order}/receipt.escpos",
    )
    for path in reads:
        answer = await device.get(path, headers={"accept": "application/json"})
        assert answer.status_code in (401, 403, 404), (path, answer.status_code)
    writes = ("/api/carts", f"/api/orders/{order}/refunds", "/api/till-leases/give-back", "/api/till-numbers/looked-at", "/api/gift-cards",
              f"/api/till-sales/{order}/settle", f"{TILL}/kiosks", f"{TILL}/drawer", f"{TILL}/lock", f"{TILL}/clerks")  # fmt: skip
    for path in writes:
        answer = await device.post(path, json={}, headers={"accept": "application/json"})
        assert answer.status_code in (303, 400, 401, 403, 404, 405, 422), (path, answer.status_code)
    assert await market.db.value("SELECT count(*) FROM cart") == 0
    # Another store's it is not either, and it leases nothing by name.
    assert (await device.get("/pos/city/kiosk")).status_code in (303, 403, 404)
    variant = str(made.variants[0].id)
    lease = {"channel": "soder", "till": str(uuid4()), "lines": [{"variant": variant, "units": 5}]}
    assert (await device.post("/api/till-leases", json=lease)).status_code == 403
    assert (await device.post("/api/till-leases", json={**lease, "lines": None})).status_code == 200
    [fact] = await market.db.rows("SELECT payload FROM event WHERE type = 'till.kiosk-set-up'")
    assert fact["payload"]["name"] == "Kiosk 1"


async def test_what_a_kiosk_may_not_sell_waits_for_a_manager(
    device: httpx.AsyncClient, market: Market
) -> None:
    made = await market.product(title="Kettle", sku="KTL", price=10_000, stock=(9,))
    kettle = made.variants[0].id
    sam = await person(market, "Sam Säljare", "4071", Role.STORE)
    await with_terminal(market)
    await as_kiosk(device)
    good = await by_card(device, market, entry(kettle, 10_000))
    hand = entry(kettle, 10_000)
    hand["lines"][0] |= {"reductions": [{"name": "friend", "amount": 5_000}], "tax": 1_000, "total": 5_000}
    hand |= {"tenders": [{"kind": "card", "amount": 5_000}], "total": 5_000}
    base = {"id": str(uuid4()), "till": str(uuid4()), "sequence": 2, "happened_at": now().isoformat()}
    back = {**base, "kind": "return", "order": None, "sale": good["id"], "receipt": "X-1", "currency": "SEK", "total": 10_000,
            "lines": [{"line": 1, "quantity": 1, "amount": 10_000}]}  # fmt: skip
    drawer = {
        **base,
        "id": str(uuid4()),
        "kind": "drawer-open",
        "shift": str(uuid4()),
        "drawer": "1",
        "amount": 0,
    }
    card = entry(kettle, 10_000, cards=[{"card": "a" * 64, "last_four": "1234", "amount": 10_000}], total=20_000,
                 tenders=[{"kind": "card", "amount": 20_000}])  # fmt: skip
    bad = [
        entry(kettle, 10_000),  # whoever says so: no terminal has
        entry(kettle, 10_000, tenders=[{"kind": "cash", "amount": 10_000, "tendered": 10_000}]),
        entry(kettle, 10_000, tenders=[{"kind": "other", "amount": 10_000}]),
        entry(kettle, 10_000, clerk=str(sam), clerk_name="Sam Säljare"),
        entry(kettle, 10_000, training=True),
        entry(kettle, 10_000, allowed_by="Ada"),
        hand,
        back,
        drawer,
        card,
    ]
    first, *others = await sent(device, good, *bad)
    assert (first["verdict"], first["objections"]) == ("recorded", [])
    assert [each["verdict"] for each in others] == ["kept"] * len(bad)
    assert {each["objections"][0]["code"] for each in others} == {"kiosk"}
    assert await market.db.value("SELECT count(*) FROM orders") == 1
    assert await market.db.value("SELECT count(*) FROM gift_card") == 0
    [again] = await sent(device, bad[0])
    assert (again["verdict"], again["is_known"]) == ("kept", True)
    assert (await market.db.value("SELECT actor FROM till_sale WHERE state = 'ordered'")).startswith("kiosk:")
    # The receipt goes to whoever has just bought, and of other sales a kiosk says nothing.
    mine = await device.get(f"{KIOSK}/receipt/{good['id']}")
    assert mine.json()["number"] == first["number"]
    assert "<svg" in mine.json()["picture"]
    assert (await device.get(f"{KIOSK}/receipt/{bad[0]['id']}")).status_code == 404
    assert (await device.get(f"{KIOSK}/receipt/{uuid4()}")).status_code == 404


async def test_what_not_everybody_may_buy_is_looked_at(device: httpx.AsyncClient, market: Market) -> None:
    pool = market.web.pools[Resource.CATALOGUE]
    above = await market.db.transaction(
        lambda tx: categories.create(tx, pool, categories.CategoryInput(name="Drinks", slug="drinks"))
    )
    wine = await market.product(title="Wine", sku="WINE", price=10_000, stock=(9,), category="drinks")
    sam = await person(market, "Sam Säljare", "4071", Role.STORE)
    asks = ChannelChange(settings={"kiosk_staff_categories": ["drinks", "no/such"]})
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, asks))
    await with_terminal(market)
    await as_kiosk(device)
    pack = (await device.get("/api/till-pack/soder", headers={"accept-encoding": "identity"})).json()
    assert pack["store"]["kiosk"] == {
        "idle_seconds": 90,
        "staff_marks": [f"category:{above.id}"],
        "takes_cards": True,
    }
    variant = wine.variants[0].id
    alone, looked, by_whom = await sent(
        device,
        await by_card(device, market, entry(variant, 10_000)),
        await by_card(device, market, entry(variant, 10_000, checked_by=str(sam))),
        await by_card(device, market, entry(variant, 10_000, checked_by=str(uuid4()))),
    )
    assert [each["code"] for each in alone["objections"]] == ["kiosk-unchecked"]
    assert looked["objections"] == []
    assert [each["code"] for each in by_whom["objections"]] == ["kiosk-unchecked"]
    assert await market.db.value("SELECT count(*) FROM orders") == 3  # the goods are gone: none is refused


async def test_a_kiosk_carries_no_names(device: httpx.AsyncClient, market: Market) -> None:
    made = await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))
    club = msgspec.convert({"channel": str(market.web.id), "name": "Club", "rates": []}, ProgrammeInput)
    await market.db.transaction(lambda tx: credit.set_programme(tx, club))
    pool = market.stores[0].pools[Resource.CUSTOMERS]
    kim = await market.db.transaction(
        lambda tx: customers.find_or_create(
            tx, pool, PersonInput(email="kim@example.org", name="Kim Berg", phone="+46701234567")
        )
    )
    member = await market.db.transaction(lambda tx: credit.enrol(tx, kim.id))
    await with_terminal(market)
    await as_kiosk(device)
    sale = await by_card(device, market, entry(made.variants[0].id, 9_900, customer=str(kim.id)))
    [bought] = await sent(device, sale)
    assert bought["verdict"] == "recorded"
    till = uuid4()
    day = await device.get(
        "/api/till-day/soder", params={"till": str(till)}, headers={"accept-encoding": "identity"}
    )
    assert "Kim" not in day.text
    assert member.code not in day.text
    [row] = day.json()["members"]
    assert row[:4] == [str(kim.id), "", row[2], None]
    assert (day.json()["receipts"], day.json()["pick_ups"], day.json()["drawers"]) == ([], [], [])
    # A kiosk links nobody: the sale is theirs, the device is nobody's.
    assert await market.db.value("SELECT count(*) FROM identity_sighting") == 0


async def test_staff_are_called_and_only_a_manager_takes_it_back(
    device: httpx.AsyncClient, market: Market
) -> None:
    sam = await person(market, "Sam Säljare", "4071", Role.STORE)
    ada = await person(market, "Ada Chef", "8146", Role.MANAGER)
    await as_kiosk(device)
    place = market.places[0].id
    for _ in range(2):
        assert (await device.post(f"{KIOSK}/help", data={"sent": "1"})).status_code == 204
    assert await kiosks.waiting(market.db, place) == ["Kiosk 1"]
    assert await market.db.value("SELECT count(*) FROM event WHERE type = 'till.help-called'") == 1
    assert (await device.post(f"{KIOSK}/help", data={"stop": "1"})).status_code == 204
    assert await kiosks.waiting(market.db, place) == []
    assert (await device.get(f"{TILL}/offline/here")).json()["clerk"] is None
    for who, pin in ((sam, "4071"), (ada, "9071")):
        refused = await device.post(f"{KIOSK}/leave", data={"who": str(who), "pin": pin})
        assert refused.status_code in (401, 403, 422), refused.text
    assert (await device.get(KIOSK)).status_code == 200
    badge = await market.db.transaction(lambda tx: clerks.make_badge(tx, ada))
    assert (await device.post(f"{KIOSK}/leave", data={"badge": badge})).status_code == 204
    assert (await device.get(KIOSK)).headers["location"].startswith("/admin/sign-in")
    assert await market.db.value("SELECT count(*) FROM session") == 0


async def test_a_manager_ends_a_kiosk_from_elsewhere(
    device: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    await as_kiosk(device)
    await device.post(f"{KIOSK}/help", data={"sent": "1"})
    token = await session_of(market.db)
    async with running(settings) as application:
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        headers = {"accept": "text/html", "accept-language": "en", "x-csrf-token": token_for(token)}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://samlad.test", headers=headers
        ) as desk:
            desk.cookies.set("samlad_session", token)
            assert (await desk.get(f"{TILL}/offline/here")).json()["help"] == ["Kiosk 1"]
            assert "A customer waits for help" in text_of((await desk.get(f"{TILL}/kiosks")).text)
            [one] = await kiosks.of_location(market.db, market.places[0].id)
            # What it has not sent stands there before somebody takes it back, under its name in the office, too.
            said = {"till": "11111111-1111-4111-8111-111111110007", "unsent": 2, "cards": 1}
            heard = await device.get(f"{TILL}/offline/here", headers={"x-till": json.dumps(said)})
            assert heard.status_code == 200
            shown = text_of((await desk.get(f"{TILL}/kiosks")).text)
            assert "2 entries not sent" in shown and "1 card payment not settled" in shown  # noqa: PT018
            listed = text_of((await desk.get("/admin/till-devices")).text)
            assert "Kiosk 1" in listed and "2 entries, 1 card payment" in listed  # noqa: PT018
            assert (await desk.post(f"{TILL}/kiosks/{one.id}/helped")).status_code == 303
            assert await kiosks.waiting(market.db, market.places[0].id) == []
            assert (await desk.post(f"{TILL}/kiosks/{one.id}/end")).status_code == 303
            assert await kiosks.of_location(market.db, market.places[0].id) == []


async def test_only_who_may_sets_a_kiosk_up(market: Market, settings: Settings) -> None:
    token = await session_of(market.db, Role.STORE, locations=(market.places[0].id,), name="Sam Säljare")
    async with running(settings) as application:
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        headers = {"accept": "text/html", "x-csrf-token": token_for(token)}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://samlad.test", headers=headers
        ) as client:
            client.cookies.set("samlad_session", token)
            assert (await client.post(f"{TILL}/kiosks", data={"name": "Kiosk 1"})).status_code == 403
            assert (await client.get(TILL)).status_code == 200


# -- in a browser -----------------------------------------------------------------------------------------------------------


async def _become(site: Site, market: Market, **options: Any) -> Page:
    """A device that an owner makes a kiosk; it has its goods and works without network."""
    await with_terminal(market)
    page = await site.staff(service_workers="allow", **options)
    await page.goto(f"{TILL}/kiosks")
    await page.get_by_label("Name").fill("Kiosk 1")
    await page.get_by_role("button", name="Make this device a kiosk").click()
    await expect(page.locator("[data-till][data-ready][data-kept='true']")).to_have_count(1)
    await expect(page.locator("#start")).to_be_visible()
    return page


async def at_terminal(market: Market, button: Any) -> None:
    """What a customer does at the terminal that waits."""
    [waits] = await waiting(market.db)
    await market.db.transaction(lambda tx: press(tx, waits.id, button))


async def known_card(market: Market, amount: int) -> str:
    """The code of a gift card that was looked up in the store, whose tills take it without network."""
    channel, place = market.stores[0], market.places[0]
    limit = ChannelChange(settings={"till_gift_card_limit": amount})
    await market.db.transaction(lambda tx: channels.change(tx, channel.id, limit))
    given = IssueInput(channel=channel.id, amount=amount, note="Given")
    made = await market.db.transaction(lambda tx: credit.issue(tx, given))
    await market.db.transaction(lambda tx: tills.note_card(tx, made.card.id, place.id))
    return made.code


async def _in_english(page: Page) -> None:
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def _pictures(site: Site, page: Page, name: str) -> None:
    """At both widths, and as a kiosk stands: upright."""
    before = page.viewport_size
    await site.picture(page, name)
    await page.set_viewport_size({"width": 1080, "height": 1920})
    assert await site.overflow(page) == 0, name
    await page.set_viewport_size(before or {"width": 1440, "height": 900})


@pytest.mark.browser
@pytest.mark.slow
async def test_a_customer_serves_themselves_by_keyboard_and_without_network(
    site: Site, market: Market
) -> None:
    await market.product(title="Kettle", sku="KTL", price=19_900, stock=(9, 0))
    await market.product(title="Pot", sku="POT", price=9_900, stock=(9, 0))
    ada = await person(market, "Ada Chef", "814626", Role.MANAGER)
    await person(market, "Sam Säljare", "4071", Role.STORE)
    gift = await known_card(market, 30_000)
    page = await _become(site, market, width=390)
    await expect(page.locator("html")).to_have_attribute(
        "lang", "sv"
    )  # the store's language until somebody chooses
    await site.fine(page)
    await _in_english(page)
    await _pictures(site, page, "kiosk-start")
    # A scanner begins by itself; everything is done with keys.
    await page.locator("body").press("K")
    await expect(page.locator("#code")).to_be_focused()
    await page.locator("#code").fill("KTL")
    await page.keyboard.press("Enter")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)
    await page.locator("#code").fill("po")
    await page.locator("#results button").press("Enter")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(2)
    await page.locator("#ticket [data-step='1']").first.press("Enter")
    await expect(page.locator("#total")).to_contain_text("397")
    await site.fine(page)
    await _pictures(site, page, "kiosk-basket")
    await page.locator("#pay-open").press("Enter")
    await expect(page.locator("#pay")).to_be_visible()
    await expect(page.get_by_role("button", name="Cash")).to_have_count(0)
    await site.fine(page)
    await page.locator("#pay-card").press("Enter")
    await expect(page.locator("#card-due")).to_contain_text("397")
    await expect(page.locator("#card-state")).to_contain_text("waits for your card")
    await site.fine(page)
    await _pictures(site, page, "kiosk-card")
    await at_terminal(market, "approve")
    await expect(page.locator("#sold-title")).to_be_focused()
    await expect(page.locator("#own-code svg")).to_be_visible()
    heard = await market.db.row("SELECT is_kiosk, name FROM till_device")  # it says so before it sends
    assert heard is not None
    assert tuple(heard) == (True, "Kiosk 1")
    await site.fine(page)
    await _pictures(site, page, "kiosk-receipt")
    await page.locator("#finish").press("Enter")
    await expect(page.locator("#start")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "sv")  # the next one's
    await expect(page.locator("#receipt-lines td")).to_have_count(0)
    # Without network, over a new load of the page.
    await page.context.set_offline(True)
    await page.reload()
    await expect(page.locator("[data-till][data-ready]")).to_have_count(1)
    await _in_english(page)
    await page.locator("#begin").click()
    await page.locator("#code").fill("KTL")
    await page.keyboard.press("Enter")
    await page.locator("#pay-open").click()
    await expect(page.locator("#pay-note")).to_contain_text("Without network no cards")
    await expect(page.locator("#pay-card")).to_be_disabled()
    await site.fine(page)
    await _pictures(site, page, "kiosk-no-card")
    await page.locator("#pay-gift").click()
    await page.locator("#panel-code").fill(gift)
    await page.locator("#panel-act").click()
    await expect(page.locator("#receipt-waits")).to_contain_text("000002")
    await expect(page.locator("[data-till]")).to_have_attribute("data-unsent", "1")
    await page.locator("#help").click()
    await expect(page.locator("#said")).to_contain_text("ask somebody in the store")
    await page.context.set_offline(False)
    await expect(page.locator("[data-till]")).to_have_attribute("data-unsent", "0")
    rows = await market.db.rows("SELECT state, objections FROM till_sale ORDER BY sequence")
    assert [(row["state"], row["objections"]) for row in rows] == [("ordered", []), ("ordered", [])]
    await expect(page.locator("#own-code svg")).to_be_visible()
    # Taken back while a receipt is shown: whoever calls is told what is true.
    await page.route("**/offline/here", lambda route: route.fulfill(status=401))
    await page.locator("#help").click()
    await expect(page.locator("#said")).to_contain_text("nobody can be called from here")
    await page.unroute("**/offline/here")
    await page.evaluate("dispatchEvent(new Event('online'))")
    # A manager takes it back with a PIN that is looked at by the server.
    await page.locator("#finish").click()
    await _in_english(page)
    await page.locator("#staff-open").click()
    await expect(page.locator("#clerk-list button")).to_have_text(
        ["Ada Chef"]
    )  # short PINs are not on a kiosk
    await page.locator("#clerk-list").get_by_role("button", name="Ada Chef").click()
    await page.locator("#clerk-secret").fill("814626")
    await page.keyboard.press("Enter")
    await expect(page.locator("#staff-panel")).to_be_visible()
    await site.fine(page)
    await _pictures(site, page, "kiosk-staff")
    await page.locator("#leave").click()
    await expect(page).to_have_url(re.compile("/admin/sign-in"))
    assert await market.db.value("SELECT count(*) FROM session") == 0
    assert ada


CARRIES = """async (isKiosk) => {
    const { meta, open } = await import("/static/pos/offline/database.js");
    return (await meta(await open("soder"), "day"))?.is_kiosk === isKiosk;
}"""


HELD = """() => {
    const dialog = document.getElementById("still");
    const hold = (event) => {
        if (event.target !== dialog) return;
        event.stopImmediatePropagation();
        addEventListener("let-go", () => dialog.dispatchEvent(new Event("close")), { once: true });
        removeEventListener("close", hold, true);
    };
    addEventListener("close", hold, true);
}"""
"""Chromium tells of the end of a dialog with the next frame that it draws: here that comes late, as on a busy machine."""


@pytest.mark.browser
@pytest.mark.slow
async def test_a_kiosk_asks_staff_and_forgets_who_went_away(site: Site, market: Market) -> None:
    pool = market.web.pools[Resource.CATALOGUE]
    drinks = categories.CategoryInput(name="Drinks", slug="drinks")
    await market.db.transaction(lambda tx: categories.create(tx, pool, drinks))
    await market.product(title="Wine", sku="WINE", price=19_900, stock=(9, 0), category="drinks")
    sam = await person(market, "Sam Säljare", "4071", Role.STORE)
    badge = await market.db.transaction(lambda tx: clerks.make_badge(tx, sam))
    asks = ChannelChange(settings={"kiosk_staff_categories": ["drinks"], "kiosk_idle_seconds": 45})
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, asks))
    page = await site.staff(service_workers="allow")
    await page.clock.install()
    # It was a till before, and carried what a till knows of staff and customers.
    await page.goto(f"{TILL}/offline")
    await comes_true(page, CARRIES, False)
    await page.goto(f"{TILL}/kiosks")
    await page.get_by_label("Name").fill("Kiosk 1")
    await page.get_by_role("button", name="Make this device a kiosk").click()
    await expect(page.locator("#start")).to_be_visible()
    await comes_true(page, CARRIES, True)  # at once, not at the next of its rounds
    await _in_english(page)

    async def wine() -> None:
        await page.locator("#begin").click()
        await page.locator("#code").fill("WINE")
        await page.locator("#code").press("Enter")
        await expect(page.locator("#ticket .badge")).to_have_text("Staff look first")

    await wine()
    await page.locator("#pay-open").click()
    await expect(page.locator("#staff-box")).to_be_visible()
    await expect(page.locator("#help-called")).to_be_visible()  # they are called without another tap
    await site.fine(page)
    await site.picture(page, "kiosk-asks-staff")
    assert await kiosks.waiting(market.db, market.places[0].id) == ["Kiosk 1"]
    await page.locator("#clerk-secret").fill("K0000000000000000000")
    await page.locator("#clerk-secret").press("Enter")
    await expect(page.locator("#clerk-wrong")).to_contain_text("That did not work")
    await page.locator("#clerk-secret").fill(badge)
    await page.locator("#clerk-secret").press("Enter")
    await expect(page.locator("#ticket .badge")).to_have_text("Staff have looked")
    await expect(page.locator("#help-called")).to_be_hidden()
    # Nobody touches it: it asks, waits for an answer, can be told to wait as often as one likes, and then forgets.
    await page.clock.fast_forward(46_000)
    await expect(page.locator("#still")).to_be_visible()
    await expect(page.locator("#more-time")).to_be_focused()
    await site.picture(page, "kiosk-still")
    await page.evaluate(HELD)
    await page.keyboard.press("Enter")
    await expect(page.locator("#still")).to_be_hidden()
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)
    await page.clock.fast_forward(46_000)
    await expect(page.locator("#still")).to_be_visible()
    # What a busy machine tells only now of the first question is no answer to the second one.
    await page.evaluate("dispatchEvent(new Event('let-go'))")
    await expect(page.locator("#still")).to_be_visible()
    await expect(page.locator("#still-seconds")).to_contain_text("Seconds left:")
    await page.clock.fast_forward(31_000)
    await expect(page.locator("#start")).to_be_visible()
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(0)
    assert await market.db.value("SELECT count(*) FROM till_sale") == 0
    # Whoever was looked at is gone: the next one is looked at again.
    await _in_english(page)
    await wine()
    # A manager ends it from elsewhere while somebody stands there. The server's process, which is another one here, remembers the
    # session for some seconds more: the kiosk asks again soon enough after that.
    [one] = await kiosks.of_location(market.db, market.places[0].id)
    await market.db.transaction(lambda tx: kiosks.end(tx, one.id, market.places[0].id))
    await page.clock.fast_forward(11_000)
    await expect(page.locator("#closed")).to_be_visible()
    await expect(page.locator("#shop")).to_be_hidden()
    for name in ("#help", "#help-called", "#staff-open"):  # nobody hears a call from here any more
        await expect(page.locator(name)).to_be_hidden()
    await site.fine(page)
    await site.picture(page, "kiosk-closed")
