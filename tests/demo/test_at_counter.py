"""The demo's counter: tips are owed to who was on, and printed gift cards wait."""

from samlad import channels, credit
from samlad.access import staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.channels import ChannelChange
from samlad.demo import at_counter
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Database, Tx
from samlad.kernel.listing import ListQuery
from trade import build


async def test_what_a_day_at_the_counter_left(db: Database) -> None:
    trade = await build(db)
    goods = [await trade.kettle(quantity=9, at=trade.at_malmo) for _ in range(2)]

    async def work(tx: Tx) -> int:
        await channels.change(tx, trade.malmo.id, ChannelChange(settings={"tips": True}))
        for email in at_counter.CLERKS:
            await staff.add(tx, StaffInput(email=email, name=email[:3].title(), roles=[Role.STORE]), "active")
        made = await at_counter.trade(tx, trade.malmo.code, goods)
        assert tx.actor == SYSTEM, "the rest of the demo is nobody's in particular"
        return made

    assert await db.transaction(work) == await db.value(
        "SELECT count(*) FROM orders WHERE status = 'fulfilled'"
    )
    await trade.follow()
    await trade.agree()
    rows = await db.rows("SELECT clerk_name, sum(amount)::int AS amount FROM order_tip GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in rows] == [("Oli", 200), ("Sam", 150)]
    waiting = (await credit.UNSOLD.page(db, ListQuery(limit=50))).items
    assert len(waiting) == at_counter.CARDS
    assert all(each.order is None for each in waiting)
