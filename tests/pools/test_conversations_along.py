"""Conversations go along when a channel joins, and come back with what was said since."""

from silo import Silo, contents

from samlad import conversations, pools
from samlad.channels import Channel, Resource
from samlad.conversations import BeginInput, Conversation, MessageInput
from samlad.kernel.context import GUEST, Context


async def begin(silo: Silo, channel: Channel, subject: str) -> Conversation:
    data = BeginInput(
        channel=channel.id, subject=subject, body="Hello?", email=f"{subject}@example.org".lower()
    )
    who = Context(actor=GUEST, remote="192.0.2.9")
    return await silo.trade.db.transaction(lambda tx: conversations.begin(tx, data), who)


async def test_conversations_join_and_leave(silo: Silo) -> None:
    db, web = silo.trade.db, silo.trade.web
    ours, theirs = await begin(silo, silo.market, "Ours"), await begin(silo, web, "Theirs")
    before = await contents(db)
    plan = await pools.plan(db, silo.market, Resource.CONVERSATIONS)
    found = {each.code: (each.count, [one.label for one in each.examples]) for each in plan.findings}
    assert found == {"conversations": (1, ["Ours"]), "conversations-open": (1, ["Ours"])}
    assert await contents(db) == before, "a plan writes nothing"
    await silo.join(Resource.CONVERSATIONS)
    since = await begin(silo, silo.market, "Since")
    await db.transaction(lambda tx: conversations.write(tx, ours.id, MessageInput(body="Yes?")))
    await silo.leave(Resource.CONVERSATIONS)

    async def pool_of(one: Conversation) -> object:
        return await db.value("SELECT pool FROM conversation WHERE id = $1", one.id)

    home, shared = silo.market.pools[Resource.CONVERSATIONS], web.pools[Resource.CONVERSATIONS]
    assert [await pool_of(each) for each in (ours, since, theirs)] == [home, home, shared]
    assert len((await conversations.by_link(db, ours.id)).messages) == 2


async def test_join_then_leave_is_nothing(silo: Silo) -> None:
    db = silo.trade.db
    await begin(silo, silo.market, "Ours")
    await begin(silo, silo.trade.web, "Theirs")
    before = (await contents(db))["conversation"]
    await silo.join(Resource.CONVERSATIONS)
    await silo.leave(Resource.CONVERSATIONS)
    assert (await contents(db))["conversation"] == before
