"""Mails that customers answer: in their conversation once, what is in doubt before staff, and never an answer of ours to them."""

import asyncio
import json
import subprocess
import sys
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from account_people import Post
from samlad import conversations
from samlad.access.permissions import Role, permissions_of
from samlad.conversations import (
    BeginInput,
    Conversation,
    Mark,
    MessageInput,
    Received,
    State,
    Way,
    checks,
    links,
    receiving,
    store,
    sweepers,
)
from samlad.kernel import mail
from samlad.kernel.context import SYSTEM, Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.mail import Mail
from samlad.kernel.problems import Conflict, Forbidden, NotFound, TooMany
from samlad.kernel.settings import Settings
from trade import Trade, build

OWNER = Context(actor=Actor(kind="staff", id=uuid4(), name="Bo", permissions=permissions_of(Role.OWNER)))
KIM, EVE = "kim@example.org", "eve@example.org"


class Talk:
    """A conversation with Kim in a shop whose mails can be answered, and what comes in."""

    def __init__(self, trade: Trade, settings: Settings) -> None:
        self.trade, self.db = trade, trade.db
        self.settings = self.db.settings = msgspec.structs.replace(
            settings,
            mail_to_log=True,
            mail_from="shop@shop.example",
            mail_replies="replies@shop.example",
            public_url="https://shop.example.org",
        )
        self.count = 0

    async def begin(self, email: str = KIM, **fields: Any) -> Conversation:
        plain = {
            "channel": self.trade.web.id,
            "subject": "Where is it?",
            "body": "On Monday?",
            "email": email,
        }
        data = msgspec.convert({**plain, "name": "Kim Berg", **fields}, BeginInput)
        guest = Context(actor=Actor(kind="guest"), remote=f"192.0.2.{self.count}")
        return await self.db.transaction(lambda tx: conversations.begin(tx, data), guest)

    async def answer(self, of: Conversation, body: str = "On its way.") -> Mail:
        data = MessageInput(body=body)
        await self.db.transaction(lambda tx: conversations.write(tx, of.id, data), OWNER)
        await self.trade.follow()
        return (await self.mails())[-1]

    async def mails(self) -> list[Mail]:
        return await Post(self.db, self.settings, self.trade.web).mails()

    def to(self, of: Conversation) -> str:
        return links.mail_address(self.settings, of.id) or ""

    def written(
        self, to: str, text: str = "Thank you!", sender: str = f"Kim <{KIM}>", **headers: str
    ) -> bytes:
        self.count += 1
        message = EmailMessage()
        message["From"], message["To"] = sender, to
        message["Subject"] = "Re: Where is it?"
        message["Message-ID"] = headers.pop("Message_ID", f"<{self.count}@example.org>")
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        return message.as_bytes()

    async def receive(self, raw: bytes) -> Received:
        return await self.db.transaction(lambda tx: receiving.receive(tx, raw))

    async def comes(
        self, to: str, text: str = "Thank you!", sender: str = f"Kim <{KIM}>", **headers: str
    ) -> str:
        return (await self.receive(self.written(to, text, sender, **headers))).what

    async def words(self, of: Conversation) -> list[tuple[str, str, list[Mark]]]:
        return [
            (each.way, each.body, each.marks) for each in await store.messages(self.db, of.id, notes=True)
        ]

    async def waiting(self) -> list[tuple[str, str]]:
        rows = await self.db.rows(
            "SELECT reason, sender FROM inbound_mail WHERE state = 'waiting' ORDER BY received_at"
        )
        return [tuple(row.values()) for row in rows]

    async def sound(self) -> None:
        for check in checks.CHECKS:
            found = await check.look(self.db)
            assert found.status == "ok", found.message


@pytest.fixture
async def talk(db: Database, settings: Settings) -> Talk:
    return Talk(await build(db), settings)


async def test_an_answer_to_our_mail_lands_in_its_thread_once(talk: Talk) -> None:
    made = await talk.begin(language="sv")
    told = await talk.answer(made, "On its way.\n\nIt is <late> & slow.")
    assert told.reply_to == talk.to(made)
    assert len(told.reply_to.partition("@")[0]) <= 64
    assert told.text.startswith("##-")
    assert "> On Monday?" in told.text
    assert "Du skrev:" in told.text
    assert "It is &lt;late&gt; &amp; slow." in told.html
    assert 'lang="sv"' in told.html
    assert "<script" not in told.html
    # Kim's program lower-cases nothing, or everything; answers twice at once; the server delivers each twice.
    quoted = "\n".join(f"> {line}" for line in told.text.split("\n"))
    raw = talk.written(
        told.reply_to.upper(),
        f"Tack, när?\n\nDen fre 27 nov. 2026 kl 10:00 skrev Butik <shop@shop.example>:\n{quoted}",
    )
    both = await asyncio.gather(*(talk.receive(raw) for _ in range(4)))
    assert sorted(each.what for each in both) == ["again", "again", "again", "taken"]
    assert await talk.comes(told.reply_to, "شكرا لكم") == "taken"
    assert await talk.comes(told.reply_to, "Dank u wel\n\nVerstuurd vanaf mijn iPhone") == "taken"
    assert [body for _, body, _ in await talk.words(made)][2:] == ["Tack, när?", "شكرا لكم", "Dank u wel"]
    here = await store.one(talk.db, made.id)
    assert here is not None
    assert (here.state, here.messages, here.waiting_since is not None) == (State.OPEN, 5, True)
    (said, *_) = [
        each for each in await store.messages(talk.db, made.id, notes=False) if each.medium == "mail"
    ]
    assert (said.way, said.author_name, said.marks) == (Way.IN, "Kim Berg", [])
    # Nothing answers a mail by itself: only the first word and the answer were told.
    await talk.trade.follow()
    assert len(await talk.mails()) == 2
    assert await talk.waiting() == []
    # Our next mail goes on from theirs, for programs that show threads.
    again = await talk.answer(made, "Tomorrow")
    assert again.references[-1] == "3@example.org"
    assert any(each.endswith("@shop.example") for each in again.references)
    message = mail.message_of("shop@shop.example", uuid4(), again)
    assert message["In-Reply-To"] == "<3@example.org>"
    assert message["Reply-To"] == talk.to(made)
    await talk.sound()


async def test_what_is_in_doubt_waits_for_staff(talk: Talk) -> None:
    made, other = await talk.begin(), await talk.begin(EVE)
    await talk.answer(made)
    ours = await talk.db.value(
        "SELECT mail FROM conversation_mail WHERE conversation = $1 ORDER BY sent_at DESC LIMIT 1", made.id
    )
    token = talk.to(made)
    short = token.replace("@", "a@")
    turned = token[:10] + ("b" if token[10] == "a" else "a") + token[11:]
    assert await talk.comes("shop@shop.example") == "waiting"  # neither subject nor sender are evidence
    assert await talk.comes(turned) == "waiting"
    assert await talk.comes(short) == "waiting"
    assert await talk.comes(talk.to(other), In_Reply_To=f"<{ours}@shop.example>") == "waiting"
    assert (
        await talk.comes("shop@shop.example", sender="x@example.org", References=f"<{ours}@shop.example>")
        == "waiting"
    )
    assert await talk.comes(token, sender=EVE) == "waiting"
    assert sorted(await talk.waiting()) == sorted([
        ("no-thread", KIM), ("forged", KIM), ("forged", KIM), ("two-threads", KIM),
        ("other-sender", "x@example.org"), ("other-customer", EVE),
    ])  # fmt: skip
    assert len(await talk.words(made)) == 2
    assert len(await talk.words(other)) == 1
    # An answer of the customer's own address to a mail of ours is evidence without the address.
    assert await talk.comes("shop@shop.example", In_Reply_To=f"<{ours}@shop.example>") == "taken"
    # Somebody unknown with the right address is heard, with a mark and the address.
    assert await talk.comes(token, sender="Kim at work <kim@work.example>") == "taken"
    last = (await store.messages(talk.db, made.id, notes=True))[-1]
    assert (last.marks, last.author_name) == ([Mark.OTHER_ADDRESS], "Kim at work <kim@work.example>")
    await talk.sound()


async def test_programs_are_noted_and_never_answered(talk: Talk) -> None:
    made = await talk.begin()
    told = await talk.answer(made)
    before = len(await talk.mails())
    assert await talk.comes(told.reply_to, "I am away.", Auto_Submitted="auto-replied") == "taken"
    assert (await talk.words(made))[-1] == ("note", "I am away.", [Mark.AUTOMATIC])
    here = await store.one(talk.db, made.id)
    assert here is not None
    assert (here.state, here.waiting_since, here.words) == (State.PENDING, None, 2)
    # From nobody to nobody, a report on a mail, and what we sent ourselves: passed over, kept nowhere.
    assert await talk.comes("shop@shop.example", "Sale!", Precedence="bulk") == "passed"
    late = (
        b"From: x@example.org\nTo: "
        + told.reply_to.encode()
        + b"\nContent-Type: multipart/report; boundary=b\n\n--b\n\nLate\n--b--"
    )
    assert (await talk.receive(late)).what == "passed"
    assert await talk.comes(told.reply_to, "Round", sender="Shop <shop@shop.example>") == "passed"
    assert await talk.comes(told.reply_to, "Round", sender=told.reply_to) == "passed"
    assert await talk.db.value("SELECT count(*) FROM inbound_mail") == 1
    await talk.trade.follow()
    assert len(await talk.mails()) == before


async def test_numbers_of_cards_files_and_long_words(talk: Talk) -> None:
    made = await talk.begin()
    raw = EmailMessage()
    raw["From"], raw["To"] = KIM, talk.to(made)
    raw.set_content("My card is 4111 1111 1111 1111.\n" + "word " * 4_000)
    raw.add_attachment(b"x" * 1_000, maintype="image", subtype="png", filename="vase.png")
    assert (await talk.receive(raw.as_bytes())).what == "taken"
    said = (await store.messages(talk.db, made.id, notes=True))[-1]
    assert said.marks == [Mark.CARD, Mark.SHORTENED]
    assert "4111" not in said.body
    assert len(said.body) <= 10_000
    assert [(each.name, each.size) for each in said.attachments] == [("vase.png", 1_000)]
    assert await talk.db.value("SELECT count(*) FROM inbound_mail WHERE body <> '' OR sender <> ''") == 0


async def test_too_many_are_asked_to_come_later(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await talk.begin()
    monkeypatch.setattr(receiving, "IN_AN_HOUR", 2)
    monkeypatch.setattr(receiving, "WAITING_A_DAY", 1)
    assert [await talk.comes(talk.to(made)) for _ in range(2)] == ["taken"] * 2
    late = talk.written(talk.to(made), "Once more")
    with pytest.raises(TooMany):
        await talk.receive(late)
    monkeypatch.setattr(receiving, "IN_AN_HOUR", 3)  # the server tries again, and it is not lost
    await talk.db.rows("UPDATE rate_window SET used = 2 WHERE bucket = 'conversations.mail' RETURNING 1")
    assert (await talk.receive(late)).what == "taken"
    assert await talk.comes("shop@shop.example") == "waiting"
    with pytest.raises(TooMany):
        await talk.comes("shop@shop.example")


async def test_a_thread_that_goes_on_elsewhere_and_one_that_was_erased(talk: Talk) -> None:
    one, two, three = [await talk.begin(subject=f"Subject {n}") for n in range(3)]
    for here, there in ((one, two), (two, three)):
        await talk.db.transaction(lambda tx, a=here, b=there: conversations.merge(tx, a.id, b.id), OWNER)
    assert await talk.comes(talk.to(one), "To the first") == "taken"
    assert [body for _, body, _ in await talk.words(three)][-1] == "To the first"
    assert (await conversations.by_link(talk.db, one.id)).conversation.id == three.id
    await talk.sound()
    # Taken apart in any order, what went on in the middle one comes along with it.
    await talk.db.transaction(lambda tx: conversations.split(tx, two.id), OWNER)
    assert [len(await talk.words(each)) for each in (one, two, three)] == [0, 2, 2]
    await talk.db.transaction(lambda tx: conversations.split(tx, one.id), OWNER)
    assert [len(await talk.words(each)) for each in (one, two, three)] == [1, 1, 2]
    await talk.sound()
    await talk.db.rows(
        "UPDATE conversation SET customer = NULL, name = '', email = NULL, phone = NULL WHERE id = $1 RETURNING 1",
        one.id,
    )
    assert await talk.comes(talk.to(one)) == "waiting"
    assert await talk.waiting() == [("erased", KIM)]


async def test_what_staff_placed_is_there_also_when_its_conversation_went_on_elsewhere(talk: Talk) -> None:
    one, two = await talk.begin(), await talk.begin(subject="Again")
    assert await talk.comes("shop@shop.example", "A word") == "waiting"
    mail_id = await talk.db.value("SELECT id FROM inbound_mail")
    await talk.db.transaction(lambda tx: receiving.place(tx, mail_id, one.id), OWNER)
    await talk.db.transaction(lambda tx: conversations.merge(tx, one.id, two.id), OWNER)
    for each in (one, two):
        again = await talk.db.transaction(lambda tx, to=each: receiving.place(tx, mail_id, to.id), OWNER)
        assert again.id == two.id
    assert [body for _, body, _ in await talk.words(two)].count("A word") == 1
    await talk.db.transaction(lambda tx: conversations.split(tx, one.id), OWNER)
    assert (await talk.db.transaction(lambda tx: receiving.place(tx, mail_id, one.id), OWNER)).id == one.id
    with pytest.raises(Conflict):
        await talk.db.transaction(lambda tx: receiving.place(tx, mail_id, two.id), OWNER)
    await talk.sound()


async def test_staff_decide(talk: Talk, api: httpx.AsyncClient) -> None:
    made = await talk.begin()
    for n in range(3):
        assert (
            await talk.comes("shop@shop.example", f"Word {n}", sender="Noor <noor@example.org>") == "waiting"
        )
    assert (await conversations.counts(talk.db, SYSTEM)).mails == 3
    first, second, third = [
        row["id"] for row in await talk.db.rows("SELECT id FROM inbound_mail ORDER BY body")
    ]
    here = await talk.db.transaction(lambda tx: receiving.place(tx, first, made.id), OWNER)
    assert here == await talk.db.transaction(lambda tx: receiving.place(tx, first, made.id), OWNER)
    assert (await talk.words(made))[-1] == ("in", "Word 0", [Mark.OTHER_ADDRESS])
    other = await talk.begin(EVE)
    with pytest.raises(Conflict):
        await talk.db.transaction(lambda tx: receiving.place(tx, first, other.id), OWNER)
    with pytest.raises(Conflict):
        await talk.db.transaction(lambda tx: receiving.dismiss(tx, first), OWNER)
    with pytest.raises(NotFound):
        await talk.db.transaction(lambda tx: receiving.place(tx, uuid4(), made.id), OWNER)
    begun = [
        await talk.db.transaction(
            lambda tx: receiving.begin(tx, second, talk.trade.web.id, language="nl"), OWNER
        )
        for _ in range(2)
    ]
    assert begun[0].id == begun[1].id
    assert (begun[0].email, begun[0].name, begun[0].language) == ("noor@example.org", "Noor", "nl")
    await talk.trade.follow()
    assert [
        each.to for each in await talk.mails() if each.to == "noor@example.org"
    ] == []  # nobody is answered by itself
    told = await talk.answer(begun[0])
    assert told.to == "noor@example.org"
    for _ in range(2):
        assert (
            await talk.db.transaction(lambda tx: receiving.dismiss(tx, third), OWNER)
        ).state == "dismissed"
    await sweepers.forget_old(talk.db)
    assert (
        await talk.db.transaction(lambda tx: receiving.dismiss(tx, third, is_dismissed=False), OWNER)
    ).state == "waiting"
    await talk.db.transaction(lambda tx: receiving.dismiss(tx, third), OWNER)
    await talk.db.rows("UPDATE inbound_mail SET decided_at = now() - interval '31 days' RETURNING 1")
    await sweepers.forget_old(talk.db)
    assert await talk.db.value("SELECT count(*) FROM inbound_mail WHERE state <> 'taken'") == 0
    assert await talk.db.value("SELECT count(*) FROM audit_entry WHERE verb LIKE 'inbound_mail.%'") == 5
    nobody = Context(actor=Actor(kind="staff", permissions=frozenset({conversations.READ})))
    for verb in (lambda tx: receiving.receive(tx, b""), lambda tx: receiving.place(tx, first, made.id)):
        with pytest.raises(Forbidden):
            await talk.db.transaction(verb, nobody)
    await talk.sound()


async def test_the_same_over_http_and_through_the_pipe(
    talk: Talk, api: httpx.AsyncClient, api_as: Any, settings: Settings
) -> None:
    async with api_as(Actor(kind="staff", permissions=frozenset({conversations.WRITE}))) as other:
        assert (await other.post("/api/mail", content=b"x" * 100)).status_code == 403
    # The server of this test takes no answers: an address that it does not know is nobody's.
    raw = talk.written("shop@shop.example", "By a service", sender="noor@example.org")
    answers = [
        (await api.post("/api/mail", content=raw, headers={"content-type": "message/rfc822"})).json()
        for _ in range(2)
    ]
    assert [each["what"] for each in answers] == ["waiting", "again"]
    (listed,) = (await api.get("/api/mail/inbound?state=waiting")).json()["items"]
    assert (listed["sender"], listed["body"], listed["reason"]) == (
        "noor@example.org",
        "By a service",
        "no-thread",
    )
    path = f"/api/mail/inbound/{listed['id']}"
    assert (await api.post(f"{path}/dismiss")).json()["state"] == "dismissed"
    assert (await api.post(f"{path}/restore")).json()["state"] == "waiting"
    begun = await api.post(f"{path}/begin", json={"channel": str(talk.trade.web.id)})
    assert (begun.status_code, begun.json()["email"]) == (201, "noor@example.org")
    assert (await api.post(f"{path}/place", json={"conversation": begun.json()["id"]})).status_code == 200

    made = await talk.begin()
    environment = {
        "SAMLAD_HOME": str(settings.home),
        "SAMLAD_DATABASE_URL": settings.database_url or "",
        "SAMLAD_SCHEMA": settings.schema,
        "SAMLAD_MAIL_REPLIES": "@replies.shop.example",
        "PATH": "/usr/bin:/bin",
    }
    if settings.secret_key:
        environment["SAMLAD_SECRET_KEY"] = settings.secret_key
    there = msgspec.structs.replace(talk.settings, mail_replies="@replies.shop.example")
    address = links.mail_address(there, made.id) or ""
    assert address.endswith("@replies.shop.example")
    raw = talk.written(address, "Through the pipe")
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "samlad.cli", "mail", "receive", "--json"],
        input=raw, env=environment, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["conversation"] == str(made.id)
    assert [body for _, body, _ in await talk.words(made)][-1] == "Through the pipe"
