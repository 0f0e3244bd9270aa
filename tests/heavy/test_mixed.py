"""Everything that a shop does, mixed, over HTTP to real processes that are killed in between: the books agree.

Each operation is asked again with its ``Idempotency-Key`` until there is an answer, so what happened is known, and our own
account of stock and money must be the shop's. What is done comes from a seed, not from Hypothesis: when a process dies is
never the same twice, which it takes for a flaky test.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

import horizon
from memory import memory
from samlad import channels
from samlad.app import CHECKS, FOLLOWERS
from samlad.bench import shop as shops
from samlad.bench.server import Server, fresh_shop, kill_postgres
from samlad.bench.shop import Shop
from samlad.bench.wire import Answer, request
from samlad.channels import ChannelChange
from samlad.kernel import checks, followers
from samlad.kernel.embedded import Embedded
from samlad.kernel.ids import new_id
from samlad.payments.providers import DECLINING_CENTS

PATIENCE_SECONDS = 240.0
PLACE = "dc"
GOODS = 3
CRASHES_EVERY = 12
"""Operations."""
IN_A_SLOT = 2
BY_BIKE = {
    "code": "bike",
    "kind": "same_day",
    "name": "Bike",
    "zones": [{}],
    "calendar": {"weekdays": [1, 2, 3, 4, 5, 6, 7]},
    "slots": [
        {"start": f"{hour:02d}:00", "end": f"{hour:02d}:30", "capacity": IN_A_SLOT}
        for hour in range(0, 24, 4)
    ],
}
NOT_LOOKED_AT = ("migrations", "followers", "parked-events", "partitions", "jobs")
"""Checks of the machine; all others are of the shop."""


class Trading:
    """What is done, and our own account of it."""

    def __init__(self, shop: Shop, server: Server, dice: random.Random) -> None:
        self.shop, self.server, self.dice = shop, server, dice
        self.on_hand = [0] * GOODS
        self.taken: dict[str, int] = {}
        """What each acknowledged order came to."""
        self.lines: dict[str, tuple[int, int, int]] = {}
        """Of each order: which goods, how many were bought, how many are out."""
        self.cards: dict[str, tuple[str, int]] = {}
        """Code of each gift card, and what is on it at least: refunds may have come back."""
        self.issued = 0
        self.cancelled: set[str] = set()
        self.brought: set[str] = set()
        """Orders in a delivery slot, of which each takes a place until it is called off."""
        self.done: list[str] = []
        self.falls = set[int]()
        """The operations in which something falls."""

    async def open(self, operations: int) -> None:
        """Goods in a shop that sold some of them already, and the moments at which something falls."""
        self.falls |= set(self.dice.sample(range(operations), operations // CRASHES_EVERY))
        self.variants = await shops.add_goods(self.shop, GOODS, units=0, prefix="mixed")
        self.skus = [f"MIXED-{n}" for n in range(GOODS)]
        web, db = self.shop.channel, self.shop.runtime.database
        with_invoices = ChannelChange(settings={"invoice_when": "paid"})
        await db.transaction(lambda tx: channels.change(tx, web.id, with_invoices, version=web.version))
        made = await self.ask("POST", "/api/delivery-methods", BY_BIKE | {"channel": web.code})
        assert made.status == 201, made
        for which in [*range(GOODS)] * 2:
            await self.receive(which)
        await self.buy()
        assert self.lines, "there was enough of everything"

    async def step(self) -> None:
        """One operation, perhaps with a crash in the middle of it."""
        verbs: list[Callable[[], Awaitable[None]]] = [
            self.receive,
            self.lose,
            self.give_a_card,
            self.buy,
            self.buy,
        ]
        verbs += [self.arrive]
        if self.lines:
            verbs += [self.ship, self.ship, self.take_back, self.call_off, self.swap, self.make_good]
        verb = self.dice.choice(verbs)
        if len(self.done) in self.falls:
            self.crash = self.dice.choice(["s", "p", "sp"]), self.dice.uniform(0, 0.03)
        self.done.append(f"{verb.__name__} while {self.crash[0]} falls" if self.crash else verb.__name__)
        await verb()

    crash: tuple[str, float] | None = None

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        """One request, asked until there is an answer."""
        return await self._insist(method, path, body)

    async def _insist(self, method: str, path: str, body: object) -> Answer:
        headers = {"idempotency-key": str(new_id())}
        data = request(method, path, key=self.shop.key, body=body, headers=headers)
        crash, self.crash = self.crash, None
        falling = None if crash is None else asyncio.create_task(self._fall(*crash))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    async with asyncio.timeout(20):
                        answer = await self.server.ask(data)
                except (OSError, TimeoutError):
                    pass
                else:
                    if answer.status < 500 and b"/idempotency-still-running" not in answer.body:
                        break
                    assert answer.status in (409, 503), (answer, self.server.complaints()[-3:])
                await asyncio.sleep(0.05)
            if falling is not None:
                await falling
        return answer

    async def _fall(self, victims: str, after: float) -> None:
        await asyncio.sleep(after)
        if "p" in victims:
            while Embedded(self.server.home).pid() is None:
                await asyncio.sleep(0.02)
            kill_postgres(self.server.home)
        if "s" in victims:
            self.server.kill()
            await self.server.start()

    def goods(self) -> tuple[int, int]:
        return self.dice.randrange(GOODS), self.dice.randint(1, 4)

    async def receive(self, which: int | None = None) -> None:
        chosen, units = self.goods()
        which = chosen if which is None else which
        lines = [{"sku": self.skus[which], "quantity": units * 3}]
        answer = await self.ask("POST", "/api/stock/receipts", {"location": PLACE, "lines": lines})
        assert answer.status == 201, answer
        self.on_hand[which] += units * 3

    async def lose(self) -> None:
        """What nobody waits for, or more than there is: what orders lose is another test's (`tests/stock`)."""
        which, units = self.goods()
        if self.free(which) < units <= self.on_hand[which]:
            units = self.on_hand[which] + 1
        lines = [{"sku": self.skus[which], "quantity": -units}]
        body = {"location": PLACE, "lines": lines, "reason": "broken"}
        answer = await self.ask("POST", "/api/stock/corrections", body)
        assert (answer.status < 400) is (units <= self.free(which)), answer
        if answer.status < 400:
            self.on_hand[which] -= units

    async def give_a_card(self) -> None:
        amount = self.dice.randint(1, 40_000)
        body = {"channel": str(self.shop.channel.id), "amount": amount, "note": "sorry"}
        made = await self.ask("POST", "/api/gift-cards", body)
        assert made.status == 201, made
        self.cards[made.json()["card"]["id"]] = made.json()["code"], amount
        self.issued += amount

    async def buy(self) -> None:
        which, units = self.goods()
        fits = units <= self.free(which)
        lines = [{"variant": str(self.variants[which]), "quantity": units}]
        cart = await self.ask("POST", "/api/carts", {"channel": str(self.shop.channel.id), "lines": lines})
        assert cart.status == 201, cart
        path = f"/api/carts/{cart.json()['id']}"
        by_bike = self.dice.random() < 0.4
        brought = {"delivery_method": "bike", "location": str(self.shop.location)} if by_bike else {}
        shown = await self.ask("PATCH", path, msgspec.to_builtins(shops.BUYER) | brought)
        # A slot that was promised may begin before the order comes; without a promise the order gets the first with room.
        if self.dice.random() < 0.5 and not by_bike:
            shown = await self.ask("POST", f"{path}/checkout")
            assert (shown.status == 200) is fits, shown
            if not fits:
                return
        total = shown.json()["totals"]["total"]
        payments, card = self._payments(total)
        body = {"cart": cart.json()["id"], "payments": payments, "total": total}
        placed = await self.ask("POST", "/api/orders", body)
        if self._placed(placed, which, units, fits=fits):
            if by_bike:
                self.brought.add(placed.json()["id"])
            if card:
                code, balance = self.cards[card]
                self.cards[card] = code, balance - payments[0]["amount"]

    def _payments(self, total: int) -> tuple[list[dict[str, Any]], str | None]:
        """By a gift card that has something on it, perhaps; the rest by the test provider."""
        full = [card for card, (_, balance) in self.cards.items() if balance]
        if not full or self.dice.random() < 0.4:
            return [{"provider": "test"}], None
        card = self.dice.choice(full)
        code, balance = self.cards[card]
        # The rest would be declined, and the cart keep what it holds.
        if (total - balance) % 100 == DECLINING_CENTS:
            return [{"provider": "test"}], None
        first = {"provider": "gift_card", "token": code, "amount": min(total, balance)}
        rest = [{"provider": "test"}] if balance < total else []
        return [first, *rest], card

    def _placed(self, placed: Answer, which: int, units: int, *, fits: bool) -> bool:
        assert (placed.status == 201) is fits, placed
        if fits:
            order = placed.json()
            self.taken[order["id"]] = order["total"]
            self.lines[order["id"]] = (which, units, 0)
        else:
            assert placed.json()["type"] == "/problems/sold-out"
        return fits

    async def arrive(self) -> None:
        which, units = self.goods()
        body = {
            "channel": str(self.shop.channel.id),
            "external_id": f"market-{len(self.done)}",
            "placed_at": "2026-11-20T10:00:00Z",
            "lines": [
                {"code": self.skus[which], "quantity": units, "unit_price": self.dice.randint(1, 9_999)}
            ],
        }
        fits = units <= self.free(which)
        self._placed(await self.ask("POST", "/api/orders/arrivals", body), which, units, fits=fits)

    async def ship(self) -> None:
        order, units = self.dice.choice(list(self.lines)), self.dice.randint(1, 4)
        which, bought, out = self.lines[order]
        body = {"lines": [{"position": 1, "quantity": units}]}
        answer = await self.ask("POST", f"/api/orders/{order}/fulfil", body)
        assert (answer.status == 200) is (units <= bought - out), answer
        if answer.status == 200:
            self.lines[order] = (which, bought, out + units)
            self.on_hand[which] -= units

    async def take_back(self) -> None:
        order, units = self.dice.choice(list(self.lines)), self.dice.randint(1, 4)
        which, bought, out = self.lines[order]
        body = {"lines": [{"position": 1, "quantity": units}]}
        answer = await self.ask("POST", f"/api/orders/{order}/return", body)
        assert (answer.status == 201) is (units <= out), answer
        if answer.status == 201:
            self.lines[order] = (which, bought - units, out - units)
            self.on_hand[which] += units

    async def call_off(self) -> None:
        order = self.dice.choice(list(self.lines))
        which, _, out = self.lines[order]
        before = (await self.ask("GET", f"/api/orders/{order}")).json()["order"]
        answer = await self.ask("POST", f"/api/orders/{order}/cancel", {"reason": "changed their mind"})
        is_refused = order in self.cancelled or any(line["returned"] for line in before["lines"])
        if order not in self.cancelled:  # called off twice may be the same or refused, but changes nothing
            assert (answer.status == 200) is not is_refused, answer
        if answer.status == 200 and order not in self.cancelled:
            self.cancelled.add(order)
            self.lines[order] = (which, 0, 0)
            self.on_hand[which] += out

    async def swap(self) -> None:
        """The same again for what comes back: it is sold by an order of its own, which waits to be sent."""
        order, units = self.dice.choice(list(self.lines)), self.dice.randint(1, 4)
        which, bought, out = self.lines[order]
        if out == 0:  # what has not left yet is changed in the order itself
            return
        swapped = {"kind": "exchange", "position": 1, "quantity": units}
        answer = await self.ask("POST", f"/api/orders/{order}/changes", {"actions": [swapped]})
        assert (answer.status == 201) is (units <= out), answer
        if answer.status == 201:
            done = answer.json()
            self.lines[order] = (which, bought - units, out - units)
            self.on_hand[which] += units
            self.taken[done["placed"]] = done["preview"]["sold_total"]
            self.lines[done["placed"]] = (which, units, 0)

    async def make_good(self) -> None:
        """Money back while the goods stay; how much is left to give back the doctor knows."""
        order = self.dice.choice(list(self.lines))
        given = {"kind": "goodwill", "amount": self.dice.randint(1, 300)}
        body = {"actions": [given], "override": "sorry"}
        answer = await self.ask("POST", f"/api/orders/{order}/changes", body)
        assert answer.status in (201, 400, 409, 422), answer

    def free(self, which: int) -> int:
        """What can be sold: what is there, less what orders wait for."""
        waiting = sum(bought - out for goods, bought, out in self.lines.values() if goods == which)
        return self.on_hand[which] - waiting

    async def judge(self) -> None:
        db = self.shop.runtime.database
        assert (await self._insist("GET", "/health/ready", None)).status == 200
        for which, variant in enumerate(self.variants):
            row = await db.row("SELECT on_hand, held FROM level WHERE variant = $1", variant)
            there = (0, 0) if row is None else (row["on_hand"], row["held"])
            assert there == (self.on_hand[which], self.on_hand[which] - self.free(which))
        kept = await db.rows("SELECT id, total FROM orders WHERE kind = 'sale'")
        assert {str(row["id"]): row["total"] for row in kept} == self.taken, "each once, and no other"
        kept_on_cards = [
            (await self.ask("GET", f"/api/gift-cards/{card}")).json()["balance"] for card in self.cards
        ]
        paid_by_card = await db.value(
            "SELECT coalesce(sum(captured - refunded), 0) FROM payment WHERE provider = 'gift_card'"
        )
        assert sum(kept_on_cards) + paid_by_card == self.issued, "no money of gift cards came or went"
        in_slots = await db.rows("SELECT orders FROM delivery_slot")
        assert sum(row["orders"] for row in in_slots) == len(self.brought - self.cancelled)
        assert max((row["orders"] for row in in_slots), default=0) <= IN_A_SLOT
        await self._follow()
        looked = [check for check in CHECKS if not check.name.startswith(NOT_LOOKED_AT)]
        found = await checks.run(db, looked)
        assert [f"{each.name}: {each.message}" for each in found if each.status == "failed"] == []
        # What was called off before the documents had read of it has no invoice, and needs none.
        without = await db.rows(
            "SELECT number FROM orders o WHERE kind = 'sale' AND payment_status = 'paid' AND total > refunded"
            " AND NOT EXISTS (SELECT FROM document WHERE order_id = o.id AND kind = 'invoice')"
        )
        assert without == [], "what is paid and stands has its invoice"
        assert await db.value("SELECT count(*) FROM voucher") >= len(self.taken), "each order is in the book"

    async def _follow(self) -> None:
        """Let the money book, the documents and all the others read the log to its end, beside the server, which does it, too."""
        db = self.shop.runtime.database
        await followers.register(db, FOLLOWERS)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await horizon.passed(db)
            while behind := await horizon.behind(db, FOLLOWERS):
                for each in FOLLOWERS:
                    if each.name in behind:
                        await followers.step(db, each)
                await horizon.passed(db)
        assert await db.rows("SELECT name, last_error FROM follower WHERE last_error IS NOT NULL") == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("operations", [60, pytest.param(500, marks=pytest.mark.soak)])
async def test_mixed_operations_and_kill_9(operations: int) -> None:
    seed = int(os.environ.get("SAMLAD_CRASH_SEED", random.randrange(2**32)))
    print(f"again with SAMLAD_CRASH_SEED={seed}")  # noqa: T201 - shown when it fails
    async with fresh_shop(memory()) as runtime:
        shop = await shops.open_shop(runtime)
        async with Server(runtime.settings.home) as server:
            trading = Trading(shop, server, random.Random(seed))
            await trading.open(operations)
            try:
                for _ in range(operations):
                    await trading.step()
                await trading.judge()
            except AssertionError:
                print("\n".join(trading.done))  # noqa: T201 - shown when it fails
                raise
