"""People of two pools: joined, they are one; apart again, they are as they were."""

from uuid import UUID

from silo import Silo, contents

from samlad import customers, pools, profile
from samlad.audiences import segments
from samlad.audiences.conditions import Trait, TraitField, TraitOp
from samlad.audiences.model import NewSegment
from samlad.channels import Channel, Resource
from samlad.customers import Customer, PersonInput
from samlad.customers.model import CustomerChange
from samlad.identity import AuthLevel, Identifier, Kind, Sighting, observe
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Tx

PEOPLE = Resource.CUSTOMERS
STORIES = {"identity_change", "identity_conflict", "duplicate_run"}
"""Histories: they tell of a merge and of its end, and that everybody was compared anew."""


async def person(silo: Silo, channel: Channel, **fields: str) -> Customer:
    async def work(tx: Tx) -> Customer:
        data = PersonInput(**fields)
        return await customers.find_or_create(tx, channel.pools[PEOPLE], data, channel=channel.id)

    return await silo.trade.db.transaction(work)


async def who(silo: Silo, customer: Customer) -> object:
    return await customers.resolve(silo.trade.db, customer.id)


async def test_same_people_are_one_profile_and_come_apart_as_they_were(silo: Silo) -> None:
    db, trade, market = silo.trade.db, silo.trade, silo.market
    variant = await silo.kettle(here=9, there=9)
    kim_web = await person(silo, trade.web, email="kim@example.org", name="Kim", phone="+46701234567")
    kim = await person(silo, market, email="Kim@Example.org", external_id="m-7")
    bo = await person(silo, market, email="bo@example.org", external_id="m-8", phone="+46701234567")
    await silo.sell(variant)
    await trade.follow()
    before = await contents(db)

    plan = await pools.plan(db, market, PEOPLE)
    found = {each.code: each.count for each in plan.findings}
    assert (found["customers"], found["customers-email"], plan.is_ready) == (2, 1, True)
    assert found["identity-both"] == 2, "the address of Kim and the phone of both households"
    assert await contents(db) == before

    await silo.join(PEOPLE)
    assert await who(silo, kim) == await who(silo, kim_web), "by the address, for both say that it is theirs"
    assert await who(silo, bo) == bo.id, "a shared phone joins nobody"
    assert await customers.orders_of(db, kim_web.id) == 1
    await trade.agree()

    await silo.leave(PEOPLE)
    assert await who(silo, kim) == kim.id
    assert await who(silo, kim_web) == kim_web.id
    after = await contents(db)
    for table in before.keys() - STORIES:
        assert after[table] == before[table], table
    await trade.agree()


async def test_who_bought_in_the_channel_since_goes_along_as_a_copy(silo: Silo) -> None:
    db, trade, market = silo.trade.db, silo.trade, silo.market
    variant = await silo.kettle(here=9, there=9)
    kim = await person(silo, market, email="kim@example.org")
    await silo.join(PEOPLE)
    mia = await person(silo, trade.web, email="mia@example.org", name="Mia")
    for email in ("kim@example.org", "mia@example.org"):
        await silo.sell(variant, email=email)
    of_web = await trade.buy((variant, 1))  # Kim, who came along, buys from the others
    await trade.follow()
    assert await customers.orders_of(db, mia.id) == 1
    assert await customers.orders_of(db, kim.id) == 2
    await db.transaction(lambda tx: customers.change(tx, kim.id, CustomerChange(name="Kim B")))
    await trade.follow()
    await silo.leave(PEOPLE)
    await trade.follow()
    copy = await db.transaction(
        lambda tx: customers.find(tx, market.pools[PEOPLE], PersonInput(email="mia@example.org"))
    )
    assert copy is not None
    assert (copy.name, copy.id == mia.id) == ("Mia", False)
    assert await customers.orders_of(db, copy.id) == 1
    assert await customers.orders_of(db, mia.id) == 0
    assert await customers.orders_of(db, kim.id) == 1
    stays = await db.value("SELECT customer FROM orders WHERE id = $1", of_web.id)
    assert await db.value("SELECT pool FROM customer WHERE id = $1", stays) == trade.web.pools[PEOPLE]
    assert await db.value("SELECT pool FROM customer WHERE id = $1", kim.id) == market.pools[PEOPLE]
    late = Sighting(
        pool=trade.web.pools[PEOPLE],
        source="app",
        event_id="late",
        observed_at=kim.created_at,
        received_at=kim.created_at,
        auth=AuthLevel.AUTHENTICATED,
        identifiers=[Identifier(Kind.CUSTOMER, str(kim.id)), Identifier(Kind.DEVICE, "phone")],
    )
    (under,) = await db.transaction(lambda tx: observe(tx, [late]))
    assert under not in (None, kim.id), (
        "told late of one who is not here any more: only the device is seen here"
    )
    await trade.agree()


async def test_a_number_that_is_somebody_elses_there_stands_in_the_way(silo: Silo) -> None:
    await person(silo, silo.trade.web, email="kim@example.org", external_id="1001")
    await person(silo, silo.market, email="mia@example.org", external_id="1001")
    plan = await pools.plan(silo.trade.db, silo.market, PEOPLE)
    first = plan.findings[0]
    assert (first.code, first.level, first.count, plan.is_ready) == (
        "customers-contrary",
        "blocking",
        1,
        False,
    )
    assert (first.examples[0].label, first.examples[0].here) == ("1001", "mia@example.org")


async def test_segments_are_of_whoever_is_in_their_pool(silo: Silo) -> None:
    db, trade, market = silo.trade.db, silo.trade, silo.market
    kim = await person(silo, market, email="kim@example.org", country="SE")

    async def segment(channel: Channel) -> UUID:
        data = NewSegment(
            channel=channel.id,
            name="Swedes",
            definition=Trait(field=TraitField.COUNTRY, op=TraitOp.IS, values=["SE"]),
        )
        return (await db.transaction(lambda tx: segments.create(tx, data))).id

    async def members(of: UUID) -> list[UUID]:
        rows = await db.rows("SELECT person FROM segment_member WHERE segment = $1", of)
        return [row["person"] for row in rows]

    shared, own = await segment(trade.web), await segment(market)
    await trade.follow()
    assert (await members(shared), await members(own)) == ([], [kim.id])
    await silo.join(PEOPLE)
    await trade.follow()
    assert (await members(shared), await members(own)) == ([kim.id], [])
    await silo.leave(PEOPLE)
    await trade.follow()
    assert (await members(shared), await members(own)) == ([], [kim.id])


async def test_nobody_lives_with_people_of_another_pool(silo: Silo) -> None:
    """The same address in the other pool says nothing here: those are others' customers, or the same person as a copy."""
    variant = await silo.kettle(here=9, there=9)
    await silo.sell(variant)
    await silo.trade.buy((variant, 1))
    await silo.trade.follow()
    people = await silo.trade.db.rows("SELECT DISTINCT customer AS id FROM profile_address")
    assert len(people) == 2
    for one in people:
        assert (await profile.read(silo.trade.db, SYSTEM, one["id"], ["household"])).household == []
