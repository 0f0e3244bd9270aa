"""Outside tax engines: one over HTTP that is quick, slow, down or talks nonsense; ours stands in, or nothing is sold."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import msgspec
import pytest

from samlad import carts, channels
from samlad.channels import ChannelChange
from samlad.kernel import outside
from samlad.kernel.context import Context
from samlad.kernel.outside import Gate
from samlad.tax import Decision, engines
from samlad.tax.engines import EngineSilent, OwnEngine, Question, TaxEngineSilent
from trade import Trade


class HttpEngine:
    """An engine as an installation would write one: the question as JSON, decisions back, a time limit of its own."""

    name = "faraway"

    def __init__(self, port: int, seconds: float = 20) -> None:
        self._url = f"http://127.0.0.1:{port}/decide"
        self._gate = Gate(allows=lambda _: True, ports=frozenset({port}), seconds=seconds)

    async def decide(self, question: Question) -> Sequence[Decision]:
        try:
            answer = await outside.post(self._url, msgspec.json.encode(question), self._gate)
            if answer.status != 200:
                raise EngineSilent(f"status {answer.status}")
            return msgspec.json.decode(answer.content, type=list[Decision])
        except outside.OutsideError as error:
            raise EngineSilent(error.reason) from None
        except msgspec.MsgspecError as error:
            raise EngineSilent(str(error)) from None


class Service:
    """Decides that everything is taxed at 8.25 % in Texas."""

    def __init__(self) -> None:
        self.mood = "ok"
        self.asked: list[dict[str, Any]] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        question = json.loads(await reader.readexactly(length))
        self.asked.append(question)
        if self.mood == "slow":
            await reader.read()
        decision = {"rate": 825, "category": "S", "treatment": "registered", "country": "US"}
        decisions = [decision] * (len(question["goods"]) + (self.mood == "too-many"))
        body = b"<html>" if self.mood == "html" else json.dumps(decisions).encode()
        status = 500 if self.mood == "down" else 200
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )
        writer.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    engines.register(HttpEngine(made.port))
    yield made
    engines._registered.pop("faraway")
    server.close()


async def use(trade: Trade, silent: str = "own") -> None:
    change = ChannelChange(
        settings={**trade.web.own.settings, "tax_engine": "faraway", "tax_engine_silent": silent}
    )
    trade.web = await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))


async def test_an_outside_engine_decides_and_is_asked_once(
    trade: Trade, service: Service, api: httpx.AsyncClient
) -> None:
    await use(trade, "refuse")
    cart = await trade.cart((await trade.kettle(10_825), 2), (await trade.kettle(10_825), 1))
    assert cart.tax_is_provisional, "nobody is asked with rows locked"
    seen = await carts.view(trade.db, Context().actor, cart.id)
    assert (seen.tax_is_provisional, [line.tax for line in seen.lines]) == (False, [1_650, 825])
    answer = await api.post(
        "/api/orders",
        json={"cart": str(cart.id), "payments": [{"provider": "test"}], "total": seen.totals.total},
        headers={"Idempotency-Key": "far"},
    )
    assert answer.status_code == 201, answer.text
    assert {(line["tax_rate"], line["tax_country"]) for line in answer.json()["lines"]} == {(825, "US")}
    assert len(service.asked) == 1, "both lines are of one kind, and the answer is kept"
    assert service.asked[0]["goods"] == [{"tax_class": "standard", "is_goods": True}]
    assert "email" not in json.dumps(service.asked), "who buys is nobody's business"


@pytest.mark.parametrize("mood", ["slow", "down", "html", "too-many"])
async def test_while_it_is_silent_ours_stands_in_or_nothing_is_sold(
    trade: Trade, service: Service, mood: str
) -> None:
    service.mood = mood
    if mood == "slow":
        engines.register(HttpEngine(service.port, seconds=0.3))
    await use(trade)
    kettle = await trade.kettle()
    cart = await trade.cart((kettle, 1))
    seen = await carts.view(trade.db, Context().actor, cart.id)
    assert (seen.tax_is_provisional, seen.lines[0].tax_rate) == (True, 2_500)
    order = await trade.place(cart.id, total=seen.totals.total)
    assert (order.lines[0].tax_rate, order.lines[0].tax_treatment) == (2_500, "domestic")
    await use(trade, "refuse")
    other = await trade.cart((kettle, 1))
    with pytest.raises(TaxEngineSilent):
        await trade.place(other.id)
    assert await trade.level(kettle) == (10, 1), "nothing was half done"


async def test_an_engine_that_nobody_has_is_silent(trade: Trade) -> None:
    change = ChannelChange(settings={"tax_engine": "nowhere", "tax_engine_silent": "refuse"})
    trade.web = await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))
    cart = await trade.cart((await trade.kettle(), 1))
    with pytest.raises(TaxEngineSilent):
        await trade.place(cart.id)


async def test_our_own_engine_keeps_to_the_same_protocol() -> None:
    from test_tax_rules import DAY, RATES, WITH_OSS

    from samlad.tax import CONSUMER, territory
    from samlad.tax.engines import Good

    question = Question(
        seller=WITH_OSS, place=territory("DE"), postal_code="10115", buyer=CONSUMER, day=DAY, is_handed_over=False,
        goods=[Good("books", True), Good("standard", True)],
    )  # fmt: skip
    engine: engines.TaxEngine = OwnEngine(RATES)
    assert [decision.rate for decision in await engine.decide(question)] == [700, 1_900]
    assert question.key == msgspec.structs.replace(question).key
    assert question.key != msgspec.structs.replace(question, postal_code="10117").key
