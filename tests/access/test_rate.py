"""Rate limits, in the database and in the process."""

import asyncio

import pytest

from samlad.access import rate
from samlad.access.rate import LocalLimit
from samlad.kernel.database import Database
from samlad.kernel.problems import TooMany


async def use(db: Database, key: str = "a", bucket: str = "b", most: int = 3) -> None:
    await db.transaction(lambda tx: rate.limit(tx, bucket, key, per=60, max=most))


async def test_so_many_in_a_window_then_no_more(db: Database) -> None:
    for _ in range(3):
        await use(db)
    with pytest.raises(TooMany) as refused:
        await use(db)
    assert 1 <= refused.value.extra["retry_after"] <= 60
    await use(db, key="other")
    await use(db, bucket="other")
    await db.pool.execute("UPDATE rate_window SET ends_at = now() - interval '1 second'")
    await use(db)
    await db.transaction(rate.forget_old)
    assert await db.value("SELECT count(*) FROM rate_window") == 1
    await db.pool.execute("UPDATE rate_window SET ends_at = now() - interval '1 second'")
    await db.transaction(rate.forget_old)
    assert await db.value("SELECT count(*) FROM rate_window") == 0


async def test_it_counts_all_who_come_at_once(db: Database) -> None:
    results = await asyncio.gather(*(use(db, most=7) for _ in range(40)), return_exceptions=True)
    assert sum(result is None for result in results) == 7
    assert sum(isinstance(result, TooMany) for result in results) == 33


async def test_it_is_one_statement(db: Database) -> None:
    async def work(tx) -> int:
        await rate.limit(tx, "b", "a", per=60, max=3)
        return tx.statements

    assert await db.transaction(work) == 1


def test_the_local_limit_lets_bursts_through_and_then_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(rate.time, "monotonic", lambda: clock)
    limit = LocalLimit(per_second=2, burst=5, keys=3)
    for _ in range(5):
        limit.check("a")
    with pytest.raises(TooMany) as refused:
        limit.check("a")
    assert refused.value.extra["retry_after"] == 1
    limit.check("b")
    clock += 0.5
    limit.check("a")
    with pytest.raises(TooMany):
        limit.check("a")
    clock += 100
    for _ in range(5):
        limit.check("a")
    with pytest.raises(TooMany):
        limit.check("a")
    for key in "cdefg":
        limit.check(key)
    assert len(limit._buckets) == 3
