"""Holds of a hot variant are taken together: each with its own verdict, nothing lost, nothing left behind."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest
from stock_shop import Shop, books_are_right

from samlad import stock
from samlad.channels import Resource
from samlad.kernel.context import BACKGROUND
from samlad.kernel.database import Database, Tx, open_database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Busy, InvalidInput
from samlad.kernel.settings import Settings
from samlad.stock import HoldKind, HoldLine, SoldOut, holds, store
from samlad.stock.together import HOT, Together

BUYERS = 40


class Cancelled(Exception):
    """Somebody changes their mind after the goods were held."""


async def buy(db: Database, shop: Shop, owner: UUID, *lines: HoldLine, then: Exception | None = None) -> str:
    """Hold for an order as placing one does; how it went."""

    async def work(tx: Tx) -> None:
        held = await stock.take_together(tx, lines, channel=shop.web, kind=HoldKind.ORDER, owner=owner)
        assert {(h.owner, h.kind) for h in held} == {(owner, HoldKind.ORDER)}
        assert sum(h.quantity for h in held) == sum(line.quantity for line in lines)
        if then is not None:
            raise then

    try:
        await db.transaction(work)
    except SoldOut:
        return "sold out"
    except Cancelled:
        return "cancelled"
    return "held"


async def test_everyone_gets_their_own_verdict(shop: Shop) -> None:
    (kettle,) = await shop.variants(25)
    owners = [new_id() for _ in range(BUYERS)]
    told = await asyncio.gather(*(buy(shop.db, shop, owner, HoldLine(kettle, 1)) for owner in owners))
    assert Counter(told) == {"held": 25, "sold out": BUYERS - 25}
    holds = await shop.db.rows("SELECT owner, kind, expires_at FROM hold")
    happy = {owner for owner, how in zip(owners, told, strict=True) if how == "held"}
    assert {row["owner"] for row in holds} == happy
    assert {(row["kind"], row["expires_at"]) for row in holds} == {("order", None)}
    grouped = await shop.db.value("SELECT count(*) FROM event WHERE type = 'stock.converted'")
    assert grouped > 0, "some were taken together"
    assert await shop.level(kettle) == (25, 25)
    await books_are_right(shop.db)


async def test_different_quantities_and_lines_in_any_order_on_two_processes(
    shop: Shop, settings: Settings, dsn: str
) -> None:
    kettle, filters, cups = await shop.variants(60, 40, 500)
    await shop.receive(filters, 10, shop.at_lund)
    other = await open_database(dsn, settings)
    baskets = [
        [HoldLine(kettle, 1), HoldLine(filters, 2)],
        [HoldLine(filters, 1), HoldLine(cups, 3), HoldLine(kettle, 2)],
        [HoldLine(cups, 1), HoldLine(kettle, 1)],
    ]
    try:
        told = await asyncio.gather(
            *(buy((shop.db, other)[n % 2], shop, new_id(), *baskets[n % 3]) for n in range(2 * BUYERS))
        )
    finally:
        await other.close()
    assert set(told) <= {"held", "sold out"}
    assert told.count("held") >= 30
    await books_are_right(shop.db)


async def test_who_rolls_back_gives_back(shop: Shop, settings: Settings, dsn: str) -> None:
    (kettle,) = await shop.variants(BUYERS)
    mine = await open_database(dsn, settings)
    try:
        told = await asyncio.gather(
            *(
                buy(mine, shop, new_id(), HoldLine(kettle, 1), then=Cancelled() if n % 2 else None)
                for n in range(BUYERS)
            )
        )
    finally:
        await mine.close()  # waits for what is given back
    assert Counter(told) == {"held": BUYERS // 2, "cancelled": BUYERS // 2}
    assert await shop.level(kettle) == (BUYERS, BUYERS // 2)
    await books_are_right(shop.db)


async def test_one_who_cannot_be_served_is_no_reason_for_others(shop: Shop) -> None:
    (kettle,) = await shop.variants(BUYERS)
    settings = {**shop.web.settings, "buffer": 2**40}  # more than the database can say
    strange = msgspec.structs.replace(shop, web=msgspec.structs.replace(shop.web, settings=settings))
    told = await asyncio.gather(
        *(
            buy(shop.db, strange if n == BUYERS // 2 else shop, new_id(), HoldLine(kettle, 1))
            for n in range(BUYERS)
        ),
        return_exceptions=True,
    )
    failed = [each for each in told if isinstance(each, BaseException)]
    assert [type(each) for each in failed] == [asyncpg.DataError]
    assert told.count("held") == BUYERS - 1
    await books_are_right(shop.db)


async def test_what_nobody_claims_expires_and_is_sold_to_others(shop: Shop) -> None:
    """A process that was killed between the two: its hold has an owner that nobody is."""
    (kettle,) = await shop.variants(1)
    past = datetime.now(UTC) - timedelta(seconds=1)
    await shop.take((kettle, 1), kind=HoldKind.CHECKOUT, expires_at=past)
    told = await asyncio.gather(*(buy(shop.db, shop, new_id(), HoldLine(kettle, 1)) for _ in range(8)))
    assert Counter(told) == {"held": 1, "sold out": 7}
    await books_are_right(shop.db)


async def test_bad_quantities_are_refused_before_anybody_waits(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)

    async def wrong() -> None:
        with pytest.raises(InvalidInput):
            await buy(shop.db, shop, new_id(), HoldLine(kettle, 0))

    await asyncio.gather(*(wrong() for _ in range(8)))
    assert await shop.level(kettle) == (5, 0)


async def test_what_a_killed_process_had_taken_is_free_at_once(
    shop: Shop, settings: Settings, dsn: str
) -> None:
    """Its transaction is gone with its connection; the hold that was taken for it is nobody's."""
    (kettle,) = await shop.variants(1)
    mine = await open_database(dsn, settings)
    wanted = [HoldLine(kettle, 1)]

    connection = await mine.pool.acquire()
    await connection.execute("BEGIN")
    tx = Tx(connection, BACKGROUND, mine)
    unclaimed = holds.to_take(
        wanted, channel=shop.web, kind=HoldKind.CHECKOUT, owner=new_id(), expires_at=soon()
    )
    await mine.companion(Together).take(unclaimed, await store.transaction_id(tx), tx.context)
    assert await buy(shop.db, shop, new_id(), *wanted) == "sold out", "while it runs it is theirs"
    await shop.db.value("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
    assert await buy(shop.db, shop, new_id(), *wanted) == "held"
    await mine.close()
    await books_are_right(shop.db)


@pytest.mark.parametrize("units", [2, 3])
async def test_what_a_till_frees_for_itself_is_its_own_also_where_many_want_it(
    shop: Shop, units: int
) -> None:
    """A lease ends in the till's own transaction. Who takes holds for many at once does not see that, or waits for it."""
    (kettle,) = await shop.variants(0)
    await shop.receive(kettle, units, shop.at_malmo)
    leased = {"channel": shop.malmo, "owner": new_id(), "expires_at": soon()}
    await shop.db.transaction(lambda tx: stock.lease(tx, shop.at_malmo.id, [(kettle, 2)], **leased))
    wanted = [HoldLine(kettle, units - 1, shop.at_malmo.id)]

    async def from_lease(tx: Tx) -> list[stock.Hold]:
        await stock.end_leases(tx, shop.at_malmo.id, [(kettle, 1)])
        group = tx.database.companion(Together)
        assert group.is_hot(wanted)
        return await stock.take_together(tx, wanted, channel=shop.malmo, kind=HoldKind.ORDER, owner=new_id())

    async def amid(others: int) -> list[stock.Hold]:
        if not others:
            return await shop.db.transaction(from_lease)

        async def want(tx: Tx) -> list[stock.Hold]:
            tx.database.companion(Together).enter(tx, wanted)
            return await amid(others - 1)

        return await shop.db.transaction(want)

    held = await amid(HOT)
    assert [(each.quantity, each.kind) for each in held] == [(units - 1, HoldKind.ORDER)]
    assert await shop.level(kettle, shop.at_malmo) == (units, units), "the other leased unit is its own still"
    await books_are_right(shop.db)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


async def test_who_waits_too_long_for_the_group_takes_for_themselves(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kettle,) = await shop.variants(BUYERS)

    async def busy(*_: object) -> list[stock.Hold]:
        raise Busy("A time limit of the database was reached.")

    monkeypatch.setattr(Together, "take", busy)
    told = await asyncio.gather(*(buy(shop.db, shop, new_id(), HoldLine(kettle, 1)) for _ in range(BUYERS)))
    assert Counter(told) == {"held": BUYERS}
    await books_are_right(shop.db)


class TakenBack(Exception):
    """What was tried is not kept."""


async def tried(db: Database, how: Callable[[Tx], Awaitable[list[store.TakeOutcome]]]) -> list[object]:
    """What takers would be told: where they would get what, or what they would be short of."""
    told: list[object] = []

    async def work(tx: Tx) -> None:
        for outcome in await how(tx):
            held = sorted(
                (str(h.location), str(h.variant), h.quantity, h.kind, h.owner) for h in outcome.held
            )
            short = sorted((str(s.variant), s.wanted, s.available) for s in outcome.short)
            told.append((held, short))
        wrong = await tx.rows("SELECT * FROM stock_hold_difference")
        assert wrong == []
        raise TakenBack

    with contextlib.suppress(TakenBack):
        await db.transaction(work)
    return told


async def test_taken_at_once_is_as_taken_one_after_the_other(shop: Shop) -> None:
    """Whatever is where, and whoever wants what; both by the short way and by the long one."""
    seed = random.randrange(2**32)
    print(f"random.Random({seed})")  # noqa: T201 - shown when it fails
    dice = random.Random(seed)
    places = [shop.warehouse, shop.at_malmo, shop.at_lund]
    goods = await shop.variants(0, 0, 0)
    short_ways = 0
    for number in range(60):
        is_plain = number % 4 == 0  # there is plenty, in one place
        for place in places:
            for variant in goods:
                await shop.db.rows(
                    """INSERT INTO level AS l (location, variant, backorder_limit) VALUES ($1, $2, $3)
                       ON CONFLICT (location, variant) DO UPDATE SET backorder_limit = $3 RETURNING 1""",
                    place.id,
                    variant,
                    0 if is_plain else dice.choice((0, 0, 0, 3)),
                )
                there = dice.choice((0, 0, 2, 6, 30))
                if is_plain:
                    there = 60 if place is shop.warehouse else 0
                units = there - (await shop.level(variant, place))[0]
                if units > 0:
                    await shop.receive(variant, units, place)
                elif units < 0:
                    await shop.db.transaction(
                        lambda tx, at=place.id, of=variant, by=units: stock.correct(
                            tx, at, [(of, by)], reason="test"
                        )
                    )
            await shop.db.rows(
                "UPDATE location SET buffer = $2, priority = $3 WHERE id = $1 RETURNING 1",
                place.id,
                dice.choice((0, 0, 1)),
                dice.randrange(3),
            )
        channel, buffer = dice.choice((shop.web, shop.malmo)), dice.choice((0, 0, 2))
        at = None if is_plain else dice.choice((None, None, None, dice.choice(places).id))
        wanted = [
            store.Take(
                lines=[
                    HoldLine(one, dice.randrange(1, 4), at)
                    for one in dice.sample(goods, dice.randrange(1, 4))
                ],
                channel=channel.id,
                pool=channel.pools[Resource.STOCK],
                buffer=buffer,
                kind=HoldKind.ORDER,
                owner=new_id(),
                expires_at=None,
            )
            for _ in range(dice.randrange(2, 7))
        ]

        async def one_by_one(tx: Tx, wanted: list[store.Take] = wanted) -> list[store.TakeOutcome]:
            return [await store.take(tx, each) for each in wanted]

        async def at_once(tx: Tx, wanted: list[store.Take] = wanted) -> list[store.TakeOutcome]:
            return await store.take_each(tx, wanted)

        assert await tried(shop.db, at_once) == await tried(shop.db, one_by_one)
        short_ways += await shop.db.value(
            "SELECT count(*) FROM (SELECT FROM stock_take_alike($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) LIMIT 1) AS f",
            [len(each.lines) for each in wanted],
            [line.variant for each in wanted for line in each.lines],
            [line.quantity for each in wanted for line in each.lines],
            [line.location for each in wanted for line in each.lines],
            [each.channel for each in wanted],
            [each.pool for each in wanted],
            [each.buffer for each in wanted],
            [each.kind for each in wanted],
            [each.owner for each in wanted],
            [each.expires_at for each in wanted],
        )
        await shop.db.rows("DELETE FROM hold RETURNING 1")
        await shop.db.rows("UPDATE level SET held = 0 RETURNING 1")
    assert 15 <= short_ways < 60, "both ways were tried"
