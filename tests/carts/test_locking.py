"""A cart comes locked with its lines as they are then, also to whoever had to wait for the lock."""

import asyncio

import pytest

from samlad import carts
from samlad.carts import LineInput, closing_store, store
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from trade import Trade

ANY = store.Access(any=True)


@pytest.mark.parametrize("closes", [False, True])
async def test_who_waited_for_the_lock_sees_what_was_done_meanwhile(trade: Trade, closes: bool) -> None:
    kettle, cup = await trade.kettle(), await trade.kettle(title="Cup")
    cart = (await trade.cart((kettle, 1))).id
    is_locked, may_end = asyncio.Event(), asyncio.Event()

    async def first(tx: Tx) -> None:
        await carts.add_line(tx, cart, LineInput(variant=cup, quantity=2))
        is_locked.set()
        await may_end.wait()

    async def second(tx: Tx) -> dict[object, int]:
        found = await (
            closing_store.close(tx, cart, ANY, new_id()) if closes else store.lock(tx, cart, ANY, looks=True)
        )
        assert found is not None
        return {line.variant: line.quantity for line in found.lines}

    changing = asyncio.create_task(trade.db.transaction(first))
    await is_locked.wait()
    waiting = asyncio.create_task(trade.db.transaction(second))
    asking = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while not await trade.db.value(asking):
        await asyncio.sleep(0.005)
    may_end.set()
    await changing
    assert await waiting == {kettle: 1, cup: 2}


async def test_a_look_tells_what_is_gone_only_where_nothing_is_held(trade: Trade) -> None:
    there, gone = await trade.kettle(), await trade.kettle(quantity=0)
    cart = (await trade.cart((there, 1), (gone, 1))).id
    seen = await trade.db.transaction(lambda tx: store.lock(tx, cart, ANY, looks=True))
    assert seen is not None
    assert {line.variant: line.is_gone for line in seen.lines} == {there: False, gone: True}  # type: ignore[attr-defined]
    plain = await trade.db.transaction(lambda tx: store.lock(tx, cart, ANY))
    assert plain is not None
    assert not any(line.is_gone for line in plain.lines)  # type: ignore[attr-defined]
    await trade.db.rows(
        "UPDATE cart SET held_until = now() + interval '1 hour' WHERE id = $1 RETURNING 1", cart
    )
    held = await trade.db.transaction(lambda tx: store.lock(tx, cart, ANY, looks=True))
    assert held is not None
    assert not any(line.is_gone for line in held.lines)  # type: ignore[attr-defined]
