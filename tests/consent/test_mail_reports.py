"""Mails that report: only by consent, by links that lead nowhere else, with programs told apart from people."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import horizon
from samlad import consent
from samlad.consent import Answer, AnswerInput, Level, reporting
from samlad.consent.reporting import Report
from samlad.customers import service
from samlad.customers.model import NewCustomer
from samlad.kernel import followers, log, mail
from samlad.kernel.database import Database
from samlad.kernel.mail import Mail
from samlad.kernel.mailboxes import MailBounced
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import Vault
from samlad.tracking import own
from trade import build

READER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15"


@given(st.text(max_size=40).map(lambda text: "/" + text) | st.text(max_size=40))
def test_a_link_never_leaves_the_shop(target: str) -> None:
    if reporting.is_here(target):
        left = httpx.URL("https://shop.example/a").join(target)
        assert (left.scheme, left.host) == ("https", "shop.example")


@pytest.mark.parametrize(
    ("agent", "how", "by"),
    [
        (READER, {}, None),
        (READER, {"seconds": 1}, "scanner"),
        (READER, {"method": "HEAD"}, "prefetch"),
        (READER, {"purpose": "prefetch;prerender"}, "prefetch"),
        ("Mozilla/5.0", {}, "apple-mpp"),
        ("", {}, "program"),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", {}, "gmail-proxy"),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", {}, "yahoo-proxy"),
        ("Mozilla/5.0 (compatible; Barracuda Link Protection)", {}, "scanner"),
        ("Slackbot-LinkExpanding 1.0", {}, "program"),
    ],
)  # fmt: skip
def test_programs_are_told_apart(agent: str, how: dict[str, Any], by: str | None) -> None:
    assert reporting.machine(agent, **{"seconds": 60, **how}) == by


async def told(db: Database, count: int) -> int:
    """How many events there are, once there are so many: they are told in the background."""
    async with asyncio.timeout(60):
        while (there := await db.value("SELECT count(*) FROM tracked_event")) < count:
            pass
    return there


async def test_a_mail_reports_by_consent_only(api: httpx.AsyncClient, db: Database) -> None:
    trade = await build(db)
    keys, channel = Vault.of(db.settings), trade.web
    base = "http://shop.example"
    kim = await db.transaction(
        lambda tx: service.create(tx, NewCustomer(channel=channel.id, name="Kim", email="kim@example.org"))
    )
    text = (
        "Hello <Kim> & co,\n{base}/order/abc?x=1&y=2 is here. Elsewhere: https://evil.example/a.\n"
        "{base}/preferences/secret\nBye"
    )

    async def written() -> Mail:
        from samlad import channels

        nonlocal base
        base = channels.shop_address(db.settings, channel)
        letter = Mail(to="kim@example.org", subject="Hi", text=text.format(base=base))
        return await db.transaction(
            lambda tx: reporting.reported(tx, keys, channel, kim.id, "order", letter, at=1_700_000_000)
        )

    async def answer(said: Answer) -> None:
        given = AnswerInput(purpose="analytics", answer=said, channel=channel.id)
        await db.transaction(
            lambda tx: consent.record(tx, kim.id, [given], level=Level.VERIFIED, source="test")
        )

    assert (await written()).html == "", "missing means no"
    await answer(Answer.GRANTED)
    letter = await written()
    assert letter.text == text.format(base=base), "the text is not touched"
    assert "Hello &lt;Kim&gt; &amp; co," in letter.html
    assert 'href="https://evil.example/a"' in letter.html
    assert f'href="{base}/preferences/secret"' in letter.html
    assert f"{base}/order" not in letter.html.replace(f">{base}/order", "")
    paths = [
        part.split('"')[0].removeprefix(base)
        for part in letter.html.split('="')[1:]
        if "/mail/" in part.split('"')[0]
    ]
    assert [path[:8] for path in paths] == ["/mail/c/", "/mail/o/"]
    message = mail.message_of("shop@example.org", uuid4(), letter)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]

    headers = {"User-Agent": READER}
    for _ in range(3):
        went = await api.get(paths[0], headers=headers)
        assert (went.status_code, went.headers["location"]) == (303, "/order/abc?x=1&y=2")
        seen = await api.get(paths[1], headers=headers)
        assert (seen.status_code, seen.headers["content-type"]) == (200, "image/gif")
    await api.get(paths[1], headers={"User-Agent": "Mozilla/5.0"})
    assert await told(db, 3) == 3
    rows = await db.rows(
        "SELECT name, user_id, payload FROM tracked_event ORDER BY name, payload -> 'properties' ->> 'machine'"
    )
    found = [(row["name"], row["user_id"], row["payload"]["properties"]) for row in rows]
    assert [(name, who) for name, who, _ in found] == [
        ("Email Link Clicked", str(kim.id)),
        ("Email Opened", str(kim.id)),
        ("Email Opened", str(kim.id)),
    ], "once an hour, however often"
    assert found[0][2]["link_url"] == "/order", "the rest is a secret of whoever ordered"
    assert [row[2].get("machine") for row in found] == [None, "apple-mpp", None]

    await answer(Answer.DENIED)
    assert (await api.get(paths[0], headers=headers)).status_code == 303, "it leads on"
    await answer(Answer.GRANTED)
    later = await api.get(paths[0], headers={"User-Agent": "curl/8"})
    assert later.status_code == 303
    assert await told(db, 4) == 4, "nothing was noted while they did not want it"
    assert (await api.get(paths[0][:-2] + "AA")).status_code == 404
    bad = Report(uuid4(), kim.id, channel.id, "order", 0, "//evil.example")
    with pytest.raises(NotFound):
        reporting.read(keys, reporting.link(keys, bad).rpartition("/")[2])


async def test_who_wants_no_more_and_what_comes_back_is_told(db: Database) -> None:
    trade = await build(db)
    kim = await db.transaction(
        lambda tx: service.create(tx, NewCustomer(channel=trade.web.id, name="Kim", email="kim@example.org"))
    )
    answer = AnswerInput(purpose="email_marketing", answer=Answer.DENIED, channel=trade.web.id)
    await db.transaction(lambda tx: consent.record(tx, kim.id, [answer], level=Level.VERIFIED, source="test"))
    fact = MailBounced(kind="order", status=550, recipient="kim@example.org", answer="no such user")
    await db.transaction(lambda tx: _append(tx, fact, subject=uuid4(), channel=trade.web.id, profile=kim.id))
    await horizon.passed(db)
    await followers.register(db, own.FOLLOWERS)
    while await followers.step(db, own.FOLLOWERS[0]):
        pass
    rows = await db.rows("SELECT name, user_id, payload FROM tracked_event ORDER BY name")
    assert [(row["name"], row["user_id"]) for row in rows] == [
        ("Email Bounced", str(kim.id)),
        ("Unsubscribed", str(kim.id)),
    ]
    assert b"kim@" not in msgspec.json.encode([row["payload"]["properties"] for row in rows])


async def _append(tx: Any, fact: MailBounced, **where: Any) -> None:
    log.append(tx, fact, **where)
