"""What a provider refused to give back is given back by bank, in cash or as store credit: once, in parts, and booked so."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest
from desk import Desk

from fake_bank import FakeBank
from samlad import books, credit, orders
from samlad.access.permissions import Role, permissions_of
from samlad.app import CHECKS
from samlad.books import CashRefundInput, till_store
from samlad.kernel import mail
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.kernel.vault import Vault
from samlad.orders import paid_otherwise, today
from samlad.orders.paid_otherwise import PaidOtherwiseInput
from samlad.payments import Refund, manual
from trade import Trade

SUPPORT = Actor(kind="staff", id=new_id(), name="Sue", permissions=permissions_of(Role.SUPPORT))

MANAGER = Actor(kind="staff", id=new_id(), name="Mo", permissions=permissions_of(Role.MANAGER))


class Refused(Desk):
    """A cancelled order whose provider gives nothing back."""

    async def sell(self) -> tuple[UUID, Refund]:
        cart = await self.cart()
        order = await self.place(cart.id, await self.begin(cart.id))
        await self.settle()
        [payment] = (await self.order(order.id)).payments
        self.bank.accounts[payment.id].captured = 0  # the card is closed
        await self.cancel(order.id)
        await self.settle()
        self.bank.accounts[payment.id].captured = payment.amount
        [failed] = (await self.order(order.id)).refunds
        assert failed.status == "failed"
        return order.id, failed

    async def bring_back(self, place: UUID) -> tuple[UUID, Refund]:
        """An order whose goods came back at a place, and whose provider gives nothing back."""
        cart = await self.cart()
        order = await self.place(cart.id, await self.begin(cart.id))
        await self.settle()
        await self.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
        await self.settle()
        [payment] = (await self.order(order.id)).payments
        self.bank.accounts[payment.id].captured = 0
        back = orders.ReturnInput(location=place)
        await self.db.transaction(lambda tx: orders.take_back(tx, order.id, back))
        await self.settle()
        self.bank.accounts[payment.id].captured = payment.amount
        [failed] = (await self.order(order.id)).refunds
        assert failed.status == "failed"
        return order.id, failed

    async def pay_back(self, refund: UUID, **fields: Any) -> Refund:
        data = PaidOtherwiseInput(**{"way": "bank_transfer", "reference": "SEB 2026-1", **fields})
        return await self.db.transaction(lambda tx: paid_otherwise.pay_back(tx, refund, data))

    async def booked(self, order: UUID) -> dict[str, int]:
        """What the book has of an order, by purpose."""
        await self.trade.follow()
        rows = await self.db.rows(
            "SELECT l.purpose, sum(l.amount)::bigint AS amount FROM voucher v JOIN voucher_line l ON l.voucher = v.id"
            " WHERE v.order_id = $1 GROUP BY 1 HAVING sum(l.amount) <> 0",
            order,
        )
        return {row["purpose"]: row["amount"] for row in rows}


@pytest.fixture
def desk(trade: Trade, bank: FakeBank) -> Refused:
    return Refused(trade, bank)


async def test_by_bank_in_parts_once_each_and_never_again_by_its_provider(desk: Refused) -> None:
    order, failed = await desk.sell()
    assert (await desk.booked(order)).get("bank") is None
    first = new_id()
    same = await asyncio.gather(*(desk.pay_back(failed.id, id=first, amount=5_000) for _ in range(3)))
    assert {each.id for each in same} == {first}
    assert (await desk.order(order)).refunded == 5_000
    assert (await today.waiting(desk.db, None)).not_refunded == 1  # a part of it is still to be paid
    with pytest.raises(InvalidInput, match="provider is not asked again"):
        await desk.db.transaction(lambda tx: manual.try_again(tx, failed.id))
    with pytest.raises(InvalidInput):
        await desk.pay_back(failed.id, amount=14_901)
    with pytest.raises(Conflict):
        await desk.pay_back(failed.id, id=first, amount=4_000)
    both = await asyncio.gather(*(desk.pay_back(failed.id) for _ in range(2)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["InvalidInput", "Refund"]
    after = await desk.order(order)
    assert (after.refunded, after.payment_status) == (19_900, "refunded")
    assert (await today.waiting(desk.db, None)).not_refunded == 0
    assert await desk.booked(order) == {"clearing:fakebank": 19_900, "bank": -19_900}
    told = await desk.db.rows("SELECT payload FROM event WHERE type = 'payment.paid_otherwise'")
    assert sorted(row["payload"]["amount"] for row in told) == [5_000, 14_900]
    audited = await desk.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'refund.paid-otherwise'")
    assert audited == 2
    await desk.trade.agree()


async def test_asked_once_more_and_paid_otherwise_at_once_it_goes_back_once(desk: Refused) -> None:
    order, failed = await desk.sell()
    [payment] = (await desk.order(order)).payments
    desk.bank.accounts[payment.id].captured = 0  # it refuses again
    both = await asyncio.gather(
        desk.db.transaction(lambda tx: manual.try_again(tx, failed.id)),
        desk.pay_back(failed.id),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in both) == ["InvalidInput", "Refund"]
    await desk.settle()
    desk.bank.accounts[payment.id].captured = payment.amount
    again = [r for r in (await desk.order(order)).refunds if r.id == manual.again_key(failed.id)]
    for late in again:  # that failed too: what was asked for once more is what is paid otherwise
        with pytest.raises(InvalidInput):
            await desk.pay_back(failed.id)
        await desk.pay_back(late.id)
    assert (await desk.order(order)).refunded == 19_900
    await desk.trade.agree()


async def test_the_doctor_finds_more_paid_otherwise_than_was_refused(desk: Refused) -> None:
    _order, failed = await desk.sell()
    await desk.pay_back(failed.id)
    await desk.trade.agree()
    await desk.db.rows("UPDATE refund SET amount = amount - 1 WHERE id = $1 RETURNING 1", failed.id)
    [check] = [each for each in CHECKS if each.name == "payment-paid-otherwise"]
    assert (await check.look(desk.db)).status == "failed"


async def test_as_store_credit_of_the_orders_customer(desk: Refused) -> None:
    order, failed = await desk.sell()
    buyer, key = (await desk.order(order)).customer, new_id()
    assert buyer is not None
    for _ in range(2):
        await desk.pay_back(failed.id, way="store_credit", id=key)
    [balance] = await credit.of_customer(desk.db, buyer)
    assert balance.balance == 19_900
    assert (await desk.order(order)).payment_status == "refunded"
    assert await desk.booked(order) == {"clearing:fakebank": 19_900, "store_credit": -19_900}
    await desk.trade.agree()


async def test_in_cash_out_of_a_drawer_as_coins_can_pay_it(desk: Refused) -> None:
    order, failed = await desk.sell()
    opening = books.OpenTillInput(location=desk.trade.at_malmo.id, float_amount=50_000)
    shift = (await desk.db.transaction(lambda tx: books.open_till(tx, opening))).shift.id

    async def pay(**fields: Any) -> books.ShiftView:
        data = CashRefundInput(refund=failed.id, reason="The card is closed", **fields)
        return await desk.db.transaction(lambda tx: books.refund_cash(tx, shift, data))

    with pytest.raises(InvalidInput, match="no coin"):
        await pay(amount=49)
    part = new_id()
    await asyncio.gather(*(pay(amount=10_033, id=part) for _ in range(2)))
    for _ in range(2):
        view = await pay()
    assert [each.amount for each in view.movements] == [-10_000, -9_900]
    assert await desk.booked(order) == {"clearing:fakebank": 19_900, "cash:malmo": -19_900}
    counted = books.CloseTillInput(counts={"10": 3_010})
    closed = await desk.db.transaction(lambda tx: books.close_till(tx, shift, counted))
    assert closed.difference == 0
    assert (await desk.order(order)).payment_status == "refunded"
    await desk.trade.agree()


async def test_a_drawer_offers_what_its_own_store_is_still_to_pay(desk: Refused) -> None:
    order, failed = await desk.bring_back(desk.trade.at_malmo.id)

    async def offered(place: UUID) -> list[tuple[UUID, int, bool]]:
        found = await till_store.waiting_refunds(desk.db, place, "SEK", 50)
        return [(each.id, each.amount, each.has_failed) for each in found]

    async def pay(place: UUID) -> books.ShiftView:
        opening = books.OpenTillInput(location=place, float_amount=50_000)
        shift = (await desk.db.transaction(lambda tx: books.open_till(tx, opening))).shift.id
        bound = msgspec.structs.replace(MANAGER, locations=frozenset({place}))
        data = CashRefundInput(refund=failed.id, reason="The card is closed")
        return await desk.db.transaction(lambda tx: books.refund_cash(tx, shift, data), Context(actor=bound))

    assert await offered(desk.trade.at_malmo.id) == [(failed.id, 19_900, True)]
    assert await offered(desk.trade.at_lund.id) == []
    await desk.pay_back(failed.id, amount=5_000)
    assert await offered(desk.trade.at_malmo.id) == [(failed.id, 14_900, True)]
    with pytest.raises(NotFound):
        await pay(desk.trade.at_lund.id)
    assert [each.amount for each in (await pay(desk.trade.at_malmo.id)).movements] == [-14_900]
    assert await offered(desk.trade.at_malmo.id) == []
    assert (await desk.order(order)).payment_status == "refunded"
    await desk.trade.agree()


async def test_what_cannot_be_paid_back_so_is_refused_in_words(desk: Refused, api: Any, api_as: Any) -> None:
    order, failed = await desk.sell()
    with pytest.raises(NotFound):
        await desk.pay_back(new_id())
    here = f"/api/refunds/{failed.id}/otherwise"
    without = await api.post(here, json={"way": "bank_transfer"})
    assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "reference")
    assert (await api.post(here, json={"way": "cash"})).status_code in (400, 422)
    async with api_as(SUPPORT) as editor:
        refused = await editor.post(here, json={"way": "bank_transfer", "reference": "SEB 1"})
        assert refused.status_code == 403
    buyer = (await desk.order(order)).customer
    await desk.db.rows("UPDATE orders SET customer = NULL WHERE id = $1 RETURNING 1", order)
    with pytest.raises(InvalidInput, match="nobody is known"):
        await desk.pay_back(failed.id, way="store_credit")
    await desk.db.rows("UPDATE orders SET customer = $2 WHERE id = $1 RETURNING 1", order, buyer)
    # Asked once more, the new refund is what may be paid otherwise, not this one.
    assert (await api.post(f"/api/refunds/{failed.id}/again")).status_code == 200
    late = await api.post(here, json={"way": "bank_transfer", "reference": "SEB 1"})
    assert late.status_code == 422
    await desk.settle()
    assert (await desk.order(order)).payment_status == "refunded"
    [done] = [each for each in (await desk.order(order)).refunds if each.status == "done"]
    with pytest.raises(InvalidInput, match="only what a provider refused"):
        await desk.pay_back(done.id)
    await desk.trade.agree()


async def test_the_orders_page_offers_it_where_the_refusal_is_shown(
    desk: Refused, api_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = msgspec.structs.replace(desk.db.settings, smtp_host="mail.example", mail_from="a@example.org")
    monkeypatch.setattr(desk.db, "settings", settings)
    order, failed = await desk.sell()
    opening = books.OpenTillInput(location=desk.trade.at_malmo.id, float_amount=50_000)
    shift = (await desk.db.transaction(lambda tx: books.open_till(tx, opening))).shift.id
    here = f"/admin/orders/{order}"
    async with api_as(accept="text/html", **{"accept-language": "en"}) as owner:
        page = (await owner.get(here)).text
        assert f'data-open="otherwise-{failed.id}"' in page
        assert f'value="drawer:{shift}"' in page
        label = page.split('<label for="f-otherwise-reference-1">')[1].split("</label>")[0]
        assert label == "Reference of the transfer, or why in cash", (
            "a transfer needs it: it is not called optional"
        )
        given = {"refund": str(failed.id), "way": "bank_transfer", "id": str(new_id())}
        wrong = await owner.post(f"{here}/refund-otherwise", data=given)
        assert (wrong.status_code, "Say by which transfer" in wrong.text) == (422, True)
        assert "data-open-now" in wrong.text, "the form is there again"
        given |= {"reference": "SEB 2026-7", "amount": "100,00"}
        for _ in range(2):  # a double click
            assert (await owner.post(f"{here}/refund-otherwise", data=given)).headers["location"] == here
        page = (await owner.get(here)).text
        assert "SEB 2026-7" in page
        assert "Ask the provider once more" not in page
        cash = given | {"way": f"drawer:{shift}", "id": str(new_id()), "amount": "", "reference": "Is here"}
        assert (await owner.post(f"{here}/refund-otherwise", data=cash)).headers["location"] == here
        page = (await owner.get(here)).text
        assert "otherwise-" not in page
    assert (await desk.order(order)).payment_status == "refunded"
    await desk.trade.follow()
    rows = await desk.db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    told = [mail.open_mail(Vault.of(desk.db.settings), row["id"], bytes(row["sealed"])) for row in rows]
    said = [each.text.replace("\xa0", " ") for each in told if "på ett annat sätt" in each.text]
    assert len(said) == 2
    assert "Banköverföring: 100,00 kr. Vi har skickat det till ditt bankkonto." in said[0]
    assert ": 99,00 kr. Du har fått det." in said[1]
