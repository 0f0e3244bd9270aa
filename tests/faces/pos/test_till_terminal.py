"""A card at the till: the terminal reserves the money, then the ticket is sold, once; or nothing is."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from browser import Site
from market import Market, hidden, text_of
from playwright.async_api import expect
from test_till_credit import card, on_ticket
from test_till_returns import sell

from samlad import channels, orders
from samlad.access.permissions import Role
from samlad.channels import ChannelChange
from samlad.kernel.ids import new_id
from samlad.orders import exchange_store, settling
from samlad.payments import card_terminals
from samlad.payments.card_terminal_model import CardTerminalInput

HTMX = {"hx-request": "true"}


@pytest.fixture(autouse=True)
async def terminal_in_the_store(market: Market) -> None:
    change = ChannelChange(settings={"payment_providers": ["cash", "gift_card", "terminal"]})
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, change))


async def to_terminal(clerk: httpx.AsyncClient, **more: str) -> str:
    """The page that waits for the card."""
    html = (await clerk.get("/pos/soder/pay?by=card")).text
    sent = {
        "by": "card",
        "with": "terminal",
        "cart": hidden(html, "cart"),
        "total": hidden(html, "total"),
    } | more
    answer = await clerk.post("/pos/soder/pay", data=sent)
    assert answer.status_code == 303, text_of(answer.text)
    page = answer.headers["location"]
    assert "Waiting for a card" in text_of((await clerk.get(page)).text), "this wakes the terminal"
    return page


async def held_to_it(clerk: httpx.AsyncClient, page: str, button: str) -> httpx.Response:
    assert (await clerk.post(f"{page}/press", data={"button": button})).status_code == 303
    return await clerk.get(page)


async def state(market: Market) -> list[tuple[Any, ...]]:
    rows = await market.db.rows(
        "SELECT provider, status, order_id IS NOT NULL AS sold FROM payment ORDER BY id"
    )
    return [tuple(row) for row in rows]


async def test_a_card_that_is_accepted_sells_the_ticket_once(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await on_ticket(clerk, market)
    page = await to_terminal(clerk)
    assert (await clerk.get(page, headers=HTMX)).status_code == 204, "nothing has happened"
    assert (await clerk.get("/pos/soder/pay?by=cash")).headers["location"] == page, "the terminal is awake"
    sold = await held_to_it(clerk, page, "approve")
    assert "/sales/" in sold.headers["location"]
    assert "Sold" in text_of((await clerk.get(sold.headers["location"])).text)
    again = await clerk.get(page)
    assert again.headers["location"] == "/pos/soder"
    assert (
        await market.db.value("SELECT count(*) FROM orders WHERE payment_status IN ('authorized', 'paid')")
        == 1
    )
    assert [each[0::2] for each in await state(market)] == [("terminal", True)]


@pytest.mark.parametrize(
    ("button", "said"), [("decline", "The card was declined"), ("cancel", "Cancelled at the terminal")]
)
async def test_one_that_is_not_leaves_the_ticket_as_it_was(
    clerk: httpx.AsyncClient, market: Market, button: str, said: str
) -> None:
    await on_ticket(clerk, market)
    back = await held_to_it(clerk, await to_terminal(clerk), button)
    assert back.headers["location"] == "/pos/soder/pay?by=card"
    assert said in text_of((await clerk.get("/pos/soder/pay?by=card")).text)
    sold = await held_to_it(clerk, await to_terminal(clerk), "approve")
    assert "/sales/" in sold.headers["location"], "the next card does"


async def test_another_way_to_pay_tells_the_terminal_to_stop(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await on_ticket(clerk, market)
    page = await to_terminal(clerk)
    assert (await clerk.post(f"{page}/leave")).headers["location"] == "/pos/soder/pay?by=card"
    assert await state(market) == [("terminal", "voided", False)]
    assert await market.db.value("SELECT status FROM terminal_simulation") == "cancelled"
    html = (await clerk.get("/pos/soder/pay?by=cash")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "cash", "tendered": "200.00"}
    assert "/sales/" in (await clerk.post("/pos/soder/pay", data=form)).headers["location"]


async def test_a_gift_card_pays_what_is_on_it_and_the_terminal_the_rest(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    code = await card(market, 5_000)
    await on_ticket(clerk, market)
    page = await to_terminal(clerk, by="gift", code=code, rest="terminal")
    assert code not in str(clerk.cookies.jar), "the code is in no cookie that can be read"
    assert "149" in text_of((await clerk.get(page)).text)
    sold = await held_to_it(clerk, page, "approve")
    assert "/sales/" in sold.headers["location"]
    paid = await market.db.rows("SELECT provider, amount FROM payment ORDER BY amount")
    assert [tuple(row) for row in paid] == [("gift_card", 5_000), ("terminal", 14_900)]


async def test_what_cannot_be_sold_any_more_is_not_charged(clerk: httpx.AsyncClient, market: Market) -> None:
    await on_ticket(clerk, market)
    page = await to_terminal(clerk)
    await clerk.post("/pos/soder/scan", data={"code": "KTL"}, headers=HTMX)  # in another window
    said = await held_to_it(clerk, page, "approve")
    assert said.headers["location"] == "/pos/soder"
    assert "the card is not charged" in text_of((await clerk.get("/pos/soder")).text)
    assert await state(market) == [("terminal", "voided", False)]
    assert await market.db.value("SELECT count(*) FROM orders") == 0


async def test_a_tip_goes_along_with_the_card(clerk: httpx.AsyncClient, market: Market) -> None:
    change = ChannelChange(settings={"tips": True, "tip_amounts": [1_500]})
    await on_ticket(clerk, market)
    assert "Something for the staff" not in text_of((await clerk.get("/pos/soder/pay?by=card")).text)
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, change))
    shown = text_of((await clerk.get("/pos/soder/pay?by=card&tip=2000")).text)
    assert "219" in shown
    assert "of which" in shown
    assert "Something for the staff" not in text_of((await clerk.get("/pos/soder/pay?by=gift")).text)
    much = await clerk.get("/pos/soder/pay?by=card&tip_text=500")
    assert "at most as much as the ticket" in text_of(much.text)
    page = await to_terminal(clerk, tip="2000")
    assert "219" in text_of((await clerk.get(page)).text)
    sold = await held_to_it(clerk, page, "approve")
    receipt = text_of((await clerk.get(sold.headers["location"])).text)
    assert "Tip" in receipt
    order = await market.db.row("SELECT id, total FROM orders")
    assert order is not None
    assert order["total"] == 19_900
    tip = await orders.tip_of(market.db, order["id"])
    assert tip is not None
    assert (tip.amount, tip.tender, tip.clerk_name) == (2_000, "terminal", "Sam Säljare")
    # What the card brought more than the order comes to is no surplus that goes back by itself.
    await market.db.transaction(lambda tx: settling.settle_order(tx, order["id"]))
    assert await market.db.value("SELECT count(*) FROM refund") == 0


@pytest.mark.browser
async def test_the_page_goes_on_by_itself(site: Site, market: Market) -> None:
    await market.product(title="Kettle", price=19_900, stock=(5,), variants=[{"sku": "KTL"}])
    page = await site.staff(Role.STORE, locations=(market.places[0].id,), name="Sam Clerk")
    await page.goto("/pos/soder")
    await page.get_by_role("button", name="Kettle").first.click()
    await expect(page.get_by_role("link", name="Card", exact=True)).to_be_visible()
    await page.goto("/pos/soder/pay?by=card")
    await site.fine(page)
    await site.picture(page, "till-card")
    await page.get_by_role("button", name="To the terminal").click()
    await expect(page.get_by_text("Waiting for a card")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "till-terminal")
    payment = await market.db.value("SELECT id FROM terminal_simulation")
    await market.db.rows(
        "UPDATE terminal_simulation SET status = 'approved' WHERE id = $1 RETURNING id", payment
    )
    await expect(page.get_by_text("Sold", exact=True)).to_be_visible()
    await site.fine(page)


async def with_deposit(clerk: httpx.AsyncClient, **more: str) -> httpx.Response:
    """Put the ticket aside with a deposit of 50.00."""
    html = (await clerk.get("/pos/soder/deposit")).text
    sent = {"cart": hidden(html, "cart"), "amount": "50.00", "email": "kim@example.org", "name": "Kim"} | more
    return await clerk.post("/pos/soder/deposit", data=sent)


async def test_the_ticket_is_put_aside_and_the_rest_is_paid_when_it_is_fetched(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await on_ticket(clerk, market)
    assert "/pos/soder/deposit" in (await clerk.get("/pos/soder")).text
    for wrong in ({"amount": ""}, {"amount": "5000"}, {"email": ""}, {"way": "cash", "amount": "50.05"}):
        refused = await with_deposit(clerk, **wrong)
        assert refused.status_code == 422, wrong
    assert await state(market) == []
    page = (await with_deposit(clerk, way="terminal")).headers["location"]
    assert "Waiting for a card" in text_of((await clerk.get(page)).text)
    declined = await held_to_it(clerk, page, "decline")
    assert declined.headers["location"] == "/pos/soder/deposit"
    assert await market.db.value("SELECT delivery FROM cart") != "pickup", "it can still be carried out"
    page = (await with_deposit(clerk, way="terminal")).headers["location"]
    await clerk.get(page)
    there = (await held_to_it(clerk, page, "approve")).headers["location"]
    [order] = await market.db.rows("SELECT * FROM orders")
    assert (order["deposit"], order["delivery"], order["status"]) == (5_000, "pickup", "placed")
    assert there == f"/pos/soder/orders/{order['id']}/pay"
    text = text_of((await clerk.get(there)).text)
    assert "It is put aside" in text
    rest = f"{(order['total'] - 5_000) / 100:.2f}"
    assert rest in text
    # The rest by card, too: the first is declined, the second pays.
    form = {"way": "terminal", "version": str(order["version"]), "amount": ""}
    page = (await clerk.post(there, data=form)).headers["location"]
    assert "Waiting for a card" in text_of((await clerk.get(page)).text)
    assert (await clerk.get(page, headers=HTMX)).status_code == 204
    assert (await held_to_it(clerk, page, "decline")).headers["location"] == there
    page = (await clerk.post(there, data=form)).headers["location"]
    await clerk.get(page)
    done = await held_to_it(clerk, page, "approve")
    assert done.headers["location"] == there
    assert "Nothing is left to pay" in text_of((await clerk.get(there)).text)
    assert (await clerk.get(page)).headers["location"] == there, "the way back"
    paid = [each for each in await state(market) if each[2]]
    assert len(paid) == 2
    assert all(each[0] == "terminal" and each[1] in ("authorized", "captured") for each in paid)
    places = await market.db.rows("SELECT location FROM payment WHERE order_id IS NOT NULL ORDER BY id")
    assert places[1]["location"] == market.places[0].id


async def test_a_deposit_in_cash_is_taken_once(clerk: httpx.AsyncClient, market: Market) -> None:
    await on_ticket(clerk, market)
    html = (await clerk.get("/pos/soder/deposit")).text
    sent = {"cart": hidden(html, "cart"), "amount": "50", "email": "kim@example.org", "way": "cash"}
    first = await clerk.post("/pos/soder/deposit", data=sent)
    assert first.status_code == 303, text_of(first.text)
    assert "/orders/" in first.headers["location"]
    assert (await clerk.post("/pos/soder/deposit", data=sent)).headers["location"] == "/pos/soder"
    assert await market.db.value("SELECT count(*) FROM orders") == 1


async def test_a_terminal_that_is_left_pays_nothing_of_an_order(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await on_ticket(clerk, market)
    there = (await with_deposit(clerk, way="cash")).headers["location"]
    version = await market.db.value("SELECT version FROM orders")
    form = {"way": "terminal", "version": str(version), "amount": "20"}
    page = (await clerk.post(there, data=form)).headers["location"]
    await clerk.get(page)
    assert (await clerk.post(f"{page}/leave")).headers["location"] == there
    assert await market.db.value("SELECT status FROM terminal_simulation") == "cancelled"
    assert (await clerk.get(page)).headers["location"] == there
    assert await market.db.value("SELECT count(*) FROM payment WHERE order_id IS NOT NULL") == 1


async def back_for(
    clerk: httpx.AsyncClient, market: Market, button: str, **more: str
) -> tuple[str, str, httpx.Response]:
    """What was sold for 199.00 comes back at the terminal; the return's page, the one that waited, and what the button led to."""
    order = await market.db.value("SELECT id FROM orders WHERE kind = 'sale' ORDER BY placed_at LIMIT 1")
    here = f"/pos/soder/returns/{order}"
    page = (await clerk.get(here)).text
    assert 'value="terminal"' not in page, "there is nothing to pay yet"
    chosen = {"id": hidden(page, "id"), "return-1": "1", "way": "terminal"} | more
    piece = (await clerk.post(f"{here}/preview", data=chosen, headers=HTMX)).text
    assert "Card terminal" in text_of(piece)
    agreed = chosen | {"fingerprint": hidden(piece, "fingerprint"), "act": "apply"}
    waits = (await clerk.post(here, data=agreed)).headers["location"]
    twice = await clerk.post(here, data=agreed)
    assert twice.headers["location"] == waits, "pressed twice it is one payment"
    shown = text_of((await clerk.get(waits)).text)
    assert "Waiting for a card" in shown
    assert "100" in shown
    assert (await clerk.get(waits, headers=HTMX)).status_code == 204
    if button == "leave":
        return here, waits, await clerk.post(f"{waits}/leave")
    return here, waits, await held_to_it(clerk, waits, button)


async def for_dearer(clerk: httpx.AsyncClient, market: Market) -> None:
    await sell(clerk, market, "KTL", 19_900)
    await market.product(title="Toaster", price=29_900, stock=(5,), variants=[{"sku": "TST"}])


async def standing(market: Market) -> dict[str, Any]:
    """Units out of stock and held, what is captured or reserved, and how many orders of each kind there are."""
    rows = await market.db.rows("SELECT kind, count(*) AS n FROM orders GROUP BY kind")
    held = await market.db.value("SELECT coalesce(sum(held), 0) FROM level")
    live = await market.db.rows(
        "SELECT provider, amount FROM payment WHERE order_id IS NOT NULL AND status IN ('authorized', 'captured') ORDER BY provider"
    )
    return {row["kind"]: row["n"] for row in rows} | {"held": held, "paid": [tuple(row) for row in live]}


@pytest.mark.parametrize("with_ticket", [False, True])
@pytest.mark.parametrize("button", ["decline", "leave"])
async def test_a_dearer_exchange_that_is_not_paid_changes_nothing(
    clerk: httpx.AsyncClient, market: Market, button: str, *, with_ticket: bool
) -> None:
    await for_dearer(clerk, market)
    if with_ticket:
        await clerk.post("/pos/soder/scan", data={"code": "TST"}, headers=HTMX)
    before = await standing(market)
    more = {"with_ticket": "1"} if with_ticket else {"exchange-1": "TST"}
    here, waits, answer = await back_for(clerk, market, button, **more)
    if button == "decline":  # the page that waits says so; another card is tried there
        answer = await clerk.post(f"{waits}/leave")
    assert answer.headers["location"] == here
    assert await standing(market) == before
    assert (await clerk.get(waits)).headers["location"] == here, "nothing comes of it later"
    _here, _waits, sold = await back_for(clerk, market, "approve", **more)
    assert "/sales/" in sold.headers["location"], "the next card does"


@pytest.mark.parametrize("with_ticket", [False, True])
async def test_a_dearer_exchange_is_made_once_the_terminal_has_the_difference(
    clerk: httpx.AsyncClient, market: Market, *, with_ticket: bool
) -> None:
    await for_dearer(clerk, market)
    if with_ticket:
        await clerk.post("/pos/soder/scan", data={"code": "TST"}, headers=HTMX)
    more = {"with_ticket": "1"} if with_ticket else {"exchange-1": "TST"}
    _here, waits, sold = await back_for(clerk, market, "approve", **more)
    assert "/sales/" in sold.headers["location"]
    assert "Sold" in text_of((await clerk.get(sold.headers["location"])).text)
    again = await clerk.get(waits)
    assert again.headers["location"] == sold.headers["location"], "looked at again it is the same one"
    assert await standing(market) == {
        "sale": 2,
        "return": 1,
        "held": 0,
        "paid": [("cash", 19_900), ("exchange", 19_900), ("terminal", 10_000)],
    }
    assert await market.db.value("SELECT state FROM exchange_to_pay") == "made"


async def test_an_exchange_that_changed_while_the_card_was_read_is_not_charged(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await for_dearer(clerk, market)
    here, waits, _left = await back_for(clerk, market, "leave", **{"exchange-1": "TST"})
    order = here.rsplit("/", 1)[1]
    page = (await clerk.get(here)).text
    agreed = {
        "id": hidden(page, "id"),
        "return-1": "1",
        "exchange-1": "TST",
        "way": "terminal",
        "act": "apply",
    }
    first = (await clerk.post(here, data=agreed)).headers["location"]
    waits = (await clerk.post(here, data=agreed | {"id": str(new_id())})).headers["location"]
    assert waits != first, "another one of the same order: the first is given up"
    assert (await clerk.get(first)).headers["location"] == here
    await clerk.get(waits)
    asked = await exchange_store.read(market.db, UUID(waits.rsplit("/", 1)[1]))
    assert asked is not None
    assert asked.is_at_till, "its customer is asked for nothing online"
    other = {"return-1": "1", "act": "apply"}  # in another window it came back for money
    assert (await clerk.post(here, data=other)).status_code == 303
    said = await held_to_it(clerk, waits, "approve")
    assert said.headers["location"] == here
    assert "the card is not charged" in text_of((await clerk.get(here)).text)
    assert {row[1] for row in await state(market) if row[0] == "terminal"} == {"voided"}
    assert await market.db.value("SELECT count(*) FROM orders WHERE id <> $1 AND kind = 'sale'", order) == 0
    assert (await standing(market))["held"] == 0


async def one_ticket(clerk: httpx.AsyncClient, market: Market) -> tuple[dict[str, str], str, str]:
    """A Pay page that was opened for a ticket, which is then exchanged at the terminal in another window: what the page would send,
    the page that waits for the exchange, and the payment that the terminal works on."""
    await for_dearer(clerk, market)
    await clerk.post("/pos/soder/scan", data={"code": "TST"}, headers=HTMX)
    html = (await clerk.get("/pos/soder/pay?by=cash")).text
    seen = {"cart": hidden(html, "cart"), "total": hidden(html, "total")}
    order = await market.db.value("SELECT id FROM orders")
    page = (await clerk.get(f"/pos/soder/returns/{order}")).text
    sent = {"id": hidden(page, "id"), "return-1": "1", "with_ticket": "1", "way": "terminal", "act": "apply"}
    waits = (await clerk.post(f"/pos/soder/returns/{order}", data=sent)).headers["location"]
    await clerk.get(waits)
    payment = await market.db.value("SELECT id FROM payment WHERE provider = 'terminal'")
    return seen, waits, str(payment)


async def test_a_ticket_that_waits_with_a_return_is_not_sold_without_it(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    seen, waits, payment = await one_ticket(clerk, market)
    before = await standing(market)
    for by in (
        {"by": "cash", "tendered": "500.00"},
        {"by": "card", "with": "terminal"},
        {"by": "card", "with": "terminal", "total": "10000"},  # what the terminal shows
    ):
        answer = await clerk.post("/pos/soder/pay", data=seen | by)
        assert answer.headers["location"] == waits, by
        assert "together with a return" in text_of((await clerk.get(waits)).text), by
    for page in ("pay", "pay?by=card", "deposit", f"pay/terminal/{payment}", f"deposit/terminal/{payment}"):
        assert (await clerk.get(f"/pos/soder/{page}")).headers["location"] == waits, page
    aside = {"cart": seen["cart"], "amount": "50.00", "email": "kim@example.org", "way": "cash"}
    assert (await clerk.post("/pos/soder/deposit", data=aside)).headers["location"] == waits
    await clerk.post(f"/pos/soder/pay/terminal/{payment}/press", data={"button": "approve"})
    assert (await clerk.get(f"/pos/soder/pay/terminal/{payment}")).headers["location"] == waits
    assert await standing(market) == before, "what the terminal has reserved is the exchange's"
    assert "/sales/" in (await clerk.get(waits)).headers["location"]
    assert (await standing(market))["return"] == 1


async def test_a_sale_and_an_exchange_of_one_ticket_at_once_are_one_of_them(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    seen, waits, _payment = await one_ticket(clerk, market)
    await clerk.post(f"{waits}/leave")
    order = await market.db.value("SELECT id FROM orders")
    page = (await clerk.get(f"/pos/soder/returns/{order}")).text
    sent = {"id": hidden(page, "id"), "return-1": "1", "with_ticket": "1", "way": "terminal", "act": "apply"}
    sold, asked = await asyncio.gather(
        clerk.post("/pos/soder/pay", data=seen | {"by": "cash", "tendered": "500.00"}),
        clerk.post(f"/pos/soder/returns/{order}", data=sent),
    )
    is_sold = await market.db.value("SELECT count(*) FROM orders WHERE kind = 'sale'") == 2
    waiting = await market.db.value("SELECT count(*) FROM exchange_to_pay WHERE state = 'open'")
    assert (is_sold, waiting) in ((True, 0), (False, 1)), (sold.status_code, asked.status_code)


async def test_another_card_goes_on_with_the_exchange(clerk: httpx.AsyncClient, market: Market) -> None:
    _seen, waits, _payment = await one_ticket(clerk, market)
    before = await standing(market)
    assert (await held_to_it(clerk, waits, "decline")).status_code == 200
    said = await clerk.get(waits)
    assert "The card was declined" in text_of(said.text)
    assert "Try another card" in text_of(said.text)
    looks = await clerk.get(waits, headers=HTMX)
    assert looks.headers["hx-redirect"] == waits, "the page that waits shows it by itself"
    again = [await clerk.post(f"{waits}/again") for _twice in range(2)]
    assert {each.headers["location"] for each in again} == {waits}
    assert await market.db.value("SELECT count(*) FROM payment WHERE provider = 'terminal'") == 2
    assert "Waiting for a card" in text_of((await clerk.get(waits)).text)
    assert await standing(market) == before
    assert "/sales/" in (await held_to_it(clerk, waits, "approve")).headers["location"]
    assert await standing(market) == {
        "sale": 2,
        "return": 1,
        "held": 0,
        "paid": [("cash", 19_900), ("exchange", 19_900), ("terminal", 10_000)],
    }
    assert (await clerk.post(f"{waits}/again")).headers["location"] == waits, "it is made: nothing begins"
    assert await market.db.value("SELECT count(*) FROM payment WHERE provider = 'terminal'") == 2


async def two_terminals(market: Market) -> list[UUID]:
    """The store lists two."""
    found = []
    for name in ("Till 1", "Till 2"):
        wanted = CardTerminalInput(location=market.places[0].id, name=name, reference=f"SN-{name[-1]}")
        made = await market.db.transaction(lambda tx, w=wanted: card_terminals.add(tx, w))
        found.append(made.id)
    return found


async def ready_to_pay(clerk: httpx.AsyncClient) -> dict[str, str]:
    await clerk.post("/pos/soder/scan", data={"code": "KTL"}, headers=HTMX)
    html = (await clerk.get("/pos/soder/pay?by=card")).text
    return {"by": "card", "cart": hidden(html, "cart"), "total": hidden(html, "total")}


async def test_two_tills_at_one_terminal_at_once_charge_one_card(
    clerk: httpx.AsyncClient, other_clerk: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Kettle", price=19_900, stock=(5,), variants=[{"sku": "KTL"}])
    first, second = await two_terminals(market)
    sent = [await ready_to_pay(each) for each in (clerk, other_clerk)]
    answers = await asyncio.gather(
        *(
            each.post("/pos/soder/pay", data=form | {"with": "terminal"})
            for each, form in zip((clerk, other_clerk), sent, strict=True)
        )
    )
    assert sorted(each.status_code for each in answers) == [303, 409]
    lost = answers.index(next(each for each in answers if each.status_code == 409))
    text = text_of(answers[lost].text)
    assert "“Till 1” is busy with a payment of 199.00 SEK" in text
    assert "busy with" in text
    assert await market.db.value("SELECT count(*) FROM payment") == 1
    # The other terminal is free; the first one is again once the card was read.
    loser = (clerk, other_clerk)[lost]
    there = await loser.post("/pos/soder/pay", data=sent[lost] | {"with": f"terminal:{second}"})
    waits = there.headers["location"]
    assert "at “Till 2”" in text_of((await loser.get(waits)).text)
    assert "/sales/" in (await held_to_it(loser, waits, "approve")).headers["location"]
    winner = (clerk, other_clerk)[1 - lost]
    page = answers[1 - lost].headers["location"]
    await winner.get(page)
    assert "/sales/" in (await held_to_it(winner, page, "approve")).headers["location"]
    rows = await market.db.rows("SELECT terminal FROM payment ORDER BY created_at")
    assert [row["terminal"] for row in rows] == [first, second], "a payment remembers where"
    devices = await market.db.rows("SELECT device FROM terminal_simulation ORDER BY device")
    assert [row["device"] for row in devices] == ["SN-1", "SN-2"], "the provider is told its own name of it"


async def test_a_till_has_a_terminal_of_its_own(clerk: httpx.AsyncClient, market: Market) -> None:
    await on_ticket(clerk, market)
    assert "No card terminal is listed" in text_of((await clerk.get("/pos/soder/terminals")).text)
    first, second = await two_terminals(market)
    page = text_of((await clerk.get("/pos/soder/pay?by=card")).text)
    assert page.index("To “Till 1”") < page.index("To “Till 2”")
    assert (await clerk.post(f"/pos/soder/terminals/{new_id()}/use")).status_code == 404
    await clerk.post(f"/pos/soder/terminals/{second}/use")
    assert "takes cards at “Till 2”" in text_of((await clerk.get("/pos/soder/terminals")).text)
    page = text_of((await clerk.get("/pos/soder/pay?by=card")).text)
    assert page.index("To “Till 2”") < page.index("To “Till 1”")
    waits = await to_terminal(clerk)
    assert await market.db.value("SELECT terminal FROM payment") == second
    # Declined there: another card at the other one, of the same ticket.
    await held_to_it(clerk, waits, "decline")
    waits = await to_terminal(clerk, **{"with": f"terminal:{first}"})
    assert "/sales/" in (await held_to_it(clerk, waits, "approve")).headers["location"]
    assert await market.db.value("SELECT terminal FROM payment WHERE order_id IS NOT NULL") == first
    # What is owed beside a ticket chooses among them, too.
    await clerk.post("/pos/soder/scan", data={"code": "KTL"}, headers=HTMX)
    html = (await clerk.get("/pos/soder/deposit")).text
    assert f'value="terminal:{first}"' in html
    there = (await with_deposit(clerk, way=f"terminal:{first}")).headers["location"]
    busy = await with_deposit(clerk, way="terminal", amount="60.00")
    assert busy.status_code == 303, "the one that was awake for it is told to stop"
    assert busy.headers["location"] != there
    for wrong in ("terminal:7", f"terminal:{new_id()}"):
        refused = await with_deposit(clerk, way=wrong)
        assert refused.status_code == 422, wrong
        assert "no such card terminal here" in text_of(refused.text)


async def test_an_exchange_tries_another_card_at_another_terminal(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    _first, second = await two_terminals(market)
    _seen, waits, _payment = await one_ticket(clerk, market)
    await held_to_it(clerk, waits, "decline")
    assert "Try another card at “Till 2”" in text_of((await clerk.get(waits)).text)
    assert (await clerk.post(f"{waits}/again", data={"with": f"terminal:{second}"})).status_code == 303
    assert "/sales/" in (await held_to_it(clerk, waits, "approve")).headers["location"]
    assert (
        await market.db.value(
            "SELECT terminal FROM payment WHERE order_id IS NOT NULL AND provider = 'terminal'"
        )
        == second
    )


async def test_a_terminal_that_is_done_is_free_though_nobody_looked(
    clerk: httpx.AsyncClient, other_clerk: httpx.AsyncClient, market: Market
) -> None:
    await on_ticket(clerk, market)
    page = await to_terminal(clerk)
    assert (
        await clerk.post(f"{page}/press", data={"button": "approve"})
    ).status_code == 303  # and the page is closed
    await market.db.rows("UPDATE payment_operation SET next_at = now() - interval '1 minute' RETURNING 1")
    form = await ready_to_pay(other_clerk)
    there = await other_clerk.post("/pos/soder/pay", data=form | {"with": "terminal"})
    assert there.status_code == 303, text_of(there.text)
    assert "/sales/" in (await clerk.get(page)).headers["location"], (
        "what was reserved still sells its ticket"
    )
