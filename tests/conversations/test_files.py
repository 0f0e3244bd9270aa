"""Files that come with mails: kept with the message, handed out to be saved by whoever may read it, gone with it."""

from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from test_mail_replies import EVE, KIM, OWNER, Talk

from samlad import conversations
from samlad.conversations import Attached, Conversation, checks, enclosed, links, receiving, store, sweepers
from samlad.kernel.database import Database
from samlad.kernel.problems import NotFound
from samlad.kernel.settings import Settings
from trade import build

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
HTML = b"<!doctype html><script>alert(document.cookie)</script>"


@pytest.fixture
async def talk(db: Database, settings: Settings) -> Talk:
    return Talk(await build(db), settings)


def mail(to: str, *files: tuple[str, bytes], sender: str = KIM, **headers: str) -> bytes:
    raw = EmailMessage()
    raw["From"], raw["To"], raw["Message-ID"] = sender, to, f"<{uuid4()}@example.org>"
    for name, value in headers.items():
        raw[name.replace("_", "-")] = value
    raw.set_content("It came broken.")
    for name, content in files:
        raw.add_attachment(content, maintype="text", subtype="html", filename=name)
    return raw.as_bytes()


async def attached(talk: Talk, of: Conversation) -> list[Attached]:
    return list((await store.messages(talk.db, of.id, notes=True))[-1].attachments)


async def kept(talk: Talk) -> int:
    return int(await talk.db.value("SELECT count(*) FROM conversation_file"))


async def sound(talk: Talk) -> None:
    for each in checks.CHECKS:
        assert (await each.look(talk.db)).status == "ok", each.name


async def test_a_file_is_kept_once_and_handed_out_to_be_saved(talk: Talk, api: httpx.AsyncClient) -> None:
    made, other = await talk.begin(), await talk.begin(email=EVE)
    raw = mail(talk.to(made), ("Blå vas.png", PNG), ("bill.html", HTML), ("run.exe", b"MZ"))
    assert [(await talk.receive(raw)).what for _ in range(2)] == ["taken", "again"]
    png, html, program = await attached(talk, made)
    assert (png.type, html.type, program.id) == ("image/png", "application/octet-stream", None)
    assert await kept(talk) == 2
    link = links.path(talk.settings, made.id)
    for path in (
        f"/api/conversations/{made.id}/files",
        f"/admin/conversations/{made.id}/files",
        f"{link}/files",
    ):
        for file, content in ((png, PNG), (html, HTML)):
            answer = await api.get(f"{path}/{file.id}")
            assert (answer.status_code, answer.content) == (200, content), path
            assert answer.headers["content-disposition"].startswith("attachment;")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in answer.headers["content-security-policy"]
            assert answer.headers["content-type"].split(";")[0] == file.type
        assert (await api.get(f"{path}/{uuid4()}")).status_code == 404
    assert "Bl%C3%A5%20vas.png" in (await api.get(f"{link}/files/{png.id}")).headers["content-disposition"]
    # A file is found by its own conversation alone.
    for path in (f"/api/conversations/{other.id}/files", f"{links.path(talk.settings, other.id)}/files"):
        assert (await api.get(f"{path}/{png.id}")).status_code == 404
    for page in (f"/admin/conversations/{made.id}", link):
        shown = (await api.get(page)).text
        assert f"/files/{png.id}" in shown
        assert "run.exe" in shown
        assert shown.count("/files/") == 2
    await sound(talk)


async def test_a_note_of_a_program_keeps_its_files_from_the_customer(
    talk: Talk, api: httpx.AsyncClient
) -> None:
    made = await talk.begin()
    raw = mail(talk.to(made), ("a.png", PNG), Auto_Submitted="auto-replied")
    assert (await talk.receive(raw)).what == "taken"
    (file,) = await attached(talk, made)
    assert (await api.get(f"/api/conversations/{made.id}/files/{file.id}")).status_code == 200
    assert (await api.get(f"{links.path(talk.settings, made.id)}/files/{file.id}")).status_code == 404


async def test_files_of_a_mail_that_waits_go_where_it_goes(talk: Talk, api: httpx.AsyncClient) -> None:
    made = await talk.begin()
    for _ in range(3):
        assert (await talk.receive(mail("shop@shop.example", ("a.png", PNG)))).what == "waiting"
    first, second, third = (await api.get("/api/mail/inbound")).json()["items"]
    (file,) = first["attachments"]
    for path in ("/api/mail/inbound", "/admin/conversations/mails"):
        answer = await api.get(f"{path}/{first['id']}/files/{file['id']}")
        assert (answer.status_code, answer.content) == (200, PNG)
        assert (await api.get(f"{path}/{second['id']}/files/{file['id']}")).status_code == 404
    assert f"{first['id']}/files/{file['id']}" in (await api.get("/admin/conversations/mails")).text
    await talk.db.transaction(lambda tx: receiving.place(tx, UUID(first["id"]), made.id), OWNER)
    assert (await api.get(f"/api/mail/inbound/{first['id']}/files/{file['id']}")).status_code == 404
    assert (await api.get(f"/api/conversations/{made.id}/files/{file['id']}")).content == PNG
    begun = await talk.db.transaction(
        lambda tx: receiving.begin(tx, UUID(second["id"]), talk.trade.web.id, language="en"), OWNER
    )
    (also,) = await attached(talk, begun)
    assert (await api.get(f"/api/conversations/{begun.id}/files/{also.id}")).content == PNG
    await sound(talk)
    await talk.db.transaction(lambda tx: receiving.dismiss(tx, UUID(third["id"])), OWNER)
    await talk.db.rows(
        "UPDATE inbound_mail SET decided_at = now() - interval '31 days' WHERE state = 'dismissed' RETURNING 1"
    )
    await sweepers.forget_old(talk.db)
    assert await kept(talk) == 2
    await sound(talk)


async def test_there_is_an_end_to_what_is_kept(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await talk.begin()
    monkeypatch.setattr(enclosed, "MOST_OF_THREAD", 2 * len(PNG))
    monkeypatch.setattr(enclosed, "MOST_WAITING", len(PNG))
    files = [(f"{number}.png", PNG) for number in range(3)]
    assert (await talk.receive(mail(talk.to(made), *files))).what == "taken"
    assert [each.id is not None for each in await attached(talk, made)] == [True, True, False]
    assert (await talk.receive(mail(talk.to(made), files[0]))).what == "taken"
    assert [each.id for each in await attached(talk, made)] == [None], "it is named all the same"
    for number in range(2):
        assert (await talk.receive(mail("shop@shop.example", files[number]))).what == "waiting"
    assert await kept(talk) == 3
    await sound(talk)


async def test_files_go_along_when_conversations_are_put_together_and_taken_apart(
    talk: Talk, api: httpx.AsyncClient
) -> None:
    one, two = await talk.begin(), await talk.begin()
    assert (await talk.receive(mail(talk.to(one), ("a.png", PNG)))).what == "taken"
    (file,) = await attached(talk, one)

    async def where() -> list[Any]:
        return [
            (await api.get(f"/api/conversations/{each.id}/files/{file.id}")).status_code
            for each in (one, two)
        ]

    assert await where() == [200, 404]
    await talk.db.transaction(lambda tx: conversations.merge(tx, one.id, two.id), OWNER)
    assert (await where())[1] == 200
    await talk.db.transaction(lambda tx: conversations.split(tx, one.id), OWNER)
    assert await where() == [200, 404]
    with pytest.raises(NotFound):
        await talk.db.transaction(lambda tx: receiving.files.of_mail(tx, uuid4(), file.id or uuid4()), OWNER)
    await sound(talk)
