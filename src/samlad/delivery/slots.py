"""Slots of orders: chosen from what is promised, taken with the order, given back when it is called off.

How many orders a slot of a place and day has is a row of its own that is counted up only where there is room, in the
transaction that places the order: of many who want the last one, one gets it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.delivery import promise as when
from samlad.delivery import setup, store
from samlad.delivery.calendar import DAY
from samlad.delivery.events import SlotReturned, SlotTaken
from samlad.delivery.model import Method, SlotFull, SlotPast
from samlad.delivery.promise import OpenSlot, Site
from samlad.delivery.promising import Promised, as_of
from samlad.delivery.worktime import clock_on, local_day
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import InvalidInput


async def in_slot(
    reader: Database | Tx, promised: Promised, slot: str | None, *, locale: str, country: str
) -> Promised:
    """What is promised, in the slot that somebody chose, else in the first with room; without the others. No statement.

    Raises:
        SlotFull, SlotPast: it cannot be had; says which is the next that can.
        InvalidInput: there is nothing to choose with this method.
    """
    if not promised.slots:
        if slot:
            raise InvalidInput.at("slot", f"“{promised.method}” has no times to choose from")
        return promised
    if not slot or slot == promised.slot:
        return msgspec.structs.replace(promised, slots=[])
    found = next((each for each in promised.slots if each.key == slot), None)
    if found is None:
        raise _past(slot, promised.slot)
    if found.is_full:
        raise _full(slot, promised.slot)
    chosen = msgspec.structs.replace(
        promised,
        first_day=found.day,
        last_day=found.day,
        since=found.since,
        until=found.until,
        slot=found.key,
        slots=[],
    )
    text = await as_of(reader, chosen, now(), locale=locale, country=country)
    return msgspec.structs.replace(chosen, text=text)


def _past(slot: str, following: str | None) -> SlotPast:
    return SlotPast("It is too late for this time.", slot=slot, next=following)


def _full(slot: str | None, following: str | None) -> SlotFull:
    return SlotFull("Somebody was quicker: nothing is free at this time.", slot=slot, next=following)


async def take(
    tx: Tx,
    order: UUID,
    method: Method,
    location: UUID,
    promised: Promised | None,
    *,
    cart: UUID,
    work_day: date | None,
    locale: str,
    country: str,
) -> Promised:
    """Take the slot of what was promised for an order, else the first with room; what is promised then. One statement
    where the cart holds that slot, else three.

    A part of placing an order, of a method that has slots. ``cart``: whose order it is, which may hold that slot
    (`samlad.delivery.slot_holds`), even if it would be too late for others now. ``work_day``: on which the place makes it ready,
    where that is counted (`count_order`).

    Raises:
        SlotFull, SlotPast: it cannot be had (any more); says which is the next that can.
    """
    wanted = None if promised is None else promised.slot
    if promised is not None and wanted is not None and promised.location == location:
        held = await store.take_over(tx, cart, order, method.id, location, wanted)
        if held is not None:
            log.append(tx, SlotTaken(location=location, day=held[0], start=held[1]), subject=order)
            return promised
    await give_back(tx, cart)
    taken, site, ready_at = await first_with_room(tx, order, method, location, wanted, work_day=work_day)
    log.append(tx, SlotTaken(location=location, day=taken.day, start=taken.slot.start), subject=order)
    if promised is not None and (promised.slot, promised.location) == (taken.key, location):
        return promised
    kept = Promised(
        method=method.code,
        kind=method.kind,
        name=method.name_in(locale) if promised is None else promised.name,
        location=location,
        place=site.name,
        first_day=taken.day,
        last_day=taken.day,
        ready_at=ready_at,
        since=taken.since,
        until=taken.until,
        slot=taken.key,
        text="",
    )
    text = await as_of(tx, kept, now(), locale=locale, country=country)
    return msgspec.structs.replace(kept, text=text)


async def first_with_room(
    tx: Tx,
    owner: UUID,
    method: Method,
    location: UUID,
    wanted: str | None,
    *,
    work_day: date | None = None,
    until: datetime | None = None,
) -> tuple[OpenSlot, Site, datetime]:
    """Give an owner the slot that is wanted, else the first with room; with its place, and when goods are ready there. ``until``: a
    cart's, for so long.

    Raises:
        SlotFull, SlotPast: it cannot be had (any more); says which is the next that can.
    """
    site = (await setup.current(tx)).by_location.get(location)
    ready_at = _ready(site, method, work_day)
    found = [] if site is None or ready_at is None else list(when.slots(site, method, ready_at))
    asked = [each for each in found if wanted in (None, each.key)]
    if site is None or ready_at is None or not asked:
        following = await _next(tx, method, location, found)
        raise _full(None, None) if wanted is None else _past(wanted, following)
    place = await store.take_slot(tx, owner, method.id, location, asked, until)
    if place is None:
        raise _full(wanted, None if wanted is None else await _next(tx, method, location, found))
    return asked[place - 1], site, ready_at


def _ready(site: Site | None, method: Method, work_day: date | None) -> datetime | None:
    """When an order of now is ready; of a day that is not today, when it is from that day's beginning on."""
    if site is None:
        return None
    at = now()
    if work_day is not None and work_day > local_day(at, site.time_zone):
        return when.ready(
            site, msgspec.structs.replace(method, cut_off=None), clock_on(work_day, "00:00", site.time_zone)
        )
    return when.ready(site, method, at)


async def _next(tx: Tx, method: Method, location: UUID, found: Sequence[OpenSlot]) -> str | None:
    full = await store.full_slots(tx, [method], now().date() - DAY)
    return next((s.key for s in found if (method.id, location, s.day, s.slot.start) not in full), None)


async def give_back(tx: Tx, order: UUID) -> None:
    """An order does not come, or a cart is not paid for: its slot has room for another. Twice is as good as once."""
    for location, day, start in await store.return_slot(tx, order):
        log.append(tx, SlotReturned(location=location, day=day, start=start), subject=order)


async def reaches_slot(reader: Reader, order: UUID, method: UUID | None, promised: Promised | None) -> bool:
    """Whether goods that are added to an order now come in its slot: the place that was promised brings it, and has the time to
    make them ready. One statement; none for an order without a slot."""
    if method is None or promised is None or promised.slot is None or promised.location is None:
        return False
    known = await setup.current(reader)
    site, by = known.by_location.get(promised.location), known.by_id.get(method)
    ready_at = None if site is None or by is None else when.ready(site, by, now())
    if site is None or by is None or ready_at is None:
        return False
    is_in_time = any(each.key == promised.slot for each in when.slots(site, by, ready_at))
    return is_in_time and await store.has_slot(reader, order, site.id)


async def move_slot(tx: Tx, order: UUID, location: UUID) -> None:
    """Another place brings an order within its slot, even if that has no room there: it was promised. A part of the verbs of
    orders, as `samlad.delivery.count_more`; nothing happens to an order without a slot, or at its place already."""
    moved = await store.move_slot(tx, order, location)
    if moved is not None:
        before, day, start = moved
        log.append(tx, SlotReturned(location=before, day=day, start=start), subject=order)
        log.append(tx, SlotTaken(location=location, day=day, start=start), subject=order)


async def pick_by(tx: Tx, promised: Promised, method: UUID | None, location: UUID) -> datetime | None:
    """When a place should have picked what it brings within a slot: before it packs it. None without a slot."""
    if promised.slot is None or promised.since is None:
        return None
    known = await setup.current(tx)
    site, by = known.by_location.get(location), known.by_id.get(method) if method else None
    return promised.since if site is None or by is None else when.pick_by(site, by, promised.since)
