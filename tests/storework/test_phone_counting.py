"""Counts that phones send: once, in any order, at once, by two phones, late, and refused."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from phones import Phone, person

from samlad import catalog, orders, stock, storework
from samlad.access.permissions import Role
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.problems import Busy, Conflict, Forbidden
from samlad.stock import LocationChange, counts, counts_store
from samlad.storework import Dismissal, State, store
from trade import Trade


async def _count(trade: Trade, *, hours_ago: int = 0) -> UUID:
    made = await trade.db.transaction(lambda tx: counts.open_count(tx, trade.warehouse.id))
    await trade.db.rows(
        "UPDATE stock_count SET created_at = created_at - $2::int * interval '1 hour' WHERE id = $1 RETURNING 1",
        made.id,
        hours_ago,
    )
    return made.id


async def _sku(trade: Trade, variant: UUID) -> str:
    return (await catalog.by_ids(trade.db, [variant]))[variant].sku


async def _counted(trade: Trade, count: UUID) -> list[tuple[int, int | None]]:
    return [(line.counted, line.expected) for line in (await counts_store.get(trade.db, count)).lines]


async def test_the_same_scan_twice_and_at_once_is_one(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    count, phone = await _count(trade), Phone(trade.db, trade.warehouse)
    scan = phone.entry("count", count=count, code=await _sku(trade, kettle), quantity=2)
    said = [each for sent in await asyncio.gather(*(phone.send(scan) for _ in range(6))) for each in sent]
    assert {each.verdict for each in said} == {"done"}
    assert sum(not each.is_known for each in said) == 1
    assert {(each.told.title, each.told.total) for each in said} == {("Kettle", 2)}
    assert await _counted(trade, count) == [(2, 5)]
    (fact,) = await log.of_subject(trade.db, UUID(scan["id"]))
    assert fact.type == "store_work.done"


async def test_two_phones_add_up_whatever_comes_first(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    count, sku = await _count(trade), await _sku(trade, kettle)
    phones = [Phone(trade.db, trade.warehouse), Phone(trade.db, trade.warehouse)]
    scans = [(phone, phone.entry("count", count=count, code=sku)) for phone in phones for _ in range(5)]
    await asyncio.gather(*(phone.send(scan) for phone, scan in scans), *(p.send(s) for p, s in scans[::-1]))
    assert await _counted(trade, count) == [(10, 5)]
    again = phones[0].entry("count", count=count, code=sku, quantity=4, adds=False)
    await phones[0].send(again)
    assert await _counted(trade, count) == [(4, 5)], "counted again: it replaces what was found before"


async def test_what_was_sold_since_it_was_counted_is_no_difference(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    count, sku = await _count(trade, hours_ago=3), await _sku(trade, kettle)
    cellar, shelf = Phone(trade.db, trade.warehouse), Phone(trade.db, trade.warehouse)
    seen = now()
    found = cellar.entry("count", at=seen, count=count, code=sku, quantity=3)
    await trade.db.transaction(
        lambda tx: stock.correct(tx, trade.warehouse.id, [(kettle, -2)], reason="sold meanwhile")
    )
    later = shelf.entry("count", at=now(), count=count, code=sku, quantity=1)
    await shelf.send(later)
    assert await _counted(trade, count) == [(1, 3)]
    await cellar.send(found)
    assert await _counted(trade, count) == [(4, 3)], "the latest look counts, though it came first"
    other = await _count(trade, hours_ago=3)
    await cellar.send(cellar.entry("count", at=seen, count=other, code=sku, quantity=5))
    assert await _counted(trade, other) == [(5, 5)], "all five were there when somebody looked"
    await trade.db.transaction(lambda tx: counts.close(tx, other))
    assert await trade.db.value("SELECT on_hand FROM level WHERE variant = $1", kettle) == 3, (
        "the two that were sold since stay sold"
    )


async def test_a_wrong_clock_is_no_time_before_the_count_or_after_now(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    sku, phone = await _sku(trade, kettle), Phone(trade.db, trade.warehouse)
    for wrong in (timedelta(days=-4000), timedelta(days=4000)):
        count = await _count(trade)
        (said,) = await phone.send(phone.entry("count", at=now() + wrong, count=count, code=sku))
        assert said.verdict == "done"
        assert await _counted(trade, count) == [(1, 5)]


async def test_what_is_refused_blocks_nothing_and_waits_for_a_manager(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    count, sku = await _count(trade), await _sku(trade, kettle)
    phone, manager = Phone(trade.db, trade.warehouse), person(Role.MANAGER)
    unknown = phone.entry("count", count=count, code="NOBODY-KNOWS")
    sound = phone.entry("count", count=count, code=sku)
    strange = {"id": str(uuid4()), "kind": "dance"}
    elsewhere = phone.entry("count", count=uuid4(), code=sku)
    said = await phone.send(unknown, sound, strange, elsewhere)
    assert [each.verdict for each in said] == ["refused", "done", "refused", "refused"]
    assert said[0].detail == "“NOBODY-KNOWS” is not known here"
    assert await store.waiting(trade.db, None) == 3
    assert await store.waiting(trade.db, [trade.at_lund.id]) == 0
    assert [each.is_known for each in await phone.send(unknown, sound)] == [True, True]
    await trade.db.transaction(lambda tx: counts.cancel(tx, count))
    late = phone.entry("count", count=count, code=sku)
    (closed,) = await phone.send(late)
    assert (closed.verdict, closed.detail) == ("refused", "This count is not open.")

    async def settle(verb: str, entry: dict[str, object]) -> storework.Kept:
        name = UUID(str(entry["id"]))
        acts = {
            "again": lambda tx: storework.try_again(tx, name),
            "dismiss": lambda tx: storework.dismiss(tx, name, Dismissal(reason="counted by hand")),
        }
        return await trade.db.transaction(acts[verb], Context(actor=manager))

    with pytest.raises(Conflict):
        await settle("again", late)
    assert (await store.read(trade.db, UUID(late["id"]))).state is State.REFUSED  # type: ignore[union-attr]
    for _twice in range(2):
        assert (await settle("dismiss", late)).state is State.DISMISSED
    (told,) = await phone.send(late, again=True)
    assert (told.verdict, told.detail) == ("dismissed", "counted by hand")
    with pytest.raises(Conflict):
        await settle("dismiss", sound)
    with pytest.raises(Forbidden):
        await trade.db.transaction(
            lambda tx: storework.try_again(tx, UUID(unknown["id"])), Context(actor=phone.who)
        )


async def test_a_refused_entry_goes_when_it_is_tried_again_and_only_then(trade: Trade) -> None:
    count, phone = await _count(trade), Phone(trade.db, trade.warehouse)
    first, second = (phone.entry("count", count=count, code="4006381333931") for _ in range(2))
    await phone.send(first, second)
    await trade.kettle(quantity=0, gtin="4006381333931")
    assert [each.verdict for each in await phone.send(first, second)] == ["refused"] * 2, "the same answer"
    said = await asyncio.gather(*(phone.send(first, again=True) for _ in range(4)))
    assert {each.verdict for sent in said for each in sent} == {"done"}
    manager = Context(actor=person(Role.MANAGER))
    for _twice in range(2):
        kept = await trade.db.transaction(lambda tx: storework.try_again(tx, UUID(second["id"])), manager)
        assert kept.state is State.DONE
    assert [counted for counted, _ in await _counted(trade, count)] == [2]


async def test_another_entry_of_the_same_id_is_kept_beside_it(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    count, sku, phone = await _count(trade), await _sku(trade, kettle), Phone(trade.db, trade.warehouse)
    scan = phone.entry("count", count=count, code=sku)
    await phone.send(scan)
    for _twice in range(2):
        (said,) = await phone.send({**scan, "quantity": 7})
        assert said.verdict == "refused"
    assert await _counted(trade, count) == [(1, 5)]
    assert await store.waiting(trade.db, None) == 1


async def test_who_sends_somebody_elses_count_approves_as_little_as_they(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    limit = LocationChange(variance_units=1)
    await trade.db.transaction(lambda tx: stock.change_location(tx, trade.warehouse.id, limit))
    count, counter, sender = await _count(trade), person(Role.MANAGER), person(Role.MANAGER)
    phone = Phone(trade.db, trade.warehouse, counter)
    await phone.send(phone.entry("count", count=count, code=await _sku(trade, kettle)), as_=sender)
    await trade.db.transaction(lambda tx: counts.close(tx, count))
    for who in (counter, sender):
        with pytest.raises(Conflict):
            await trade.db.transaction(lambda tx: counts.approve(tx, count), Context(actor=who))
    await trade.db.transaction(lambda tx: counts.approve(tx, count), Context(actor=person(Role.MANAGER)))


async def test_who_may_do_nothing_here_sends_nothing(trade: Trade) -> None:
    phone = Phone(trade.db, trade.warehouse, person(Role.STORE, trade.at_lund))
    with pytest.raises(Forbidden):
        await phone.send(phone.entry("count", count=uuid4(), code="X"))
    assert not await trade.db.value("SELECT count(*) FROM store_work"), "it stays on the phone"


async def test_what_looks_like_a_payment_card_is_not_kept_and_a_gtin_is(trade: Trade) -> None:
    count, phone = await _count(trade), Phone(trade.db, trade.warehouse)
    await phone.send(
        phone.entry("count", count=count, code="4111111111111111"),
        phone.entry("count", count=count, code="04006381333931"),
    )
    kept = await trade.db.rows("SELECT body ->> 'code' AS code, problem FROM store_work ORDER BY sequence")
    assert "4111111111111111" not in str([dict(row) for row in kept])
    assert kept[1]["code"] == "04006381333931"


async def test_a_count_is_begun_and_closed_without_network(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9)
    phone, count, sku = Phone(trade.db, trade.warehouse), uuid4(), await _sku(trade, kettle)
    began = now()
    begin = phone.entry("count-begin", at=began, count=count, note="Cellar")
    scan = phone.entry("count", at=began, count=count, code=sku, quantity=7)
    close = phone.entry("count-close", at=now(), count=count)
    # Somebody bought two after that; it all came in later, once, however often it is sent.
    await trade.buy((kettle, 2))
    first = await phone.send(begin, scan, close)
    assert [each.verdict for each in first] == ["done"] * 3, first
    again = await asyncio.gather(*(phone.send(begin, scan, close) for _ in range(4)))
    assert all(each.is_known and each.verdict == "done" for said in again for each in said)
    made = await counts_store.get(trade.db, count)
    assert (made.status, made.note, made.created_at == began) == ("closed", "Cellar", True)
    assert await _counted(trade, count) == [(7, 9)]  # by the books of when somebody looked
    assert await trade.level(kettle, trade.warehouse) == (7, 2)
    await trade.agree()


async def test_what_does_not_fit_a_count_that_was_begun_on_a_phone(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=9)
    sku = await _sku(trade, kettle)
    one, two, count = Phone(trade.db, trade.warehouse), Phone(trade.db, trade.warehouse), uuid4()
    begin = one.entry("count-begin", count=count, at=now() - timedelta(days=400))
    scan = one.entry("count", count=count, code=sku)
    # Out of order: what was found comes before the count is begun here; it is tried again.
    [early] = await one.send(scan)
    assert early.verdict == "refused"
    [said] = await one.send(begin)
    assert said.verdict == "done"
    assert (await counts_store.get(trade.db, count)).created_at > now() - timedelta(days=15)
    [late] = await one.send(scan, again=True)
    assert late.verdict == "done"
    # Begun a second time, closed at another place, by somebody who may not, and twice.
    shop = Phone(trade.db, trade.at_malmo)
    picks_only = Actor(kind="staff", id=uuid4(), name="Pia", permissions=frozenset({orders.CHANGE}))
    twice, elsewhere = two.entry("count-begin", count=count), shop.entry("count-close", count=count)
    assert [each.verdict for each in await two.send(twice)] == ["refused"]
    assert [each.verdict for each in await shop.send(elsewhere)] == ["refused"]
    for kind in ("count-begin", "count-close"):
        entry = two.entry(kind, count=uuid4() if kind == "count-begin" else count)
        assert [each.verdict for each in await two.send(entry, as_=picks_only)] == ["refused"], kind
    closes = [phone.entry("count-close", count=count) for phone in (one, two)]
    ends = await asyncio.gather(one.send(closes[0]), two.send(closes[1]))
    assert sorted(each.verdict for said in ends for each in said) == ["done", "refused"]
    assert [each.verdict for each in await two.send(two.entry("count", count=count, code=sku))] == ["refused"]


async def test_a_count_is_not_closed_before_what_was_found(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    kettle = await trade.kettle(quantity=9)
    sku, phone, count = await _sku(trade, kettle), Phone(trade.db, trade.warehouse), uuid4()
    begin, scan, close = (
        phone.entry("count-begin", at=now(), count=count),
        phone.entry("count", at=now(), count=count, code=sku, quantity=9),
        phone.entry("count-close", at=now(), count=count),
    )
    other = phone.entry("count-begin", count=uuid4())
    honest, is_busy = counts.enter, True

    async def busy(*args: object, **fields: object) -> object:
        if is_busy:
            raise Busy
        return await honest(*args, **fields)  # type: ignore[arg-type]

    monkeypatch.setattr(counts, "enter", busy)
    said = await phone.send(begin, scan, close, other)
    assert [each.verdict for each in said] == ["done", "later", "later", "done"]
    is_busy = False
    assert [each.verdict for each in await phone.send(scan, close)] == ["done", "done"]
    assert await _counted(trade, count) == [(9, 9)]
