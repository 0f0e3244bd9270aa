"""The rest of an order, paid on the web by whoever has its link: at once, by a provider on the network, with the browser gone."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import msgspec
import pytest
from desk import hurry
from fake_stripe import KEYS, FakeStripe
from market import text_of

from samlad import credit, orders
from samlad.credit import IssueInput
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database
from samlad.kernel.vault import Vault
from samlad.orders import CancelInput, Order, PayInput, order_address
from samlad.payments import PaymentInput, accounts, stripe
from samlad.payments.accounts import StripeKeys
from samlad.payments.sweepers import reconcile
from trade import Trade, build

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db, payment_providers=["stripe", "invoice", "gift_card", "test"])


@pytest.fixture
async def guest(trade: Trade, api_as: ApiAs) -> AsyncIterator[httpx.AsyncClient]:
    async with api_as(GUEST, accept="text/html", **{"accept-language": "en"}) as client:
        yield client


@pytest.fixture
async def fake(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> FakeStripe:
    made = FakeStripe()
    monkeypatch.setattr(
        stripe,
        "connect",
        lambda keys: httpx.AsyncClient(base_url=keys.base_url, transport=httpx.MockTransport(made)),
    )
    keys = msgspec.convert(KEYS, StripeKeys)
    vault = Vault.of(trade.db.settings)
    await trade.db.transaction(lambda tx: accounts.set_keys(tx, vault, "stripe", keys))
    return made


async def ordered(trade: Trade) -> tuple[Order, str]:
    """A kettle of 199.00 with a deposit of 50.00, and the order's link."""
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="test"), deposit=5_000)
    return order, order_address.path(Vault.of(trade.db.settings), order.id)


async def state(trade: Trade, order: Order) -> tuple[int, str, list[tuple[str, int, str]]]:
    found = await orders.read(trade.db, order.id)
    paid = sorted((p.provider, p.amount, str(p.status)) for p in found.payments)
    return found.paid, str(found.payment_status), paid


async def test_the_rest_is_paid_at_once_and_once(guest: httpx.AsyncClient, trade: Trade) -> None:
    order, link = await ordered(trade)
    page = text_of((await guest.get(link)).text)
    assert "Pay 149.00" in page.replace("SEK", "").replace("\xa0", " ").replace("  ", " ")
    here = f"{link}/pay"
    form = await guest.get(here)
    assert form.headers["referrer-policy"] == "no-referrer"
    assert "149.00" in form.text.replace("\xa0", " ")
    assert "The goods come first" not in form.text, "what gives credit does not pay a rest"
    credited = await guest.post(here, data={"token": "invoice", "do": "pay"})
    assert credited.status_code == 422
    declined = await guest.post(here, data={"token": "decline", "do": "pay"})
    assert "was declined" in declined.text
    for _ in range(2):
        done = await guest.post(here, data={"token": "ok", "do": "pay"})
        assert done.headers["location"] == link
    assert await state(trade, order) == (
        19_900,
        "paid",
        [("test", 5_000, "captured"), ("test", 14_900, "captured")],
    )
    assert (await guest.get(here)).headers["location"] == link
    assert here not in (await guest.get(link)).text
    await trade.agree()


async def test_a_gift_card_and_a_card_in_stripes_fields(
    guest: httpx.AsyncClient, trade: Trade, fake: FakeStripe
) -> None:
    order, link = await ordered(trade)
    data = IssueInput(channel=trade.web.id, amount=2_000, note="Hi")
    code = (await trade.db.transaction(lambda tx: credit.issue(tx, data))).code
    here = f"{link}/pay"
    looked = await guest.post(here, data={"gift_code": code})
    assert "129.00" in text_of(looked.text)
    gone = await guest.post(here, data={"gift_code": code, "token": "stripe", "do": "pay"})
    there = gone.headers["location"]
    assert there.startswith(f"{here}/")
    asked = await guest.get(there)
    assert 'data-secret="pi_1_secret_x"' in asked.text
    assert "https://js.stripe.com" in asked.headers["content-security-policy"]
    other = (await ordered(trade))[1]
    assert (await guest.get(there.replace(link, other))).headers["location"] == f"{other}/pay"
    fake.confirm("pi_1", "pm_card_chargeDeclined")
    await hurry(trade.db)
    assert "The payment did not go through" in text_of((await guest.get(there)).text)
    await trade.follow()
    assert (await orders.read(trade.db, order.id)).paid == 5_000, "the gift card is only held"
    fake.confirm("pi_1", "pm_card_visa")
    await hurry(trade.db)
    assert (await guest.get(there)).headers["location"] == link
    assert (await guest.get(there)).headers["location"] == link, "the way back"
    await hurry(trade.db)
    await reconcile(trade.db)
    await trade.follow()
    assert await state(trade, order) == (
        19_900,
        "paid",
        [("gift_card", 2_000, "captured"), ("stripe", 12_900, "captured"), ("test", 5_000, "captured")],
    )
    await trade.agree()


async def test_the_browser_is_gone_and_the_log_pays(
    guest: httpx.AsyncClient, trade: Trade, fake: FakeStripe
) -> None:
    order, link = await ordered(trade)
    there = (await guest.post(f"{link}/pay", data={"token": "stripe", "do": "pay"})).headers["location"]
    await guest.get(there)
    fake.confirm("pi_1", "pm_card_visa")
    for _ in range(2):
        await hurry(trade.db)
        await reconcile(trade.db)
        await trade.follow()
    assert (await state(trade, order))[:2] == (19_900, "paid")
    assert fake.kept == 14_900
    await trade.agree()


async def test_who_pays_in_a_store_meanwhile_is_not_charged_twice(
    guest: httpx.AsyncClient, trade: Trade, fake: FakeStripe
) -> None:
    order, link = await ordered(trade)
    there = (await guest.post(f"{link}/pay", data={"token": "stripe", "do": "pay"})).headers["location"]
    await guest.get(there)
    given = PayInput(payments=[PaymentInput(provider="cash")], location=trade.at_lund.id)
    await trade.db.transaction(lambda tx: orders.pay(tx, order.id, given))
    fake.confirm("pi_1", "pm_card_visa")
    for _ in range(2):
        await hurry(trade.db)
        await reconcile(trade.db)
        await trade.follow()
    assert (await guest.get(there)).headers["location"] in (link, f"{link}/pay")
    assert fake.kept == 0
    assert (await state(trade, order))[:2] == (19_900, "paid")
    await trade.agree()


async def test_of_what_is_called_off_nothing_is_charged(
    guest: httpx.AsyncClient, trade: Trade, fake: FakeStripe
) -> None:
    order, link = await ordered(trade)
    there = (await guest.post(f"{link}/pay", data={"token": "stripe", "do": "pay"})).headers["location"]
    await guest.get(there)
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    fake.confirm("pi_1", "pm_card_visa")
    for _ in range(2):
        await hurry(trade.db)
        await reconcile(trade.db)
        await trade.follow()
    assert fake.kept == 0
    assert (await guest.get(f"{link}/pay")).headers["location"] == link
    assert (await guest.post(f"{link}/pay", data={"token": "ok", "do": "pay"})).headers["location"] == link
    await trade.agree()


async def test_another_way_frees_what_was_begun(
    guest: httpx.AsyncClient, trade: Trade, fake: FakeStripe
) -> None:
    _order, link = await ordered(trade)
    here = f"{link}/pay"
    there = (await guest.post(here, data={"token": "stripe", "do": "pay"})).headers["location"]
    again = (await guest.post(here, data={"token": "stripe", "do": "pay"})).headers["location"]
    assert again == there, "the same payment, not a second one"
    await guest.get(there)
    assert there in (await guest.get(here)).text
    assert (await guest.post(f"{there}/leave")).headers["location"] == here
    assert (await guest.post(here, data={"token": "ok", "do": "pay"})).headers["location"] == link
    await hurry(trade.db)
    await reconcile(trade.db)
    assert fake.kept == 0
    await trade.agree()
