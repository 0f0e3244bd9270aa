"""What to show with a product, and which size to advise."""

from collections.abc import Sequence
from uuid import UUID

from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader
from samlad.recommendations import rules, store
from samlad.recommendations.model import Companion, SizeAdvice


async def together(reader: Reader, channel: Channel, product: UUID, limit: int = 8) -> list[Companion]:
    """What is bought with a product in the channel's pool of orders. Whether it is sold here, the catalogue knows."""
    return await store.together(reader, channel.pools[Resource.ORDERS], product, limit)


async def size_for(
    reader: Reader,
    customer: UUID,
    option: str,
    sizes: Sequence[str],
    *,
    brand: str | None,
    category: str | None,
) -> SizeAdvice | None:
    """The size that what a customer kept and sent back speaks for; ``category`` is a path, ``sizes`` smallest first."""
    tried = await store.tried(reader, customer, option)
    return rules.advise(tried, sizes, brand=brand, category=category)
