"""Orders of marketplaces that are not paid there yet: their goods are held for a while, and for nobody else."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from test_arrivals import an_arrival

from samlad import channels, stock
from samlad.channels import ChannelChange
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.orders import arrivals, pending_arrivals
from samlad.orders.arrivals import NamedLine
from samlad.orders.pending_arrivals import HeldArrival, PendingArrival, PendingName
from samlad.stock import HoldKind, SoldOut
from trade import Trade

NAME = "302-7781234-55"


def pending(trade: Trade, *lines: tuple[UUID, int], name: str = NAME) -> PendingArrival:
    named = [NamedLine(variant=variant, quantity=quantity) for variant, quantity in lines]
    return PendingArrival(channel=trade.web.id, external_id=name, lines=named)


async def hold(trade: Trade, data: PendingArrival) -> HeldArrival:
    return await trade.db.transaction(lambda tx: pending_arrivals.hold(tx, data))


async def let_go(trade: Trade) -> HeldArrival:
    data = PendingName(channel=trade.web.id, external_id=NAME)
    return await trade.db.transaction(lambda tx: pending_arrivals.let_go(tx, data))


async def arrive(trade: Trade, variant: UUID, quantity: int = 1) -> Any:
    data = an_arrival(trade, {"variant": str(variant), "quantity": quantity, "unit_price": 15_000})
    assert await arrivals.gone_among(trade.db, [arrivals.WantedArrival(data)]) == [None]
    return await trade.db.transaction(lambda tx: arrivals.arrive(tx, data))


async def test_the_last_one_is_kept_for_who_is_paying_and_becomes_their_order(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=1)
    held = await hold(trade, pending(trade, (kettle, 1)))
    assert held.held == 1
    assert held.held_until is not None
    assert timedelta(hours=23) < held.held_until - now() < timedelta(hours=25)
    kinds = await trade.db.rows("SELECT kind, expires_at = $1 AS ends FROM hold", held.held_until)
    assert [tuple(row.values()) for row in kinds] == [(HoldKind.MARKETPLACE, True)]
    with pytest.raises(SoldOut):
        await trade.buy((kettle, 1))
    with pytest.raises(SoldOut):
        await hold(trade, pending(trade, (kettle, 1), name="another"))

    order = await arrive(trade, kettle)
    assert order.status == "paid"
    assert await trade.level(kettle) == (1, 1)
    assert [row["kind"] for row in await trade.db.rows("SELECT kind FROM hold")] == ["order"]
    late = await hold(trade, pending(trade, (kettle, 1)))
    assert (late.held, late.held_until, late.order) == (0, None, order.id), "told in the wrong order"
    assert (await let_go(trade)).order == order.id
    assert await trade.level(kettle) == (1, 1)
    await trade.agree()


async def test_told_again_it_holds_what_is_said_now_once(trade: Trade) -> None:
    kettle, cup = await trade.kettle(quantity=3), await trade.kettle(quantity=5)
    tea = await trade.set_of(30_000, (kettle, 1), (cup, 2))
    await asyncio.gather(*(hold(trade, pending(trade, (kettle, 2))) for _ in range(6)))
    assert await trade.level(kettle) == (3, 2)
    assert (await hold(trade, pending(trade, (tea, 2)))).held == 6, "parts of a set are held"
    assert (await trade.level(kettle), await trade.level(cup)) == ((3, 2), (5, 4))
    with pytest.raises(SoldOut):
        await hold(trade, pending(trade, (tea, 3)))
    assert await trade.level(cup) == (5, 4), "what was held still is"
    for _ in range(2):
        assert (await let_go(trade)).order is None
    assert (await trade.level(kettle), await trade.level(cup)) == ((3, 0), (5, 0))
    await trade.agree()


async def test_its_time_runs_out_and_is_the_channels(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=1)

    async def set_seconds(seconds: int) -> None:
        change = ChannelChange(settings={"marketplace_hold_seconds": seconds})
        await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))

    await set_seconds(600)
    until = (await hold(trade, pending(trade, (kettle, 1)))).held_until
    assert until is not None
    assert until - now() < timedelta(minutes=11)
    await trade.db.rows("UPDATE hold SET expires_at = now() RETURNING 1")
    assert await stock.atp(trade.db, trade.web, [kettle]) == {kettle: 1}
    await stock.sweep(trade.db)
    assert await trade.level(kettle) == (1, 0)
    await trade.buy((kettle, 1))
    data = an_arrival(trade, {"variant": str(kettle), "unit_price": 15_000})
    with pytest.raises(SoldOut):
        await trade.db.transaction(lambda tx: arrivals.arrive(tx, data))
    await set_seconds(0)
    assert (await hold(trade, pending(trade, (kettle, 1)))).held_until is None
    await trade.agree()


async def test_over_http_and_what_is_not_right(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle = await trade.kettle(quantity=2)
    sku = await trade.db.value("SELECT sku FROM variant WHERE id = $1", kettle)
    body = {"channel": str(trade.web.id), "external_id": NAME, "lines": [{"code": sku, "quantity": 2}]}
    answer = await api.post("/api/orders/arrivals/pending", json=body)
    assert (answer.status_code, answer.json()["held"]) == (200, 2), answer.text
    for quantity in (0, -1, 10**9):
        refused = await api.post(
            "/api/orders/arrivals/pending", json=body | {"lines": [{"code": sku, "quantity": quantity}]}
        )
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"].endswith("quantity")
    gone = await api.post("/api/orders/arrivals/pending", json=body | {"external_id": "another"})
    assert (gone.status_code, gone.json()["type"]) == (409, "/problems/sold-out")
    free = await api.post(
        "/api/orders/arrivals/release", json={"channel": str(trade.web.id), "external_id": NAME}
    )
    assert (free.status_code, free.json()["held"]) == (200, 0)
    assert await trade.level(kettle) == (2, 0)
    with pytest.raises(InvalidInput):
        await hold(trade, PendingArrival(channel=trade.web.id, external_id="x", lines=[NamedLine(code="?")]))
    clerk = Context(actor=Actor(kind="staff"))
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: pending_arrivals.hold(tx, pending(trade, (kettle, 1))), clerk)
