"""Whoever is merged with another has everything that they had, by any of their ids; taken apart, each has exactly their own.

Walks the OpenAPI document: a new operation that is asked for a customer is covered from its first day. Kim has a whole life
(`whole_life`); the one who stands for both while they are one has none.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from smallest import path_of
from whole_life import World, live

from described import DOCUMENT
from samlad import customers, identity
from samlad.channels import Resource
from samlad.identity import MergeInput
from samlad.identity.preparing import sighting_of_customer
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database

OLDER = UUID("00000000-0000-7000-8000-00000000a11e")
HOLES, FILTERS = ("customer_id", "any_id"), ("customer", "person", "profile")
Told = Counter[tuple[str, str]]

WHO = {
    "/api/customers/{customer_id}": "id external_id email name phone version created_at updated_at traits.first_seen traits.last_seen "
    "loyalty.customer loyalty.name",
    "/api/customers/{customer_id}/loyalty": "customer name",
    "/api/follow-ups customer": "items.customer_name",
    "/api/identity/profiles/{any_id}": "id",
    "/api/identity/conflicts profile": "items.left_profile items.right_profile",
}
"""What says who they are, which of people who are one is who stands for them; and when somebody merged them."""
TIMELINE = "/api/customers/{customer_id}.timeline"
"""The newest twenty: the merging pushes some out. Its own operation has all."""
HISTORY = {
    "/api/identity/decisions profile",
    "/api/identity/profiles/{any_id}/changes",
    "/api/customers/{customer_id}/timeline",
}
"""That they were merged and taken apart stays there, and was the last that happened to who stood for both."""


def _reads() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every operation that reads of a customer: its name, its path, and the parameters to ask it with (a hole: none)."""
    for path, item in sorted(DOCUMENT["paths"].items()):
        parameters = item.get("get", {}).get("parameters", ())
        names = {(each["in"], each["name"]) for each in parameters}
        most = {"limit": "200"} if ("query", "limit") in names else {}
        if any(("path", hole) in names for hole in HOLES):
            yield path, path, most
        for name in FILTERS:
            if ("query", name) in names:
                yield f"{path} {name}", path, {**most, name: "{customer}"}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every single value, with the names on the way to it; that of a list is its items'."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, f"{name}.{key}")
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, name)
    else:
        yield name.removeprefix("."), str(value)


async def _everything(api: httpx.AsyncClient, world: World, customer: UUID) -> dict[str, Told]:
    """What each operation tells of a customer, as far as it does."""
    found = {}
    ids = dict.fromkeys(HOLES, str(customer)) | {"channel_id": str(world.trade.web.id)}
    for name, path, parameters in _reads():
        asked = httpx.URL(path_of(path, DOCUMENT["paths"][path]["get"], ids))
        query = {key: value.replace("{customer}", str(customer)) for key, value in parameters.items()}
        answer = await api.get(asked.copy_merge_params(query))
        if answer.status_code == 200 and answer.headers["content-type"].startswith("application/json"):
            told = Counter(_leaves(answer.json()))
            found[name] = Counter(
                {leaf: n for leaf, n in told.items() if not f"{name}.{leaf[0]}".startswith(TIMELINE)}
            )
    return found


async def _more(db: Database, api: httpx.AsyncClient, world: World) -> None:
    """What somebody has besides a whole life: a request, somebody whom they might be, a link that was left out."""
    asked = await api.post("/api/privacy/requests", json={"kind": "access", "person": str(world.customer)})
    assert asked.status_code == 201
    two = sorted((world.customer, world.other))
    await db.rows(
        """INSERT INTO duplicate_pair (id, left_customer, right_customer, weight, prior, strong, evidence, levels, model, status)
           VALUES (gen_random_uuid(), $1, $2, 1, -9, 1, '[]', 'x', 0, 'apart') RETURNING 1""",
        *two,
    )
    await db.rows(
        """INSERT INTO identity_conflict (id, pool, left_node, right_node, reason, status)
           VALUES (gen_random_uuid(), $3, $1, $2, 'weak', 'dismissed') RETURNING 1""",
        *two,
        world.trade.web.pools[Resource.CUSTOMERS],
    )


@pytest.mark.slow
async def test_as_one_they_have_everything_and_apart_their_own(
    settings: Any, db: Database, api_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with api_as() as api, api_as(GUEST) as wire:
        world = await live(settings, db, api, wire, monkeypatch)
        await db.rows("DELETE FROM follower WHERE name = 'broken' RETURNING 1")
        await _more(db, api, world)
        await db.rows(
            """INSERT INTO customer (id, pool, email, created_at)
               VALUES ($1, $2, 'older@example.org', '2020-01-01') RETURNING 1""",
            OLDER,
            world.trade.web.pools[Resource.CUSTOMERS],
        )
        older = await customers.get(db, OLDER)
        assert older is not None
        seen = sighting_of_customer(older, older.created_at, str(OLDER))
        await db.transaction(lambda tx: identity.observe(tx, [seen]))
        kims, olders = [await _everything(api, world, one) for one in (world.customer, OLDER)]
        assert {name for name, told in kims.items() if told} >= {
            "/api/orders customer",
            "/api/conversations customer",
            "/api/duplicates customer",
            "/api/identity/conflicts profile",
            "/api/privacy/requests person",
        }
        same = MergeInput(profiles=[OLDER, world.customer], reason="The same")
        made = await db.transaction(lambda tx: identity.merge(tx, same))
        await world.trade.follow()
        missing = {}
        for one in (OLDER, world.customer):
            both = await _everything(api, world, one)
            for name, told in kims.items():
                gone = {
                    leaf
                    for leaf in told - both.get(name, Counter())
                    if leaf[0] not in WHO.get(name, "").split()
                }
                if gone:
                    missing[name, one == OLDER] = sorted(gone)[:9]
        assert missing == {}, missing
        await db.transaction(lambda tx: identity.undo(tx, made.id, "Not the same"))
        await world.trade.follow()
        others = {}
        for one, before in ((world.customer, kims), (OLDER, olders)):
            after = await _everything(api, world, one)
            for name, told in before.items():
                now = after.get(name, Counter())
                lost, new = [
                    {leaf for leaf in some if leaf[0] != "traits.last_seen"}
                    for some in (told - now, now - told)
                ]
                if lost or (new and name not in HISTORY):
                    others[name, one == OLDER] = (sorted(lost)[:9], sorted(new)[:9])
        assert others == {}, others
