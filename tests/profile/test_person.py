"""A person in one call: over all customers that they are, as far as the role may see, in few statements."""

from typing import Any
from uuid import UUID

import httpx
import msgspec

from samlad import conversations, customers, identity, orders, profile
from samlad.access.permissions import Role, permissions, permissions_of
from samlad.channels import Resource
from samlad.conversations import BeginInput
from samlad.customers import NoteInput, PersonInput, TagsInput
from samlad.documents.issuing import issue
from samlad.documents.model import IssueInput
from samlad.identity import MergeInput
from samlad.identity.model import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Actor
from samlad.kernel.ids import new_id
from samlad.orders import FulfilInput, ReturnInput, imports
from samlad.orders.import_model import OrderInput
from samlad.profile import household
from tracked import open_door
from trade import ADDRESS, BUYER, Trade


async def person(trade: Trade, email: str, **more: Any) -> UUID:
    pool = trade.web.pools[Resource.CUSTOMERS]
    given = PersonInput(email=email, **more)
    return (await trade.db.transaction(lambda tx: customers.find_or_create(tx, pool, given))).id


async def bought(trade: Trade, email: str, price: int, **details: Any) -> orders.Order:
    cart = await trade.cart((await trade.kettle(price), 2), **BUYER | {"email": email} | details)
    return await trade.place(cart.id)


async def read(api: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await api.get(f"/api/customers/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_everything_about_a_person_merged_and_taken_apart(
    trade: Trade, api: httpx.AsyncClient, api_as: Any
) -> None:
    first = await bought(trade, "kim@example.org", 10_000)
    second = await bought(trade, "kim@work.example", 30_000)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, first.id, FulfilInput()))
    await trade.db.transaction(lambda tx: orders.take_back(tx, first.id, ReturnInput()))
    await bought(trade, "sam@example.org", 5_000, address=ADDRESS | {"line1": "STORGATAN 1."})
    await bought(trade, "far@example.org", 5_000, address=ADDRESS | {"postal_code": "999 99"})
    at_till = await trade.cart(
        (await trade.kettle(7_000, at=trade.at_malmo), 1), channel=trade.malmo, email="kim@example.org"
    )
    await trade.place(at_till.id)
    await trade.follow()
    kim, work, sam, far = [
        await person(trade, each)
        for each in ("kim@example.org", "kim@work.example", "sam@example.org", "far@example.org")
    ]
    await trade.db.transaction(lambda tx: customers.tag(tx, work, TagsInput(tags=[" Regular "])))
    open_cart = await trade.cart((await trade.kettle(4_000), 1), **BUYER, customer=str(work))
    before = await read(api, str(work))
    decision = await trade.db.transaction(
        lambda tx: identity.merge(tx, MergeInput(profiles=[kim, work], reason="The same"))
    )
    await trade.db.transaction(lambda tx: household.live_with(tx, work, far))
    await trade.db.transaction(lambda tx: household.live_with(tx, far, work))

    answer = await api.get(f"/api/customers/{work}")
    seen = answer.json()
    assert (answer.headers["content-location"], seen["id"]) == (f"/api/customers/{kim}", str(kim))
    assert (set(seen["customers"]), seen["withheld"]) == ({str(kim), str(work)}, [])
    assert {each["number"] for each in seen["orders"]} >= {first.number, second.number}
    assert len(seen["orders"]) == 3
    assert seen["orders"][0]["titles"] == ["Kettle"]
    assert [each["order_number"] for each in seen["returns"]] == [first.number]
    assert [each["id"] for each in seen["carts"]] == [str(open_cart.id)]
    assert [(each["code"], each["visits"]) for each in seen["stores"]] == [(trade.at_malmo.code, 1)]
    assert {each["value"] for each in seen["identities"]} == {"kim@example.org", "kim@work.example"}
    assert all(each["evidence"] for each in seen["identities"])
    assert seen["tags"] == ["regular"]
    assert {(each["customer"], each["why"]) for each in seen["household"]} == {
        (str(sam), "address"),
        (str(far), "said"),
    }
    traits = seen["traits"]
    assert traits["orders"] == 3
    assert traits["money"] == [
        {"currency": "SEK", "orders": 3, "spent": 67_000, "average_basket": (87_000 + 1) // 3}
    ]
    assert (traits["recency_days"], traits["favourite_channel"]["id"]) == (0, trade.web.code)
    assert traits["return_rate"] == 0.4

    clerk = Actor(kind="staff", id=new_id(), permissions=permissions_of(Role.STORE), locations=None)
    async with api_as(clerk) as till:
        less = await read(till, str(kim))
        assert (less["identities"], less["devices"]) == (None, None)
        assert less["withheld"] == ["identities", "devices"]
        assert "identity" not in {each["kind"] for each in (await read(till, f"{kim}/timeline"))["items"]}
    only = await read(api, str(kim), parts="tags,notes")
    assert (only["orders"], only["tags"]) == (None, ["regular"])
    assert (await api.get(f"/api/customers/{kim}?parts=shoes")).status_code == 422

    await trade.db.transaction(lambda tx: identity.undo(tx, decision.id, "Not the same"))
    after = await read(api, str(work))
    for name in ("orders", "returns", "carts", "stores", "tags", "customers"):
        assert after[name] == before[name], name
    assert after["traits"]["money"] == before["traits"]["money"]
    await trade.db.transaction(lambda tx: household.leave(tx, far, work))
    left = await read(api, str(work), parts="household")
    assert {each["why"] for each in left["household"]} == {"address"}


async def test_what_was_talked_about_and_what_happened_last_are_in_the_call(
    trade: Trade, api: httpx.AsyncClient, api_as: Any
) -> None:
    kim, work = await person(trade, "kim@example.org"), await person(trade, "work@example.org")
    begun = []
    for number, each in enumerate((kim, work, kim)):
        word = BeginInput(channel=trade.web.id, subject=f"About {number}", body="Well?", customer=each)
        begun.append(await trade.db.transaction(lambda tx, word=word: conversations.begin(tx, word)))
    await trade.db.transaction(lambda tx: conversations.merge(tx, begun[2].id, begun[0].id))
    await trade.db.transaction(
        lambda tx: identity.merge(tx, MergeInput(profiles=[kim, work], reason="The same"))
    )
    seen = await read(api, str(work))
    talks = sorted((each["subject"], each["state"], each["channel"]) for each in seen["conversations"])
    assert talks == [("About 0", "open", trade.web.code), ("About 1", "open", trade.web.code)]
    assert [each["id"] for each in seen["timeline"]] == [
        each["id"] for each in (await read(api, f"{kim}/timeline", limit=20))["items"]
    ]
    assert {"conversations", "identity"} <= {each["kind"] for each in seen["timeline"]}
    less = await read(api, str(kim), parts="orders")
    assert (less["timeline"], less["conversations"]) == (None, None)
    buyer = Actor(kind="staff", id=new_id(), permissions=frozenset({"customers.read"}), locations=None)
    async with api_as(buyer) as other:
        little = await read(other, str(kim))
        assert little["conversations"] is None
        assert {"conversations", "orders", "identities"} <= set(little["withheld"])
        assert {each["kind"] for each in little["timeline"]} == {"customer"}


async def test_the_timeline_pages_filters_and_follows_merges(trade: Trade, api: httpx.AsyncClient) -> None:
    order = await bought(trade, "kim@example.org", 10_000)
    await bought(trade, "work@example.org", 10_000)
    await trade.follow()
    kim, work = await person(trade, "kim@example.org"), await person(trade, "work@example.org")
    alone = await read(api, f"{kim}/timeline", limit=200)
    await trade.db.transaction(
        lambda tx: identity.merge(tx, MergeInput(profiles=[kim, work], reason="The same"))
    )
    everything = (await read(api, f"{kim}/timeline", limit=200))["items"]
    assert len(everything) > len(alone["items"])
    assert [each["at"] for each in everything] == sorted((each["at"] for each in everything), reverse=True)
    paged: list[str] = []
    cursor = None
    while True:
        page = await read(api, f"{work}/timeline", limit=3, **({"cursor": cursor} if cursor else {}))
        paged += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == [each["id"] for each in everything]
    only = (await read(api, f"{kim}/timeline", kind="orders,identity"))["items"]
    assert {each["kind"] for each in only} == {"orders", "identity"}
    assert order.id in {UUID(each["subject"]) for each in only if each["type"] == "order.placed"}
    here = (await read(api, f"{kim}/timeline", channel=str(trade.web.id)))["items"]
    assert {each["channel"] for each in here} == {str(trade.web.id)}
    middle = everything[len(everything) // 2]["at"]
    old = (await read(api, f"{kim}/timeline", limit=200, to=middle))["items"]
    new = (await read(api, f"{kim}/timeline", limit=200, **{"from": middle}))["items"]
    assert len(old) + len(new) == len(everything)
    assert (await api.get(f"/api/customers/{kim}/timeline?from=2026-01-01")).status_code == 422
    assert (await api.get(f"/api/customers/{new_id()}/timeline")).status_code == 404


async def test_what_the_log_has_and_reports_itself_is_in_the_timeline_once(
    trade: Trade, api: httpx.AsyncClient
) -> None:
    await bought(trade, "kim@example.org", 10_000)
    await trade.follow()
    kim = await person(trade, "kim@example.org")
    names = await trade.db.rows("SELECT name FROM tracked_event")
    assert {"Product Added", "Order Completed"} <= {row["name"] for row in names}
    items = (await read(api, f"{kim}/timeline", limit=200))["items"]
    assert "order.placed" in {each["type"] for each in items}
    assert [each["name"] for each in items if each["kind"] == "browsing"] == []
    viewed = Sighting(
        pool=trade.web.pools[Resource.CUSTOMERS],
        source="test",
        event_id="v",
        observed_at=now(),
        received_at=now(),
        auth=AuthLevel.AUTHENTICATED,
        identifiers=[Identifier(Kind.CUSTOMER, str(kim)), Identifier(Kind.ANONYMOUS, "a-browser")],
    )
    await trade.db.transaction(lambda tx: identity.observe(tx, [viewed]))
    tracked = await open_door(trade.db, trade.web.id)
    view = {"type": "track", "event": "Product Viewed", "anonymousId": "a-browser", "messageId": "v1"}
    assert (await api.post("/v1/track", json=view, headers=tracked.basic)).status_code == 200
    await trade.follow()
    items = (await read(api, f"{kim}/timeline", kind="browsing"))["items"]
    assert [each["name"] for each in items] == ["Product Viewed"]


async def test_the_timeline_of_a_store_has_no_invoices_of_other_places(trade: Trade, api_as: Any) -> None:
    """They say what was paid there, as the orders do that the store does not see."""
    order = await bought(trade, "kim@example.org", 10_000)
    await trade.db.transaction(lambda tx: issue(tx, order.id, IssueInput()))
    await trade.follow()
    kim = await person(trade, "kim@example.org")
    everything = frozenset(permissions())
    kinds = []
    for places in (None, frozenset({trade.at_malmo.id})):
        async with api_as(
            Actor(kind="staff", id=new_id(), permissions=everything, locations=places)
        ) as clerk:
            seen = (await read(clerk, f"{kim}/timeline", limit=200))["items"]
            kinds.append({each["kind"] for each in seen} & {"orders", "documents", "customer"})
    assert kinds == [{"orders", "documents", "customer"}, {"customer"}]


async def test_what_was_bought_before_we_came_is_in_the_timeline(
    trade: Trade, api: httpx.AsyncClient
) -> None:
    line = {"sku": "GONE", "title": "Kettle", "kind": "item", "quantity": 1, "unit_price": "99.00"}
    record = {
        "number": "OLD-1",
        "placed_at": "2024-03-01T12:00:00Z",
        "currency": "SEK",
        "customer": "k-1",
        "country": "SE",
        "total_minor": 9_900,
        "lines": [line | {"total_minor": 9_900}],
    }
    await imports.run(trade.db, trade.web, [msgspec.convert(record, OrderInput)])
    customer = await trade.db.value("SELECT customer FROM orders WHERE number = 'OLD-1'")
    found = (await read(api, f"{customer}/timeline", kind="orders"))["items"]
    assert [(each["type"], each["at"], each["facts"]["number"]) for each in found] == [
        ("order.placed", "2024-03-01T12:00:00Z", "OLD-1")
    ]


async def test_few_statements_with_thousands_of_events(trade: Trade) -> None:
    kim = await person(trade, "kim@example.org")
    await trade.db.rows(
        """INSERT INTO event (id, type, occurred_at, profile, subject, actor, request, payload)
           SELECT gen_random_uuid(), 'cart.line_changed', now() - make_interval(mins => n), $1, $1, 'test',
                  gen_random_uuid(), '{"n": 1}'
           FROM generate_series(1, 5000) AS n RETURNING 1""",
        kim,
    )
    counted = []

    async def count(tx: Any) -> None:
        before = tx.statements
        await profile.read(tx, SYSTEM, kim)
        counted.append(tx.statements - before)

    await trade.db.transaction(count)
    assert counted[0] <= 16
    scope = await profile.scope_of(trade.db, SYSTEM, kim)
    from samlad.kernel.listing import ListQuery

    newest = (await profile.read(trade.db, SYSTEM, kim, ["timeline"])).timeline
    assert newest == (await profile.TIMELINE.page(trade.db, ListQuery(limit=20), *scope)).items
    assert len(newest) == 20
    page = await profile.TIMELINE.page(trade.db, ListQuery(limit=50), *scope)
    assert len(page.items) == 50
    assert await profile.TIMELINE.count(trade.db, ListQuery(), *scope) == 5_001


async def test_notes_and_tags_are_found_undone_and_kept_from_clerks(
    trade: Trade, api: httpx.AsyncClient, api_as: Any
) -> None:
    kim, work = await person(trade, "kim@example.org"), await person(trade, "work@example.org")
    note = (
        await api.post(f"/api/customers/{kim}/notes", json={"text": " Calls back ", "for_clerks": True})
    ).json()
    secret = (await api.post(f"/api/customers/{work}/notes", json={"text": "Has complained"})).json()
    assert note["text"] == "Calls back"
    await trade.db.transaction(lambda tx: customers.stand_for(tx, {kim: kim, work: kim}))
    clerk = Actor(kind="staff", id=new_id(), permissions=permissions_of(Role.STORE), locations=None)
    async with api_as(clerk) as till:
        assert [each["id"] for each in await read(till, f"{kim}/notes")] == [note["id"]]
        refused = await till.post(f"/api/customers/{kim}/notes", json={"text": "x"})
        assert refused.status_code == 403
        assert (await till.delete(f"/api/customers/{kim}/notes/{secret['id']}")).status_code == 404
    here = f"/api/customers/{kim}/notes/{secret['id']}"
    stale = await api.patch(here, json={"text": "x"}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    for _ in range(2):
        assert (await api.delete(here)).json()["deleted_at"]
    assert (await api.patch(here, json={"text": "x"})).status_code == 404
    assert (await api.post(f"{here}/restore")).json()["text"] == "Has complained"
    assert (await api.post(f"{here}/restore")).status_code == 409
    assert (await api.post(f"/api/customers/{kim}/notes", json={"text": "  "})).status_code == 422

    for _ in range(2):
        tagged = await api.post(f"/api/customers/{work}/tags", json={"tags": ["VIP", "Press"]})
        assert tagged.json() == ["press", "vip"]
    found = (await api.get("/api/customers", params={"tag": "Vip"})).json()["items"]
    assert [each["id"] for each in found] == [str(kim)]
    assert (await api.get("/api/customers/tags")).json() == [
        {"tag": "press", "people": 1},
        {"tag": "vip", "people": 1},
    ]
    assert (await api.delete(f"/api/customers/{kim}/tags/VIP")).json() == ["press"]
    assert (await api.get("/api/customers", params={"tag": "vip"})).json()["items"] == []
    told = [
        row["type"]
        for row in await trade.db.rows("SELECT type FROM event WHERE type LIKE 'customer.%' ORDER BY seq")
    ]
    assert told.count("customer.tagged") == 1
    assert told.count("customer.note_deleted") == told.count("customer.note_restored") == 1
    assert await trade.db.value("SELECT count(*) FROM audit_entry WHERE verb LIKE 'customer.note%'") == 4
    assert NoteInput(text="x").for_clerks is False
