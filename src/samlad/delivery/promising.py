"""When a channel's customers can have goods: the one answer that product page, checkout, till and API give.

At most four statements, whatever the number of stores: what is there (`samlad.stock.promises`), full days where a location
has a capacity, full slots where a method has them, and now and then whether methods or locations have changed. All else is decided in `samlad.delivery.promise`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad import stock
from samlad.channels import Channel, Resource
from samlad.delivery import promise as when
from samlad.delivery import rules, setup, store
from samlad.delivery.calendar import DAY
from samlad.delivery.model import SENT, Destination, Method, MethodKind, Zone
from samlad.delivery.promise import Full, Incoming, OpenSlot, Shelves, Site, Supply, Wanted, Window
from samlad.delivery.texts import day_words, promise_words, span_words, without_date
from samlad.delivery.worktime import local_day
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.stock.rules import dated


class SlotOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A slot that can be chosen by its ``key``, unless it ``is_full``: from ``start`` to ``end`` on the place's own clock.

    ``day_text`` and ``text`` say day and time in the reader's language.
    """

    key: str
    day: date
    start: str
    end: str
    since: datetime
    until: datetime
    is_full: bool
    day_text: str
    text: str


class Promised(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody has the goods with a method. Days are those of the place's own clock, moments UTC.

    ``text`` says it in the reader's language. Without days: it can be ordered, but nobody knows yet when it comes.
    ``slot`` is the key of the slot that it is promised in, from ``since`` to ``until``; ``slots`` are all that there are to
    choose from, of the next days.
    """

    method: str
    kind: MethodKind
    name: str
    location: UUID | None
    place: str
    first_day: date | None
    last_day: date | None
    ready_at: datetime | None
    until: datetime | None
    text: str
    since: datetime | None = None
    slot: str | None = None
    slots: list[SlotOffer] = []

    @property
    def free_slots(self) -> frozenset[str]:
        """Keys of the slots that have room."""
        return frozenset(offer.key for offer in self.slots if not offer.is_full)


class StorePromise(msgspec.Struct, frozen=True, kw_only=True):
    """A store and when goods can be fetched there; ``promise`` null: they are not there and nobody knows when they come."""

    location: UUID
    code: str
    name: str
    city: str
    distance_km: float | None
    promise: Promised | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is promised at a moment: ``delivered`` to an address, and ``stores`` to fetch it in, the nearest first."""

    channel: str
    at: datetime
    delivered: list[Promised]
    stores: list[StorePromise]


async def answer(
    reader: Database | Tx,
    channel: Channel,
    wanted: Wanted,
    to: Destination,
    *,
    locale: str | None = None,
    moment: datetime | None = None,
    weight: int | None = None,
    holder: UUID | None = None,
    most_stores: int = 1000,
) -> Answer:
    """What a channel promises for units of variants, all together.

    ``weight`` is theirs in grams, where it is known. What is held for ``holder``, a cart in checkout, is there for it.
    """
    known, at, language = await setup.current(reader), moment or now(), locale or channel.locale
    pool = channel.pools[Resource.STOCK]
    methods = rules.reaching(known.methods.get(channel.id, []), to, weight)
    sites = known.sites.get(pool, [])
    if not methods or not wanted:
        return Answer(channel=channel.code, at=at, delivered=[], stores=[])
    found = await stock.promises(reader, channel, list(wanted))
    mine = [] if holder is None else await stock.holds_of(reader, holder)
    question = _Question(
        wanted=wanted,
        to=to,
        at=at,
        locale=language,
        country=channel.country,
        shelves=shelves_of(found, mine),
        full=await _full(reader, sites, sum(wanted.values()), at),
        full_slots=await store.full_slots(reader, methods, at.date() - DAY, holder),
        sites=when.in_order(sites, channel.id),
        # The channel's buffer is kept back from what is sent, not from what is fetched: as placement does.
        may_be_sent=wanted.keys()
        <= {
            each.variant
            for each in found
            if each.available
            + each.backorder
            + sum(hold.quantity for hold in mine if hold.variant == each.variant)
            >= wanted[each.variant]
        },
    )
    return Answer(
        channel=channel.code,
        at=at,
        delivered=[each for method in methods for each in _delivered(question, method)],
        stores=_stores(question, when.for_collecting(methods), most_stores),
    )


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that the decisions of one answer need."""

    wanted: Wanted
    to: Destination
    at: datetime
    locale: str
    country: str
    shelves: Shelves
    full: Mapping[UUID, Full]
    full_slots: frozenset[tuple[UUID, UUID, date, str]]
    sites: Sequence[Site]
    may_be_sent: bool


def shelves_of(
    found: Iterable[stock.Promise], mine: Iterable[stock.Hold] = ()
) -> dict[UUID, dict[UUID, Supply]]:
    """What each place has of each variant, from what stock says, and what is held for who asks.

    What may be sold ahead comes with backorders, purchase orders and transfers; the first of it to who waits already.
    """
    shelves: dict[UUID, dict[UUID, Supply]] = {}
    own: dict[tuple[UUID, UUID], int] = {}
    for hold in mine:
        own[hold.location, hold.variant] = own.get((hold.location, hold.variant), 0) + hold.quantity
    for each in found:
        for level in each.locations:
            coming = tuple(Incoming(units, day) for day, units in dated(level) if day is not None)
            free = level.available + own.get((level.location, level.variant), 0)
            shelves.setdefault(level.location, {})[level.variant] = Supply(free, level.later, coming)
    return shelves


async def _full(
    reader: Database | Tx, sites: Sequence[Site], units: int, at: datetime
) -> Mapping[UUID, Full]:
    limited = [(site.id, site.capacity, site.capacity_unit) for site in sites if site.capacity is not None]
    return await store.full_days(reader, limited, units, at.date() - DAY) if limited else {}


def _delivered(question: _Question, method: Method) -> list[Promised]:
    """The promise of a method that brings the goods, if it can be made: none or one."""
    if method.kind is MethodKind.DIGITAL:
        today = question.at.date()
        return [_promised(question, method, None, Window(today, today, question.at))]
    if method.kind not in SENT:
        return []
    zone = rules.zone_of(method, question.to)
    if zone is None:
        return []
    if method.kind is MethodKind.SAME_DAY:
        return _same_day(question, method, zone)
    if not question.may_be_sent:
        return []
    parts = when.sources(question.sites, question.shelves, question.wanted, question.at)
    if parts is None:
        return [_undated(question, method)]
    window = when.latest(
        when.bring(site, method, zone, at, question.full.get(site.id, frozenset())) for site, at in parts
    )
    return [] if window is None else [_promised(question, method, parts[0][0], window)]


def _same_day(question: _Question, method: Method, zone: Zone) -> list[Promised]:
    """From the nearest store that has all of it now and works: one that takes no orders leaves them to the next."""
    for site in sorted(question.sites, key=lambda site: when.nearness(site, question.to)):
        if site.is_store and _has_all(question, site):
            if method.slots:
                found = _in_slots(question, method, site)
                if found is not None:
                    return [found]
                continue
            window = when.bring(site, method, zone, question.at, question.full.get(site.id, frozenset()))
            if window is not None:
                return [_promised(question, method, site, window)]
    return []


SHOWN_DAYS = 3
"""Slots of so many days are shown, and of more until one has room."""


def _in_slots(question: _Question, method: Method, site: Site) -> Promised | None:
    """The promise in the first slot of a site that has room, with those to choose from; None: all are full."""
    ready_at = when.ready(site, method, question.at, question.full.get(site.id, frozenset()))
    if ready_at is None:
        return None
    first, offers, days = None, [], set[date]()
    for each in when.slots(site, method, ready_at):
        if first is not None and each.day not in days and len(days) >= SHOWN_DAYS:
            break
        days.add(each.day)
        is_full = (method.id, site.id, each.day, each.slot.start) in question.full_slots
        first = each if first is None and not is_full else first
        offers.append(_offer(question, site, each, is_full=is_full))
    if first is None:
        return None
    promised = _promised(question, method, site, first.window(ready_at))
    return msgspec.structs.replace(promised, slot=first.key, slots=offers)


def _offer(question: _Question, site: Site, slot: OpenSlot, *, is_full: bool) -> SlotOffer:
    today = local_day(question.at, site.time_zone)
    return SlotOffer(
        key=slot.key,
        day=slot.day,
        start=slot.slot.start,
        end=slot.slot.end,
        since=slot.since,
        until=slot.until,
        is_full=is_full,
        day_text=day_words(slot.day, today, question.locale, question.country),
        text=span_words(slot.since, slot.until, site.time_zone, question.locale, question.country),
    )


def _has_all(question: _Question, site: Site) -> bool:
    shelf = question.shelves.get(site.id, {})
    return all(v in shelf and shelf[v].free >= quantity for v, quantity in question.wanted.items())


def _stores(question: _Question, methods: Sequence[Method], most: int) -> list[StorePromise]:
    if not methods or most == 0:
        return []
    stores = [(site, when.distance_km(site, question.to)) for site in question.sites if site.is_store]
    stores.sort(key=lambda pair: when.nearness(pair[0], question.to, pair[1]))
    windows: _Windows = {}
    return [_store(question, methods, site, km, windows) for site, km in stores[:most]]


_Windows = dict[tuple[Any, ...], tuple[Window, Method] | None]
"""The best window of stores that work alike. Chains do: 500 stores have some dozens of opening hours."""


def _store(
    question: _Question, methods: Sequence[Method], site: Site, km: float | None, windows: _Windows
) -> StorePromise:
    best = None
    at = when.at_site(site, question.shelves, question.wanted, question.at)
    if at is not None:
        full = question.full.get(site.id, _NEVER)
        alike = (site.doors, site.work, site.pick_minutes, site.pack_minutes, site.capacity == 0, full, at)
        if alike not in windows:
            windows[alike] = _best(methods, site, at, full)
        best = windows[alike]
    return StorePromise(
        location=site.id,
        code=site.code,
        name=site.name,
        city=site.city,
        distance_km=None if km is None else round(km, 1),
        promise=None if best is None else _promised(question, best[1], site, best[0]),
    )


_NEVER: Full = frozenset()


def _best(methods: Sequence[Method], site: Site, at: datetime, full: Full) -> tuple[Window, Method] | None:
    """The method with which goods can be fetched earliest."""
    found = [(window, method) for method in methods if (window := when.collect(site, method, at, full))]
    return min(found, key=lambda pair: pair[0].ready_at, default=None)


def _promised(question: _Question, method: Method, site: Site | None, window: Window) -> Promised:
    name = method.name_in(question.locale)
    place, time_zone = ("", "UTC") if site is None else (site.name, site.time_zone)
    return Promised(
        method=method.code,
        kind=method.kind,
        name=name,
        location=None if site is None else site.id,
        place=place,
        first_day=window.first_day,
        last_day=window.last_day,
        ready_at=window.ready_at,
        until=window.until,
        since=window.since,
        text=promise_words(
            method.kind,
            name,
            window,
            place=place,
            time_zone=time_zone,
            moment=question.at,
            locale=question.locale,
            country=question.country,
        ),
    )


def _undated(question: _Question, method: Method) -> Promised:
    return Promised(
        method=method.code,
        kind=method.kind,
        name=method.name_in(question.locale),
        location=None,
        place="",
        first_day=None,
        last_day=None,
        ready_at=None,
        until=None,
        text=without_date(question.locale),
    )


async def as_of(
    reader: Database | Tx, promised: Promised, moment: datetime | None, *, locale: str, country: str
) -> str:
    """What was promised before, in a reader's language as it is said at a moment: what was *tomorrow* may be *today* by then.

    Without a moment days are dates, as in a mail or on paper, which is read whenever.
    """
    if promised.first_day is None or promised.last_day is None or promised.ready_at is None:
        return without_date(locale)
    known = await setup.current(reader)
    site = known.by_location.get(promised.location) if promised.location else None
    return promise_words(
        promised.kind,
        promised.name,
        Window(promised.first_day, promised.last_day, promised.ready_at, promised.until, promised.since),
        place=promised.place,
        time_zone="UTC" if site is None else site.time_zone,
        moment=moment,
        locale=locale,
        country=country,
    )
