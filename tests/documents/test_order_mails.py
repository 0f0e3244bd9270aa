"""Mails about what a buyer must do: choose when a store has not got it, fetch what lies ready, pay what is due."""

from datetime import date
from uuid import uuid4

import msgspec

from samlad import credit, orders
from samlad.access import staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.documents import order_mails
from samlad.kernel import log, mail
from samlad.kernel.vault import Vault
from samlad.orders import events, fulfilment, fulfilment_store, order_address
from samlad.orders.fulfilment_events import FulfilmentNeedsCustomer
from samlad.payments import PaymentInput
from samlad.payments.events import PaymentOverdue, RefundFailed
from trade import Trade, build


async def test_english_is_dated_as_in_the_shops_country(db) -> None:
    trade = await build(db)
    order = await trade.buy((await trade.kettle(), 1))
    fact = PaymentOverdue(
        order=order.id, payment=uuid4(), provider="invoice", amount=10_000, currency="SEK",
        due_on=date(2026, 12, 1), reminder=1, reference="RF3210001",
    )  # fmt: skip
    for country, day in (("SE", "by 1 December 2026"), ("US", "by December 1, 2026")):
        _subject, text = order_mails.overdue(order, fact, "https://shop.example", "en", country)
        assert day in text


async def test_each_is_written_once_with_the_link_to_the_order(db, monkeypatch) -> None:
    trade: Trade = await build(db, order_mails=False)
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    order = await trade.buy((await trade.kettle(), 1))
    facts = [
        FulfilmentNeedsCustomer(
            number=order.number, fulfilment=uuid4(), offered=trade.at_malmo.id, units=1
        ),
        FulfilmentNeedsCustomer(number=order.number, fulfilment=uuid4(), offered=None, units=1),
        events.ReturnCharged(
            number="R1001", request=uuid4(), order=order.id, payment=uuid4(), provider="invoice", amount=10_000,
            currency="SEK", due_on=date(2026, 12, 1),
        ),
        PaymentOverdue(
            order=order.id, payment=uuid4(), provider="invoice", amount=10_000, currency="SEK",
            due_on=date(2026, 12, 1), reminder=1, reference="RF3210001",
        ),
    ]  # fmt: skip

    async def tell(tx) -> None:
        for fact in facts:
            log.append(tx, fact, subject=order.id, channel=order.channel)

    await trade.db.transaction(tell)
    await trade.follow()
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    keys = Vault.of(settings)
    sent = [mail.open_mail(keys, row["id"], bytes(row["sealed"])) for row in rows]
    assert [each.to for each in sent] == ["kim@example.org"] * 4
    assert all("/order/" in each.text for each in sent)
    offered, nothing, charged, overdue = sent
    assert "Malmo" in offered.text
    assert "Malmo" not in nothing.text
    assert "100,00\xa0kr" in charged.text
    assert "RF3210001" in overdue.text
    assert all("1 december 2026" in each.text for each in (charged, overdue))
    link = offered.text.split("/order/")[1].split()[0]
    assert order_address.read(keys, link) == order.id
    await trade.follow()
    assert await db.value("SELECT count(*) FROM mail_outbox") == 4


async def test_whose_goods_lie_ready_in_a_store_is_told_once(db, monkeypatch) -> None:
    trade: Trade = await build(db, order_mails=False)
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    kettle = await trade.kettle(at=trade.at_malmo)
    details = {
        "email": "kim@example.org",
        "name": "Kim Berg",
        "delivery": "pickup",
        "location": str(trade.at_malmo.id),
    }

    async def ready() -> tuple[object, str]:
        order = await trade.place((await trade.cart((kettle, 1), **details)).id)
        (work,) = await fulfilment_store.of_order(db, order.id)
        await db.transaction(lambda tx: fulfilment_store.pick_all(tx, work.id))
        await db.transaction(lambda tx: fulfilment_store.update(tx, work.id, {"state": "picked"}))
        made = await db.transaction(lambda tx: fulfilment.make_ready(tx, work.id))
        code = (await fulfilment_store.codes_of(db, order.id))[made.id]
        return made.id, code

    await trade.follow()
    _, code = await ready()
    fetched, _ = await ready()
    await db.transaction(lambda tx: fulfilment_store.update(tx, fetched, {"state": "delivered"}))
    await trade.follow()
    await trade.follow()
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    sent = [mail.open_mail(Vault.of(settings), row["id"], bytes(row["sealed"])) for row in rows]
    assert [each.to for each in sent] == ["kim@example.org"], "who fetched it meanwhile is not told"
    assert sent[0].subject == "Order W1001 är klar att hämta"
    assert "Malmo" in sent[0].text
    assert "/order/" in sent[0].text
    assert code not in sent[0].text, "the code is shown on the order's page only"


async def test_the_rest_of_a_deposit_is_reminded_of_with_the_link_to_pay_it(db, monkeypatch) -> None:
    trade: Trade = await build(db, order_mails=False)
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="test"), deposit=5_000)
    await trade.follow()

    async def tell(tx, reminder: int) -> None:
        fact = events.OrderRestDue(
            number=order.number, due=14_900, currency="SEK", due_on=date(2026, 12, 1), reminder=reminder
        )
        log.append(tx, fact, subject=order.id, channel=order.channel)

    for reminder in (1, 2):
        await db.transaction(lambda tx, reminder=reminder: tell(tx, reminder))
    await trade.follow()
    given = orders.PayInput(payments=[PaymentInput(provider="test")])
    await db.transaction(lambda tx: orders.pay(tx, order.id, given))
    await db.transaction(lambda tx: tell(tx, 3))
    await trade.follow()
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    sent = [mail.open_mail(Vault.of(settings), row["id"], bytes(row["sealed"])) for row in rows]
    assert len(sent) == 2, "who paid meanwhile is not reminded"
    assert all("1 december 2026" in each.text and "149,00" in each.text for each in sent)
    assert all("/order/" in each.text for each in sent)


async def test_a_gift_card_that_was_bought_pays_from_now_on(db, monkeypatch) -> None:
    trade: Trade = await build(db, order_mails=False, gift_card_months=24)
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    order = await trade.buy((await trade.kettle(), 1), pay_later=True)
    data = credit.IssueInput(channel=trade.web.id, amount=50_000, order=order.id)
    made = await db.transaction(lambda tx: credit.issue(tx, data))
    await trade.follow()
    assert await db.value("SELECT count(*) FROM mail_outbox") == 0, "it is not paid yet"
    given = orders.PayInput(payments=[PaymentInput(provider="test")])
    await db.transaction(lambda tx: orders.pay(tx, order.id, given))
    at_till = await trade.place(
        (
            await trade.cart(
                (await trade.kettle(at=trade.at_lund), 1), channel=trade.lund, email="a@example.org"
            )
        ).id,
        PaymentInput(provider="cash"),
    )
    more = credit.IssueInput(channel=trade.lund.id, amount=10_000, order=at_till.id)
    await db.transaction(lambda tx: credit.issue(tx, more))
    await trade.follow()
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    [sent] = [mail.open_mail(Vault.of(settings), row["id"], bytes(row["sealed"])) for row in rows]
    assert sent.to == "kim@example.org"
    assert made.card.last_four in sent.subject
    assert "500,00" in sent.text
    assert made.code not in sent.text
    assert made.code.replace("-", "") not in sent.text


async def test_staff_hear_of_money_that_a_provider_refused_to_give_back(db, monkeypatch) -> None:
    trade: Trade = await build(db)
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    order = await trade.buy((await trade.kettle(), 1))

    async def people(tx) -> None:
        for name, role, places, status in (
            ("manager", "manager", [], "active"),
            ("gone", "manager", [], "disabled"),
            ("writer", "marketing", [], "active"),
            ("elsewhere", "store", [trade.at_lund.id], "active"),
        ):
            given = StaffInput(
                email=f"{name}@example.org", name=name, locale="sv", roles=[Role(role)], locations=places
            )
            made = await staff.add(tx, given, "active")
            if status != "active":
                await staff.disable(tx, made.id)

    await db.transaction(people)
    await trade.follow()
    before = await db.value("SELECT count(*) FROM mail_outbox")
    [payment] = (await orders.read(db, order.id)).payments
    fact = RefundFailed(
        order=order.id, payment=payment.id, provider="stripe", amount=19_900, currency="SEK", refund=uuid4(),
        reason="insufficient_funds",
    )  # fmt: skip

    async def tell(tx) -> None:
        log.append(tx, fact, subject=order.id, channel=order.channel)

    await db.transaction(tell)
    await trade.follow()
    rows = (await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id"))[before:]
    sent = [mail.open_mail(Vault.of(settings), row["id"], bytes(row["sealed"])) for row in rows]
    assert [each.to for each in sent] == ["manager@example.org"]
    assert "insufficient_funds" in sent[0].text
    assert f"/admin/orders/{order.id}" in sent[0].text
