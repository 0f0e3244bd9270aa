"""A person in every package; erased, nothing of theirs is left anywhere, and books and stock are whole."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from searching import in_files, in_tables

import horizon
from samlad import credit, customers, orders, privacy
from samlad.app import FOLLOWERS
from samlad.channels import Resource
from samlad.credit.model import GrantInput
from samlad.customers import PersonInput, tombstones
from samlad.kernel import personal
from samlad.kernel.context import GUEST, Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.jobs import JobContext
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.privacy import running
from samlad.privacy.holdings import HOLDINGS
from tracked import open_door
from trade import Trade, build

EMAIL, NAME, STREET, PHONE = (
    "kim.sjuttisju@example.com",
    "Kimberly Sjuttisju",
    "Undangatan 77",
    "+46701770177",
)
WORDS = [EMAIL, "sjuttisju", STREET, "701770177", "browser-sjutti", "ext-sjutti", "192.0.2.177", "HEMLIGT-77"]
KEPT = {"document"}
"""What the law keeps; every other table must be free of the person."""


class World(msgspec.Struct):
    trade: Trade
    customer: UUID
    order: UUID
    other: UUID


async def live(settings: Settings, db: Database, api: Any, wire: Any) -> World:
    """Kim does whatever one can do, and so does somebody else."""
    trade = await build(db)
    kettle = await trade.kettle(quantity=50)
    made = await api.post(
        "/api/customers",
        json={
            "channel": str(trade.web.id),
            "email": EMAIL,
            "name": NAME,
            "phone": PHONE,
            "external_id": "ext-sjutti",
        },
        headers={"Idempotency-Key": "kim-1"},
    )
    assert made.status_code == 201, made.text
    kim = UUID(made.json()["id"])
    await api.patch(f"/api/customers/{kim}", json={"name": f"{NAME} HEMLIGT-77"})
    other = await db.transaction(
        lambda tx: customers.find_or_create(
            tx, trade.web.pools[Resource.CUSTOMERS], PersonInput(email="robin@example.com", name="Robin Kvar")
        )
    )
    address = {"name": NAME, "line1": STREET, "postal_code": "211 34", "city": "Malmö", "country": "SE"}
    details = {"email": EMAIL, "name": NAME, "phone": PHONE, "address": address, "delivery": "ship"}
    for fields in (
        details,
        {
            "email": "robin@example.com",
            "address": {**address, "name": "Robin", "line1": "Väg 1"},
            "delivery": "ship",
        },
    ):
        placed = await trade.place((await trade.cart((kettle, 1), **fields)).id)
        await trade.db.transaction(
            lambda tx, placed=placed: orders.fulfil(tx, placed.id, orders.FulfilInput())
        )
        if fields is details:
            order = placed
    await trade.cart((kettle, 2), **details, gift_note=f"Grattis {NAME}")
    as_staff = Context(actor=Actor(kind="system"))
    grant = GrantInput(amount=1000, currency="SEK", reason=f"HEMLIGT-77: {NAME} rang")
    await db.transaction(lambda tx: credit.store_credit.grant(tx, kim, grant), as_staff)

    await trade.follow()
    consent = {"answers": [{"purpose": "email_marketing", "answer": "granted", "event_id": f"form {EMAIL}"}]}
    assert (await api.post(f"/api/consent/people/{kim}", json=consent)).status_code == 201
    server = await open_door(db, trade.web.id, kind="server")
    told = [
        {"type": "identify", "userId": "ext-sjutti", "anonymousId": "browser-sjutti", "messageId": f"m-{EMAIL}",
         "traits": {"email": EMAIL, "name": NAME}, "context": {"ip": "192.0.2.177"}},
        {"type": "page", "anonymousId": "browser-sjutti", "name": f"Hej {NAME}", "properties": {"url": f"/?e={EMAIL}"}},
        {"type": "track", "event": 7, "anonymousId": "browser-sjutti", "traits": {"email": EMAIL}},
        {"type": "track", "event": "Clicked", "userId": "robin-2", "messageId": str(uuid4())},
    ]  # fmt: skip
    sent = await wire.post("/v1/batch", json={"batch": told}, headers=server.basic)
    assert sent.status_code == 200
    await trade.follow()
    found = await in_tables(db, WORDS)
    assert {"customer", "orders", "cart", "event", "tracked_event", "tracking_parked", "identity_node", "idempotency",
            "consent_entry", "credit_transaction", "duplicate_card"} <= {_whole(name) for name in found}, found  # fmt: skip
    return World(trade, kim, order.id, other.id)


def _whole(table: str) -> str:
    """The table that a partition is of."""
    return table.rstrip("0123456789_").removesuffix("_rest")


@pytest.mark.slow
async def test_erased_a_person_is_nowhere(
    settings: Settings, db: Database, api_as: Any, capfd: pytest.CaptureFixture[str], postgres: Any
) -> None:
    keys = Vault.of(settings)
    async with api_as() as api, api_as(GUEST) as wire:
        world = await live(settings, db, api, wire)

        async def ask(kind: str) -> dict[str, Any]:
            body = {"kind": kind, "person": str(world.customer), "after_minutes": 0}
            made = await api.post("/api/privacy/requests", json=body)
            assert made.status_code == 201, made.text
            found: dict[str, Any] = made.json()
            return found

        # Everything that is known of Kim, and nothing of Robin.
        first, again = await ask("access"), await ask("access")
        assert first["id"] == again["id"]
        await running.collect(db, keys, UUID(first["id"]))
        export = (await api.get(f"/api/privacy/requests/{first['id']}/export")).json()
        parts = {part["table"]: part["rows"] for part in export["parts"]}
        assert {
            "customer",
            "orders",
            "cart",
            "tracked_event",
            "identity_node",
            "consent_entry",
            "event",
        } <= set(parts)
        assert parts["customer"][0]["email"] == EMAIL
        text = msgspec.json.encode(export).decode()
        assert "robin" not in text.lower()
        assert all(word.lower() in text.lower() for word in (EMAIL, STREET, "192.0.2.177"))
        sealed = await db.value("SELECT sealed FROM privacy_request WHERE id = $1", UUID(first["id"]))
        assert EMAIL.encode() not in sealed

        # Taken back, it does not happen.
        cancelled = await ask("erasure")
        for _ in range(2):
            assert (await api.post(f"/api/privacy/requests/{cancelled['id']}/cancel")).json()[
                "state"
            ] == "cancelled"
        await running.erase(db, keys, UUID(cancelled["id"]))
        assert "customer" in await in_tables(db, [EMAIL])

        # Killed after every table in turn, and two workers at once: it goes on from where it was.
        erasure = await ask("erasure")
        number = UUID(erasure["id"])
        for until in range(1, 6):
            await running.erase_steps(db, keys, number, until)
        await asyncio.gather(running.erase(db, keys, number), running.erase(db, keys, number))
        await running.erase(db, keys, number)
        await trade_follows(world.trade)
        left = await in_tables(db, WORDS)
        assert {_whole(name) for name in left} <= KEPT, left
        done = (await api.get(f"/api/privacy/requests/{number}")).json()
        assert (done["state"], done["steps"]) == ("done", len(HOLDINGS))
        assert (await api.post(f"/api/privacy/requests/{number}/cancel")).status_code == 409
        assert (await api.get(f"/api/privacy/requests/{first['id']}/export")).status_code == 404
        assert await db.value("SELECT count(*) FROM secret WHERE name LIKE 'privacy:%'") == 0
        verbs = [
            row["verb"]
            for row in await db.rows("SELECT verb FROM audit_entry WHERE verb LIKE 'privacy.%' ORDER BY at")
        ]
        assert {
            "privacy.access_requested",
            "privacy.export_downloaded",
            "privacy.erased",
            "privacy.erasure_cancelled",
        } <= set(verbs)

        # Robin is untouched, and so are books, stock and followers.
        assert "customer" in await in_tables(db, ["robin kvar"])
        await world.trade.agree()
        seen = await api.get(f"/api/customers/{world.customer}")
        assert (seen.status_code, seen.json()["email"]) == (200, None)
        assert (await api.get(f"/api/orders/{world.order}")).status_code == 200

        # Nothing brings Kim back but Kim.
        pool = world.trade.web.pools[Resource.CUSTOMERS]
        old = PersonInput(email=EMAIL.upper(), name=NAME, external_id="ext-sjutti")
        assert await db.transaction(lambda tx: customers.import_people(tx, pool, [old])) == {}
        door = await open_door(db, world.trade.web.id, kind="server")
        late = {"type": "identify", "userId": "ext-sjutti", "traits": {"email": EMAIL, "name": NAME}}
        parked = {"type": "track", "event": 9, "userId": "ext-sjutti", "properties": {"note": NAME}}
        assert (
            await wire.post("/v1/batch", json={"batch": [late, parked]}, headers=door.basic)
        ).status_code == 200
        await trade_follows(world.trade)
        assert {_whole(name) for name in await in_tables(db, WORDS)} <= KEPT
        back = await db.transaction(lambda tx: customers.find_or_create(tx, pool, PersonInput(email=EMAIL)))
        assert back.id != world.customer
        assert not await db.transaction(lambda tx: tombstones.buried(tx, [EMAIL]))

    assert in_files(settings.home, WORDS) == {}
    written = "".join(capfd.readouterr()).lower() + postgres.log.read_text(errors="replace").lower()
    assert [word for word in WORDS if word.lower() in written] == []


async def trade_follows(trade: Trade) -> None:
    await horizon.passed(trade.db)
    assert FOLLOWERS
    await trade.follow()


async def test_what_is_under_way_comes_first(settings: Settings, db: Database) -> None:
    trade = await build(db)
    placed = await trade.buy((await trade.kettle(), 1))
    await trade.follow()
    person = await db.value("SELECT customer FROM orders WHERE id = $1", placed.id)
    data = privacy.RequestInput(kind=privacy.RequestKind.ERASURE, person=person, after_minutes=0)
    request = await db.transaction(lambda tx: privacy.ask(tx, data))
    await running.erase(db, Vault.of(settings), request.id)
    refused = await privacy.get(db, request.id)
    assert refused.state == "refused"
    assert placed.number in refused.reason
    assert "kim@example.org" in str(await db.row("SELECT email FROM orders WHERE id = $1", placed.id))


async def test_what_somebody_only_claimed_is_not_theirs(
    settings: Settings, db: Database, api_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever claims another's address in a browser, and asks to be erased, erases nothing of the other."""
    monkeypatch.setattr(running, "SETTLE_SECONDS", 0)
    trade = await build(db)
    pool = trade.web.pools[Resource.CUSTOMERS]
    robin = await db.transaction(
        lambda tx: customers.find_or_create(
            tx, pool, PersonInput(email="robin@example.com", name="Robin Kvar")
        )
    )
    kim = await db.transaction(lambda tx: customers.find_or_create(tx, pool, PersonInput(email=EMAIL)))
    await trade.follow()
    browser, server = [await open_door(db, trade.web.id, kind=kind) for kind in ("browser", "server")]
    claimed = {"type": "identify", "anonymousId": "browser-1", "traits": {"email": "robin@example.com"}}
    known = {"type": "identify", "userId": "kim-1", "anonymousId": "browser-1", "traits": {"email": EMAIL}}
    async with api_as(GUEST) as wire:
        for door, event in ((server, known), (browser, claimed)):
            assert (
                await wire.post("/v1/batch", json={"batch": [event]}, headers=door.basic)
            ).status_code == 200
            await trade.follow()
    data = privacy.RequestInput(kind=privacy.RequestKind.ERASURE, person=kim.id, after_minutes=0)
    request = await db.transaction(lambda tx: privacy.ask(tx, data))
    context = JobContext(db, settings, 1, "privacy.run", 1, Context())
    await running.run(context, request.id)
    assert (await privacy.get(db, request.id)).state == "done"
    assert await in_tables(db, [EMAIL]) == {}
    row = await db.row("SELECT email, name FROM customer WHERE id = $1", robin.id)
    assert row is not None
    assert (row["email"], row["name"]) == ("robin@example.com", "Robin Kvar")
    assert not await db.transaction(lambda tx: tombstones.buried(tx, ["robin@example.com"]))


SUSPECT = (
    "customer", "email", "phone", "address", "recipient", "buyer", "user_id", "anonymous_id", "traits", "gift_note",
    "person", "name", "external_id",
)  # fmt: skip
NOBODY = {
    "staff and their devices": ("staff", "session", "passkey", "api_key", "till_clerk", "till_shift", "till_movement", "pick_batch", "audit_entry.actor_name", "fulfilment.taken_name"),
    "the shop itself": ("legal_entity", "location", "channel", "pool", "till", "book", "book_account", "return_reason", "supplier", "tracking_source", "loyalty_programme", "content_picture"),
    "goods and offers": ("collection", "category", "product", "variant", "price_list", "size_chart", "attribute", "promotion", "delivery_method", "selling_plan", "listing", "facet", "media", "search_name", "promotion_customer", "promotion_use", "credit_order",  "tax_country_rate", "tax_product_class", "customer.group_name", "facet_name", "segment", "segment_version", "rfm_score.name"),
    "companies, from a public register": ("tax_number_check", "tax_registration"),
    "names of things of the program": ("migration", "secret", "follower", "metric", "parked_event", "tracking_schema", "tracking_retention"),
    "only an id of a row that is emptied": ("customer_spend", "identity_node.person", "privacy_request", "identity_value.customer"),
    "numbers of orders elsewhere": ("order_arrival",),
}  # fmt: skip


async def test_every_table_with_people_in_it_is_declared(db: Database) -> None:
    """Whoever makes a table with people in it says in their package's ``personal.py`` how it is read and erased."""
    rows = await db.rows(
        """SELECT c.relname AS "table", a.attname AS name FROM pg_class c
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
             AND c.relname NOT LIKE 'procrastinate%'
             AND format_type(a.atttypid, NULL) IN ('text', 'jsonb', 'uuid', 'bytea')"""
    )
    columns = {(row["table"], row["name"]) for row in rows}
    declared = {(h.table, name) for h in HOLDINGS for name in (*h.personal, *h.shown)}
    tables = {h.table for h in HOLDINGS}
    excused = {name for names in NOBODY.values() for name in names}
    undeclared = sorted(
        f"{table}.{name}"
        for table, name in columns
        if any(name == word or name.endswith(f"_{word}") for word in SUSPECT)
        and (table, name) not in declared
        and not (table in tables and name == "customer")
        and table not in excused
        and f"{table}.{name}" not in excused
    )
    assert undeclared == [], undeclared
    nobody = personal.Person(
        ids=[uuid4()], texts=["nobody@example.com"], needles=["nobody@example.com"], things=[uuid4()]
    )
    for holding in HOLDINGS:
        assert holding.erase or holding.kept, holding.table
        assert await personal.read(db, holding, nobody) == []
        gone = await db.transaction(lambda tx, holding=holding: personal.erase(tx, holding, nobody))
        assert gone == 0
