"""A crowd that came too late hears so by one look; nobody is told what is not so, or was so before they asked."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from test_arrivals import an_arrival, arrive

from samlad import carts, orders, stock
from samlad.carts import WantedCart
from samlad.carts.store import Access
from samlad.kernel.context import BACKGROUND
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Busy
from samlad.orders import arrivals, crowd
from samlad.orders.arrivals import WantedArrival
from samlad.orders.crowd import INSIDE, Crowd, Question
from samlad.stock import HoldKind, HoldLine, ShortLine, SoldOut, holds, store
from samlad.stock.together import Together
from trade import Trade

GONE = SoldOut([ShortLine(UUID(int=1), 1, 0)])
ANYBODY = Access(any=True)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


class Shelf:
    """What is left, who was sold something, and how often it was looked at, with how many at once."""

    def __init__(self, units: int) -> None:
        self.units, self.looks, self.tried = units, list[int](), 0

    async def look(self, _: Database, wanted: Sequence[Any]) -> list[SoldOut | None]:
        self.looks.append(len(wanted))
        left = self.units
        await asyncio.sleep(0)
        return [None if left else SoldOut(GONE.lines) for _ in wanted]

    async def buy(self, group: Crowd) -> str:
        try:
            async with group.turn(Question(self.look, None)):
                self.tried += 1
                for _ in range(3):
                    await asyncio.sleep(0)
                if not self.units:
                    raise SoldOut(GONE.lines)
                self.units -= 1
        except SoldOut:
            return "sold out"
        return "sold"


def a_crowd() -> Crowd:
    return Crowd(None)  # type: ignore[arg-type] - its looks here ask no database


async def test_who_waits_is_told_by_one_look() -> None:
    shelf, group = Shelf(5), a_crowd()
    told = await asyncio.gather(*(shelf.buy(group) for _ in range(10 * INSIDE)))
    assert (told.count("sold"), told.count("sold out")) == (5, 10 * INSIDE - 5)
    assert shelf.tried <= INSIDE + 5, "those who were let in before anybody was refused"
    assert sum(shelf.looks) == 10 * INSIDE - shelf.tried


async def test_who_comes_soon_after_looks_first_and_buys_if_there_is_something() -> None:
    shelf, group = Shelf(0), a_crowd()
    assert await shelf.buy(group) == "sold out"
    assert (shelf.tried, shelf.looks) == (1, [])
    assert await asyncio.gather(*(shelf.buy(group) for _ in range(3))) == ["sold out"] * 3
    assert (shelf.tried, sum(shelf.looks)) == (1, 3)
    shelf.units = 1
    assert await shelf.buy(group) == "sold", "no refusal rests on what was so before"


async def test_without_a_refusal_nobody_looks() -> None:
    shelf, group = Shelf(3 * INSIDE), a_crowd()
    assert set(await asyncio.gather(*(shelf.buy(group) for _ in range(3 * INSIDE)))) == {"sold"}
    assert shelf.looks == []


async def test_who_goes_away_keeps_nobody_waiting() -> None:
    shelf, group = Shelf(3 * INSIDE), a_crowd()
    tasks = [asyncio.create_task(shelf.buy(group)) for _ in range(3 * INSIDE)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert told.count("sold") == 2 * INSIDE
    async with asyncio.timeout(10):
        assert await shelf.buy(group) == "sold", "every turn was given back"


async def test_a_look_that_fails_tells_nobody_anything() -> None:
    shelf, group = Shelf(0), a_crowd()

    async def look(_: Database, wanted: Sequence[Any]) -> list[SoldOut | None]:
        shelf.looks.append(len(wanted))
        raise Busy

    shelf.look = look  # type: ignore[method-assign]
    told = await asyncio.gather(*(shelf.buy(group) for _ in range(3 * INSIDE)))
    assert set(told) == {"sold out"}
    assert (shelf.tried, len(shelf.looks) > 0) == (3 * INSIDE, True), "each heard it in their turn"


# -- what a look says ----------------------------------------------------------------------------------------------------


async def looked(trade: Trade, *wanted: WantedCart) -> list[list[ShortLine] | None]:
    return [verdict and verdict.lines for verdict in await carts.gone_among(trade.db, wanted)]


async def test_a_look_says_what_placing_the_order_would_say(trade: Trade) -> None:
    kettle, filters = await trade.kettle(quantity=1), await trade.kettle(quantity=9)
    tea = await trade.set_of(50_000, (kettle, 1), (filters, 2))
    wanted = [
        (await trade.cart(*lines)).id
        for lines in ([(kettle, 3)], [(filters, 1)], [(filters, 2), (kettle, 1)], [(tea, 2)])
    ]
    asked = [WantedCart(cart, ANYBODY) for cart in wanted]
    assert await looked(trade, *asked) == [None] * 4, "too little is left to the order: something is there"
    await trade.buy((kettle, 1))
    told = await looked(trade, *asked)
    assert [lines is not None for lines in told] == [True, False, True, True]
    for cart, lines in zip(wanted, told, strict=True):
        if lines is not None:
            with pytest.raises(SoldOut) as refused:
                await trade.place(cart)
            assert lines == refused.value.lines


async def test_a_look_leaves_to_the_order_what_is_no_matter_of_stock(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=2)
    held = (await trade.cart((kettle, 1))).id
    await trade.db.transaction(lambda tx: carts.checkout(tx, held))
    ordered, other = (await trade.cart((kettle, 1))).id, (await trade.cart((kettle, 1))).id
    await trade.place(ordered)
    key = ("key:1", "done-before")
    await trade.db.rows(
        "INSERT INTO idempotency (scope, key, request, status, headers, body) VALUES ($1, $2, '', 201, '{}', '') RETURNING 1",
        *key,
    )
    stranger = Access(token_hash=b"wrong")
    asked = [
        WantedCart(held, ANYBODY),
        WantedCart(ordered, ANYBODY),
        WantedCart(new_id(), ANYBODY),
        WantedCart(other, stranger),
        WantedCart(other, ANYBODY, key),
        WantedCart(other, ANYBODY, ("key:1", "another")),
    ]
    told = await looked(trade, *asked)
    assert told == [None] * 5 + [[ShortLine(kettle, 1, 0)]]


async def test_what_a_transaction_that_runs_has_taken_is_not_gone_yet(trade: Trade) -> None:
    """The same request sent twice: the first has the last one. The second must not hear that it is gone."""
    kettle = await trade.kettle(quantity=1)
    cart = (await trade.cart((kettle, 1))).id
    async with trade.db.pool.acquire() as connection:
        begun = connection.transaction()
        await begun.start()
        tx = Tx(connection, BACKGROUND, trade.db)
        take = holds.to_take(
            [HoldLine(kettle, 1)],
            channel=trade.web,
            kind=HoldKind.CHECKOUT,
            owner=new_id(),
            expires_at=soon(),
        )
        await trade.db.companion(Together).take(take, await store.transaction_id(tx), BACKGROUND)
        assert await stock.gone(trade.db, [kettle], channel=trade.web) == [kettle]
        assert await looked(trade, WantedCart(cart, ANYBODY)) == [None]
        await begun.rollback()


async def test_what_tills_have_leased_can_be_had_at_a_till(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=1, at=trade.at_malmo)
    leased = {"channel": trade.malmo, "owner": new_id(), "expires_at": soon()}
    await trade.db.transaction(lambda tx: stock.lease(tx, trade.at_malmo.id, [(kettle, 1)], **leased))
    here = {"delivery": "carry_out", "location": trade.at_malmo.id}
    ticket = (await trade.cart((kettle, 1), channel=trade.malmo, **here)).id
    asked = [WantedCart(ticket, ANYBODY, at_till=True), WantedCart(ticket, ANYBODY)]
    assert [lines is None for lines in await looked(trade, *asked)] == [True, False]
    await trade.db.transaction(lambda tx: stock.end_leases(tx, trade.at_malmo.id, [(kettle, 1)]))
    await trade.place(ticket)
    again = (await trade.cart((kettle, 1), channel=trade.malmo, **here)).id
    assert (await looked(trade, WantedCart(again, ANYBODY, at_till=True)))[0] is not None


async def test_a_look_for_orders_of_a_marketplace(trade: Trade) -> None:
    kettle, filters = await trade.kettle(quantity=1), await trade.kettle(quantity=9)
    sku = await trade.db.value("SELECT sku FROM variant WHERE id = $1", kettle)
    one = {"code": sku, "unit_price": 100}
    known = an_arrival(trade, one, external_id="known")
    asked = [
        WantedArrival(data)
        for data in (
            known,
            an_arrival(trade, one, external_id="a"),
            an_arrival(trade, one, external_id="b"),
            an_arrival(trade, {"variant": str(filters), "unit_price": 100}, external_id="c"),
            an_arrival(trade, {"code": "NOBODY-KNOWS", "unit_price": 100}, external_id="d"),
            an_arrival(trade, one, external_id="e", is_sent=True),
            an_arrival(trade, one, external_id="f", channel=new_id()),
        )
    ]
    assert await arrivals.gone_among(trade.db, asked) == [None] * 7
    first = await arrive(trade, known)
    told = [verdict and verdict.lines for verdict in await arrivals.gone_among(trade.db, asked)]
    short = [ShortLine(kettle, 1, 0)]
    assert told == [None, short, short, None, None, None, None]
    assert (await arrive(trade, known)).id == first.id


async def test_orders_of_both_kinds_at_once_sell_what_there_is(trade: Trade, monkeypatch: Any) -> None:
    """Through the turns, with nothing held before: with few turns most are told by a look."""
    monkeypatch.setattr(crowd, "INSIDE", 2)
    kettle = await trade.kettle(quantity=5)
    wanted = [(await trade.cart((kettle, 1))).id for _ in range(40)]

    async def order(cart: UUID) -> str:
        try:
            async with orders.turn(trade.db, Question(carts.gone_among, WantedCart(cart, ANYBODY))):
                await trade.place(cart)
        except SoldOut:
            return "sold out"
        return "sold"

    async def bring(name: str) -> str:
        data = an_arrival(trade, {"variant": str(kettle), "unit_price": 100}, external_id=name)
        try:
            async with orders.turn(trade.db, Question(arrivals.gone_among, WantedArrival(data))):
                await arrive(trade, data)
        except SoldOut:
            return "sold out"
        return "sold"

    told = await asyncio.gather(*map(order, wanted), *(bring(f"m-{n}") for n in range(40)))
    assert (told.count("sold"), told.count("sold out")) == (5, 75)
    assert await trade.level(kettle) == (5, 5)
    open_carts = await trade.db.value("SELECT count(*) FROM cart WHERE status = 'open'")
    assert open_carts == 40 - told[:40].count("sold"), "who was told has the cart still"
    await trade.sound()
