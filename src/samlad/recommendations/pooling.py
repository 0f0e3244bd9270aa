"""What is bought together belongs to a pool of orders, and is true of its customers whoever leaves it."""

from samlad.channels.pooling import Pooling

_STAYS = "what is bought together is told by all orders of the pool; a channel follows the pool that it is in"

POOLING = Pooling(order=86, stays={"product_pair": _STAYS, "paired_order": _STAYS})
