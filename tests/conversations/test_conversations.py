"""Conversations: nothing is said twice or lost, no two answers cross, and whose they are is who reads them."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from account_people import Post
from samlad import conversations, customers
from samlad.access import staff as people
from samlad.access.permissions import Role, permissions_of
from samlad.access.staff import StaffInput
from samlad.channels import Resource
from samlad.conversations import (
    BeginInput,
    ChangeInput,
    Conversation,
    Crossed,
    MessageInput,
    ReplyInput,
    State,
    Topic,
    Way,
    checks,
    desk,
    links,
    saved,
    store,
)
from samlad.customers import PersonInput
from samlad.kernel.cards import CardNumber
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, Outdated, TooMany
from samlad.kernel.settings import Settings
from trade import Trade, build

OWNER = Context(actor=Actor(kind="staff", id=uuid4(), name="Bo", permissions=permissions_of(Role.OWNER)))
SAM = Context(actor=Actor(kind="staff", id=uuid4(), name="Sam", permissions=permissions_of(Role.SUPPORT)))
GUEST = Context(actor=Actor(kind="guest"), remote="192.0.2.9")


async def begin(trade: Trade, who: Context = GUEST, **fields: Any) -> Conversation:
    plain = {
        "channel": trade.web.id,
        "subject": "Where is my parcel?",
        "body": "It should have come on Monday.",
        **({"email": "kim@example.org", "name": "Kim Berg"} if who is GUEST else {}),
        **fields,
    }
    data = msgspec.convert(plain, BeginInput)
    return await trade.db.transaction(lambda tx: conversations.begin(tx, data), who)


async def say(trade: Trade, of: Conversation, body: str, who: Context = OWNER, **how: Any) -> Conversation:
    link = links.path(trade.db.settings, of.id).rsplit("/", 1)[1] if who is GUEST else None
    data = MessageInput(body=body, **how)
    return await trade.db.transaction(lambda tx: conversations.write(tx, of.id, data, link=link), who)


async def change(trade: Trade, of: Conversation, who: Context = OWNER, **what: Any) -> Conversation:
    data = ChangeInput(**what)
    return await trade.db.transaction(lambda tx: conversations.change(tx, of.id, data), who)


async def words(trade: Trade, of: Conversation, *, notes: bool = True) -> list[str]:
    return [each.body for each in await store.messages(trade.db, of.id, notes=notes)]


async def sound(trade: Trade) -> None:
    for check in checks.CHECKS:
        found = await check.look(trade.db)
        assert found.status == "ok", found.message


async def test_a_guest_asks_is_answered_by_mail_and_asks_on_by_the_link(
    db: Database, settings: Settings
) -> None:
    trade = await build(db)
    db.settings = msgspec.structs.replace(settings, mail_to_log=True, public_url="https://shop.example.org")
    key, word = uuid4(), uuid4()
    both = await asyncio.gather(
        *(begin(trade, id=key, email="Kim@Example.org", language="sv") for _ in range(4))
    )
    (made,) = {each.id: each for each in both}.values()
    assert (made.state, made.messages, made.customer is not None) == (State.OPEN, 1, True)
    assert made.waiting_since == made.begun_at
    with pytest.raises(Conflict):
        await begin(trade, id=key, subject="Another one")
    counted = [row["key"] for row in await db.rows("SELECT key FROM rate_window")]
    assert counted
    assert "@example" not in str(counted).lower(), "whose it is cannot be read from what is counted"
    await trade.follow()
    answers = [say(trade, made, "On its way.\r\n\r\n\r\n\r\nIt is late.", id=word, seen=1) for _ in range(3)]
    answered = (await asyncio.gather(*answers))[0]
    assert (answered.state, answered.messages, answered.waiting_since) == (State.PENDING, 2, None)
    assert (answered.assignee, answered.assignee_name) == (OWNER.actor.id, "Bo")
    with pytest.raises(Conflict):
        await say(trade, made, "Something else", id=word)
    await trade.follow()
    told = await Post(db, db.settings, trade.web).mails()
    assert [each.to for each in told] == ["kim@example.org"] * 2
    assert [each.subject for each in told] == [
        "Vi har fått ditt meddelande: Where is my parcel?",
        "Svar: Where is my parcel?",
    ]
    assert "On its way.\n\nIt is late.\n" in told[1].text
    assert [links.read(db.settings, re.findall(r"/conversation/(\S+)", each.text)[0]) for each in told] == [
        made.id
    ] * 2

    asked = await say(trade, made, "When exactly?", GUEST)
    assert (asked.state, asked.messages, asked.seen) == (State.OPEN, 3, 3)
    noted = await say(trade, made, "The courier lost it", note=True)
    assert (noted.state, noted.messages, noted.words) == (State.OPEN, 4, 3)
    thread = await conversations.by_link(db, made.id)
    assert [each.way for each in thread.messages] == [Way.IN, Way.OUT, Way.IN]
    assert "lost" not in str(thread.messages)
    with pytest.raises(NotFound):
        await db.transaction(
            lambda tx: conversations.write(tx, made.id, MessageInput(body="Hi"), link="no-link"), GUEST
        )
    await sound(trade)


async def test_answers_do_not_cross_and_all_words_are_kept(db: Database) -> None:
    trade = await build(db)
    made = await begin(trade)
    both = await asyncio.gather(
        *(say(trade, made, f"Answer {n}", who, seen=1) for n, who in enumerate((OWNER, SAM, OWNER, SAM))),
        return_exceptions=True,
    )
    crossed = [each for each in both if isinstance(each, Crossed)]
    assert len(crossed) == 3
    assert crossed[0].extra["words"] == 2
    said = await asyncio.gather(
        *(say(trade, made, f"Word {n}", GUEST) for n in range(6)),
        *(say(trade, made, f"Note {n}", SAM, note=True) for n in range(6)),
        *(say(trade, made, f"Phone {n}", SAM, way="in", medium="phone") for n in range(3)),
    )
    assert max(each.messages for each in said) == 17
    assert len(await words(trade, made)) == 17
    assert len(await words(trade, made, notes=False)) == 11
    with pytest.raises(Crossed):
        await say(trade, made, "Late", seen=2)
    here = await store.one(db, made.id)
    assert here is not None
    done = await say(trade, made, "Done", seen=here.messages, then="closed")
    assert (done.state, done.waiting_since) == (State.CLOSED, None)
    again = await say(trade, made, "Not quite", GUEST)
    assert (again.state, again.waiting_since is not None) == (State.OPEN, True)
    await sound(trade)


async def test_snoozed_closed_opened_assigned(db: Database) -> None:
    trade = await build(db)
    made = await begin(trade)
    until = now() + timedelta(hours=2)
    snoozed = await change(trade, made, snoozed_until=until)
    assert (snoozed.state, snoozed.snoozed_until) == (State.SNOOZED, until)
    assert await desk.wake(db) == 0
    await db.rows("UPDATE conversation SET snoozed_until = now() - interval '1 second' RETURNING 1")
    assert sum(await asyncio.gather(*(desk.wake(db) for _ in range(3)))) == 1
    woken = await store.one(db, made.id)
    assert woken is not None
    assert (woken.state, woken.snoozed_until, woken.waiting_since) == (State.OPEN, None, made.begun_at)
    for wrong in (now() - timedelta(minutes=1), now() + timedelta(days=400)):
        with pytest.raises(InvalidInput):
            await change(trade, made, snoozed_until=wrong)
    with pytest.raises(InvalidInput):
        await change(trade, made, state="closed", snoozed_until=until)
    closed = await change(trade, made, state="closed")
    assert (closed.state, closed.waiting_since) == (State.CLOSED, None)
    assert await change(trade, made, state="closed") == closed, "again is no error, and changes nothing"
    opened = await change(trade, made, state="open", topic=Topic.DELIVERY, subject=" Lost parcel ")
    assert (opened.waiting_since, opened.topic, opened.subject) == (
        made.begun_at, Topic.DELIVERY, "Lost parcel",
    )  # fmt: skip
    given = StaffInput(email="robin@example.org", name="Robin", roles=[Role.SUPPORT])
    robin = await db.transaction(lambda tx: people.add(tx, given, "active"), OWNER)
    assert (await change(trade, made, assignee=robin.id)).assignee_name == "Robin"
    assert (await change(trade, made, assignee=None)).assignee is None
    with pytest.raises(InvalidInput):
        await change(trade, made, assignee=uuid4())
    stale = ChangeInput(state="closed")
    with pytest.raises(Outdated):
        await db.transaction(lambda tx: conversations.change(tx, made.id, stale, version=1), OWNER)
    await sound(trade)


async def test_bad_input_and_who_may_what(db: Database, api_as: Any) -> None:
    trade = await build(db)
    for wrong in ({"email": None}, {"body": " \n "}, {"subject": "  "}):
        with pytest.raises(InvalidInput):
            await begin(trade, **wrong)
    for wrong in ({"body": "My card is 4111 1111 1111 1111"}, {"subject": "4111111111111111"}):
        with pytest.raises(CardNumber):
            await begin(trade, **wrong)
    for wrong in ({"way": "out"}, {"medium": "phone"}, {"customer": uuid4()}):
        with pytest.raises(Forbidden):
            await begin(trade, **wrong)
    tries = await asyncio.gather(
        *(begin(trade, email="one@example.org") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(each, TooMany) for each in tries) == 2
    mine = next(each for each in tries if isinstance(each, Conversation))
    for wrong in ({"note": True}, {"way": "out"}, {"channel": trade.malmo.id}):
        with pytest.raises(Forbidden):
            await say(trade, mine, "Hi", GUEST, **wrong)
    await say(trade, mine, "Only for us", note=True)
    customer = Actor(kind="customer", id=mine.customer)
    clerk = Actor(kind="staff", id=uuid4(), name="Ada", permissions=permissions_of(Role.STORE))
    nobody = Actor(kind="staff", id=uuid4(), name="Eve", permissions=frozenset())
    async with (
        api_as(SAM.actor) as sam,
        api_as(clerk) as ada,
        api_as(nobody) as eve,
        api_as(customer) as kim,
        api_as(Actor(kind="customer", id=uuid4())) as other,
        api_as(Actor(kind="guest")) as guest,
    ):
        path = f"/api/conversations/{mine.id}"
        assert len((await sam.get("/api/conversations?state=open")).json()["items"]) == 6
        assert (await sam.get("/api/conversations/counts")).json()["unassigned"] == 6
        found = (await sam.get("/api/conversations?q=MONDAY&sort=waiting_since&limit=2")).json()
        assert len(found["items"]) == 2
        assert found["next_cursor"]
        assert (await sam.get("/api/conversations?q=nothing-like-it")).json()["items"] == []
        assert "Where is my parcel?" in (await sam.get("/api/conversations?format=csv")).text
        assert (await eve.get("/api/conversations")).status_code == 403
        assert (await ada.get(path)).status_code == 200
        assert (await ada.post(f"{path}/messages", json={"body": "Hi"})).status_code == 403
        own = await kim.get(path)
        assert [each["way"] for each in own.json()["messages"]] == ["in"]
        assert (await other.get(path)).status_code == (await guest.get(path)).status_code == 404
        assert (await guest.post(f"{path}/messages", json={"body": "Hi"})).status_code == 404
        assert (await kim.post(f"{path}/messages", json={"body": "Hello?"})).status_code == 201
        crossed = await sam.post(f"{path}/messages", json={"body": "Hi", "seen": 1})
        assert (crossed.status_code, crossed.json()["words"]) == (409, 3)
        assert (await sam.post(f"{path}/messages", json={"body": "Hi", "seen": 3})).status_code == 201
        assert (
            await sam.patch(path, json={"state": "closed"}, headers={"If-Match": '"1"'})
        ).status_code == 412
        assert (await kim.patch(path, json={"state": "closed"})).status_code == 403
        assert (await sam.patch(path, json={"state": "closed"})).json()["state"] == "closed"


async def test_an_order_is_named_only_to_whose_it_is(db: Database) -> None:
    trade = await build(db)
    kettle = await trade.kettle()
    order = await trade.buy((kettle, 1))
    assert order.email is not None
    theirs = await begin(trade, email=order.email.upper(), order=f" #{order.number.lower()} ")
    assert (theirs.order, theirs.order_number) == (order.id, order.number)
    assert (await begin(trade, email="eve@example.org", order=order.number)).order is None
    assert (await begin(trade, email="eve@example.org", order="W-99999")).order is None
    assert (await begin(trade, OWNER, phone="040 12 34 56", order=order.number)).order == order.id


async def test_put_together_and_taken_apart_is_as_if_nothing_had_been(db: Database) -> None:
    trade = await build(db)
    one, two = await begin(trade), await begin(trade, subject="My parcel again", body="Hello?")
    await say(trade, one, "On its way", seen=1)
    await say(trade, two, "Not for them", note=True)
    before = {each: await store.messages(db, each.id, notes=True) for each in (one, two)}
    link = links.path(db.settings, two.id).rsplit("/", 1)[1]

    async def merge(here: Conversation, there: Conversation) -> Conversation:
        return await db.transaction(lambda tx: conversations.merge(tx, here.id, there.id), SAM)

    both = await asyncio.gather(merge(two, one), merge(two, one))
    assert {(each.id, each.messages, each.state) for each in both} == {(one.id, 4, State.OPEN)}
    # In the order in which it was said, not in which it was put together.
    assert await words(trade, one) == [
        "It should have come on Monday.", "Hello?", "On its way", "Not for them",
    ]  # fmt: skip
    assert await words(trade, two) == []
    # The link of the one that went on leads there, and what is written by it is written there.
    on = await db.transaction(
        lambda tx: conversations.write(tx, two.id, MessageInput(body="And now?"), link=link), GUEST
    )
    assert (on.id, on.messages) == (one.id, 5)
    assert (await conversations.by_link(db, two.id)).conversation.id == one.id
    stranger = await begin(trade, email="eve@example.org")
    for wrong in ((one, one), (one, stranger), (two, stranger), (stranger, two)):
        with pytest.raises(Conflict):
            await merge(*wrong)
    await sound(trade)

    async def split(here: Conversation) -> Conversation:
        return await db.transaction(lambda tx: conversations.split(tx, here.id), SAM)

    apart = await asyncio.gather(split(two), split(two))
    assert {(each.id, each.messages, each.state) for each in apart} == {(two.id, 2, State.OPEN)}
    assert await store.messages(db, two.id, notes=True) == before[two]
    assert (await store.messages(db, one.id, notes=True))[:2] == before[one]
    assert (await words(trade, one))[2:] == ["And now?"], "it was said there"
    await asyncio.gather(merge(one, two), merge(two, one), return_exceptions=True)
    await sound(trade)


async def merged(trade: Trade, here: Conversation, there: Conversation) -> Conversation:
    return await trade.db.transaction(lambda tx: conversations.merge(tx, here.id, there.id), SAM)


async def apart(trade: Trade, here: Conversation) -> Conversation:
    return await trade.db.transaction(lambda tx: conversations.split(tx, here.id), SAM)


async def test_an_answer_is_mailed_also_when_its_conversation_went_on_elsewhere_meanwhile(
    db: Database, settings: Settings
) -> None:
    trade = await build(db)
    db.settings = msgspec.structs.replace(settings, mail_to_log=True, public_url="https://shop.example.org")
    one, two = await begin(trade), await begin(trade, subject="Again", body="Hello?")
    await say(trade, two, "It comes tomorrow.", seen=1)
    await merged(trade, two, one)  # before anybody has read the log
    await say(trade, one, "And with it a voucher.", seen=3)
    await trade.follow()
    told = await Post(db, db.settings, trade.web).mails()
    assert sorted(each.text.split("\n")[0] for each in told) == [
        "And with it a voucher.", "It comes tomorrow.", *["Thank you for writing to us. We answer as soon as we can."] * 2,
    ]  # fmt: skip
    for each in told:
        talk = one if "voucher" in each.text or "> It should have come" in each.text else two
        (link,) = re.findall(r"/conversation/(\S+)", each.text)
        assert links.read(db.settings, link) == talk.id
        is_late = "comes tomorrow" in each.text.split("\n")[0]
        quoted = [line for line in each.text.split("\n") if line.startswith("> ")]
        assert not is_late or quoted == ["> Hello?"], "of the other conversation nothing is quoted"


async def test_the_same_message_again_is_the_same_also_after_a_merge(db: Database) -> None:
    trade = await build(db)
    one, two, word = await begin(trade), await begin(trade, subject="Again"), uuid4()
    await say(trade, two, "On its way", id=word, seen=1)
    await merged(trade, two, one)
    again = await say(trade, two, "On its way", id=word, seen=1)
    assert (again.id, again.messages) == (one.id, 3)
    with pytest.raises(Conflict):
        await say(trade, two, "Something else", id=word)
    with pytest.raises(Conflict):
        await say(trade, await begin(trade, email="eve@example.org"), "On its way", id=word)
    await apart(trade, two)
    for talk in (one, two):
        assert (await say(trade, talk, "On its way", id=word)).id == talk.id
    assert await words(trade, two) == ["It should have come on Monday.", "On its way"]


async def test_one_message_id_at_once_in_two_conversations_is_one_message(db: Database) -> None:
    trade = await build(db)
    one, two = await begin(trade), await begin(trade, subject="Again")
    other = await begin(trade, email="eve@example.org")
    for talks, refused in (((one, other), [False, True]), ((one, two), [False, False])):
        for _ in range(4):
            word = uuid4()
            both = await asyncio.gather(
                *(say(trade, each, "On its way", id=word) for each in talks), return_exceptions=True
            )
            assert sorted(type(each) is Conflict for each in both) == refused
            assert await db.value("SELECT count(*) FROM conversation_message WHERE id = $1", word) == 1
    await sound(trade)


async def test_merged_into_one_that_is_merged_in_turn_and_taken_apart_in_any_order(db: Database) -> None:
    trade = await build(db)
    one, two, three = [
        await begin(trade, subject=subject, body=f"{subject}?") for subject in ("One", "Two", "Three")
    ]
    await merged(trade, one, two)
    await merged(trade, two, three)
    await sound(trade)
    assert await words(trade, three) == ["One?", "Two?", "Three?"]
    shown = await conversations.by_link(db, one.id)
    assert (shown.conversation.id, len(shown.messages)) == (three.id, 3)
    on = await say(trade, one, "And now?", GUEST)
    assert (on.id, on.messages) == (three.id, 4)
    assert (await say(trade, one, "For us", note=True)).id == three.id
    link = links.path(db.settings, one.id).rsplit("/", 1)[1]
    await say(trade, three, "Soon", seen=4)
    await db.transaction(lambda tx: conversations.see(tx, one.id, 6, link=link), GUEST)
    assert (await store.one(db, three.id)).seen == 6  # type: ignore[union-attr]
    await sound(trade)

    await apart(trade, two)
    assert await words(trade, two) == ["One?", "Two?"], "what had gone on in it comes along"
    assert await words(trade, three) == ["Three?", "And now?", "For us", "Soon"]
    assert (await conversations.by_link(db, one.id)).conversation.id == two.id
    await merged(trade, two, three)
    await apart(trade, one)
    assert await words(trade, one) == ["One?"]
    assert await words(trade, three) == ["Two?", "Three?", "And now?", "For us", "Soon"]
    await sound(trade)


async def test_what_is_taken_apart_waits_as_it_did_before(db: Database) -> None:
    trade = await build(db)
    one, two = await begin(trade), await begin(trade, subject="Again")
    await say(trade, one, "Done", seen=1, then="closed")
    await say(trade, two, "On its way", seen=1)
    link = links.path(db.settings, two.id).rsplit("/", 1)[1]
    await db.transaction(lambda tx: conversations.see(tx, two.id, 2, link=link), GUEST)

    async def both() -> list[tuple[Any, ...]]:
        found = [await store.one(db, each.id) for each in (one, two)]
        return [
            (each.state, each.snoozed_until, each.waiting_since, each.seen, each.messages, each.answers)
            for each in found
            if each
        ]

    before = await both()
    here = await merged(trade, two, one)
    assert here.state == State.PENDING, "what waits for the customer does so still"
    assert here.seen == 1, "of what was said in either, the answer in the first was not seen"
    await apart(trade, two)
    assert await both() == before
    until = now() + timedelta(days=1)
    await change(trade, two, snoozed_until=until)
    before = await both()
    await merged(trade, two, one)
    await apart(trade, two)
    assert await both() == before
    # What happened in it meanwhile stays.
    await merged(trade, two, one)
    await say(trade, one, "One more thing", GUEST)
    await apart(trade, two)
    assert [each[0] for each in await both()] == [State.OPEN, State.SNOOZED]
    await sound(trade)


async def test_whoever_turns_out_to_be_one_person_reads_both(db: Database, api_as: Any) -> None:
    trade = await build(db)
    made = await begin(trade)
    assert made.customer is not None
    pool = trade.web.pools[Resource.CUSTOMERS]
    other = await db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email="k.berg@example.org"))
    )
    await db.transaction(lambda tx: customers.stand_for(tx, {made.customer: other.id, other.id: other.id}))
    async with api_as(Actor(kind="customer", id=other.id)) as kim, api_as(SAM.actor) as sam:
        assert (await kim.get(f"/api/conversations/{made.id}")).status_code == 200
        found = await sam.get(f"/api/conversations?customer={other.id}")
        assert [each["id"] for each in found.json()["items"]] == [str(made.id)]


async def test_replies_are_saved_changed_deleted_and_come_back(db: Database, api_as: Any) -> None:
    async with api_as(SAM.actor) as sam:
        hello = {
            "name": "Hello",
            "language": "en",
            "body": "Dear {name}, about {order}: {nothing}\n\n{agent}",
        }
        made = (await sam.post("/api/saved-replies", json=hello)).json()
        path = f"/api/saved-replies/{made['id']}"
        assert (await sam.post("/api/saved-replies", json={**hello, "name": "HELLO"})).status_code == 409
        assert (await sam.post("/api/saved-replies", json={**hello, "language": "sv"})).status_code == 201
        assert (await sam.put(path, json=hello, headers={"If-Match": '"7"'})).status_code == 412
        changed = await sam.put(path, json={**hello, "name": "Hi"}, headers={"If-Match": '"1"'})
        assert (changed.json()["name"], changed.json()["version"]) == ("Hi", 2)
        for _ in range(2):
            assert (await sam.delete(path)).status_code == 204
        assert len((await sam.get("/api/saved-replies")).json()) == 1
        for _ in range(2):
            assert (await sam.post(f"{path}/restore")).status_code == 204
        assert len((await sam.get("/api/saved-replies")).json()) == 2
        assert (await sam.delete(f"/api/saved-replies/{uuid4()}")).status_code == 404
    filled = conversations.filled(hello["body"], {"name": "Kim", "order": "", "agent": "Sam"})
    assert filled == "Dear Kim, about {order}: {nothing}\n\nSam"
    clerk = Context(actor=Actor(kind="staff", id=uuid4(), permissions=permissions_of(Role.STORE)))
    with pytest.raises(Forbidden):
        await db.transaction(lambda tx: saved.put(tx, ReplyInput(name="A", body="B")), clerk)


async def test_the_statements_of_an_answer_are_few(db: Database) -> None:
    trade = await build(db)
    made = await begin(trade)

    async def answer(tx: Any) -> int:
        before = tx.statements
        await conversations.write(tx, made.id, MessageInput(body="On its way", id=UUID(int=7), seen=1))
        return int(tx.statements - before)

    assert await db.transaction(answer, OWNER) <= 5
