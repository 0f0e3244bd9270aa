"""Mails of an order's way: placed, on its way, cancelled. Once each, to buyers of ours only."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from samlad import delivery
from samlad.channels import ChannelKind
from samlad.documents import letters, snapshot
from samlad.kernel import mail
from samlad.kernel.database import Database
from samlad.kernel.mail import Mail
from samlad.kernel.vault import Vault
from samlad.orders import changes, fulfilment, fulfilment_store
from samlad.orders.fulfilment_model import ShipInput
from samlad.orders.model import CancelInput
from samlad.payments import PaymentInput
from trade import ADDRESS, BUYER, Trade, build


@pytest.fixture
def mailing(db: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A shop that has a mail server."""
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    return db


async def written(db: Database) -> list[Mail]:
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    return [mail.open_mail(Vault.of(db.settings), row["id"], bytes(row["sealed"])) for row in rows]


async def test_an_order_is_confirmed_once_with_all_that_was_bought(mailing: Database) -> None:
    trade: Trade = await build(mailing)
    name = "كيم <b>Berg</b>"
    kettle = await trade.kettle(title="Kettle & <i>lid</i>")
    buyer = {**BUYER, "address": {**ADDRESS, "name": name}, "note": "Ring twice"}
    order = await trade.place((await trade.cart((kettle, 2), **buyer)).id)
    await trade.follow()
    await trade.follow()
    [sent] = await written(mailing)
    assert (sent.to, sent.sender) == ("kim@example.org", trade.web.name)
    assert sent.subject == f"Order {order.number}: tack"
    for said in (
        "2 × Kettle & <i>lid</i>: 398,00",
        "Totalt: 398,00",
        "79,60",
        name,
        "211 34 Malmö",
        "Ring twice",
    ):
        assert said in sent.text.replace("\xa0", " ")
    assert "/order/" in sent.text
    assert "<i>" not in sent.html
    assert "<b>" not in sent.html
    assert "كيم &lt;b&gt;Berg&lt;/b&gt;" in sent.html
    assert "398,00" in sent.html.replace("\xa0", " ")
    assert not re.search(r"src=|<style|<script|class=", sent.html), "nothing is fetched, nothing is elsewhere"
    assert 'style="' in sent.html


async def test_a_confirmation_says_the_day_that_was_promised_in_its_own_language(mailing: Database) -> None:
    trade: Trade = await build(mailing)
    order = await trade.buy((await trade.kettle(), 1))
    ready = datetime(2026, 11, 26, 14, tzinfo=UTC)
    promised = delivery.Promised(
        method="bike", kind=delivery.MethodKind.SAME_DAY, name="Cykelbud", location=trade.at_lund.id, place="Lund",
        first_day=date(2026, 11, 26), last_day=date(2026, 11, 26), ready_at=ready, until=ready + timedelta(hours=6),
        text="Today before 21:00 by Cykelbud",
    )  # fmt: skip
    later = msgspec.structs.replace(order, promise=promised)
    printed = await snapshot.printed_order(mailing, later, "receipt", None, ready + timedelta(days=1))
    assert printed.promise == "tors 26 nov. före 21:00 med Cykelbud"
    in_slot = msgspec.structs.replace(promised, since=ready + timedelta(hours=3), slot="2026-11-26T18:00")
    later = msgspec.structs.replace(order, promise=in_slot)
    printed = await snapshot.printed_order(mailing, later, "receipt", None, ready + timedelta(days=1))
    assert printed.promise == "tors 26 nov. 18:00–21:00 med Cykelbud"


async def test_what_is_still_to_be_paid_says_how(mailing: Database) -> None:
    trade: Trade = await build(mailing, payment_providers=["invoice"])
    cart = await trade.cart((await trade.kettle(), 1), **BUYER)
    order = await trade.place(cart.id, PaymentInput(provider="invoice"))
    await trade.follow()
    [sent] = await written(mailing)
    assert order.payments[0].reference in sent.text
    assert order.payments[0].reference in sent.html


async def test_a_parcel_on_its_way_says_what_is_in_it_and_its_number(mailing: Database) -> None:
    trade: Trade = await build(mailing)
    order = await trade.buy((await trade.kettle(), 1), (await trade.kettle(title="Cup"), 3))
    work = await fulfilment_store.of_order(mailing, order.id)
    await mailing.transaction(lambda tx: fulfilment_store.pick_all(tx, work[0].id))
    await mailing.transaction(lambda tx: fulfilment_store.update(tx, work[0].id, {"state": "picked"}))
    parcel_of = ShipInput(carrier="PostNord", tracking="TRACK-1")
    await mailing.transaction(lambda tx: fulfilment.ship(tx, work[0].id, parcel_of))
    await trade.follow()
    confirmed, parcel = await written(mailing)
    assert confirmed.subject == f"Order {order.number}: tack"
    assert parcel.subject == f"Order {order.number} är på väg"
    assert "TRACK-1" in parcel.text
    assert "3 × Cup" in parcel.text
    assert "199,00" not in parcel.text, "a parcel may be a gift"


async def test_a_cancelled_order_says_what_goes_back(mailing: Database) -> None:
    trade: Trade = await build(mailing)
    order = await trade.buy((await trade.kettle(), 1))
    await trade.db.transaction(lambda tx: changes.cancel(tx, order.id, CancelInput(reason="customer")))
    await trade.follow()
    _, cancelled = await written(mailing)
    assert cancelled.subject == f"Order {order.number} är avbeställd"
    assert "199,00" in cancelled.text


@pytest.mark.parametrize("how", ["off", "till", "no address", "no server"])
async def test_who_is_not_written_to(mailing: Database, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"order_mails": False} if how == "off" else {}
    trade: Trade = await build(mailing, **settings)
    if how == "no server":
        monkeypatch.setattr(
            mailing, "settings", msgspec.structs.replace(mailing.settings, smtp_host=None, mail_to_log=False)
        )
    kettle = await trade.kettle(at=trade.at_malmo if how == "till" else None)
    if how == "till":
        sold = await trade.place(
            (await trade.cart((kettle, 1), channel=trade.malmo, email="kim@example.org")).id
        )
        assert sold.email == "kim@example.org"
    elif how == "no address":
        order = await trade.buy((kettle, 1))
        await mailing.rows("UPDATE orders SET email = NULL WHERE id = $1 RETURNING 1", order.id)
    else:
        await trade.buy((kettle, 1))
    await trade.follow()
    assert await written(mailing) == []


async def test_a_marketplace_writes_to_its_own_customers(mailing: Database) -> None:
    trade: Trade = await build(mailing)
    order = await trade.buy((await trade.kettle(), 1))
    market = msgspec.structs.replace(trade.web, kind=ChannelKind.MARKETPLACE)
    assert letters.is_written_to(order, trade.web)
    assert not letters.is_written_to(order, market)
    assert not letters.is_written_to(msgspec.structs.replace(order, imported="old shop"), trade.web)
