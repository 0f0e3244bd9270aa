"""The verbs of delivery: methods, how locations work, and what counts on their days."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, structs

from samlad import channels, stock
from samlad.access import audit
from samlad.channels.rules import check_values
from samlad.delivery import rules, setup, slots, store
from samlad.delivery.calendar import DAY, knows_holidays, prepare
from samlad.delivery.events import (
    CapacityReturned,
    CapacityTaken,
    MethodChanged,
    MethodCreated,
    WorkdaySet,
)
from samlad.delivery.model import Calendar, Method, MethodChange, MethodInput, Workday, WorkdayInput
from samlad.delivery.permissions import CHANGE
from samlad.delivery.promise import Site, begin
from samlad.delivery.worktime import clock_on, finish, local_day
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound, Outdated

CAPACITY_DAYS = 30
"""How many days ahead an order may be counted; on the last of them it is counted whatever the capacity."""
_DOCUMENTS = ("names", "zones", "rate", "calendar", "slots")


async def create_method(tx: Tx, data: MethodInput) -> Method:
    """Give a channel, and those that inherit from it, a way to get goods to customers.

    Amounts are in the channel's currency of now.

    Raises:
        InvalidInput: no such channel, a country that is none, a table whose steps do not rise, no zone for what is sent.
        Conflict: the channel has a method of its own with this code.
    """
    tx.actor.require(CHANGE, shop_wide=True)
    try:
        channel = await channels.by_code(tx, data.channel)
    except NotFound as error:
        raise InvalidInput.at("channel", error.detail) from None
    await _prepare(data.calendar)
    _check(data.kind, data)
    values = structs.asdict(data) | {"id": new_id(), "channel": channel.id, "currency": channel.currency}
    method = await store.insert_method(tx, _columns(values))
    if method is None:
        raise Conflict.at("code", f"“{data.code}” is taken in {channel.code}")
    fact = MethodCreated(code=method.code, kind=method.kind, name=method.name)
    log.append(tx, fact, subject=method.id, channel=channel.id)
    audit.record(tx, "delivery.method-created", "delivery_method", method.id, after=data)
    tx.after_commit(setup.forget)
    return method


async def change_method(tx: Tx, method_id: UUID, data: MethodChange, *, version: int | None = None) -> Method:
    """Change what is given. ``version`` is the one that the caller saw.

    Raises:
        NotFound, InvalidInput: as `create_method`. Outdated: somebody changed it since ``version``.
    """
    tx.actor.require(CHANGE, shop_wide=True)
    old = await store.method(tx, method_id)
    check_version(version, old.version)
    given = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    changed = {name: value for name, value in given.items() if value != getattr(old, name)}
    if not changed:
        return old
    wanted = structs.replace(old, **changed)
    await _prepare(wanted.calendar)
    _check(old.kind, wanted)
    method = await store.update_method(tx, method_id, old.version, _columns(changed))
    if method is None:
        raise Outdated("Somebody changed this delivery method at the same moment.")
    before = {name: store.document(getattr(old, name)) for name in changed}
    after = {name: store.document(value) for name, value in changed.items()}
    fact = MethodChanged(code=old.code, before=before, after=after)
    log.append(tx, fact, subject=method_id, channel=old.channel)
    audit.record(tx, "delivery.method-changed", "delivery_method", method_id, before=before, after=after)
    tx.after_commit(setup.forget)
    return method


async def _prepare(carrier: Calendar) -> None:
    if carrier.holidays is not None:
        await prepare([(carrier.holidays, carrier.subdivision)])


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: store.document(value) if name in _DOCUMENTS else value for name, value in values.items()}


def _check(kind: Any, data: MethodInput | Method) -> None:
    errors = rules.method_errors(kind, data.zones, data.rate, data.calendar)
    errors += rules.slot_errors(kind, data.slots)
    for index, zone in enumerate(data.zones):
        for place, country in enumerate(zone.countries):
            try:
                check_values({"country": country})
            except InvalidInput as problem:
                errors.append(FieldError(f"zones/{index}/countries/{place}", problem.errors[0].message))
    if errors:
        raise InvalidInput("Something about the delivery method is not right.", errors=tuple(errors))


async def set_workday(tx: Tx, location: UUID, data: WorkdayInput, *, version: int | None = None) -> Workday:
    """Say how a location makes orders ready; all of it anew. ``version`` 0: it had nothing of its own.

    Raises:
        NotFound: no such location. InvalidInput: a country without known holidays, a date twice.
        Outdated: somebody changed it since ``version``.
    """
    tx.actor.require(CHANGE, location=location)
    await stock.location(tx, location)
    check_values({"opening_hours": data.hours})
    if data.holidays is not None:
        await prepare([(data.holidays, None)])
    if data.holidays is not None and not knows_holidays(data.holidays):
        raise InvalidInput.at("holidays", f"no public holidays are known of “{data.holidays}”")
    old = await store.workday(tx, location)
    check_version(version, 0 if old is None else old.version)
    wanted = Workday(location=location, **structs.asdict(data))
    if old is not None and structs.replace(old, version=0) == wanted:
        return old
    saved = await store.put_workday(tx, wanted, 0 if old is None else old.version)
    if saved is None:
        raise Outdated("Somebody changed how this location works at the same moment.")
    before = None if old is None else store.document(old)
    fact = WorkdaySet(location=location, before=before, after=store.document(saved))
    log.append(tx, fact, subject=location)
    audit.record(tx, "delivery.workday-set", "location", location, before=before, after=saved)
    tx.after_commit(setup.forget)
    return saved


async def count_order(
    tx: Tx, order: UUID, parts: Mapping[UUID, int], method: Method | None, *, at: datetime | None = None
) -> dict[UUID, date]:
    """Count an order on the days on which its locations make it ready: units by location.

    A part of placing an order, which asks for the permission. Only locations with a capacity are touched, one statement
    each, in the order of their ids; the day is the first with room. Without such a location this is no statement at all.
    """
    known = (await setup.current(tx)).by_location
    moment, days = at or now(), {}
    for location, units in sorted(parts.items()):
        site = known.get(location)
        if site is None or site.capacity is None:
            continue
        wanted = _days(site, method, moment)
        day = await store.take_capacity(tx, order, location, wanted, site.capacity, site.capacity_unit, units)
        days[location] = day
        log.append(tx, CapacityTaken(location=location, day=day, units=units), subject=order)
    return days


async def count_more(tx: Tx, order: UUID, parts: Mapping[UUID, int]) -> None:
    """Count units of an order, by location, at places that give them instead of others: where it counts already on that day, else
    on the first with room. A part of the verbs of orders, as `count_order`."""
    known, new = (await setup.current(tx)).by_location, {}
    for location, units in sorted(parts.items()):
        if location not in known or known[location].capacity is None:
            continue
        day = await store.add_units(tx, order, location, units)
        if day is None:
            new[location] = units
        else:
            log.append(tx, CapacityTaken(location=location, day=day, units=units), subject=order)
    await count_order(tx, order, new, None)


async def count_from(tx: Tx, order: UUID, location: UUID, at: datetime) -> None:
    """The goods of an order come to a location at another moment than was thought: it counts on the first day with room from then on.

    Nothing happens where it does not count, or counts on that day already."""
    site = (await setup.current(tx)).by_location.get(location)
    share = await store.lock_share(tx, order, location)
    if share is None or site is None or site.capacity is None:
        return
    day, units = share
    days = _days(site, None, at)
    if day != days[0]:
        await store.lock_days(tx, location, [day, *days])  # else two that move to and fro wait for each other
        await count_less(tx, order, location, units)
        await count_order(tx, order, {location: units}, None, at=at)


async def count_less(tx: Tx, order: UUID, location: UUID, units: int) -> None:
    """A place does not give these units of an order: its day has room for others."""
    for day, fewer in await store.lessen(tx, order, location, units):
        log.append(tx, CapacityReturned(location=location, day=day, units=fewer), subject=order)


def _days(site: Site, method: Method | None, moment: datetime) -> list[date]:
    """Days on which a site works, from the one on which an order of this moment would be begun."""
    found: list[date] = []
    at = begin(site, None if method is None else method.cut_off, moment)
    while at is not None and len(found) < CAPACITY_DAYS:
        found.append(local_day(at, site.time_zone))
        at = finish(site.work, clock_on(found[-1] + DAY, "00:00", site.time_zone))
    return found or [local_day(moment, site.time_zone)]


async def give_back(tx: Tx, order: UUID) -> None:
    """An order was called off: it counts on no day and in no slot any more. Twice is as good as once."""
    for location, day, units in await store.return_capacity(tx, order):
        log.append(tx, CapacityReturned(location=location, day=day, units=units), subject=order)
    await slots.give_back(tx, order)
