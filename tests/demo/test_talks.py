"""The demo's conversations: every state has one, the shop's answers have a name, and one is about an order of Kim's."""

from samlad import conversations
from samlad.access import staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.demo import talks
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Database, Tx
from samlad.kernel.listing import ListQuery
from trade import build


async def test_what_the_demo_talks_about(db: Database) -> None:
    trade = await build(db)
    order = await trade.buy((await trade.kettle(), 1))
    await trade.follow()
    kim = await db.value("SELECT customer FROM orders WHERE id = $1", order.id)
    assert kim is not None

    async def work(tx: Tx) -> int:
        olivia = StaffInput(email=talks.ANSWERS_BY, name="Olivia Ekström", roles=[Role.OWNER])
        await staff.add(tx, olivia, "active")
        told = await talks.tell(tx, trade.web, kim)
        assert tx.actor == SYSTEM, "the rest of the demo is nobody's in particular"
        return told

    told = await db.transaction(work)
    found = (await conversations.CONVERSATIONS.page(db, ListQuery(limit=50), None)).items
    assert len(found) == told
    assert {each.state for each in found} == {"open", "pending", "closed"}
    assert {each.language for each in found} == {"en", "sv"}
    assert [each.order_number for each in found if each.order] == [order.number]
    ways = set()
    for each in found:
        thread = await conversations.read(db, SYSTEM, each.id)
        ways |= {(said.way, said.medium) for said in thread.messages}
        assert all(said.author_name == "Olivia Ekström" for said in thread.messages if said.way != "in")
    assert ways == {("in", "web"), ("in", "phone"), ("out", "web"), ("note", "web")}
    assert await db.value("SELECT count(*) FROM saved_reply") == len(talks.REPLIES)
