"""Questions in the shop and in the admin: from a visitor's form to the desk, the answer, what machines read, and the account."""

import json
import re
from typing import Any
from uuid import UUID

import httpx
import msgspec
from market import Market, hidden, text_of
from test_shop_reviews import bought

from account_people import Post
from samlad import questions
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.settings import Settings
from samlad.kernel.vault import Vault
from samlad.questions import AnswerInput, Decision, QuestionInput, links

ACT = {"accept": "text/html", "accept-language": "en"}


async def asked(market: Market, product: UUID, text: str, **more: Any) -> UUID:
    """A question of a guest that is published."""
    data = QuestionInput(
        channel=market.web.id, product=product, text=text, email="kim@example.org", language="en", **more
    )

    async def work(tx: Any) -> UUID:
        made = await questions.ask(tx, data)
        await questions.confirm(tx, made.id)
        await questions.decide(tx, made.id, Decision(status="published"))
        return made.id

    return await market.db.transaction(work, Context(actor=SYSTEM))


async def test_a_visitor_asks_the_desk_answers_and_everybody_reads(
    guest: httpx.AsyncClient, market: Market, api_as: Any
) -> None:
    await market.product(title="Copper kettle", sku="KTL", handle="kettle", stock=(9, 0))
    page = (await guest.get("/p/kettle")).text
    assert "Nobody has asked about this yet." in text_of(page)
    said = {"_csrf": hidden(page, "_csrf"), "sku": "KTL", "text": "Does <b>it</b> whistle?", "author": "Lo"}
    unfit = await guest.post("/p/kettle/questions", data=said)
    assert unfit.status_code == 422
    assert "Write the address that the answer goes to." in unfit.text
    assert "Does &lt;b&gt;it&lt;/b&gt; whistle?" in unfit.text, "what was typed is still there"
    trapped = await guest.post("/p/kettle/questions", data={**said, "email": "a@example.org", "website": "x"})
    assert trapped.status_code == 303
    assert await market.db.value("SELECT count(*) FROM question") == 0, "people do not see that field"
    advert = await guest.post(
        "/p/kettle/questions", data={**said, "email": "a@example.org", "text": "see http://x.example"}
    )
    assert "without addresses of web pages" in advert.text
    done = await guest.post("/p/kettle/questions", data={**said, "email": "a@example.org"})
    assert (done.status_code, done.headers["location"]) == (303, "/p/kettle#questions")
    assert "whistle" not in (await guest.get("/p/kettle")).text, "nobody has read it yet"

    async with api_as(**ACT) as owner:
        queue = await owner.get("/admin/questions", follow_redirects=True)
        path = re.search(r"/admin/questions/[0-9a-f-]{36}", queue.text)
        assert path
        one = await owner.get(path[0])
        assert "Does &lt;b&gt;it&lt;/b&gt; whistle?" in one.text
        assert "a@example.org" not in one.text
        verdict = {"_csrf": hidden(one.text, "_csrf"), "version": hidden(one.text, "version")}
        refused = await owner.post(f"{path[0]}/decision", data={**verdict, "status": "declined"})
        assert refused.status_code == 422
        both = {**verdict, "text": "It does, and loudly.", "publish": "1"}
        shown = await owner.post(f"{path[0]}/answer", data=both)
        assert shown.headers["location"] == "/admin/questions", "nothing else waits"
        stale = await owner.post(f"{path[0]}/answer", data={**both, "text": "No."})
        assert stale.status_code == 412

    html = (await guest.get("/p/kettle")).text
    assert "Our answer" in text_of(html)
    assert "It does, and loudly." in html
    assert "QAPage" not in html, "a page of several questions is none"
    href = re.search(r'href="(/p/kettle/questions/[0-9a-f-]{36})"', html)
    assert href
    own = (await guest.get(href[1])).text
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', own, flags=re.DOTALL)
    [told] = [each for each in map(json.loads, blocks) if each["@type"] == "QAPage"]
    entity = told["mainEntity"]
    assert (entity["name"], entity["answerCount"]) == ("Does <b>it</b> whistle?", 1)
    accepted = entity["acceptedAnswer"]
    assert (accepted["text"], accepted["upvoteCount"]) == ("It does, and loudly.", 0)
    assert accepted["author"]["@type"] == "Organization"
    assert f"{href[1]}#answer-" in accepted["url"]

    answer = re.search(r'action="/answers/([0-9a-f-]{36})/vote"', html)
    assert answer
    vote = {"_csrf": hidden(html, "_csrf"), "next": "/p/kettle"}
    for _ in range(2):
        piece = await guest.post(f"/answers/{answer[1]}/vote", data=vote, headers={"hx-request": "true"})
        assert "1 finds this helpful" in text_of(piece.text)
    plain = await guest.post(f"/answers/{answer[1]}/vote", data={**vote, "back": "1"})
    assert plain.headers["location"] == "/p/kettle"
    number = href[1].rpartition("/")[2]
    told_on = await guest.post(f"/questions/{number}/report", data={**vote, "reason": "Ad"})
    assert told_on.status_code == 303
    assert await market.db.value("SELECT reports FROM question") == 1

    found = await guest.get("/p/kettle/questions?q=LOUDLY&sort=-asked_at&language=en")
    assert "whistle" in found.text
    assert "No questions like that" in text_of((await guest.get("/p/kettle/questions?q=zzz")).text)
    for query in ("sort=drop", "cursor=%00x", "cursor=abc", "language=xx", "q=%00"):
        assert (await guest.get(f"/p/kettle/questions?{query}")).status_code in (200, 303), query


async def test_many_are_published_together_and_that_is_undone(market: Market, api_as: Any) -> None:
    made = await market.product(title="Mug", sku="MUG", handle="mug", stock=(9, 0))

    async def ask(tx: Any, number: int) -> UUID:
        data = QuestionInput(
            channel=market.web.id,
            product=made.id,
            text=f"Question {number}?",
            email="a@example.org",
            language="en",
        )
        return (await questions.ask(tx, data)).id

    ids = [await market.db.transaction(lambda tx, n=n: ask(tx, n), Context(actor=SYSTEM)) for n in range(3)]
    states = "SELECT status FROM question ORDER BY text"
    async with api_as(**ACT) as owner:
        listed = await owner.get("/admin/questions?state=waiting")
        form = {
            "_csrf": hidden(listed.text, "_csrf"),
            "next": "/admin/questions?state=waiting",
            "id": [str(each) for each in ids[:2]],
        }
        nothing = await owner.post("/admin/questions/decisions", data={**form, "id": [], "act": "published"})
        said = await owner.get(nothing.headers["location"])
        assert "Pick something first." in said.text
        bare = await owner.post("/admin/questions/decisions", data={**form, "act": "declined"})
        assert "say why" in (await owner.get(bare.headers["location"])).text.lower()
        done = await owner.post("/admin/questions/decisions", data={**form, "act": "published"})
        after = await owner.get(done.headers["location"])
        assert "Changed: 2." in text_of(after.text)
        assert [row["status"] for row in await market.db.rows(states)] == [
            "published",
            "published",
            "waiting",
        ]
        undo = re.search(r'action="(/admin/undo/[^"]+)"', after.text)
        assert undo
        back = await owner.post(undo[1], data={"_csrf": form["_csrf"]})
        assert back.headers["location"] == form["next"]
    assert [row["status"] for row in await market.db.rows(states)] == ["waiting"] * 3


async def test_a_guest_confirms_by_the_link_in_the_mail(
    guest: httpx.AsyncClient, market: Market, settings: Settings
) -> None:
    made = await market.product(title="Mug", sku="MUG", handle="mug", stock=(9, 0))
    market.db.settings = msgspec.structs.replace(settings, mail_to_log=True)
    data = QuestionInput(
        channel=market.web.id, product=made.id, text="How tall is it?", email="a@example.org", language="en"
    )
    found = await market.db.transaction(lambda tx: questions.ask(tx, data), Context(actor=SYSTEM))
    path = links.path(Vault.of(settings), found.id)
    page = await guest.get(path)
    assert "Did you ask this?" in text_of(page.text)
    status = "SELECT status FROM question"
    assert await market.db.value(status) == "unconfirmed", "looking at it confirms nothing"
    token = {"_csrf": hidden(page.text, "_csrf")}
    for _ in range(2):
        assert (await guest.post(f"{path}/confirm", data=token)).headers["location"] == path
    assert await market.db.value(status) == "waiting"
    await guest.post(f"{path}/withdraw", data=token)
    gone = await guest.get(path)
    assert "You took this question back" in text_of(gone.text)
    assert f'action="{path}/restore"' in gone.text
    await guest.post(f"{path}/restore", data=token)
    assert await market.db.value(status) == "waiting"
    assert (await guest.get(f"{path}x")).status_code == 404
    assert (await guest.post(f"{path}/drop", data=token)).status_code == 404


async def test_a_member_keeps_their_questions_and_who_bought_answers(
    guest: httpx.AsyncClient, market: Market, settings: Settings, api_as: Any
) -> None:
    made = await market.product(title="Mug", sku="MUG", handle="mug", stock=(9, 0))
    opened = await Post(market.db, settings, market.web).sign_in("kim@example.org")
    guest.cookies.set("samlad_customer", opened.token)
    empty = await guest.get("/account/questions")
    assert "You have asked nothing yet" in text_of(empty.text)
    page = (await guest.get("/p/mug")).text
    assert 'name="email"' not in page[page.index('id="questions"') : page.index('id="ask-website"')]
    token = {"_csrf": hidden(page, "_csrf")}
    await guest.post("/p/mug/questions", data={**token, "text": "How tall is it?"})
    listed = await guest.get("/account/questions")
    path = re.search(r"/account/questions/[0-9a-f-]{36}", listed.text)
    assert path
    one = (await guest.get(path[0])).text
    change = {**token, "version": hidden(one, "version")}
    assert (await guest.post(path[0], data={**change, "text": "x"})).status_code == 422
    assert (await guest.post(path[0], data={**change, "text": "How wide is it?"})).status_code == 303
    assert (await guest.post(path[0], data={**change, "text": "And deep?"})).status_code == 412
    gone = await guest.post(f"{path[0]}/remove", data=token)
    after = await guest.get(gone.headers["location"])
    assert f'action="{path[0]}/restore"' in after.text, "it can be put back"
    assert (await guest.get(path[0])).status_code == 404
    await guest.post(f"{path[0]}/restore", data=token)
    assert "How wide is it?" in (await guest.get(path[0])).text

    other = await asked(market, made.id, "Is it heavy?")
    href = f"/p/mug/questions/{other}"
    assert 'name="text"' not in (await guest.get(href)).text, "who has not bought it does not answer"
    denied = await guest.post(f"{href}/answer", data={**token, "text": "No."})
    assert denied.status_code == 422
    assert "Only who bought this" in denied.text
    order = await bought(market, made.variants[0].id)
    await market.db.transaction(
        lambda tx: tx.execute("UPDATE orders SET customer = $2 WHERE id = $1", order, opened.customer.id)
    )
    form = (await guest.get(href)).text
    assert 'name="text"' in form
    assert (await guest.post(f"{href}/answer", data={**token, "text": "Not at all."})).status_code == 303
    waiting = (await guest.get(href)).text
    assert "We have not read your answer yet" in text_of(waiting)
    assert await market.db.value("SELECT author FROM question_answer") == "Kim B."
    customer = f"/admin/customers/{opened.customer.id}"
    async with api_as(**ACT) as owner:
        one = text_of((await owner.get(customer)).text)
        assert "How wide is it?" in one, "what they asked is on their page"
        assert "Asked about a product" in one, "and on their timeline"
        seen = await owner.get(f"/pos/{market.stores[0].code}/customers/{opened.customer.id}")
        assert "How wide is it?" in text_of(seen.text), "and before a clerk who serves them"
        offered = await owner.get("/admin/questions?offered=true")
        assert str(other) in offered.text
        desk = f"/admin/questions/{other}"
        page = (await owner.get(desk)).text
        form = page[page.index(f"{desk}/answers/") :]
        path = re.match(r"[^\"]+", form)
        assert path
        verdict = {"_csrf": hidden(form, "_csrf"), "version": hidden(form, "version")}
        for status, expected in (("declined", 422), ("published", 303)):
            answer = await owner.post(path[0], data={**verdict, "status": status})
            assert answer.status_code == expected
    assert "Not at all." in (await guest.get("/p/mug")).text
    assert "Bought here" in text_of((await guest.get(href)).text)
    await guest.post(f"{href}/answer/remove", data=token)
    assert await market.db.value("SELECT status FROM question_answer") == "withdrawn"


async def test_answered_questions_are_in_a_sitemap_of_their_own(
    guest: httpx.AsyncClient, market: Market
) -> None:
    product, ended = [
        await market.product(title=f"Pan {name}", sku=name, handle=f"pan-{name}")
        for name in ("sold", "ended")
    ]
    assert "questions.xml" not in (await guest.get("/sitemap.xml")).text
    shown = await asked(market, product.id, "Does it fit an oven?")
    await asked(market, product.id, "Nobody answered this")
    hidden_too = await asked(market, ended.id, "Of something that is not sold now")
    for each in (shown, hidden_too):
        await market.db.transaction(
            lambda tx, each=each: questions.answer(tx, each, AnswerInput(text="Yes")), Context(actor=SYSTEM)
        )
    await market.db.rows(
        "UPDATE product_search SET is_active = false WHERE product = $1 RETURNING 1", ended.id
    )
    assert "/sitemaps/questions.xml" in (await guest.get("/sitemap.xml")).text
    answer = await guest.get("/sitemaps/questions.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    (path,) = re.findall(r"<loc>http://samlad.test([^<]+)</loc>", answer.text)
    assert path == f"/p/pan-sold/questions/{shown}"
    assert (await guest.get(path)).status_code == 200
