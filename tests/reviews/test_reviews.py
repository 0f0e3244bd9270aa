"""Reviews from the purchase to the shop: written, decided, counted, voted for, taken back. Twice, at once, by others."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import structs

from samlad import orders, reviews
from samlad.app import CHECKS
from samlad.catalog.search.query import SearchQuery, search
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.listing import ListQuery
from samlad.kernel.personal import Person, erase, find_things
from samlad.kernel.personal import read as holdings_read
from samlad.kernel.problems import InvalidInput, NotFound, Outdated, TooMany
from samlad.orders import Order
from samlad.reviews import Answer, Decision, NotBought, Report, Review, ReviewInput, Status, Vote
from samlad.reviews.personal import HOLDINGS, THINGS
from trade import Trade, build

GUEST = Context(actor=Actor(kind="guest"), remote="192.0.2.9")


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db)


async def bought(
    trade: Trade, variant: UUID, email: str = "kim@example.org", name: str = "Kim Berg"
) -> Order:
    address = {
        "name": name,
        "line1": "Storgatan 1",
        "postal_code": "211 34",
        "city": "Malmö",
        "country": "SE",
    }
    cart = await trade.cart((variant, 1), email=email, name=name, address=address, delivery="ship")
    order = await trade.place(cart.id)
    return await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))


async def product_of(trade: Trade, variant: UUID) -> UUID:
    found: UUID = await trade.db.value("SELECT product FROM variant WHERE id = $1", variant)
    return found


async def write(trade: Trade, order: UUID, product: UUID, context: Context = GUEST, **fields: Any) -> Review:
    data = ReviewInput(product=product, **{"stars": 4, "language": "sv", "text": "Bra.", **fields})
    return await trade.db.transaction(lambda tx: reviews.write_for_order(tx, order, data), context)


async def decide(trade: Trade, review: UUID, status: str = "approved", **fields: Any) -> Review:
    version = fields.pop("version", None)
    data = Decision(status=status, **fields)  # type: ignore[arg-type]
    return await trade.db.transaction(lambda tx: reviews.decide(tx, review, data, version=version))


async def whole(trade: Trade) -> None:
    for check in CHECKS:
        if check.name == "review-totals":
            assert (await check.look(trade.db)).status == "ok"


async def test_a_review_is_shown_once_approved_and_its_stars_are_in_lists(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=5)
    product, order = await product_of(trade, kettle), await bought(trade, kettle)
    first = await write(trade, order.id, product, title="En bra kittel", text=" Kokar  \n\n\n snabbt ")
    assert (first.status, first.author, first.text) == (Status.WAITING, "Kim B.", "Kokar\n\nsnabbt")
    again = await write(trade, order.id, product, title="En bra kittel", text="Kokar\n\nsnabbt")
    assert (again.id, again.version) == (first.id, first.version), "sent twice it is the same"
    assert (await reviews.totals(trade.db, product)).count == 0

    with pytest.raises(InvalidInput):
        await decide(trade, first.id, "refused")
    done = await decide(trade, first.id, version=first.version)
    assert (await decide(trade, first.id)).version == done.version, "approved twice is approved once"
    with pytest.raises(Outdated):
        await decide(trade, first.id, "refused", reason="Nej", version=first.version)
    assert (await reviews.totals(trade.db, product)).by_stars == [0, 0, 0, 1, 0]
    hit = (await search(trade.db, trade.web, SearchQuery(sort="rated", stars_from=4))).items[0]
    assert (hit.id, hit.rating, hit.ratings) == (product, 400, 1)
    assert (await search(trade.db, trade.web, SearchQuery(stars_from=5))).items == []

    # Written anew it waits again, and what it said before does not count meanwhile.
    changed = await write(trade, order.id, product, stars=1, title="Gick sönder")
    assert (changed.id, changed.status) == (first.id, Status.WAITING)
    assert (await reviews.totals(trade.db, product)).count == 0
    await decide(trade, first.id)
    assert (await reviews.totals(trade.db, product)).by_stars == [1, 0, 0, 0, 0]
    answer = Answer("Vi byter den.")
    answered = await trade.db.transaction(lambda tx: reviews.answer(tx, first.id, answer))
    assert answered.reply == "Vi byter den."
    shown = (await reviews.SHOWN.page(trade.db, ListQuery(), product)).items
    assert [(one.stars, one.title, one.reply) for one in shown] == [(1, "Gick sönder", "Vi byter den.")]
    await whole(trade)

    with pytest.raises(NotFound):
        await trade.db.transaction(lambda tx: reviews.withdraw(tx, first.id, order=uuid4()), GUEST)
    for _ in range(2):
        gone = await trade.db.transaction(lambda tx: reviews.withdraw(tx, first.id, order=order.id), GUEST)
        assert gone.status is Status.WITHDRAWN
    assert (await reviews.totals(trade.db, product)).count == 0
    types = [
        row["type"]
        for row in await trade.db.rows("SELECT type FROM event WHERE subject = $1 ORDER BY seq", first.id)
    ]
    assert types == ["review.written", "review.approved", "review.written", "review.approved", "review.answered", "review.withdrawn"]  # fmt: skip
    await whole(trade)


async def test_only_who_got_it_may_review_it_and_each_person_once(trade: Trade) -> None:
    kettle, other = await trade.kettle(quantity=5), await trade.kettle()
    product = await product_of(trade, kettle)
    unsent = await trade.buy((kettle, 1))
    with pytest.raises(NotBought):
        await write(trade, unsent.id, product)
    order = await bought(trade, kettle)
    with pytest.raises(NotBought):
        await write(trade, order.id, await product_of(trade, other))
    await trade.follow()  # the customer of the orders is known now
    customer = await trade.db.value("SELECT customer FROM orders WHERE id = $1", order.id)
    first = await write(trade, order.id, product)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, unsent.id, orders.FulfilInput()))
    second = await write(trade, unsent.id, product, stars=2)
    assert second.id == first.id, "whoever bought twice has one opinion"
    kim = Context(actor=Actor(kind="customer", id=customer))
    data = ReviewInput(product=product, stars=5, language="en")
    own = await trade.db.transaction(lambda tx: reviews.write_as_customer(tx, data), kim)
    assert (own.id, own.stars) == (first.id, 5)
    for actor in (GUEST, Context(actor=Actor(kind="customer", id=uuid4()))):
        with pytest.raises(NotBought):
            await trade.db.transaction(lambda tx: reviews.write_as_customer(tx, data), actor)
    listed = await reviews.of_order(trade.db, order.id)
    assert [(one.product, one.review, one.stars) for one in listed] == [(product, first.id, 5)]
    tries = [write(trade, order.id, product, text=str(number)) for number in range(30)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert 0 < sum(isinstance(each, TooMany) for each in answers) < 30


async def test_totals_are_exact_when_many_decide_and_write_at_once(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=20)
    product = await product_of(trade, kettle)
    placed = [await bought(trade, kettle, f"k{n}@example.org") for n in range(6)]
    system = Context(actor=Actor(kind="system"))
    made = await asyncio.gather(
        *(
            write(trade, order.id, product, system, stars=1 + n % 5)
            for n, order in enumerate(placed)
            for _ in (1, 2)
        )
    )
    assert len({each.id for each in made}) == 6, "the same review written at once is one"
    ids = sorted({each.id for each in made})
    await asyncio.gather(*(decide(trade, each) for each in ids for _ in range(3)))
    assert sorted((await reviews.totals(trade.db, product)).by_stars) == [1, 1, 1, 1, 2]
    refusals = [decide(trade, each, "refused", reason="x") for each in ids[:3] for _ in (1, 2)]
    rewrites = [write(trade, order.id, product, system, stars=5) for order in placed[:2]]
    approvals = [decide(trade, each) for each in ids[3:]]
    await asyncio.gather(*refusals, *rewrites, *approvals)
    await whole(trade)


async def test_votes_and_reports_count_once_for_each_person(trade: Trade) -> None:
    kettle = await trade.kettle()
    product, order = await product_of(trade, kettle), await bought(trade, kettle)
    review = await write(trade, order.id, product)
    voter = uuid4()

    async def vote(who: UUID, *, helpful: bool = True, context: Context = GUEST) -> int:
        return await trade.db.transaction(lambda tx: reviews.vote(tx, review.id, who, Vote(helpful)), context)

    async def report(who: UUID, context: Context = GUEST) -> None:
        await trade.db.transaction(lambda tx: reviews.report(tx, review.id, who, Report("Reklam")), context)

    with pytest.raises(NotFound):
        await vote(voter)
    with pytest.raises(NotFound):
        await report(voter)
    await decide(trade, review.id)
    assert set(await asyncio.gather(*(vote(voter) for _ in range(5)))) == {1}
    assert await vote(uuid4()) == 2
    assert await vote(voter, helpful=False) == 1
    assert await vote(voter, helpful=False) == 1
    await report(voter)
    await report(voter)
    found = await reviews.read(trade.db, Actor(kind="system"), review.id)
    assert (found.helpful, found.reports) == (1, 1)
    assert [reason for reason, _ in await reviews.reports_of(trade.db, review.id)] == ["Reklam"]
    assert (await decide(trade, review.id)).reports == 0, "decided again, reports are done with"
    await write(trade, order.id, product, text="Annat.")
    assert (await decide(trade, review.id)).helpful == 0, "votes were of what it said before"
    assert await vote(voter) == 1
    many = await asyncio.gather(*(vote(uuid4()) for _ in range(80)), return_exceptions=True)
    assert 0 < sum(isinstance(each, TooMany) for each in many) < 80
    assert await vote(uuid4(), context=Context(actor=Actor(kind="guest"), remote="192.0.2.10")) > 1


async def test_over_http_each_verb_asks_for_its_permission(trade: Trade, api_as: Any) -> None:
    kettle = await trade.kettle(quantity=5)
    product, order = await product_of(trade, kettle), await bought(trade, kettle)
    body = {"product": str(product), "stars": 5, "language": "sv", "order": str(order.id)}
    reader = Actor(kind="key", id=uuid4(), permissions=frozenset({"reviews.read"}))
    async with api_as() as owner, api_as(reader) as key, api_as(Actor(kind="guest")) as guest:
        assert (await guest.post("/api/reviews", json=body)).status_code == 401
        assert (await key.post("/api/reviews", json=body)).status_code == 403
        unfit = await owner.post("/api/reviews", json={**body, "order": None})
        assert (unfit.status_code, unfit.json()["errors"][0]["field"]) == (422, "order")
        strange = await owner.post("/api/reviews", json={**body, "product": str(uuid4())})
        assert (strange.status_code, strange.json()["type"]) == (403, "/problems/not-bought")
        made = await owner.post("/api/reviews", json=body, headers={"Idempotency-Key": "r1"})
        again = await owner.post("/api/reviews", json=body, headers={"Idempotency-Key": "r1"})
        assert (made.status_code, made.json()["id"]) == (201, again.json()["id"])
        path = f"/api/reviews/{made.json()['id']}"
        assert (await key.get(path)).headers["etag"] == '"1"'
        assert (await guest.get(path)).status_code == 401
        verdict = {"status": "approved"}
        assert (await key.post(f"{path}/decision", json=verdict)).status_code == 403
        assert (
            await owner.post(f"{path}/decision", json=verdict, headers={"If-Match": '"7"'})
        ).status_code == 412
        assert (await owner.post(f"{path}/decision", json=verdict)).json()["status"] == "approved"
        assert (await owner.put(f"{path}/answer", json={"text": "Tack!"})).json()["reply"] == "Tack!"
        assert (await guest.post(f"{path}/vote", json={})).status_code == 401
        assert (await key.post(f"{path}/vote", json={})).json() == {"helpful": 1}
        assert (await key.post(f"{path}/report", json={"reason": "x"})).status_code == 204
        listed = await key.get("/api/reviews?state=approved&reported=true&sort=-stars&q=kettle")
        assert [one["stars"] for one in listed.json()["items"]] == [5]
        csv = await key.get("/api/reviews?format=csv")
        assert csv.text.splitlines()[0].startswith("id,product,product_title")
        public = (await guest.get(f"/api/products/{product}/reviews?sort=-written_at")).json()["items"][0]
        assert (public["reply"], "order_id" in public) == ("Tack!", False)
        assert (await guest.get(f"/api/products/{product}/rating")).json() == {
            "count": 1, "average": 500, "by_stars": [0, 0, 0, 0, 1],
        }  # fmt: skip
        found = await guest.get("/api/search?channel=web&sort=rated&stars_from=5")
        assert [hit["ratings"] for hit in found.json()["items"]] == [1]


async def test_erased_a_person_leaves_stars_without_name_and_words(trade: Trade) -> None:
    kettle = await trade.kettle()
    product, order = await product_of(trade, kettle), await bought(trade, kettle)
    review = await write(trade, order.id, product, title="Hej från Kim")
    await decide(trade, review.id)
    await trade.follow()
    kim = await trade.db.value("SELECT customer FROM orders WHERE id = $1", order.id)
    await trade.db.transaction(lambda tx: reviews.vote(tx, review.id, kim, Vote()))
    person = Person(ids=[kim], texts=["kim@example.org"], needles=[], things=[])
    things = await find_things(trade.db, THINGS, person)
    assert things == [review.id]
    person = structs.replace(person, things=things)
    shown = {holding.table: await holdings_read(trade.db, holding, person) for holding in HOLDINGS}
    assert shown["review"][0]["title"] == "Hej från Kim"
    for holding in (*HOLDINGS, *HOLDINGS):  # twice does no harm
        await trade.db.transaction(lambda tx, h=holding: erase(tx, h, person))  # type: ignore[misc]
    row = await trade.db.row("SELECT customer, author, title, text, status, stars, helpful FROM review")
    assert row is not None
    assert tuple(row.values()) == (None, "", "", "", "approved", 4, 1)
    assert await trade.db.value("SELECT count(*) FROM review_vote WHERE voter = $1", kim) == 0
    assert (await reviews.totals(trade.db, product)).count == 1
    await whole(trade)
