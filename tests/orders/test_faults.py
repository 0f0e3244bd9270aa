"""Bad input and faults: clear answers, and docs/concepts/faults.md names tests that there are."""

import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from changing import back, make, sold

from samlad import carts, channels
from samlad.channels import ChannelChange, Resource
from samlad.kernel.clock import now
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.stock import SoldOut
from trade import Trade

ROOT = Path(__file__).parents[2]


def test_the_table_of_faults_names_tests_that_exist() -> None:
    text = (ROOT / "docs/concepts/faults.md").read_text("utf-8")
    named = re.findall(r"`((?:[\w]+/)+test_\w+\.py)(?:::(test_\w+))?`", text)
    assert len(named) > 15
    for path, test in named:
        file = ROOT / "tests" / path
        assert file.is_file(), path
        assert not test or re.search(rf"def {test}\(", file.read_text("utf-8")), f"{path}::{test}"


@pytest.mark.parametrize("quantity", [-1, 0, 10**9, 2**63])
async def test_quantities_that_cannot_be(trade: Trade, api: httpx.AsyncClient, quantity: int) -> None:
    kettle = await trade.kettle()
    cart = await trade.cart((kettle, 1))
    order = await sold(trade, (kettle, 1))
    bodies = {
        f"/api/carts/{cart.id}/lines": {"variant": str(kettle), "quantity": quantity},
        f"/api/orders/{order.id}/changes": {
            "actions": [{"kind": "return", "position": 1, "quantity": quantity}]
        },
        f"/api/orders/{order.id}/return": {"lines": [{"position": 1, "quantity": quantity}]},
        "/api/returns": {"order": str(order.id), "lines": [{"position": 1, "quantity": quantity}]},
        "/api/orders/arrivals": {
            "channel": str(trade.web.id),
            "external_id": "X-1",
            "placed_at": "2026-11-20T10:00:00Z",
            "lines": [{"variant": str(kettle), "quantity": quantity, "unit_price": 1}],
        },
    }
    for path, body in bodies.items():
        answer = await api.post(path, json=body, headers={"Idempotency-Key": str(new_id())})
        assert answer.status_code == 422, f"{path}: {answer.text}"
        assert answer.json()["errors"][0]["field"].endswith("quantity"), answer.text
    assert await trade.level(kettle) == (9, 0)


async def test_a_currency_that_the_store_has_not(trade: Trade) -> None:
    order = await sold(trade, (await trade.kettle(10_000), 1))
    change = ChannelChange(currency="NOK", country="NO")
    await trade.db.transaction(lambda tx: channels.change(tx, trade.lund.id, change))
    swap = {"kind": "exchange", "position": 1, "quantity": 1}
    with pytest.raises(InvalidInput) as caught:
        await make(trade, order, swap, location=trade.at_lund.id, hand_over=True)
    assert caught.value.errors[0].message == "this store sells in NOK, the order is in SEK"
    assert trade.lund.pools[Resource.ORDERS] == order.pool
    done = await make(trade, order, back(1, 1), location=trade.at_lund.id)
    assert done.preview.currency == "SEK", "it takes back what another store sold, in its currency"


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)])
async def test_a_clock_that_jumps_sells_nothing_twice(
    trade: Trade, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    kettle = await trade.kettle(quantity=1)
    first, second = [await trade.cart((kettle, 1)) for _ in range(2)]
    with monkeypatch.context() as clock:
        clock.setattr("samlad.carts.service.now", lambda: now() + jump)
        held = await trade.db.transaction(lambda tx: carts.checkout(tx, first.id))
    assert held.checkout_until is not None
    winner, other = (second, first) if jump < timedelta(0) else (first, second)
    assert (await trade.place(winner.id)).status == "paid"
    with pytest.raises(SoldOut):
        await trade.place(other.id)
    assert await trade.level(kettle) == (1, 1)
    await trade.agree()
