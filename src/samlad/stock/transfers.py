"""Units from one location to another: they leave, are under way, and arrive, perhaps in parts."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.stock import rules, service, store, transfers_store
from samlad.stock.events import StockTransferred, moved_lines
from samlad.stock.model import Cause, Moved, Transfer, TransferStatus
from samlad.stock.permissions import ADJUST
from samlad.stock.store import MoveLine


async def send(
    tx: Tx, origin: UUID, destination: UUID, lines: Sequence[tuple[UUID, int]], *, note: str = ""
) -> Transfer:
    """Units, (variant, units) each, leave a location for another. Until they arrive they are at neither.

    Raises:
        InvalidInput: no lines, a variant twice or unknown, both locations the same.
        NotInStock: units are not there, or are held.
    """
    tx.actor.require(ADJUST, location=origin)
    if origin == destination:
        raise InvalidInput.at("destination", "the same as the origin")
    if not lines or len({variant for variant, _ in lines}) < len(lines):
        raise InvalidInput.at("lines", "one line for each variant, at least one")
    await store.location(tx, origin)
    await store.location(tx, destination)
    transfer = new_id()
    try:
        await transfers_store.insert(tx, transfer, origin, destination, note, lines)
    except asyncpg.ForeignKeyViolationError as error:
        raise InvalidInput.at("lines", "there is no such variant") from error
    moves = [MoveLine(origin, variant, -quantity) for variant, quantity in lines]
    left = await service.book(tx, moves, cause=Cause.TRANSFER_OUT, reference=transfer)
    values = [(m.variant, -value) for m, value in zip(left.moved, left.values_e4, strict=True)]
    await transfers_store.note_sent(tx, transfer, values)
    sent = await transfers_store.get(tx, transfer)
    _tell(tx, sent, left.moved)
    return sent


async def receive(tx: Tx, transfer: UUID, lines: Sequence[tuple[UUID, int]] | None = None) -> Transfer:
    """Units arrive: these, (variant, units) each, or all that are still under way.

    Raises:
        Conflict: the transfer has ended, or more arrives than was sent (book the rest as a correction).
    """
    old = await _under_way(tx, transfer)
    tx.actor.require(ADJUST, location=old.destination)
    missing = {line.variant: line.quantity - line.received for line in old.lines}
    arrived = dict(missing) if lines is None else dict(lines)
    if lines is not None and len(arrived) < len(lines):
        raise InvalidInput.at("lines", "a variant is there twice")
    for variant, quantity in arrived.items():
        if not 0 <= quantity <= missing.get(variant, 0):
            raise Conflict(f"Of variant {variant} only {missing.get(variant, 0)} units are under way.")
    moved = await _arrive(tx, transfer, old.destination, arrived, missing)
    is_complete = all(quantity == arrived.get(variant, 0) for variant, quantity in missing.items())
    status = TransferStatus.RECEIVED if is_complete else TransferStatus.IN_TRANSIT
    new = await transfers_store.set_status(tx, transfer, status)
    _tell(tx, new, moved)
    return new


async def cancel(tx: Tx, transfer: UUID) -> Transfer:
    """End a transfer; what has not arrived goes back to where it came from. Raises Conflict if it has ended."""
    old = await _under_way(tx, transfer)
    tx.actor.require(ADJUST, location=old.origin)
    missing = {line.variant: line.quantity - line.received for line in old.lines}
    values = await transfers_store.values_under_way(tx, transfer)
    moves = [MoveLine(old.origin, v, units, value_e4=values[v]) for v, units in missing.items()]
    moved = await service.move(tx, moves, cause=Cause.TRANSFER_IN, reference=transfer)
    new = await transfers_store.set_status(tx, transfer, TransferStatus.CANCELLED)
    _tell(tx, new, moved)
    return new


async def _arrive(
    tx: Tx, transfer: UUID, place: UUID, arrived: Mapping[UUID, int], missing: Mapping[UUID, int]
) -> list[Moved]:
    """Book what arrived with its share of what is under way; the last units bring what is left of the value."""
    values = await transfers_store.values_under_way(tx, transfer)
    lines = [(v, units, rules.share(values[v], units, missing[v])) for v, units in arrived.items() if units]
    await transfers_store.note_received(tx, transfer, lines)
    moves = [MoveLine(place, variant, units, value_e4=value) for variant, units, value in lines]
    return await service.move(tx, moves, cause=Cause.TRANSFER_IN, reference=transfer)


async def _under_way(tx: Tx, transfer: UUID) -> Transfer:
    found = await transfers_store.lock(tx, transfer)
    if found.status is not TransferStatus.IN_TRANSIT:
        raise Conflict(f"This transfer is {found.status}.")
    return found


def _tell(tx: Tx, transfer: Transfer, moved: list[Moved]) -> None:
    log.append(
        tx,
        StockTransferred(
            transfer=transfer.id,
            status=transfer.status,
            origin=transfer.origin,
            destination=transfer.destination,
            lines=moved_lines(moved),
        ),
        subject=transfer.id,
    )
