"""The order desk: tags and notes, views of one's own and shared ones, and acts on many orders that never half-do."""

import asyncio
from uuid import UUID

import pytest

from samlad import orders, stock
from samlad.access import staff as people
from samlad.access.permissions import Role, permissions, permissions_of
from samlad.access.staff import StaffInput
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, Outdated
from samlad.orders import bulk, bulk_store, tagging, tagging_store, views
from samlad.orders.bulk import BulkInput
from samlad.orders.lists import LISTING
from samlad.orders.tagging import OrderNoteInput
from samlad.orders.views import ViewChange, ViewInput
from samlad.stock import SoldOut
from trade import Trade


def as_staff(role: Role = Role.MANAGER, *, at: UUID | None = None) -> Context:
    return Context(
        actor=Actor(
            kind="staff",
            id=new_id(),
            name="Sam",
            permissions=permissions_of(role),
            locations=None if at is None else frozenset({at}),
        )
    )


async def test_tags_and_notes_are_written_once_found_again_and_brought_back(trade: Trade) -> None:
    order, sam = await trade.buy((await trade.kettle(), 1)), as_staff()

    async def do(work):
        return await trade.db.transaction(work, sam)

    both = await asyncio.gather(
        *(do(lambda tx: tagging.tag(tx, order.id, [" Gift ", "vip"])) for _ in range(2))
    )
    assert both == [["gift", "vip"]] * 2
    assert await do(lambda tx: tagging.untag(tx, order.id, ["VIP", "never"])) == ["gift"]
    found = await LISTING.page(trade.db, ListQuery(filters={"tag": "Gift"}))
    assert [row.id for row in found.items] == [order.id]
    note = await do(lambda tx: tagging.add_note(tx, order.id, OrderNoteInput(text=" Friday ")))
    assert note.text == "Friday"
    await do(lambda tx: tagging.delete_note(tx, order.id, note.id, version=1))
    assert (await do(lambda tx: tagging.delete_note(tx, order.id, note.id))).version == 2
    assert await tagging_store.notes_of(trade.db, order.id) == []
    with pytest.raises(Outdated):
        await do(lambda tx: tagging.delete_note(tx, order.id, note.id, version=1))
    await do(lambda tx: tagging.restore_note(tx, order.id, note.id))
    assert [one.id for one in await tagging_store.notes_of(trade.db, order.id)] == [note.id]
    types = [
        row["type"]
        for row in await trade.db.rows("SELECT type FROM event WHERE subject = $1 ORDER BY seq", order.id)
    ]
    assert types[-5:] == [
        "order.tagged",
        "order.untagged",
        "order.note_added",
        "order.note_deleted",
        "order.note_restored",
    ]
    with pytest.raises(NotFound):
        await do(lambda tx: tagging.tag(tx, new_id(), ["gift"]))
    with pytest.raises(InvalidInput):
        await do(lambda tx: tagging.tag(tx, order.id, ["  "]))
    with pytest.raises(InvalidInput, match="at most 20"):
        await do(lambda tx: tagging.tag(tx, order.id, [f"t{n}" for n in range(20)]))
    carried = await trade.buy((await trade.kettle(at=trade.at_malmo), 1), channel=trade.malmo)
    with pytest.raises(Forbidden):
        await trade.db.transaction(
            lambda tx: tagging.tag(tx, carried.id, ["x"]), as_staff(Role.STORE, at=trade.at_lund.id)
        )


async def test_views_are_ones_own_until_they_are_shared(trade: Trade) -> None:
    kim, sam, clerk = as_staff(), as_staff(), as_staff(Role.STORE)

    async def do(who, work):
        return await trade.db.transaction(work, who)

    gifts = ViewInput(
        name="Gifts", filters={"tag": "gift", "day": "today"}, sort="-total", columns=["tags", "total"]
    )
    made = await do(kim, lambda tx: views.create(tx, gifts))
    with pytest.raises(Conflict):
        await do(kim, lambda tx: views.create(tx, ViewInput(name="gifts")))
    assert await views.views_of(trade.db, sam.actor) == []
    with pytest.raises(NotFound):
        await do(sam, lambda tx: views.set_default(tx, made.id))
    with pytest.raises(Forbidden):
        await do(clerk, lambda tx: views.create(tx, ViewInput(name="Mine", is_shared=True)))
    shared = await do(kim, lambda tx: views.change(tx, made.id, ViewChange(is_shared=True), version=1))
    with pytest.raises(Outdated):
        await do(kim, lambda tx: views.change(tx, made.id, ViewChange(name="Late"), version=1))
    await do(clerk, lambda tx: views.set_default(tx, made.id))
    assert [(v.name, v.is_default) for v in await views.views_of(trade.db, clerk.actor)] == [("Gifts", True)]
    assert [(v.name, v.is_default) for v in await views.views_of(trade.db, kim.actor)] == [("Gifts", False)]
    with pytest.raises(Forbidden):  # who may not share changes only their own
        await do(clerk, lambda tx: views.delete(tx, made.id))
    await do(sam, lambda tx: views.delete(tx, made.id, version=shared.version))
    assert await views.views_of(trade.db, clerk.actor) == []
    await do(kim, lambda tx: views.create(tx, ViewInput(name="GIFTS")))
    with pytest.raises(Conflict):
        await do(kim, lambda tx: views.restore(tx, made.id))
    for wrong in ({"filters": {"shoe": "1"}}, {"sort": "shoe"}, {"columns": ["shoe"]}, {"name": " "}):
        with pytest.raises(InvalidInput):
            await do(kim, lambda tx, wrong=wrong: views.create(tx, ViewInput(**{"name": "x", **wrong})))


async def test_a_bulk_act_gives_every_order_one_outcome(trade: Trade) -> None:
    kettle = await trade.kettle(10_000, 20)
    placed = [await trade.buy((kettle, 1)) for _ in range(4)]
    await trade.db.rows("UPDATE orders SET version = version WHERE id = $1 RETURNING 1", placed[0].id)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, placed[3].id, orders.FulfilInput()))
    manager, known = as_staff(), new_id()
    data = BulkInput(act="fulfil", filters={"kind": "sale", "channel": trade.web.code})
    twice = await asyncio.gather(
        *(trade.db.transaction(lambda tx: bulk.begin(tx, data, bulk=known), manager) for _ in range(2))
    )
    assert [one.total for one in twice] == [4, 4]
    assert (
        await trade.db.value("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'orders.bulk'") == 1
    )
    await trade.buy((kettle, 1))  # came later: not chosen
    await asyncio.gather(*(bulk.run(trade.db, known) for _ in range(3)))  # three workers at once
    await bulk.run(trade.db, known)
    ended = await bulk.get(trade.db, manager.actor, known)
    assert (ended.state, ended.done, ended.refused) == ("done", 3, 1)
    refused = await bulk_store.rows_of(trade.db, known, "refused")
    assert [(row.number, bool(row.reason)) for row in refused] == [(placed[3].number, True)]
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'orders.bulk_ended'") == 1
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'order.fulfilled'") == 4
    await trade.agree()


async def test_a_bulk_act_that_dies_goes_on_and_one_that_is_stopped_does_not(
    trade: Trade, monkeypatch
) -> None:
    kettle = await trade.kettle(10_000, 20)
    placed = [await trade.buy((kettle, 1)) for _ in range(3)]
    manager = as_staff()
    data = BulkInput(
        act="cancel", orders=[order.id for order in placed] + [placed[0].id, new_id()], reason="Recall"
    )
    begun = await trade.db.transaction(lambda tx: bulk.begin(tx, data), manager)
    assert begun.total == 3
    real, seen = bulk._ACTS["cancel"], []

    async def dies(tx, order, arguments):
        await real(tx, order, arguments)
        seen.append(order)
        if len(seen) == 2:
            raise RuntimeError("the power is gone")  # after the act, before its outcome is noted

    monkeypatch.setitem(bulk._ACTS, "cancel", dies)
    with pytest.raises(RuntimeError):
        await bulk.run(trade.db, begun.id)
    states = {r["id"]: r["status"] for r in await trade.db.rows("SELECT id, status FROM orders")}
    assert [states[order.id] for order in placed] == ["cancelled", "paid", "paid"]  # nothing half
    monkeypatch.setitem(bulk._ACTS, "cancel", real)
    stopped = await trade.db.transaction(lambda tx: bulk.stop(tx, begun.id), manager)
    assert (stopped.state, stopped.done) == ("stopped", 1)
    await bulk.run(trade.db, begun.id)
    assert (await bulk.get(trade.db, manager.actor, begun.id)).done == 1
    again = await trade.db.transaction(lambda tx: bulk.begin(tx, data), manager)
    await bulk.run(trade.db, again.id)
    ended = await bulk.get(trade.db, manager.actor, again.id)
    assert (ended.done, ended.refused) == (2, 1)  # what was cancelled already says so
    for wrong in (
        BulkInput(act="tag", orders=[placed[0].id]),
        BulkInput(act="assign", orders=[placed[0].id]),
        BulkInput(act="fulfil"),
        BulkInput(act="fulfil", filters={"shoe": "1"}),
    ):
        with pytest.raises(InvalidInput):
            await trade.db.transaction(lambda tx, wrong=wrong: bulk.begin(tx, wrong), manager)
    with pytest.raises(Conflict):
        await trade.db.transaction(
            lambda tx: bulk.begin(tx, BulkInput(act="fulfil", orders=[new_id()])), manager
        )
    await trade.agree()


async def test_who_lost_the_right_meanwhile_does_nothing_more(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(), 1))
    owner = Context(
        actor=Actor(kind="staff", id=new_id(), name="Owner", permissions=frozenset(permissions()))
    )
    given = StaffInput(email="sam@example.org", name="Sam", roles=[Role.MANAGER])
    sam = await trade.db.transaction(lambda tx: people.add(tx, given, "active"), owner)
    actor = Actor(kind="staff", id=sam.id, name="Sam", permissions=permissions_of(Role.MANAGER))
    data = BulkInput(act="tag", orders=[order.id], tags=["late"])
    begun = await trade.db.transaction(lambda tx: bulk.begin(tx, data), Context(actor=actor))
    await trade.db.transaction(lambda tx: people.disable(tx, sam.id), owner)
    await bulk.run(trade.db, begun.id)
    assert (await bulk.get(trade.db, owner.actor, begun.id)).refused == 1
    assert await tagging_store.tags_of(trade.db, order.id) == []


async def test_another_location_gives_it_with_its_holds(trade: Trade) -> None:
    kettle = await trade.kettle(10_000, 5)
    await trade.db.transaction(lambda tx: stock.receive(tx, trade.at_malmo.id, [(kettle, 2)]))
    order, big = await trade.buy((kettle, 2)), await trade.buy((kettle, 3))
    manager = as_staff()
    data = BulkInput(act="assign", orders=[order.id, big.id], location=trade.at_malmo.id)
    begun = await trade.db.transaction(lambda tx: bulk.begin(tx, data), manager)
    await bulk.run(trade.db, begun.id)
    ended = await bulk.get(trade.db, manager.actor, begun.id)
    assert (ended.done, ended.refused) == (1, 1)  # the store has two, not five
    assert await trade.level(kettle, trade.at_malmo) == (2, 2)
    assert await trade.level(kettle) == (5, 3)
    found = await LISTING.page(trade.db, ListQuery(filters={"place": trade.at_malmo.code}))
    assert [row.id for row in found.items] == [order.id]
    await trade.agree()
    assert SoldOut.status == 409
