"""Mails go out once the transaction is committed, by a real SMTP server, and what they say is nowhere else."""

import asyncio
import socket
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from samlad.kernel import jobs, mail, vault
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.jobs import JobContext
from samlad.kernel.mail import Mail, NoMailServer
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault

KIM = Mail(
    to="kim@example.org",
    subject="Logga in på Kök & Co",
    text="Här: http://shop.test/link/hemlig\n",
    sender="Kök & Co",
)


class Box:
    """Takes mails; refuses while ``is_full``."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.is_full = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        if self.is_full:
            return "452 Requested action not taken: insufficient system storage"
        self.taken.append(envelope)
        return "250 OK"


def _knows(_server: Any, _session: Any, _envelope: Any, _means: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"shop", b"s3cret")
    return AuthResult(success=right, handled=True)


def context(db: Database, settings: Settings) -> JobContext:
    return JobContext(db, settings, 1, mail.JOB, 1, Context())


async def test_a_mail_is_sent_once_and_leaves_nothing(settings: Settings, db: Database, capfd: Any) -> None:
    box, keys = Box(), Vault.of(settings)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port, authenticator=_knows, auth_require_tls=False)
    server.start()
    try:
        set_up = msgspec.structs.replace(
            settings,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_tls="none",
            smtp_user="shop",
            mail_from="shop@example.com",
        )
        assert mail.is_set(set_up)
        sent = await db.transaction(lambda tx: mail.send(tx, keys, KIM))
        row = await db.row("SELECT recipient, sealed FROM mail_outbox")
        job = await db.row("SELECT args::text AS args FROM procrastinate_jobs WHERE task_name = $1", mail.JOB)
        assert row is not None
        assert job is not None
        assert b"hemlig" not in row["sealed"]
        assert "hemlig" not in job["args"] + str(job["args"])
        with pytest.raises(NoMailServer, match="secret set smtp"):
            await mail.deliver(context(db, set_up), sent)
        await db.transaction(lambda tx: vault.put(tx, keys, mail.PASSWORD, b"s3cret"))
        box.is_full = True
        with pytest.raises(Exception, match="452"):
            await mail.deliver(context(db, set_up), sent)
        assert await db.value("SELECT count(*) FROM mail_outbox") == 1
        box.is_full = False
        await asyncio.gather(*(mail.deliver(context(db, set_up), sent) for _ in range(3)))
        assert len(box.taken) == 1
        envelope = box.taken[0]
        assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@example.com", ["kim@example.org"])
        assert f"<{sent}@example.com>".encode() in envelope.content
        assert await db.value("SELECT count(*) FROM mail_outbox") == 0
    finally:
        server.stop()
    # Without a server nothing is said to be sent; a developer has it in the log, nobody else.
    assert not mail.is_set(settings)
    other = await db.transaction(lambda tx: mail.send(tx, keys, KIM))
    with pytest.raises(NoMailServer):
        await mail.deliver(context(db, settings), other)
    assert "hemlig" not in "".join(capfd.readouterr())
    await mail.deliver(context(db, msgspec.structs.replace(settings, mail_to_log=True)), other)
    assert "hemlig" in "".join(capfd.readouterr())


async def test_what_is_rolled_back_is_not_sent(settings: Settings, db: Database) -> None:
    keys = Vault.of(settings)

    async def work(tx: Tx) -> None:
        await mail.send(tx, keys, KIM)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await db.transaction(work)
    assert await db.value("SELECT count(*) FROM mail_outbox") == 0
    assert (await jobs.counts(db))["todo"] == 0
    await db.transaction(lambda tx: mail.send(tx, keys, KIM))
    await db.rows("UPDATE mail_outbox SET created_at = now() - interval '3 days' RETURNING 1")
    await mail.forget_old(db)
    assert await db.value("SELECT count(*) FROM mail_outbox") == 0
    header = mail.message_of(
        "shop@example.com", await db.transaction(lambda tx: mail.send(tx, keys, KIM)), KIM
    )
    assert "Kök & Co" in str(header["From"])
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        mail.message_of(
            "shop@example.com",
            context(db, settings).context.request_id,
            msgspec.structs.replace(KIM, subject="a\nBcc: b@c.de"),
        )
