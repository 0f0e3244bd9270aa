"""Units from one location to another: they leave, are under way, and arrive, perhaps in parts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from samlad import catalog
from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.stock import happened, lots_store, places, rules, service, transfers_store
from samlad.stock.events import StockTransferred, moved_lines
from samlad.stock.model import Cause, Moved, Transfer, TransferStatus
from samlad.stock.permissions import ADJUST
from samlad.stock.problems import LotNeeded
from samlad.stock.store import MoveLine

_Key = tuple[UUID, UUID | None]
"""Variant and lot."""
_Part = tuple[UUID, UUID | None, int, int]
"""Variant, lot, units, and what they are worth."""


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
    at: datetime | None = None,
) -> Transfer:
    """Units arrive: these, (variant, units) each, or all that are still under way; perhaps ``at`` an earlier moment.

    Nobody has to say of which lot they are when all of a variant arrives, or only one lot of it is under way.

    Raises:
        Conflict: the transfer has ended, or more arrives than was sent (book the rest as a correction).
        LotNeeded: several lots are under way, and a part of them arrived.
        Outdated: somebody booked in a part, or changed it, since ``version``.
    """
    old = await _under_way(tx, transfer)
    tx.actor.require(ADJUST, location=old.destination)
    check_version(version, old.version)
    missing = {(line.variant, line.lot): line.under_way for line in old.lines}
    arrived = await _chosen(tx, old, missing, lines, lots)
    values = await transfers_store.values_under_way(tx, transfer)
    came = [
        (*key, units, rules.share(values[key], units, missing[key]))
        for key, units in arrived.items()
        if units
    ]
    await transfers_store.note_received(tx, transfer, came)
    there = await _there(tx, old, came)
    moment = None if at is None else max(at, old.created_at)
    moved = await happened.move(tx, there, cause=Cause.TRANSFER_IN, reference=transfer, at=moment)
    await _expect(tx, old, [(variant, -units) for (variant, _lot), units in arrived.items()])
    return await _settle(tx, transfer, moved)


async def lose(
    tx: Tx,
    transfer: UUID,
    lines: Sequence[tuple[UUID, int]] | None = None,
    *,
    reason: str,
    lots: Sequence[UUID | None] = (),
    version: int | None = None,
) -> Transfer:
    """Units do not arrive any more: these, (variant, units) each, or all that are still under way. They are written off.

    They come to the destination and are lost there in the same step, each at what it was worth when it left: so the average
    of what lies there stays, and the ledger says where they went. Holds that had counted on them are dropped.

    Raises:
        Conflict: the transfer has ended, or fewer are under way. InvalidInput: no unit at all. LotNeeded, Outdated: as `receive`.
    """
    old = await _under_way(tx, transfer)
    tx.actor.require(ADJUST, location=old.destination)
    check_version(version, old.version)
    missing = {(line.variant, line.lot): line.under_way for line in old.lines}
    gone = await _chosen(tx, old, missing, lines, lots)
    values = await transfers_store.values_under_way(tx, transfer)
    lost = [
        (*key, units, rules.share(values[key], units, missing[key])) for key, units in gone.items() if units
    ]
    if not lost:
        raise InvalidInput.at("lines", "at least one unit each")
    await transfers_store.note_lost(tx, transfer, lost)
    came = await _there(tx, old, lost)
    await service.move(tx, came, cause=Cause.TRANSFER_IN, reference=transfer)
    moved = await service.move(tx, _turned(came, reason), cause=Cause.LOSS, reference=transfer)
    await _expect(tx, old, [(variant, -units) for (variant, _lot), units in gone.items()])
    _record(tx, "transfer.lost", transfer, lost, reason)
    return await _settle(tx, transfer, moved)


async def find(
    tx: Tx,
    transfer: UUID,
    lines: Sequence[tuple[UUID, int]] | None = None,
    *,
    lots: Sequence[UUID | None] = (),
    version: int | None = None,
) -> Transfer:
    """Units that were lost are under way after all: these, (variant, units) each, or all of them. The write-off is undone.

    Raises:
        Conflict: the rest was called off, or fewer are lost. LotNeeded, Outdated: as `receive`.
    """
    old = await transfers_store.lock(tx, transfer)
    if old.status is TransferStatus.CANCELLED:
        raise Conflict(f"This transfer is {old.status}.")
    tx.actor.require(ADJUST, location=old.destination)
    check_version(version, old.version)
    missing = {(line.variant, line.lot): line.lost for line in old.lines}
    back = await _chosen(tx, old, missing, lines, lots)
    values = await transfers_store.values_lost(tx, transfer)
    found = [
        (*key, units, rules.share(values[key], units, missing[key])) for key, units in back.items() if units
    ]
    if not found:
        raise Conflict("Nothing of this transfer is lost.")
    await transfers_store.note_lost(
        tx, transfer, [(v, lot, -units, -worth) for v, lot, units, worth in found]
    )
    there = await _there(tx, old, found)
    await service.move(tx, there, cause=Cause.LOSS, reference=transfer)
    moved = await service.move(tx, _turned(there), cause=Cause.TRANSFER_OUT, reference=transfer)
    await _expect(tx, old, [(variant, units) for variant, _lot, units, _worth in found])
    _record(tx, "transfer.found", transfer, found)
    return await _settle(tx, transfer, moved)


async def _chosen(
    tx: Tx,
    old: Transfer,
    missing: Mapping[_Key, int],
    lines: Sequence[tuple[UUID, int]] | None,
    lots: Sequence[UUID | None],
) -> dict[_Key, int]:
    """Units by variant and lot: those that are named, or all that are missing."""
    if lines is None:
        return dict(missing)
    named = [(v, lot, units) for (v, units), lot in zip(lines, service.lots_beside(lots, lines), strict=True)]
    chosen = _arrived(old, missing, named)
    await _refuse_more(tx, chosen, missing)
    return chosen


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
    under_way = [(line.variant, line.under_way) for line in old.lines]
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
    missing = {(line.variant, line.lot): line.under_way for line in old.lines}
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


async def _there(tx: Tx, transfer: Transfer, lines: Sequence[_Part]) -> list[MoveLine]:
    """Units that come to the destination with what they are worth."""
    lots = await lots_store.arriving(tx, [(variant, lot) for variant, lot, _, _ in lines])
    return [
        MoveLine(transfer.destination, variant, units, lot=lots[variant, lot], value_e4=value)
        for variant, lot, units, value in lines
    ]


def _turned(lines: Sequence[MoveLine], reason: str = "") -> list[MoveLine]:
    """The same units the other way."""
    return [
        MoveLine(
            line.location, line.variant, -line.quantity, reason, line.lot, value_e4=-(line.value_e4 or 0)
        )
        for line in lines
    ]


async def _settle(tx: Tx, transfer: UUID, moved: list[Moved]) -> Transfer:
    """What a transfer is now, and the event that says so: under way as long as anything of it is."""
    lines = (await transfers_store.get(tx, transfer)).lines
    if any(line.under_way for line in lines):
        status = TransferStatus.IN_TRANSIT
    else:
        status = TransferStatus.RECEIVED if any(line.received for line in lines) else TransferStatus.LOST
    new = await transfers_store.set_status(tx, transfer, status)
    _tell(tx, new, moved)
    return new


def _record(tx: Tx, what: str, transfer: UUID, lines: Sequence[_Part], reason: str = "") -> None:
    told = [{"variant": variant, "lot": lot, "units": units} for variant, lot, units, _ in lines]
    audit.record(tx, what, "transfer", transfer, after={"reason": reason, "lines": told})


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
