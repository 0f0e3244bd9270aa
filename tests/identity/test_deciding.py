"""Merge, take apart, undo: whatever happens between, what is left is what there would be without."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from meeting import Meeting

from horizon import passed
from samlad import customers, identity
from samlad.customers import PersonInput
from samlad.customers.model import CustomerChange
from samlad.identity import deciding, profiles
from samlad.identity import followers as identity_followers
from samlad.identity.followers import FOLLOWERS
from samlad.identity.model import AuthLevel
from samlad.identity.views import Decision, MergeInput, SplitInput
from samlad.kernel import followers
from samlad.kernel.context import BACKGROUND
from samlad.kernel.jobs import JobContext
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from trade import BUYER


async def follow(met: Meeting) -> None:
    await passed(met.db)
    await followers.register(met.db, FOLLOWERS)
    while await followers.step(met.db, FOLLOWERS[0]):
        await passed(met.db)
    assert await met.db.value("SELECT last_error FROM follower WHERE name = 'identity'") is None


async def merge(met: Meeting, *ids: UUID) -> Decision:
    return await met.db.transaction(
        lambda tx: deciding.merge(tx, MergeInput(profiles=list(ids), reason="same"))
    )


async def undo(met: Meeting, decision: Decision) -> Decision:
    return await met.db.transaction(lambda tx: deciding.undo(tx, decision.id, "not the same"))


async def split(met: Meeting, profile: UUID, *identifiers: UUID, takes_along: bool = True) -> Decision:
    given = SplitInput(
        profile=profile, identifiers=list(identifiers), takes_along=takes_along, reason="another"
    )
    return await met.db.transaction(lambda tx: deciding.split(tx, given))


async def customer(met: Meeting, **person: str) -> UUID:
    made = await met.db.transaction(
        lambda tx: customers.find_or_create(tx, met.pool, PersonInput(**person), channel=met.trade.web.id)
    )
    return made.id


async def buy_as_old(met: Meeting, variant: UUID, quantity: int) -> None:
    cart = await met.trade.cart((variant, quantity), **BUYER | {"email": "old@example.org"})
    await met.trade.place(cart.id)


async def test_merge_and_undo(met: Meeting) -> None:
    kim = await customer(met, email="kim@example.org", name="Kim")
    old = await customer(met, email="k.berg@example.org", name="Kim Berg")
    await follow(met)
    before = await met.people()
    made = await merge(met, old, kim)
    assert made.profiles == [kim], "the oldest stands for all"
    assert await customers.resolve(met.db, old) == kim
    assert await customers.members(met.db, old) == [kim, old]
    with pytest.raises(Conflict):
        await merge(met, kim, old)
    await undo(met, made)
    with pytest.raises(Conflict):
        await undo(met, made)
    assert await customers.resolve(met.db, old) == old
    assert await met.people() == before
    assert [told["cause"] for told in await met.told("identity.merged")] == ["decided"]
    assert len(await met.told("profile.split")) == 1


async def test_what_the_rules_joined_can_be_taken_apart_and_put_back(met: Meeting) -> None:
    await met.see("external_id:A", "email:kim@example.org")
    await met.see("email:lo@example.org", "loyalty:L")
    await met.see("email:lo@example.org", "external_id:A")
    kim, lo = await met.profile("external_id:A"), await met.profile("loyalty:L")
    assert kim == lo
    node = await met.db.value("SELECT id FROM identity_node WHERE value = 'lo@example.org'")
    card = await met.db.value("SELECT id FROM identity_node WHERE value = 'L'")
    made = await split(met, kim, node, card)
    assert await met.profile("email:lo@example.org") == await met.profile("loyalty:L") != kim
    await met.see("email:lo@example.org", "external_id:A", auth=AuthLevel.VERIFIED, source="other")
    assert await met.profile("loyalty:L") != kim, "whatever is seen"
    assert await met.people() == await met.from_scratch()
    again = await merge(met, kim, node)
    assert await met.profile("loyalty:L") == await met.profile("external_id:A"), "the later decision holds"
    await undo(met, again)
    await undo(met, made)
    assert await met.profile("loyalty:L") == await met.profile("external_id:A")
    with pytest.raises(InvalidInput):
        await split(met, kim, await met.see("external_id:Z"))


async def test_a_customer_leaves_with_what_is_its_own(met: Meeting) -> None:
    kim = await customer(met, email="kim@example.org", external_id="A")
    lo = await customer(met, email="lo@example.org", external_id="B")
    await follow(met)
    await merge(met, kim, lo)
    device = await met.see("anonymous:x", "external_id:B", auth=AuthLevel.CLAIMED)
    assert (await identity.current(met.db, [device]))[device] == kim
    await split(met, kim, lo)
    assert await met.profile("external_id:B") == await met.profile("anonymous:x") == lo
    assert await met.profile("email:lo@example.org") == lo
    assert await met.profile("external_id:A") == kim


async def test_two_who_decide_at_once(met: Meeting) -> None:
    a, b, c = [await customer(met, email=f"{n}@example.org") for n in "abc"]
    await follow(met)
    await asyncio.gather(merge(met, a, b), merge(met, b, c), merge(met, c, a), return_exceptions=True)
    assert {await customers.resolve(met.db, each) for each in (a, b, c)} == {a}
    made = await split(met, a, c)
    results = await asyncio.gather(*(undo(met, made) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, Decision) for result in results) == 1
    assert await met.people() == await met.from_scratch()


async def test_fields_show_what_was_said_last_and_keep_all(met: Meeting) -> None:
    kim = await customer(met, email="kim@example.org", name="Kim", country="SE")
    old = await customer(met, email="old@example.org", name="Kim Berg")
    await follow(met)
    made = await merge(met, kim, old)
    profile = await profiles.read(met.db, old)
    assert profile.id == kim
    assert profile.customers == [kim, old]
    assert profile.fields["name"].value == "Kim Berg"
    assert profile.fields["country"].value == "SE", "nothing said is not said to be empty"
    change = CustomerChange(name="Kim B")
    await met.db.transaction(lambda tx: customers.change(tx, kim, change))
    await follow(met)
    profile = await profiles.read(met.db, kim)
    assert [value.value for value in profile.fields["name"].values] == ["Kim B", "Kim Berg", "Kim"]
    await undo(met, made)
    assert [v.value for v in (await profiles.read(met.db, old)).fields["name"].values] == ["Kim Berg"]


async def test_spend_is_added_up_when_it_is_read(met: Meeting) -> None:
    kettle = await met.trade.kettle(10_000)
    await met.trade.buy((kettle, 1))
    await buy_as_old(met, kettle, 2)
    await met.trade.follow()
    await follow(met)
    kim, old = [
        row["id"] for row in await met.db.rows("SELECT id FROM customer ORDER BY email = 'old@example.org'")
    ]
    made = await merge(met, kim, old)
    assert [(s.orders, s.spent) for s in await customers.spend_of(met.db, old)] == [(2, 30_000)]
    assert await customers.orders_of(met.db, kim) == 2
    await buy_as_old(met, kettle, 1)
    await met.trade.follow()
    assert [(s.orders, s.spent) for s in await customers.spend_of(met.db, kim)] == [(3, 40_000)]
    await undo(met, made)
    assert [(s.orders, s.spent) for s in await customers.spend_of(met.db, kim)] == [(1, 10_000)]
    assert [(s.orders, s.spent) for s in await customers.spend_of(met.db, old)] == [(2, 30_000)]


async def test_a_number_that_was_changed_is_anothers_to_have(met: Meeting) -> None:
    kim = await customer(met, email="kim@example.org", external_id="A")
    await follow(met)
    await met.db.transaction(lambda tx: customers.change(tx, kim, CustomerChange(external_id="B")))
    await follow(met)
    assert await met.profile("external_id:B") == kim != await met.profile("external_id:A")
    lo = await customer(met, email="lo@example.org", external_id="A")
    await follow(met)
    assert await met.profile("external_id:A") == lo
    await followers.replay(met.db, "identity")
    await follow(met)
    assert (await met.profile("external_id:A"), await met.profile("external_id:B")) == (lo, kim)
    assert await met.people() == await met.from_scratch()


async def test_imported_people_are_seen(met: Meeting) -> None:
    people = [PersonInput(external_id=f"n{n}", country="GB") for n in range(1200)]
    await met.db.transaction(lambda tx: customers.import_people(tx, met.pool, people))
    await follow(met)
    assert await met.db.value("SELECT count(*) FROM identity_node WHERE kind = 'customer'") == 1200
    found = await met.see("external_id:n7", "email:seven@example.org")
    row = await met.db.value("SELECT id FROM customer WHERE external_id = 'n7'")
    assert (await identity.current(met.db, [found]))[found] == row


async def test_a_large_import_goes_on_as_a_job(met: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_followers, "STRIDE", 10)
    people = [PersonInput(external_id=f"n{n}") for n in range(55)]
    await met.db.transaction(lambda tx: customers.import_people(tx, met.pool, people))
    await follow(met)
    nodes = "SELECT count(*) FROM identity_node WHERE kind = 'customer'"
    assert await met.db.value(nodes) == 40
    waiting = await met.db.rows("SELECT task_name, args FROM procrastinate_jobs WHERE status = 'todo'")
    assert [row["task_name"] for row in waiting] == ["identity.catch-up"]
    ctx = JobContext(met.db, met.db.settings, 1, "identity.catch-up", 1, BACKGROUND)
    await identity_followers.catch_up(ctx, UUID(waiting[0]["args"]["pool"]))
    assert await met.db.value(nodes) == 55
    await identity_followers.catch_up(ctx, met.pool)
    assert await met.db.value(nodes) == 55


async def test_released_and_blocked(met: Meeting) -> None:
    for n in "ABCDEF":
        await met.see("email:family@example.org", f"loyalty:{n}")
    node = await met.db.value("SELECT id FROM identity_node WHERE kind = 'email'")
    made = await met.db.transaction(lambda tx: deciding.release(tx, node, "they share it"))
    assert await met.profile("email:family@example.org") == await met.profile("loyalty:A")
    assert len(await met.told("identity.released")) == 1
    await undo(met, made)
    assert await met.profile("email:family@example.org") != await met.profile("loyalty:A")
    assert await met.people() == await met.from_scratch()
    phone = await met.see("phone:+46701234567", "loyalty:A", auth=AuthLevel.VERIFIED)
    node = await met.db.value("SELECT id FROM identity_node WHERE kind = 'phone'")
    blocked = await met.db.transaction(lambda tx: deciding.block(tx, node, "the shop's"))
    assert await met.profile("phone:+46701234567") != await met.profile("loyalty:A")
    await met.see("phone:+46701234567", "loyalty:B", auth=AuthLevel.VERIFIED)
    await undo(met, blocked)
    assert await met.profile("phone:+46701234567") == await met.profile("loyalty:A")
    assert await met.people() == await met.from_scratch()
    assert phone


async def test_over_http(met: Meeting, api: httpx.AsyncClient) -> None:
    kim = await customer(met, email="kim@example.org", name="Kim")
    old = await customer(met, email="old@example.org")
    asked = {"profiles": [str(kim), str(old)], "reason": "Showed both cards"}
    made = await api.post("/api/identity/merges", json=asked, headers={"Idempotency-Key": "m1"})
    assert made.status_code == 201, made.text
    same = await api.post("/api/identity/merges", json=asked, headers={"Idempotency-Key": "m1"})
    assert same.json() == made.json()
    loser = await api.get(f"/api/customers/{old}")
    assert loser.json()["id"] == str(kim)
    assert loser.headers["content-location"] == f"/api/customers/{kim}"
    listed = (await api.get("/api/customers", params={"q": "old@"})).json()["items"]
    assert [row["id"] for row in listed] == [str(kim)], "found by what any of them has, shown once"
    profile = (await api.get(f"/api/identity/profiles/{old}")).json()
    assert profile["customers"] == [str(kim), str(old)]
    assert {i["value"] for i in profile["identifiers"]} >= {"kim@example.org", "old@example.org"}
    assert all(i["evidence"] for i in profile["identifiers"])
    history = (await api.get(f"/api/identity/profiles/{old}/changes")).json()["items"]
    assert [(row["kind"], row["cause"], row["others"]) for row in history] == [
        ("merged", "decided", [str(old)])
    ]
    undone = await api.post(
        f"/api/identity/decisions/{made.json()['id']}/undo", json={"reason": "They are two"}
    )
    assert undone.status_code == 200, undone.text
    assert (await api.get(f"/api/customers/{old}")).json()["id"] == str(old)
    decisions = (await api.get("/api/identity/decisions", params={"format": "csv"})).text
    assert "They are two" in decisions
    for path in ("changes", "conflicts", "quarantine"):
        assert (await api.get(f"/api/identity/{path}")).status_code == 200
        assert (await api.get(f"/api/identity/{path}", params={"format": "csv"})).status_code == 200
    entries = (await api.get("/api/audit", params={"subject_type": "profile"})).json()["items"]
    assert [entry["verb"] for entry in entries] == ["identity.same"]


async def test_nobody_decides_without_permission(met: Meeting, api_as: Any) -> None:
    from samlad.kernel.context import Actor

    clerk = Actor(kind="staff", name="Sam", permissions=frozenset({"customers.read"}))
    async with api_as(clerk) as api:
        answer = await api.post("/api/identity/merges", json={"profiles": [str(met.pool)] * 2, "reason": "x"})
        assert answer.status_code == 403
        assert (await api.get(f"/api/identity/profiles/{met.pool}")).status_code == 403
    with pytest.raises(NotFound):
        await merge(met, met.pool, met.trade.web.id)


async def test_a_conflict_is_looked_at_and_closed(met: Meeting, api: httpx.AsyncClient) -> None:
    for who in "AB":
        await met.see(f"external_id:{who}", "anonymous:x", auth=AuthLevel.CLAIMED)
    [row] = (await api.get("/api/identity/conflicts", params={"status": "open"})).json()["items"]
    assert {row["left_value"], row["right_value"]} == {"x", "B"}
    assert (await api.post(f"/api/identity/conflicts/{row['id']}/dismiss")).status_code == 204
    assert (await api.post(f"/api/identity/conflicts/{row['id']}/dismiss")).status_code == 404
    await met.see("external_id:B", "anonymous:x", auth=AuthLevel.CLAIMED, source="other")
    assert (await api.get("/api/identity/conflicts", params={"status": "open"})).json()["items"] == []
    profile = await met.profile("external_id:B")
    mine = await api.get("/api/identity/conflicts", params={"profile": str(profile), "format": "csv"})
    assert "dismissed" in mine.text


async def test_a_merge_settles_its_conflict(met: Meeting) -> None:
    await met.see("external_id:A", "email:kim@example.org")
    await met.see("external_id:B", "email:kim@example.org")
    assert await met.db.value("SELECT status FROM identity_conflict") == "open"
    made = await merge(met, await met.see("external_id:A"), await met.see("external_id:B"))
    assert await met.db.value("SELECT status FROM identity_conflict") == "settled"
    await undo(met, made)
    assert await met.db.value("SELECT status FROM identity_conflict") == "open"
