"""Stripe's flows against localstripe, a server of its own; it knows neither idempotency keys nor declines."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from desk import Desk

from fake_bank import FakeBank
from samlad import orders
from samlad.orders import FulfilInput, LineSelection, ReturnInput
from samlad.payments.webhooks import verify
from trade import Trade

START_SECONDS = 60
WEBHOOK = "whsec_localstripe"


@pytest.fixture
async def localstripe(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The server's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch",
        cwd=tmp_path_factory.mktemp("localstripe"), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://localhost:{port}"
    try:
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(base_url=url) as client:
            while True:
                assert process.returncode is None, "localstripe did not start"
                with contextlib.suppress(httpx.TransportError):
                    await client.get("/v1/customers", auth=("sk_test_12345", ""))
                    break
                await asyncio.sleep(0.1)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.fixture
async def hook() -> AsyncIterator[tuple[str, "asyncio.Queue[tuple[str, bytes]]"]]:
    """An address for webhooks, and what comes there: signature and raw body."""
    got: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(fields["content-length"]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        await got.put((fields["stripe-signature"], body))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", got


async def payment_method(client: httpx.AsyncClient, number: str) -> str:
    """What Stripe's own fields would make of a card; the number goes to (local) Stripe, never to us."""
    card = {
        "type": "card",
        "card[number]": number,
        "card[exp_month]": "12",
        "card[exp_year]": "2030",
        "card[cvc]": "123",
    }
    answer = await client.post("/v1/payment_methods", data=card)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def test_flows_against_localstripe(
    trade: Trade,
    api: httpx.AsyncClient,
    localstripe: str,
    hook: "tuple[str, asyncio.Queue[tuple[str, bytes]]]",
) -> None:
    desk = Desk(trade, FakeBank())
    keys = {
        "secret_key": "sk_test_12345",
        "publishable_key": "pk_test_12345",
        "webhook_secret": WEBHOOK,
        "base_url": localstripe,
    }
    assert (await api.put("/api/payment-providers/stripe", json=keys)).status_code == 204
    async with httpx.AsyncClient(
        base_url=localstripe, headers={"Authorization": "Bearer sk_test_12345"}
    ) as client:
        await client.post("/_config/webhooks/ours", data={"url": hook[0], "secret": WEBHOOK})
        card = await payment_method(client, "4242424242424242")
        secure = await payment_method(client, "4000002500003155")

        # authorised, claimed, captured, refunded in parts
        variant = await trade.kettle(19_900)
        cart = await trade.cart((variant, 2))
        begun = await desk.begin(cart.id, card, provider="stripe")
        assert begun.status == "authorized"
        order = await desk.place(cart.id, begun)
        await desk.settle()
        assert (await desk.order(order.id)).payment_status == "paid"
        signature, body = await asyncio.wait_for(hook[1].get(), 30)
        verify(WEBHOOK, signature, body)
        answer = await api.post("/webhooks/in/stripe", content=body, headers={"stripe-signature": signature})
        assert answer.status_code == 200
        await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
        half = ReturnInput(lines=[LineSelection(position=1, quantity=1)])
        for _ in range(2):
            await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, half))
            await desk.settle()
        back = await desk.order(order.id)
        assert [(r.status, r.amount) for r in back.refunds] == [("done", 19_900)] * 2
        refunds = (await client.get("/v1/refunds", params={"payment_intent": begun.reference or ""})).json()[
            "data"
        ]
        assert sorted(r["amount"] for r in refunds) == [19_900, 19_900]

        # 3-D Secure, and then nobody orders: cancelled there
        other = await trade.cart((await trade.kettle(), 1))
        waiting = await desk.begin(other.id, secure, provider="stripe")
        assert waiting.status == "pending"
        assert waiting.action is not None
        secret = waiting.action.client_secret or ""
        done = await client.post(
            f"/v1/payment_intents/{waiting.reference}/_authenticate",
            data={"client_secret": secret, "success": "true", "key": "pk_test_12345"},
        )
        assert done.status_code == 200, done.text
        assert (await desk.look(other.id, waiting.id)).status == "authorized"
        await desk.expire()
        await desk.settle()
        left = (await client.get(f"/v1/payment_intents/{waiting.reference}")).json()
        assert left["status"] == "canceled"

        # a part is captured, the rest is let go
        third = await trade.cart((await trade.kettle(), 1))
        part = await desk.begin(third.id, card, provider="stripe")
        placed = await desk.place(third.id, part)
        await trade.db.rows(
            "UPDATE payment_operation SET amount = 5000 WHERE payment = $1 AND kind = 'capture' RETURNING 1",
            part.id,
        )
        await desk.settle()
        shown = await desk.order(UUID(str(placed.id)))
        assert (shown.paid, shown.payments[0].captured) == (5_000, 5_000)
    await trade.sound()
