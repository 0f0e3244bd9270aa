"""Gift cards that go to somebody by mail on a day: at once or by the clock, once, never after their order is called off."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from credit_shop import books_are_sound

from samlad import channels, credit, orders
from samlad.channels import ChannelChange
from samlad.credit import CardStatus, IssueInput, MailDay, MailInput, card_mails, mail_planning
from samlad.kernel import mail
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.mail import Mail
from samlad.kernel.problems import Forbidden, InvalidInput, Problem
from samlad.kernel.vault import Vault
from samlad.orders import GiftCardSale, PayInput, gift_card_sale, tax_report
from samlad.orders.today import waiting as today_of
from samlad.payments import PaymentInput
from trade import GUEST, Trade, build


@pytest.fixture
async def trade(db: Database, monkeypatch: pytest.MonkeyPatch) -> Trade:
    """A webshop with a mail server that sells gift cards of up to 5,000 kronor."""
    settings = msgspec.structs.replace(db.settings, smtp_host="mail.example", mail_from="shop@example.org")
    monkeypatch.setattr(db, "settings", settings)
    return await build(db, gift_card_shop_limit=500_000, invoice_when="paid")


def sale(**fields: Any) -> GiftCardSale:
    to = {"recipient": "robin@example.org", "name": "Robin", "giver": "Kim", "message": "For your kitchen"}
    to |= {name: fields.pop(name) for name in ("recipient", "send_on") if name in fields}
    wanted = {"key": new_id(), "amount": 50_000, "email": "kim@example.org", "to": MailInput(**to)}
    return GiftCardSale(**(wanted | fields))


async def buy(trade: Trade, *, is_paid: bool = True, **fields: Any) -> orders.Order:
    wanted = sale(**fields)
    order = await trade.db.transaction(lambda tx: orders.sell_gift_card(tx, trade.web.id, wanted), GUEST)
    if is_paid:
        await pay(trade, order.id)
    return order


async def pay(trade: Trade, order: UUID) -> None:
    paid = PayInput(payments=[PaymentInput(provider="test")])
    await trade.db.transaction(lambda tx: orders.pay(tx, order, paid))
    await trade.follow()


async def opened(db: Database) -> list[Mail]:
    rows = await db.rows("SELECT id, sealed FROM mail_outbox ORDER BY id")
    return [mail.open_mail(Vault.of(db.settings), row["id"], bytes(row["sealed"])) for row in rows]


async def mails(db: Database) -> list[Mail]:
    return [each for each in await opened(db) if each.kind == "gift-card"]


def today(trade: Trade) -> date:
    return local_day(now(), trade.web.time_zone)


async def its_day_comes(db: Database) -> None:
    """As if the mails that wait had been planned for the day that it is, so long ago that their hour is over."""
    await db.rows(
        "UPDATE gift_card_mail SET send_on = (now() - interval '2 days')::date, send_at = now() - interval '1 day' RETURNING 1"
    )


def test_a_day_is_today_at_once_or_later_in_the_morning() -> None:
    late = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)  # past midnight already in Stockholm
    plan, zone = mail_planning.moment_of, "Europe/Stockholm"
    assert plan(None, late, zone) == (date(2026, 11, 28), late)
    assert plan(date(2026, 11, 28), late, zone) == (date(2026, 11, 28), late)
    assert plan(date(2026, 12, 24), late, zone)[1] == datetime(2026, 12, 24, 7, tzinfo=UTC)
    assert plan(date(2027, 6, 6), late, zone)[1] == datetime(2027, 6, 6, 6, tzinfo=UTC), "in summer time"
    assert plan(date(2027, 11, 28), late, zone)[0] == date(2027, 11, 28)
    for wrong in (date(2026, 11, 27), date(2027, 11, 29)):
        with pytest.raises(InvalidInput) as refused:
            plan(wrong, late, zone)
        assert [error.field for error in refused.value.errors] == ["send_on"]
    assert mail_planning.last_day(date(2028, 2, 29)) == date(2029, 2, 28)


async def test_a_card_for_today_goes_once_it_is_paid_and_once_only(trade: Trade) -> None:
    order = await buy(trade, is_paid=False)
    await trade.follow()
    assert await card_mails.sweep(trade.db) == 0, "nobody has paid"
    (going,) = await credit.mails_of_order(trade.db, order.id)
    assert (going.status, going.amount, going.is_waiting) == (CardStatus.WAITING, 50_000, True)
    await pay(trade, order.id)
    card = await credit.get(trade.db, going.card)
    assert (card.status, card.available) == (CardStatus.ACTIVE, 50_000)
    assert (await today_of(trade.db, None)).to_give == 0, "nobody has anything to pack"
    assert sum(await asyncio.gather(*(card_mails.sweep(trade.db) for _ in range(3)))) == 1
    assert await card_mails.sweep(trade.db) == 0
    (letter,) = await mails(trade.db)
    assert (letter.to, letter.subject) == ("robin@example.org", "Ett presentkort från Kim")
    assert "For your kitchen" in letter.text
    code = letter.text.split("Dess kod:\n")[1].split("\n")[0]
    assert (await credit.usable(trade.db, code, trade.web)).available == 50_000
    for told in ("payload", "personal"):
        assert not await trade.db.value(
            f"SELECT count(*) FROM event WHERE {told}::text LIKE '%robin@%' OR {told}::text LIKE $1",
            f"%{code}%",
        )
    (bought,) = [each for each in await opened(trade.db) if "presentkort är betalt" in each.subject]
    assert bought.to == "kim@example.org"
    assert "robin@example.org" in bought.text
    assert code not in bought.text
    day = order.local_day
    told = await tax_report.report(trade.db, [trade.web], day, day)
    assert told == [], "it is no supply: what it pays for will be"
    await trade.follow()
    await books_are_sound(trade.db)
    await trade.agree()


async def test_a_later_day_is_waited_for_and_staff_move_it_or_send_it_now(trade: Trade, api: Any) -> None:
    later = today(trade) + timedelta(days=40)
    order = await buy(trade, send_on=later)
    (going,) = await credit.mails_of_order(trade.db, order.id)
    assert (await credit.get(trade.db, going.card)).available == 50_000, (
        "its value is there from the payment on"
    )
    assert await card_mails.sweep(trade.db) == 0
    path = f"/api/gift-cards/{going.card}/mail"
    for wrong in (today(trade) - timedelta(days=1), today(trade) + timedelta(days=367)):
        answer = await api.post(f"{path}/day", json={"send_on": wrong.isoformat()})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "send_on")
    nearer = today(trade) + timedelta(days=3)
    for _ in range(2):
        moved = await api.post(f"{path}/day", json={"send_on": nearer.isoformat()})
        assert (moved.status_code, moved.json()["send_on"]) == (200, nearer.isoformat())
    assert await card_mails.sweep(trade.db) == 0
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: credit.send_card_now(tx, going.card), GUEST)
    sent = await trade.db.transaction(lambda tx: credit.send_card_now(tx, going.card))
    assert sent.sent_at is not None
    assert (await api.post(f"{path}/now")).status_code == 409
    assert (await api.post(f"{path}/day", json={"send_on": later.isoformat()})).status_code == 409
    await its_day_comes(trade.db)
    assert await card_mails.sweep(trade.db) == 0
    assert len(await mails(trade.db)) == 1
    assert (await api.get(path)).json()["recipient"] == "robin@example.org"
    assert (await api.get(f"/api/gift-cards/{new_id()}/mail")).status_code == 404


async def test_a_mail_that_a_kill_lost_goes_with_the_next_look(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await buy(trade, send_on=today(trade) + timedelta(days=9))
    await its_day_comes(trade.db)

    async def killed(*_args: Any) -> None:
        raise OSError("gone in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(card_mails.mail, "send", killed)
        assert await card_mails.sweep(trade.db) == 0
    (going,) = await credit.mails_of_order(trade.db, order.id)
    assert going.sent_at is None
    assert await card_mails.sweep(trade.db) == 1
    assert len(await mails(trade.db)) == 1


@pytest.mark.parametrize("is_told", [False, True])
async def test_an_order_that_is_called_off_sends_nothing(trade: Trade, is_told: bool) -> None:
    order = await buy(trade, send_on=today(trade) + timedelta(days=9))
    found = await orders.read(trade.db, order.id)
    assert await orders.can_cancel_as_buyer(trade.db, found)
    buyer = Context(actor=Actor(kind="guest", permissions=frozenset({orders.CHANGE})))
    await trade.db.transaction(lambda tx: orders.cancel_as_buyer(tx, order.id), buyer)
    if is_told:
        await trade.follow()
    await its_day_comes(trade.db)
    assert await card_mails.sweep(trade.db) == 0, "also before the log has told"
    await trade.follow()
    (going,) = await credit.mails_of_order(trade.db, order.id)
    card = await credit.get(trade.db, going.card)
    assert (card.status, card.balance, going.is_waiting) == (CardStatus.CANCELLED, 0, False)
    with pytest.raises(Problem):
        await trade.db.transaction(lambda tx: credit.send_card_now(tx, going.card))
    assert not await mails(trade.db)
    await books_are_sound(trade.db)
    await trade.agree()


async def test_a_buyer_cannot_call_off_what_was_sent(trade: Trade) -> None:
    order = await buy(trade)
    assert await card_mails.sweep(trade.db) == 1
    assert not await orders.can_cancel_as_buyer(trade.db, await orders.read(trade.db, order.id))
    buyer = Context(actor=Actor(kind="guest", permissions=frozenset({orders.CHANGE})))
    with pytest.raises(orders.WrongState):
        await trade.db.transaction(lambda tx: orders.cancel_as_buyer(tx, order.id), buyer)


async def test_what_nobody_pays_is_called_off_after_a_day(trade: Trade) -> None:
    order, paid = await buy(trade, is_paid=False), await buy(trade)
    assert await gift_card_sale.end_unpaid(trade.db) == 0
    await trade.db.rows("UPDATE orders SET placed_at = placed_at - interval '25 hours' RETURNING 1")
    assert await gift_card_sale.end_unpaid(trade.db) == 1
    assert await gift_card_sale.end_unpaid(trade.db) == 0
    assert (await orders.read(trade.db, order.id)).status == "cancelled"
    assert (await orders.read(trade.db, paid.id)).status == "paid"
    await trade.follow()
    (going,) = await credit.mails_of_order(trade.db, order.id)
    assert going.status is CardStatus.CANCELLED


async def test_what_cannot_be_bought_is_said_at_its_field(trade: Trade) -> None:
    async def refused(data: GiftCardSale) -> str:
        with pytest.raises(InvalidInput) as problem:
            await trade.db.transaction(lambda tx: orders.sell_gift_card(tx, trade.web.id, data), GUEST)
        return problem.value.errors[0].field

    assert await refused(sale(amount=500_001)) == "amount"
    assert await refused(sale(send_on=today(trade) - timedelta(days=1))) == "send_on"
    await trade.db.transaction(
        lambda tx: channels.change(tx, trade.web.id, ChannelChange(settings={"gift_card_months": 1}))
    )
    short = sale(send_on=today(trade) + timedelta(days=300))
    assert await refused(short) == "send_on", "it would not pay any more"
    nothing = ChannelChange(settings={"gift_card_shop_limit": 0})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, nothing))
    assert await refused(sale()) == "amount"
    assert not await trade.db.value("SELECT count(*) FROM orders")


async def test_the_same_sale_twice_is_one_order(trade: Trade) -> None:
    data = sale()

    async def sell() -> str:
        try:
            made = await trade.db.transaction(lambda tx: orders.sell_gift_card(tx, trade.web.id, data), GUEST)
        except Problem as problem:
            return problem.code
        return str(made.id)

    answers = await asyncio.gather(sell(), sell())
    assert sorted(answers) == sorted([str(orders.order_of_gift_card(data.key)), "conflict"])
    assert await trade.db.value("SELECT count(*) FROM orders") == 1


async def test_staff_give_a_card_by_mail_and_never_see_its_code(trade: Trade) -> None:
    data = IssueInput(
        channel=trade.web.id, amount=10_000, note="Sorry", mail=MailInput(recipient="robin@example.org")
    )
    made = await trade.db.transaction(lambda tx: credit.issue(tx, data))
    assert made.code == ""
    blocked = await trade.db.transaction(lambda tx: credit.issue(tx, data))
    await trade.db.transaction(lambda tx: credit.block(tx, blocked.card.id))
    assert await card_mails.sweep(trade.db) == 1, "who is blocked waits"
    await trade.db.transaction(lambda tx: credit.unblock(tx, blocked.card.id))
    moved = MailDay(send_on=today(trade) + timedelta(days=2))
    await trade.db.transaction(lambda tx: credit.change_mail_day(tx, blocked.card.id, moved))
    assert await card_mails.sweep(trade.db) == 0
    await trade.db.transaction(lambda tx: credit.replace(tx, blocked.card.id, "Given in hand"))
    await its_day_comes(trade.db)
    assert await card_mails.sweep(trade.db) == 0, "what was replaced is in somebody's hand"
    assert len(await mails(trade.db)) == 1
