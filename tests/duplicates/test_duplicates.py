"""Whoever is there twice is found as they come, shown to one clerk, decided once, and comes back only for a reason."""

import asyncio
from typing import Any

import pytest
from twice import Twice, clerk

from samlad import customers, duplicates, identity
from samlad.identity import SplitInput
from samlad.kernel.context import BACKGROUND, Actor, Context
from samlad.kernel.problems import Conflict, Forbidden, NotFound


async def test_found_as_they_come_and_forgotten_when_nothing_speaks_for_it(twice: Twice) -> None:
    kim, berg = await twice.kim_twice()
    await twice.person(name="Kim0 Berg", email="another@example.org")
    await twice.follow()
    [pair] = await twice.pairs()
    assert {pair.left, pair.right} == {kim, berg}
    assert {each.comparison: each.level for each in pair.evidence} == {
        "given": "same",
        "family": "same",
        "email": "same-mailbox",
        "phone": "same",
        "address": "unknown",
    }
    assert pair.weight == pytest.approx(pair.prior + sum(each.bits for each in pair.evidence))
    assert (pair.strong, pair.model, pair.status) == (1, 0, "open")
    before = await twice.rows()
    await twice.again()
    assert await twice.rows() == before, "told twice it is kept once"
    await twice.change(berg, phone="+46709999999", email="somebody@else.org")
    assert await twice.pairs() == []
    await twice.change(berg, phone="070 123 00 00", country="SE")
    [pair] = await twice.pairs()
    assert pair.strong == 1, "numbers are compared as identity writes them"


async def test_an_address_counts_from_the_first_order(twice: Twice) -> None:
    kim = await twice.person(name="Kim Berg", email="kim@example.org")
    other = await twice.person(name="Kim Berg", email="kb@mail.se")
    await twice.follow()
    assert await twice.pairs() == []
    await twice.buys(kim)
    await twice.buys(other, "Storagatan 5")
    await twice.follow()
    [pair] = await twice.pairs()
    assert kim in (pair.left, pair.right)
    assert [each.level for each in pair.evidence if each.comparison == "address"] == ["same"]


async def test_two_clerks_never_see_the_same_pair(twice: Twice) -> None:
    for number in range(4):
        await twice.kim_twice(number)
    await twice.follow()
    one, other = clerk(), clerk()
    shown = await asyncio.gather(*(twice.next(who) for who in (one, other) for _ in range(2)))
    ids = [pair.id for pair in shown if pair is not None]
    mine, theirs = set(ids[:2]), set(ids[2:])
    assert (len(mine), len(theirs)) == (1, 1), "asked again it is the same one"
    assert mine.isdisjoint(theirs)
    [held] = theirs
    with pytest.raises(Conflict):
        await twice.db.transaction(lambda tx: duplicates.merge(tx, held), one)
    stranger = Context(actor=Actor(kind="staff", id=one.actor.id, permissions=frozenset({"identity.read"})))
    with pytest.raises(Forbidden):
        await twice.next(stranger)
    with pytest.raises(NotFound):
        await twice.db.transaction(lambda tx: duplicates.merge(tx, one.actor.id or held), one)
    await twice.db.transaction(lambda tx: duplicates.skip(tx, held), other)
    after = await twice.next(other)
    assert after is not None
    assert after.id not in mine | theirs
    assert await twice.db.transaction(lambda tx: duplicates.unskip(tx, held), other) == 1
    again = await twice.next(other, at_least=0.0, channel=twice.trade.web.id)
    assert again is not None
    assert again.id in {held, after.id}
    assert await twice.next(clerk(), strong=3) is None


async def test_decided_once_and_taken_back(twice: Twice) -> None:
    kim, berg = await twice.kim_twice()
    await twice.follow()
    who = clerk()
    pair = await twice.next(who)
    assert pair is not None
    both = await asyncio.gather(
        *(twice.db.transaction(lambda tx: duplicates.merge(tx, pair.id), who) for _ in range(2)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in both) == ["Conflict", "Pair"]
    assert await customers.resolve(twice.db, berg) == kim
    await twice.again()
    assert [each.status for each in await twice.pairs("merged")] == ["merged"]
    assert await twice.next(who) is None
    undone = await twice.db.transaction(lambda tx: duplicates.undo(tx, pair.id), who)
    assert (undone.status, undone.held_by) == ("open", who.actor.label)
    assert await customers.resolve(twice.db, berg) == berg
    with pytest.raises(Conflict):
        await twice.db.transaction(lambda tx: duplicates.undo(tx, pair.id), who)
    await twice.follow()
    kept = await twice.db.transaction(lambda tx: duplicates.keep_apart(tx, pair.id), who)
    assert kept.decision is not None
    decision = await identity.decision(twice.db, kept.decision)
    assert decision is not None
    assert decision.kind == "apart"
    told = await twice.db.rows("SELECT payload FROM event WHERE type = 'duplicates.decided' ORDER BY seq")
    assert [row["payload"]["verdict"] for row in told] == ["merged", "open", "apart"]


async def test_what_was_decided_comes_back_only_for_another_reason(twice: Twice) -> None:
    kim, berg = await twice.kim_twice()
    await twice.follow()
    who = clerk()
    [pair] = await twice.pairs()
    await twice.db.transaction(lambda tx: duplicates.keep_apart(tx, pair.id), who)
    await twice.change(berg, name="Kim0 BERG")
    await twice.again()
    assert await twice.pairs() == [], "written otherwise, the same is found"
    await twice.change(berg, name="Kim0 Bergh")
    [pair] = await twice.pairs()
    assert [each.level for each in pair.evidence if each.comparison == "family"] == ["similar"]
    await twice.db.transaction(lambda tx: duplicates.merge(tx, pair.id), who)
    assert await customers.resolve(twice.db, berg) == kim, "the later decision holds"


async def test_decided_on_another_page(twice: Twice) -> None:
    kim, berg = await twice.kim_twice()
    await twice.follow()
    [pair] = await twice.pairs()
    merged = await twice.db.transaction(lambda tx: duplicates.merge(tx, pair.id))
    assert merged.decision is not None
    await twice.db.transaction(lambda tx: identity.undo(tx, merged.decision, "no"))  # type: ignore[arg-type]
    await twice.follow()
    assert [each.id for each in await twice.pairs()] == [pair.id], "taken back on the customer's page"
    joined = await twice.db.transaction(
        lambda tx: identity.merge(tx, identity.MergeInput(profiles=[kim, berg], reason="same"))
    )
    assert joined.profiles == [kim]
    assert await twice.next(clerk()) is None, "they have become one by themselves"
    given = SplitInput(profile=kim, identifiers=[berg], reason="another")
    await twice.db.transaction(lambda tx: identity.split(tx, given))
    await twice.follow()
    assert await twice.next(clerk()) is None, "and were told apart there"


async def settings(twice: Twice, **fields: Any) -> None:
    given = duplicates.SettingsInput(**fields)
    await twice.db.transaction(
        lambda tx: duplicates.change_settings(tx, twice.trade.web.id, given, None), BACKGROUND
    )


async def test_without_asking_only_where_a_pool_wants_it(twice: Twice) -> None:
    await settings(twice, automatic=True)
    kim, berg = await twice.kim_twice(0)
    two = await twice.kim_twice(1)
    await twice.follow()
    assert len(await twice.pairs()) == 2, "one strong field is not enough"
    for customer, number in zip(two, ("A-1", "A-2"), strict=True):
        await twice.change(customer, external_id=number)
    for customer in (kim, berg, *two):
        await twice.buys(customer)
    await twice.follow()
    [done] = await twice.pairs("merged")
    assert {done.left, done.right} == {kim, berg}
    assert (done.strong, done.is_automatic, done.decided_by) == (2, True, "system")
    assert await customers.resolve(twice.db, berg) == kim
    await twice.db.transaction(lambda tx: duplicates.undo(tx, done.id))
    assert await customers.resolve(twice.db, berg) == berg
