"""The orders that gift cards are sold with. They stand above credit: whoever knows them registers here."""

from typing import Protocol
from uuid import UUID

import msgspec

from samlad.credit import store
from samlad.credit.permissions import GRANT
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput


class SoldWith(msgspec.Struct, frozen=True, kw_only=True):
    """What credit wants to know of an order: its currency, what it comes to (minor units, without what will not come), whether it is
    a sale (no return), and whether it was called off."""

    currency: str
    total: int
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


async def require(tx: Tx, order: UUID, currency: str, amount: int, charge: UUID | None) -> None:
    """A card in a currency can be sold with an order, for so much (minor units). Whoever asks locks cards after this.

    All cards of an order together are worth no more than it comes to, or selling would be giving away; who may do that may.
    ``charge`` is not counted, if it was made before.

    Raises:
        InvalidInput: there is no such order, it is a return, in another currency, or comes to less.
        Conflict: it is cancelled.
    """
    found = await look(tx, order)
    if found is None or not found.is_sale:
        raise InvalidInput.at("order", "there is no such order")
    if found.currency != currency:
        raise InvalidInput.at("order", "it is in another currency than the card")
    if found.is_cancelled:
        raise Conflict("This order is cancelled.", order=str(order))
    if tx.actor.may(GRANT):
        return
    if await store.sold_with(tx, order, charge) + amount > found.total:
        raise InvalidInput.at("amount", "the cards of an order are not worth more than it comes to")
