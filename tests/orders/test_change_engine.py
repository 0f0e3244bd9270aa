"""The change engine against the database: what a preview says is what is done, whoever asks how often."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest
from changing import back, change, clerk, make, preview, sold

from samlad import channels, credit, customers, orders
from samlad.channels import ChannelChange
from samlad.kernel import log
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, Outdated
from samlad.orders import FulfilInput, Order, ReturnInput, WrongState
from samlad.orders.change_model import ChangeDiffers, NeedsOverride
from samlad.payments import PaymentDeclined, PaymentInput
from samlad.stock import SoldOut
from trade import Trade, build


@pytest.fixture
async def trade(db: Database) -> AsyncIterator[Trade]:
    """A shop that writes invoices; whatever was changed in it, orders, stock, money, documents and books agree."""
    found = await build(db, invoice_when="paid")
    yield found
    await found.agree()


async def read(trade: Trade, order: Order) -> Order:
    return await orders.read(trade.db, order.id)


async def age(trade: Trade, order: Order, days: int) -> None:
    """The goods were handed over so many days ago."""
    await trade.db.rows(
        "UPDATE fulfilment SET left_at = left_at - $2::interval WHERE order_id = $1 RETURNING 1",
        order.id,
        timedelta(days=days),
    )


async def test_a_return_in_parts_by_condition(trade: Trade) -> None:
    kettle = await trade.kettle(9_999, quantity=5)
    order = await sold(trade, (kettle, 3))
    done = await make(
        trade,
        order,
        back(1, 1, reason="changed_mind", condition="new"),
        back(1, 1, reason="changed_mind", condition="opened"),
        back(1, 1, reason="damaged", condition="damaged"),
        location=trade.at_lund.id,
        photos=["/media/broken.jpg"],
    )
    assert (done.preview.worth, done.preview.refunded) == (29_997, 29_997)
    assert await trade.level(kettle, trade.at_lund) == (1, 0), "only what is as new is sold again"
    rows = await trade.db.rows(
        "SELECT quantity, cause, reason FROM movement WHERE location = $1 ORDER BY seq", trade.at_lund.id
    )
    assert [(row["quantity"], row["cause"]) for row in rows] == [(1, "return")] * 3 + [(-1, "damage")] * 2
    assert {row["reason"] for row in rows if row["cause"] == "damage"} == {
        "quarantine: changed_mind, opened",
        "scrap: damaged, damaged",
    }
    now = await read(trade, order)
    assert (now.status, now.payment_status, now.refunded) == ("returned", "refunded", 29_997)
    await trade.follow()
    await trade.sound()


async def test_more_than_was_bought_is_refused_with_what_is_possible(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(), 2))
    with pytest.raises(InvalidInput) as caught:
        await preview(trade, order, back(1, 3))
    assert [(e.field, e.message) for e in caught.value.errors] == [
        ("actions/0/quantity", "at most 2: no more of it is out")
    ]
    with pytest.raises(InvalidInput):
        await make(trade, order, back(1, 1), back(1, 2))
    assert (await read(trade, order)).version == order.version, "nothing of it happened"


async def test_an_exchange_whose_new_item_is_gone(trade: Trade) -> None:
    kettle, other = await trade.kettle(quantity=2), await trade.kettle(quantity=1)
    order = await sold(trade, (kettle, 1))
    swap = {"kind": "exchange", "position": 1, "quantity": 1, "variant": other}
    said = await preview(trade, order, swap)
    assert "sold-out" not in [notice.code for notice in said.notices]
    await trade.buy((other, 1))
    said = await preview(trade, order, swap)
    assert [notice.code for notice in said.notices] == ["sold-out"]
    with pytest.raises(SoldOut):
        await make(trade, order, swap)
    now = await read(trade, order)
    assert (now.status, now.lines[0].returned, now.refunded) == ("fulfilled", 0, 0)
    with pytest.raises(InvalidInput) as caught:
        await preview(trade, order, {**swap, "variant": new_id()})
    assert caught.value.errors[0].field == "actions/0/variant"
    await trade.sound()


async def test_two_clerks_at_once(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(10_000), 1))
    data = change(back(1, 1))

    async def clerk_acts() -> object:
        try:
            return await trade.db.transaction(
                lambda tx: orders.apply_change(tx, order.id, data, version=order.version)
            )
        except Outdated as problem:
            return problem

    answers = await asyncio.gather(*(clerk_acts() for _ in range(4)))
    assert sum(isinstance(answer, orders.Changed) for answer in answers) == 1
    assert (await read(trade, order)).refunded == 10_000
    await trade.sound()


async def test_what_was_agreed_to_differs_by_now(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(10_000), 3))
    agreed = await preview(trade, order, back(1, 2))
    await make(trade, order, {"kind": "goodwill", "amount": 3_000})
    data = msgspec.structs.replace(change(back(1, 2)), fingerprint=agreed.fingerprint)
    with pytest.raises(ChangeDiffers) as caught:
        await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, data))
    changed = {each["what"]: (each["was"], each["is"]) for each in caught.value.extra["changed"]}
    assert changed["version"] == (str(order.version), str(order.version + 1))
    assert changed["worth"] == ("20000", "18000")


async def test_the_same_change_twice_is_done_once(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(10_000), 3))
    data = change(back(1, 1), id=new_id())
    first = await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, data))
    again = await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, data))
    assert (first.came_back, first.preview) == (again.came_back, again.preview)
    assert (await read(trade, order)).refunded == 10_000


async def test_goodwill_then_a_return_never_gives_more_than_was_paid(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(9_999), 3), (await trade.kettle(5_000), 1))
    done = await make(trade, order, {"kind": "goodwill", "amount": 1_000, "position": 1, "reason": "late"})
    assert done.came_back is not None
    note = await orders.read(trade.db, done.came_back)
    assert (note.kind, note.total, note.items, note.tax) == ("adjustment", -1_000, 0, -200)
    for _ in range(3):
        await make(trade, order, back(1, 1))
    now = await read(trade, order)
    assert now.refunded == 29_997
    await make(trade, order, back(2, 1))
    assert (await read(trade, order)).refunded == order.total
    with pytest.raises(InvalidInput):
        await make(trade, order, {"kind": "goodwill", "amount": 1})
    await trade.follow()
    await trade.sound()


async def test_exchange_for_something_dearer_is_one_ticket(trade: Trade) -> None:
    kettle, better = await trade.kettle(10_000), await trade.kettle(15_000, at=trade.at_lund)
    order = await sold(trade, (kettle, 1))
    swap = {"kind": "exchange", "position": 1, "quantity": 1, "variant": better, "condition": "new"}
    at_lund = {"location": trade.at_lund.id, "hand_over": True}
    said = await preview(trade, order, swap, **at_lund)
    assert (said.worth, said.transferred, said.to_pay, said.refunded) == (10_000, 10_000, 5_000, 0)
    with pytest.raises(InvalidInput) as caught:
        await make(trade, order, swap, **at_lund)
    assert caught.value.errors[0].field == "payments"
    done = await make(trade, order, swap, payments=[PaymentInput(provider="cash")], **at_lund)
    assert done.placed is not None
    new = await orders.read(trade.db, done.placed)
    assert (new.channel, new.status, new.payment_status, new.total) == (
        trade.lund.id,
        "fulfilled",
        "paid",
        15_000,
    )
    assert [(p.provider, p.amount) for p in new.payments] == [("exchange", 10_000), ("cash", 5_000)]
    old = await read(trade, order)
    assert (old.refunded, old.credited, old.payment_status, old.status) == (0, 10_000, "refunded", "returned")
    assert await trade.level(kettle, trade.at_lund) == (1, 0)
    await trade.follow()
    await trade.sound()

    # Back again: cash first, then through the exchange to the card that paid the first order.
    await trade.db.transaction(lambda tx: orders.take_back(tx, new.id, ReturnInput()))
    old, new = await read(trade, order), await orders.read(trade.db, new.id)
    assert (old.refunded, old.credited, new.refunded) == (10_000, 0, 15_000)
    await trade.follow()
    await trade.sound()


async def test_exchange_for_something_cheaper_gives_the_rest_back(trade: Trade) -> None:
    kettle, cheap = await trade.kettle(10_000), await trade.kettle(6_000)
    order = await sold(trade, (kettle, 1))
    done = await make(trade, order, {"kind": "exchange", "position": 1, "quantity": 1, "variant": cheap})
    assert (done.preview.transferred, done.preview.refunded, done.preview.to_pay) == (6_000, 4_000, 0)
    assert done.placed is not None
    new = await orders.read(trade.db, done.placed)
    assert (new.status, new.payment_status, new.is_held, new.address) == ("paid", "paid", True, order.address)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, new.id, FulfilInput()))
    await trade.follow()
    await trade.sound()


async def test_store_credit_instead_of_money_is_never_given_twice(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(10_000), 2))
    with pytest.raises(InvalidInput):
        await preview(trade, order, back(1, 1), refund_to="credit")
    await trade.follow()
    done = await make(trade, order, back(1, 1), refund_to="credit")
    assert (done.preview.refunded, done.preview.credited) == (0, 10_000)
    customer = (await read(trade, order)).customer
    assert customer is not None
    assert [one.balance for one in await credit.of_customer(trade.db, customer)] == [10_000]
    await make(trade, order, back(1, 1))
    now = await read(trade, order)
    assert (now.refunded, now.credited, now.payment_status) == (10_000, 10_000, "refunded")
    await trade.follow()
    await trade.sound()


async def test_an_order_is_edited_before_it_leaves(trade: Trade) -> None:
    kettle, filters = await trade.kettle(10_000), await trade.kettle(2_500)
    order = await trade.buy((kettle, 3))
    await trade.follow()
    address = {**msgspec.to_builtins(order.address), "line1": "Lillgatan 2"}
    done = await make(
        trade,
        order,
        {"kind": "quantity", "position": 1, "quantity": 1},
        {"kind": "add", "variant": filters, "quantity": 2},
        {"kind": "address", "address": address},
    )
    assert (done.preview.worth, done.preview.forgiven, done.preview.refunded) == (20_000, 5_000, 15_000)
    now = done.order
    assert (now.total, now.items, now.called_off, now.refunded) == (35_000, 5, 5_000, 15_000)
    assert now.address is not None
    assert now.address.line1 == "Lillgatan 2"
    assert (await trade.level(kettle), await trade.level(filters)) == ((10, 1), (10, 2))
    await trade.follow()
    await trade.sound()
    now = await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    assert (now.status, now.payment_status) == ("fulfilled", "paid")
    assert await trade.db.value("SELECT sum(revenue) FROM order_day") == 15_000
    with pytest.raises(WrongState):
        await make(trade, order, {"kind": "add", "variant": filters, "quantity": 1})
    await trade.sound()


async def test_what_is_added_is_paid_or_owed(trade: Trade) -> None:
    kettle = await trade.kettle(10_000)
    order = await trade.buy((kettle, 1))
    more = {"kind": "quantity", "position": 1, "quantity": 2}
    owing = await make(trade, order, more)
    assert (owing.preview.to_pay, owing.order.payment_status) == (10_000, "unpaid")
    paid = await trade.db.transaction(
        lambda tx: orders.pay(tx, order.id, orders.PayInput(payments=[PaymentInput(provider="test")]))
    )
    assert (paid.payment_status, paid.paid) == ("paid", 20_000)
    fee = {"kind": "fee", "amount": 1_250, "title": "Gift wrap"}
    done = await make(trade, order, fee, payments=[PaymentInput(provider="test")])
    assert (done.order.total, done.order.paid, done.order.payment_status) == (21_250, 21_250, "paid")
    await trade.follow()
    await trade.sound()


async def test_one_payment_never_pays_an_addition_and_a_new_sale(trade: Trade) -> None:
    first, rest = await trade.kettle(10_000), await trade.kettle(2_000)
    dearer, more = await trade.kettle(30_000), await trade.kettle(15_000)
    order = await trade.buy((first, 1), (rest, 1))
    left = msgspec.convert({"lines": [{"position": 1, "quantity": 1}]}, FulfilInput)
    order = await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, left))
    both = (
        {"kind": "exchange", "position": 1, "quantity": 1, "variant": dearer},
        {"kind": "add", "variant": more, "quantity": 1},
    )
    with pytest.raises(InvalidInput) as caught:
        await make(trade, order, *both, payments=[PaymentInput(provider="test")])
    assert caught.value.errors[0].field == "payments"
    done = await make(trade, order, *both, pay_later=True)
    assert done.placed is not None
    new = await orders.read(trade.db, done.placed)
    old = done.order
    owed = (new.total - new.paid, old.total - old.called_off - old.paid)
    assert (owed, done.preview.to_pay) == ((30_000, 5_000), 35_000), "each order asks for its own"


async def test_another_country_is_another_sale(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(10_000), 1))
    abroad = {**msgspec.to_builtins(order.address), "country": "NO", "postal_code": "0150", "city": "Oslo"}
    with pytest.raises(InvalidInput) as caught:
        await preview(trade, order, {"kind": "address", "address": abroad})
    assert caught.value.errors[0].field == "actions/0/address/country"


async def test_cancelling_every_line_cancels_the_order(trade: Trade) -> None:
    kettle = await trade.kettle(10_000)
    order = await trade.buy((kettle, 2))
    done = await make(trade, order, {"kind": "cancel", "position": 1, "quantity": 2})
    assert (done.preview.refunded, done.order.status, done.order.refunded) == (20_000, "cancelled", 20_000)
    await trade.follow()
    assert await trade.db.value("SELECT sum(revenue) FROM order_day") in (None, 0)
    await trade.sound()


@pytest.mark.parametrize("is_counted", [True, False])
async def test_called_off_in_parts_until_nothing_is_left_it_is_no_order_of_its_customer(
    trade: Trade, *, is_counted: bool
) -> None:
    kettle = await trade.kettle(10_000)
    order = await trade.buy((kettle, 2))
    if is_counted:
        await trade.follow()
    for left in (1, 0):
        assert not await trade.db.value("SELECT is_empty FROM orders WHERE id = $1", order.id)
        done = await make(trade, order, {"kind": "quantity", "position": 1, "quantity": left})
    assert (done.order.refunded, done.order.status) == (20_000, "called_off"), "nothing came back"
    await trade.follow()
    [kim] = await trade.db.rows("SELECT s.* FROM customer_spend s")
    assert (kim["orders"], kim["spent"]) == (0, 0)
    assert await customers.orders_of(trade.db, kim["customer"]) == 0, (
        "an offer for the first order is theirs again"
    )
    await trade.sound()


async def test_a_whole_order_called_off_twice_by_the_same_id_is_called_off_once(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(10_000), 1))
    data = change({"kind": "cancel", "position": 1, "quantity": 1}, id=new_id())
    first = await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, data))
    again = await trade.db.transaction(lambda tx: orders.apply_change(tx, order.id, data))
    assert (first.id, first.order.refunded) == (again.id, again.order.refunded)
    with pytest.raises(WrongState):
        await make(trade, order, {"kind": "cancel", "position": 1, "quantity": 1})


async def test_nobody_pays_with_goods_that_did_not_come_back(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(10_000), 1))
    for token in (str(new_id()), "rubbish", None):
        with pytest.raises(PaymentDeclined):
            await trade.place(cart.id, PaymentInput(provider="exchange", token=token))


async def test_a_claim_replaces_what_is_broken(trade: Trade) -> None:
    kettle = await trade.kettle(9_999, quantity=4)
    order = await sold(trade, (kettle, 2))
    claim = {"kind": "claim", "position": 1, "quantity": 1, "reason": "defective", "remedy": "replacement"}
    done = await make(trade, order, claim, photos=["https://example.com/broken.jpg"])
    assert (done.preview.difference, done.preview.to_pay, done.preview.refunded) == (0, 0, 0)
    assert await trade.level(kettle) == (2, 1), "the broken one stays where it is"
    await trade.follow()
    await trade.sound()


async def test_windows_limits_and_who_may_go_beyond(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(20_000), 2))
    await age(trade, order, 20)
    late = back(1, 1, reason="changed_mind")
    said = await preview(trade, order, late)
    assert [(n.code, n.needs_override) for n in said.notices] == [("window-over", True)]
    with pytest.raises(NeedsOverride) as caught:
        await make(trade, order, late, who=clerk())
    assert caught.value.extra["notices"][0]["code"] == "window-over"
    with pytest.raises(NeedsOverride):
        await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()), clerk())
    with pytest.raises(NeedsOverride):
        await make(trade, order, late, who=clerk(manager=True))
    await make(trade, order, late, who=clerk(manager=True), override="a good customer")
    entry = await trade.db.row("SELECT after FROM audit_entry WHERE verb = 'order.change-overridden'")
    assert entry is not None
    assert entry["after"]["reason"] == "a good customer"
    too_kind = {"kind": "goodwill", "amount": 10_001}
    with pytest.raises(NeedsOverride):
        await make(trade, order, too_kind, who=clerk())
    await make(trade, order, {**too_kind, "amount": 10_000}, who=clerk())
    faulty = back(1, 1, reason="defective", condition="defective")
    await make(trade, order, faulty, who=clerk(), photos=["/media/x.jpg"])
    await trade.sound()


async def test_who_withdraws_from_all_of_it_gets_its_delivery_back(trade: Trade) -> None:
    """Directive 2011/83/EU, article 13: all that was paid, standard delivery among it; in parts, with the last of them."""
    settings = ChannelChange(settings={**trade.web.own.settings, "shipping_flat": 4_900, "return_days": 30})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, settings))
    kettle, cup = await trade.kettle(10_000), await trade.kettle(5_000)
    order = await sold(trade, (kettle, 2), (cup, 1))
    part = await make(trade, order, back(1, 2))
    assert part.preview.refunded == 20_000, "the cup stays"
    rest = await make(trade, order, back(2, 1))
    assert (rest.preview.refunded, rest.preview.tax) == (9_900, -1_980)
    assert [line.kind for line in rest.preview.came_back] == ["item", "shipping"]
    assert (await orders.read(trade.db, order.id)).refunded == order.total

    swapped = await sold(trade, (kettle, 1), (cup, 1))
    await make(trade, swapped, {"kind": "exchange", "position": 1, "quantity": 1, "variant": str(cup)})
    assert (await preview(trade, swapped, back(2, 1))).refunded == 5_000, "what came instead stays"

    late = await sold(trade, (cup, 1))
    await age(trade, late, 20)
    assert (await preview(trade, late, back(1, 1))).refunded == 5_000, (
        "the shop's own window, and not the law's"
    )


async def test_any_store_takes_back_what_another_sold(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=2, at=trade.at_malmo)
    order = await sold(trade, (kettle, 1), channel=trade.malmo)
    lund = clerk(trade.at_lund)
    with pytest.raises(Forbidden):
        await make(trade, order, back(1, 1), who=lund)
    with pytest.raises(Forbidden):
        await make(trade, order, back(1, 1), who=lund, location=trade.at_malmo.id)
    await make(trade, order, back(1, 1, condition="new"), who=lund, location=trade.at_lund.id)
    assert await trade.level(kettle, trade.at_lund) == (1, 0)
    await trade.sound()


async def test_a_ticket_takes_back_and_sells(trade: Trade) -> None:
    kettle, toaster = await trade.kettle(10_000), await trade.kettle(25_000, at=trade.at_lund)
    order = await sold(trade, (kettle, 1))
    cart = await trade.cart((toaster, 1), channel=trade.lund)
    who = clerk(trade.at_lund)
    both = {"cart": cart.id, "location": trade.at_lund.id}
    done = await make(trade, order, back(1, 1), who=who, payments=[PaymentInput(provider="cash")], **both)
    assert (done.preview.difference, done.preview.to_pay) == (15_000, 15_000)
    assert done.placed is not None
    new = await orders.read(trade.db, done.placed)
    assert (new.status, new.paid, new.changes) == ("fulfilled", 25_000, order.id)
    with pytest.raises((WrongState, InvalidInput)):
        await make(trade, order, back(1, 1), who=who, **both)
    await trade.follow()
    await trade.sound()


async def test_fraud_signals_are_shown_and_refuse_nothing(trade: Trade) -> None:
    kettle, other = await trade.kettle(1_000, quantity=50), await trade.kettle()
    await trade.follow()
    order = await sold(trade, (kettle, 10))
    await trade.follow()
    sku = await trade.db.value("SELECT sku FROM variant WHERE id = $1", other)
    for _ in range(5):
        await make(trade, order, back(1, 1))
        await trade.follow()
    said = await preview(trade, order, back(1, 2, scanned=sku), who=clerk())
    assert [n.code for n in said.notices] == ["many-returns", "high-share", "other-item"]
    assert not said.needs_override
    done = await make(trade, order, back(1, 2, scanned=sku), who=clerk())
    kept = await trade.db.value("SELECT notices FROM order_change WHERE id = $1", done.id)
    assert kept == ["many-returns", "high-share", "other-item"]


async def test_what_the_shop_could_not_send_is_no_sign_of_misuse(trade: Trade) -> None:
    kettle = await trade.kettle(1_000, quantity=50)
    order = await trade.buy((kettle, 10))
    await trade.follow()
    for _ in range(6):
        await make(trade, order, {"kind": "cancel", "position": 1, "quantity": 1}, note="not on the shelf")
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    await trade.follow()
    said = await preview(trade, order, back(1, 1), who=clerk())
    assert said.notices == []


async def test_signals_of_a_channel_ask_a_manager_who_says_why(trade: Trade) -> None:
    kettle = await trade.kettle(20_000)
    setting = ChannelChange(settings={"number_prefix": "W", "signal_score": 15})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, setting))
    order = await sold(trade, (kettle, 1))
    await trade.db.rows(
        """INSERT INTO price_history (variant, price_list, pool, channel, currency, kind, priority, tax_included, amount,
                                      applied_from, applied_to)
           SELECT variant, price_list, pool, channel, currency, kind, priority, tax_included, 15000,
                  now() - interval '2 days', now() - interval '1 day' FROM price_history WHERE variant = $1
           RETURNING 1""",
        kettle,
    )
    said = await preview(trade, order, back(1, 1), who=clerk())
    assert [(n.code, n.values.get("percent")) for n in said.notices] == [
        ("price-drop", 25),
        ("signal-score", None),
    ]
    with pytest.raises(NeedsOverride):
        await make(trade, order, back(1, 1), who=clerk())
    done = await make(trade, order, back(1, 1), override="They showed the offer at the counter")
    row = await trade.db.row("SELECT notices, override FROM order_change WHERE id = $1", done.id)
    assert tuple(row) == (["price-drop", "signal-score"], "They showed the offer at the counter")


async def test_fees_are_taken_off_and_can_be_waived_by_a_manager(trade: Trade) -> None:
    from samlad.orders import return_reasons
    from samlad.orders.change_model import ReturnReasonInput

    pool = return_reasons.pool_of(trade.web)
    fee = ReturnReasonInput(name="Changed their mind", restock=True, ships="customer", fee_bp=1_000)
    await trade.db.transaction(lambda tx: return_reasons.set_reason(tx, pool, "changed_mind", fee))
    assert len(await return_reasons.reasons(trade.db, pool)) == 7
    order = await sold(trade, (await trade.kettle(9_995), 2))
    one = back(1, 1, reason="changed_mind")
    done = await make(trade, order, one, who=clerk())
    assert (done.preview.fees, done.preview.worth, done.preview.refunded) == (1_000, 8_995, 8_995)
    with pytest.raises(NeedsOverride):
        await make(trade, order, one, who=clerk(), waive_fees=True)
    free = await make(trade, order, one, who=clerk(manager=True), waive_fees=True, override="our fault")
    assert free.preview.refunded == 9_995
    assert free.order.payment_status == "paid", "the fee stays"
    await trade.follow()
    await trade.sound()


async def test_fees_take_no_more_than_what_comes_back(trade: Trade) -> None:
    asked = ChannelChange(settings={"return_shipping": 4_900})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, asked))
    order = await sold(trade, (await trade.kettle(2_000), 1), (await trade.kettle(10_000), 1))
    cheap = await make(trade, order, back(1, 1, reason="changed_mind"), sent_in=True)
    assert (cheap.preview.fees, cheap.preview.worth, cheap.preview.refunded) == (2_000, 0, 0)
    assert [(one.code, one.values) for one in cheap.preview.notices] == [("fees-capped", {"amount": 2_900})]
    assert sum(line.tax for line in cheap.preview.came_back) == 0, "the part of a fee has the part of its tax"
    dear = back(2, 1, reason="changed_mind")
    typed = {"kind": "fee", "amount": 8_000, "title": "Repacking"}
    done = await make(trade, order, dear, typed, sent_in=True)
    fees = {line.title: line.total for line in done.preview.came_back if line.kind == "fee"}
    assert fees == {"Repacking": 8_000, "Sending it back": 2_000}
    assert (done.preview.refunded, done.order.refunded) == (0, 0)
    await trade.follow()
    await trade.sound()


async def test_an_unpaid_order_owes_less_when_goods_come_back(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(10_000), 2), pay_later=True)
    done = await make(trade, order, back(1, 1))
    assert (done.preview.forgiven, done.preview.refunded) == (10_000, 0)
    paid = await trade.db.transaction(
        lambda tx: orders.pay(tx, order.id, orders.PayInput(payments=[PaymentInput(provider="test")]))
    )
    assert (paid.paid, paid.payment_status) == (10_000, "paid")
    await make(trade, order, back(1, 1))
    assert (await read(trade, order)).refunded == 10_000
    await trade.sound()


async def test_what_happened_is_on_the_log(trade: Trade) -> None:
    kettle, cheap = await trade.kettle(10_000), await trade.kettle(6_000)
    order = await sold(trade, (kettle, 1))
    done = await make(trade, order, {"kind": "exchange", "position": 1, "quantity": 1, "variant": cheap})
    told = {event.type: event.payload for event in await log.of_subject(trade.db, order.id)}
    back_told, changed = told["order.returned"], told["order.changed"]
    assert (back_told["total"], back_told["tax"], back_told["refunded"], back_told["transferred"]) == (
        -10_000, -2_000, 4_000, 6_000,
    )  # fmt: skip
    assert changed["placed"] == str(done.placed)
    assert (changed["worth"], changed["actions"]) == (10_000, ["exchange"])
