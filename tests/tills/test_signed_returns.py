"""Goods come back with a receipt that another till has signed: before its sale has come, after, twice, at once, and without a receipt."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from selling import AT_TILL, CLERK, Signer, Till
from test_days import MANAGER, act

from samlad import customers, orders, tills
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Resource
from samlad.credit.book import balances
from samlad.credit.model import AccountKind
from samlad.customers import PersonInput
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.tills import RevokeInput, Verdict, revoke_key, signed, waiting_returns
from samlad.tills import day as days
from trade import Trade

PRICE = 20_000


class Two:
    """A till that sells, and one that takes back."""

    def __init__(self, trade: Trade, kettle: UUID) -> None:
        self.trade, self.kettle = trade, kettle
        self.sells, self.takes = Till(trade), Till(trade)
        self.key = Signer(self.sells.id)

    def sale(self, units: int = 2, **fields: Any) -> tuple[dict[str, Any], str]:
        """A sale, and what its receipt's code says."""
        sale = self.sells.sale((self.kettle, units), price=PRICE, **fields)
        return sale, self.key.text_of(sale["sequence"], sale["total"])

    def back(self, sale: dict[str, Any], text: str, units: int = 1, **fields: Any) -> dict[str, Any]:
        number = f"{self.sells.id.hex[-4:].upper()}-{sale['sequence']:06d}"
        lines = [{"variant": str(self.kettle), "quantity": units, "amount": units * PRICE}]
        given = {"receipt": number, "signed": text, "lines": lines, "total": units * PRICE}
        return act(self.takes, "return", **{**given, **fields})

    async def booked(self) -> None:
        """What waits for a sale that has come is booked, by the follower and its jobs."""
        await self.trade.follow()
        found = await self.trade.db.rows(
            "SELECT args FROM procrastinate_jobs WHERE task_name = $1 ORDER BY id", waiting_returns.JOB
        )
        for row in found:
            await waiting_returns.book(Works(self.trade.db), UUID(row["args"]["entry"]))

    async def state(self, entry: dict[str, Any]) -> tuple[str, list[str], bool]:
        found = await tills.get(self.trade.db, UUID(entry["id"]))
        return found.state, [each.code for each in found.objections], found.needs_look


class Works:
    """What a job is given."""

    def __init__(self, database: Database) -> None:
        self.database = database


@pytest.fixture
async def two(trade: Trade) -> Two:
    found = Two(trade, await trade.kettle(price=PRICE, quantity=9, at=trade.at_malmo))
    await found.key.known(trade)
    return found


async def customer(trade: Trade) -> UUID:
    pool, wanted = (
        trade.malmo.pools[Resource.CUSTOMERS],
        PersonInput(email="kim@example.org", name="Kim Berg"),
    )
    return (await trade.db.transaction(lambda tx: customers.find_or_create(tx, pool, wanted))).id


async def worth(trade: Trade, who: UUID) -> int:
    """What somebody has as store credit, minor units."""
    return sum(each.balance for each in await balances(trade.db, who, AccountKind.STORE_CREDIT))


def codes(verdicts: list[Verdict]) -> list[tuple[str, list[str]]]:
    return [(each.verdict, [one.code for one in each.objections]) for each in verdicts]


async def test_a_return_after_its_sale_is_booked_once(trade: Trade, two: Two) -> None:
    sale, text = two.sale(2)
    back = two.back(sale, f"https://shop.test/receipt/{text}")
    await two.sells.send(sale)
    assert codes(await two.takes.send(back)) == [("done", [])]
    again = await two.takes.send(back, back)
    assert codes(again) == [("done", [])] * 2
    assert all(each.is_known for each in again)
    assert await trade.level(two.kettle, trade.at_malmo) == (8, 0)
    # What is left comes back at another time; more than that is nobody's.
    much = two.back(sale, text, units=2)
    assert codes(await two.takes.send(two.back(sale, text), much)) == [("done", []), ("kept", ["not-done"])]
    assert await trade.level(two.kettle, trade.at_malmo) == (9, 0)
    await trade.agree()


async def test_a_return_before_its_sale_waits_and_is_booked_by_itself(trade: Trade, two: Two) -> None:
    sale, text = two.sale(2)
    back, twice, much = two.back(sale, text), two.back(sale, text), two.back(sale, text)
    assert codes(await two.takes.send(back, back)) == [("kept", ["receipt-waits"])] * 2
    await two.takes.send(twice, much)
    await two.booked()
    assert await two.state(back) == ("kept", ["receipt-waits"], True)
    assert codes(await two.sells.send(sale)) == [("recorded", [])]
    await two.booked()
    await two.booked()  # a job may run again
    assert await two.state(back) == ("done", [], False)
    assert await two.state(twice) == ("done", [], False)
    assert await two.state(much) == ("kept", ["not-done"], True)
    assert codes(await two.takes.send(back)) == [("done", [])]
    assert await trade.level(two.kettle, trade.at_malmo) == (9, 0)
    order = await orders.read(trade.db, UUID(str((await tills.get(trade.db, UUID(sale["id"]))).order_id)))
    assert order.refunded == 2 * PRICE
    await trade.agree()


async def test_a_return_and_its_sale_at_once(trade: Trade, two: Two) -> None:
    pairs = [(sale, two.back(sale, text)) for sale, text in (two.sale(1) for _ in range(4))]
    sends = [(two.sells, sale) for sale, _ in pairs] + [(two.takes, back) for _, back in pairs]
    await asyncio.gather(*(till.send(entry) for till, entry in sends))
    await two.booked()
    assert [await two.state(back) for _, back in pairs] == [("done", [], False)] * 4
    assert await trade.level(two.kettle, trade.at_malmo) == (9, 0)
    await trade.agree()


async def test_a_manager_settles_the_sale_and_the_return_follows(trade: Trade, two: Two) -> None:
    sale, text = two.sale(1)
    as_ours = {**sale, "currency": "SEK", "lines": [{**sale["lines"][0], "total": "?"}]}
    back = two.back(sale, text)
    assert codes(await two.sells.send(as_ours)) == [("kept", ["unreadable"])]
    assert codes(await two.takes.send(back)) == [("kept", ["receipt-waits"])]
    await trade.db.transaction(
        lambda tx: tills.write_off(tx, UUID(sale["id"]), tills.WriteOffInput(reason="Rung up by hand")),
        MANAGER,
    )
    # Nothing will come: whoever settles it is told so.
    with pytest.raises(tills.NotToResolve):
        await trade.db.transaction(lambda tx: tills.settle(tx, UUID(back["id"])), MANAGER)
    assert codes(await two.takes.send(two.back(sale, text))) == [("kept", ["unknown-receipt"])]


async def test_what_is_odd_about_a_signed_receipt_is_said(trade: Trade, two: Two) -> None:
    sale, text = two.sale(4)
    await two.sells.send(sale)
    dear = two.back(sale, two.key.text_of(sale["sequence"], 999_900))
    forged = two.back(sale, Signer(two.sells.id).text_of(sale["sequence"], sale["total"]))
    other = two.back(sale, text, lines=[{"variant": str(uuid4()), "quantity": 1, "amount": 1}])
    more = two.back(sale, text, total=2 * PRICE)
    assert codes(await two.takes.send(dear, forged, other, more)) == [
        ("done", ["receipt-differs"]),
        ("kept", ["unknown-receipt"]),
        ("kept", ["unknown-goods"]),
        ("done", ["paid"]),
    ]
    await trade.db.transaction(
        lambda tx: revoke_key(tx, signed.key_id(two.key.raw), RevokeInput(reason="lost")), AT_TILL
    )
    assert codes(await two.takes.send(two.back(sale, text))) == [("done", ["receipt-key"])]
    unread = two.back(sale, "T1.nothing")
    assert codes(await two.takes.send(unread)) == [("kept", ["unknown-receipt"])]


async def test_goods_without_a_receipt_become_credit_if_a_manager_says_so(trade: Trade, two: Two) -> None:
    kim = await customer(trade)
    sale, _ = two.sale(1)
    await two.sells.send(sale)
    lines = [{"variant": str(two.kettle), "quantity": 1}]
    fields = {
        "customer": str(kim),
        "lines": lines,
        "note": "The code could not be checked",
        "receipt": "0042-000001",
    }
    seller = Actor(kind="staff", id=uuid4(), name="Elsa", permissions=permissions_of(Role.STORE))
    entry = act(two.takes, "return-unknown", **fields)
    sent = await tills.record_batch(trade.db, Context(actor=seller), two.takes.desk, [entry])
    assert codes(sent) == [("kept", ["not-done"])]
    assert await worth(trade, kim) == 0
    # A manager looks, and it is done; sent once more it is what it was.
    await trade.db.transaction(lambda tx: tills.settle(tx, UUID(entry["id"])), MANAGER)
    assert [each.verdict for each in await two.takes.send(entry, entry)] == ["done"] * 2
    once = await worth(trade, kim)
    assert once > 0
    assert codes(await two.takes.send(act(two.takes, "return-unknown", **fields))) == [("done", [])]
    assert await worth(trade, kim) == 2 * once
    assert await trade.level(two.kettle, trade.at_malmo) == (10, 0)
    nobody = act(two.takes, "return-unknown", **{**fields, "customer": str(uuid4())})
    unsaid = act(two.takes, "return-unknown", **{**fields, "note": ""})
    assert codes(await two.takes.send(nobody, unsaid)) == [("kept", ["not-done"]), ("kept", ["unreadable"])]


async def test_a_till_carries_the_keys_of_its_store(trade: Trade, two: Two) -> None:
    other = Signer(two.takes.id)
    await other.known(trade)
    newer = Signer(two.sells.id)
    await newer.known(trade)
    day = await days.load(trade.db, CLERK, two.takes.desk, two.takes.id)
    keys = {each.kid: each for each in day.keys}
    assert keys.keys() == {signed.key_id(each.raw) for each in (two.key, other, newer)}
    old = keys[signed.key_id(two.key.raw)]
    assert old.replaced is not None
    assert old.till == two.sells.id.hex[-4:].upper()
    assert abs(old.replaced - now().timestamp()) < timedelta(hours=1).total_seconds()
    assert keys[signed.key_id(newer.raw)].replaced is None
