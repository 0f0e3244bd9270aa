"""Questions about products from asking to answer: by members and guests, decided one and many, twice, at once, by others."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from account_people import Post
from samlad import orders, questions
from samlad.app import CHECKS
from samlad.channels import Resource
from samlad.customers import PersonInput, find_or_create
from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.personal import Person, erase, find_things
from samlad.kernel.personal import read as holdings_read
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Outdated, TooMany
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.questions import (
    AnswerDecision,
    AnswerInput,
    BuyerAnswer,
    Decision,
    NotBought,
    Question,
    QuestionInput,
    Report,
    Status,
    TextInput,
    Vote,
    links,
    rules,
    sweepers,
)
from samlad.questions.personal import HOLDINGS, THINGS
from trade import Trade, build

GUEST = Context(actor=Actor(kind="guest"), remote="192.0.2.9")
PUBLISH = Decision(status="published")


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db)


async def product_of(trade: Trade, variant: UUID) -> UUID:
    found: UUID = await trade.db.value("SELECT product FROM variant WHERE id = $1", variant)
    return found


async def customer(trade: Trade, email: str = "kim@example.org") -> Context:
    pool = trade.web.pools[Resource.CUSTOMERS]
    person = PersonInput(email=email, name="Kim Berg")
    made = await trade.db.transaction(lambda tx: find_or_create(tx, pool, person))
    return Context(actor=Actor(kind="customer", id=made.id), channel=trade.web.id)


async def bought(trade: Trade, variant: UUID, email: str) -> Context:
    """Somebody who has got it."""
    address = {"name": "Kim Berg", "line1": "A 1", "postal_code": "211 34", "city": "Malmö", "country": "SE"}
    more = {"email": email, "name": "Kim Berg", "address": address, "delivery": "ship"}
    order = await trade.place((await trade.cart((variant, 1), **more)).id)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    await trade.follow()
    who = await trade.db.value("SELECT customer FROM orders WHERE id = $1", order.id)
    return Context(actor=Actor(kind="customer", id=who), channel=trade.web.id)


async def ask(
    trade: Trade, product: UUID, who: Context = GUEST, text: str = "Passar locket?", **more: Any
) -> Question:
    if who is GUEST:
        more = {"email": "Gast@example.org"} | more
    data = QuestionInput(channel=trade.web.id, product=product, text=text, language="sv", **more)
    return await trade.db.transaction(lambda tx: questions.ask(tx, data), who)


async def answer(trade: Trade, question: UUID, text: str, version: int | None = None) -> Question:
    return await trade.db.transaction(
        lambda tx: questions.answer(tx, question, AnswerInput(text=text), version=version)
    )


async def publish(trade: Trade, *asked: UUID) -> UUID:
    batch = new_id()
    await trade.db.transaction(lambda tx: questions.decide_many(tx, asked, PUBLISH, batch=batch))
    return batch


async def types(trade: Trade, question: UUID) -> list[str]:
    rows = await trade.db.rows("SELECT type FROM event WHERE subject = $1 ORDER BY seq", question)
    return [row["type"].removeprefix("question.") for row in rows]


async def whole(trade: Trade) -> None:
    [check] = [each for each in CHECKS if each.name == "question-votes"]
    assert (await check.look(trade.db)).status == "ok"


async def shown(trade: Trade, product: UUID, **asked: Any) -> list[questions.ShownQuestion]:
    query = ListQuery(sort=asked.pop("sort", None), filters=asked)
    return (await questions.SHOWN.page(trade.db, query, product)).items


async def test_a_member_asks_the_shop_answers_and_everybody_reads(trade: Trade) -> None:
    kettle = await trade.kettle()
    product, kim = await product_of(trade, kettle), await customer(trade)
    first = await ask(trade, product, kim, "  Passar \n\n\n locket? ", author="Kim", variant=kettle)
    assert (first.status, first.text, first.variant) == (Status.WAITING, "Passar\n\nlocket?", kettle)
    again = await asyncio.gather(*(ask(trade, product, kim, "Passar\n\nlocket?") for _ in range(4)))
    assert {each.id for each in again} == {first.id}, "the same words are the same question"
    assert await shown(trade, product) == []

    changed = await trade.db.transaction(
        lambda tx: questions.change(tx, first.id, TextInput("Passar locket 2 l?"), version=first.version), kim
    )
    with pytest.raises(Outdated):
        await answer(trade, first.id, "Ja.", version=first.version)
    answered = await answer(trade, first.id, " Ja, det gör det. ", version=changed.version)
    assert (await answer(trade, first.id, "Ja, det gör det.")).version == answered.version, "twice is once"
    assert await shown(trade, product) == [], "answered, and not published yet"
    await trade.db.transaction(lambda tx: questions.decide(tx, first.id, PUBLISH))
    [seen] = await shown(trade, product)
    assert (seen.text, seen.answers, seen.best[0].text) == ("Passar locket 2 l?", 1, "Ja, det gör det.")
    assert [one.id for one in await shown(trade, product, q="LOCKET 2")] == [first.id]
    assert [one.id for one in await shown(trade, product, q="gör det")] == [first.id], (
        "answers are searched too"
    )
    assert await shown(trade, product, q="100 %") == []

    with pytest.raises(Conflict):
        await trade.db.transaction(
            lambda tx: questions.change(tx, first.id, TextInput("En annan fråga?")), kim
        )
    stranger = await customer(trade, "robin@example.org")
    for verb in (questions.withdraw, questions.restore):
        with pytest.raises(NotFound):
            await trade.db.transaction(lambda tx, verb=verb: verb(tx, first.id), stranger)
    for _ in range(2):
        gone = await trade.db.transaction(lambda tx: questions.withdraw(tx, first.id), kim)
        assert gone.status is Status.WITHDRAWN
    assert await shown(trade, product) == []
    with pytest.raises(NotFound):
        await trade.db.transaction(lambda tx: questions.decide(tx, first.id, PUBLISH))
    back = await trade.db.transaction(lambda tx: questions.restore(tx, first.id), kim)
    assert back.status is Status.WAITING
    assert await types(trade, first.id) == [
        "asked", "changed", "answered", "published", "withdrawn", "restored",
    ]  # fmt: skip


async def test_many_are_decided_together_and_taken_back(trade: Trade) -> None:
    product, kim = await product_of(trade, await trade.kettle()), await customer(trade)
    asked = [await ask(trade, product, kim, f"Fråga {number}?") for number in range(4)]
    ids = [each.id for each in asked]
    await trade.db.transaction(lambda tx: questions.withdraw(tx, ids[3]), kim)
    no = Decision(status="declined", reason="Nej")
    await trade.db.transaction(lambda tx: questions.decide(tx, ids[2], no))
    batch = new_id()

    async def all_of_them(tx: Any) -> int:
        return await questions.decide_many(tx, ids, PUBLISH, batch=batch)

    assert sum(await asyncio.gather(*(trade.db.transaction(all_of_them) for _ in range(3)))) == 3
    assert len(await shown(trade, product)) == 3
    with pytest.raises(InvalidInput):
        await trade.db.transaction(
            lambda tx: questions.decide_many(tx, ids, Decision(status="declined"), batch=new_id())
        )
    # What was decided anew since is left alone by the undo.
    await trade.db.transaction(lambda tx: questions.decide(tx, ids[1], no))
    back = [await trade.db.transaction(lambda tx: questions.take_back(tx, batch)) for _ in range(2)]
    assert back == [2, 0]
    rows = await trade.db.rows("SELECT status, reason FROM question ORDER BY text")
    assert [tuple(row.values()) for row in rows] == [
        ("waiting", ""), ("declined", "Nej"), ("declined", "Nej"), ("withdrawn", ""),
    ]  # fmt: skip
    assert await types(trade, ids[2]) == ["asked", "declined", "published", "reopened"]


async def test_who_bought_answers_and_the_most_helpful_stand_first(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    product, kim = await product_of(trade, kettle), await customer(trade)
    first, second = [await ask(trade, product, kim, text) for text in ("Ett?", "Tva?")]
    await publish(trade, first.id, second.id)
    robin = await bought(trade, kettle, "robin@example.org")
    says = BuyerAnswer(text="Ja, hos mig.", language="sv")
    with pytest.raises(NotBought):
        await trade.db.transaction(lambda tx: questions.answer_as_buyer(tx, first.id, says), kim)
    offered = [
        await trade.db.transaction(lambda tx: questions.answer_as_buyer(tx, first.id, says), robin)
        for _ in range(2)
    ]
    assert offered[0] == offered[1], "sent twice it is the same"
    assert (offered[0].author, offered[0].status) == ("Kim B.", Status.WAITING)
    assert (await shown(trade, product))[0].answers == 0
    which = offered[0].id
    with pytest.raises(InvalidInput):
        await trade.db.transaction(
            lambda tx: questions.decide_answer(tx, which, AnswerDecision(status="declined"))
        )
    yes = AnswerDecision(status="published")
    for _ in range(2):
        await trade.db.transaction(lambda tx: questions.decide_answer(tx, which, yes))

    async def vote(voter: UUID, *, helpful: bool = True) -> int:
        return await trade.db.transaction(
            lambda tx: questions.vote(tx, which, voter, Vote(helpful)), SOMEBODY
        )

    one, other = uuid4(), uuid4()
    await asyncio.gather(*(vote(each) for each in (one, one, other, one, other)))
    assert await vote(one) == 2, "once each"
    assert await vote(other, helpful=False) == 1
    await whole(trade)
    assert [each.id for each in await shown(trade, product)] == [first.id, second.id]
    assert (await shown(trade, product))[0].helpful == 1
    await answer(trade, first.id, "Det stämmer.")
    kinds = [each.kind for each in await questions.shown_answers(trade.db, first.id)]
    assert kinds == ["buyer", "shop"], "what helped most stands first"

    # Written anew it waits again, and the votes were for what it said before.
    other_words = BuyerAnswer(text="Nej, inte hos mig.", language="sv")
    anew = await trade.db.transaction(lambda tx: questions.answer_as_buyer(tx, first.id, other_words), robin)
    assert (anew.id, anew.status, anew.helpful) == (which, Status.WAITING, 0)
    await whole(trade)
    with pytest.raises(NotFound):
        await vote(one)
    with pytest.raises(NotFound):
        await trade.db.transaction(lambda tx: questions.withdraw_answer(tx, which), kim)
    for _ in range(2):
        await trade.db.transaction(lambda tx: questions.withdraw_answer(tx, which), robin)
    await answer(trade, first.id, "")
    found = await questions.find(trade.db, first.id)
    assert found is not None
    assert (found.answers, found.answered_at) == (0, None), "nothing that answers it stands"
    for _ in range(2):
        await trade.db.transaction(lambda tx: questions.report(tx, first.id, one, Report("Reklam")), SOMEBODY)
    assert await trade.db.value("SELECT reports FROM question WHERE id = $1", first.id) == 1
    await trade.db.transaction(lambda tx: questions.decide(tx, first.id, PUBLISH))
    assert await trade.db.value("SELECT reports FROM question WHERE id = $1", first.id) == 0


SOMEBODY = Context(actor=Actor(kind="guest"), remote="192.0.2.77")


async def test_the_doctor_sees_and_mends_wrong_votes(trade: Trade) -> None:
    product, kim = await product_of(trade, await trade.kettle()), await customer(trade)
    asked = await ask(trade, product, kim)
    await answer(trade, asked.id, "Ja.")
    await trade.db.transaction(lambda tx: tx.execute("UPDATE question_answer SET helpful = 7"))
    [check] = [each for each in CHECKS if each.name == "question-votes"]
    found = await check.look(trade.db)
    assert found.status == "failed"
    assert "7, should be 0" in found.message
    assert check.fix is not None
    assert await check.fix(trade.db) == 1
    await whole(trade)


@pytest.mark.parametrize("goes_out", [True, False])
async def test_a_guest_confirms_and_is_told_once(db: Database, settings: Settings, *, goes_out: bool) -> None:
    trade = await build(db)
    db.settings = msgspec.structs.replace(
        settings, mail_to_log=goes_out, public_url="https://shop.example.org"
    )
    product = await product_of(trade, await trade.kettle())
    asked = await ask(trade, product, author="Gäst")
    post = Post(db, db.settings, trade.web)
    await trade.follow()
    if not goes_out:
        assert asked.status is Status.WAITING, "nobody could confirm: staff read it"
        await answer(trade, asked.id, "Ja.")
        await trade.follow()
        assert await post.mails() == []
        return
    assert asked.status is Status.UNCONFIRMED
    [confirm] = await post.mails()
    assert (confirm.to, "Kettle" in confirm.text) == ("gast@example.org", True)
    assert "Passar" not in confirm.text + confirm.subject, "nobody writes to others through us"
    keys = Vault.of(db.settings)
    link = confirm.text.split("/question/")[1].split()[0]
    assert links.read(keys, link) == asked.id
    with pytest.raises(NotFound):
        links.read(keys, f"{link}x")
    with pytest.raises(NotFound):
        await answer(trade, asked.id, "Ja.")
    assert await publish(trade, asked.id)
    assert await shown(trade, product) == [], "nobody is shown who has not confirmed"
    told = await db.rows("SELECT personal FROM event WHERE subject = $1", asked.id)
    assert "Passar" not in str([row["personal"] for row in told]), "its words are nobody's yet"
    for _ in range(2):
        done = await db.transaction(lambda tx: questions.confirm(tx, asked.id), GUEST)
        assert done.status is Status.WAITING
    await answer(trade, asked.id, "Ja, det passar.")
    await answer(trade, asked.id, "Ja, det passar precis.")
    await publish(trade, asked.id)
    for _ in range(2):
        await trade.follow()
    letters = [each for each in await post.mails() if each.kind == "question-answered"]
    assert len(letters) == 1, "once, whatever is written anew"
    assert letters[0].to == "gast@example.org"
    assert "Svar: Kettle" in letters[0].subject
    assert "Ja, det passar precis." in letters[0].text
    assert f"/questions/{asked.id}" in letters[0].text
    await db.transaction(lambda tx: questions.withdraw(tx, asked.id, is_proven=True), GUEST)
    assert await types(trade, asked.id) == [
        "asked", "confirmed", "answered", "answered", "published", "withdrawn",
    ]  # fmt: skip


async def test_one_address_is_not_written_to_again_and_again(db: Database, settings: Settings) -> None:
    trade = await build(db)
    db.settings = msgspec.structs.replace(settings, mail_to_log=True, public_url="https://shop.example.org")
    product = await product_of(trade, await trade.kettle())
    for number in range(6):
        await ask(trade, product, text=f"Fråga {number}?")
    await trade.follow()
    assert len(await Post(db, db.settings, trade.web).mails()) == 3
    await db.transaction(
        lambda tx: tx.execute(
            "UPDATE question SET asked_at = $1 WHERE text LIKE '%0?'", now() - timedelta(days=15)
        )
    )
    assert await sweepers.sweep(db) == 1, "what is never confirmed is removed"
    assert await db.value("SELECT count(*) FROM question") == 5


async def test_what_cannot_be_asked(trade: Trade) -> None:
    product, kim = await product_of(trade, await trade.kettle()), await customer(trade)
    with pytest.raises(InvalidInput):
        await ask(trade, product, Context(actor=Actor(kind="guest"), remote="192.0.2.1"))
    for text in ("Se http://example.org", "köp på www.example.org", "  \n ", "4111 1111 1111 1111"):
        with pytest.raises(InvalidInput):
            await ask(trade, product, kim, text)
    with pytest.raises(InvalidInput):
        await ask(trade, product, kim, author="www.example.org")
    with pytest.raises(NotFound):
        await ask(trade, uuid4(), kim)
    with pytest.raises(NotFound):
        await ask(trade, product, kim, variant=await trade.kettle())
    tries = [ask(trade, product, text=f"Fråga {n}?", email=f"k{n}@example.org") for n in range(30)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert 0 < sum(isinstance(each, TooMany) for each in answers) < 30
    assert rules.tidy("a \r\n\r\n\r\n b") == "a\n\nb"
    assert not rules.advertises("Är den 2.5 l? https är inget")


async def test_who_is_erased_leaves_no_words(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    product = await product_of(trade, kettle)
    kim, robin = await customer(trade), await bought(trade, kettle, "robin@example.org")
    mine, guests = await ask(trade, product, kim, "Kims fråga?"), await ask(trade, product)
    theirs = await ask(trade, product, await customer(trade, "alex@example.org"), "En annans?")
    await publish(trade, mine.id, guests.id, theirs.id)
    for question in (mine.id, guests.id):
        await answer(trade, question, "Hej Kim, ja.")
    says = BuyerAnswer(text="Ja, säger Robin.", language="sv", author="Robin")
    given = await trade.db.transaction(lambda tx: questions.answer_as_buyer(tx, theirs.id, says), robin)
    yes = AnswerDecision(status="published")
    await trade.db.transaction(lambda tx: questions.decide_answer(tx, given.id, yes))

    async def gone(ids: list[Any], texts: list[str]) -> list[dict[str, Any]]:
        person = Person(ids=ids, texts=texts, needles=texts, things=[])
        things = await find_things(trade.db, THINGS, person)
        person = Person(ids=ids, texts=texts, needles=texts, things=things)
        held = [row for each in HOLDINGS for row in await holdings_read(trade.db, each, person)]

        async def work(tx: Any) -> None:
            for each in HOLDINGS:
                await erase(tx, each, person)

        await trade.db.transaction(work)
        await trade.db.transaction(work)
        return held

    assert "Kims fråga?" in str(await gone([kim.actor.id], ["kim@example.org"]))
    assert "Passar locket?" in str(await gone([], ["gast@example.org"]))
    left = [each.text for each in await shown(trade, product)]
    assert left == ["En annans?"]
    assert "Ja, säger Robin." in str(await gone([robin.actor.id], ["robin@example.org"]))
    assert (await shown(trade, product))[0].best == []
    rows = await trade.db.rows(
        "SELECT coalesce(email, '') || text || author AS words FROM question WHERE id <> $1 "
        "UNION ALL SELECT text || author FROM question_answer",
        theirs.id,
    )
    assert [row["words"] for row in rows] == ["", "", "", "", ""]
    await whole(trade)
    with pytest.raises(NotFound):
        await trade.db.transaction(
            lambda tx: questions.restore(tx, mine.id, is_proven=True), Context(actor=SYSTEM)
        )


async def test_over_http(trade: Trade, api_as: Any) -> None:
    kettle = await trade.kettle()
    product, kim = await product_of(trade, kettle), await customer(trade)
    body = {"channel": str(trade.web.id), "product": str(product), "text": "Passar locket?", "language": "sv"}
    async with api_as(kim.actor) as member, api_as() as owner, api_as(Actor(kind="guest")) as guest:
        assert (await guest.post("/api/questions", json=body)).status_code == 422
        said = await guest.post("/api/questions", json={**body, "email": "gast@example.org"})
        assert (said.status_code, said.json()) == (201, {"is_confirmed": True})
        assert (await member.post("/api/questions", json=body)).status_code == 201
        for_kim = {**body, "text": "Och glaset?", "customer": str(kim.actor.id)}
        assert (await guest.post("/api/questions", json=for_kim)).status_code == 401
        assert (await member.post("/api/questions", json=for_kim)).status_code == 403
        assert (
            await owner.post("/api/questions", json={**for_kim, "customer": str(uuid4())})
        ).status_code == 404
        assert (await owner.post("/api/questions", json=for_kim)).status_code == 201
        assert len((await owner.get(f"/api/questions?customer={kim.actor.id}")).json()["items"]) == 2
        assert (await guest.get("/api/questions")).status_code == 401
        rows = (await owner.get("/api/questions?state=waiting&answered=false&q=LOCKET")).json()["items"]
        assert len(rows) == 2
        assert "gast@example.org" not in str(rows), "where a guest is written to is nobody's business"
        ids = [row["id"] for row in rows]
        batch = str(uuid4())
        act = {"questions": ids, "decision": {"status": "published"}, "batch": batch}
        assert (await owner.post("/api/questions/decisions", json=act)).json() == {"changed": 2}
        assert (await member.post("/api/questions/decisions", json=act)).status_code == 403
        said = await owner.put(f"/api/questions/{ids[0]}/answer", json={"text": "Ja."})
        assert said.json()["answers"] == 1
        listed = (await guest.get(f"/api/products/{product}/questions?answered=true")).json()["items"]
        [best] = listed[0]["best"]
        vote = f"/api/question-answers/{best['id']}/vote"
        assert (await member.post(vote, json={})).json() == {"helpful": 1}
        assert (await guest.post(vote, json={})).status_code == 401
        assert (await member.post(f"/api/questions/{ids[0]}/answers", json={"text": "Ja", "language": "sv"})).status_code == 403  # fmt: skip
        file = await owner.get("/api/questions?format=csv&state=published")
        assert len(file.text.strip().splitlines()) == 3
        back = await owner.post(f"/api/questions/decisions/{batch}/take-back")
        assert back.json() == {"changed": 2}, "that one was answered since changes nothing about it"


async def test_who_asked_hears_once_why_a_question_is_not_shown(trade: Trade, settings: Settings) -> None:
    trade.db.settings = msgspec.structs.replace(
        settings, mail_to_log=True, public_url="https://shop.example.org"
    )
    product, kim = await product_of(trade, await trade.kettle()), await customer(trade)
    asked, undone = [await ask(trade, product, kim, text) for text in ("Vem är du?", "Hur stor är den?")]
    no = Decision(status="declined", reason="Den handlar inte om varan.")
    for decision in (no, PUBLISH, no):
        await trade.db.transaction(lambda tx, d=decision: questions.decide(tx, asked.id, d))
        await trade.follow()
    # Taken back before anybody was told: nobody is.
    await trade.db.transaction(lambda tx: questions.decide(tx, undone.id, no))
    await trade.db.transaction(lambda tx: questions.decide(tx, undone.id, PUBLISH))
    await trade.follow()
    (told,) = await Post(trade.db, trade.db.settings, trade.web).mails()
    assert told.to == "kim@example.org"
    assert told.subject.startswith("Om din fråga: ")
    assert "Den handlar inte om varan." in told.text
    assert "https://shop.example.org/account/questions" in told.text
    assert (await questions.to_read(trade.db)).questions == 0
    third = await ask(trade, product, kim, "Och nu?")
    waits = await questions.to_read(trade.db)
    assert (waits.questions, waits.asked_at) == (1, third.asked_at)
