"""Take, release, convert, ship: what they do, where units come from, and what they cost."""

from datetime import UTC, datetime, timedelta

import pytest
from stock_shop import Shop, books_are_right

import horizon
from samlad import channels, stock
from samlad.channels import ChannelChange
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.stock import Cause, HoldKind, HoldLine, NotHeld, NotInStock, SoldOut

PAST = datetime(2020, 1, 1, tzinfo=UTC)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=15)


async def test_taking_holds_and_shipping_sells(shop: Shop) -> None:
    kettle, filters = await shop.variants(5, 3)
    cart, order = new_id(), new_id()
    await shop.take((kettle, 2), (filters, 1), owner=cart, expires_at=soon())
    assert await shop.level(kettle) == (5, 2)
    held = await shop.db.transaction(
        lambda tx: stock.convert(tx, cart, to_kind=HoldKind.ORDER, to_owner=order)
    )
    assert {(h.owner, h.kind) for h in held} == {(order, HoldKind.ORDER)}
    moved = await shop.db.transaction(lambda tx: stock.ship(tx, order))
    assert {(m.variant, m.quantity, m.on_hand) for m in moved} == {(kettle, -2, 3), (filters, -1, 2)}
    assert await shop.level(kettle) == (3, 0)
    ledger = await shop.db.rows(
        "SELECT cause, reference, event FROM movement WHERE variant = $1 ORDER BY seq", kettle
    )
    assert [(r["cause"], r["reference"] == order) for r in ledger] == [("receipt", False), ("sale", True)]
    event = await log.by_id(shop.db, ledger[1]["event"])
    assert event is not None
    assert (event.type, event.payload["cause"]) == ("stock.moved", "sale")
    await books_are_right(shop.db)


async def test_all_lines_or_none(shop: Shop) -> None:
    kettle, filters = await shop.variants(5, 3)
    with pytest.raises(SoldOut) as caught:
        await shop.take((kettle, 2), (filters, 4))
    assert [(x.variant, x.wanted, x.available) for x in caught.value.lines] == [(filters, 4, 3)]
    assert caught.value.document()["lines"][0]["available"] == 3
    assert await shop.level(kettle) == (5, 0)


async def test_sold_out_leaves_the_transaction_usable(shop: Shop) -> None:
    kettle, filters = await shop.variants(5, 3)
    owner = new_id()

    async def work(tx: Tx) -> None:
        with pytest.raises(SoldOut):
            await stock.take(
                tx,
                [HoldLine(kettle, 2), HoldLine(filters, 4)],
                channel=shop.web,
                kind=HoldKind.CHECKOUT,
                owner=owner,
            )
        await stock.take(tx, [HoldLine(kettle, 5)], channel=shop.web, kind=HoldKind.CHECKOUT, owner=owner)

    await shop.db.transaction(work)
    assert await shop.level(kettle) == (5, 5)
    await books_are_right(shop.db)


async def test_lines_of_one_variant_add_up(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    with pytest.raises(SoldOut) as caught:
        await shop.take((kettle, 3), (kettle, 3))
    assert caught.value.lines[0].wanted == 6
    await shop.take((kettle, 3), (kettle, 2))
    assert await shop.level(kettle) == (5, 5)


async def test_a_line_at_a_location_and_one_from_anywhere_share_what_is_there(shop: Shop) -> None:
    (kettle,) = await shop.variants(2)
    await shop.receive(kettle, 1, shop.at_malmo)
    held = await shop.take((kettle, 2, shop.warehouse.id), (kettle, 1))
    assert {(h.location, h.quantity) for h in held} == {(shop.warehouse.id, 2), (shop.at_malmo.id, 1)}
    await books_are_right(shop.db)


async def test_routing_own_store_first_then_priority(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    await shop.receive(kettle, 5, shop.at_malmo)
    await shop.receive(kettle, 5, shop.at_lund)
    assert (await shop.take((kettle, 1), channel=shop.lund))[0].location == shop.at_lund.id
    assert (await shop.take((kettle, 1), channel=shop.web))[0].location == shop.warehouse.id


async def test_routing_prefers_one_location_for_all_lines(shop: Shop) -> None:
    kettle, filters = await shop.variants(5, 0)
    await shop.receive(kettle, 5, shop.at_lund)
    await shop.receive(filters, 5, shop.at_lund)
    held = await shop.take((kettle, 1), (filters, 1), channel=shop.malmo)
    assert {h.location for h in held} == {shop.at_lund.id}


async def test_routing_splits_lines_and_then_units_only_when_it_must(shop: Shop) -> None:
    kettle, filters, scale = await shop.variants(3, 0, 0)
    await shop.receive(kettle, 2, shop.at_lund)
    await shop.receive(filters, 1, shop.at_lund)
    await shop.receive(scale, 4, shop.at_malmo)
    held = await shop.take((kettle, 3), (filters, 1))
    assert {(h.variant, h.location) for h in held} == {
        (kettle, shop.warehouse.id),
        (filters, shop.at_lund.id),
    }
    (rest,) = await shop.variants(3)
    await shop.receive(rest, 2, shop.at_malmo)
    held = await shop.take((rest, 4))
    assert [(h.location, h.quantity) for h in sorted(held, key=lambda h: -h.quantity)] == [
        (shop.warehouse.id, 3),
        (shop.at_malmo.id, 1),
    ]
    await books_are_right(shop.db)


async def test_inactive_locations_and_other_pools_promise_nothing(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    await shop.db.transaction(
        lambda tx: stock.change_location(tx, shop.warehouse.id, stock.LocationChange(is_active=False))
    )
    assert await stock.atp(shop.db, shop.web, [kettle]) == {kettle: 0}
    with pytest.raises(SoldOut):
        await shop.take((kettle, 1))
    with pytest.raises(SoldOut):
        await shop.take((kettle, 1, shop.warehouse.id))


async def test_the_buffer_is_kept_back_but_not_from_the_hand_of_a_customer(shop: Shop) -> None:
    (kettle,) = await shop.variants(5, at=shop.at_malmo)
    malmo = await shop.db.transaction(
        lambda tx: channels.change(tx, shop.malmo.id, ChannelChange(settings={"buffer": 2}))
    )
    assert await stock.atp(shop.db, malmo, [kettle]) == {kettle: 3}
    assert await stock.atp(shop.db, malmo, [kettle], carry_out=True) == {kettle: 5}
    with pytest.raises(SoldOut) as caught:
        await shop.take((kettle, 4), channel=malmo)
    assert caught.value.lines[0].available == 3
    await shop.take((kettle, 3), channel=malmo)
    await shop.take((kettle, 2, shop.at_malmo.id), channel=malmo)


async def test_backorders_up_to_the_limit_and_no_shipping_before_they_came(shop: Shop) -> None:
    (kettle,) = await shop.variants(1)
    await shop.backorder(kettle, 2, shop.warehouse)
    order = new_id()
    await shop.take((kettle, 3), owner=order)
    with pytest.raises(SoldOut):
        await shop.take((kettle, 1))
    (promise,) = await stock.promises(shop.db, shop.web, [kettle])
    assert (promise.available, promise.backorder) == (0, 0)
    with pytest.raises(NotInStock):
        await shop.db.transaction(lambda tx: stock.ship(tx, order))
    await shop.receive(kettle, 2, shop.warehouse)
    await shop.db.transaction(lambda tx: stock.ship(tx, order))
    assert await shop.level(kettle) == (0, 0)


async def test_expired_holds_of_backordered_units_are_in_nobodys_way(shop: Shop) -> None:
    """What is promised counts them out as what is taken does; a limit can be lowered past them."""
    [kettle] = await shop.variants(0)
    await shop.backorder(kettle, 1, shop.warehouse)
    await shop.take((kettle, 1), kind=HoldKind.CART, expires_at=PAST)
    [promised] = await stock.promises(shop.db, shop.web, [kettle])
    assert (promised.available, promised.backorder, promised.held) == (0, 1, 0)
    await shop.take((kettle, 1), kind=HoldKind.CART, expires_at=PAST)
    await shop.db.transaction(lambda tx: stock.set_level(tx, shop.warehouse.id, kettle, backorder_limit=0))
    assert await shop.level(kettle) == (0, 0)
    with pytest.raises(SoldOut):
        await shop.take((kettle, 1))


async def test_expired_holds_make_room_for_whoever_wants_them(shop: Shop) -> None:
    (kettle,) = await shop.variants(3)
    gone = new_id()
    await shop.take((kettle, 3), owner=gone, kind=HoldKind.CART, expires_at=PAST)
    assert await stock.atp(shop.db, shop.web, [kettle]) == {kettle: 3}
    await shop.take((kettle, 2), expires_at=soon())
    assert await shop.level(kettle) == (3, 2)
    types = [(e.type, e.payload) for e in await log.of_subject(shop.db, gone)]
    assert [t for t, _ in types] == ["stock.held"]
    await horizon.passed(shop.db)
    events, _ = await log.read(shop.db, log.BEGINNING, types=["stock.released"])
    assert [(e.payload["reason"], e.payload["lines"][0]["owner"]) for e in events] == [("expired", str(gone))]
    await books_are_right(shop.db)


async def test_the_sweeper_releases_what_nobody_wants(shop: Shop) -> None:
    (kettle,) = await shop.variants(30)
    for _ in range(7):
        await shop.take((kettle, 2), expires_at=PAST)
    await shop.take((kettle, 1), expires_at=soon())
    await shop.take((kettle, 1))
    assert await stock.sweep(shop.db) == 7
    assert await shop.level(kettle) == (30, 2)
    assert await stock.sweep(shop.db) == 0
    await books_are_right(shop.db)


async def test_releasing_all_or_some(shop: Shop) -> None:
    kettle, filters = await shop.variants(9, 9)
    owner = new_id()
    await shop.take((kettle, 2), (filters, 1), owner=owner)
    await shop.take((kettle, 3), owner=owner)
    await shop.db.transaction(lambda tx: stock.release(tx, owner, lines=[HoldLine(kettle, 4)]))
    assert await shop.level(kettle) == (9, 1)
    with pytest.raises(NotHeld):
        await shop.db.transaction(lambda tx: stock.release(tx, owner, lines=[HoldLine(kettle, 2)]))
    assert await shop.db.transaction(lambda tx: stock.release(tx, owner, HoldKind.LEASE)) == []
    assert len(await shop.db.transaction(lambda tx: stock.release(tx, owner))) == 2
    assert await shop.db.transaction(lambda tx: stock.release(tx, owner)) == []
    assert (await shop.level(kettle), await shop.level(filters)) == ((9, 0), (9, 0))
    await books_are_right(shop.db)


async def test_shipping_in_parts(shop: Shop) -> None:
    kettle, filters = await shop.variants(9, 9)
    order = new_id()
    await shop.take((kettle, 5), (filters, 1), owner=order, kind=HoldKind.ORDER)
    line = [HoldLine(kettle, 2, shop.warehouse.id)]
    await shop.db.transaction(lambda tx: stock.ship(tx, order, lines=line))
    assert await shop.level(kettle) == (7, 3)
    with pytest.raises(NotHeld):
        await shop.db.transaction(lambda tx: stock.ship(tx, order, lines=[HoldLine(kettle, 4)]))
    await shop.db.transaction(lambda tx: stock.ship(tx, order))
    with pytest.raises(NotHeld):
        await shop.db.transaction(lambda tx: stock.ship(tx, order))
    assert (await shop.level(kettle), await shop.level(filters)) == ((4, 0), (8, 0))
    await books_are_right(shop.db)


async def test_returns_come_back(shop: Shop) -> None:
    (kettle,) = await shop.variants(1)
    await shop.db.transaction(
        lambda tx: stock.restock(tx, [(shop.at_lund.id, kettle, 2)], reference=new_id())
    )
    assert await shop.level(kettle, shop.at_lund) == (2, 0)
    cause = await shop.db.value(
        "SELECT cause FROM movement WHERE location = $1 AND variant = $2", shop.at_lund.id, kettle
    )
    assert cause == Cause.RETURN


async def test_quantities_are_positive(shop: Shop) -> None:
    (kettle,) = await shop.variants(1)
    for quantity in (0, -1):
        with pytest.raises(InvalidInput):
            await shop.take((kettle, quantity))
    assert (
        await shop.db.transaction(
            lambda tx: stock.take(tx, [], channel=shop.web, kind=HoldKind.CART, owner=new_id())
        )
        == []
    )


async def test_statements_of_the_hot_verbs(shop: Shop) -> None:
    kettle, filters = await shop.variants(9, 9)
    cart, order = new_id(), new_id()

    async def work(tx: Tx) -> list[int]:
        counts, before = [], tx.statements
        lines = [HoldLine(kettle, 1), HoldLine(filters, 1)]

        async def took() -> None:
            nonlocal before
            counts.append(tx.statements - before)
            before = tx.statements

        await stock.take(tx, lines, channel=shop.web, kind=HoldKind.CHECKOUT, owner=cart)
        await took()
        await stock.convert(tx, cart, to_kind=HoldKind.ORDER, to_owner=order)
        await took()
        await stock.ship(tx, order)
        await took()
        await stock.take(tx, lines, channel=shop.web, kind=HoldKind.CHECKOUT, owner=cart)
        await took()
        await stock.release(tx, cart)
        await took()
        await stock.atp(tx, shop.web, [kettle, filters])
        await took()
        return counts

    assert await shop.db.transaction(work) == [1, 1, 1, 1, 1, 1]
