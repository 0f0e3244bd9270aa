"""Customers: found again in any spelling, never twice, changed with a trace."""

import asyncio

import httpx
import msgspec
import pytest

from samlad import customers
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.customers.model import CustomerChange, NewCustomer
from samlad.kernel import log
from samlad.kernel.problems import Conflict, InvalidInput, Outdated
from trade import Trade


async def test_found_by_external_id_then_by_email_in_any_case(trade: Trade) -> None:
    pool = trade.web.pools[Resource.CUSTOMERS]

    async def find(**person: str) -> customers.Customer:
        given = PersonInput(**person)
        return await trade.db.transaction(lambda tx: customers.find_or_create(tx, pool, given))

    kim = await find(email="Kim@Example.org", name="Kim")
    assert (await find(email="kim@example.ORG ")).id == kim.id
    old = await find(external_id="17850", country="GB")
    assert (await find(external_id="17850", email="kim@example.org")).id == old.id, "the external id decides"
    other = trade.web.pools[Resource.CARTS]
    assert other != pool
    with pytest.raises(InvalidInput):
        await find(name="Nobody")


async def test_twenty_at_once_are_one(trade: Trade) -> None:
    pool = trade.web.pools[Resource.CUSTOMERS]
    person = PersonInput(email="kim@example.org")
    found = await asyncio.gather(
        *(trade.db.transaction(lambda tx: customers.find_or_create(tx, pool, person)) for _ in range(20))
    )
    assert len({customer.id for customer in found}) == 1
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'customer.created'") == 1


async def test_a_change_says_what_was_before_and_is_kept_apart(trade: Trade) -> None:
    from samlad.customers import service

    new = NewCustomer(channel=trade.web.id, email="kim@example.org", phone="0701234567")
    kim = await trade.db.transaction(lambda tx: service.create(tx, new))
    change = msgspec.convert({"name": "Kim Berg", "phone": None}, CustomerChange)
    changed = await trade.db.transaction(lambda tx: customers.change(tx, kim.id, change, version=1))
    assert (changed.name, changed.phone, changed.email, changed.version) == (
        "Kim Berg",
        None,
        "kim@example.org",
        2,
    )
    told = (await log.of_subject(trade.db, kim.id))[-1].payload
    assert told["fields"] == ["name", "phone"]
    assert (told["before"], told["after"]) == (
        {"name": None, "phone": "0701234567"},
        {"name": "Kim Berg", "phone": None},
    )
    kept = await trade.db.value("SELECT payload::text FROM event WHERE type = 'customer.changed'")
    assert "Berg" not in kept
    same = await trade.db.transaction(lambda tx: customers.change(tx, kim.id, change))
    assert same.version == 2, "nothing changed, nothing happened"
    with pytest.raises(Outdated):
        await trade.db.transaction(lambda tx: customers.change(tx, kim.id, change, version=1))
    with pytest.raises(InvalidInput):
        await trade.db.transaction(
            lambda tx: customers.change(tx, kim.id, msgspec.convert({"email": None}, CustomerChange))
        )
    lo = NewCustomer(channel=trade.web.id, email="LO@example.org")
    await trade.db.transaction(lambda tx: service.create(tx, lo))
    with pytest.raises(Conflict):
        await trade.db.transaction(
            lambda tx: customers.change(
                tx, kim.id, msgspec.convert({"email": "lo@EXAMPLE.org"}, CustomerChange)
            )
        )
    with pytest.raises(Conflict):
        await trade.db.transaction(lambda tx: service.create(tx, lo))


async def test_many_come_in_at_once_by_external_id(trade: Trade) -> None:
    pool = trade.web.pools[Resource.CUSTOMERS]
    people = [PersonInput(external_id=str(n), country="GB") for n in range(50)]
    first = await trade.db.transaction(lambda tx: customers.import_people(tx, pool, people))
    second = await trade.db.transaction(lambda tx: customers.import_people(tx, pool, people))
    assert first == second
    assert len(set(first.values())) == 50


async def test_names_are_found_in_any_order(trade: Trade, api: httpx.AsyncClient) -> None:
    pool = trade.web.pools[Resource.CUSTOMERS]
    names = (
        "Anna Svensson",
        "Hanna Sandberg",
        "Anna-Lisa Berg-Ek",
        "Siobhán O'Neill",
        "مريم الخطيب",
        "Cher",
        "100% Li",
    )
    for number, name in enumerate(names):
        given = PersonInput(email=f"{number}@example.org", name=name, phone="070 123 45 67")
        await trade.db.transaction(lambda tx, given=given: customers.find_or_create(tx, pool, given))

    async def found(asked: str) -> set[str]:
        return {row["name"] for row in (await api.get("/api/customers", params={"q": asked})).json()["items"]}

    for asked, wanted in {
        "Svensson Anna": {"Anna Svensson"},
        "svensson, a": {"Anna Svensson"},
        "anna sv": {"Anna Svensson"},
        "anna berg": {"Anna-Lisa Berg-Ek"},
        "ek lisa": {"Anna-Lisa Berg-Ek"},
        "berg-ek anna-lisa": {"Anna-Lisa Berg-Ek"},
        "berg": {"Hanna Sandberg", "Anna-Lisa Berg-Ek"},
        "neill siobhán": {"Siobhán O'Neill"},
        "o'neill 3@example.org": {"Siobhán O'Neill"},
        "الخطيب مريم": {"مريم الخطيب"},
        "cher": {"Cher"},
        "li 100%": {"100% Li"},
        "_ %": set(),
        "070 123": set(names),
        ",": set(),
    }.items():
        assert await found(asked) == wanted, asked


async def test_the_list_finds_and_sums(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle = await trade.kettle(10_000)
    await trade.buy((kettle, 1))
    await trade.buy((kettle, 2))
    await trade.follow()
    made = await api.post(
        "/api/customers", json={"channel": str(trade.web.id), "email": "lo@example.org", "name": "=Lo"}
    )
    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    found = (await api.get("/api/customers", params={"q": "KIM BE"})).json()["items"]
    assert [(row["email"], row["orders"], row["spent"]) for row in found] == [
        ("kim@example.org", 2, {"SEK": 30_000})
    ]
    every = (await api.get("/api/customers", params={"sort": "-orders"})).json()["items"]
    assert [row["orders"] for row in every] == [2, 0]
    file = (await api.get("/api/customers", params={"format": "csv", "q": "lo@"})).text.splitlines()
    assert len(file) == 2
    assert "'=Lo" in file[1], "no formula for a spreadsheet to run"
    one = await api.patch(
        f"/api/customers/{made.json()['id']}", json={"name": "Lo"}, headers={"If-Match": made.headers["etag"]}
    )
    assert one.json()["name"] == "Lo"


async def test_a_name_and_a_number_are_enough_once(trade: Trade) -> None:
    async def add(**given: str) -> customers.Customer:
        new = NewCustomer(channel=trade.web.id, **given)
        return await trade.db.transaction(lambda tx: customers.create(tx, new))

    made = await asyncio.gather(
        *(add(name="Siv", phone=each) for each in ("070-123 45 67", "+46 70 123 45 67")),
        return_exceptions=True,
    )
    [siv] = [each for each in made if isinstance(each, customers.Customer)]
    [refused] = [each for each in made if isinstance(each, Conflict)]
    assert (refused.extra["customer"], refused.errors[0].field) == (str(siv.id), "phone")
    other = await add(name="Bo", phone="123 45 67")
    assert other.id != siv.id, "a number that ends alike is another"
    family = await add(email="kim@example.org", phone="0701234567")
    assert family.id != siv.id, "who has an address of their own may share a number"
    for lacking in ({"phone": "0709999999"}, {"name": "Nobody"}):
        with pytest.raises(InvalidInput) as wrong:
            await add(**lacking)
        assert wrong.value.errors[0].field == "email"
    nameless = msgspec.convert({"name": None}, CustomerChange)
    with pytest.raises(InvalidInput):
        await trade.db.transaction(lambda tx: customers.change(tx, siv.id, nameless))
