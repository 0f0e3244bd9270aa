"""Short ways to act with documents."""

from typing import Any
from uuid import UUID

import msgspec

from samlad import orders
from samlad.channels import Resource
from samlad.documents import checks, entities, followers, issuing
from samlad.documents.model import Document, DocumentContent, Entity, EntityChange, IssueInput, Kind
from samlad.kernel.database import Database, Tx
from samlad.orders import CancelInput, FulfilInput, LineSelection, Order, ReturnInput
from trade import Trade

SELLER = {
    "name": "Kök & Kaffe AB",
    "line1": "Storgatan 1",
    "postal_code": "211 34",
    "city": "Malmö",
    "country": "SE",
    "registration_number": "5567212047",
    "vat_number": "SE556721204701",
    "iban": "SE45 5000 0000 0583 9825 7466",
    "bic": "ESSESESS",
    "endpoint": "0007:5567212047",
    "email": "faktura@example.org",
}


class Paper(msgspec.Struct):
    """The shop, and its documents."""

    trade: Trade

    @property
    def db(self) -> Database:
        return self.trade.db

    async def seller(self, **fields: Any) -> Entity:
        """The default legal entity with all that an invoice needs."""

        async def work(tx: Tx) -> Entity:
            found = await entities.default_of(tx, self.trade.web)
            return await entities.change(tx, found.id, msgspec.convert({**SELLER, **fields}, EntityChange))

        return await self.db.transaction(work)

    async def sold(self, *prices: int, quantity: int = 1, **fields: Any) -> Order:
        """An order of kettles that has left in full."""
        lines = [(await self.trade.kettle(price), quantity) for price in prices or (19_900,)]
        placed = await self.trade.buy(*lines, **fields)
        return await self.fulfil(placed.id)

    async def fulfil(self, order: UUID) -> Order:
        return await self.db.transaction(lambda tx: orders.fulfil(tx, order, FulfilInput()))

    async def take_back(self, order: UUID, *parts: tuple[int, int]) -> Order:
        """Goods come back: (position, quantity), or all of it."""
        lines = [LineSelection(position=p, quantity=q) for p, q in parts] or None
        return await self.db.transaction(lambda tx: orders.take_back(tx, order, ReturnInput(lines=lines)))

    async def cancel(self, order: UUID) -> None:
        await self.db.transaction(lambda tx: orders.cancel(tx, order, CancelInput(reason="no")))

    async def settle(self, order: UUID) -> list[Document]:
        """What the follower does at an event of an order."""
        return await self.db.transaction(lambda tx: issuing.settle(tx, order))

    async def issue(self, order: UUID, **buyer: Any) -> list[Document]:
        data = msgspec.convert({"buyer": buyer}, IssueInput)
        return await self.db.transaction(lambda tx: issuing.issue(tx, order, data))

    async def of(self, order: UUID) -> list[DocumentContent]:
        """The documents of an order with their contents."""
        return [await issuing.read(self.db, each.id) for each in await issuing.of_order(self.db, order)]

    async def numbers(self, kind: Kind = Kind.INVOICE) -> list[int]:
        rows = await self.db.rows(
            "SELECT sequence FROM document WHERE kind = $1 ORDER BY entity, year, sequence", kind
        )
        return [row["sequence"] for row in rows]

    async def sound(self) -> None:
        """Every check of documents holds, of orders that changed just now as well."""
        await self.db.rows("UPDATE orders SET updated_at = now() - interval '1 hour' RETURNING 1")
        for check in checks.CHECKS:
            finding = await check.look(self.db)
            assert finding.status == "ok", f"{check.name}: {finding.message}"

    @property
    def pool(self) -> UUID:
        return self.trade.web.pools[Resource.ORDERS]


FOLLOWER = followers.FOLLOWERS[0]
