"""Invoices, bank transfers, payment on delivery, and the simulated terminal."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from desk import Desk
from hypothesis import given
from hypothesis import strategies as st

from fake_bank import FakeBank
from samlad import orders
from samlad.channels import cache
from samlad.documents import order_mails
from samlad.kernel import cards
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import GUEST
from samlad.kernel.problems import InvalidInput
from samlad.orders import CancelInput, FulfilInput, LineSelection, Order, ReturnInput
from samlad.payments import PaymentInput, manual
from samlad.payments.events import PaymentOverdue
from samlad.payments.manual import find_reference, reference_of
from trade import Trade

ApiAs = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@given(st.integers(10_001, 10**10), st.sampled_from(["{}", "Order {} thanks", "ref:{}/kim"]), st.booleans())
def test_a_reference_is_found_however_it_is_written(number: int, shape: str, spaced: bool) -> None:
    reference = reference_of(number)
    written = (
        " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))
        if spaced
        else reference.lower()
    )
    assert find_reference(shape.format(written)) == reference
    assert not cards.has_card_number(reference)


@given(st.integers(10_001, 10**10), st.data())
def test_a_digit_typed_wrongly_finds_nothing_else(number: int, data: st.DataObject) -> None:
    reference = reference_of(number)
    place = data.draw(st.integers(4, len(reference) - 1))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != reference[place]]))
    found = find_reference(reference[:place] + digit + reference[place + 1 :])
    assert found != reference


async def test_an_invoice_is_paid_in_parts_by_its_reference(trade: Trade, api: httpx.AsyncClient) -> None:
    order = await trade.buy((await trade.kettle(), 1))
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="invoice"))
    [payment] = order.payments
    assert (order.payment_status, payment.status) == ("pending", "pending")
    assert payment.reference is not None
    shown = (await api.get(f"/api/payments/{payment.id}")).json()
    assert shown["due_on"] == str(local_day(now(), "Europe/Stockholm") + timedelta(days=14))
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))

    async def pay(
        amount: int, bank_id: str, reference: str = payment.reference, currency: str = "SEK"
    ) -> httpx.Response:
        body = {"amount": amount, "currency": currency, "reference": reference, "bank_id": bank_id}
        return await api.post("/api/payment-receipts", json=body)

    first = (await pay(9_900, "b1")).json()
    assert (first["payment"], first["matched"]) == (str(payment.id), 9_900)
    assert (await pay(9_900, "b1")).json() == first  # the same line of the statement again
    assert (await pay(9_901, "b1")).status_code == 409
    await trade.follow()
    part = await orders.read(trade.db, order.id)
    assert (part.paid, part.payment_status, part.payments[0].captured) == (9_900, "pending", 9_900)
    wrong = (await pay(5, "b2", currency="EUR")).json()
    assert (wrong["payment"], wrong["matched"]) == (None, 0)
    unknown = (await pay(5, "b3", "no idea")).json()
    assert unknown["payment"] is None
    last = (await pay(10_100, "b4", f"inv {payment.reference[:4]} {payment.reference[4:]}")).json()
    assert last["matched"] == 10_000  # a hundred too much
    await trade.follow()
    paid = await orders.read(trade.db, order.id)
    assert (paid.paid, paid.payment_status, paid.status) == (19_900, "paid", "fulfilled")
    open_ones = (await api.get("/api/payment-receipts", params={"unmatched": "true"})).json()["items"]
    assert sorted(each["amount"] - each["matched"] for each in open_ones) == [5, 5, 100]
    await trade.sound()


async def test_parts_that_come_in_at_once_never_count_twice(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="bank_transfer"))
    reference = order.payments[0].reference or ""

    async def one(number: int) -> int:
        data = manual.ReceivedInput(
            amount=7_000, currency="SEK", reference=reference, bank_id=f"b{number % 3}"
        )
        return (await trade.db.transaction(lambda tx: manual.receive(tx, data))).matched

    matched = await asyncio.gather(*(one(number) for number in range(6)))
    assert sorted(matched) == [5_900, 5_900, 7_000, 7_000, 7_000, 7_000]
    await trade.follow()
    assert (await orders.read(trade.db, order.id)).paid == 19_900
    await trade.sound()


async def test_money_that_goes_back_by_hand_is_pending_until_somebody_says_so(
    trade: Trade, api: httpx.AsyncClient
) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="on_delivery"))
    payment = order.payments[0].id
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    too_much = await api.post(f"/api/payments/{payment}/receive", json={"amount": 19_901})
    assert too_much.status_code == 422
    assert (await api.post(f"/api/payments/{payment}/receive", json={"amount": 19_900})).status_code == 201
    assert (await api.post(f"/api/payments/{payment}/receive", json={"amount": 1})).status_code == 422
    await trade.follow()
    assert (await orders.read(trade.db, order.id)).payment_status == "paid"
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    [refund] = (await orders.read(trade.db, order.id)).refunds
    assert (refund.status, refund.amount) == ("pending", 19_900)
    for _ in range(2):
        assert (await api.post(f"/api/refunds/{refund.id}/done")).status_code == 204
    [refund] = (await orders.read(trade.db, order.id)).refunds
    assert refund.status == "done"
    told = await trade.db.value("SELECT count(*) FROM event WHERE type = 'payment.refunded'")
    assert told == 1
    await trade.sound()


async def test_reminders_are_told_three_times_a_week_apart_until_it_is_paid(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="invoice"))
    due = local_day(now(), "Europe/Stockholm") + timedelta(days=14)
    told = [
        await manual.remind_of(trade.db, due + timedelta(days=days)) for days in (-3, 0, 2, 3, 8, 10, 20, 40)
    ]
    assert sum(told) == 3
    reminders = await trade.db.rows("SELECT payload FROM event WHERE type = 'payment.overdue' ORDER BY seq")
    assert [row["payload"]["reminder"] for row in reminders] == [1, 2, 3]
    assert reminders[0]["payload"]["amount"] == order.total
    cancelled = await trade.place(
        (await trade.cart((await trade.kettle(), 1))).id, PaymentInput(provider="invoice")
    )
    await trade.db.transaction(lambda tx: orders.cancel(tx, cancelled.id, CancelInput()))
    assert await manual.remind_of(trade.db, due + timedelta(days=90)) == 0


async def test_nobody_is_reminded_of_what_they_sent_back(trade: Trade, api: httpx.AsyncClient) -> None:
    later = local_day(now(), "Europe/Stockholm") + timedelta(days=30)

    async def bought(quantity: int) -> Order:
        cart = await trade.cart((await trade.kettle(), quantity))
        order = await trade.place(cart.id, PaymentInput(provider="invoice"))
        return await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))

    all_of_it, half = await bought(1), await bought(2)
    await trade.db.transaction(lambda tx: orders.take_back(tx, all_of_it.id, ReturnInput()))
    [payment] = (await orders.read(trade.db, all_of_it.id)).payments
    assert payment.status == "voided"
    one = ReturnInput(lines=[LineSelection(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.take_back(tx, half.id, one))
    assert await manual.remind_of(trade.db, later) == 1
    fact = PaymentOverdue(
        order=half.id, payment=half.payments[0].id, provider="invoice", amount=39_800, currency="SEK",
        due_on=later, reminder=1,
    )  # fmt: skip
    _, text = order_mails.overdue(await orders.read(trade.db, half.id), fact, "https://shop", "en", "SE")
    assert "199.00" in text, "the mail asks for no more than is owed"
    await api.post(f"/api/payments/{half.payments[0].id}/receive", json={"amount": 19_900})
    await trade.follow()
    found = await orders.read(trade.db, half.id)
    assert (found.payment_status, found.payments[0].status, found.payments[0].captured) == (
        "paid",
        "captured",
        19_900,
    )
    assert await manual.remind_of(trade.db, later + timedelta(days=60)) == 0
    await trade.agree()


async def test_nobody_gets_credit_unless_the_channel_says_so(trade: Trade) -> None:
    await trade.db.rows("UPDATE channel SET settings = settings - 'payment_providers' RETURNING 1")
    cache.forget()
    for name in ("invoice", "bank_transfer", "on_delivery"):
        cart = await trade.cart((await trade.kettle(), 1))
        with pytest.raises(InvalidInput, match="does not offer"):
            await trade.place(cart.id, PaymentInput(provider=name))


# -- the terminal ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["approve", "decline", "cancel"])
async def test_a_terminal_waits_for_a_card(
    trade: Trade, api: httpx.AsyncClient, api_as: ApiAs, button: str
) -> None:
    desk = Desk(trade, FakeBank())
    cart = await trade.cart((await trade.kettle(at=trade.at_malmo), 1), channel=trade.malmo)
    begun = await desk.begin(cart.id, provider="terminal")
    assert begun.status == "pending"
    assert begun.action is not None
    assert begun.action.kind == "terminal"
    assert [each["id"] for each in (await api.get("/api/terminal/payments")).json()] == [str(begun.id)]
    for _ in range(2):
        answer = await api.post(f"/api/terminal/payments/{begun.id}", json={"button": button})
        assert answer.status_code == 200
    other = "decline" if button == "approve" else "approve"
    assert (await api.post(f"/api/terminal/payments/{begun.id}", json={"button": other})).status_code == 409
    async with api_as(GUEST) as stranger:
        refused = await stranger.post(f"/api/terminal/payments/{begun.id}", json={"button": button})
        assert refused.status_code == 401
    seen = await desk.look(cart.id, begun.id)
    assert seen.status == {"approve": "authorized", "decline": "declined", "cancel": "voided"}[button]
    if button == "approve":
        order = await desk.place(cart.id, begun)
        await desk.settle()
        assert (await desk.order(order.id)).payment_status == "paid"
        await desk.cancel(order.id)
        await desk.settle()
        kept = await trade.db.row("SELECT captured, refunds FROM terminal_simulation")
        assert kept is not None
        assert (kept["captured"], sum(kept["refunds"].values())) == (19_900, 19_900)
    await trade.sound()


async def test_a_terminal_that_nobody_goes_to_gives_up(trade: Trade) -> None:
    desk = Desk(trade, FakeBank())
    cart = await trade.cart((await trade.kettle(), 1))
    begun = await desk.begin(cart.id, provider="terminal")
    await trade.db.rows(
        "UPDATE terminal_simulation SET started_at = now() - interval '91 seconds' RETURNING 1"
    )
    seen = await desk.look(cart.id, begun.id)
    assert (seen.status, seen.reason) == ("declined", "timed-out")


async def test_only_staff_start_a_terminal(trade: Trade, api_as: ApiAs) -> None:
    async with api_as(GUEST) as guest:
        cart = (await guest.post("/api/carts", json={"channel": str(trade.web.id), "lines": [
            {"variant": str(await trade.kettle())}]})).json()  # fmt: skip
        answer = await guest.post(
            f"/api/carts/{cart['id']}/payments",
            json={"provider": "terminal"},
            headers={"Cart-Token": cart["token"]},
        )
        assert answer.status_code == 401
        ways = (
            await guest.get(
                f"/api/carts/{cart['id']}/payment-providers", headers={"Cart-Token": cart["token"]}
            )
        ).json()
        assert {way["provider"] for way in ways} >= {"terminal", "test"}
        assert UUID(cart["id"])
        assert (await guest.get(f"/api/carts/{cart['id']}/payments")).status_code == 404
