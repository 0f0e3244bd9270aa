"""A till of the tests: sales as its journal has them."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from samlad import tills
from samlad.access.permissions import permissions
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.tills import Desk, TillKeyInput, Verdict, signed
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


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Signer:
    """The key of a till, as its browser has it."""

    def __init__(self, till: UUID) -> None:
        self.till = till
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.raw = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def named(self, **fields: Any) -> dict[str, Any]:
        return {"channel": "malmo", "till": str(self.till), "public": text(self.raw), **fields}

    def text_of(self, sequence: int, total: int, at: datetime | None = None, till: UUID | None = None) -> str:
        number = f"{(till or self.till).hex[-4:].upper()}-{sequence:06d}"
        moment = int((at or now()).timestamp())
        content = [signed.key_id(self.raw), number, moment, total, "SEK"]
        head = f"T1.{text(json.dumps(content).encode())}"
        r, s = utils.decode_dss_signature(self.private.sign(head.encode(), ec.ECDSA(SHA256())))
        return f"{head}.{text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    async def known(self, trade: Trade) -> None:
        """The server knows it."""
        data = TillKeyInput(**self.named())
        await trade.db.transaction(lambda tx: tills.name_key(tx, data), AT_TILL)
