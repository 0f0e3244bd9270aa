"""Mails that come back mark their address: nobody is written to where nobody can be reached, until staff say otherwise."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from aiosmtpd.controller import Controller

from samlad import consent, customers
from samlad.channels import Resource
from samlad.consent import BounceChange
from samlad.conversations import receiving
from samlad.customers import PersonInput
from samlad.kernel import mail, mailboxes
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.jobs import JobContext
from samlad.kernel.mail import Mail
from samlad.kernel.problems import Forbidden, NotFound
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from trade import build

KIM = "kim@example.org"


def report(to: str, status: str = "5.1.1", code: int = 550) -> bytes:
    """What a mail server says of a mail, at the address that this mail comes back to."""
    return (
        f"From: MAILER-DAEMON@mx.example\nTo: <{to}>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nSorry.\n\n--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; {KIM}\nAction: failed\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {code} {status} said of {KIM}\n\n--b--\n"
    ).encode()


class Box:
    """A mail server that knows everybody but ``nobody@``."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 No such user"
        if address.startswith("policy@"):
            return "550 5.7.1 We do not like you"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        self.taken.append(envelope)
        return "250 OK"


class Post:
    """Sends mails through the outbox to a mail server."""

    def __init__(self, db: Database, settings: Settings, port: int, box: Box) -> None:
        self.db, self.box = db, box
        self.settings = msgspec.structs.replace(
            settings,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_tls="none",
            mail_from="shop@shop.example",
            mail_bounces="bounces@shop.example",
        )

    async def send(self, to: str = KIM, **more: Any) -> UUID:
        letter = Mail(to=to, subject="Hello", text="Hello.", kind="order", **more)
        number = await self.db.transaction(lambda tx: mail.send(tx, Vault.of(self.settings), letter))
        await mail.deliver(JobContext(self.db, self.settings, 1, mail.JOB, 1, Context()), number)
        assert await self.db.value("SELECT count(*) FROM mail_outbox") == 0
        return number

    async def come_back(self, number: UUID, status: str = "5.1.1", code: int = 550) -> list[str]:
        raw = report(f"bounces+{number.hex}@shop.example", status, code)
        return (await self.db.transaction(lambda tx: receiving.receive(tx, raw))).addresses

    async def marks(self) -> list[tuple[Any, ...]]:
        rows = await self.db.rows(
            "SELECT address, is_permanent, is_stopped, status, times FROM mail_bounce ORDER BY address"
        )
        return [tuple(row.values()) for row in rows]


@pytest.fixture
def post(db: Database, settings: Settings) -> Iterator[Post]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    box = Box()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield Post(db, settings, port, box)
    finally:
        server.stop()


async def test_a_mail_that_comes_back_later_stops_the_next(post: Post, db: Database) -> None:
    trade = await build(db)
    pool = trade.web.pools[Resource.CUSTOMERS]
    kim = await db.transaction(lambda tx: customers.find_or_create(tx, pool, PersonInput(email=KIM)))
    first = await post.send("Kim@Example.org", person=kim.id, channel=trade.web.id)
    assert post.box.taken[0].mail_from == f"bounces+{first.hex}@shop.example"

    # Told twice, and by two processes at once, it is once; of another's mail nothing is believed.
    told = await asyncio.gather(*(post.come_back(first) for _ in range(3)))
    assert sorted(told, key=len) == [[], [], ["Kim@Example.org"]]
    assert await post.come_back(UUID(int=7)) == []
    assert await post.marks() == [(KIM, True, True, "5.1.1", 1)]
    (event,) = await db.rows(
        "SELECT payload, personal, subject, profile FROM event WHERE type = 'mail.bounced'"
    )
    assert (event["subject"], event["profile"], event["payload"]["status"]) == (first, kim.id, 550)
    assert KIM not in str(event["payload"]).lower()

    # The next is not sent, and that is told.
    second = await post.send()
    assert len(post.box.taken) == 1
    assert await db.value("SELECT subject FROM event WHERE type = 'mail.withheld'") == second

    # Staff write again; it stays so until the next comes back for good.
    number = await db.value("SELECT id FROM mail_bounce")
    for _ in range(2):
        again = await db.transaction(
            lambda tx: consent.bounces.decide(tx, number, BounceChange(is_stopped=False))
        )
        assert not again.is_stopped
    assert await db.value("SELECT count(*) FROM audit_entry WHERE verb = 'mail.address_opened'") == 1
    third = await post.send()
    assert len(post.box.taken) == 2
    assert await post.come_back(third, "4.2.2", 452) == [KIM]
    assert await post.marks() == [(KIM, False, False, "4.2.2", 2)]
    fourth = await post.send()
    assert await post.come_back(fourth) == [KIM]
    assert await post.marks() == [(KIM, True, True, "5.1.1", 3)]


async def test_a_mailbox_that_is_full_is_written_to_again(post: Post, db: Database) -> None:
    assert await post.come_back(await post.send(), "5.2.2", 552) == [KIM]
    assert await post.marks() == [(KIM, False, False, "5.2.2", 1)]
    await post.send()
    assert len(post.box.taken) == 2
    # What the mail server refuses at once is judged in the same way.
    await post.send("nobody@example.org")
    await post.send("policy@example.org")
    assert await post.marks() == [
        (KIM, False, False, "5.2.2", 1),
        ("nobody@example.org", True, True, "5.1.1", 1),
        ("policy@example.org", False, False, "5.7.1", 1),
    ]
    # To whom mails went is forgotten when they do not come back any more.
    await db.rows("UPDATE mail_sent SET sent_at = now() - interval '31 days' RETURNING 1")
    await mail.forget_old(db)
    assert await db.value("SELECT count(*) FROM mail_sent") == 0


async def test_who_may_see_and_decide(post: Post, db: Database, api_as: Any) -> None:
    await post.come_back(await post.send())
    number = await db.value("SELECT id FROM mail_bounce")
    nobody = Context(actor=Actor(kind="staff", permissions=frozenset({consent.MAIL_READ})))
    with pytest.raises(Forbidden):
        await db.transaction(
            lambda tx: consent.bounces.decide(tx, number, BounceChange(is_stopped=False)), nobody
        )
    with pytest.raises(Forbidden):
        await db.transaction(lambda tx: receiving.receive(tx, b""), nobody)
    with pytest.raises(NotFound, match="no such address"):
        await db.transaction(
            lambda tx: consent.bounces.decide(tx, UUID(int=1), BounceChange(is_stopped=False))
        )
    async with api_as(nobody.actor) as api:
        page = (await api.get("/admin/mail")).text
        assert KIM in page
        assert "Write again" not in page
        assert (await api.get("/api/mail/bounces?state=stopped")).json()["items"][0]["address"] == KIM
        assert (await api.get("/api/mail/bounces?state=written")).json()["items"] == []
        assert (await api.patch(f"/api/mail/bounces/{number}", json={"is_stopped": False})).status_code == 403
    async with api_as(Actor(kind="staff")) as api:
        assert (await api.get("/admin/mail")).status_code == 403
        assert (await api.get("/api/mail/bounces")).status_code == 403


async def test_the_page_says_why_and_undoes_it(post: Post, db: Database, api: httpx.AsyncClient) -> None:
    empty = (await api.get("/admin/mail")).text
    assert "samlad mail receive" in empty
    await post.come_back(await post.send())
    number = await db.value("SELECT id FROM mail_bounce")
    page = (await api.get("/admin/mail?q=KIM@")).text
    assert "There is no such mailbox" in page
    assert f"said of {KIM}" in page
    assert (await api.post(f"/admin/mail/{number}")).status_code == 303
    assert await post.marks() == [(KIM, True, False, "5.1.1", 1)]
    assert "Stop mails" in (await api.get("/admin/mail")).text
    assert (await api.post(f"/admin/mail/{number}", data={"is_stopped": "1"})).status_code == 303
    assert await post.marks() == [(KIM, True, True, "5.1.1", 1)]
    assert (await api.get("/admin/mail", headers={"accept-language": "sv"})).text.count(
        "Brevlådan finns inte"
    ) == 1


async def test_a_mail_server_pipes_messages_in(post: Post, db: Database, settings: Settings) -> None:
    number = await post.send()

    async def pipe(raw: bytes, **environment: str) -> tuple[int, str]:
        run = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "samlad.cli", "mail", "receive"],
            input=raw,
            env={
                "SAMLAD_HOME": str(settings.home),
                "SAMLAD_DATABASE_URL": settings.database_url or "",
                "SAMLAD_SCHEMA": settings.schema,
                "PATH": "/usr/bin:/bin",
            }
            | environment,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return run.returncode, (run.stdout + run.stderr).decode()

    raw = report(f"bounces+{number.hex}@shop.example")
    code, said = await pipe(raw, SAMLAD_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert code == 75, said
    code, said = await pipe(raw)
    assert (code, said.strip()) == (0, f"Mails do not arrive at {KIM}.")
    assert await mailboxes_stopped(db)
    code, said = await pipe(b"Subject: Hello\n\nHello.\n")
    assert code == 0
    assert "passed over" in said


async def mailboxes_stopped(db: Database) -> bool:
    return await db.transaction(lambda tx: mailboxes.is_stopped(tx, KIM.upper()))
