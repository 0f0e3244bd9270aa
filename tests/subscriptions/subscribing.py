"""Short ways to act in a shop that sells subscriptions, and its clock."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad import catalog, channels, customers, delivery, stock, subscriptions
from samlad.app import CHECKS
from samlad.catalog import ProductChange
from samlad.catalog.model import ProductStatus
from samlad.channels import ChannelChange, Resource
from samlad.customers import PersonInput
from samlad.delivery import Method, MethodInput
from samlad.kernel import log
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.log import Event
from samlad.subscriptions import Plan, PlanInput, StartInput, Subscription
from samlad.subscriptions.sweepers import sweep
from trade import ADDRESS, Trade, build

NAMES = ("subscription", "order", "customer", "payment", "stock", "book", "document", "promotion", "invoice")
BEGINNING = datetime(2027, 1, 31, 9, tzinfo=UTC)


COURIER: dict[str, Any] = {
    "code": "courier",
    "kind": "ship",
    "name": "Courier",
    "zones": [{"countries": ["SE"]}],
    "rate": {"kind": "flat", "price": 4_900},
    "position": 1,
}
POST: dict[str, Any] = COURIER | {
    "code": "post",
    "name": "Post",
    "zones": [{}],
    "rate": {"kind": "flat", "price": 1_900},
    "position": 2,
}


async def offer(trade: Trade, *methods: dict[str, Any]) -> list[Method]:
    """Methods of the webshop."""

    async def work(tx: Tx) -> list[Method]:
        wanted = [msgspec.convert({"channel": "web", **each}, MethodInput) for each in methods]
        return [await delivery.create_method(tx, each) for each in wanted]

    return await trade.db.transaction(work)


class Clock:
    """`samlad.kernel.clock` reads its ``datetime`` from ``kind``."""

    def __init__(self) -> None:
        self.at = BEGINNING
        clock = self

        class Stopped(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return clock.at.astimezone(tz)

        self.kind = Stopped

    def to(self, *parts: int) -> None:
        self.at = datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]

    def on(self, **parts: float) -> None:
        self.at += timedelta(**parts)


class Shop(msgspec.Struct):
    """A webshop, somebody who subscribes, and a plan: every month, 10 % off."""

    trade: Trade
    clock: Clock
    kim: UUID
    plan: Plan

    @property
    def db(self) -> Database:
        return self.trade.db

    @property
    def as_kim(self) -> Context:
        return Context(actor=Actor(kind="customer", id=self.kim))

    async def make_plan(self, code: str, **terms: Any) -> Plan:
        data = msgspec.convert(
            {"code": code, "name": code.title(), "channels": ["web"], "terms": terms}, PlanInput
        )
        return await self.db.transaction(lambda tx: subscriptions.create_plan(tx, data))

    async def start(self, *lines: tuple[UUID, int], plan: Plan | None = None, **more: Any) -> Subscription:
        """A subscription paid with the test provider (``payment=None``: nobody has said how)."""
        values: dict[str, Any] = {
            "plan": (plan or self.plan).id,
            "channel": self.trade.web.id,
            "customer": self.kim,
            "lines": [{"variant": variant, "quantity": quantity} for variant, quantity in lines],
            "address": ADDRESS,
            "payment": {"provider": "test"},
        }
        data = msgspec.convert({k: v for k, v in (values | more).items() if v is not None}, StartInput)
        return await self.db.transaction(lambda tx: subscriptions.start(tx, data))

    async def settle(self, **settings: Any) -> None:
        """Set settings of the webshop."""
        web = await channels.get(self.db, self.trade.web.id)
        change = ChannelChange(settings=settings)
        await self.db.transaction(lambda tx: channels.change(tx, web.id, change, version=web.version))

    async def sweep(self) -> None:
        await sweep(self.db)

    async def read(self, subscription: Subscription) -> Subscription:
        return await subscriptions.read(self.db, Actor(kind="system"), subscription.id)

    async def do(
        self, verb: Any, subscription: Subscription, *data: Any, as_customer: bool = False
    ) -> Subscription:
        context = self.as_kim if as_customer else Context()
        found: Subscription = await self.db.transaction(lambda tx: verb(tx, subscription.id, *data), context)
        return found

    async def told(self, subscription: Subscription, *types: str) -> list[Event]:
        """What the log says of a subscription (of these types), oldest first."""
        events = await log.of_subject(self.db, subscription.id)
        return [event for event in events if event.type.removeprefix("subscription.") in types or not types]

    async def orders(self, subscription: Subscription) -> list[tuple[int, int]]:
        """Cycle and total of what was ordered."""
        rows = await self.db.rows(
            """SELECT y.cycle, o.total FROM subscription_cycle y JOIN orders o ON o.id = y.order_id
               WHERE y.subscription = $1 ORDER BY y.cycle""",
            subscription.id,
        )
        return [(row["cycle"], row["total"]) for row in rows]

    async def agree(self) -> None:
        """After everything was followed every check of ``samlad doctor`` on what subscriptions move holds."""
        await self.trade.follow()
        for check in CHECKS:
            if check.name.startswith(NAMES):
                finding = await check.look(self.db)
                assert finding.status == "ok", f"{check.name}: {finding.message}"

    async def withdraw(self, variant: UUID, *, back: bool = False) -> None:
        """Sell it no more, or again."""
        product = (await catalog.by_ids(self.db, [variant]))[variant].product
        change = ProductChange(status=ProductStatus.ACTIVE if back else ProductStatus.ARCHIVED)
        await self.db.transaction(lambda tx: catalog.change(tx, product, change))

    async def receive(self, variant: UUID, quantity: int) -> None:
        await self.db.transaction(
            lambda tx: stock.receive(tx, self.trade.warehouse.id, [(variant, quantity)])
        )


async def open_shop(db: Database, clock: Clock, **settings: Any) -> Shop:
    """The shop; ``settings`` are the webshop's."""
    trade = await build(db, **settings)
    pool = trade.web.pools[Resource.CUSTOMERS]
    person = PersonInput(email="kim@example.org", name="Kim Berg")
    kim = await db.transaction(lambda tx: customers.find_or_create(tx, pool, person))
    shop = Shop(trade, clock, kim.id, None)  # type: ignore[arg-type]
    shop.plan = await shop.make_plan("monthly", prices=[{"percent_off": 1000}])
    return shop
