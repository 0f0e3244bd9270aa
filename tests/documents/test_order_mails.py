"""Mails about what a buyer must do: choose when a store has not got it, pay what is due."""

from datetime import date
from uuid import uuid4

import msgspec

from samlad.documents import order_mails
from samlad.kernel import log, mail
from samlad.kernel.vault import Vault
from samlad.orders import events, order_address
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
    trade: Trade = await build(db)
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
    assert "100.00 SEK" in charged.text
    assert "RF3210001" in overdue.text
    assert all("1 december 2026" in each.text for each in (charged, overdue))
    link = offered.text.split("/order/")[1].split()[0]
    assert order_address.read(keys, link) == order.id
    await db.rows("UPDATE follower SET xid = 0, seq = 0 WHERE name = 'stock-alert-mails' RETURNING 1")
    await trade.follow()
    assert await db.value("SELECT count(*) FROM mail_outbox") == 4
