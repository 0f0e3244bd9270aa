"""Orders of marketplaces: they come paid, once, and claim the same stock as everybody else."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from samlad import orders
from samlad.access.permissions import Role
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.orders import Order, arrivals, changes
from samlad.orders.arrivals import Arrival, ArrivedDifferently
from samlad.orders.model import CancelInput
from samlad.payments import manual
from samlad.stock import SoldOut
from trade import ADDRESS, Trade


def an_arrival(trade: Trade, *lines: dict[str, Any], **changed: Any) -> Arrival:
    values = {
        "channel": trade.web.id,
        "external_id": "302-7781234-55",
        "placed_at": datetime(2026, 11, 20, 23, 30, tzinfo=UTC),
        "lines": list(lines),
        "email": "robin@market.example",
        "address": ADDRESS,
        **changed,
    }
    return msgspec.convert(values, Arrival)


async def arrive(trade: Trade, data: Arrival) -> Order:
    return await trade.db.transaction(lambda tx: arrivals.arrive(tx, data))


async def test_it_comes_paid_at_its_own_prices_and_claims_its_goods(trade: Trade) -> None:
    kettle = await trade.kettle(19_900)
    sku = await trade.db.value("SELECT sku FROM variant WHERE id = $1", kettle)
    line = {"code": sku, "quantity": 2, "unit_price": 15_000, "title": "Wasserkocher"}
    order = await arrive(trade, an_arrival(trade, line, shipping=4_900, total=34_900))
    assert (order.total, order.paid, order.tax) == (34_900, 34_900, 6_980)
    assert (order.status, order.payment_status, order.is_held) == ("paid", "paid", True)
    assert (order.placed_at, order.local_day.isoformat()) == (
        datetime(2026, 11, 20, 23, 30, tzinfo=UTC),
        "2026-11-21",
    )
    assert [(x.title, x.tax_rate) for x in order.lines] == [("Wasserkocher", 2500), ("Shipping", 2500)]
    assert [(p.provider, p.reference, p.captured) for p in order.payments] == [
        ("marketplace", "302-7781234-55", 34_900)
    ]
    assert await trade.level(kettle) == (10, 2)
    await trade.follow()
    assert await trade.db.value("SELECT count(*) FROM customer WHERE email = 'robin@market.example'") == 1
    found = await trade.db.value("SELECT count(*) FROM fulfilment WHERE order_id = $1", order.id)
    assert found == 1, "somebody has it on a work list"
    await trade.sound()


async def test_the_same_again_is_the_same_order_and_another_is_told(trade: Trade) -> None:
    kettle = await trade.kettle()
    line = {"variant": str(kettle), "unit_price": 15_000}
    first = await arrive(trade, an_arrival(trade, line))
    again = await arrive(trade, an_arrival(trade, line))
    assert again.id == first.id
    with pytest.raises(ArrivedDifferently) as told:
        await arrive(trade, an_arrival(trade, line | {"quantity": 2}))
    assert told.value.extra["number"] == first.number
    assert await trade.level(kettle) == (10, 1)


async def test_twice_at_once_is_one_order(trade: Trade) -> None:
    kettle = await trade.kettle()
    data = an_arrival(trade, {"variant": str(kettle), "unit_price": 15_000})
    made = await asyncio.gather(*(arrive(trade, data) for _ in range(8)))
    assert len({order.id for order in made}) == 1
    assert await trade.level(kettle) == (10, 1)
    await trade.sound()


async def test_what_is_gone_is_refused_and_may_come_again_later(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=1)
    data = an_arrival(trade, {"variant": str(kettle), "quantity": 2, "unit_price": 15_000})
    with pytest.raises(SoldOut):
        await arrive(trade, data)
    assert await trade.db.value("SELECT count(*) FROM order_arrival") == 0
    fits = msgspec.structs.replace(data, lines=[msgspec.structs.replace(data.lines[0], quantity=1)])
    assert (await arrive(trade, fits)).total == 15_000


async def test_sold_out_is_told_before_anything_is_priced_or_waited_for(trade: Trade) -> None:
    kettle, pot, cup = await trade.kettle(), await trade.kettle(quantity=0), await trade.kettle()
    tea = await trade.set_of(30_000, (pot, 1), (cup, 2))
    arriving = [
        an_arrival(trade, {"variant": str(kettle), "unit_price": 1}, {"variant": str(each), "unit_price": 1})
        for each in (pot, tea)
    ]

    async def while_all_is_locked(tx: Tx) -> None:
        await tx.execute("LOCK TABLE price, price_list IN ACCESS EXCLUSIVE MODE")
        await tx.execute("SELECT FROM level FOR UPDATE")
        for data in arriving:
            with pytest.raises(SoldOut) as told:
                async with asyncio.timeout(30):
                    await arrive(trade, data)
            assert [(each.variant, each.available) for each in told.value.lines] == [(pot, 0)]

    await trade.db.transaction(while_all_is_locked)
    assert await trade.db.value("SELECT count(*) FROM order_arrival") == 0
    # What can be delivered later, or is sent from there, is not gone.
    sent = msgspec.structs.replace(arriving[0], is_sent=True)
    assert (await arrive(trade, sent)).status == "fulfilled"


async def test_what_was_sent_from_there_holds_nothing_here(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=0)
    order = await arrive(
        trade, an_arrival(trade, {"variant": str(kettle), "unit_price": 15_000}, is_sent=True)
    )
    assert (order.status, order.is_held) == ("fulfilled", False)
    await trade.sound()


async def test_what_is_weighed_costs_so_much_a_kilogram(trade: Trade) -> None:
    cheese = await trade.kettle(19_900, 5_000, sold_by="weight")
    data = an_arrival(trade, {"variant": str(cheese), "quantity": 770, "unit_price": 19_900}, total=15_323)
    order = await arrive(trade, data)
    assert (order.total, order.tax, order.items, order.lines[0].sold_by) == (15_323, 3_065, 1, "weight")
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    some = orders.ReturnInput(lines=[orders.LineSelection(position=1, quantity=385)])
    back = await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, some))
    assert (back.total, back.items) == (-7_662, -1)
    await trade.agree()


async def test_money_goes_back_through_the_marketplace(trade: Trade) -> None:
    kettle = await trade.kettle()
    order = await arrive(trade, an_arrival(trade, {"variant": str(kettle), "unit_price": 15_000}))
    await trade.db.transaction(lambda tx: changes.cancel(tx, order.id, CancelInput(reason="gone")))
    refund = await trade.db.row("SELECT id, status, amount FROM refund")
    assert refund is not None
    assert (refund["status"], refund["amount"]) == ("pending", 15_000)
    await trade.db.transaction(lambda tx: manual.refunded(tx, refund["id"]))
    assert await trade.db.value("SELECT status FROM refund") == "done"
    assert await trade.level(kettle) == (10, 0)
    await trade.sound()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"total": 1}, "total"),
        ({"paid": 10**9}, "paid"),
        ({"placed_at": datetime.now(UTC) + timedelta(days=1)}, "placed_at"),
        ({"lines": [{"code": "NOTHING", "unit_price": 1}]}, "lines/0/code"),
        ({"lines": [{"unit_price": 1}]}, "lines/0"),
        (
            {"lines": [{"variant": "01a20f00-0000-7000-8000-000000000000", "unit_price": 1}]},
            "lines/0/variant",
        ),
    ],
)
async def test_what_is_not_right_is_said_where(trade: Trade, changed: dict[str, Any], field: str) -> None:
    kettle = await trade.kettle()
    lines = changed.pop("lines", [{"variant": str(kettle), "unit_price": 15_000}])
    with pytest.raises(InvalidInput) as refused:
        await arrive(trade, an_arrival(trade, *lines, **changed))
    assert [error.field for error in refused.value.errors] == [field]
    assert await trade.db.value("SELECT count(*) FROM orders") == 0


async def test_a_clerk_may_not(trade: Trade) -> None:
    clerk = Context(actor=Actor(kind="staff", permissions=frozenset({orders.permissions.PLACE})))
    data = an_arrival(trade, {"code": "K", "unit_price": 1})
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: arrivals.arrive(tx, data), clerk)
    assert orders.permissions.ARRIVE not in (Role.STORE, Role.SUPPORT)


async def test_over_http_and_found_by_its_name_there(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle = await trade.kettle()
    body = msgspec.to_builtins(
        an_arrival(trade, {"variant": str(kettle), "unit_price": 15_000}, external_id="MP-9001")
    )
    body = {name: value for name, value in body.items() if value is not None}
    made = await api.post("/api/orders/arrivals", json=body)
    assert made.status_code == 201, made.text
    assert (await api.post("/api/orders/arrivals", json=body)).json()["id"] == made.json()["id"]
    listed = (await api.get("/api/orders", params={"q": "MP-90"})).json()
    assert [row["id"] for row in listed["items"]] == [made.json()["id"]]
    other = await api.post("/api/orders/arrivals", json=body | {"shipping": 100})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/arrived-differently")
    assert UUID(other.json()["order"]) == UUID(made.json()["id"])
