"""Units from one location to another: they leave, are under way, and arrive, perhaps in parts."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from samlad import catalog
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.stock import lots_store, places, rules, service, transfers_store
from samlad.stock.events import StockTransferred, moved_lines
from samlad.stock.model import Cause, Moved, Transfer, TransferStatus
from samlad.stock.permissions import ADJUST
from samlad.stock.problems import LotNeeded
from samlad.stock.store import MoveLine

_Key = tuple[UUID, UUID | None]
"""Variant and lot."""


async def send(
    tx: Tx,
    origin: UUID,
    destination: UUID,
    lines: Sequence[tuple[UUID, int]],
    *,
    note: str = "",
    expected_on: date | None = None,
    lots: Sequence[UUID | None] = (),
) -> Transfer:
    """Units, (variant, units) each, leave a location for another. Until they arrive they are at neither.

    With ``expected_on``, a day of the destination, they are expected there from now on, as goods from suppliers are. Of
    what is kept by lot go the ``lots`` that are named, else those whose turn it is.

    Raises:
        InvalidInput: no lines, a variant (of a lot) twice or unknown, both locations the same.
        NotInStock: units are not there, or are held.
    """
    tx.actor.require(ADJUST, location=origin)
    if origin == destination:
        raise InvalidInput.at("destination", "the same as the origin")
    named = [(v, lot, units) for (v, units), lot in zip(lines, service.lots_beside(lots, lines), strict=True)]
    if not lines or len({(variant, lot) for variant, lot, _ in named}) < len(named):
        raise InvalidInput.at("lines", "one line for each variant and lot, at least one")
    await places.location(tx, origin)
    await places.location(tx, destination)
    transfer = new_id()
    await transfers_store.insert(tx, transfer, origin, destination, note, expected_on)
    moves = [MoveLine(origin, variant, -units, lot=lot) for variant, lot, units in named]
    left = await service.book(tx, moves, cause=Cause.TRANSFER_OUT, reference=transfer)
    await transfers_store.put_lines(tx, transfer, left)
    sent = await transfers_store.get(tx, transfer)
    await _expect(tx, sent, [(m.variant, -m.quantity) for m in left.moved])
    _tell(tx, sent, left.moved)
    return sent


async def receive(
    tx: Tx,
    transfer: UUID,
    lines: Sequence[tuple[UUID, int]] | None = None,
    *,
    lots: Sequence[UUID | None] = (),
    version: int | None = None,
) -> Transfer:
    """Units arrive: these, (variant, units) each, or all that are still under way.

    Nobody has to say of which lot they are when all of a variant arrives, or only one lot of it is under way.

    Raises:
        Conflict: the transfer has ended, or more arrives than was sent (book the rest as a correction).
        LotNeeded: several lots are under way, and a part of them arrived.
        Outdated: somebody booked in a part, or changed it, since ``version``.
    """
    old = await _under_way(tx, transfer)
    tx.actor.require(ADJUST, location=old.destination)
    check_version(version, old.version)
    missing = {(line.variant, line.lot): line.quantity - line.received for line in old.lines}
    if lines is None:
        arrived = dict(missing)
    else:
        named = [
            (v, lot, units) for (v, units), lot in zip(lines, service.lots_beside(lots, lines), strict=True)
        ]
        arrived = _arrived(old, missing, named)
        await _refuse_more(tx, arrived, missing)
    moved = await _arrive(tx, transfer, old.destination, arrived, missing)
    await _expect(tx, old, [(variant, -units) for (variant, _lot), units in arrived.items()])
    is_complete = all(units == arrived.get(key, 0) for key, units in missing.items())
    status = TransferStatus.RECEIVED if is_complete else TransferStatus.IN_TRANSIT
    new = await transfers_store.set_status(tx, transfer, status)
    _tell(tx, new, moved)
    return new


def _arrived(
    old: Transfer, missing: Mapping[_Key, int], named: Sequence[tuple[UUID, UUID | None, int]]
) -> dict[_Key, int]:
    """Units that arrived, by variant and lot, of what is under way."""
    arrived: dict[_Key, int] = {}
    for variant, lot, units in named:
        under_way = {key: left for key, left in missing.items() if key[0] == variant}
        if lot is not None or not under_way:
            found = {(variant, lot): units}
        elif len(under_way) == 1:
            found = {next(iter(under_way)): units}
        elif sum(under_way.values()) == units:
            found = under_way
        else:
            raise LotNeeded(variant, [line.lot_code or "" for line in old.lines if line.variant == variant])
        if arrived.keys() & found.keys():
            raise InvalidInput.at("lines", "a variant is there twice")
        arrived |= found
    return arrived


async def _refuse_more(tx: Tx, arrived: Mapping[_Key, int], missing: Mapping[_Key, int]) -> None:
    """Raises Conflict: more arrived of something than was sent."""
    for key, units in arrived.items():
        if not 0 <= units <= missing.get(key, 0):
            known = (await catalog.by_ids(tx, [key[0]])).get(key[0])
            name = known.sku if known else str(key[0])
            raise Conflict(f"Of “{name}” only {missing.get(key, 0)} such units are under way.")


async def reschedule(
    tx: Tx, transfer: UUID, expected_on: date | None, *, version: int | None = None
) -> Transfer:
    """It is expected on another day of its destination; None: nobody knows, so nothing of it is promised any more.

    Raises:
        Conflict: it has ended. Outdated: somebody changed it since ``version``.
    """
    old = await _under_way(tx, transfer)
    tx.actor.require(ADJUST, location=old.destination)
    check_version(version, old.version)
    under_way = [(line.variant, line.quantity - line.received) for line in old.lines]
    await transfers_store.set_day(tx, transfer, expected_on)
    new = await transfers_store.set_status(tx, transfer, TransferStatus.IN_TRANSIT)
    if expected_on is None:
        await _expect(tx, old, [(variant, -units) for variant, units in under_way])
    elif old.expected_on is None:
        await _expect(tx, new, under_way)
    _tell(tx, new, [])
    return new


async def cancel(tx: Tx, transfer: UUID) -> Transfer:
    """End a transfer; what has not arrived goes back to where it came from. Raises Conflict if it has ended."""
    old = await _under_way(tx, transfer)
    tx.actor.require(ADJUST, location=old.origin)
    missing = {(line.variant, line.lot): line.quantity - line.received for line in old.lines}
    values = await transfers_store.values_under_way(tx, transfer)
    lots = await lots_store.arriving(tx, list(missing))
    moves = [
        MoveLine(old.origin, key[0], units, lot=lots[key], value_e4=values[key])
        for key, units in missing.items()
    ]
    moved = await service.move(tx, moves, cause=Cause.TRANSFER_IN, reference=transfer)
    await _expect(tx, old, [(variant, -units) for (variant, _lot), units in missing.items()])
    new = await transfers_store.set_status(tx, transfer, TransferStatus.CANCELLED)
    _tell(tx, new, moved)
    return new


async def _arrive(
    tx: Tx, transfer: UUID, place: UUID, arrived: Mapping[_Key, int], missing: Mapping[_Key, int]
) -> list[Moved]:
    """Book what arrived with its share of what is under way; the last units bring what is left of the value."""
    values = await transfers_store.values_under_way(tx, transfer)
    lines = [
        (variant, lot, units, rules.share(values[variant, lot], units, missing[variant, lot]))
        for (variant, lot), units in arrived.items()
        if units
    ]
    await transfers_store.note_received(tx, transfer, lines)
    lots = await lots_store.arriving(tx, [(variant, lot) for variant, lot, _, _ in lines])
    moves = [
        MoveLine(place, variant, units, lot=lots[variant, lot], value_e4=value)
        for variant, lot, units, value in lines
    ]
    return await service.move(tx, moves, cause=Cause.TRANSFER_IN, reference=transfer)


async def _expect(tx: Tx, transfer: Transfer, units: Sequence[tuple[UUID, int]]) -> None:
    """Count units up (or down) that are expected at the destination, if the transfer has a day."""
    if transfer.expected_on is None:
        return
    lines = [MoveLine(transfer.destination, variant, quantity) for variant, quantity in units]
    await service.expect(tx, lines, reference=transfer.id)


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
