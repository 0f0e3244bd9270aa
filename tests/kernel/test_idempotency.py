"""Idempotency-Key: the same request twice is done once and answered twice."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Request, Response, get, post
from litestar.params import JSONBody

from applications import running
from samlad import app as composition
from samlad.kernel.database import Tx
from samlad.kernel.http import write
from samlad.kernel.problems import Conflict
from samlad.kernel.settings import Settings


class Input(msgspec.Struct):
    number: int
    pause: float = 0
    fail: bool = False
    only: bool = False
    """Refused where the number is there already."""


@post("/api/test-numbers", status_code=201)
async def add_number(request: Request[Any, Any, Any], data: JSONBody[Input]) -> Response[Any]:
    async def work(tx: Tx) -> dict[str, int]:
        await tx.execute("CREATE TABLE IF NOT EXISTS number (id int GENERATED ALWAYS AS IDENTITY, value int)")
        if data.only and await tx.value("SELECT 1 FROM number WHERE value = $1", data.number):
            raise Conflict("it is there")
        count = await tx.value("INSERT INTO number (value) VALUES ($1) RETURNING id", data.number)
        await asyncio.sleep(data.pause)
        if data.fail:
            raise Conflict("no")
        return {"id": count, "value": data.number}

    return await write(request, work, status=201)


@get("/api/test-numbers")
async def read_numbers(request: Request[Any, Any, Any]) -> list[int]:
    rows = await composition.runtime_of(request.app).database.rows("SELECT value FROM number ORDER BY id")
    return [row["value"] for row in rows]


@pytest.fixture
async def numbers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(composition, "ROUTES", [add_number, read_numbers])
    async with running(settings) as application:
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://samlad.test") as client:
            yield client


async def test_same_key_and_body_is_done_once_and_answered_alike(numbers: httpx.AsyncClient) -> None:
    first = await numbers.post("/api/test-numbers", json={"number": 7}, headers={"Idempotency-Key": "a"})
    second = await numbers.post("/api/test-numbers", json={"number": 7}, headers={"Idempotency-Key": "a"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotent-replay"] == "true"
    assert (await numbers.get("/api/test-numbers")).json() == [7]


async def test_another_body_is_refused(numbers: httpx.AsyncClient) -> None:
    await numbers.post("/api/test-numbers", json={"number": 7}, headers={"Idempotency-Key": "a"})
    answer = await numbers.post("/api/test-numbers", json={"number": 8}, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/idempotency-key-reused"


async def test_a_twin_that_still_runs_is_409_and_only_one_is_done(numbers: httpx.AsyncClient) -> None:
    await numbers.post("/api/test-numbers", json={"number": 0})
    body = {"number": 7, "pause": 0.4}
    calls = [numbers.post("/api/test-numbers", json=body, headers={"Idempotency-Key": "a"}) for _ in range(5)]
    answers = await asyncio.gather(*calls)
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409]
    assert (await numbers.get("/api/test-numbers")).json() == [0, 7]


async def test_what_could_not_be_done_twice_is_answered_as_it_was(numbers: httpx.AsyncClient) -> None:
    body = {"number": 7, "only": True}
    first = await numbers.post("/api/test-numbers", json=body, headers={"Idempotency-Key": "a"})
    second = await numbers.post("/api/test-numbers", json=body, headers={"Idempotency-Key": "a"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    other = await numbers.post("/api/test-numbers", json=body, headers={"Idempotency-Key": "b"})
    assert other.status_code == 409
    reused = await numbers.post(
        "/api/test-numbers", json={**body, "pause": 0.01}, headers={"Idempotency-Key": "a"}
    )
    assert reused.json()["type"] == "/problems/idempotency-key-reused"


async def test_a_key_costs_no_statement_of_its_own(
    numbers: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    ended = Tx.ended

    def noted(tx: Tx, *, is_committed: bool) -> None:
        counts.append(tx.statements)
        ended(tx, is_committed=is_committed)

    monkeypatch.setattr(Tx, "ended", noted)
    await numbers.post("/api/test-numbers", json={"number": 1})
    await numbers.post("/api/test-numbers", json={"number": 2}, headers={"Idempotency-Key": "a"})
    assert counts == [2, 3]  # the answer is written; nothing is asked


async def test_a_refusal_is_not_kept(numbers: httpx.AsyncClient) -> None:
    await numbers.post("/api/test-numbers", json={"number": 0})
    refused = await numbers.post(
        "/api/test-numbers", json={"number": 7, "fail": True}, headers={"Idempotency-Key": "a"}
    )
    assert refused.status_code == 409
    accepted = await numbers.post("/api/test-numbers", json={"number": 7}, headers={"Idempotency-Key": "a"})
    assert accepted.status_code == 201


async def test_bad_input_says_where(numbers: httpx.AsyncClient) -> None:
    answer = await numbers.post("/api/test-numbers", json={"number": "seven"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "number"
