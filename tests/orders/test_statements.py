"""The budget of the hot verb: what really goes over the wire, counted on the connection."""

import httpx
import pytest

from samlad.channels import Channel
from samlad.orders import crowd
from trade import BUYER, Trade

LIMIT = 6
FRAMES = ("BEGIN", "COMMIT", "NOTIFY")
"""What is around the statements of a transaction, and what the log tells others of it."""


async def order_over_http(
    api: httpx.AsyncClient, trade: Trade, channel: Channel, key: str, *, by_lot: bool = False
) -> httpx.Response:
    at = trade.at_malmo if channel is trade.malmo else trade.warehouse
    lines = [(await trade.kettle(19_900, at=at), 2), (await trade.kettle(4_950, at=at), 1)]
    if by_lot:  # what is there becomes units of lots that nobody knows
        await trade.db.rows("UPDATE product SET tracking = 'lot' WHERE tracking = 'none' RETURNING 1")
    cart = await trade.cart(*lines, channel=channel)
    body = {"cart": str(cart.id), "payments": [{"provider": "test"}], "total": cart.totals.total}
    return await api.post(
        "/api/orders",
        json=body,
        headers={"Idempotency-Key": key, "If-Match": f'"{cart.version}"'},
    )


@pytest.mark.parametrize("by_lot", [False, True])
@pytest.mark.parametrize("where", ["web", "malmo"])
async def test_two_lines_take_at_most_six_statements(
    trade: Trade, wire: list[str], api: httpx.AsyncClient, where: str, by_lot: bool
) -> None:
    channel = trade.web if where == "web" else trade.malmo
    await order_over_http(api, trade, channel, "warm-up")
    wire.clear()
    lines = [sql for sql in wire if not sql.startswith(FRAMES)]
    assert lines == []
    answer = await order_over_http(api, trade, channel, "counted", by_lot=by_lot)
    assert answer.status_code == 201, answer.text
    first = next(i for i, sql in enumerate(wire) if "pg_try_advisory_xact_lock" in sql)
    counted = [sql for sql in wire[first:] if not sql.rstrip("; ").startswith(FRAMES)]
    assert any("INSERT INTO idempotency" in sql for sql in counted)
    assert any("INSERT INTO event" in sql for sql in counted)
    assert len(counted) <= LIMIT, "\n".join(" ".join(sql.split())[:90] for sql in counted)


@pytest.mark.parametrize(("wary", "most"), [(0, 4), (60, 2)])
async def test_that_it_is_sold_out_is_told_with_four_and_to_a_crowd_with_two(
    trade: Trade,
    wire: list[str],
    api: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    wary: int,
    most: int,
) -> None:
    """Shortly after somebody was refused it takes no transaction, however many ask (`samlad.orders.crowd`)."""
    monkeypatch.setattr(crowd, "WARY_SECONDS", wary)
    kettle = await trade.kettle(quantity=1)
    carts = [await trade.cart((kettle, 1)) for _ in range(4)]
    await trade.place(carts[0].id)
    for cart in carts[1:]:  # those before the last fill what is kept, and open connections
        wire.clear()
        body = {"cart": str(cart.id), "payments": [{"provider": "test"}], "total": cart.totals.total}
        answer = await api.post("/api/orders", json=body, headers={"Idempotency-Key": str(cart.id)})
        assert (answer.status_code, answer.json()["lines"][0]["available"]) == (409, 0)
    first = next((i for i, sql in enumerate(wire) if "pg_try_advisory_xact_lock" in sql), 0)
    counted = [sql for sql in wire[first:] if not sql.rstrip("; ").startswith((*FRAMES, "ROLLBACK"))]
    assert any("stock_is_wholly_gone" in sql for sql in counted) is (wary > 0)
    assert len(counted) <= most, "\n".join(" ".join(sql.split())[:90] for sql in counted)


async def test_a_cart_is_shown_with_at_most_three(
    trade: Trade, wire: list[str], api: httpx.AsyncClient
) -> None:
    cart = await trade.cart((await trade.kettle(), 2), (await trade.kettle(), 1))
    await api.get(f"/api/carts/{cart.id}")
    wire.clear()
    answer = await api.get(f"/api/carts/{cart.id}")
    assert answer.status_code == 200
    assert len(answer.json()["lines"]) == 2
    assert len(wire) <= 3, wire


async def test_a_cart_said_at_once_takes_three_and_a_step_of_a_checkout_five(
    trade: Trade, wire: list[str], api: httpx.AsyncClient
) -> None:
    kettle = str(await trade.kettle())
    details = {**BUYER, "phone": "+46 70 123 45 67"}
    for number in range(2):  # the first fills what is kept of channels

        async def ask(method: str, path: str, body: object, most: int, key: str = str(number)) -> str:
            wire.clear()
            answer = await api.request(
                method, path, json=body, headers={"Idempotency-Key": f"{method}{path}-{most}-{key}"}
            )
            assert answer.status_code < 300, answer.text
            counted = [sql for sql in wire if not sql.startswith(FRAMES)]
            assert key == "0" or len(counted) <= most, "\n".join(
                " ".join(sql.split())[:90] for sql in counted
            )
            return str(answer.json()["id"])

        channel = str(trade.web.id)
        await ask(
            "POST",
            "/api/carts",
            {"channel": channel, "lines": [{"variant": kettle}], "details": details},
            3,
        )
        cart = await ask("POST", "/api/carts", {"channel": channel}, 1)
        await ask("POST", f"/api/carts/{cart}/lines", {"variant": kettle}, 5)
        await ask("PATCH", f"/api/carts/{cart}", details, 5)
