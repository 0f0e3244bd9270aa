"""A clerk looks after customers who agreed to it, plans, recommends; nobody else sees or does that."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from samlad import carts, clienteling, consent, customers, identity
from samlad.access.permissions import Role, permissions_of
from samlad.carts import CartInput
from samlad.channels import Resource
from samlad.clienteling import AssignInput, FollowUpInput, RecommendInput, followers
from samlad.consent import Answer, AnswerInput, Level
from samlad.customers import PersonInput
from samlad.identity import MergeInput
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden
from trade import Trade, build

NEWEST = "SELECT id FROM event WHERE type ="


def staff(trade: Trade, role: Role = Role.STORE) -> Context:
    place = frozenset({trade.at_malmo.id}) if role is Role.STORE else None
    return Context(
        actor=Actor(kind="staff", id=new_id(), name="Sam", permissions=permissions_of(role), locations=place)
    )


async def person(trade: Trade, name: str = "kim") -> UUID:
    data = PersonInput(email=f"{name}@example.org", name=name.title())
    pool = trade.web.pools[Resource.CUSTOMERS]
    return (await trade.db.transaction(lambda tx: customers.find_or_create(tx, pool, data))).id


async def answers(tx: Tx, customer: UUID, answer: Answer, level: Level) -> None:
    given = AnswerInput(purpose=clienteling.PURPOSE, answer=answer)
    await consent.record(tx, customer, [given], level=level, source="preferences")


async def test_whoever_agrees_is_somebodys_customer_until_they_say_no(db: Database) -> None:
    trade = await build(db)
    kim, here = await person(trade), trade.at_malmo.id
    sam, robin, boss = staff(trade), staff(trade), staff(trade, Role.MANAGER)

    async def assign(who: Context, *, agreed: bool = False, location: UUID = here) -> None:
        data = AssignInput(location=location, agreed=agreed)
        await db.transaction(lambda tx: clienteling.assign(tx, kim, data), who)

    with pytest.raises(Conflict, match="Ask the customer"):
        await assign(sam)
    with pytest.raises(Forbidden):
        await assign(sam, agreed=True, location=trade.at_lund.id)
    both = await asyncio.gather(*(assign(sam, agreed=True) for _ in range(3)))
    assert both == [None] * 3
    assert await db.value("SELECT count(*) FROM event WHERE type = 'client.assigned'") == 1
    [mine] = await clienteling.mine(db, sam.actor, here)
    assert (mine.customer, mine.name) == (kim, "Kim")
    with pytest.raises(Forbidden, match="Somebody else"):
        await assign(robin)
    await assign(boss)  # takes over
    assert await clienteling.mine(db, sam.actor, here) == []
    assert len(await clienteling.mine(db, boss.actor, here)) == 1
    await db.transaction(lambda tx: clienteling.release(tx, kim, here), sam)  # not theirs: nothing
    assert len(await clienteling.mine(db, boss.actor, here)) == 1
    sightings = await db.value("SELECT count(*) FROM event WHERE type LIKE 'identity.%'")

    await db.transaction(lambda tx: answers(tx, kim, Answer.DENIED, Level.VERIFIED))
    assert await clienteling.mine(db, boss.actor, here) == [], "at once, whatever followers do"
    await trade.follow()
    told = await log.by_id(db, await db.value(f"{NEWEST} 'consent.recorded' ORDER BY seq DESC LIMIT 1"))
    assert told is not None
    for _ in range(2):  # told again
        await db.transaction(lambda tx: followers.follow(tx, told))
    assert await db.value("SELECT count(*) FROM client") == 0
    assert await db.value("SELECT count(*) FROM event WHERE type = 'client.released'") == 1
    with pytest.raises(Conflict, match="only they can change that"):
        await assign(boss, agreed=True)
    assert await db.value("SELECT count(*) FROM event WHERE type LIKE 'identity.%'") == sightings


async def test_who_are_one_person_have_one_clerk_in_a_store(db: Database) -> None:
    trade = await build(db)
    kim, work, here = await person(trade), await person(trade, "work"), trade.at_malmo.id
    sam, robin = staff(trade), staff(trade)

    async def assign(customer: UUID, who: Context) -> None:
        data = AssignInput(location=here, agreed=True)
        await db.transaction(lambda tx: clienteling.assign(tx, customer, data), who)
        due = FollowUpInput(location=here, text="Call", due_on=now().date())
        await db.transaction(lambda tx: clienteling.follow_up(tx, customer, due), who)

    async def lines() -> list[tuple[UUID, bool]]:
        every = [each for who in (sam, robin) for each in await clienteling.mine(db, who.actor, here)]
        return [(each.customer, each.due_on is not None) for each in every]

    await assign(kim, sam)
    await assign(work, robin)
    before = await lines()
    assert before == [(kim, True), (work, True)]
    same = MergeInput(profiles=[kim, work], reason="The same")
    made = await db.transaction(lambda tx: identity.merge(tx, same))
    assert await lines() == [(work, True)]
    assert await clienteling.clerk_of(db, kim, here) == (robin.actor.id, "Sam")
    await db.transaction(lambda tx: identity.undo(tx, made.id, "Not the same"))
    assert await lines() == before


async def test_tasks_and_what_is_recommended(db: Database, api_as: Any) -> None:
    trade = await build(db)
    kim, here, kettle = await person(trade), trade.at_malmo.id, await trade.kettle()
    sam, robin = staff(trade), staff(trade)
    data = FollowUpInput(
        location=here, text="Call about the blue ones", due_on=now().date() + timedelta(days=2)
    )
    task = await db.transaction(lambda tx: clienteling.follow_up(tx, kim, data), sam)
    with pytest.raises(Forbidden, match="somebody else"):
        await db.transaction(lambda tx: clienteling.finish(tx, task.id), robin)
    done = await asyncio.gather(
        *(db.transaction(lambda tx: clienteling.finish(tx, task.id), sam) for _ in range(3))
    )
    assert {each.done_by for each in done} == {sam.actor.label}
    assert await db.value("SELECT count(*) FROM event WHERE type = 'follow_up.done'") == 1
    again = await db.transaction(lambda tx: clienteling.reopen(tx, task.id), sam)
    assert again.done_at is None

    async def recommend(to: str, who: Context = sam) -> UUID:
        wanted = RecommendInput(location=here, channel=trade.web.id, variant=kettle, to=to)  # type: ignore[arg-type]
        return (await db.transaction(lambda tx: clienteling.recommend(tx, kim, wanted), who)).cart

    lists = await asyncio.gather(*(recommend("wish") for _ in range(3)))
    assert len(set(lists)) == 1
    assert [line.quantity for line in (await carts.view(db, sam.actor, lists[0])).lines] == [1]
    kims = Context(actor=Actor(kind="customer", id=kim))
    own = await db.transaction(lambda tx: carts.create(tx, CartInput(channel=trade.web.id)), kims)
    assert await recommend("cart") == own.id, "the cart that they have on their phone"
    assert [line.variant for line in (await carts.view(db, kims.actor, own.id)).lines] == [kettle]
    with pytest.raises(Forbidden):
        await recommend("cart", Context(actor=msgspec.structs.replace(sam.actor, permissions=frozenset())))

    async with api_as(sam.actor) as api, api_as(robin.actor) as other:
        [listed] = (await api.get("/api/follow-ups?is_open=true&customer=" + str(kim))).json()["items"]
        assert (listed["text"], listed["customer_name"]) == ("Call about the blue ones", "Kim")
        assert (await other.get("/api/follow-ups")).json()["items"] == []
        assert "blue ones" in (await api.get("/api/follow-ups?format=csv")).text
        timeline = (await api.get(f"/api/customers/{kim}/timeline?kind=service")).json()["items"]
        assert {each["type"] for each in timeline} >= {"follow_up.made", "client.recommended"}
        where = {"location": str(here), "agreed": True}
        assert (await api.put(f"/api/customers/{kim}/clerk", json=where)).status_code == 204
        assert [each["name"] for each in (await api.get("/api/clients")).json()["items"]] == ["Kim"]
        assert (await api.delete(f"/api/customers/{kim}/clerk/{here}")).status_code == 204
        assert (await api.post(f"/api/follow-ups/{new_id()}/done")).status_code == 404
