"""An exchange that costs more, on the pages of whoever has the order's link: chosen, paid as at the checkout, made once."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from uuid import UUID

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
from samlad.orders import FulfilInput, order_address
from samlad.payments import accounts, stripe
from samlad.payments.accounts import StripeKeys
from samlad.payments.sweepers import reconcile
from trade import Trade, build

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(
        db, instant_exchange=True, payment_providers=["stripe", "invoice", "gift_card", "test"]
    )


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


async def bought(trade: Trade, variant: str) -> tuple[orders.Order, str]:
    """An order that is with its customer, and its link."""
    order = await trade.buy((UUID(variant), 1))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    return order, order_address.path(Vault.of(trade.db.settings), order.id)


async def agreed(guest: httpx.AsyncClient, link: str, instead: str) -> str:
    """Choose the other one and agree to what it costs, twice; where it is paid."""
    given = {
        "back-1": "1",
        "reason-1": "wrong_size",
        "instead-1": instead,
        "way": "send",
        "note": "Too short",
    }
    looked = await guest.post(f"{link}/return", data=given)
    assert "You pay 50.00" in text_of(looked.text).replace("SEK", "").replace("\xa0", " ").replace("  ", " ")
    assert "Exchange and pay the difference" in looked.text
    for name in ("id", "fingerprint"):
        given[name] = re.search(rf'name="{name}" value="([^"]+)"', looked.text)[1]  # type: ignore[index]
    there = [
        (await guest.post(f"{link}/return", data={**given, "do": "exchange"})).headers["location"]
        for _ in range(2)
    ]
    assert there[0] == there[1]
    assert there[0].startswith(f"{link}/exchanges/")
    return there[0]


async def test_the_difference_is_paid_by_card_and_gift_card(
    guest: httpx.AsyncClient, trade: Trade, fake: FakeStripe
) -> None:
    short, long = map(str, await trade.shirts())
    order, link = await bought(trade, short)
    here = await agreed(guest, link, long)
    page = await guest.get(here)
    assert "put aside for you until" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert (await guest.get(here.replace(link, (await bought(trade, short))[1]))).status_code == 404
    data = IssueInput(channel=trade.web.id, amount=2_000, note="Hi")
    code = (await trade.db.transaction(lambda tx: credit.issue(tx, data))).code
    looked = await guest.post(here, data={"gift_code": code})
    assert "Still to pay" in looked.text
    assert "30.00" in text_of(looked.text)
    gone = await guest.post(here, data={"gift_code": code, "token": "stripe", "do": "pay"})
    there = gone.headers["location"]
    assert there.startswith(f"{here}/pay/")
    asked = await guest.get(there)
    assert 'data-secret="pi_1_secret_x"' in asked.text
    assert "https://js.stripe.com" in asked.headers["content-security-policy"]
    assert f'href="{here}"' in (await guest.get(link)).text, "who closed the window finds it again"
    # Declined: nothing is made. They leave, come back and pay.
    fake.confirm("pi_1", "pm_card_chargeDeclined")
    await hurry(trade.db)
    assert "The payment did not go through" in text_of((await guest.get(there)).text)
    assert "Not finished" in (await guest.get(here)).text
    fake.confirm("pi_1", "pm_card_visa")
    await hurry(trade.db)
    done = await guest.get(there)
    assert done.status_code == 303, text_of(done.text)
    assert done.headers["location"].startswith(f"{link}/returns/")
    assert "Label for the parcel" in (await guest.get(done.headers["location"])).text
    for address in (here, there):  # the way back
        assert (await guest.get(address)).headers["location"] == done.headers["location"]
    assert (await guest.post(here, data={"token": "invoice", "do": "pay"})).headers[
        "location"
    ] == done.headers["location"]
    [new] = await trade.db.rows("SELECT id FROM orders WHERE changes = $1", order.id)
    paid = (await orders.read(trade.db, new["id"])).payments
    assert sorted((p.provider, p.amount) for p in paid) == [("gift_card", 2_000), ("stripe", 3_000)]
    await hurry(trade.db)
    await reconcile(trade.db)
    await trade.agree()


async def test_a_declined_test_card_another_way_and_giving_up(guest: httpx.AsyncClient, trade: Trade) -> None:
    short, long = map(str, await trade.shirts())
    order, link = await bought(trade, short)
    here = await agreed(guest, link, long)
    declined = await guest.post(here, data={"token": "decline", "do": "pay"})
    assert "was declined" in declined.text
    assert "Pay the difference" in declined.text
    done = await guest.post(here, data={"token": "ok", "do": "pay"})
    assert done.headers["location"].startswith(f"{link}/returns/")
    assert await trade.db.value("SELECT count(*) FROM orders WHERE changes = $1", order.id) == 1
    order, link = await bought(trade, short)
    here = await agreed(guest, link, long)
    for _ in range(2):
        assert (await guest.post(f"{here}/stop")).headers["location"] == link
    assert here not in (await guest.get(link)).text
    assert (await guest.get(here)).headers["location"] == f"{link}/return"
    await trade.agree()
    # Another price than was agreed to: nothing is charged, and it begins once more.
    here = await agreed(guest, link, long)
    await trade.db.rows("UPDATE price SET amount = 16000 WHERE amount = 15000 RETURNING 1")
    over = await guest.post(here, data={"token": "ok", "do": "pay"})
    assert over.headers["location"] == f"{link}/return"
    assert "Nothing was charged" in (await guest.get(over.headers["location"])).text
    assert await trade.db.value("SELECT count(*) FROM orders WHERE changes = $1", order.id) == 0
