"""A till of the tests: sales as its journal has them."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from samlad import tills
from samlad.access.permissions import permissions
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.tills import Desk, Verdict
from trade import Trade

CLERK = Actor(kind="staff", id=uuid4(), name="Sam Säljare", permissions=frozenset(permissions()))
AT_TILL = Context(actor=CLERK)


class Till:
    """A till in Malmö that rings up."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade
        self.id = uuid4()
        self.sequence = 0
        self.desk = Desk(trade.malmo, trade.at_malmo)

    def sale(self, *goods: tuple[UUID, int], price: int = 19_900, **fields: Any) -> dict[str, Any]:
        """An entry of goods at a price in öre with 25 % tax in it, paid in cash."""
        self.sequence += 1
        lines = [
            {
                "variant": str(variant),
                "sku": "KETTLE",
                "title": "Kettle",
                "quantity": quantity,
                "unit_price": price,
                "tax_rate": 2500,
                "tax": price * quantity // 5,
                "total": price * quantity,
            }
            for variant, quantity in goods
        ]
        total = sum(line["total"] for line in lines)
        return {
            "id": str(uuid4()),
            "till": str(self.id),
            "sequence": self.sequence,
            "happened_at": (now() - timedelta(hours=3)).isoformat(),
            "clock_offset_ms": 0,
            "lines": lines,
            "tenders": [{"kind": "cash", "amount": total, "tendered": total + 100}],
            "total": total,
            "currency": "SEK",
            "clerk": str(CLERK.id),
            "clerk_name": CLERK.name,
            **fields,
        }

    async def send(self, *entries: dict[str, Any]) -> list[Verdict]:
        """What the server says to them."""
        return await tills.record_batch(self.trade.db, AT_TILL, self.desk, entries)
