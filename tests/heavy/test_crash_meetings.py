"""``kill -9`` of the server while people are met: their events, whom those land on, their segments, the books, an erasure.

Clients send a batch until it is answered by 200, as those of Segment do, and some send it twice. When a process dies is never
the same twice; what is killed when comes from a seed.
"""

import asyncio
import os
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from memory import memory
from samlad import books
from samlad.app import CHECKS, FOLLOWERS
from samlad.bench import shop as shops
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import Answer, request
from samlad.kernel import checks
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.privacy.holdings import HOLDINGS
from samlad.tracking import sources
from samlad.tracking.model import KeyInput, SourceInput, SourceKind
from searching import in_tables

PATIENCE_SECONDS = 240.0
BATCH = 50
SENDERS = 6
PEOPLE = 40
"""Whom the events are of. Each has a number and a device, so they are as many as that, however often a process dies."""
KIM = "kim.sjuttisju@example.org"
GATE = 4711
WAITS_AT_A_GATE = f"""
CREATE FUNCTION wait_at_a_gate() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}, OLD.steps); RETURN NEW; END $$;
CREATE TRIGGER wait_at_a_gate BEFORE UPDATE OF steps ON privacy_request
    FOR EACH ROW WHEN (NEW.steps > OLD.steps) EXECUTE FUNCTION wait_at_a_gate()
"""
"""An erasure stands still when it has done a table and would note it, as long as somebody holds the gate of that table."""


class Meeting:
    """What is sent and bought, and what was answered."""

    def __init__(self, shop: Shop, server: Server, key: str, dice: random.Random) -> None:
        self.shop, self.server, self.key, self.dice = shop, server, key, dice
        self.answered: set[str] = set()
        """Messages of batches that were answered by 200."""
        self.again = 0
        self.sent, self.may_send = 0, 0

    async def insist(self, data: bytes) -> Answer:
        """Ask until there is an answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    async with asyncio.timeout(20):
                        answer = await self.server.ask(data)
                except (OSError, TimeoutError):
                    pass
                else:
                    if answer.status < 500 and b"/idempotency-still-running" not in answer.body:
                        return answer
                    assert answer.status in (409, 500, 503), (answer, self.server.complaints()[-3:])
                self.again += 1
                await asyncio.sleep(0.1)

    async def send(self, events: list[dict[str, Any]]) -> None:
        """One batch, until it is taken; one in four is sent twice all the same."""
        body = {"batch": events, "sentAt": now().isoformat()}
        data = request("POST", "/v1/batch", body=body, headers={"x-write-key": self.key})
        for _ in range(self.dice.choice((1, 1, 1, 2))):
            answer = await self.insist(data)
            assert (answer.status, answer.body) == (200, b'{"success":true}'), answer
        self.answered.update(event["messageId"] for event in events)

    async def api(self, method: str, path: str, body: Any = None, *, key: str = "") -> Any:
        """One request of staff, until it is answered."""
        headers = {"idempotency-key": key or f"{method}-{path}"}
        answer = await self.insist(request(method, path, key=self.shop.key, body=body, headers=headers))
        assert answer.status < 300, answer
        return answer.json()

    async def look(self, until_may_send: int) -> None:
        """Look at the segments without a pause: whenever a process dies, at least this is felt."""
        while self.may_send < until_may_send:
            answer = await self.insist(request("GET", "/api/segments", key=self.shop.key))
            assert answer.status == 200, answer

    async def crash(self) -> None:
        """All processes of the server at once; whoever watches over it starts it again."""
        self.server.kill()
        await self.server.start()


def event_of(number: int) -> dict[str, Any]:
    person = number % PEOPLE
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m-{number}",
        "userId": f"user-{person}",
        "anonymousId": f"device-{person}",
        "timestamp": (now() - timedelta(seconds=5)).isoformat(),
        "properties": {"product_id": str(number % 7), "n": number},
    }


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("events", "orders", "crashes"),
    [(1_500, 8, 2), pytest.param(60_000, 300, 40, marks=pytest.mark.soak)],
)
async def test_kill_9_while_people_are_met(events: int, orders: int, crashes: int) -> None:
    seed = int(os.environ.get("SAMLAD_CRASH_SEED", random.randrange(2**32)))
    print(f"again with SAMLAD_CRASH_SEED={seed}")  # noqa: T201 - shown when it fails
    dice = random.Random(seed)
    async with fresh_shop(memory()) as runtime:
        shop = await shops.open_shop(runtime)
        db = runtime.database
        goods = await shops.add_goods(shop, 4, units=orders)
        carts = [await shops.add_cart(shop, [dice.choice(goods)], checked_out=True) for _ in range(orders)]
        key = await _open_source(shop)
        async with Server(runtime.settings.home) as server:
            meeting = Meeting(shop, server, key, dice)
            segment = await meeting.api("POST", "/api/segments", _lookers(shop, 1), key="segment")
            batches = [list(range(start, start + BATCH)) for start in range(0, events, BATCH)]
            dice.shuffle(batches)
            share = events // (crashes + 1)

            async def send() -> None:
                while batches:
                    while meeting.sent >= meeting.may_send:
                        await asyncio.sleep(0.005)
                    meeting.sent += BATCH
                    await meeting.send([event_of(number) for number in batches.pop()])

            async def buy() -> None:
                for number, cart in enumerate(carts):
                    answer = await meeting.insist(shops.order_request(shop, cart, f"order-{number}"))
                    assert answer.status == 201, answer

            async def crash() -> None:
                for number in range(crashes):
                    landed = await _landed(db)
                    meeting.may_send += share
                    while len(meeting.answered) < number * share + dice.randrange(share // 2):
                        await asyncio.sleep(0.001)
                    # A segment is built while everything falls.
                    path = f"/api/segments/{segment['id']}"
                    change = {"definition": _lookers(shop, number % 3 + 2)["definition"]}
                    changing = asyncio.create_task(meeting.api("PATCH", path, change, key=f"change-{number}"))
                    if number % 2:  # those who read the log are in the middle of it
                        while await _landed(db) == landed:
                            await asyncio.sleep(0.005)
                    await asyncio.sleep(dice.uniform(0, 0.1))
                    await meeting.crash()
                    await changing
                meeting.may_send = events

            async with asyncio.TaskGroup() as group:
                for work in (*(send for _ in range(SENDERS)), buy, crash):
                    group.create_task(work())
                group.create_task(meeting.look(events))
            assert meeting.again >= crashes, "the crashes were felt"
            assert len(meeting.answered) == events
            await _until(db, "every follower has read everything", _behind, 0)
            await _judge(db, UUID(segment["id"]), events, orders)
            await _erase_while_killing(meeting, db, crashes)


async def _open_source(shop: Shop) -> str:
    data = SourceInput(channel=shop.channel.id, name="Crash", kind=SourceKind.SERVER, per_second=100_000)
    source = await shop.runtime.database.transaction(lambda tx: sources.create(tx, data))
    made = await shop.runtime.database.transaction(lambda tx: sources.make_key(tx, source.id, KeyInput()))
    return made.secret


def _lookers(shop: Shop, times: int) -> dict[str, Any]:
    """Who looked at something so often: in the end everybody."""
    condition = {"kind": "event", "name": "Product Viewed", "at_least": times, "within": {"days": 30}}
    return {"channel": str(shop.channel.id), "name": "Lookers", "definition": condition}


async def _landed(db: Database) -> int:
    """Events of which it is noted who they are about."""
    found: int = await db.value("SELECT count(*) FROM tracked_profile")
    return found


async def _behind(db: Database) -> int:
    """Events that some follower has before it."""
    found: int = await db.value(
        """SELECT count(*) FROM unnest($1::text[], $2::text[]) AS k (name, type)
           JOIN event e ON e.type = k.type LEFT JOIN follower f ON f.name = k.name
           WHERE f.name IS NULL OR (e.xid, e.seq) > (f.xid, f.seq)""",
        [each.name for each in FOLLOWERS for _ in each.types or ()],
        [kind for each in FOLLOWERS for kind in each.types or ()],
    )
    return found


async def _until(db: Database, what: str, ask: Any, wanted: Any) -> None:
    found = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (found := await ask(db)) != wanted:
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"{what}: {found}, not {wanted}") from None


async def _judge(db: Database, segment: UUID, events: int, orders: int) -> None:
    kept = "FROM tracked_event WHERE message_id LIKE 'm-%'"
    assert await db.value(f"SELECT count(*) {kept}") == events, "each is there"
    assert await db.value(f"SELECT count(DISTINCT payload #>> '{{properties,n}}') {kept}") == events, (
        "and none twice"
    )
    told = await db.row(
        """SELECT sum((payload ->> 'accepted')::int) AS accepted, sum((payload ->> 'duplicates')::int) AS twice
           FROM event WHERE type = 'tracking.received' AND subject IN (SELECT id FROM tracking_source WHERE name = 'Crash')"""
    )
    counted = await db.row(
        """SELECT sum(accepted) AS accepted, sum(duplicates) AS twice FROM tracking_volume
           WHERE source IN (SELECT id FROM tracking_source WHERE name = 'Crash')"""
    )
    assert told is not None
    assert counted is not None
    assert tuple(told) == tuple(counted)
    assert told["accepted"] == events
    landed = await db.rows(
        """SELECT e.user_id, count(*) AS events, count(DISTINCT p.identity) AS identities,
                  count(*) FILTER (WHERE p.failure IS NOT NULL) AS failed
           FROM tracked_event e LEFT JOIN tracked_profile p ON p.received_at = e.received_at AND p.event = e.id
           WHERE e.message_id LIKE 'm-%' GROUP BY 1"""
    )
    assert len(landed) == PEOPLE
    assert {(row["identities"], row["failed"]) for row in landed} == {(1, 0)}
    assert sum(row["events"] for row in landed) == events

    size = await db.row(
        "SELECT size, trouble, built_version = version AS is_built FROM segment WHERE id = $1", segment
    )
    members = await db.value("SELECT count(*) FROM segment_member WHERE segment = $1", segment)
    assert size is not None
    assert (size["trouble"], size["is_built"], size["size"]) == (None, True, members)
    moved = await db.rows(
        """SELECT person, sum(CASE WHEN entered THEN 1 ELSE -1 END) AS balance FROM segment_change
           WHERE segment = $1 GROUP BY 1 HAVING sum(CASE WHEN entered THEN 1 ELSE -1 END) NOT IN (0, 1)""",
        segment,
    )
    assert moved == [], "nobody entered twice, nobody left twice"
    assert await db.value("SELECT count(*) FROM orders") == orders
    looked = [
        *books.checks.CHECKS,
        *(c for c in CHECKS if c.name.startswith(("stock-", "order-", "payment-"))),
    ]
    found = await checks.run(db, looked)
    assert [f"{each.name}: {each.message}" for each in found if each.status != "ok"] == []


async def _waiting_at(db: Database) -> int | None:
    """The table at whose gate an erasure waits."""
    found: int | None = await db.value(
        "SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND NOT granted", GATE
    )
    return found


async def _erase_while_killing(meeting: Meeting, db: Database, crashes: int) -> None:
    """Erase somebody; the process dies between tables, again and again. Nothing of them is left, and the others stay."""
    body = {
        "channel": str(meeting.shop.channel.id),
        "email": KIM,
        "name": "Kim Sjuttisju",
        "external_id": "kim-77",
    }
    kim = await meeting.api("POST", "/api/customers", body)
    told = [
        {"type": "identify", "userId": "kim-77", "messageId": f"kim-{n}", "traits": {"email": KIM}}
        for n in range(20)
    ]
    await meeting.send(told)
    await _until(db, "every follower has read everything", _behind, 0)
    assert {"customer", "identity_node"} <= set(await in_tables(db, [KIM]))
    asked = {"kind": "erasure", "person": kim["id"], "after_minutes": 0}
    made = await meeting.api("POST", "/api/privacy/requests", asked, key="erase")

    async def steps(_: Database) -> tuple[int, str]:
        row = await db.row("SELECT steps, state FROM privacy_request WHERE id = $1", UUID(made["id"]))
        assert row is not None
        return row["steps"], row["state"]

    places = sorted(meeting.dice.sample(range(1, len(HOLDINGS)), min(crashes, 12) - 1))
    async with db.pool.acquire() as gate:
        await gate.execute(WAITS_AT_A_GATE)
        for place in places:
            await gate.execute("SELECT pg_advisory_lock($1, $2)", GATE, place)
        for place in places:
            await _until(db, f"the erasure is within table {place}", _waiting_at, place)
            meeting.server.kill()
            assert await steps(db) == (place, "running")
            # Whoever runs jobs is taken for dead after half a minute without a sign of life: that time passes now.
            await db.rows(
                "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' RETURNING 1"
            )
            await gate.execute("SELECT pg_advisory_unlock($1, $2)", GATE, place)
            await meeting.server.start()
    await _until(db, "the erasure ends whole", steps, (len(HOLDINGS), "done"))
    await _until(db, "every follower has read everything", _behind, 0)
    left = await in_tables(db, [KIM, "sjuttisju", "kim-77"])
    assert left == {}
    assert await db.value("SELECT count(*) FROM audit_entry WHERE verb = 'privacy.erased'") == 1
    assert await db.value("SELECT count(*) FROM secret WHERE name LIKE 'privacy:%'") == 0
    assert (
        await db.value("SELECT count(DISTINCT user_id) FROM tracked_event WHERE message_id LIKE 'm-%'")
        == PEOPLE
    )
