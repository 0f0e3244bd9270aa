"""Trained in the background: killed in the middle it goes on; what was learnt is data, and erased people are in none of it."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from doubles import customers as made_up
from twice import Twice, clerk

from samlad import duplicates
from samlad.duplicates import followers, running, store, training
from samlad.duplicates.model import TrainInput
from samlad.kernel.context import BACKGROUND
from samlad.kernel.jobs import JobContext
from samlad.kernel.problems import Conflict


async def people(twice: Twice, count: int) -> None:
    """Customers that were there before anybody looked for duplicates."""
    rows, _ = made_up(count)
    await twice.db.rows(
        """INSERT INTO customer (id, pool, name, email, phone, country)
           SELECT DISTINCT ON (coalesce(lower(email), id::text)) id, $1, name, email, phone, 'SE'
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS t (id, name, email, phone) RETURNING 1""",
        twice.pool,
        [row.id for row in rows],
        [row.name for row in rows],
        [row.email for row in rows],
        [row.phone for row in rows],
    )


async def ask(twice: Twice) -> None:
    await twice.db.transaction(lambda tx: duplicates.ask(tx, TrainInput(channel=twice.trade.web.id)))


async def test_a_training_that_dies_goes_on_and_keeps_what_it_has_learnt(
    twice: Twice, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    await people(twice, 560)
    kim, berg = await twice.kim_twice(7777)
    await ask(twice)
    with pytest.raises(Conflict):
        await ask(twice)
    jobs = await twice.db.value(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'duplicates.train'"
    )
    assert jobs == 1
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(own))
    with monkeypatch.context() as broken:

        def dies(*_: Any) -> Any:
            raise MemoryError("killed")

        broken.setattr(training, "predict", dies)
        with pytest.raises(MemoryError):
            await running.carry_on(twice.db, twice.pool)
    run = await store.run_of(twice.db, twice.pool)
    assert run is not None
    assert (run.state, run.problem) == ("failed", "MemoryError: killed")
    assert list(own.iterdir()) == [], "nothing of the people is left lying about"
    await running.carry_on(twice.db, twice.pool)
    await running.carry_on(twice.db, twice.pool)
    run = await store.run_of(twice.db, twice.pool)
    assert run is not None
    assert (run.state, run.problem) == ("done", None)
    newest, shipped = await duplicates.models(twice.db, twice.pool)
    assert (newest.version, newest.people, shipped.version) == (1, run.people, 0)
    assert newest.model != shipped.model
    pairs = await twice.pairs()
    assert run.suggested == len(pairs) > 20
    assert {each.model for each in pairs} == {1}
    assert {kim, berg} in [{each.left, each.right} for each in pairs]
    kept = await twice.rows()
    await twice.refresh(*(each.left for each in pairs))
    assert await twice.rows() == kept, "in process the same comes out"
    one, other = await twice.kim_twice(7778)
    await twice.follow()
    [new] = [each for each in await twice.pairs() if {each.left, each.right} == {one, other}]
    assert new.model == 1, "who comes between trainings is scored by the model that was learnt"
    await ask(twice)
    await running.carry_on(twice.db, twice.pool)
    assert [each.version for each in await duplicates.models(twice.db, twice.pool)] == [2, 1, 0]
    assert await twice.db.value("SELECT count(DISTINCT model) FROM duplicate_frequency") == 1


async def test_a_few_are_compared_by_what_comes_with_samlad_and_a_large_import_in_strides(
    twice: Twice,
) -> None:
    await twice.kim_twice()
    await ask(twice)
    await running.carry_on(twice.db, twice.pool)
    assert [each.version for each in await duplicates.models(twice.db, twice.pool)] == [0]
    assert len(await twice.pairs()) == 1
    await people(twice, 60)
    ctx = JobContext(twice.db, twice.db.settings, 1, "duplicates.catch-up", 1, BACKGROUND)
    await followers.catch_up(ctx, twice.pool)
    assert len(await twice.pairs()) > 3
    assert await twice.db.value("SELECT count(*) FROM duplicate_card") == await twice.db.value(
        "SELECT count(*) FROM customer"
    )


async def test_over_http(twice: Twice, api: httpx.AsyncClient, api_as: Any) -> None:
    kim, berg = await twice.kim_twice()
    await twice.follow()
    web = str(twice.trade.web.id)
    [row] = (await api.get("/api/duplicates?status=open&strong=1,2&q=kim0")).json()["items"]
    assert {row["left"], row["right"]} == {str(kim), str(berg)}
    assert (await api.get("/api/duplicates?strong=3")).json()["items"] == []
    async with api_as(clerk().actor) as other:
        taken = await other.post("/api/duplicates/next", json={"channel": web})
        assert taken.json()["id"] == row["id"]
        assert (await api.post("/api/duplicates/next", json={})).status_code == 204
        refused = await api.post(f"/api/duplicates/{row['id']}/apart")
        assert (refused.status_code, refused.json()["detail"]) == (409, "Somebody else looks at this pair.")
        assert (await other.post(f"/api/duplicates/{row['id']}/skip")).status_code == 200
        assert (await other.post("/api/duplicates/training", json={"channel": web})).status_code == 403
    merged = await api.post(f"/api/duplicates/{row['id']}/merge", headers={"Idempotency-Key": "m-1"})
    again = await api.post(f"/api/duplicates/{row['id']}/merge", headers={"Idempotency-Key": "m-1"})
    assert merged.json() == again.json()
    assert merged.json()["status"] == "merged"
    assert (await api.post(f"/api/duplicates/{row['id']}/undo")).json()["status"] == "open"
    assert (await api.post(f"/api/duplicates/{row['id']}/apart")).json()["status"] == "apart"
    pair = (await api.get(f"/api/duplicates/{row['id']}")).json()
    assert pair["weight"] == pytest.approx(pair["prior"] + sum(each["bits"] for each in pair["evidence"]))
    models = (await api.get(f"/api/duplicates/channels/{web}/models")).json()
    assert [each["version"] for each in models] == [0]
    assert (await api.get(f"/api/duplicates/channels/{web}/training")).status_code == 404
    assert (await api.post("/api/duplicates/training", json={"channel": web})).json()["state"] == "waiting"
    path = f"/api/duplicates/channels/{web}/settings"
    assert (await api.get(path)).json() == {
        "pool": str(twice.pool), "suggest_from": 0.9, "automatic": False, "automatic_from": 0.999, "version": 0,
    }  # fmt: skip
    changed = await api.patch(path, json={"automatic": True}, headers={"If-Match": '"0"'})
    assert (changed.json()["automatic"], changed.json()["version"]) == (True, 1)
    assert (await api.patch(path, json={"automatic": False}, headers={"If-Match": '"0"'})).status_code == 412
    wrong = await api.patch(path, json={"suggest_from": 1.0})
    assert wrong.json()["errors"][0]["field"] == "automatic_from"
    assert (await api.get(f"/api/duplicates/{UUID(int=5)}")).status_code == 404
    apart = await api.post("/api/identity/apart", json={"profiles": [str(kim), str(kim)], "reason": "x"})
    assert apart.status_code == 422


async def test_nobody_is_trained_too(twice: Twice) -> None:
    """A pool whose people have all gone to another one, as when a channel has joined."""
    await ask(twice)
    await running.carry_on(twice.db, twice.pool)
    run = await twice.db.row("SELECT state, people, problem FROM duplicate_run WHERE pool = $1", twice.pool)
    assert run is not None
    assert (run["state"], run["people"], run["problem"]) == ("done", 0, None)
