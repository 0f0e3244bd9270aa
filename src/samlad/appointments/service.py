"""The verbs of appointments."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, customers, delivery, stock
from samlad.access import audit, rate, tokens
from samlad.appointments import events, links, rules, store
from samlad.appointments.model import (
    Appointment,
    BookInput,
    Service,
    ServiceInput,
    Slot,
    Slots,
    SlotTaken,
    State,
)
from samlad.appointments.permissions import CHANGE, READ, SETUP
from samlad.channels import Channel, ChannelKind, ChannelStatus, Resource
from samlad.customers import Contact, PersonInput
from samlad.delivery.calendar import prepare, public_holidays
from samlad.kernel import cards, log
from samlad.kernel.clock import day_bounds, local_day, now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, Outdated

BOOKS_AN_HOUR, BOOKS_A_DAY = 10, 6
"""So many may come from one network address in an hour, and for one e-mail address in a day."""
MOST_DAYS = 31
DAY = timedelta(days=1)
FARTHEST = timedelta(days=400)
"""No appointment is made further ahead than any service allows."""


async def set_service(
    tx: Tx, data: ServiceInput, *, service: UUID | None = None, version: int | None = None
) -> Service:
    """Offer a service in a store, or change one (``service``). What is booked already stays as it was agreed.

    Raises:
        NotFound: no such service, or location. InvalidInput: no store stands there. Conflict: the code is taken there.
        Outdated: not the version that was seen.
    """
    tx.actor.require(SETUP, location=data.location)
    place = await stock.location(tx, data.location)
    if place.channel is None:
        raise InvalidInput.at("location", "no store stands there")
    values: dict[str, Any] = msgspec.to_builtins(data)
    before = None
    if service is None:
        service = new_id()
        if not await store.insert_service(tx, {"id": service, **values}):
            raise Conflict(f"This store has a service with the code “{data.code}”.")
    else:
        before = await _service(tx, service)
        tx.actor.require(SETUP, location=before.location)
        if before.location != data.location:
            raise InvalidInput.at("location", "stays what it is")
        if not await store.update_service(tx, service, version, values):
            raise Outdated("Somebody changed it meanwhile.", current=before.version)
    made = await _service(tx, service)
    fact = events.ServiceChanged(location=data.location, code=data.code)
    log.append(tx, fact, subject=service, channel=place.channel)
    audit.record(tx, "appointment-service.set", "appointment_service", service, before=before, after=made)
    return made


async def slots(
    reader: Database | Tx, service: UUID, first: date, days: int = 7, *, is_staff: bool = False
) -> Slots:
    """The free times of some days of the store. Staff need not keep to the notice.

    Raises:
        NotFound: it is not offered.
    """
    wanted = await _service(reader, service)
    if not wanted.is_active:
        raise NotFound("This cannot be booked (any more).")
    place, channel = await _where(reader, wanted.location)
    here = local_day(now(), place.time_zone)
    if not here - MOST_DAYS * DAY <= first <= here + FARTHEST:
        return Slots(time_zone=place.time_zone, slots=[])
    found = await _free(reader, wanted, place, channel, first, min(days, MOST_DAYS), is_staff=is_staff)
    return Slots(time_zone=place.time_zone, slots=found)


async def _free(
    reader: Reader,
    wanted: Service,
    place: stock.Location,
    channel: Channel,
    first: date,
    days: int,
    *,
    is_staff: bool,
) -> list[Slot]:
    moment = now()
    hours = channel.opening_hours
    if hours is None:  # nobody says when somebody is there
        return []
    closed = await _closed(reader, place.id, range(first.year, (first + days * DAY).year + 1))
    opened = rules.open_periods(hours, place.time_zone, first, days, closed)
    begin, _ = day_bounds(first, place.time_zone)
    _, end = day_bounds(first + days * DAY, place.time_zone)  # an evening may go past midnight
    taken = await store.taken(reader, wanted, begin, end + DAY)
    earliest = moment if is_staff else moment + timedelta(minutes=wanted.notice_minutes)
    return rules.free(wanted, opened, taken, earliest, moment + timedelta(days=wanted.ahead_days))


async def _closed(reader: Reader, location: UUID, years: Iterable[int]) -> set[date]:
    """The public holidays on which nobody works there."""
    workday = await delivery.workday(reader, location)
    if workday is None or workday.holidays is None:
        return set()
    await prepare([(workday.holidays, None)])
    return {day for year in years for day in public_holidays(workday.holidays, None, year)}


async def book(tx: Tx, data: BookInput) -> Appointment:
    """Somebody comes. Of two who want the last seat at once one gets it. The same ``id`` again is the same appointment.

    Raises:
        NotFound: it is not offered. SlotTaken: the time is not free. InvalidInput: nobody to be reached.
        TooMany: from this address, or for this e-mail address. Conflict: the id is another appointment's.
    """
    cards.refuse({"name": data.name, "note": data.note})
    is_staff = _by_staff(tx, data)
    _possible(data.starts_at)
    wanted = await _service(tx, data.service)
    _, channel = await _where(tx, wanted.location)
    if is_staff:
        tx.actor.require(CHANGE, location=wanted.location)
    if not wanted.is_active:
        raise NotFound("This cannot be booked (any more).")
    shop = await _shop(tx, channel, data.shop)
    who = await _person(tx, data, channel, is_staff=is_staff)
    if not is_staff:
        await rate.limit(
            tx, "appointments.book", tx.context.remote or tx.actor.label, per=3600, max=BOOKS_AN_HOUR
        )
        await rate.limit(
            tx,
            "appointments.email",
            tokens.token_hash(who.email or str(who.customer)).hex(),
            per=86_400,
            max=BOOKS_A_DAY,
        )
    made = data.id or new_id()
    ends = data.starts_at + timedelta(minutes=wanted.minutes)
    source = data.source if is_staff else "shop"
    values = {
        "id": made,
        "service": wanted.id,
        "location": wanted.location,
        "channel": channel.id,
        "shop": shop.id,
        "customer": who.customer,
        "name": who.name,
        "email": who.email,
        "phone": who.phone,
        "language": data.language,
        "note": data.note.strip(),
        "starts_at": data.starts_at,
        "ends_at": ends,
        "source": source,
        "booked_at": now(),
        "booked_by": tx.actor.label,
        "state": State.BOOKED,
        "sequence": 0,
        "version": 1,
    }
    if not await store.insert(tx, values):
        return await _again(tx, made, data, who.email)
    await _take(tx, made, wanted, data.starts_at, data.staff, is_staff=is_staff)
    fact = events.AppointmentBooked(
        service=wanted.id, location=wanted.location, starts_at=data.starts_at, source=source
    )
    log.append(tx, fact, subject=made, profile=who.customer, channel=channel.id)
    return await _found(tx, made)


async def _again(tx: Tx, made: UUID, data: BookInput, email: str | None) -> Appointment:
    known = await _found(tx, made)
    if (known.service, known.starts_at, known.email) != (data.service, data.starts_at, email):
        raise Conflict("This id is another appointment's.")
    return known


async def _take(
    tx: Tx, appointment: UUID, wanted: Service, starts: datetime, staff: UUID | None, *, is_staff: bool
) -> None:
    """Take the time, if it is one that is offered and free."""
    place, channel = await _where(tx, wanted.location)
    day = local_day(starts, place.time_zone)
    # An evening past midnight began on the day before.
    offered = await _free(tx, wanted, place, channel, day - DAY, 2, is_staff=is_staff)
    if all(slot.starts_at != starts for slot in offered):
        raise SlotTaken("This time is not free (any more). Choose another one.")
    who: list[UUID | None] = [each.id for each in wanted.staff] or [None]
    if staff is not None:
        if staff not in who:
            raise InvalidInput.at("staff", "does not do this here")
        who = [staff]
    ends = starts + timedelta(minutes=wanted.minutes)
    claimed = await store.claim(tx, appointment, wanted, who, starts, ends)
    if claimed is None:
        raise SlotTaken("This time is not free (any more). Choose another one.")
    names = {each.id: each.name for each in wanted.staff}
    if claimed[1] is not None:
        await store.change(tx, appointment, {"staff": claimed[1], "staff_name": names[claimed[1]]})


async def move(
    tx: Tx, appointment: UUID, starts: datetime, *, link: str | None = None, version: int | None = None
) -> Appointment:
    """Another time. What was agreed before is free again; if the new time is not, everything stays.

    Raises:
        NotFound: no such appointment, or not this actor's. SlotTaken. Conflict: it is over. Outdated.
    """
    before = await _open(tx, appointment, link)
    if version is not None and version != before.version:
        raise Outdated("Somebody changed it meanwhile.", current=before.version)
    if before.starts_at == starts:
        return before
    _possible(starts)
    wanted = await _service(tx, before.service)
    await store.unclaim(tx, appointment)
    await _take(tx, appointment, wanted, starts, None, is_staff=tx.actor.kind in ("staff", "system", "key"))
    sequence = before.sequence + 1
    values = {
        "starts_at": starts,
        "ends_at": starts + timedelta(minutes=wanted.minutes),
        "sequence": sequence,
        "reminded_at": None,
    }
    await store.change(tx, appointment, values)
    fact = events.AppointmentMoved(starts_at=starts, before=before.starts_at, sequence=sequence)
    log.append(tx, fact, subject=appointment, profile=before.customer, channel=before.channel)
    return await _found(tx, appointment)


async def cancel(tx: Tx, appointment: UUID, *, link: str | None = None) -> Appointment:
    """They do not come; the time is free. Again is no error.

    Raises:
        NotFound: no such appointment, or not this actor's. Conflict: it is over.
    """
    before = await _mine(tx, appointment, link)
    if before.state is State.CANCELLED:
        return before
    _still(before)
    await store.unclaim(tx, appointment)
    await store.change(tx, appointment, {"state": State.CANCELLED, "sequence": before.sequence + 1})
    fact = events.AppointmentCancelled(starts_at=before.starts_at)
    log.append(tx, fact, subject=appointment, profile=before.customer, channel=before.channel)
    return await _found(tx, appointment)


async def say(tx: Tx, appointment: UUID, state: State) -> Appointment:
    """Staff say who came, or take that back. Again is no error.

    Raises:
        NotFound: no such appointment. Conflict: it was cancelled, or is yet to come.
    """
    tx.actor.require(CHANGE)
    before = await store.lock(tx, appointment)
    if before is None:
        raise NotFound("There is no such appointment.")
    tx.actor.require(CHANGE, location=before.location)
    if before.state is State.CANCELLED:
        raise Conflict("This appointment was cancelled.")
    if before.state is state:
        return before
    if state is State.NO_SHOW and before.starts_at > now():
        raise Conflict("It is too early to say that they did not come.")
    await store.change(tx, appointment, {"state": state})
    kinds = {
        State.DONE: events.AppointmentKept,
        State.NO_SHOW: events.AppointmentMissed,
        State.BOOKED: events.AppointmentReopened,
    }
    fact = kinds[state](location=before.location)
    log.append(tx, fact, subject=appointment, profile=before.customer, channel=before.channel)
    return await _found(tx, appointment)


async def read(reader: Reader, actor: Actor, appointment: UUID) -> Appointment:
    """An appointment of a store where somebody works, or of the customer who acts.

    Raises:
        NotFound: there is none that they may see.
    """
    found = await store.one(reader, appointment)
    if found is None or not await _sees(reader, actor, found, READ):
        raise NotFound("There is no such appointment.")
    return found


async def by_link(reader: Reader, appointment: UUID) -> Appointment:
    """The appointment that a link is of; whoever calls has read the link.

    Raises:
        NotFound: there is none.
    """
    found = await store.one(reader, appointment)
    if found is None:
        raise NotFound("There is no such appointment.")
    return found


async def _sees(reader: Reader, actor: Actor, found: Appointment, permission: str) -> bool:
    if actor.kind == "customer":
        return await customers.are_same(reader, found.customer, actor.id)
    return actor.may(permission, found.location)


async def _mine(tx: Tx, appointment: UUID, link: str | None) -> Appointment:
    """An appointment that this actor may change, held against changes."""
    found = await store.lock(tx, appointment)
    by_its_link = link is not None and links.read(tx.database.settings, link) == appointment
    if found is None or not (by_its_link or await _sees(tx, tx.actor, found, CHANGE)):
        raise NotFound("There is no such appointment.")
    return found


async def _open(tx: Tx, appointment: UUID, link: str | None) -> Appointment:
    found = await _mine(tx, appointment, link)
    if found.state is not State.BOOKED:
        raise Conflict("This appointment is over, or was cancelled.")
    _still(found)
    return found


def _still(found: Appointment) -> None:
    if found.state is not State.BOOKED or found.starts_at <= now():
        raise Conflict("This appointment is over, or was cancelled.")


def _possible(starts: datetime) -> None:
    """What lies behind us, or beyond what any service allows, is not asked for."""
    if not now() - DAY < starts < now() + FARTHEST:
        raise SlotTaken("This time is not free (any more). Choose another one.")


def _by_staff(tx: Tx, data: BookInput) -> bool:
    is_staff = tx.actor.kind not in ("guest", "customer")
    if not is_staff and (data.customer is not None or data.source != "shop"):
        raise Forbidden("Only staff book for somebody else.")
    return is_staff


async def _person(tx: Tx, data: BookInput, channel: Channel, *, is_staff: bool) -> Contact:
    """Who comes. Nobody is linked by it with anybody."""
    known = data.customer if is_staff else tx.actor.id if tx.actor.kind == "customer" else None
    given = PersonInput(email=data.email, name=data.name, phone=data.phone)
    found = await customers.contact(tx, channel.pools[Resource.CUSTOMERS], known, given)
    if not found.name:
        raise InvalidInput.at("name", "say who comes")
    if found.email is None and (not is_staff or found.phone is None):
        raise InvalidInput.at("email", "say where a confirmation can go")
    return found


async def _shop(reader: Database | Tx, channel: Channel, wanted: UUID | None) -> Channel:
    """The web shop whose pages they get: the one that they booked in, else the first that shares the store's customers."""
    pool = channel.pools[Resource.CUSTOMERS]
    shops = [
        each
        for each in await channels.cached_all(reader)
        if each.kind is ChannelKind.WEBSHOP
        and each.status is ChannelStatus.ACTIVE
        and each.pools[Resource.CUSTOMERS] == pool
        and wanted in (None, each.id)
    ]
    if not shops and wanted is not None:
        raise InvalidInput.at("shop", "is no web shop with the customers of this store")
    return min(shops, key=lambda each: each.created_at, default=channel)


async def _service(reader: Reader, service: UUID) -> Service:
    found = await store.offered(reader, service)
    if found is None:
        raise NotFound("This cannot be booked (any more).")
    return found


async def _where(reader: Database | Tx, location: UUID) -> tuple[stock.Location, Channel]:
    place = await stock.location(reader, location)
    assert place.channel is not None
    return place, await channels.cached(reader, place.channel)


async def _found(reader: Reader, appointment: UUID) -> Appointment:
    found = await store.one(reader, appointment)
    assert found is not None
    return found


def scope_of(actor: Actor) -> list[UUID] | None:
    """The locations that lists are read for; None: all."""
    actor.require(READ)
    return actor.bound_to
