"""One walk for several orders: what is wanted of each thing, in the order of bins, sorted into boxes as it is picked."""

from collections.abc import Sequence
from uuid import UUID

from samlad import stock
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.orders import fulfilment, fulfilment_access
from samlad.orders import fulfilment_store as rows
from samlad.orders.fulfilment_model import (
    Batch,
    BatchInput,
    BatchLine,
    BinsInput,
    Fulfilment,
    FulfilmentState,
    PickInput,
)
from samlad.orders.model import WrongState
from samlad.orders.permissions import CHANGE
from samlad.stock.permissions import ADJUST
from samlad.stock.store import variants_by_name


async def begin(tx: Tx, data: BatchInput) -> Batch:
    """Take open fulfilments of a place for one walk: these, or the most urgent. What a colleague takes is left out.

    Raises:
        InvalidInput: an unknown location. Conflict: nothing is open any more.
    """
    tx.actor.require(CHANGE, location=data.location)
    try:
        await stock.location(tx, data.location)
    except NotFound as error:
        raise InvalidInput.at("location", error.detail) from None
    name, batch_id = tx.actor.name or tx.actor.label, new_id()
    await rows.make_batch(tx, batch_id, data.location, tx.actor.label, name)
    taken = await rows.into_batch(
        tx, batch_id, data.location, data.fulfilments, data.most, tx.actor.label, name
    )
    if not taken:
        raise Conflict("There is nothing left to pick; a colleague was quicker.")
    return await read(tx, batch_id)


async def read(reader: Reader, batch_id: UUID) -> Batch:
    """A walk as it is now. Raises NotFound."""
    found = await rows.batch(reader, batch_id)
    if found is None:
        raise NotFound("There is no such batch.")
    members = await rows.of_batch(reader, batch_id)
    return Batch(
        id=found.id,
        location=found.location,
        taken_by=found.taken_by,
        taken_name=found.taken_name,
        opened_at=found.opened_at,
        fulfilments=list(members),
        lines=merged(members),
    )


def merged(members: Sequence[Fulfilment]) -> list[BatchLine]:
    """The stops of a walk: each thing once, by bin (what has none comes last, by SKU), with the boxes that want it."""
    stops: dict[UUID, list[tuple[Fulfilment, int]]] = {}
    for member in members:
        for index, line in enumerate(member.lines):
            stops.setdefault(line.variant, []).append((member, index))
    lines = []
    for variant, places in stops.items():
        parts = [(member.slot or 0, member.lines[index]) for member, index in places]
        first = parts[0][1]
        slots: dict[int, int] = {}
        for slot, line in parts:
            slots[slot] = slots.get(slot, 0) + line.quantity
        lines.append(
            BatchLine(
                variant=variant,
                sku=first.sku,
                title=first.title,
                options=first.options,
                bin=first.bin,
                quantity=sum(line.quantity for _slot, line in parts),
                picked=sum(line.picked for _slot, line in parts),
                slots=sorted(slots.items()),
            )
        )
    return sorted(lines, key=lambda line: (line.bin is None, line.bin or "", line.sku or ""))


async def pick(tx: Tx, batch_id: UUID, code: str) -> tuple[Batch, int]:
    """One more of a thing is in the hand: the walk as it is then, and the box that it goes into.

    Raises:
        InvalidInput: nobody wants this. Conflict: there are enough of it already.
    """
    found = await rows.batch(tx, batch_id)
    if found is None:
        tx.actor.require(CHANGE)
        raise NotFound("There is no such batch.")
    tx.actor.require(CHANGE, location=found.location)
    is_known = False
    for member in await rows.of_batch(tx, batch_id):
        try:
            line = await fulfilment_access.line_of(tx, member, code)
        except InvalidInput:
            continue
        is_known = True
        if member.state is FulfilmentState.PICKING and line.picked < line.quantity:
            try:
                await fulfilment.pick(tx, member.id, PickInput(code=code))
            except (Conflict, WrongState):  # somebody else did, a moment ago
                continue
            return await read(tx, batch_id), member.slot or 0
    if not is_known:
        raise InvalidInput.at("code", "no order of this walk wants this")
    raise Conflict.at("code", "there are enough of it already")


async def set_bins(tx: Tx, data: BinsInput) -> None:
    """Say where things lie at a place, by SKU.

    Raises:
        InvalidInput: an unknown SKU.
    """
    tx.actor.require(ADJUST, location=data.location)
    found = await variants_by_name(tx, data.location, list(data.bins), [])
    known = {row["name"]: row["id"] for row in found}
    for sku in data.bins:
        if sku not in known:
            raise InvalidInput.at(f"bins/{sku}", "there is no such SKU at this place")
    await rows.set_bins(tx, data.location, sorted((known[sku], place) for sku, place in data.bins.items()))
