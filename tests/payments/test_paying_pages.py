"""Paying on the pages: the shop's checkout and the order desk show every tender, and what to do next."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import msgspec
import pytest
from desk import hurry
from fake_stripe import KEYS, FakeStripe
from market import Market, hidden, open_market, put_in, text_of

from samlad import channels, credit, orders
from samlad.channels import ChannelChange
from samlad.credit import IssueInput
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database
from samlad.kernel.vault import Vault
from samlad.payments import PaymentInput, accounts, stripe
from samlad.payments.accounts import StripeKeys
from samlad.payments.sweepers import reconcile
from trade import Trade

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
WHO = {
    "email": "kim@example.com", "name": "Kim Berg", "delivery": "ship", "line1": "Storgatan 1",
    "postal_code": "111 22", "city": "Stockholm", "country": "SE",
}  # fmt: skip


async def offer(market: Market, *names: str) -> None:
    """Let the webshop offer these ways to pay."""
    change = ChannelChange(settings={"payment_providers": list(names)})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))


@pytest.fixture
async def market(db: Database) -> Market:
    return await open_market(db)


@pytest.fixture
async def guest(market: Market, api_as: ApiAs) -> AsyncIterator[httpx.AsyncClient]:
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as client:
        yield client


@pytest.fixture
async def fake(market: Market, guest: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> FakeStripe:
    made = FakeStripe()
    monkeypatch.setattr(
        stripe,
        "connect",
        lambda keys: httpx.AsyncClient(base_url=keys.base_url, transport=httpx.MockTransport(made)),
    )
    keys = msgspec.convert(KEYS, StripeKeys)
    vault = Vault.of(market.db.settings)
    await market.db.transaction(lambda tx: accounts.set_keys(tx, vault, "stripe", keys))
    await offer(market, "stripe", "invoice")
    return made


async def at_checkout(guest: httpx.AsyncClient, market: Market) -> dict[str, str]:
    kettle = (await market.product(title="Kettle", price=9900, stock=(5,))).variants[0]
    await put_in(guest, kettle.id)
    assert (await guest.post("/checkout/start")).headers["location"] == "/checkout"
    html = (await guest.get("/checkout")).text
    return WHO | {"cart": hidden(html, "cart"), "total": hidden(html, "total")}


async def test_an_invoice_tells_its_reference(guest: httpx.AsyncClient, market: Market) -> None:
    await offer(market, "invoice", "on_delivery")
    form = await at_checkout(guest, market)
    page = text_of((await guest.get("/checkout")).text)
    assert "Test mode" not in page
    assert "Invoice" in page
    assert "Pay on delivery" in page
    refused = await guest.post("/checkout", data=form | {"token": "ok", "total": "1"})
    assert refused.status_code == 409
    bought = await guest.post("/checkout", data=form | {"token": "invoice"})
    assert bought.status_code == 303, text_of(bought.text)
    text = text_of((await guest.get(bought.headers["location"])).text)
    assert "Pay it with this reference: RF" in text
    assert "at the latest" in text


async def test_a_card_is_typed_into_stripes_fields_and_the_order_follows(
    guest: httpx.AsyncClient, market: Market, fake: FakeStripe
) -> None:
    form = await at_checkout(guest, market)
    gone = await guest.post("/checkout", data=form | {"token": "stripe"})
    assert gone.status_code == 303, text_of(gone.text)
    here = gone.headers["location"]
    assert here.startswith("/checkout/pay/")
    page = await guest.get(here)
    assert 'data-secret="pi_1_secret_x"' in page.text
    assert "https://js.stripe.com" in page.headers["content-security-policy"]
    assert "js.stripe.com" not in (await guest.get("/checkout")).headers["content-security-policy"]
    assert "Not finished" in text_of((await guest.get("/checkout")).text)
    again = await guest.post("/checkout", data=form | {"token": "stripe"})
    assert again.headers["location"] == here  # the same payment, not a second one
    fake.confirm("pi_1", "pm_card_chargeDeclined")
    await hurry(market.db)
    assert "The payment did not go through" in text_of((await guest.get(here)).text)
    fake.confirm("pi_1", "pm_card_visa")
    await hurry(market.db)
    done = await guest.get(here)
    assert done.status_code == 303
    assert "Thank you" in text_of((await guest.get(done.headers["location"])).text)
    assert (await guest.get(here)).headers["location"].startswith("/order/")  # the way back, twice
    await hurry(market.db)
    await reconcile(market.db)
    assert fake.kept == 9900 + 4900
    assert len(await market.orders()) == 1


async def test_a_silent_provider_is_told_and_another_way_is_open(
    guest: httpx.AsyncClient, market: Market, fake: FakeStripe
) -> None:
    form = await at_checkout(guest, market)
    here = (await guest.post("/checkout", data=form | {"token": "stripe"})).headers["location"]
    fake.silent.append("after")
    page = await guest.get(here)
    assert "We wait for the payment provider" in text_of(page.text)
    assert 'http-equiv="refresh"' in page.text
    assert (await guest.post(f"{here}/leave")).headers["location"] == "/checkout"
    bought = await guest.post("/checkout", data=form | {"token": "invoice"})
    assert bought.status_code == 303, text_of(bought.text)
    await hurry(market.db)
    await reconcile(market.db)
    assert {intent["status"] for intent in fake.intents.values()} == {"canceled"}
    assert (await guest.get("/checkout/pay/01a20189-6f9a-7000-88b6-9b5c7d637995")).headers[
        "location"
    ] == "/cart"


async def test_a_gift_card_is_held_while_the_provider_is_asked_for_the_rest(
    guest: httpx.AsyncClient, market: Market, fake: FakeStripe
) -> None:
    await offer(market, "stripe", "invoice", "gift_card")
    data = IssueInput(channel=market.web.id, amount=10_000, note="Hi")
    code = (await market.db.transaction(lambda tx: credit.issue(tx, data))).code
    form = await at_checkout(guest, market) | {"token": "stripe", "gift_code": code}
    here = (await guest.post("/checkout", data=form)).headers["location"]
    assert "48.00" in text_of((await guest.get(here)).text)
    assert (await credit.usable(market.db, code, market.web)).available == 0
    # Another way for the rest: the card is reserved still, and an old page does not charge the whole of it.
    assert (await guest.post(f"{here}/leave")).headers["location"] == "/checkout"
    page = (await guest.get("/checkout")).text
    assert "Reserved" in text_of(page)
    old = await guest.post("/checkout", data=form | {"gift_code": "", "token": "invoice", "reserved": "0"})
    assert old.status_code == 409
    again = form | {"gift_code": "", "reserved": hidden(page, "reserved")}
    there = (await guest.post("/checkout", data=again)).headers["location"]
    await guest.get(there)
    fake.confirm("pi_2" if "pi_2" in fake.intents else "pi_1", "pm_card_visa")
    await hurry(market.db)
    done = await guest.get(there)
    assert done.status_code == 303
    assert "Thank you" in text_of((await guest.get(done.headers["location"])).text)
    paid = (await orders.read(market.db, (await market.orders())[0]["id"])).payments
    assert sorted((p.provider, p.amount) for p in paid) == [("gift_card", 10_000), ("stripe", 4_800)]


async def test_a_part_by_card_and_the_rest_by_invoice(
    guest: httpx.AsyncClient, market: Market, fake: FakeStripe
) -> None:
    form = await at_checkout(guest, market)
    here = (await guest.post("/checkout", data=form | {"token": "stripe"})).headers["location"]
    await guest.get(here)
    await market.db.rows("UPDATE payment SET amount = 10000 RETURNING 1")  # a card that pays a part
    fake.confirm("pi_1", "pm_card_visa")
    await hurry(market.db)
    assert (await guest.get(here)).headers["location"] == "/checkout"
    page = text_of((await guest.get("/checkout")).text)
    assert "Reserved" in page
    bought = await guest.post("/checkout", data=form | {"token": "invoice"})
    text = text_of((await guest.get(bought.headers["location"])).text)
    assert "Card" in text
    assert "Invoice" in text
    order = await orders.read(market.db, (await market.orders())[0]["id"])
    assert sorted((p.provider, p.amount) for p in order.payments) == [("invoice", 4_800), ("stripe", 10_000)]


async def test_the_desk_books_money_and_says_what_to_do(trade: Trade, api_as: ApiAs) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(
        cart.id, PaymentInput(provider="invoice", amount=10_000), PaymentInput(provider="on_delivery")
    )
    async with api_as(accept="text/html", **{"accept-language": "en"}) as clerk:
        here = f"/admin/orders/{order.id}"
        text = text_of((await clerk.get(here)).text)
        assert "Book the money when it is here." in text
        assert "with the reference RF" in text
        by_hand = order.payments[0].id
        wrong = await clerk.post(f"{here}/receive", data={"payment": str(by_hand), "amount": "100.01"})
        assert wrong.status_code == 422
        card = await clerk.post(
            f"{here}/receive", data={"payment": str(by_hand), "amount": "1", "note": "4111 1111 1111 1111"}
        )
        assert card.status_code == 422
        assert "4111 1111" not in text_of(card.text)
        for amount in ("40", "60,00"):
            booked = await clerk.post(f"{here}/receive", data={"payment": str(by_hand), "amount": amount})
            assert booked.status_code == 303, text_of(booked.text)
        await trade.follow()
        await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, orders.CancelInput()))
        text = text_of((await clerk.get(here)).text)
        assert "on its way back" in text
        [refund] = (await orders.read(trade.db, order.id)).refunds
        assert (await clerk.post(f"{here}/refunded", data={"refund": str(refund.id)})).status_code == 303
        assert "went back" in text_of((await clerk.get(here)).text)
    await trade.sound()
