"""Mails about what a buyer must do: choose when a store has not got it, fetch what lies ready, pay what is due."""

from datetime import date
from uuid import uuid4

import msgspec

from samlad.documents import order_mails
from samlad.kernel import log, mail
from samlad.kernel.vault import Vault
from samlad.orders import events, fulfilment, fulfilment_store, order_address
from samlad.orders.fulfilment_events import FulfilmentNeedsCustomer
from samlad.payments.events import PaymentOverdue
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
    await db.rows("UPDATE follower SET xid = 0, seq = 0 WHERE name = 'stock-alert-mails' RETURNING 1")
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
    await db.rows("UPDATE follower SET xid = 0, seq = 0 WHERE name = 'stock-alert-mails' RETURNING 1")
    await trade.follow()
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    sent = [mail.open_mail(Vault.of(settings), row["id"], bytes(row["sealed"])) for row in rows]
    assert [each.to for each in sent] == ["kim@example.org"], "who fetched it meanwhile is not told"
    assert sent[0].subject == "Order W1001 är klar att hämta"
    assert "Malmo" in sent[0].text
    assert "/order/" in sent[0].text
    assert code not in sent[0].text, "the code is shown on the order's page only"
