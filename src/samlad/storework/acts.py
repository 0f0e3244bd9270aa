"""What an entry does here: the verb of its kind, and what the phone is told of it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from samlad import catalog
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import NotFound, Outdated
from samlad.orders import fulfilment, fulfilment_short, fulfilment_store
from samlad.orders.fulfilment_model import FulfilmentState, RejectInput, TakeInput
from samlad.stock import (
    Location,
    counts,
    counts_store,
    purchases,
    purchases_store,
    transfers,
    transfers_store,
)
from samlad.stock.inputs import LotLine, UnitsLine, variants_of
from samlad.stock.lot_lines import Goods, goods_of, named
from samlad.stock.lots import resolve
from samlad.storework import store
from samlad.storework.model import (
    ArrivalEntry,
    ArrivedLine,
    CountBeginEntry,
    CountCloseEntry,
    CountEntry,
    DeliveryEntry,
    Entry,
    OfFulfilment,
    PackEntry,
    PickEntry,
    RejectEntry,
    TakeEntry,
    Told,
)

LONGEST_UNSENT = timedelta(days=14)
"""A clock that is wrong by more is not believed: it is taken to have been so long ago."""
SUBJECTS = ("count", "fulfilment", "transfer", "purchase")


def subject_of(entry: Entry) -> UUID | None:
    """The count, fulfilment, transfer or purchase order that an entry is about."""
    return next((getattr(entry, name) for name in SUBJECTS if hasattr(entry, name)), None)


def moment_of(entry: Entry) -> datetime:
    """When it was: not after now, and not longer ago than phones wait for a network."""
    return max(min(entry.happened_at, now()), now() - LONGEST_UNSENT)


async def do(tx: Tx, place: Location, entry: Entry, *, is_again: bool = False) -> Told:
    """Do what somebody did with a phone. ``is_again``: they were told why it was refused, and say it still holds.

    Raises:
        Problem: what the verb of its kind refuses; NotFound also for what is at another place.
    """
    for kind, act in _ACTS.items():
        if isinstance(entry, kind):
            return await act(tx, place, entry)
    if isinstance(entry, ArrivalEntry):
        return await _arrival(tx, place, entry, is_again=is_again)
    if isinstance(entry, DeliveryEntry):
        return await _delivery(tx, place, entry, is_again=is_again)
    raise AssertionError(f"no act for {type(entry).__name__}")


async def _begin_count(tx: Tx, place: Location, entry: CountBeginEntry) -> Told:
    at = moment_of(entry)
    await counts.open_count(tx, place.id, note=entry.note, count_id=entry.count, at=at)
    return Told()


async def _close_count(tx: Tx, place: Location, entry: CountCloseEntry) -> Told:
    await _counted_here(tx, place, entry.count)
    await counts.close(tx, entry.count)
    return Told()


async def _counted_here(tx: Tx, place: Location, count: UUID) -> None:
    if (await counts_store.head(tx, count)).location != place.id:
        raise NotFound("This is not to be done here.")


async def _count(tx: Tx, place: Location, entry: CountEntry) -> Told:
    await _counted_here(tx, place, entry.count)
    line = LotLine(code=entry.code, lot=entry.lot, expires_on=entry.expires_on)
    (variant,) = await variants_of(tx, place.id, [line])
    (lot,) = await resolve(tx, named([variant], [line], [entry.quantity]))
    await counts.enter(
        tx,
        entry.count,
        [(variant, entry.quantity)],
        adds_up=entry.adds,
        lots=[lot],
        at=entry.happened_at,
        found_by=entry.by,
    )
    known = (await catalog.by_ids(tx, [variant])).get(variant)
    total = await counts_store.total(tx, entry.count, variant)
    return Told(total=total) if known is None else Told(sku=known.sku, title=known.title, total=total)


async def _here(tx: Tx, place: Location, entry: OfFulfilment) -> None:
    found = await fulfilment_store.head(tx, entry.fulfilment)
    if found is None or found.location != place.id:
        raise NotFound("This is not to be done here.")


async def _take(tx: Tx, place: Location, entry: TakeEntry) -> Told:
    await _here(tx, place, entry)
    await fulfilment.take(tx, entry.fulfilment, TakeInput())
    return Told()


async def _pick(tx: Tx, place: Location, entry: PickEntry) -> Told:
    await _here(tx, place, entry)
    await fulfilment.pick(tx, entry.fulfilment, entry.what)
    return Told()


async def _pack(tx: Tx, place: Location, entry: PackEntry) -> Told:
    await _here(tx, place, entry)
    await fulfilment.pack(tx, entry.fulfilment, entry.what)
    return Told()


async def _reject(tx: Tx, place: Location, entry: RejectEntry) -> Told:
    """Another place is found now. Who gives up what a colleague has in hand is told so: it is the colleague's to say."""
    await _here(tx, place, entry)
    seen = await fulfilment_store.head(tx, entry.fulfilment)
    if seen is not None and seen.state is FulfilmentState.PICKING and seen.taken_by != tx.actor.label:
        await fulfilment.take(tx, entry.fulfilment, TakeInput())
    data = RejectInput(reason=entry.reason, note=entry.note, lines=list(entry.lines))
    await fulfilment_short.reject(tx, entry.fulfilment, data, at=moment_of(entry))
    return Told()


async def _goods(tx: Tx, place: Location, lines: Sequence[ArrivedLine], **how: Any) -> Goods:
    wanted = [
        UnitsLine(
            code=line.code,
            variant=line.variant,
            quantity=line.quantity,
            lot=line.lot,
            expires_on=line.expires_on,
        )
        for line in lines
    ]
    return await goods_of(tx, place.id, wanted, **how)


async def _seen(tx: Tx, entry: ArrivalEntry | DeliveryEntry, version: int, *, is_again: bool) -> int | None:
    """The version that goods may be booked in to: the one that the phone had seen and has itself led on from.

    Two who receive the same delivery would book it in twice; who comes second is told so, and says whether theirs came
    besides. None: whoever tries again has said so.

    Raises:
        Outdated: somebody else has changed it since.
    """
    if entry.version is None or is_again:
        return None
    if entry.version + await store.arrivals_of(tx, entry) != version:
        raise Outdated(
            "Somebody has booked in goods of this since you looked. If yours came besides, try again."
        )
    return version


async def _arrival(tx: Tx, place: Location, entry: ArrivalEntry, *, is_again: bool) -> Told:
    found = await transfers_store.get(tx, entry.transfer)
    if found.destination != place.id:
        raise NotFound("This is not to be done here.")
    came = await _goods(tx, place, entry.lines, may_be_new=False, is_needed=False)
    version = await _seen(tx, entry, found.version, is_again=is_again)
    await transfers.receive(
        tx, entry.transfer, came.lines, lots=came.lots, version=version, at=moment_of(entry)
    )
    return Told()


async def _delivery(tx: Tx, place: Location, entry: DeliveryEntry, *, is_again: bool) -> Told:
    found = await purchases_store.get(tx, entry.purchase)
    if found.location != place.id:
        raise NotFound("This is not to be done here.")
    came = await _goods(tx, place, entry.lines)
    version = await _seen(tx, entry, found.version, is_again=is_again)
    await purchases.receive(
        tx,
        entry.purchase,
        came.lines,
        receipt=entry.id,
        note=entry.note,
        lots=came.lots,
        version=version,
        at=moment_of(entry),
    )
    return Told()


_ACTS: dict[type[Entry], Callable[[Tx, Location, Any], Awaitable[Told]]] = {
    CountBeginEntry: _begin_count,
    CountEntry: _count,
    CountCloseEntry: _close_count,
    TakeEntry: _take,
    PickEntry: _pick,
    PackEntry: _pack,
    RejectEntry: _reject,
}
