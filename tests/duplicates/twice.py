"""Customers of a shop in tests, and the pairs that are found among them."""

from typing import Any
from uuid import UUID

import msgspec

import horizon
from samlad import customers, duplicates
from samlad.app import FOLLOWERS
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.duplicates import Pair, scoring
from samlad.duplicates.model import NextInput
from samlad.kernel import followers
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from trade import Trade

WANTED = ("identity", "duplicates")


def clerk() -> Context:
    """Somebody of the staff who may decide."""
    allowed = frozenset({"identity.decide", "identity.read", "customers.read"})
    return Context(actor=Actor(kind="staff", id=new_id(), permissions=allowed))


class Twice:
    """The world of the tests."""

    def __init__(self, db: Database, trade: Trade) -> None:
        self.db, self.trade = db, trade
        self.variant: UUID | None = None
        self.pool: UUID = trade.web.pools[Resource.CUSTOMERS]

    async def person(self, **fields: Any) -> UUID:
        made = await self.db.transaction(
            lambda tx: customers.find_or_create(
                tx, self.pool, PersonInput(**fields), channel=self.trade.web.id
            )
        )
        return made.id

    async def kim_twice(self, number: int = 0, *, also: dict[str, Any] | None = None) -> tuple[UUID, UUID]:
        """Two customers of one name and phone, with e-mail addresses of two providers."""
        phone = f"+4670123{number:04d}"
        one = await self.person(name=f"Kim{number} Berg", email=f"kimberg{number}@example.org", phone=phone)
        other = await self.person(
            name=f"Berg, Kim{number}", email=f"kimberg{number}@mail.se", phone=phone, **(also or {})
        )
        return one, other

    async def buys(self, customer: UUID, street: str = "Stora gatan 5") -> None:
        """An order that is sent to a street in Malmö."""
        if self.variant is None:
            self.variant = await self.trade.kettle(quantity=100)
        address = {"name": "–", "line1": street, "postal_code": "211 34", "city": "Malmö", "country": "SE"}
        cart = await self.trade.cart((self.variant, 1), address=address, delivery="ship")
        await self.db.rows("UPDATE cart SET customer = $2 WHERE id = $1 RETURNING 1", cart.id, customer)
        await self.trade.place(cart.id)

    async def follow(self) -> None:
        """Let the followers that matter here handle everything."""
        chosen = [each for each in FOLLOWERS if each.name in WANTED]
        await followers.register(self.db, chosen)
        for _ in range(2):  # what identity tells, duplicates follows
            await horizon.passed(self.db)
            for each in chosen:
                while await followers.step(self.db, each):
                    pass
        for name in WANTED:
            assert await self.db.value("SELECT last_error FROM follower WHERE name = $1", name) is None

    async def again(self) -> None:
        """Let the follower see everything once more."""
        await followers.replay(self.db, "duplicates")
        await self.follow()

    async def pairs(self, status: str = "open") -> list[Pair]:
        ids = await self.db.rows(
            "SELECT id FROM duplicate_pair WHERE status = $1 ORDER BY weight DESC", status
        )
        found = [await duplicates.get(self.db, row["id"]) for row in ids]
        return [each for each in found if each is not None]

    async def rows(self) -> list[dict[str, Any]]:
        """Every pair with all that is kept of it but times."""
        rows = await self.db.rows("SELECT * FROM duplicate_pair ORDER BY left_customer, right_customer")
        return [
            {name: value for name, value in row.items() if not name.endswith(("_at", "_until"))}
            for row in rows
        ]

    async def change(self, customer: UUID, **fields: Any) -> None:
        given = msgspec.convert(fields, customers.model.CustomerChange)
        await self.db.transaction(lambda tx: customers.change(tx, customer, given))
        await self.follow()

    async def next(self, who: Context, **wanted: Any) -> Pair | None:
        return await self.db.transaction(lambda tx: duplicates.next_pair(tx, NextInput(**wanted)), who)

    async def refresh(self, *ids: UUID) -> None:
        await self.db.transaction(lambda tx: scoring.refresh(tx, set(ids)))
