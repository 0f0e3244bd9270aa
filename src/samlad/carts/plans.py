"""What lines cost that are bought by a selling plan. Plans stand above carts: whoever knows them registers here."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

import msgspec

from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.kernel.database import Reader


class Pricer(Protocol):
    """Prices by plan."""

    async def __call__(
        self,
        reader: Reader,
        channel: Channel,
        plans: Mapping[UUID, UUID],
        sellables: Mapping[UUID, Sellable],
    ) -> dict[UUID, int]:
        """What one of each variant costs at first by its plan, minor units as quoted; without those not to be had so."""
        ...


_registered: list[Pricer] = []


def register(pricer: Pricer) -> None:
    """Say who knows the prices of plans."""
    _registered[:] = [pricer]


async def priced(
    reader: Reader, channel: Channel, plans: Mapping[UUID, UUID], sellables: Mapping[UUID, Sellable]
) -> dict[UUID, Sellable]:
    """What is sold, at the prices of its plans (by variant). What its plan does not sell (any more) cannot be had."""
    found = dict(sellables)
    prices = await _registered[0](reader, channel, plans, found) if _registered else {}
    for variant in plans:
        if variant in found:
            sold, price = found[variant], prices.get(variant)
            found[variant] = msgspec.structs.replace(
                sold, price=price, reference_price=None, is_available=sold.is_available and price is not None
            )
    return found
