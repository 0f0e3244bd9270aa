"""Where somebody had things sent before: what staff offer on the phone, so that nobody spells their street again."""

from uuid import UUID

import msgspec

from samlad.carts import Address
from samlad.kernel.database import Reader

LOOKED_AT = 20
"""Orders back from the newest."""


class SentTo(msgspec.Struct, frozen=True, kw_only=True):
    """An address of an order."""

    address: Address


async def sent_to(reader: Reader, customer: UUID, most: int) -> list[Address]:
    """The addresses of a person's latest orders, the latest first, each once; at most ``most``."""
    found = await reader.all(
        SentTo,
        """SELECT address FROM orders
           WHERE customer = ANY (customer_members(ARRAY[$1::uuid])) AND address IS NOT NULL
           ORDER BY placed_at DESC LIMIT $2""",
        customer,
        LOOKED_AT,
    )
    unlike: dict[Address, None] = {each.address: None for each in found}
    return list(unlike)[:most]
