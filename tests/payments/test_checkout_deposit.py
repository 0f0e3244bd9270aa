"""A deposit at the checkout: chosen where the channel offers it, paid at once or by a provider on the network."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import msgspec
import pytest
from desk import hurry
from fake_stripe import KEYS, FakeStripe
from market import Market, hidden, open_market, put_in, text_of

from samlad import channels
from samlad.channels import ChannelChange
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database
from samlad.kernel.vault import Vault
from samlad.payments import accounts, stripe
from samlad.payments.accounts import StripeKeys
from samlad.payments.sweepers import reconcile
from trade import Trade

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
WHO = {
    "email": "kim@example.com", "name": "Kim Berg", "delivery": "ship", "line1": "Storgatan 1",
    "postal_code": "111 22", "city": "Stockholm", "country": "SE",
}  # fmt: skip
TOTAL = 9_900 + 4_900
DEPOSIT = 2_960  # 20 % of it


@pytest.fixture
async def market(db: Database) -> Market:
    found = await open_market(db)
    await offer(found, deposit_offered=True, deposit_percent=20, deposit_days=30)
    return found


async def offer(market: Market, **settings: object) -> None:
    given = ChannelChange(settings={"payment_providers": ["stripe", "test", "invoice"], **settings})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, given))


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
    return made


async def at_checkout(guest: httpx.AsyncClient, market: Market) -> dict[str, str]:
    kettle = (await market.product(title="Kettle", price=9900, stock=(5,))).variants[0]
    await put_in(guest, kettle.id)
    assert (await guest.post("/checkout/start")).headers["location"] == "/checkout"
    html = (await guest.get("/checkout")).text
    return WHO | {"cart": hidden(html, "cart"), "total": hidden(html, "total")}


async def order_of(market: Market) -> tuple[int, int, str, bool]:
    [found] = await market.db.rows("SELECT * FROM orders")
    return found["deposit"], found["paid"], found["payment_status"], found["rest_due_on"] is not None


async def test_it_is_chosen_looked_at_and_paid(guest: httpx.AsyncClient, market: Market) -> None:
    form = await at_checkout(guest, market)
    page = await guest.get("/checkout")
    assert "A deposit now" in page.text
    looked = await guest.post("/checkout/look", data=form | {"deposit": "1"})
    assert "You pay now" in looked.text
    assert hidden(looked.text, "now") == str(DEPOSIT)
    older = await guest.post("/checkout", data=form | {"deposit": "1", "now": "1000", "token": "ok"})
    assert older.status_code == 409, "another deposit than was shown"
    bought = await guest.post("/checkout", data=form | {"deposit": "1", "now": str(DEPOSIT), "token": "ok"})
    assert bought.status_code == 303, text_of(bought.text)
    assert await order_of(market) == (DEPOSIT, DEPOSIT, "unpaid", True)
    told = text_of((await guest.get(bought.headers["location"])).text)
    assert "Deposit paid" in told
    assert "at the latest" in told


async def test_all_of_it_is_paid_by_who_does_not_choose(guest: httpx.AsyncClient, market: Market) -> None:
    form = await at_checkout(guest, market)
    # Chosen, declined, and chosen otherwise: the last word counts.
    assert (
        await guest.post("/checkout", data=form | {"deposit": "1", "token": "decline"})
    ).status_code == 422
    bought = await guest.post("/checkout", data=form | {"deposit": "", "token": "ok"})
    assert bought.status_code == 303, text_of(bought.text)
    assert await order_of(market) == (None, TOTAL, "paid", False)


async def test_where_none_is_offered_none_is_taken(guest: httpx.AsyncClient, market: Market) -> None:
    form = await at_checkout(guest, market)
    await offer(market, deposit_offered=False)
    assert "A deposit now" not in (await guest.get("/checkout")).text
    refused = await guest.post("/checkout", data=form | {"deposit": "1", "now": str(DEPOSIT), "token": "ok"})
    assert refused.status_code == 409
    assert await market.db.rows("SELECT 1 FROM orders") == []


@pytest.mark.parametrize("is_gone", [False, True])
async def test_by_card_in_stripes_fields(
    guest: httpx.AsyncClient, market: Market, fake: FakeStripe, is_gone: bool
) -> None:
    """With ``is_gone`` the browser never comes back, and the log places the order."""
    form = await at_checkout(guest, market)
    gone = await guest.post("/checkout", data=form | {"deposit": "1", "token": "stripe"})
    here = gone.headers["location"]
    assert here.startswith("/checkout/pay/"), text_of(gone.text)
    assert "29.60" in (await guest.get(here)).text.replace("\xa0", " ")
    fake.confirm("pi_1", "pm_card_visa")
    await hurry(market.db)
    trade = Trade(db=market.db, web=market.web, malmo=None, lund=None, warehouse=None, at_malmo=None, at_lund=None)  # type: ignore[arg-type]  # fmt: skip
    if is_gone:
        await reconcile(market.db)
        await trade.follow()
    else:
        assert (await guest.get(here)).headers["location"].startswith("/order/")
    await hurry(market.db)
    await reconcile(market.db)
    await trade.follow()
    assert await order_of(market) == (DEPOSIT, DEPOSIT, "unpaid", True)
    assert fake.kept == DEPOSIT
    await trade.agree()
