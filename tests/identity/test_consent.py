"""The ledger in the database: told once, append-only, and the same answer for many people at once as for one."""

import asyncio
import random
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from meeting import Meeting

from samlad import consent, identity
from samlad.access.permissions import permissions
from samlad.consent import rules, sending, store
from samlad.consent.model import Answer, AnswerInput, Level, PurposeChange, TextInput
from samlad.consent.service import add_text, change_purpose
from samlad.identity import MergeInput
from samlad.kernel import mail
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.mail import Mail
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.kernel.vault import Vault

OWNER = Actor(kind="staff", id=uuid4(), name="Olivia Owner", permissions=frozenset(permissions()))
AS_OWNER = Context(actor=OWNER)
yes, no = Answer.GRANTED, Answer.DENIED


async def tell(
    met: Meeting,
    node: UUID,
    answer: Answer,
    purpose: str = "email_marketing",
    *,
    hours_ago: float = 0,
    **more: object,
) -> None:
    level = more.pop("level", Level.AUTHENTICATED)
    given = AnswerInput(
        purpose=purpose,
        answer=answer,
        answered_at=now() - timedelta(hours=hours_ago),
        **more,  # type: ignore[arg-type]
    )
    await met.db.transaction(
        lambda tx: consent.record(tx, node, [given], level=level, source="test")  # type: ignore[arg-type]
    )


async def is_allowed(
    met: Meeting, node: UUID, purpose: str = "email_marketing", channel: UUID | None = None
) -> bool:
    return node in await consent.allowed(met.db, [node], purpose, channel)


async def test_a_merge_denies_and_taking_it_back_gives_each_their_own(met: Meeting) -> None:
    first, second = await met.see("email:kim@example.com"), await met.see("email:kim.work@example.com")
    await tell(met, first, no, hours_ago=2)
    await tell(met, second, yes, hours_ago=1)
    assert [await is_allowed(met, each) for each in (first, second)] == [False, True]
    merge = MergeInput(profiles=[first, second], reason="Same person")
    pin = await met.db.transaction(lambda tx: identity.merge(tx, merge), AS_OWNER)
    assert [await is_allowed(met, each) for each in (first, second)] == [False, False]
    await met.db.transaction(lambda tx: identity.undo(tx, pin.id, "They were two"), AS_OWNER)
    assert [await is_allowed(met, each) for each in (first, second)] == [False, True]
    await met.db.transaction(lambda tx: identity.merge(tx, merge), AS_OWNER)
    await tell(met, second, yes, level=Level.VERIFIED)
    assert [await is_allowed(met, each) for each in (first, second)] == [True, True]
    # The other way round: after the grant that was proved somebody says no, whichever of them it is.
    await tell(met, first, no)
    assert [await is_allowed(met, each) for each in (first, second)] == [False, False]


async def test_told_twice_and_at_once_it_is_one_entry_and_it_stays(met: Meeting) -> None:
    node = await met.see("email:kim@example.com")
    answer = AnswerInput(purpose="ads", answer=yes, event_id="form-1")

    async def work() -> int:
        told = await met.db.transaction(
            lambda tx: consent.record(tx, node, [answer], level=Level.CLAIMED, source="banner")
        )
        return len(told)

    assert sum(await asyncio.gather(work(), work(), work())) == 1
    assert len(await met.told("consent.recorded")) == 1
    for statement in ("DELETE FROM consent_entry", "UPDATE consent_entry SET answer = 'denied'"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await met.db.transaction(lambda tx, statement=statement: tx.execute(statement))
    for _ in range(2):
        await met.db.transaction(
            lambda tx: consent.withdraw(
                tx, node, ["ads"], level=Level.CLAIMED, source="preferences", event_id="x"
            )
        )
    assert [entry.answer for entry in (await consent.given(met.db, node)).entries] == [no, yes]
    for wrong in (
        AnswerInput(purpose="weather", answer=yes),
        AnswerInput(purpose="necessary", answer=yes),
        AnswerInput(purpose="ads", answer=yes, answered_at=now() + timedelta(days=1)),
    ):
        with pytest.raises(InvalidInput):
            await met.db.transaction(
                lambda tx, wrong=wrong: consent.record(tx, node, [wrong], level=Level.CLAIMED, source="x")
            )


async def test_categories_channels_ends_and_texts(met: Meeting) -> None:
    node, web, store_one = await met.see("anonymous:browser-1"), met.trade.web.id, met.trade.malmo.id
    await tell(met, node, yes, "targeting", hours_ago=3, level=Level.CLAIMED)
    assert await is_allowed(met, node, "ads")
    assert not await is_allowed(met, node, "analytics")
    assert await is_allowed(met, node, "necessary")
    await tell(met, node, no, "ads", hours_ago=2, scope=store_one, level=Level.CLAIMED)
    assert [await is_allowed(met, node, "ads", each) for each in (web, store_one, None)] == [
        True,
        False,
        True,
    ]
    await tell(met, node, yes, "sms_marketing", hours_ago=2, until=now() - timedelta(hours=1))
    assert not await is_allowed(met, node, "sms_marketing")

    change = PurposeChange(least=2)
    await met.db.transaction(lambda tx: change_purpose(tx, "email_marketing", change), AS_OWNER)
    await tell(met, node, yes)
    assert not await is_allowed(met, node)
    text = await met.db.transaction(
        lambda tx: add_text(tx, "email_marketing", TextInput(language="sv", text="Skicka nyheter.")), AS_OWNER
    )
    await tell(met, node, yes, level=Level.VERIFIED, text=text.id)
    assert await is_allowed(met, node)
    again = TextInput(language="sv", text="Annat.", version=1)
    with pytest.raises(Conflict):
        await met.db.transaction(lambda tx: add_text(tx, "email_marketing", again), AS_OWNER)
    with pytest.raises(InvalidInput):
        await tell(met, node, yes, "ads", text=text.id)
    standing = {each.purpose: each for each in (await consent.given(met.db, node, web)).standing}
    assert standing["email_marketing"].is_allowed
    assert standing["targeting"].until is not None
    assert not standing["sms_marketing"].is_allowed


async def test_many_at_once_get_the_answer_of_the_rule(met: Meeting) -> None:
    chance = random.Random(7)
    nodes = [await met.see(f"email:p{n}@example.com", f"anonymous:b{n % 4}") for n in range(8)]
    browsers = [await met.see(f"anonymous:b{n}") for n in range(4)]
    told = []
    for _ in range(60):
        until = chance.choice([None, now() + timedelta(hours=chance.choice([-1, 1]))])
        answer = AnswerInput(
            purpose=chance.choice(["ads", "targeting"]),
            answer=chance.choice([yes, yes, no]),
            scope=chance.choice([None, None, met.trade.web.id]),
            answered_at=now() - timedelta(minutes=chance.randrange(100, 110)),
            until=until,
        )
        told.append((chance.choice(nodes + browsers), answer, chance.choice(list(Level)), "test", None))
    await met.db.transaction(lambda tx: consent.record_many(tx, told))
    purpose = next(each for each in await store.purposes(met.db) if each.code == "ads")
    ids = nodes + browsers
    for channel in (None, met.trade.web.id):
        found = await consent.allowed(met.db, ids, "ads", channel)
        people: dict[UUID, list[UUID]] = {}
        for asked, node in await identity.everybodys_ids(met.db, ids):
            people.setdefault(asked, []).append(node)
        expected = set()
        for asked, own in people.items():
            entries = [
                e
                for e in await store.entries_of(met.db, own)
                if e.purpose in purpose.codes and e.scope in (None, channel)
            ]
            if rules.deciding(entries, purpose, now()):
                expected.add(asked)
        assert found == expected
        assert expected
        assert expected != set(ids)


async def test_the_api(api_as: Any, met: Meeting) -> None:
    node = await met.see("email:kim@example.com")
    async with api_as() as api:
        path = f"/api/consent/people/{node}"
        answers = {"answers": [{"purpose": "email_marketing", "answer": "granted", "event_id": "call-7"}]}
        made = await api.post(path, json=answers)
        assert made.status_code == 201
        assert len(made.json()["entries"]) == 1
        assert (await api.post(path, json=answers)).json()["entries"] == []
        seen = (await api.get(path)).json()
        assert [each["purpose"] for each in seen["standing"] if each["is_allowed"]] == [
            "necessary",
            "email_marketing",
        ]
        assert (await api.get("/api/consent/entries", params={"answer": "granted"})).json()["items"][0][
            "node"
        ] == str(node)
        gone = await api.post(f"/api/consent/people/{met.pool}", json=answers)
        assert gone.status_code == 404
        elsewhere = {"answers": [{"purpose": "ads", "answer": "denied", "scope": str(node)}]}
        assert (await api.post(path, json=elsewhere)).status_code == 404
        text = {"language": "nl", "text": "Stuur mij nieuws."}
        assert (await api.post("/api/consent/purposes/ads/texts", json=text)).json()["version"] == 1
        changed = await api.patch("/api/consent/purposes/ads", json={"days": 30}, headers={"If-Match": '"1"'})
        assert changed.json()["days"] == 30
        assert (
            await api.patch("/api/consent/purposes/ads", json={"days": 9}, headers={"If-Match": '"1"'})
        ).status_code == 412
    nobody = Actor(kind="staff", id=OWNER.id, name="N", permissions=frozenset())
    async with api_as(nobody) as api:
        assert (await api.post(path, json=answers)).status_code == 403
        assert (await api.get(path)).status_code == 403


async def test_a_mail_that_needs_consent_goes_out_only_with_it_and_can_be_stopped(met: Meeting) -> None:
    """Asked as of now: before a yes, after it, when its time is over, and after a no."""
    keys, web = Vault([b"k" * 32]), met.trade.web
    kim = await met.see("email:kim@example.com")
    letter = Mail(to="kim@example.com", subject="News", text="A kettle.", sender="Hemma")

    async def send() -> bool:
        return await met.db.transaction(
            lambda tx: sending.send(tx, keys, web, kim, "email_marketing", letter, language="sv")
        )

    assert not await send()
    await tell(met, kim, yes, hours_ago=3, until=now() - timedelta(hours=1))
    assert not await send()
    await tell(met, kim, yes, hours_ago=2)
    assert await send()
    row = await met.db.row("SELECT id, sealed FROM mail_outbox")
    assert row is not None
    message = mail.message_of("shop@example.com", row["id"], mail.open_mail(keys, row["id"], row["sealed"]))
    address = message["List-Unsubscribe"].strip("<>")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link, _, purpose = address.partition("/preferences/")[2].partition("/unsubscribe?purpose=")
    assert (consent.links.read_preferences(keys, link), purpose) == (kim, "email_marketing")
    assert address.partition("/unsubscribe")[0] in message.get_content()
    await met.db.transaction(
        lambda tx: consent.withdraw(tx, kim, [purpose], level=Level.VERIFIED, source="one-click")
    )
    assert not await send()
    assert "List-Unsubscribe" not in mail.message_of("shop@example.com", row["id"], letter)
