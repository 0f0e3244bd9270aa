"""Pieces with numbers of their own: which ones an order got, as its receipt says for whoever has a warranty on them."""

from samlad.catalog import Tracking
from samlad.kernel.database import Reader
from samlad.orders.model import LineKind, Order
from samlad.stock import lots_store


async def serials_of(reader: Reader, order: Order) -> dict[int, list[str]]:
    """Serial numbers of what left with an order, by the line's position. One statement where nothing has any."""
    goods = [line for line in order.lines if line.kind is LineKind.ITEM and line.variant is not None]
    variants = sorted({line.variant for line in goods if line.variant is not None})
    tracking = await lots_store.tracking_of(reader, variants) if variants else {}
    pieces = [variant for variant in variants if tracking.get(variant) is Tracking.SERIAL]
    got = await lots_store.sold(reader, order.id, pieces) if pieces else {}
    left = {variant: [lot.code for lot, _ in lots if lot.code] for variant, lots in got.items()}
    found: dict[int, list[str]] = {}
    for line in goods:
        codes = left.get(line.variant, []) if line.variant is not None else []
        mine, codes[:] = codes[: line.quantity], codes[line.quantity :]
        if mine:
            found[line.position] = mine
    return found
