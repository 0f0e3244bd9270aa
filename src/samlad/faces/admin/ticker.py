"""The ticker of the overview: what happens right now, in words, each with a link."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get

from samlad import channels, stock
from samlad.channels import Channel, Resource
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest, locale_of, page, require, words
from samlad.kernel import log
from samlad.kernel.context import Actor
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.log import Event
from samlad.stock import reach

MOST = 10
_READ = 60
"""Events that are read for `MOST` lines: some are not this reader's."""


class Kind(msgspec.Struct, frozen=True):
    """What the ticker says of an event. ``text`` may name ``number``, ``name``, ``place``, ``amount`` and ``channel``."""

    topic: str
    permission: str
    text: str
    icon: str
    href: str
    color: str = ""


KINDS: dict[str, Kind] = {
    "order.placed": Kind(
        "orders",
        "orders.read",
        marked("%(number)s for %(amount)s in %(channel)s"),
        "cart",
        "/admin/orders/{subject}",
        "accent",
    ),
    "order.cancelled": Kind(
        "orders",
        "orders.read",
        marked("%(number)s was cancelled"),
        "close",
        "/admin/orders/{subject}",
        "danger",
    ),
    "order.returned": Kind(
        "orders",
        "orders.read",
        marked("Goods of %(number)s came back for %(amount)s"),
        "undo",
        "/admin/orders/{subject}",
        "warning",
    ),
    "return.requested": Kind(
        "orders",
        "orders.read",
        marked("Return %(number)s was announced"),
        "undo",
        "/admin/returns/{request}",
        "info",
    ),
    "till.opened": Kind(
        "books",
        "books.read",
        marked("A shift was opened in %(place)s"),
        "till",
        "/admin/books/shifts/{subject}",
    ),
    "till.closed": Kind(
        "books",
        "books.read",
        marked("A shift was closed in %(place)s"),
        "till",
        "/admin/books/shifts/{subject}",
    ),
    "till_sale.kept": Kind(
        "tills",
        "tills.read",
        marked("A sale of a till in %(place)s needs a look"),
        "warning",
        "/admin/till-sales?needs_look=true",
        "danger",
    ),
    "customer.created": Kind(
        "customers",
        "customers.read",
        marked("%(name)s is a customer now"),
        "user",
        "/admin/customers/{subject}",
        "success",
    ),
    "question.asked": Kind(
        "questions",
        "questions.read",
        marked("Somebody asked about a product"),
        "question",
        "/admin/questions/{subject}",
        "info",
    ),
    "review.written": Kind(
        "reviews", "reviews.read", marked("A review was written"), "star", "/admin/reviews", "info"
    ),
}
"""What is told, by the type of the event."""


class Tick(msgspec.Struct, frozen=True):
    """A line of the ticker."""

    text: str
    href: str
    icon: str
    kind: str
    at: datetime


def topics(actor: Actor) -> list[str]:
    """The live topics under which an actor may hear of these things."""
    return sorted({kind.topic for kind in KINDS.values() if actor.may(kind.permission)})


async def latest(request: AnyRequest) -> list[Tick]:
    """The last things that happened which the reader may know of, newest first. Two statements at most."""
    actor, database = actor_of(request), database_of(request)
    types = [name for name, kind in KINDS.items() if actor.may(kind.permission)]
    if not types:
        return []
    events = await log.latest(database, types, limit=_READ)
    every = await channels.cached_all(database)
    known = {channel.id: channel.name for channel in every}
    places = {place.id: place.name for place in await stock.locations(database)} if events else {}
    mine = {each: await reach.pools(database, actor, each) for each in _OF_POOLS.values()}
    told = []
    for event in events:
        if not _is_for(actor, event, mine, every):
            continue
        tick = _told(event, words(request), locale_of(request), known, places)
        if tick is not None:
            told.append(tick)
    return told[:MOST]


_OF_POOLS = {
    "customer.created": Resource.CUSTOMERS,
    "question.asked": Resource.CATALOGUE,
    "review.written": Resource.CATALOGUE,
}


def _is_for(
    actor: Actor, event: Event, mine: Mapping[Resource, list[UUID] | None], known: Sequence[Channel]
) -> bool:
    """Staff who are bound to locations hear of what happens there, and of people and goods of their channels."""
    if event.type == "order.placed" and event.payload.get("kind") != "sale":
        return False  # the return of it is told
    if actor.locations is None:
        return True
    if (resource := _OF_POOLS.get(event.type)) is not None:
        of = next((each.pools[resource] for each in known if each.id == event.channel), None)
        return (event.payload.get("pool") or str(of)) in map(str, mine[resource] or ())
    return event.payload.get("location") in {str(one) for one in actor.locations}


def _told(
    event: Event, translate: Callable[[str], str], locale: str, known: dict[Any, str], places: dict[Any, str]
) -> Tick | None:
    kind, payload = KINDS[event.type], event.payload
    currency, total = payload.get("currency"), payload.get("total")
    by_text = {str(one): name for one, name in places.items()}
    values = {
        "number": payload.get("number") or "–",
        "name": payload.get("name") or payload.get("email") or translate(marked("Somebody")),
        "place": by_text.get(str(payload.get("location")), "–"),
        "channel": known.get(event.channel, "–"),
        "amount": formats.money(abs(total), currency, locale) if currency and total is not None else "–",
    }
    href = kind.href.format(subject=event.subject or "", request=payload.get("request", ""))
    return Tick(translate(kind.text) % values, href, kind.icon, kind.color, event.recorded_at)


@get("/admin/overview/ticker")
async def ticker(request: AnyRequest) -> Response[Any]:
    """The ticker alone, for the page that is open already."""
    require(request)
    return page(request, "admin/overview_ticker.html", ticks=await latest(request))


HANDLERS = [ticker]
