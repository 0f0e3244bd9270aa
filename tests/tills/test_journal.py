"""Sales of tills become orders once, whatever comes in between; what is odd is told, and nothing is lost."""

import asyncio
import copy
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from selling import AT_TILL, Till

from samlad import orders, stock, tills
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.payments import manual
from samlad.promotions import service as promotions
from samlad.promotions.model import PromotionInput
from samlad.stock import LocationChange, counts
from samlad.tills import LeaseInput, LeaseLine, LeaseOf, SaleState, WriteOffInput, journal
from trade import Trade


def codes(verdict: tills.Verdict) -> list[str]:
    return [each.code for each in verdict.objections]


async def test_a_sale_is_one_order_however_often_it_comes(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=5, at=trade.at_malmo)
    first, second = till.sale((kettle, 2)), till.sale((kettle, 1))
    # Out of order, twice in one batch, and at once from two tabs.
    both = await asyncio.gather(till.send(second, first, first), till.send(first, second))
    assert {each.verdict for each in (*both[0], *both[1])} == {"recorded"}
    assert len({each.order for each in (*both[0], *both[1])}) == 2
    assert sum(not each.is_known for each in (*both[0], *both[1])) == 2
    [again] = await till.send(first)
    assert again.is_known
    assert again.objections == []
    order = await orders.read(trade.db, again.order)
    assert (order.status, order.payment_status, order.total, order.paid) == (
        "fulfilled",
        "paid",
        39_800,
        39_800,
    )
    assert (order.location, order.delivery) == (trade.at_malmo.id, "carry_out")
    assert order.placed_at < now() - timedelta(hours=2)
    assert order.payments[0].change_due == 100
    assert await trade.level(kettle, trade.at_malmo) == (2, 0)
    await trade.agree()


async def test_stock_that_is_gone_is_sold_all_the_same_and_said_openly(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=3, at=trade.at_malmo)
    held = uuid4()

    async def hold(tx: Tx) -> None:
        wanted = [stock.HoldLine(kettle, 2, trade.at_malmo.id)]
        await stock.take(tx, wanted, channel=trade.malmo, kind=stock.HoldKind.ORDER, owner=held)

    await trade.db.transaction(hold)
    [verdict] = await till.send(till.sale((kettle, 3)))
    assert verdict.verdict == "recorded"
    assert codes(verdict) == ["stock"]
    assert verdict.objections[0].here == "1"  # of the three that were sold two are somebody else's
    assert await trade.level(kettle, trade.at_malmo) == (2, 2)  # who holds two still does
    moved = await trade.db.rows(
        "SELECT cause, quantity, reason FROM movement WHERE variant = $1 ORDER BY seq", kettle
    )
    assert [(row["cause"], row["quantity"]) for row in moved] == [
        ("receipt", 3),
        ("correction", 2),
        ("sale", -3),
    ]
    assert "beyond what the books had" in moved[1]["reason"]
    nowhere = await trade.kettle(quantity=0)  # a level that has never been
    [verdict] = await till.send(till.sale((nowhere, 1)))
    assert codes(verdict) == ["stock"]
    assert await trade.level(nowhere, trade.at_malmo) == (0, 0)
    assert await tills.waiting(trade.db, [trade.at_malmo.id]) == 2
    await trade.db.transaction(lambda tx: stock.release(tx, held))
    await trade.agree()


@pytest.mark.parametrize("ends_first", [False, True])
async def test_what_was_counted_after_a_sale_is_taken_off_once_however_often_it_comes(
    trade: Trade, ends_first: bool
) -> None:
    """A till without network sold two of ten, eight are counted, and then it sends its sale twice."""
    till, kettle = Till(trade), await trade.kettle(quantity=10, at=trade.at_malmo)
    count = await trade.db.transaction(lambda tx: counts.open_count(tx, trade.at_malmo.id))
    await trade.db.transaction(lambda tx: counts.enter(tx, count.id, [(kettle, 8)]))
    sale = till.sale((kettle, 2))
    if ends_first:
        await trade.db.transaction(lambda tx: counts.close(tx, count.id))
    await till.send(sale)
    [again] = await till.send(sale)
    assert again.is_known
    if not ends_first:
        await trade.db.transaction(lambda tx: counts.close(tx, count.id))
    assert await trade.level(kettle, trade.at_malmo) == (8, 0)
    await trade.agree()
    await trade.sound()


async def test_goods_by_lot_leave_from_their_lots_and_from_none(trade: Trade) -> None:
    till, milk = Till(trade), await trade.kettle(quantity=0)
    await trade.by_lot(milk, early=2, late=2)
    till.desk = tills.Desk(trade.malmo, trade.warehouse)
    [verdict] = await till.send(till.sale((milk, 5)))
    assert verdict.verdict == "recorded"
    assert codes(verdict) == ["stock"]
    assert await trade.level(milk) == (0, 0)
    await trade.sound()


async def test_the_lease_goes_first_and_its_end_refuses_nothing(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=6, at=trade.at_malmo)
    lease = await trade.db.transaction(
        lambda tx: tills.take(
            tx, LeaseInput(channel="malmo", till=till.id, lines=[LeaseLine(variant=kettle, units=99)])
        )
    )
    assert [(line.variant, line.units) for line in lease.lines] == [(kettle, 6)]
    assert (await stock.atp(trade.db, trade.web, [kettle]))[kettle] == 0  # nobody else can sell them
    [verdict] = await till.send(till.sale((kettle, 2)))
    assert codes(verdict) == []
    assert await trade.level(kettle, trade.at_malmo) == (4, 4)
    await trade.db.rows(
        "UPDATE hold SET expires_at = now() - interval '1 minute' WHERE owner = $1 RETURNING 1", till.id
    )
    await trade.buy((kettle, 3))  # it has ended: the web sells three of the four
    [late] = await till.send(till.sale((kettle, 2)))
    assert late.verdict == "recorded"
    assert codes(late) == ["stock"]
    renewed = await trade.db.transaction(lambda tx: tills.renew(tx, LeaseOf(channel="malmo", till=till.id)))
    assert renewed.lines == []
    usual = await trade.db.transaction(lambda tx: tills.take(tx, LeaseInput(channel="malmo", till=till.id)))
    assert usual.lines == []  # the rest is the web's
    await trade.db.transaction(lambda tx: stock.receive(tx, trade.at_malmo.id, [(kettle, 10)]))
    usual = await trade.db.transaction(lambda tx: tills.take(tx, LeaseInput(channel="malmo", till=till.id)))
    assert [line.units for line in usual.lines] == [2]  # a fifth of what nobody else has, in whole pieces
    # Who stands in the store can have what its tills have leased; nobody else can.
    assert (await stock.atp(trade.db, trade.malmo, [kettle], carry_out=True))[kettle] == 10
    assert (await stock.atp(trade.db, trade.web, [kettle]))[kettle] == 8
    [gone] = await trade.db.transaction(lambda tx: stock.end_leases(tx, trade.at_malmo.id, [(kettle, 3)]))
    assert gone.quantity == 2
    assert (await stock.atp(trade.db, trade.web, [kettle]))[kettle] == 10
    await trade.db.transaction(lambda tx: tills.give_back(tx, LeaseOf(channel="malmo", till=till.id)))
    assert (await tills.of_till(trade.db, till.id)).lines == []
    await trade.sound()


async def test_a_week_without_network_comes_at_once(trade: Trade) -> None:
    """Seven days of sales in one afternoon, the newest first and twice: each is an order of its own day, and none waits."""
    till, kettle = Till(trade), await trade.kettle(quantity=50, at=trade.at_malmo)
    began = now() - timedelta(days=7)
    moments = [began + timedelta(hours=8 * number) for number in range(21)]
    week = [till.sale((kettle, 1), happened_at=moment.isoformat()) for moment in moments]
    verdicts = [*await till.send(*reversed(week)), *await till.send(*week)]
    assert {(each.verdict, tuple(codes(each))) for each in verdicts} == {("recorded", ())}
    assert sum(not each.is_known for each in verdicts) == len(week)
    rows = await trade.db.rows("SELECT placed_at, local_day FROM orders ORDER BY placed_at")
    assert [row["placed_at"] for row in rows] == moments
    zone = trade.malmo.time_zone
    assert [row["local_day"] for row in rows] == [local_day(moment, zone) for moment in moments]
    assert await trade.level(kettle, trade.at_malmo) == (50 - len(week), 0)
    [other] = await till.send(till.sale((kettle, 1), happened_at=(now() - timedelta(days=15)).isoformat()))
    assert codes(other) == ["late"]
    await trade.agree()


async def test_what_the_server_objects_to_is_an_order_and_on_the_list(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    cheap, ahead = till.sale((kettle, 1), price=10_000), till.sale((kettle, 1))
    ahead["happened_at"] = (now() + timedelta(days=400)).isoformat()
    slow = till.sale((kettle, 1), clock_offset_ms=3 * 86_400_000)
    slow["happened_at"] = (now() - timedelta(days=3, hours=1)).isoformat()
    long_ago = till.sale((kettle, 1), clerk=str(uuid4()), clerk_name="Gone")
    long_ago["happened_at"] = (now() - timedelta(days=30)).isoformat()
    short = till.sale((kettle, 1), customer=str(uuid4()), rounding=-20)
    short["tenders"][0]["amount"] -= 500
    twice = till.sale((kettle, 1), sequence=1)
    verdicts = await till.send(cheap, ahead, slow, long_ago, short, twice)
    assert {each.verdict for each in verdicts} == {"recorded"}
    told = [codes(each) for each in verdicts]
    assert told == [["price"], ["clock"], ["clock"], ["late", "clerk"], ["paid", "customer"], ["number-used"]]
    days = [(await orders.read(trade.db, each.order)).placed_at for each in verdicts]
    assert all(day <= now() for day in days)
    assert now() - days[2] < timedelta(hours=2)  # its clock was three days slow, and it knew
    paid = await orders.read(trade.db, verdicts[4].order)
    assert (paid.total, paid.paid) == (19_400, 19_400)  # what the customer gave; the difference is a line
    assert [line.total for line in paid.lines] == [19_900, -20, -480]
    page = await tills.SALES.page(trade.db, _needs(), None)
    assert len(page.items) == 6
    await trade.agree()


def _needs() -> ListQuery:
    return ListQuery(filters={"needs_look": "true"})


async def test_what_cannot_be_an_order_waits_with_everything_in_it(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    garbled = {"id": 7, "lines": "none\x00of these", "note": "4111 1111 1111 1111", "total": 5}
    foreign = till.sale((kettle, 1), currency="EUR")
    good = till.sale((kettle, 1))
    verdicts = await till.send(garbled, {}, foreign, good)
    assert [each.verdict for each in verdicts] == ["kept", "kept", "kept", "recorded"]
    assert [codes(each)[0] for each in verdicts[:3]] == ["unreadable", "unreadable", "currency"]
    again = await till.send(garbled, {}, foreign)
    assert all(each.is_known and each.verdict == "kept" for each in again)
    page = await tills.SALES.page(trade.db, _needs(), [trade.at_malmo.id])
    assert len(page.items) == 3
    by = {row.entry: row for row in page.items}
    # Nobody knows what was sold: it can only be written off, and stays.
    lost = by["7"]
    kept = await tills.get(trade.db, lost.id)
    assert kept.body["unread"]["note"] == "[card number removed]"
    with pytest.raises(InvalidInput):
        await trade.db.transaction(lambda tx: tills.settle(tx, lost.id))
    gone = await trade.db.transaction(lambda tx: tills.write_off(tx, lost.id, WriteOffInput(reason="A test")))
    assert (gone.state, gone.reason) == (SaleState.WRITTEN_OFF, "A test")
    assert (await till.send(garbled))[0].verdict == "kept"
    await trade.agree()


async def test_another_sale_of_the_same_id_is_kept_beside_it(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    sale = till.sale((kettle, 1))
    other = copy.deepcopy(sale)
    other["lines"][0]["quantity"], other["lines"][0]["total"], other["total"] = 2, 39_800, 39_800
    other["lines"][0]["tax"], other["tenders"][0]["amount"] = 7_960, 39_800
    both = await asyncio.gather(till.send(sale, other), till.send(other, sale))
    flat = [each for pair in both for each in pair]
    assert sorted(each.verdict for each in flat) == ["conflict", "conflict", "recorded", "recorded"]
    page = await tills.SALES.page(trade.db, _needs(), None)
    [row] = page.items
    assert [each.code for each in row.objections] == ["conflict"]
    done = await trade.db.transaction(lambda tx: tills.settle(tx, row.id))
    assert done.order_id is not None
    assert await trade.db.value("SELECT count(*) FROM orders") == 2
    assert await trade.level(kettle, trade.at_malmo) == (6, 0)
    await trade.sound()


async def test_promotions_that_were_given_are_counted_and_what_is_over_is_said(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    data = {"channel": str(trade.malmo.id), "name": "Kettle week", "terms": terms, "limit_total": 1}
    given = msgspec.convert(data | {"is_automatic": True}, PromotionInput)
    week = await trade.db.transaction(lambda tx: promotions.create(tx, given))

    def reduced(which: str, name: str) -> dict[str, Any]:
        sale = till.sale((kettle, 1))
        sale["lines"][0] |= {
            "reductions": [{"promotion": which, "name": name, "amount": 1_990}],
            "tax": 3_582,
            "total": 17_910,
        }
        return sale | {"total": 17_910, "tenders": [{"kind": "card", "amount": 17_910}]}

    first = reduced(str(week.id), week.name)
    verdicts = await till.send(
        first, first, reduced(str(week.id), week.name), reduced(str(uuid4()), "Who knows")
    )
    assert [each.verdict for each in verdicts] == ["recorded"] * 4
    assert [codes(each) for each in verdicts] == [[], [], ["promotion"], ["promotion"]]
    kept = await trade.db.row("SELECT uses, spent FROM promotion WHERE id = $1", week.id)
    assert kept is not None
    assert tuple(kept) == (2, 3_980), "once for each sale, over its limit or not"
    assert verdicts[0].order is not None
    await trade.agree()


async def test_killed_in_the_middle_leaves_nothing_and_it_comes_again(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    sale = till.sale((kettle, 1))
    whole = journal.orders.record_happened
    fails = {"with": ConnectionError("the cable")}

    async def breaks(*args: Any) -> Any:
        await whole(*args)
        raise fails["with"]

    monkeypatch.setattr(journal.orders, "record_happened", breaks)
    monkeypatch.setattr(journal, "_keep", breaks)  # keeping it fails, too
    assert [each.verdict for each in await till.send(sale)] == ["later"]
    assert await trade.db.value("SELECT count(*) FROM till_sale") == 0
    assert await trade.level(kettle, trade.at_malmo) == (9, 0)
    monkeypatch.undo()
    assert [each.verdict for each in await till.send(sale)] == ["recorded"]
    # A fault of ours keeps the sale for a manager, who settles it once the fault is mended.
    poison, fails["with"] = till.sale((kettle, 1)), ValueError("not ours")
    with monkeypatch.context() as broken:
        broken.setattr(journal.orders, "record_happened", breaks)
        [verdict] = await till.send(poison)
        assert (verdict.verdict, codes(verdict)) == ("kept", ["not-understood"])
    [row] = (await tills.SALES.page(trade.db, _needs(), None)).items
    assert (await trade.db.transaction(lambda tx: tills.settle(tx, row.id))).order_id is not None
    assert await trade.level(kettle, trade.at_malmo) == (7, 0)
    await trade.sound()


async def test_training_is_no_sale_and_strangers_send_none(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    assert [each.verdict for each in await till.send(till.sale((kettle, 1), training=True))] == ["training"]
    assert await trade.db.value("SELECT count(*) FROM orders") == 0
    assert await tills.waiting(trade.db, None) == 0
    elsewhere = Actor(
        kind="staff",
        id=uuid4(),
        permissions=AT_TILL.actor.permissions,
        locations=frozenset({trade.at_lund.id}),
    )
    with pytest.raises(Forbidden):
        await tills.record_batch(trade.db, Context(actor=elsewhere), till.desk, [till.sale((kettle, 1))])


async def test_a_store_in_another_country_takes_its_tax(trade: Trade) -> None:
    """The shop is Swedish, the store stands in the United States: the till takes no tax there, as its rules say, and nothing is odd."""
    till, kettle = Till(trade), await trade.kettle(price=19_900, quantity=9, at=trade.at_malmo)
    away = LocationChange(
        address={"lines": ["Torget 1"], "postal_code": "8001", "city": "Boulder", "country": "US"}
    )
    await trade.db.transaction(lambda tx: stock.change_location(tx, trade.at_malmo.id, away))
    free, home = till.sale((kettle, 1)), till.sale((kettle, 1))
    for line in free["lines"]:
        line |= {"tax_rate": 0, "tax": 0}
    verdicts = await till.send(free, home)
    assert [codes(each) for each in verdicts] == [[], ["tax"]]
    assert [(each.here, each.there) for each in verdicts[1].objections] == [("0", "2500")]


async def test_a_ticket_that_was_sold_online_after_all_is_not_sold_twice(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    cart = (await trade.cart((kettle, 1), channel=trade.malmo)).id
    placed = await trade.place(cart)  # and the answer was lost
    [lost] = await till.send(till.sale((kettle, 1), cart=str(cart)))
    assert (lost.verdict, codes(lost)) == ("kept", ["cart-ordered"])
    assert lost.objections[0].here == str(placed.id)
    other = (await trade.cart((kettle, 1), channel=trade.malmo)).id
    [sold] = await till.send(till.sale((kettle, 1), cart=str(other)))
    assert (sold.verdict, codes(sold)) == ("recorded", [])
    with pytest.raises(orders.AlreadyOrdered):
        await trade.place(other)
    [row] = (await tills.SALES.page(trade.db, _needs(), None)).items
    second = await trade.db.transaction(
        lambda tx: tills.settle(tx, row.id)
    )  # the manager knows: it was another
    assert second.order_id not in (None, placed.id)
    assert await trade.level(kettle, trade.at_malmo) == (6, 0)
    await trade.sound()


async def test_money_of_a_card_goes_back_by_hand(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    paid = [{"kind": "card", "amount": 9_900}, {"kind": "cash", "amount": 10_000}]
    [sold] = await till.send(till.sale((kettle, 1), tenders=paid))
    assert sold.order is not None
    back = await trade.db.transaction(lambda tx: orders.take_back(tx, sold.order, orders.ReturnInput()))
    assert back.total == -19_900
    order = await orders.read(trade.db, sold.order)
    by = {payment.provider: payment for payment in order.payments}
    assert set(by) == {"cash", "till_card"}
    states = {refund.payment: refund.status for refund in order.refunds}
    assert states == {by["cash"].id: "done", by["till_card"].id: "pending"}
    [waits] = [refund for refund in order.refunds if refund.status == "pending"]
    await trade.db.transaction(lambda tx: manual.refunded(tx, waits.id))
    assert {r.status for r in (await orders.read(trade.db, sold.order)).refunds} == {"done"}
    await trade.agree()


async def test_somebody_new_is_a_customer_when_the_sale_comes(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)

    async def sold(**typed: str) -> tuple[tills.Verdict, dict[str, Any]]:
        entry = till.sale((kettle, 1), new_customer=typed)
        [said] = await till.send(entry)
        return said, entry

    siv, entry = await sold(name=" Siv ", phone="070-123 45 67")
    assert (siv.verdict, codes(siv)) == ("recorded", [])
    people = "SELECT id, name, phone, email FROM customer ORDER BY created_at, id"
    [made] = await trade.db.rows(people)
    assert (made["name"], made["phone"], made["email"]) == ("Siv", "070-123 45 67", None)
    # The till has forgotten her and sends it once more: it is the same sale.
    del entry["new_customer"]
    [again] = await till.send(entry)
    assert (again.is_known, again.order) == (True, siv.order)
    # Another till wrote her down, too; and somebody whose address is known already.
    other, _ = await sold(name="Siv Berg", phone="+46 70 123 45 67")
    await sold(email="kim@example.org")
    await sold(email="KIM@example.org", name="Kim")
    assert [row["email"] for row in await trade.db.rows(people)] == [None, "kim@example.org"]
    whose = "SELECT customer FROM orders WHERE id = $1"
    assert await trade.db.value(whose, other.order) == made["id"]
    # What is no address and no number is said; the sale stands. A number of a card is nobody's name.
    for typed in (
        {"email": "kim@"},
        {"phone": "0701234567"},
        {"name": "4242 4242 4242 4242", "phone": "0709"},
        {},
    ):
        odd, _ = await sold(**typed)
        assert (odd.verdict, codes(odd)) == ("recorded", ["new-customer"])
        assert await trade.db.value(whose, odd.order) is None
    # Nobody is written down for what was tried, nor for what was written off.
    await till.send(till.sale((kettle, 1), new_customer={"email": "try@example.org"}, training=True))
    [blocked] = await till.send(
        till.sale((kettle, 1), new_customer={"email": "off@example.org"}, currency="NOK")
    )
    assert blocked.verdict == "kept"
    kept = await trade.db.value("SELECT id FROM till_sale WHERE state = 'kept'")
    assert "off@example.org" in str(await trade.db.value("SELECT body FROM till_sale WHERE id = $1", kept))
    await trade.db.transaction(
        lambda tx: tills.write_off(tx, kept, WriteOffInput(reason="No such money")), AT_TILL
    )
    assert len(await trade.db.rows(people)) == 2
    bodies = str(
        await trade.db.rows("SELECT body FROM till_sale WHERE order_id IS NULL OR objections = '[]'")
    )
    assert not [each for each in ("Siv", "kim@", "try@", "off@") if each in bodies], (
        "the entries name the customer, no more"
    )
