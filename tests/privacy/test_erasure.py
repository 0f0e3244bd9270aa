"""A person in every package; erased, nothing of theirs is left anywhere, and books and stock are whole."""

import asyncio
import io
import zipfile
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from whole_life import EMAIL, EVERYWHERE, NAME, REMOTE, SEALED, SECRET_WORD, STREET, WORDS, live

import horizon
from samlad import customers, privacy
from samlad.app import FOLLOWERS
from samlad.channels import Resource
from samlad.customers import PersonInput, tombstones
from samlad.identity import preparing
from samlad.identity.model import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel import personal
from samlad.kernel.clock import now
from samlad.kernel.context import GUEST, Context
from samlad.kernel.database import Database
from samlad.kernel.jobs import JobContext
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.payments import kept
from samlad.privacy import archive, running
from samlad.privacy.holdings import HOLDINGS
from searching import in_files, in_tables
from tracked import open_door
from trade import Trade, build

KEPT = {"document"}
"""What the law keeps; every other table must be free of the person."""


def _whole(table: str) -> str:
    """The table that a partition is of."""
    return table.rstrip("0123456789_").removesuffix("_rest")


@pytest.mark.slow
async def test_erased_a_person_is_nowhere(
    settings: Settings,
    db: Database,
    api_as: Any,
    capfd: pytest.CaptureFixture[str],
    postgres: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = Vault.of(settings)
    async with api_as() as api, api_as(GUEST) as wire:
        world = await live(settings, db, api, wire, monkeypatch)
        found = {_whole(name) for name in await in_tables(db, WORDS)}
        assert found >= EVERYWHERE - SEALED, sorted(EVERYWHERE - SEALED - found)

        async def ask(kind: str) -> dict[str, Any]:
            body = {"kind": kind, "person": str(world.customer), "after_minutes": 0}
            made = await api.post("/api/privacy/requests", json=body)
            assert made.status_code == 201, made.text
            found: dict[str, Any] = made.json()
            return found

        known = (await api.get(f"/api/customers/{world.customer}?parts=preferences,sizes,consent")).json()
        assert known["preferences"] == {"language": "sv", "favourite_store": str(world.trade.at_malmo.id)}
        assert [(size["name"], size["size"]) for size in known["sizes"]] == [("Shoes", "38")]
        assert {each["purpose"] for each in known["consent"] if each["is_allowed"]} == {
            "necessary",
            "email_marketing",
        }

        # Everything that is known of Kim, and nothing of Robin.
        monkeypatch.setattr(archive, "PIECE", 1_000)
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
        assert all(word.lower() in text.lower() for word in (EMAIL, STREET, REMOTE))
        notes = {row["text"] for row in parts["customer_note"]} | {row["text"] for row in parts["order_note"]}
        assert notes == {f"{SECRET_WORD} {NAME}"}
        assert "customer_note" not in await in_tables(db, [SECRET_WORD])
        # Photographs are files beside the JSON, which names them.
        packed = await api.get(f"/api/privacy/requests/{first['id']}/archive")
        with zipfile.ZipFile(io.BytesIO(packed.content)) as zipped:
            names = {row["file"] for row in parts["photograph"]}
            assert len(names) == 3
            sent, *others = [row["file"] for row in parts["conversation_file"]]
            assert set(zipped.namelist()) == {"export.json", sent, *others, *names}
            assert {zipped.read(each) for each in (sent, *others)} == {
                f"{EMAIL} {SECRET_WORD}".encode(),
                f"svar {EMAIL}".encode(),
            }
            assert msgspec.json.decode(zipped.read("export.json")) == export
            assert all(zipped.read(name)[8:12] == b"WEBP" for name in names)
        page = (await api.get(f"/admin/privacy/{first['id']}/export")).text
        for name in names:
            assert f"/admin/privacy/{first['id']}/files/{name}" in page
            assert (await api.get(f"/admin/privacy/{first['id']}/files/{name}")).content[8:12] == b"WEBP"
        assert (await api.get(f"/admin/privacy/{first['id']}/files/photograph/x.webp")).status_code == 404
        saved = await api.get(f"/admin/privacy/{first['id']}/files/{sent}")
        assert saved.headers["content-disposition"].startswith("attachment")
        noise = await db.rows("SELECT sealed FROM privacy_piece WHERE request = $1", UUID(first["id"]))
        assert len(noise) > 2
        assert not any(EMAIL.encode() in row["sealed"] for row in noise)

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
        seen = Sighting(
            pool=world.trade.web.pools[Resource.CUSTOMERS],
            source="x",
            event_id="x",
            observed_at=now(),
            received_at=now(),
            auth=AuthLevel.CLAIMED,
            identifiers=[Identifier(Kind.EMAIL, EMAIL)],
        )
        assert preparing.prepare(seen) is not None
        assert len(preparing._said) > 0
        for until in range(1, 6):
            await running.erase_steps(db, keys, number, until)
        await asyncio.gather(running.erase(db, keys, number), running.erase(db, keys, number))
        await running.erase(db, keys, number)
        ended = (await api.get(f"/api/privacy/requests/{number}")).json()
        assert ended["state"] == "done", ended
        assert len(preparing._said) == 0, "no process remembers them"
        assert await db.rows("DELETE FROM follower WHERE name = 'broken' AND last_error = '' RETURNING 1")
        await trade_follows(world.trade)
        for table in (
            "photograph",
            "conversation_file",
            "paper_file",
            "account",
            "account_session",
            "account_passkey",
            "account_code",
            "mail_outbox",
        ):
            assert await db.value(f"SELECT count(*) FROM {table}") == 0, table
        assert not await db.value("SELECT count(*) FROM till_sale WHERE body ? 'customer'")
        # The card is nobody's here, and the provider is told to forget it.
        card = await db.row("SELECT brand, last_four, expires_on, removed_at FROM payment_kept")
        assert card is not None
        assert (card["brand"], card["last_four"], card["expires_on"]) == ("", "", None)
        assert card["removed_at"] is not None
        await kept.forget_removed(db)
        assert world.stripe.detached == ["pm_card_visa"]
        left = await in_tables(db, WORDS)
        assert {_whole(name) for name in left} <= KEPT, left
        done = (await api.get(f"/api/privacy/requests/{number}")).json()
        assert (done["state"], done["steps"]) == ("done", len(HOLDINGS))
        assert (await api.post(f"/api/privacy/requests/{number}/cancel")).status_code == 409
        assert (await api.get(f"/api/privacy/requests/{first['id']}/export")).status_code == 404
        assert await db.value("SELECT count(*) FROM secret WHERE name LIKE 'privacy:%'") == 0
        assert await db.value("SELECT count(*) FROM privacy_piece") == 0
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


# Tables that hold nothing of customers, by why. A new table is either in `HOLDINGS` or here.
NOBODY = {
    "staff and their devices": """staff conversation_viewer staff_location staff_pin staff_badge staff_role session passkey recovery_code one_time_link
        sign_in_attempt api_key oauth_client oauth_secret oauth_token till_clerk till_shift till_movement tip_payout pick_batch store_work
        order_view_default""",
    "the shop itself": """appointment_claim appointment_service conversation_mail saved_reply book book_account book_series brand_kit channel channel_pool content_menu content_page content_picture
        content_redirect content_version day_closing delivery_load delivery_method delivery_share delivery_slot delivery_slot_share
        delivery_workday
        document_series form_sent legal_entity location location_sharing loyalty_programme pool pool_move card_terminal printer print_job
        purchase_order purchase_order_line purchase_receipt return_reason return_window routing screen screen_pairing
        supplier supplier_credit supplier_return supplier_return_line till till_device till_gap till_key tax_registration tax_scheme tracking_key tracking_retention tracking_source
        tracking_volume""",
    "goods and offers": """attribute bundle_component catalogue_decision category collection collection_product facet import_row label_file
        label_part label_run level listing lot media movement pick_bin price price_clock price_context price_history price_list
        product product_pair product_search promotion promotion_code promotion_link review_total search_price search_word
        selling_plan size_chart stock_count stock_count_line stock_lot stock_pace stock_quarantine stock_quarantine_act
        stock_recall stock_transfer stock_transfer_line tax_answer tax_country_rate tax_product_class variant""",
    "sums and parts of the books, by ids of rows that are emptied": """cart_handover cart_token credit_account credit_entry
        credit_hold credit_order credit_order_more credit_order_return customer_spend document_return exchange_credit fulfilment_line
        fulfilment_lot gift_card_charge hold hold_claim bulk_act_row order_bulk_row order_day order_expected order_tip till_card_seen order_quarter paired_order paper_row
        payment_settlement promotion_customer promotion_grant promotion_use receipt_mail receipt_print
        return_request_line subscription_cycle subscription_line terminal_simulation till_payment till_told tip_payout_line
        tracked_profile voucher voucher_line""",
    "digests of what clients call their messages": "tracked_deleted",
    "who is who, by ids of rows that are emptied": """identity_change identity_conflict identity_pin_node
        identity_sighting_node privacy_request""",
    "who is sent what, by hashes that receivers are told to forget": "destination destination_batch",
    "rules and wordings": """consent_purpose consent_text duplicate_model duplicate_run duplicate_settings identity_rules
        bulk_act order_bulk paper_run rfm_run segment segment_day segment_version tracking_schema tracking_schema_version""",
    "values that more than five people share": "duplicate_frequency",
    "companies, from a public register": "tax_number_check",
    "keyed hashes": "ceremony customer_tombstone order_arrival secret",
    "noise, once the key of its request is gone": "privacy_piece",
    "an address of the network, for an hour at most": "rate_window",
    "the program's own": """migration procrastinate_events procrastinate_periodic_defers procrastinate_workers""",
}  # fmt: skip
# Columns of declared tables that say nothing of a person: codes, ids of the program, who of the staff.
NOTHING_OF_A_PERSON = """
    actor actor_kind added_by assignee_name before_merge begun_by booked_by done_by source staff_name agreed agreed_token asked_by asked_name attempts auth author bank_id browser_hash cause
    charging_prices charging_short changed_by code code_hash condition country credential_id currency customer_group
    decided_by delivery digest event_id fingerprint follower group_name headers held_by how imported key kind language
    levels lock lots thumb method new_hash next notices old_hash options origin payment_status problem promise provider
    public_key queue_name queueing_lock rates reason reference request resolution resolved_by retracted_by route_type
    scope secret_hash sha256 skipped_by state status subject_type substitutes task_name taken_by taken_name
    tax_category tax_country tax_note tax_treatment terms token_hash trouble type vat_check concessions agreed evidence
    payload search sold_by sort columns hash set_of was was_decided_by was_status
"""


# Names of followers; where a provider shows a dispute, and what it booked for it.
OF_THE_PROGRAM = {("follower", "name"), ("payment_dispute", "url"), ("payment_dispute", "entries")}


async def test_every_table_is_somebodys_or_nobodys(db: Database) -> None:
    """Whoever makes a table says how it is read and erased (``personal.py``), or here why nothing of a person is in it."""
    rows = await db.rows(
        """SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, NULL) AS type FROM pg_class c
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'm')
             AND NOT c.relispartition"""
    )
    nobodys = [name for names in NOBODY.values() for name in names.split()]
    assert len(nobodys) == len(set(nobodys))
    tables = {h.table for h in HOLDINGS}
    assert tables & set(nobodys) == set()
    assert {row["table"] for row in rows} - tables - set(nobodys) == set(), "say whose these are"
    assert set(nobodys) - {row["table"] for row in rows} == set(), "these are no more"
    declared = {(h.table, name) for h in HOLDINGS for name in (*h.personal, *h.shown)}
    undeclared = sorted(
        f"{row['table']}.{row['name']}"
        for row in rows
        if row["table"] in tables
        and row["type"] in ("text", "text[]", "jsonb", "bytea")
        and (row["table"], row["name"]) not in declared
        and row["name"] not in NOTHING_OF_A_PERSON.split()
        and (row["table"], row["name"]) not in OF_THE_PROGRAM
    )
    assert undeclared == [], undeclared
    # What is bytes is shown as a file or as the text that was sealed.
    unreadable = {
        (h.table, row["name"])
        for h in HOLDINGS
        for row in rows
        if (row["table"], row["type"]) == (h.table, "bytea") and row["name"] in h.personal and h.is_shown
        if row["name"] not in (*(h.files or ()), *h.withheld)
        and (h.sealed is None or row["name"] != h.sealed.sealed)
    }
    assert unreadable == set()

    nobody = personal.Person(
        ids=[uuid4()], texts=["nobody@example.com"], needles=["nobody@example.com"], things=[uuid4()]
    )
    for holding in HOLDINGS:
        assert holding.erase or holding.kept, holding.table
        assert await personal.read(db, holding, nobody) == []
        gone = await db.transaction(lambda tx, holding=holding: personal.erase(tx, holding, nobody))
        assert gone == 0
