"""The blocks of a customer's page. A package's face adds its own, so that the page needs not know of it::

    add(Block(place=60, template="admin/customer_consent.html", load=_consent))

``load`` gets the request and the customer, and answers what the template needs by name, or None where the reader may not
see it. Names are shared by all blocks: begin them with the block's own.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from samlad.customers import Customer
from samlad.faces.page import AnyRequest

Load = Callable[[AnyRequest, Customer], Awaitable[dict[str, Any] | None]]


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the page. Blocks stand in the order of their ``place``: below 0 above the orders, else below them."""

    place: int
    template: str
    load: Load


_BLOCKS: dict[str, Block] = {}


def add(block: Block) -> None:
    """Show a block on every customer's page. Again with the same template replaces it."""
    _BLOCKS[block.template] = block


async def loaded(request: AnyRequest, customer: Customer) -> tuple[list[str], list[str], dict[str, Any]]:
    """The templates of the blocks that the reader may see, above the orders and below, and what they need."""
    above: list[str] = []
    below: list[str] = []
    values: dict[str, Any] = {}
    for block in sorted(_BLOCKS.values(), key=lambda each: (each.place, each.template)):
        shown = await block.load(request, customer)
        if shown is not None:
            (above if block.place < 0 else below).append(block.template)
            values.update(shown)
    return above, below, values
