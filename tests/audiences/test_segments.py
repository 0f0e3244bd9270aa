"""Segments against the database: who is in, why, and until when."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from silo import build_silo

from audience import Audience, condition
from samlad import channels, customers, privacy
from samlad.app import FOLLOWERS
from samlad.audiences import live, segments
from samlad.audiences.model import NewSegment, SegmentChange
from samlad.catalog import categories
from samlad.catalog.categories import CategoryInput
from samlad.channels import ChannelChange, Resource
from samlad.customers import TagsInput
from samlad.kernel import followers
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.privacy import running

REGULARS = {"kind": "orders", "at_least": 2, "within": {"days": 30}}


async def test_who_buys_comes_in_and_falls_out_at_midnight(audience: Audience) -> None:
    kim, sam = await audience.person(), await audience.person()
    regulars = (await audience.segment("Regulars", REGULARS)).id
    rest = (
        await audience.segment("Rest", {"kind": "not", "of": {"kind": "segment", "segment": str(regulars)}})
    ).id
    await audience.buys(kim, days_ago=10)
    await audience.buys(sam)
    await audience.follow()
    assert await audience.members(regulars) == set()
    assert await audience.members(rest) == {kim, sam}
    order = await audience.buys(kim)
    await audience.follow()
    assert await audience.members(regulars) == {kim}
    assert await audience.members(rest) == {sam}
    why = await segments.explain(audience.db, regulars, kim)
    assert why.is_member
    assert (why.why.kind, why.why.found) == ("orders", "2")
    assert why.next_change_at is not None
    assert why.next_change_at.astimezone(ZoneInfo("Europe/Stockholm")).hour == 0
    audience.ahead = why.next_change_at - audience.now() - timedelta(seconds=60)
    await audience.turn()
    assert await audience.members(regulars) == {kim}
    audience.ahead += timedelta(seconds=120)
    await audience.turn()
    assert await audience.members(regulars) == set()
    assert await audience.members(rest) == {kim, sam}
    await audience.turn()
    await audience.cancels(order)
    await audience.follow()
    await audience.sound()
    causes = await audience.db.rows(
        "SELECT entered, cause FROM segment_change WHERE segment = $1 ORDER BY at, id", regulars
    )
    assert [(row["entered"], row["cause"]) for row in causes] == [(True, "data"), (False, "clock")]


async def test_a_segment_has_the_days_of_its_channel_also_when_that_has_others(audience: Audience) -> None:
    """In Honolulu it is yesterday still. A store has the time zone of the shop above it; one that left keeps its days."""
    db, trade = audience.db, audience.trade
    tomorrow = datetime.combine(datetime.now(UTC).date() + timedelta(days=1), time(12), UTC)
    audience.ahead = tomorrow - datetime.now(UTC)
    kim = await audience.person()
    recent = {"kind": "orders", "at_least": 1, "within": {"days": 1}}
    of_web = (await audience.segment("Of the shop", recent)).id
    data = NewSegment(channel=trade.malmo.id, name="Of the store", definition=condition(recent))
    of_store = (await db.transaction(lambda tx: segments.create(tx, data))).id
    silo = await build_silo(trade)
    data = NewSegment(channel=silo.market.id, name="Of the market", definition=condition(recent))
    of_market = (await db.transaction(lambda tx: segments.create(tx, data))).id
    await audience.buys(
        kim, days_ago=37 / 24
    )  # at 23:00 UTC: in Stockholm it is the next day, in Honolulu the same
    await audience.follow()
    assert (await audience.members(of_web), await audience.members(of_store)) == ({kim}, {kim})

    honolulu = ChannelChange(time_zone="Pacific/Honolulu")
    await db.transaction(lambda tx: channels.change(tx, trade.web.id, honolulu))
    await audience.follow()
    for each in (of_web, of_store):
        assert (await segments.get(db, each)).time_zone == "Pacific/Honolulu"
        assert await audience.members(each) == set()
        why = await segments.explain(db, each, kim)
        assert not why.is_member
    assert (await segments.get(db, of_market)).time_zone == "Europe/Stockholm"
    told = "SELECT payload FROM event WHERE subject = $1 AND type = 'segment.changed'"
    assert [row["payload"]["fields"] for row in await db.rows(told, of_web)] == [["time_zone"]]
    await audience.sound()

    # Another change of the channel leaves it alone, and the way back is the same.
    version = (await segments.get(db, of_web)).version
    await db.transaction(lambda tx: channels.change(tx, trade.web.id, ChannelChange(name="Shop")))
    await audience.follow()
    assert (await segments.get(db, of_web)).version == version
    stockholm = ChannelChange(time_zone="Europe/Stockholm")
    await db.transaction(lambda tx: channels.change(tx, trade.web.id, stockholm))
    await audience.follow()
    assert (await audience.members(of_web), await audience.members(of_store)) == ({kim}, {kim})

    # While its channel is in another pool a segment keeps its days, and has the channel's when that is back.
    await silo.join(Resource.CUSTOMERS)
    await db.transaction(lambda tx: channels.change(tx, silo.market.id, honolulu))
    await audience.follow()
    assert (await segments.get(db, of_market)).time_zone == "Europe/Stockholm"
    await silo.leave(Resource.CUSTOMERS)
    await audience.follow()
    assert (await segments.get(db, of_market)).time_zone == "Pacific/Honolulu"
    # So has one that was deleted meanwhile.
    await db.transaction(lambda tx: segments.delete(tx, of_store))
    await db.transaction(lambda tx: channels.change(tx, trade.web.id, honolulu))
    await audience.follow()
    await db.transaction(lambda tx: segments.restore(tx, of_store))
    await audience.follow()
    assert (await segments.get(db, of_store)).time_zone == "Pacific/Honolulu"
    assert await audience.members(of_store) == set()
    await audience.sound()


async def test_tags_bring_in_and_who_is_erased_is_known_by_nothing(
    audience: Audience, settings: Settings
) -> None:
    kim = await audience.person()
    generous = (await audience.segment("Generous", {"kind": "tagged", "tags": ["VIP", "press"]})).id
    reachable = (
        await audience.segment("Reachable", {"kind": "trait", "field": "email", "op": "is_known"})
    ).id
    await audience.db.transaction(lambda tx: customers.tag(tx, kim, TagsInput(tags=["vip"])))
    await audience.follow()
    assert (await audience.members(generous), await audience.members(reachable)) == ({kim}, {kim})
    assert (await segments.explain(audience.db, generous, kim)).why.found == "vip"
    await audience.db.transaction(lambda tx: customers.untag(tx, kim, "vip"))
    await audience.follow()
    assert await audience.members(generous) == set()
    data = privacy.RequestInput(kind=privacy.RequestKind.ERASURE, person=kim, after_minutes=0)
    request = await audience.db.transaction(lambda tx: privacy.ask(tx, data))
    await running.erase(audience.db, Vault.of(settings), request.id)
    await audience.follow()
    assert await audience.members(reachable) == set()
    await audience.sound()


async def test_the_same_events_again_change_nothing(audience: Audience) -> None:
    kim = await audience.person()
    once = (await audience.segment("Bought", {"kind": "orders", "at_least": 1})).id
    await audience.buys(kim)
    await audience.follow()
    before = await audience.db.value("SELECT count(*) FROM event WHERE subject = $1", once)
    for name in ("audiences", "audiences.build"):
        await followers.replay(audience.db, name)
    await audience.follow()
    assert await audience.members(once) == {kim}
    assert await audience.db.value("SELECT count(*) FROM event WHERE subject = $1", once) == before
    assert {each.name for each in FOLLOWERS} >= {"audiences", "audiences.build"}
    await audience.sound()


async def test_merged_and_taken_apart_again_it_is_as_if_nothing_had_been(audience: Audience) -> None:
    kim, sam = await audience.person(), await audience.person()
    twice = (await audience.segment("Twice", {"kind": "orders", "at_least": 2})).id
    once = (await audience.segment("Once", {"kind": "orders", "at_least": 1, "at_most": 1})).id
    listed = (await audience.segment("Listed", None)).id
    await audience.buys(kim)
    await audience.buys(sam)
    from samlad.audiences import lists

    await audience.db.transaction(lambda tx: lists.pick(tx, listed, [sam]))
    await audience.follow()
    assert await audience.members(once) == {kim, sam}
    made = await audience.merge(kim, sam)
    await audience.follow()
    (person,) = await audience.members(twice)
    assert await audience.members(once) == set()
    assert await audience.members(listed) == {person}
    await audience.sound()
    await audience.undo(made.id)
    await audience.follow()
    assert await audience.members(once) == {kim, sam}
    assert await audience.members(twice) == set()
    assert await audience.members(listed) == {sam}
    await audience.sound()


async def test_a_segment_that_others_name(audience: Audience) -> None:
    first = await audience.segment("First", {"kind": "orders", "at_least": 1})
    second = await audience.segment("Second", {"kind": "segment", "segment": str(first.id)})
    kim = await audience.person()
    await audience.buys(kim)
    await audience.follow()
    assert await audience.members(second.id) == {kim}
    with pytest.raises(InvalidInput, match="circle"):
        await audience.edit(first.id, {"kind": "segment", "segment": str(second.id)})
    with pytest.raises(Conflict, match="Second"):
        await audience.db.transaction(lambda tx: segments.delete(tx, first.id))
    await audience.edit(first.id, {"kind": "orders", "at_least": 2})
    await audience.follow()
    assert await audience.members(second.id) == set()
    await audience.db.transaction(lambda tx: segments.delete(tx, second.id))
    await audience.buys(kim)
    await audience.follow()
    assert await audience.members(first.id) == {kim}
    assert await audience.members(second.id) == set()
    await audience.db.transaction(lambda tx: segments.restore(tx, second.id))
    await audience.follow()
    assert await audience.members(second.id) == {kim}
    change = SegmentChange(name="first")
    with pytest.raises(Conflict, match="name"):
        await audience.db.transaction(lambda tx: segments.change(tx, second.id, change))
    await audience.sound()
    assert condition({"kind": "all", "of": []})


async def test_goods_are_of_the_category_that_they_have_now(audience: Audience) -> None:
    """Whoever bought them did nothing: the next night finds it out, for them and for who comes in by a segment that names this."""
    kim = await audience.person()
    await audience.buys(kim)
    pool = audience.trade.web.pools[Resource.CATALOGUE]
    kitchen = await audience.db.transaction(
        lambda tx: categories.create(tx, pool, CategoryInput(name="Kitchen"))
    )
    goods = {"categories": [str(kitchen.id)]}
    bought = await audience.segment("Kitchen", {"kind": "orders", "at_least": 1, "goods": goods})
    rest = await audience.segment(
        "Rest", {"kind": "not", "of": {"kind": "segment", "segment": str(bought.id)}}
    )
    other = await audience.segment("Ordered", {"kind": "orders", "at_least": 1})
    await audience.follow()
    assert [await audience.members(each.id) for each in (bought, rest, other)] == [set(), {kim}, {kim}]
    await audience.db.rows("UPDATE product SET category = $1 RETURNING 1", kitchen.id)
    assert await live.catch_up_goods(audience.db) == 2
    assert [await audience.members(each.id) for each in (bought, rest, other)] == [{kim}, set(), {kim}]
    await audience.sound()


async def test_promotions_that_were_used_and_sums_of_events(audience: Audience) -> None:
    """What a cancelled order had does not count; a property that is no number adds nothing."""
    kim, sam = await audience.person(), await audience.person()
    promotion, other = uuid4(), uuid4()
    for each in (promotion, other):
        await audience.db.rows(
            """INSERT INTO promotion (id, pool, name, status, is_automatic, first_order, terms, priority, combination, weekdays)
               VALUES ($1, $2, 'Autumn', 'ended', true, false, '{}', 1, 'all', '{}') RETURNING 1""",
            each,
            audience.trade.web.pools[Resource.PROMOTIONS],
        )
    for person, days_ago in ((kim, 1), (kim, 40), (sam, 1)):
        order = await audience.buys(person, days_ago=days_ago)
        await audience.db.rows(
            "INSERT INTO promotion_use (order_id, promotion, amount) VALUES ($1, $2, 5) RETURNING 1",
            order,
            promotion,
        )
    gone = await audience.buys(sam)
    await audience.db.rows(
        "INSERT INTO promotion_use (order_id, promotion, amount, released_at) VALUES ($1, $2, 5, now()) RETURNING 1",
        gone,
        other,
    )
    twice = await audience.segment(
        "Twice", {"kind": "promotion", "promotions": [str(promotion)], "at_least": 2}
    )
    lately = {"kind": "promotion", "at_least": 1, "within": {"days": 30}}
    month, never = (
        await audience.segment("Month", lately),
        await audience.segment(
            "Never the other", {"kind": "promotion", "promotions": [str(other)], "at_most": 0}
        ),
    )
    spent = await audience.segment(
        "Spent", {"kind": "event", "name": "Bill Paid", "sum_of": "revenue", "at_least": 30}
    )
    source, batch = uuid4(), uuid4()
    await audience.db.rows(
        """INSERT INTO tracking_source (id, channel, name, kind, device_class, per_second)
           VALUES ($1, $2, 'test', 'server', 'personal', 10) RETURNING 1""",
        source,
        audience.trade.web.id,
    )
    await audience.follow()
    for person, revenues in ((kim, (10, 20.5, "1000")), (sam, (29.5, True))):
        node = await audience.db.value("SELECT id FROM identity_node WHERE profile = $1 LIMIT 1", person)
        for revenue in revenues:
            event = uuid4()
            await audience.db.rows(
                """INSERT INTO tracked_event (id, received_at, batch, source, message_id, type, name, occurred_at, payload)
                   VALUES ($1, now(), $2, $3, $4, 'track', 'Bill Paid', now(), $5) RETURNING 1""",
                event,
                batch,
                source,
                str(event),
                {"properties": {"revenue": revenue}},
            )
            await audience.db.rows(
                """INSERT INTO tracked_profile (event, received_at, occurred_at, identity)
                   SELECT id, received_at, occurred_at, $2 FROM tracked_event WHERE id = $1 RETURNING 1""",
                event,
                node,
            )
    await audience.edit(spent.id, {"kind": "all", "of": [msgspec.to_builtins(spent.definition)]})
    await audience.follow()
    assert await audience.members(twice.id) == {kim}
    assert await audience.members(month.id) == {kim, sam}
    assert await audience.members(never.id) == {kim, sam}
    assert await audience.members(spent.id) == {kim}
    await audience.sound()
