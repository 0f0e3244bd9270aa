"""People of a shop and segments of them, for tests: what happens is real, only the clock of segments can be put forward."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

import horizon
from samlad import customers, identity, orders
from samlad.app import FOLLOWERS
from samlad.audiences import checks, segments, store, sweepers
from samlad.audiences.conditions import Condition
from samlad.audiences.model import NewSegment, Segment, SegmentChange
from samlad.channels import Channel, Resource
from samlad.customers import PersonInput
from samlad.identity import Decision, MergeInput, SplitInput
from samlad.kernel import followers
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from trade import Trade

SYSTEM = Context(actor=Actor(kind="system"))


def condition(document: dict[str, Any]) -> Condition:
    """Conditions from what a program would send."""
    return msgspec.convert(document, Condition)


class Audience:
    """The world of the tests."""

    def __init__(self, db: Database, trade: Trade) -> None:
        self.db, self.trade = db, trade
        self.pool: UUID = trade.web.pools[Resource.CUSTOMERS]
        self.ahead = timedelta()
        self.variant: UUID | None = None

    def now(self) -> datetime:
        """The present moment of segments."""
        return datetime.now(UTC) + self.ahead

    async def segment(self, name: str, definition: dict[str, Any] | None) -> Segment:
        data = NewSegment(
            channel=self.trade.web.id,
            name=name,
            definition=None if definition is None else condition(definition),
        )
        return await self.db.transaction(lambda tx: segments.create(tx, data))

    async def edit(self, segment: UUID, definition: dict[str, Any]) -> Segment:
        change = SegmentChange(definition=condition(definition))
        return await self.db.transaction(lambda tx: segments.change(tx, segment, change))

    async def person(self, **fields: Any) -> UUID:
        given = PersonInput(**{"email": f"{uuid4().hex}@example.org", **fields})
        made = await self.db.transaction(lambda tx: customers.find_or_create(tx, self.pool, given))
        return made.id

    async def buys(
        self, customer: UUID, *, days_ago: float = 0, price: int = 10_000, channel: Channel | None = None
    ) -> UUID:
        """An order of history's kind: placed then, with its event now."""
        if self.variant is None:
            self.variant = await self.trade.kettle(price=price, quantity=100_000)
        email = (await self.db.value("SELECT email FROM customer WHERE id = $1", customer)) or ""
        where = channel or self.trade.web
        details = {"email": email} if where is not self.trade.web else {}
        cart = await self.trade.cart((self.variant, 1), channel=channel, **details)
        await self.db.rows(
            "UPDATE cart SET customer = $2, email = $3 WHERE id = $1 RETURNING 1", cart.id, customer, email
        )
        order = await self.trade.place(cart.id)
        await self.db.rows(
            "UPDATE orders SET placed_at = $2 WHERE id = $1 RETURNING 1",
            order.id,
            self.now() - timedelta(days=days_ago),
        )
        return order.id

    async def cancels(self, order: UUID) -> None:
        await self.db.transaction(
            lambda tx: orders.cancel(tx, order, orders.CancelInput(reason="not wanted"))
        )

    async def merge(self, *people: UUID) -> Decision:
        data = MergeInput(profiles=list(people), reason="the same person")
        return await self.db.transaction(lambda tx: identity.merge(tx, data))

    async def split(self, profile: UUID, *leaves: UUID) -> Decision:
        data = SplitInput(profile=profile, identifiers=list(leaves), reason="two people")
        return await self.db.transaction(lambda tx: identity.split(tx, data))

    async def undo(self, decision: UUID) -> None:
        await self.db.transaction(lambda tx: identity.undo(tx, decision, "a mistake"))

    async def follow(self) -> None:
        """Let the followers catch up, and those that follow what these tell."""
        await followers.register(self.db, FOLLOWERS)
        handled = True
        while handled:
            handled = False
            behind = await horizon.behind(self.db, FOLLOWERS)
            for follower in (each for each in FOLLOWERS if each.name in behind):
                await horizon.passed(self.db)
                while await followers.step(self.db, follower):
                    handled = True
                    await horizon.passed(self.db)
        assert await self.db.rows("SELECT name, last_error FROM follower WHERE last_error IS NOT NULL") == []

    async def turn(self) -> None:
        """Let the clock's sweeper look."""
        await sweepers.turn(self.db)

    async def members(self, segment: UUID) -> set[UUID]:
        rows = await self.db.rows("SELECT person FROM segment_member WHERE segment = $1", segment)
        return {row["person"] for row in rows}

    async def sound(self) -> None:
        """Who is kept as a member is who full recomputation finds, everywhere; sizes and the log say the same."""
        every = await store.active(self.db)
        definitions = {each.id: each.definition for each in every}
        for each in every:
            assert each.trouble is None
            assert await checks.differences(self.db, each, definitions) == 0, each.name
            members = await self.members(each.id)
            assert each.size == len(members)
            assert await self.told(each.id) == members
        for check in checks.CHECKS:
            assert (await check.look(self.db)).status == "ok"

    async def told(self, segment: UUID) -> set[UUID]:
        """Who is in by the events alone. Nobody enters who is in, or leaves who is out."""
        found: set[UUID] = set()
        rows = await self.db.rows(
            "SELECT type, payload FROM event WHERE subject = $1 AND type IN ('segment.entered', 'segment.left')"
            " ORDER BY xid, seq",
            segment,
        )
        for row in rows:
            people = {UUID(each) for each in row["payload"]["people"]}
            if row["type"] == "segment.entered":
                assert not found & people
                found |= people
            else:
                assert people <= found
                found -= people
        return found


def key() -> UUID:
    """A new id."""
    return new_id()
