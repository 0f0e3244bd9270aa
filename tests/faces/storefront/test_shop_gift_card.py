"""A gift card at the checkout: its balance is shown, it pays what it can, and the test card pays the rest."""

import httpx
from market import Market, put_in, text_of
from test_shop_buying import at_checkout

from samlad import credit
from samlad.credit import IssueInput
from samlad.kernel.ids import new_id


async def card(market: Market, amount: int) -> str:
    """The code of a card with so much on it."""
    data = IssueInput(channel=market.web.id, amount=amount, note="Welcome")
    return (await market.db.transaction(lambda tx: credit.issue(tx, data))).code


async def ready(guest: httpx.AsyncClient, market: Market) -> dict[str, str]:
    """A cart of 148 kronor at the checkout."""
    kettle = (await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))).variants[0]
    await put_in(guest, kettle.id)
    return await at_checkout(guest)


async def test_its_balance_is_shown_and_it_pays_a_part(guest: httpx.AsyncClient, market: Market) -> None:
    code = await card(market, 10_000)
    form = await ready(guest, market) | {"gift_code": code}
    piece = await guest.post("/checkout/look", data=form, headers={"hx-request": "true"})
    shown = text_of(piece.text)
    assert "100.00" in shown
    assert "48.00" in shown
    assert "48.00" in text_of((await guest.post("/checkout/look", data=form)).text)
    assert (await credit.usable(market.db, code, market.web)).available == 10_000, "nothing is taken yet"
    assert (await guest.post("/checkout", data=form)).status_code == 303
    paid = await market.db.rows("SELECT provider, amount FROM payment ORDER BY id")
    assert [(row["provider"], row["amount"]) for row in paid] == [("gift_card", 10_000), ("test", 4_800)]


async def test_it_pays_all_and_no_other_card_is_asked(guest: httpx.AsyncClient, market: Market) -> None:
    code = await card(market, 20_000)
    form = await ready(guest, market) | {"gift_code": code, "token": "decline"}
    bought = await guest.post("/checkout", data=form)
    assert bought.status_code == 303, text_of(bought.text)
    assert (await credit.usable(market.db, code, market.web)).available == 5_200
    (order,) = await market.orders()
    assert order["status"] == "paid"


async def test_a_declined_rest_takes_nothing_from_it(guest: httpx.AsyncClient, market: Market) -> None:
    code = await card(market, 10_000)
    form = await ready(guest, market) | {"gift_code": code, "token": "decline"}
    refused = await guest.post("/checkout", data=form)
    assert "Nothing was ordered" in text_of(refused.text)
    assert (await credit.usable(market.db, code, market.web)).available == 10_000


async def test_a_wrong_code_is_told_at_its_field_and_counted(
    guest: httpx.AsyncClient, market: Market
) -> None:
    form = await ready(guest, market) | {"gift_code": "KX4T-9PZC-M2HE-77QA-41"}
    refused = await guest.post("/checkout", data=form)
    assert refused.status_code == 422
    assert "cannot be used here" in text_of(refused.text)
    empty = await card(market, 10_000)
    await market.db.transaction(lambda tx: credit.hold_card(tx, new_id(), empty, 10_000, "SEK"))
    nothing = await guest.post("/checkout/look", data=form | {"gift_code": empty})
    assert "Nothing is left" in text_of(nothing.text)
    for _ in range(20):
        told = await guest.post("/checkout/look", data=form, headers={"hx-request": "true"})
    assert told.status_code in (200, 429)
    assert "cannot be used here" not in text_of(told.text), "too many codes: none is looked at any more"
    assert await market.orders() == []
