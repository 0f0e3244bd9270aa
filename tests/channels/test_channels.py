"""Channels, inheritance, pools, settings, and the cache."""

import asyncio
from typing import Any

import httpx
import pytest

from samlad import channels
from samlad.channels import (
    Channel,
    ChannelChange,
    ChannelInput,
    ChannelKind,
    Interval,
    OpeningHours,
    Resource,
    cache,
)
from samlad.kernel import log, snapshots
from samlad.kernel.context import GUEST, Context
from samlad.kernel.database import Database, open_database
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, Outdated
from samlad.kernel.settings import Settings

ROOT: dict[str, Any] = {"country": "SE", "locale": "sv", "currency": "SEK", "time_zone": "Europe/Stockholm"}
HOURS = OpeningHours([[Interval("10:00", "18:00")]] * 7)


async def make(db: Database, code: str, **values: Any) -> Channel:
    values = {"name": code.title(), "kind": ChannelKind.STORE, **values}
    if "parent" not in values:
        values = {**ROOT, **values}
    return await db.transaction(lambda tx: channels.create(tx, ChannelInput(code=code, **values)))


async def change(db: Database, channel: Channel, version: int | None = None, **values: Any) -> Channel:
    return await db.transaction(
        lambda tx: channels.change(tx, channel.id, ChannelChange(**values), version=version)
    )


async def test_a_child_has_what_its_ancestors_set_and_the_nearest_wins(db: Database) -> None:
    await make(db, "sweden", opening_hours=HOURS, settings={"buffer": 3, "number_prefix": "SE-"})
    await make(db, "south", parent="sweden", settings={"buffer": 1}, locale="sv-SE")
    store = await make(db, "malmo", parent="south", settings={"prices_include_tax": False})
    assert (store.country, store.locale, store.currency) == ("SE", "sv-SE", "SEK")
    assert store.opening_hours == HOURS
    assert store.settings == {"buffer": 1, "number_prefix": "SE-", "prices_include_tax": False}
    assert store.own.country is None
    assert store.own.settings == {"prices_include_tax": False}
    assert store.setting("checkout_hold_seconds") == 900
    assert store.setting("checkout_hold_seconds", 60) == 60
    with pytest.raises(KeyError):
        store.setting("no_such")


async def test_a_change_above_is_felt_below_and_null_inherits_again(db: Database) -> None:
    root = await make(db, "root", settings={"buffer": 3})
    child = await make(db, "child", parent="root", currency="EUR", settings={"buffer": 9})
    await change(db, root, locale="nl", time_zone="Europe/Amsterdam")
    assert (await channels.get(db, child.id)).time_zone == "Europe/Amsterdam"
    child = await change(db, child, currency=None, settings={"buffer": None, "number_prefix": "C"})
    assert (child.currency, child.settings) == ("SEK", {"buffer": 3, "number_prefix": "C"})
    assert child.version == 2
    assert (await change(db, child, currency=None)).version == 2, "nothing changed, nothing is written"


async def test_without_a_parent_nothing_is_inherited(db: Database) -> None:
    with pytest.raises(InvalidInput) as caught:
        await make(db, "root", currency=None, locale=None)
    assert {e.field for e in caught.value.errors} == {"locale", "currency"}
    await make(db, "root")
    child = await make(db, "child", parent="root")
    with pytest.raises(InvalidInput):
        await change(db, child, parent=None)
    assert (await change(db, child, parent=None, **ROOT)).parent is None


async def test_cycles_are_refused_also_when_two_make_one_at_once(db: Database) -> None:
    a, b = await make(db, "a"), await make(db, "b")
    outcomes = await asyncio.gather(
        change(db, a, parent="b"), change(db, b, parent="a"), return_exceptions=True
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["Channel", "InvalidInput"]
    with pytest.raises(InvalidInput):
        await change(db, a, parent="a")


async def test_pools_are_its_own_or_those_it_joins(db: Database) -> None:
    web = await make(db, "web", kind=ChannelKind.WEBSHOP)
    store = await make(db, "store", join={Resource.STOCK: "web", Resource.CUSTOMERS: "web"})
    assert set(store.pools) == set(Resource)
    shared = {r for r in Resource if store.pools[r] == web.pools[r]}
    assert shared == {Resource.STOCK, Resource.CUSTOMERS}
    assert len({*store.pools.values(), *web.pools.values()}) == 14


async def test_a_pool_of_another_resource_is_refused_by_the_database(db: Database) -> None:
    web = await make(db, "web")
    with pytest.raises(Exception, match="channel_pool"):
        await db.rows(
            "UPDATE channel_pool SET pool = $2 WHERE channel = $1 AND resource = 'orders' RETURNING 1",
            web.id,
            web.pools[Resource.STOCK],
        )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"currency": "XYZ"}, "currency"),
        ({"country": "QQ"}, "country"),
        ({"locale": "klingon"}, "locale"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"parent": "nobody"}, "parent"),
        ({"join": {Resource.STOCK: "nobody"}}, "join/stock"),
        ({"settings": {"colour": "red"}}, "settings/colour"),
        ({"settings": {"buffer": "many"}}, "settings/buffer"),
        ({"settings": {"buffer": -1}}, "settings/buffer"),
        ({"settings": {"hold_policy": "maybe"}}, "settings/hold_policy"),
    ],
)
async def test_bad_values_are_refused_at_their_field(
    db: Database, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await make(db, "web", **values)
    assert [e.field for e in caught.value.errors] == [field]


async def test_codes_are_unique_and_guests_may_nothing(db: Database) -> None:
    web = await make(db, "web")
    with pytest.raises(Conflict):
        await make(db, "web")
    with pytest.raises(NotFound):
        await channels.by_code(db, "wab")
    with pytest.raises(Forbidden):
        await db.transaction(
            lambda tx: channels.change(tx, web.id, ChannelChange(name="x")), Context(actor=GUEST)
        )


async def test_changes_are_on_the_log_with_before_and_after(db: Database) -> None:
    web = await make(db, "web")
    await change(db, web, name="The shop", settings={"buffer": 2})
    created, changed = await log.of_subject(db, web.id)
    assert (created.type, changed.type) == ("channel.created", "channel.changed")
    assert changed.payload["before"] == {"name": "Web", "settings": {}}
    assert changed.payload["after"] == {"name": "The shop", "settings": {"buffer": 2}}


async def test_changes_are_in_the_audit_log(db: Database) -> None:
    web = await make(db, "web")
    await change(db, web, name="The shop")
    rows = await db.rows("SELECT verb, subject, difference FROM audit_entry ORDER BY id")
    assert [(r["verb"], r["subject"]) for r in rows] == [
        ("channel.created", web.id),
        ("channel.changed", web.id),
    ]
    assert "The shop" in rows[1]["difference"]


async def test_the_cache_sees_own_changes_at_once_and_others_soon(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = await make(db, "web")
    assert (await channels.cached(db, web.id)).name == "Web"
    await change(db, web, name="Shop")
    assert (await channels.cached(db, web.id)).name == "Shop"
    with pytest.raises(NotFound):
        await channels.cached(db, web.pools[Resource.STOCK])

    other = await open_database(settings.database_url or "", settings)  # stands for another process
    try:
        await other.rows("UPDATE channel SET name = 'Elsewhere', version = version + 1 RETURNING 1")
    finally:
        await other.close()
    assert (await channels.cached(db, web.id)).name == "Shop", "within the age that is allowed"
    monkeypatch.setattr(snapshots, "MAX_AGE_SECONDS", 0)
    assert (await channels.cached(db, web.id)).name == "Elsewhere"
    assert [c.code for c in await channels.cached_all(db)] == ["web"]
    # Of two who make it so at once the second changes nothing, and may be answered before the first has told this process.
    monkeypatch.setattr(snapshots, "MAX_AGE_SECONDS", 60.0)
    await db.rows("UPDATE channel SET name = 'Meanwhile', version = version + 1 RETURNING 1")
    await change(db, web, name="Meanwhile")
    assert (await channels.cached(db, web.id)).name == "Meanwhile"


async def test_one_looks_for_a_crowd_that_comes_to_a_process_that_has_just_begun(
    db: Database, settings: Settings, wire: list[str]
) -> None:
    web = await make(db, "web")
    process = await open_database(settings.database_url or "", settings)
    try:
        wire.clear()
        found = await asyncio.gather(*(channels.cached(process, web.id) for _ in range(40)))
        assert {channel.name for channel in found} == {"Web"}
        assert len([sql for sql in wire if "FROM channel" in sql]) <= 2, "their number, and all of them"
        cache.forget()
        before = asyncio.create_task(channels.cached_all(process))
        await asyncio.sleep(0)  # a look is under way
        await change(db, web, name="Shop")
        assert (await channels.cached(process, web.id)).name == "Shop", "who asks after a change sees it"
        await before
    finally:
        await process.close()


async def test_a_channel_that_another_process_has_just_opened_is_known(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "forget", lambda: None)  # is heard in one process only
    web = await make(db, "web")
    other = await open_database(settings.database_url or "", settings)  # stands for another process
    try:
        await channels.cached(other, web.id)
        till = await make(db, "till")
        assert (await channels.cached(other, till.id)).name == "Till"
        desk = await make(db, "desk")
        by_code = await channels.cached_by_code(other, "desk")
        assert by_code is not None
        assert by_code.id == desk.id, "a till that is opened at its address, too"
        assert await channels.cached_by_code(other, "nowhere") is None
        with pytest.raises(NotFound):
            await channels.cached(other, web.pools[Resource.STOCK])
    finally:
        await other.close()


async def test_over_http(api: httpx.AsyncClient) -> None:
    body = {"code": "web", "name": "Web", "kind": "webshop", **ROOT}
    made = await api.post("/api/channels", json=body)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    url = f"/api/channels/{made.json()['id']}"
    child = {"code": "st", "name": "Store", "kind": "store", "parent": "web", "join": {"stock": "web"}}
    assert (await api.post("/api/channels", json=child)).status_code == 201
    first = await api.patch(url, json={"settings": {"buffer": 2}}, headers={"If-Match": '"1"'})
    assert (first.status_code, first.json()["settings"]) == (200, {"buffer": 2})
    late = await api.patch(url, json={"name": "Late"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    assert (await api.get(url)).json()["name"] == "Web"
    listed = (await api.get("/api/channels", params={"kind": "store"})).json()["items"]
    assert [(c["code"], c["settings"]) for c in listed] == [("st", {"buffer": 2})]
    text = (await api.get("/api/channels", params={"format": "csv"})).text.splitlines()
    assert len(text) == 3
    pools = (await api.get("/api/pools", params={"resource": "stock"})).json()["items"]
    assert [(p["channels"], p["is_joined"]) for p in pools] == [(["st", "web"], True)]
    names = [s["name"] for s in (await api.get("/api/channel-settings")).json()]
    assert "buffer" in names


async def test_a_stale_version_in_the_verb(db: Database) -> None:
    web = await make(db, "web")
    await change(db, web, version=1, name="Two")
    with pytest.raises(Outdated):
        await change(db, web, version=1, name="Three")
