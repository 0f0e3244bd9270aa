"""The orders that gift cards are sold with. They stand above credit: whoever knows them registers here."""

from typing import Protocol
from uuid import UUID

import msgspec

from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput


class SoldWith(msgspec.Struct, frozen=True, kw_only=True):
    """What credit wants to know of an order: its currency, whether it is a sale (no return), and whether it was called off."""

    currency: str
    is_sale: bool
    is_cancelled: bool


class Looker(Protocol):
    """Looks at an order, and keeps it as it is until the transaction ends; None if there is no such order."""

    async def __call__(self, tx: Tx, order: UUID) -> SoldWith | None:
        """What is so of the order now."""
        ...


_registered: list[Looker] = []


def register(looker: Looker) -> None:
    """Say who knows orders."""
    _registered[:] = [looker]


async def look(tx: Tx, order: UUID) -> SoldWith | None:
    """An order as it is now, held against changes; None if there is none, or nobody knows any."""
    return await _registered[0](tx, order) if _registered else None


async def require(tx: Tx, order: UUID, currency: str) -> None:
    """A card in a currency can be sold with an order. Whoever asks locks cards after this.

    Raises:
        InvalidInput: there is no such order, it is a return, or in another currency.
        Conflict: it is cancelled.
    """
    found = await look(tx, order)
    if found is None or not found.is_sale:
        raise InvalidInput.at("order", "there is no such order")
    if found.currency != currency:
        raise InvalidInput.at("order", "it is in another currency than the card")
    if found.is_cancelled:
        raise Conflict("This order is cancelled.", order=str(order))
