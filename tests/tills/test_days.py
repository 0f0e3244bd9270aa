"""A whole day without network: drawers, goods that come back, what is picked up, and numbers that never come."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from selling import AT_TILL, CLERK, Till

from samlad import books, orders, tills
from samlad.access.permissions import permissions
from samlad.books import CloseTillInput, OpenTillInput
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.listing import ListQuery
from samlad.orders import fulfilment
from samlad.orders.fulfilment_model import PickInput, TakeInput
from samlad.tills import gaps
from samlad.tills.model import JournalState, LookInput
from trade import Trade

MANAGER = Context(actor=Actor(kind="staff", id=uuid4(), name="Maja", permissions=frozenset(permissions())))


def act(till: Till, kind: str, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    """An entry that is no sale."""
    till.sequence += 1
    return {
        "kind": kind,
        "id": str(uuid4()),
        "till": str(till.id),
        "sequence": till.sequence,
        "happened_at": (at or now()).isoformat(),
        "clock_offset_ms": 0,
        "clerk": str(CLERK.id),
        "clerk_name": CLERK.name,
        "currency": "SEK",
        **fields,
    }


async def report(trade: Trade, shift: UUID) -> books.ShiftView:
    return await books.view(trade.db, shift)


async def test_a_sale_that_comes_after_the_count_is_in_the_shift_in_which_it_was_made(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(price=20_000, quantity=9, at=trade.at_malmo)

    async def opened(amount: int) -> UUID:
        data = OpenTillInput(location=trade.at_malmo.id, float_amount=amount)
        return (await trade.db.transaction(lambda tx: books.open_till(tx, data), AT_TILL)).shift.id

    async def counted(shift: UUID, amount: int) -> books.ShiftView:
        data = CloseTillInput(counts={"100": amount // 100})
        return await trade.db.transaction(lambda tx: books.close_till(tx, shift, data), AT_TILL)

    first = await opened(100_000)
    made = till.sale((kettle, 1), price=20_000, happened_at=now().isoformat())
    named = till.sale((kettle, 1), price=20_000, happened_at=now().isoformat(), shift=str(first))
    # The till is away from the network; what it took lies in the drawer when it is counted at another one.
    assert (await counted(first, 140_000)).difference == 40_000
    second = await opened(140_000)
    # Somebody else signs in and sends them.
    sent = await tills.record_batch(trade.db, MANAGER, till.desk, [made, named, made])
    assert [each.verdict for each in sent] == ["recorded"] * 3
    now_taken = till.sale((kettle, 1), price=20_000, happened_at=now().isoformat())
    await till.send(now_taken)
    x = await trade.db.transaction(lambda tx: books.x_report(tx, second), AT_TILL)
    assert (x.sales, x.expected) == (1, 160_000)
    await trade.follow()
    z = await report(trade, first)
    assert (z.difference, z.shift.expected, z.shift.late) == (0, 140_000, 2)
    assert z.report is not None
    assert (z.report.sales, z.report.tenders[0].taken) == (2, 40_000)
    assert (
        await trade.db.value("SELECT (first_report ->> 'expected')::int FROM till_shift WHERE late > 0")
        == 100_000
    )
    assert (await counted(second, 160_000)).difference == 0
    await trade.agree()
    assert await trade.db.value("SELECT sum(amount) FROM voucher_line WHERE purpose = 'till_difference'") == 0


async def test_a_drawer_of_a_day_without_network(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(price=20_000, quantity=9, at=trade.at_malmo)
    began, shift = now() - timedelta(hours=8), str(uuid4())
    day = [
        act(till, "drawer-open", began, shift=shift, drawer="1", amount=50_000),
        till.sale(
            (kettle, 2), price=20_000, happened_at=(began + timedelta(hours=1)).isoformat(), shift=shift
        ),
        act(
            till,
            "drawer-move",
            began + timedelta(hours=2),
            shift=shift,
            amount=-3_000,
            reason="petty_cash",
            note="Milk",
        ),
        act(
            till,
            "drawer-close",
            began + timedelta(hours=7),
            shift=shift,
            count={"counts": {"100": 669}, "taken": 0},
        ),
    ]
    back = act(
        till,
        "return",
        began + timedelta(hours=3),
        sale=day[1]["id"],
        lines=[{"line": 1, "quantity": 1, "amount": 20_000}],
        total=20_000,
        shift=shift,
    )
    day.insert(3, back)
    sent = await till.send(*day)
    assert [each.verdict for each in sent] == ["done", "recorded", "done", "done", "done"], sent
    assert [each.objections for each in sent] == [[]] * 5
    again = await till.send(*day[::-1])
    assert all(each.is_known for each in again)
    assert {each.verdict for each in again} == {"done", "recorded"}
    z = await report(trade, UUID(shift))
    assert z.shift.clerks == [CLERK.name]
    assert (z.shift.closed_name, z.difference, z.shift.expected) == (CLERK.name, -100, 67_000)
    assert z.shift.opened_at < began + timedelta(seconds=1)
    assert z.shift.closed_at is not None
    assert z.shift.closed_at < now() - timedelta(minutes=30)
    assert await trade.level(kettle, trade.at_malmo) == (8, 0)
    # The same count again under another id cannot be: it waits, and is written off.
    twice = act(till, "drawer-close", shift=shift, count={"counts": {}})
    # Goods that nobody sold; more than was sold.
    odd = act(till, "return", sale=str(uuid4()), lines=[{"line": 1, "quantity": 1, "amount": 1}], total=1)
    much = act(
        till, "return", sale=day[1]["id"], lines=[{"line": 1, "quantity": 2, "amount": 40_000}], total=40_000
    )
    none = act(till, "dance")
    kept = await till.send(twice, odd, much, none)
    assert [each.verdict for each in kept] == ["kept"] * 4
    assert [each.objections[0].code for each in kept] == [
        "not-done",
        "unknown-receipt",
        "not-done",
        "unreadable",
    ]
    assert await tills.waiting(trade.db, None) == 4
    await trade.agree()


async def test_what_went_back_in_coins_is_what_the_till_says(trade: Trade) -> None:
    """Goods of 170.40 were paid with 170 kronor, and so they go back: nothing is odd about it. More that went out is."""
    kettle = await trade.kettle(price=17_040, quantity=9, at=trade.at_malmo)
    till, soon = Till(trade), now() - timedelta(hours=2)
    sold = [till.sale((kettle, 1), price=17_040) for _ in range(2)]
    for sale in sold:
        sale |= {"rounding": -40, "tenders": [{"kind": "cash", "amount": 17_000, "tendered": 17_000}]}
    back = [
        act(
            till,
            "return",
            soon,
            sale=sale["id"],
            total=total,
            lines=[{"line": 1, "quantity": 1, "amount": 17_040}],
        )
        for sale, total in zip(sold, (17_040, 18_000), strict=True)
    ]
    await till.send(*sold, *back)
    rows = await trade.db.rows(
        "SELECT state, objections FROM till_sale WHERE kind = 'return' ORDER BY sequence"
    )
    assert [row["state"] for row in rows] == ["done", "done"]
    assert [[(one["code"], one["here"], one["there"]) for one in row["objections"]] for row in rows] == [
        [],
        [("paid", "17000", "18000")],
    ]


async def test_what_is_picked_up_without_network_is_handed_over_once(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=3, at=trade.at_malmo)

    async def ready() -> tuple[UUID, str]:
        cart = await trade.cart(
            (kettle, 1), delivery="pickup", location=str(trade.at_malmo.id), email="k@example.org"
        )
        order = await trade.place(cart.id)
        [waits] = await trade.db.rows("SELECT id FROM fulfilment WHERE order_id = $1", order.id)
        picked = PickInput(position=1, quantity=1)
        for verb in (
            lambda tx: fulfilment.take(tx, waits["id"], TakeInput()),
            lambda tx: fulfilment.pick(tx, waits["id"], picked),
            lambda tx: fulfilment.make_ready(tx, waits["id"]),
        ):
            await trade.db.transaction(verb, AT_TILL)
        code = await trade.db.value("SELECT code FROM fulfilment WHERE id = $1", waits["id"])
        return waits["id"], code

    (one, code), (other, second) = await ready(), await ready()
    given = act(till, "pick-up", fulfilment=str(one), code=code)
    seen = act(till, "pick-up", fulfilment=str(other), note="Identity card")
    verdicts = await till.send(given, seen, given)
    assert [each.verdict for each in verdicts] == ["done"] * 3, verdicts
    assert second
    again = act(till, "pick-up", fulfilment=str(one), code=code)
    [late] = await till.send(again)
    assert (late.verdict, late.objections[0].code) == ("kept", "not-done")
    assert await trade.level(kettle, trade.at_malmo) == (1, 0)
    [row] = (await tills.SALES.page(trade.db, ListQuery(filters={"needs_look": "true"}), None)).items
    assert row.kind == "pick-up"
    await trade.agree()


async def test_a_number_that_never_comes_is_noticed(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)
    sales = [till.sale((kettle, 1)) for _ in range(5)]
    unread = {"id": str(uuid4()), "till": str(till.id), "sequence": 6, "lines": "torn"}

    async def note(last: int, unsent: int, **fields: Any) -> int:
        state = JournalState(till=till.id, last=last, unsent=unsent, **fields)
        return await trade.db.transaction(lambda tx: gaps.note(tx, till.desk, state), AT_TILL)

    await till.send(sales[0], sales[4], unread)
    assert await note(6, 3) == 0  # it has more to send
    assert await note(6, 0) == 3
    assert await note(6, 0) == 0
    found = await gaps.missing(trade.db, None)
    assert [(each.first, each.last) for each in found] == [(2, 4)]
    await till.send(sales[2])  # out of a backup
    assert [(each.first, each.last) for each in await gaps.missing(trade.db, [trade.at_malmo.id])] == [
        (2, 2),
        (4, 4),
    ]
    assert await gaps.missing(trade.db, [trade.at_lund.id]) == []
    assert await note(9, 0, lost=[8, 9, 9]) == 1
    assert [(each.first, each.is_lost) for each in await gaps.missing(trade.db, None)][2:] == [
        (7, False),
        (8, True),
    ]
    for n in (1, 0):
        seen = LookInput(till=till.id, first=2, last=2, reason="Rung up by hand")
        assert await trade.db.transaction(lambda tx, seen=seen: gaps.look(tx, seen), MANAGER) == n
    assert [each.first for each in await gaps.missing(trade.db, None)] == [4, 7, 8]
    reached = await trade.db.value("SELECT count(*) FROM event WHERE type = 'till.numbers_missing'")
    assert reached == 2


async def test_what_a_clerk_may_not_take_off_alone_is_said(trade: Trade) -> None:
    till, kettle = Till(trade), await trade.kettle(quantity=9, at=trade.at_malmo)

    def less(amount: int) -> dict[str, Any]:
        sale = till.sale((kettle, 1), allowed_by="Maja")
        total = 19_900 - amount
        sale["lines"][0] |= {
            "reductions": [{"name": "Dented", "amount": amount}],
            "tax": total // 5,
            "total": total,
        }
        return sale | {"total": total, "tenders": [{"kind": "card", "amount": total}]}

    small, large = await till.send(less(1_900), less(9_900))
    assert small.objections == []
    [said] = large.objections
    assert (said.code, said.there, large.verdict) == ("discount", "Maja", "recorded")
    assert msgspec.to_builtins(said)["here"] == "9900"
    assert (await orders.read(trade.db, large.order)).total == 10_000  # type: ignore[arg-type]
