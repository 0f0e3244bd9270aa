"""What a store has to bring, on its pages: picked by scanner or tap, packed, sent, given up, handed over by code."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from browser import Site
from market import Market, hidden, text_of
from playwright.async_api import expect

from samlad import carts, orders
from samlad.access.permissions import Role
from samlad.carts import CartInput, DetailsInput, LineInput
from samlad.kernel.context import GUEST
from samlad.kernel.database import Tx
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.orders import Order, fulfilment_short, fulfilment_store, order_address
from samlad.orders.fulfilment_model import RejectInput, RejectReason
from samlad.payments import PaymentInput

ADDRESS = {
    "name": "Kim Berg",
    "line1": "Storgatan 1",
    "postal_code": "211 34",
    "city": "Malmö",
    "country": "SE",
}


async def ordered(market: Market, variant: UUID, quantity: int = 1, *, pickup: bool = True) -> Order:
    """An order of the webshop, picked up in the first store, or sent."""
    details: dict[str, Any] = {"email": "kim@example.org", "name": "Kim Berg", "address": ADDRESS}
    details |= (
        {"delivery": "pickup", "location": str(market.places[0].id)} if pickup else {"delivery": "ship"}
    )

    async def work(tx: Tx) -> Order:
        lines = [LineInput(variant=variant, quantity=quantity)]
        cart = await carts.create(tx, CartInput(channel=market.web.id, lines=lines))
        await carts.set_details(tx, cart.id, msgspec.convert(details, DetailsInput))
        data = orders.PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="test")])
        return await orders.place(tx, data)

    return await market.db.transaction(work)


async def address_of(market: Market, order: Order, place: str = "soder") -> str:
    (only,) = await fulfilment_store.of_order(market.db, order.id)
    return f"/pos/work/{place}/{only.id}"


async def act(clerk: httpx.AsyncClient, here: str, act: str, **sent: str) -> str:
    """Send a form and follow; what the page says then."""
    answer = await clerk.post(f"{here}/{act}", data=sent)
    if answer.status_code == 303:
        answer = await clerk.get(answer.headers["location"])
    return text_of(answer.text)


async def test_picked_put_aside_and_handed_over_with_the_code_of_the_order_page(
    clerk: httpx.AsyncClient, api_as: Any, market: Market, signed: Any
) -> None:
    kettle = (await market.product(title="Kettle", sku="KTL", stock=(5,))).variants[0].id
    order = await ordered(market, kettle, 2)
    here = await address_of(market, order)
    listed = text_of((await clerk.get("/pos/work/soder")).text)
    assert "1 to pick" in listed
    assert order.number in listed
    assert "Scan" in await act(clerk, here, "take")
    assert "This is not in the order" in await act(clerk, here, "pick", code="OTHER")
    assert "1 / 2" in await act(clerk, here, "pick", code="KTL")
    assert "It lies ready" in await act(clerk, here, "pick", code="KTL")
    assert "The customer has the code now" in await act(clerk, here, "ready")
    field = re.search(r'<input[^>]*name="code"[^>]*>', (await clerk.get(here)).text)
    assert field
    assert 'maxlength="7"' in field[0], "a code that is shown as 123 456 is typed so"
    assert re.fullmatch(re.search(r'pattern="([^"]+)"', field[0])[1], "123 456")  # type: ignore[index]
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as kim:
        link = signed(order)
        page = (await kim.get(link)).text
        code = re.search(r'class="pickup-code"[^>]*>(\d{3}) (\d{3})<', page)
        assert code, text_of(page)
        digits = code[1] + code[2]
        assert "<svg" in page.split("pickup-qr")[1]
        assert digits not in (await clerk.get(here)).text, "the store learns it from the customer"
        wrong = f"{(int(digits) + 1) % 10**6:06d}"
        assert "Nothing that waits here has this code" in await _code(clerk, wrong)
        assert "This is another code" in await act(clerk, here, "hand-over", code=wrong)
        typed = f"{code[1]} {code[2]}"  # as the page shows it
        found = await clerk.post("/pos/work/soder/code", data={"code": typed})
        assert "The code is right" in text_of(found.text)
        assert "Handed over" in await act(clerk, here, "hand-over", code=hidden(found.text, "code"))
        after = text_of((await kim.get(link)).text)
        assert "Picked up" in after
        assert "You have it" in after
    assert "Nothing to do" in text_of((await clerk.get("/pos/work/soder")).text)


async def test_the_last_day_is_that_of_the_store(
    clerk: httpx.AsyncClient, api_as: Any, market: Market, signed: Any
) -> None:
    kettle = (await market.product(title="Kettle", sku="KTL", stock=(5,))).variants[0].id
    order = await ordered(market, kettle)
    here = await address_of(market, order)
    for what, sent in (("take", {}), ("pick", {"code": "KTL"}), ("ready", {})):
        await act(clerk, here, what, **sent)
    await market.db.rows("UPDATE location SET time_zone = 'America/Anchorage' RETURNING 1")
    # Early in the morning in Stockholm it is still the day before in Anchorage.
    await market.db.rows("UPDATE fulfilment SET pick_up_by = '2031-05-17T02:00:00Z' RETURNING 1")
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as kim:
        page = text_of((await kim.get(signed(order))).text)
    assert "16 May 2031" in page
    assert "17 May" not in page


async def _code(clerk: httpx.AsyncClient, code: str) -> str:
    answer = await clerk.post("/pos/work/soder/code", data={"code": code})
    return text_of((await clerk.get(answer.headers["location"])).text)


@pytest.fixture
def signed(settings: Settings) -> Callable[[Order], str]:
    """The link of an order's page."""
    vault = Vault.of(settings)
    return lambda order: f"/order/{vault.sign(order_address.PURPOSE, order.id.hex)}"


async def test_a_buyer_chooses_when_the_store_has_not_got_it(
    clerk: httpx.AsyncClient, api_as: Any, market: Market, signed: Any
) -> None:
    kettle = (await market.product(title="Kettle", sku="KTL", stock=(1, 1))).variants[0].id
    order = await ordered(market, kettle)
    here = await address_of(market, order)
    await act(clerk, here, "take")
    said = await act(clerk, here, "reject", **{"give-up-1": "1", "reason": "not_found"})
    assert "Given up here" in said
    assert "The customer is asked" in text_of((await clerk.get("/pos/work/soder")).text)
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as kim:
        link = signed(order)
        page = (await kim.get(link)).text
        assert "Hemma Haga has it and keeps it for you" in text_of(page)
        offer = hidden(page, "fulfilment")
        nonsense = await kim.post(f"{link}/answer", data={"fulfilment": offer, "choice": "gold"})
        assert nonsense.status_code == 303
        other = signed(await ordered(market, (await market.product(sku="CUP", stock=(1,))).variants[0].id))
        assert (
            await kim.post(f"{other}/answer", data={"fulfilment": offer, "choice": "cancel"})
        ).status_code == 404
        answer = await kim.post(f"{link}/answer", data={"fulfilment": offer, "choice": "other_store"})
        assert answer.headers["location"] == link
        assert "Hemma Haga" in text_of((await kim.get(link)).text)
        late = await kim.post(f"{link}/answer", data={"fulfilment": offer, "choice": "cancel"})
        assert late.status_code == 303
    accepted = await orders.read(market.db, order.id)
    assert (accepted.location, accepted.status) == (market.places[1].id, "paid")


async def test_a_parcel_is_verified_labelled_and_sent(clerk: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(title="Kettle", sku="KTL", stock=(5,))).variants[0].id
    order = await ordered(market, kettle, pickup=False)
    here = await address_of(market, order)
    await act(clerk, here, "take")
    await act(clerk, here, "pick", position="1", quantity="1")
    assert "Packed" in await act(clerk, here, "pack", code="KTL")
    assert "The parcel has a number" in await act(clerk, here, "label", carrier="generic")
    slip = text_of((await clerk.get(f"{here}/slip")).text)
    assert "Packing slip" in slip
    assert "Kim Berg" in slip
    assert not re.search(r"(?<!\d)99(?!\d)", slip), "no prices: it may be a gift"
    work = here.rsplit("/", 1)[1]
    pdf = await clerk.get(f"/api/fulfilments/{work}/label.pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    zpl = await clerk.get(f"/api/fulfilments/{work}/label.zpl")
    assert "Storgatan 1" in zpl.text
    assert "It has left" in await act(clerk, here, "ship")
    assert (await orders.read(market.db, order.id)).status == "fulfilled"


async def test_something_else_is_given_and_several_orders_in_one_walk(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    kettle = (await market.product(title="Kettle", sku="KTL", stock=(3,))).variants[0].id
    await market.product(title="Blue kettle", sku="KTL-B", price=8_900, stock=(3,))
    first, second = await ordered(market, kettle), await ordered(market, kettle)
    begun = await clerk.post("/pos/work/soder/walks", data={})
    walk = begun.headers["location"]
    assert "2 orders · 2 pieces left" in text_of((await clerk.get(walk)).text)
    picked = text_of((await clerk.post(walk, data={"code": "KTL"})).text)
    assert "It goes into box 1" in picked
    assert "No order of this walk wants this" in text_of((await clerk.post(walk, data={"code": "NO"})).text)
    here = await address_of(market, second)
    refused = await act(clerk, here, "substitute", position="1", quantity="1", code="KTL")
    assert "This is what was ordered" in refused
    assert "The customer pays no more" in await act(
        clerk, here, "substitute", position="1", quantity="1", code="KTL-B"
    )
    given = await orders.read(market.db, second.id)
    assert (given.total, given.refunded, given.lines[0].substitutes) == (8_900, 1_000, "KTL")
    assert (await orders.read(market.db, first.id)).total == 9_900


async def test_work_is_done_only_where_somebody_is_bound_to(
    clerk: httpx.AsyncClient, api_as: Any, market: Market
) -> None:
    kettle = (await market.product(sku="KTL", stock=(2,))).variants[0].id
    here = await address_of(market, await ordered(market, kettle))
    assert (await clerk.get("/pos/work")).headers["location"] == "/pos/work/soder"
    for path in ("/pos/work/haga", here.replace("soder", "haga")):
        assert (await clerk.get(path)).status_code == 403, path
    assert (await clerk.post(f"{here.replace('soder', 'haga')}/take")).status_code == 403
    assert (await clerk.get("/pos/work/nowhere")).status_code == 404
    assert (await clerk.post(f"{here}/dance")).status_code == 404
    async with api_as(GUEST, accept="text/html") as guest:
        assert (await guest.get("/pos/work")).headers["location"].startswith("/admin/sign-in")


async def test_what_is_given_up_twice_by_one_press_is_given_up_once(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    kettle = (await market.product(sku="KTL", stock=(5,))).variants[0].id
    here = await address_of(market, await ordered(market, kettle, 3))
    await act(clerk, here, "take")
    sent = {
        "give-up-1": "1",
        "reason": "damaged",
        "version": hidden((await clerk.get(here)).text, "version"),
    }
    await act(clerk, here, "reject", **sent)
    assert "Somebody was quicker" in await act(clerk, here, "reject", **sent)
    assert await market.db.value("SELECT sum(quantity) FROM movement WHERE cause = 'damage'") == -1
    await market.db.rows("UPDATE fulfilment SET taken_by = 'staff:bo', taken_name = 'Bo' RETURNING 1")
    page = text_of((await clerk.get(here)).text)
    assert ("Bo is picking this" in page, "We cannot give it" in page) == (True, False), "it is theirs to say"


async def test_nonsense_is_no_error(clerk: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(sku="KTL", stock=(2,))).variants[0].id
    here = await address_of(market, await ordered(market, kettle))
    await act(clerk, here, "take")
    for code in ("", "x" * 5000, "'; --", "💥", "-1"):
        for step in ("pick", "pack", "hand-over", "substitute", "reject", "label", "ship"):
            names = ("code", "position", "quantity", "carrier", "tracking", "note", "give-up-1", "reason")
            assert (await clerk.post(f"{here}/{step}", data=dict.fromkeys(names, code))).status_code < 500, (
                step
            )
        assert (await clerk.post("/pos/work/soder/code", data={"code": code})).status_code < 500


@pytest.mark.browser
async def test_on_a_phone_with_a_scanner(site: Site, market: Market, signed: Any) -> None:
    kettle = (await market.product(title="Kettle", sku="KTL", stock=(5, 2))).variants[0].id
    order = await ordered(market, kettle, 2)
    sent = await ordered(market, kettle, pickup=False)
    await market.db.rows(
        "UPDATE fulfilment SET due_at = now() - interval '1 hour' WHERE order_id = $1 RETURNING 1", sent.id
    )
    page = await site.staff(Role.STORE, locations=(market.places[0].id,), width=390)
    looks = []

    async def look(name: str) -> None:
        looks.append(name)
        assert await site.violations(page) == [], name
        assert await site.overflow(page) == 0, name

    await page.goto("/pos/work/soder")
    await expect(page.get_by_text("Late", exact=True)).to_be_visible()
    await look("list")
    await page.get_by_role("link", name=order.number).click()
    await page.get_by_role("button", name="Pick this").click()
    for _ in range(2):
        await expect(page.get_by_role("searchbox", name="Scan what you have in the hand")).to_be_focused()
        await page.keyboard.type("KTL")
        await look(f"pick-{len(looks)}")
        await page.keyboard.press("Enter")
        await page.wait_for_load_state()
    await page.get_by_role("button", name="It lies ready").click()
    await page.get_by_role("link", name=order.number).click()
    await page.get_by_text("Without the code").click()
    await page.get_by_text("We cannot give it, or not all of it").click()
    await look("ready")
    await page.goto("/pos/work/soder")
    await page.get_by_role("link", name=sent.number).click()
    await page.get_by_role("button", name="Pick this").click()
    await page.get_by_role("button", name="I have all of Kettle").click()
    await look("pack")
    await page.get_by_role("link", name="Packing slip").click()
    await look("slip")
    given_up = RejectInput(reason=RejectReason.DAMAGED)
    cup = (await market.product(sku="CUP", stock=(1,))).variants[0].id
    async with site.before_it_listens(page, "/pos/work/soder"):
        nobody = await ordered(market, cup)
    await expect(page.get_by_role("link", name=nobody.number)).to_be_visible()  # it came by itself
    (lost,) = await fulfilment_store.of_order(market.db, nobody.id)
    await market.db.transaction(lambda tx: fulfilment_short.reject(tx, lost.id, given_up))
    kim = await site.visitor(width=390)
    for which, name in ((order, "code"), (nobody, "offer")):
        await kim.goto(signed(which))
        assert await site.violations(kim) == [], name
        assert await site.overflow(kim) == 0, name
    await kim.get_by_role("button", name="Call it off, money back").click()
    await expect(kim.get_by_text("It is called off").first).to_be_visible()
    owner = await site.staff(width=1440)
    for path, name in (("/admin/fulfilments", "admin"), (f"/admin/orders/{order.id}", "order")):
        await owner.goto(path)
        assert await site.violations(owner) == [], name
    assert site.complaints == []
