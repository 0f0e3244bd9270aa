"""``kill -9`` of the server and of the worker while people talk with the shop: what was said is there once, and was mailed once.

Staff and customers insist until there is an answer, one in four asks twice all the same, and what is said in a
conversation is sent without an Idempotency-Key: it is known by its own id. When a process dies is never the same twice; what is killed when comes from a seed.
"""

import asyncio
import collections
import os
import random
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from memory import memory
from samlad.app import CHECKS, FOLLOWERS
from samlad.bench import shop as shops
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import Answer, request
from samlad.kernel import checks
from samlad.kernel.database import Database

PATIENCE_SECONDS = 240.0
AT_ONCE = 6


class Desk:
    """Who writes to the shop, and who answers, over a server that dies."""

    def __init__(self, shop: Shop, server: Server, product: str, dice: random.Random) -> None:
        self.shop, self.server, self.product, self.dice = shop, server, product, dice
        self.again, self.done = 0, 0
        self.staff = ""

    async def insist(self, method: str, path: str, body: Any = None, *, key: str = "") -> Answer:
        """Ask until there is an answer; one in four asks once more."""
        headers = {"idempotency-key": key} if key else {}
        data = request(method, path, key=self.shop.key, body=body, headers=headers)
        answer = await self._ask(data)
        if self.dice.random() < 0.25:
            answer = await self._ask(data)
        assert answer.status < 300, (method, path, answer)
        return answer

    async def _ask(self, data: bytes) -> Answer:
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
                    assert answer.status in (409, 503), (answer, self.server.complaints()[-3:])
                self.again += 1
                await asyncio.sleep(self.dice.uniform(0.05, 0.2))

    async def begin(self, number: int, what: str) -> str:
        made = str(uuid4())
        body = {
            "id": made,
            "channel": str(self.shop.channel.id),
            "subject": f"{what} {number}",
            "body": f"begun {what} {number}",
            "email": f"kim-{number}@example.org",
        }
        await self.insist("POST", "/api/conversations", body)
        return made

    async def say(self, talk: str, text: str, **how: Any) -> None:
        body = {"id": str(uuid4()), "body": text, **how}
        await self.insist("POST", f"/api/conversations/{talk}/messages", body)

    async def talk(self, number: int) -> None:
        """Two conversations of one customer that become one, and some of them two again."""
        one, two = await self.begin(number, "one"), await self.begin(number, "two")
        await asyncio.gather(
            self.say(one, f"answered one {number}"),
            self.say(two, f"answered two {number}"),
            self.insist("POST", f"/api/conversations/{two}/merge", {"into": one}),
            self.insist("PATCH", f"/api/conversations/{one}", {"assignee": self.staff}),
            self.say(one, f"noted {number}", note=True),
        )
        await self.say(two, f"answered both {number}")
        if number % 2:
            await asyncio.gather(
                self.insist("POST", f"/api/conversations/{two}/split"),
                self.say(two, f"called {number}", way="in", medium="phone"),
            )
        await self.insist("PATCH", f"/api/conversations/{one}", {"state": "closed"})
        self.done += 1

    async def question(self, number: int) -> None:
        """A customer asks about a product at the counter; it is published and answered."""
        body: dict[str, Any] = {"channel": str(self.shop.channel.id), "email": f"kim-{number}@example.org"}
        kim = (await self.insist("POST", "/api/customers", body, key=f"kim-{number}")).json()
        asked = {
            "channel": str(self.shop.channel.id),
            "product": self.product,
            "text": f"Does it suit me, {number}?",
            "language": "en",
            "customer": kim["id"],
        }
        await self.insist("POST", "/api/questions", asked)
        (found,) = (await self.insist("GET", f"/api/questions?customer={kim['id']}")).json()["items"]
        path = f"/api/questions/{found['id']}"
        await self.insist("POST", f"{path}/decision", {"status": "published"})
        await self.insist("PUT", f"{path}/answer", {"text": f"It does, {number}."})
        self.done += 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("talks", "crashes"), [(40, 3), pytest.param(1_500, 60, marks=pytest.mark.soak)])
async def test_kill_9_while_people_talk(talks: int, crashes: int) -> None:
    seed = int(os.environ.get("SAMLAD_CRASH_SEED", random.randrange(2**32)))
    print(f"again with SAMLAD_CRASH_SEED={seed}")  # noqa: T201 - shown when it fails
    dice = random.Random(seed)
    async with fresh_shop(memory()) as runtime:
        shop, db = await shops.open_shop(runtime), runtime.database
        await shops.add_goods(shop, 1, units=1)
        product = str(await db.value("SELECT id FROM product"))
        async with Server(runtime.settings.home, more={"SAMLAD_MAIL_TO_LOG": "true"}) as server:
            desk = Desk(shop, server, product, dice)
            given = {"email": "sam@example.org", "name": "Sam", "roles": ["support"]}
            hired = (await desk.insist("POST", "/api/staff", given, key="sam")).json()
            desk.staff = str(hired.get("staff", hired)["id"])
            await db.rows("UPDATE staff SET status = 'active' RETURNING 1")
            await _talk_while_crashing(desk, talks, crashes)
            assert desk.again > 0, "the crashes were felt"
            await _until(db, "every follower has read everything", _behind, 0)
            await _until(db, "every mail is sent", _unsent, 0)
            told = _mailed(server)
        await _judge(db, talks, UUID(desk.staff), told)


async def _talk_while_crashing(desk: Desk, talks: int, crashes: int) -> None:
    async def one(number: int) -> None:
        await (desk.question(number) if number % 4 == 0 else desk.talk(number))

    async def crash() -> None:
        for number in range(crashes):
            while desk.done < (number + 1) * talks // (crashes + 2):
                await asyncio.sleep(0.005)
            await asyncio.sleep(desk.dice.uniform(0, 0.1))
            if number % 2:
                desk.server.kill_worker()
            else:
                desk.server.kill()
                await desk.server.start()

    async with asyncio.TaskGroup() as group:
        group.create_task(crash())
        group.create_task(shops.each(range(talks), one, at_once=AT_ONCE))


async def _behind(db: Database) -> int:
    """Events that somebody who mails has before them."""
    mailers = [each for each in FOLLOWERS if each.name in ("conversation-mails", "question-mails")]
    assert len(mailers) == 2
    found: int = await db.value(
        """SELECT count(*) FROM unnest($1::text[], $2::text[]) AS k (name, type)
           JOIN event e ON e.type = k.type LEFT JOIN follower f ON f.name = k.name
           WHERE f.name IS NULL OR (e.xid, e.seq) > (f.xid, f.seq)""",
        [each.name for each in mailers for _ in each.types or ()],
        [kind for each in mailers for kind in each.types or ()],
    )
    return found


async def _unsent(db: Database) -> int:
    # Whoever sent mails and was killed is taken for dead after half a minute without a sign of life: that time passes now.
    await db.rows(
        "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' WHERE last_heartbeat < now() - interval '5 seconds' RETURNING 1"
    )
    found: int = await db.value("SELECT count(*) FROM mail_outbox")
    return found


async def _until(db: Database, what: str, ask: Any, wanted: Any) -> None:
    found = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (found := await ask(db)) != wanted:
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"{what}: {found}, not {wanted}") from None


def _mailed(server: Server) -> list[str]:
    """What was handed over, as it was logged; a process that died at that moment has handed it over twice."""
    lines = server.log.read_text("utf-8", errors="replace").splitlines()
    said = [msgspec.json.decode(line) for line in lines if '"event":"mail"' in line]
    return sorted({f"{each['to']} {_news(each['text'])}" for each in said})


def _news(text: str) -> str:
    """A mail without what an answer quotes of earlier messages; that a message has arrived quotes nothing but that message."""
    if text.startswith("Thank you for writing"):
        return text
    return "\n".join(line for line in text.split("\n") if not line.startswith("> "))


async def _judge(db: Database, talks: int, staff: UUID, told: list[str]) -> None:
    asked = [number for number in range(talks) if number % 4 == 0]
    talked = [number for number in range(talks) if number % 4]
    rows = await db.rows("SELECT body, count(*) FROM conversation_message GROUP BY 1")
    wanted = [
        f"{what} {number}"
        for number in talked
        for what in ("begun one", "begun two", "answered one", "answered two", "answered both", "noted")
    ] + [f"called {number}" for number in talked if number % 2]
    assert {row["body"]: row["count"] for row in rows} == dict.fromkeys(wanted, 1), (
        "each word once, none lost"
    )
    found = await db.rows("SELECT subject, state, assignee, merged_into IS NULL AS stands FROM conversation")
    assert {row["subject"]: row["stands"] for row in found} == {
        f"{which} {number}": which == "one" or number % 2 == 1
        for number in talked
        for which in ("one", "two")
    }
    assert {(r["state"], r["assignee"]) for r in found if r["subject"].startswith("one")} == {
        ("closed", staff)
    }

    sent = await db.rows("SELECT recipient, count(*) FROM mail_sent WHERE recipient LIKE 'kim-%' GROUP BY 1")
    assert {row["recipient"]: row["count"] for row in sent} == {
        f"kim-{number}@example.org": 5 if number % 4 else 1 for number in range(talks)
    }, "that two have arrived and three answers; the answer to a question"
    said = collections.Counter(
        what
        for each in told
        for what in ("answered one", "answered two", "answered both", "begun one", "begun two", "It does")
        if f"{what} " in each or f"{what}, " in each
    )
    assert said == {
        **dict.fromkeys(
            ("answered one", "answered two", "answered both", "begun one", "begun two"), len(talked)
        ),
        "It does": len(asked),
    }
    answered = await db.rows("SELECT status, answered_at IS NOT NULL AS answered FROM question")
    assert [(row["status"], row["answered"]) for row in answered] == [("published", True)] * len(asked)
    looked = [each for each in CHECKS if each.name in ("conversations", "question-votes")]
    assert len(looked) == 2
    found_wrong = await checks.run(db, looked)
    assert [f"{each.name}: {each.message}" for each in found_wrong if each.status != "ok"] == []
