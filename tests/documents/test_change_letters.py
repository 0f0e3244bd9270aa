"""Mails of what comes back: announced, here, and the money that goes back, once for each change."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

import horizon
from samlad import documents, orders
from samlad.documents import order_mails
from samlad.documents.model import IssueInput
from samlad.kernel import followers, mail
from samlad.kernel.database import Database
from samlad.kernel.mail import Mail
from samlad.kernel.vault import Vault
from samlad.orders import ChangeInput, Order, change_apply, changes, order_address, return_announce, returns
from samlad.orders.model import CancelInput
from samlad.orders.return_model import AnnounceInput, ReceiveInput, SettleInput
from samlad.payments import PaymentInput
from trade import BUYER, Trade, build


@pytest.fixture
def mailing(db: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A shop that has a mail server."""
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    return db


async def written(db: Database) -> list[Mail]:
    """Mails that wait, without those of the way to the customer; spaces in amounts as one types them."""
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    found = [mail.open_mail(Vault.of(db.settings), row["id"], bytes(row["sealed"])) for row in rows]
    return [
        msgspec.structs.replace(
            each, **{name: getattr(each, name).replace("\xa0", " ") for name in ("subject", "text", "html")}
        )
        for each in found
        if not each.subject.endswith((": tack", "är på väg"))
    ]


async def bought(trade: Trade, *payments: PaymentInput, units: int = 2) -> Order:
    """Kettles that the customer has."""
    order = await trade.place((await trade.cart((await trade.kettle(), units), **BUYER)).id, *payments)
    return await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))


async def change(trade: Trade, order: Order, *actions: dict[str, Any], **fields: Any) -> Any:
    data = msgspec.convert({"actions": list(actions), **fields}, ChangeInput)
    return await trade.db.transaction(lambda tx: change_apply.apply(tx, order.id, data))


async def test_a_return_says_what_how_much_where_to_and_when(mailing: Database) -> None:
    trade = await build(mailing)
    order = await bought(trade)
    await change(trade, order, {"kind": "return", "position": 1, "quantity": 1})
    await trade.follow()
    await trade.follow()
    [sent] = await written(mailing)
    assert sent.subject == f"Order {order.number}: 199,00 kr går tillbaka"
    for said in (
        "\nKettle: 199,00 kr",
        "Totalt: 199,00 kr",
        "Testkort: 199,00 kr",
        "10 bankdagar",
        "/order/",
    ):
        assert said in sent.text
    assert "398,00" not in sent.text
    assert "Testkort: 199,00 kr" in sent.html
    assert "Kreditnota" not in sent.text, "no invoice was issued, so nothing is credited"


async def test_several_tenders_are_each_named(mailing: Database) -> None:
    trade = await build(mailing, payment_providers=["test", "cash", "bank_transfer"])
    order = await bought(
        trade, PaymentInput(provider="cash", amount=10_000), PaymentInput(provider="test", amount=29_800)
    )
    await change(trade, order, {"kind": "return", "position": 1, "quantity": 2})
    await trade.follow()
    [sent] = await written(mailing)
    assert "398,00 kr går tillbaka" in sent.subject
    assert "Testkort: 298,00 kr" in sent.text
    assert "Kontant: 100,00 kr" in sent.text


async def test_the_credit_note_is_linked_whoever_comes_first(mailing: Database) -> None:
    trade = await build(mailing)
    order = await bought(trade)
    await trade.db.transaction(lambda tx: documents.issue(tx, order.id, IssueInput()))
    await change(trade, order, {"kind": "return", "position": 1, "quantity": 1})
    # The mails' follower first: the one of documents then finds nothing to do.
    await followers.register(mailing, order_mails.FOLLOWERS)
    await horizon.passed(mailing)
    while await followers.step(mailing, order_mails.FOLLOWERS[0]):
        await horizon.passed(mailing)
    [sent] = await written(mailing)
    [_, note] = await documents.of_order(mailing, order.id)
    assert note.kind == "credit_note"
    assert f"Kreditnota {note.number}:" in sent.text
    assert f"/documents/{note.id}/file.pdf" in sent.text
    assert f"/documents/{note.id}/file.pdf" in sent.html
    await trade.follow()
    assert len(await documents.of_order(mailing, order.id)) == 2
    assert len(await written(mailing)) == 1
    await trade.agree()


async def test_of_two_returns_each_names_its_own_note(mailing: Database) -> None:
    trade = await build(mailing, invoice_when="paid")
    order = await bought(trade)
    await trade.follow()
    for _ in range(2):
        await change(trade, order, {"kind": "return", "position": 1, "quantity": 1})
    await trade.follow()
    first, second = await written(mailing)
    _, one, two = await documents.of_order(mailing, order.id)
    assert str(one.id) in first.text
    assert str(two.id) not in first.text
    assert str(two.id) in second.text
    assert str(one.id) not in second.text


async def test_a_cancelled_order_names_tender_and_credit_note(mailing: Database) -> None:
    trade = await build(mailing, invoice_when="paid")
    order = await trade.buy((await trade.kettle(), 1))
    await trade.follow()
    await trade.db.transaction(lambda tx: changes.cancel(tx, order.id, CancelInput(reason="customer")))
    await trade.follow()
    [sent] = await written(mailing)
    _, note = await documents.of_order(mailing, order.id)
    assert sent.subject == f"Order {order.number} är avbeställd"
    assert "Testkort: 199,00 kr" in sent.text
    assert f"/documents/{note.id}/file.pdf" in sent.text


@pytest.mark.parametrize("how", ["goodwill", "claim", "called off", "nothing"])
async def test_whatever_gives_money_back_tells_so(mailing: Database, how: str) -> None:
    trade = await build(mailing)
    order = await bought(trade)
    if how == "called off":
        order = await trade.buy((await trade.kettle(), 2))
    action: dict[str, Any] = {
        "goodwill": {"kind": "goodwill", "amount": 5_000},
        "claim": {"kind": "claim", "position": 1, "quantity": 1},
        "called off": {"kind": "cancel", "position": 1, "quantity": 1},
        "nothing": {"kind": "note", "text": "Call before"},
    }[how]
    await change(trade, order, action)
    await trade.follow()
    sent = await written(mailing)
    if how == "nothing":
        assert sent == []
        return
    [told] = sent
    amount = "50,00 kr" if how == "goodwill" else "199,00 kr"
    assert f"{amount} går tillbaka" in told.subject
    assert f"Testkort: {amount}" in told.text


async def test_what_was_never_paid_is_no_money_that_goes_back(mailing: Database) -> None:
    trade = await build(mailing, payment_providers=["invoice"])
    order = await bought(trade, PaymentInput(provider="invoice"))
    await change(trade, order, {"kind": "return", "position": 1, "quantity": 1})
    await trade.follow()
    assert await written(mailing) == []


async def test_a_return_is_announced_with_its_label_received_and_paid(mailing: Database) -> None:
    trade = await build(mailing)
    order = await bought(trade)
    given = msgspec.convert({"order": order.id, "lines": [{"position": 1, "quantity": 1}]}, AnnounceInput)
    request = await trade.db.transaction(lambda tx: return_announce.announce(tx, given))
    await trade.follow()
    data = ReceiveInput(location=trade.warehouse.id)
    await trade.db.transaction(lambda tx: returns.receive(tx, request.id, data))
    await trade.follow()
    await trade.db.transaction(lambda tx: returns.settle(tx, request.id, SettleInput()))
    await trade.follow()
    asked, here, money = await written(mailing)
    link = asked.text.split("/order/")[1].split("/returns")[0]
    assert order_address.read(Vault.of(mailing.settings), link) == order.id
    assert f"/returns/{request.id}/label.pdf" in asked.text
    assert f"/returns/{request.id}/label.pdf" in asked.html
    assert "\nKettle\n" in asked.text
    assert request.number in here.subject
    assert "\nKettle\n" in here.text
    assert "199,00 kr" in money.subject


async def test_what_has_gone_on_meanwhile_is_not_told_late(mailing: Database) -> None:
    trade = await build(mailing)
    order = await bought(trade)
    given = msgspec.convert({"order": order.id, "lines": [{"position": 1, "quantity": 1}]}, AnnounceInput)
    request = await trade.db.transaction(lambda tx: return_announce.announce(tx, given))
    data = ReceiveInput(location=trade.warehouse.id)
    await trade.db.transaction(lambda tx: returns.receive(tx, request.id, data))
    await trade.db.transaction(lambda tx: returns.settle(tx, request.id, SettleInput()))
    await trade.follow()
    [money] = await written(mailing)
    assert "går tillbaka" in money.subject


async def test_who_is_not_written_to(mailing: Database) -> None:
    trade = await build(mailing)
    kettle = await trade.kettle(at=trade.at_malmo)
    cart = await trade.cart((kettle, 2), channel=trade.malmo, email="kim@example.org")
    sold = await trade.place(cart.id)
    place: UUID = trade.at_malmo.id
    await change(trade, sold, {"kind": "return", "position": 1, "quantity": 1}, location=str(place))
    await trade.follow()
    assert await written(mailing) == [], "who stands at the till has the receipt"
    await change(trade, sold, {"kind": "goodwill", "amount": 1_000})
    await trade.follow()
    [told] = await written(mailing)
    assert "10,00 kr" in told.subject, "who calls has none"


async def test_read_again_from_the_beginning_of_a_change_nothing_is_left_out(mailing: Database) -> None:
    """A follower that is put back reads the same and says the same: what goes back is that transaction's alone."""
    trade = await build(mailing)
    order = await bought(trade, units=3)
    for units in (1, 2):
        await change(trade, order, {"kind": "return", "position": 1, "quantity": units})
    await trade.follow()
    before = [each.text for each in await written(mailing)]
    await mailing.rows("DELETE FROM mail_outbox RETURNING 1")
    await mailing.rows("UPDATE follower SET xid = 0, seq = 0 WHERE name = 'order-mails' RETURNING 1")
    await trade.follow()
    again = await written(mailing)
    assert [each.subject.split(": ")[1] for each in again] == [
        "199,00 kr går tillbaka",
        "398,00 kr går tillbaka",
    ]
    assert len(before) == len(again)
