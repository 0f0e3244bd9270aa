"""Short ways to pick, pack and hand over in tests."""

from typing import Any
from uuid import UUID

from samlad import orders, stock
from samlad.kernel.context import SYSTEM, Actor, Context
from samlad.kernel.ids import new_id
from samlad.orders import Order, fulfilment, fulfilment_short, fulfilment_store
from samlad.orders.fulfilment_model import (
    AnswerInput,
    Choice,
    Fulfilment,
    FulfilmentState,
    HandOverInput,
    PackInput,
    PickInput,
    RejectInput,
    RejectReason,
    ShipInput,
    TakeInput,
)
from samlad.orders.model import LineSelection
from trade import Trade

PICKUP = {"email": "kim@example.org", "delivery": "pickup"}
PERMISSIONS = frozenset({"orders.change", "orders.read", "orders.place", "carts.write"})


def clerk(*places: UUID, name: str = "Sam Säljare") -> Actor:
    """Somebody who works in a store."""
    return Actor(
        kind="staff", id=new_id(), name=name, permissions=PERMISSIONS, locations=frozenset(places) or None
    )


class Desk:
    """The verbs of a store, each in a transaction."""

    def __init__(self, trade: Trade, actor: Actor = SYSTEM) -> None:
        self.trade = trade
        self.actor = actor

    async def run(self, verb: Any, *args: Any, **fields: Any) -> Any:
        return await self.trade.db.transaction(
            lambda tx: verb(tx, *args, **fields), Context(actor=self.actor)
        )

    async def of(self, order: Order | UUID) -> list[Fulfilment]:
        order_id = order if isinstance(order, UUID) else order.id
        return await fulfilment_store.of_order(self.trade.db, order_id)

    async def only(self, order: Order, state: FulfilmentState | None = None) -> Fulfilment:
        found = [f for f in await self.of(order) if state is None or f.state is state]
        assert len(found) == 1, [(f.state, f.location) for f in found]
        return found[0]

    async def for_pickup(self, *lines: tuple[UUID, int], at: UUID | None = None) -> Order:
        """An order of the webshop that is picked up at a store."""
        place = at or self.trade.at_malmo.id
        cart = await self.trade.cart(*lines, **PICKUP, location=str(place))
        return await self.trade.place(cart.id)

    async def take(self, f: Fulfilment, *, take_over: bool = False) -> Fulfilment:
        return await self.run(fulfilment.take, f.id, TakeInput(take_over=take_over))

    async def pick(self, f: Fulfilment, **fields: Any) -> Fulfilment:
        return await self.run(fulfilment.pick, f.id, PickInput(**fields))

    async def picked(self, f: Fulfilment) -> Fulfilment:
        """Taken and picked as it should be."""
        now = await self.take(f)
        for line in f.lines:
            now = await self.pick(f, position=line.position, quantity=line.quantity)
        return now

    async def pack(self, f: Fulfilment, code: str | None = None) -> Fulfilment:
        return await self.run(fulfilment.pack, f.id, PackInput(code=code))

    async def ship(self, f: Fulfilment, **fields: Any) -> Fulfilment:
        return await self.run(fulfilment.ship, f.id, ShipInput(**fields))

    async def ready(self, f: Fulfilment) -> Fulfilment:
        return await self.run(fulfilment.make_ready, f.id)

    async def code(self, f: Fulfilment) -> str | None:
        return (await fulfilment_store.codes_of(self.trade.db, f.order_id)).get(f.id)

    async def hand_over(self, f: Fulfilment, code: str | None = None, note: str = "") -> Fulfilment:
        return await self.run(fulfilment.hand_over, f.id, HandOverInput(code=code, note=note))

    async def reject(
        self, f: Fulfilment, reason: RejectReason = RejectReason.NO_TIME, *parts: tuple[int, int]
    ) -> list[Fulfilment]:
        lines = [LineSelection(position=p, quantity=q) for p, q in parts] or None
        return await self.run(fulfilment_short.reject, f.id, RejectInput(reason=reason, lines=lines))

    async def answer(self, f: Fulfilment, choice: Choice, **fields: Any) -> Fulfilment:
        return await self.run(fulfilment_short.answer, f.id, AnswerInput(choice=choice), **fields)

    async def order(self, order: Order) -> Order:
        return await orders.read(self.trade.db, order.id)

    async def put(self, variant: UUID, units: int, place: UUID) -> None:
        await self.trade.db.transaction(lambda tx: stock.receive(tx, place, [(variant, units)]))
