"""The way into a fulfilment for its verbs: who may, which order, nothing that has ended. Orders are locked first."""

from collections.abc import Sequence
from uuid import UUID

from samlad import catalog, channels, stock
from samlad.channels import Resource
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import fulfilment_store as rows
from samlad.orders import store
from samlad.orders.fulfilment_model import Fulfilment, FulfilmentHead, FulfilmentLine, FulfilmentState
from samlad.orders.model import OrderHead, OrderLine, WrongState
from samlad.orders.permissions import CHANGE
from samlad.stock import scanning

_ASKED = (FulfilmentState.NEEDS_CUSTOMER, FulfilmentState.WAITING)
"""What the store where the order was to be picked up may settle, too, though the goods are elsewhere or nowhere."""


async def look(tx: Tx, fulfilment: UUID) -> FulfilmentHead:
    """A fulfilment that the actor may work on, without any lock.

    Raises:
        NotFound, Forbidden: there is none, or it is at another place.
    """
    found = await rows.head(tx, fulfilment)
    if found is None:
        tx.actor.require(CHANGE)
        raise NotFound("There is no such fulfilment.")
    tx.actor.require(CHANGE, location=found.location)
    return found


async def enter(
    tx: Tx,
    fulfilment: UUID,
    states: Sequence[FulfilmentState],
    *,
    version: int | None = None,
    by_customer: bool = False,
) -> tuple[Fulfilment, OrderHead, list[OrderLine]]:
    """A fulfilment in one of these states with its order, both held until the transaction ends.

    Raises:
        NotFound, Forbidden, Outdated. WrongState: it is in another state.
    """
    seen = await rows.head(tx, fulfilment)
    if seen is None:
        if not by_customer:
            tx.actor.require(CHANGE)
        raise NotFound("There is no such fulfilment.")
    if not by_customer and seen.state not in _ASKED:
        tx.actor.require(CHANGE, location=seen.location)
    found = await store.lock(tx, seen.order_id)
    assert found is not None
    head, lines = found
    known = {one.id: one for one in await rows.lock(tx, seen.order_id)}
    now = known.get(fulfilment)
    if now is None:
        ended = await rows.head(tx, fulfilment)
        assert ended is not None
        raise not_now(ended)
    at_order = now.state in _ASKED and head.location is not None and tx.actor.may(CHANGE, head.location)
    if not (by_customer or at_order):
        tx.actor.require(CHANGE, location=now.location)
    check_version(version, now.version)
    if now.state not in states:
        raise not_now(now)
    return now, head, lines


def not_now(fulfilment: FulfilmentHead) -> WrongState:
    """The refusal that says how far it is, and who has it."""
    who = f" by {fulfilment.taken_name}" if fulfilment.taken_name else ""
    return WrongState(
        f"It is {fulfilment.state}{who}.", state=fulfilment.state, taken_by=fulfilment.taken_name
    )


async def line_of(tx: Tx, fulfilment: Fulfilment, code: str, *, packing: bool = False) -> FulfilmentLine:
    """The line that a scanned code means: by SKU as it was bought, else by the catalogue's codes.

    Of several lines with the same thing the first that wants more.

    Raises:
        InvalidInput: it is not in this order.
    """
    code = scanning.read(code.strip()).code
    lines = [line for line in fulfilment.lines if line.sku == code]
    if not lines:
        channel = await channels.cached(tx, fulfilment.channel)
        found = await catalog.variant_by_code(tx, channel.pools[Resource.CATALOGUE], code)
        lines = [line for line in fulfilment.lines if found and line.variant == found.id]
    if not lines:
        raise InvalidInput.at("code", "this is not in the order")
    wanting = [
        line for line in lines if (line.packed < line.picked if packing else line.picked < line.quantity)
    ]
    return (wanting or lines)[0]


async def line_and_lot(tx: Tx, fulfilment: Fulfilment, code: str) -> tuple[FulfilmentLine, UUID | None]:
    """As `line_of`, and the lot that the code says, where the product is kept by lot.

    Raises:
        InvalidInput: as there, or nobody has ever seen such a lot.
    """
    line = await line_of(tx, fulfilment, code)
    return line, await stock.scanned_lot(tx, line.variant, scanning.read(code.strip()))


async def again(tx: Tx, fulfilment: UUID) -> Fulfilment:
    """A fulfilment as it is now."""
    found = await rows.read(tx, fulfilment)
    assert found is not None
    return found
