"""What needs a hand, what runs out, and how each channel is: the part of the overview that is fetched after it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get

from samlad import carts, conversations, orders, questions, storework, tills
from samlad.carts.permissions import WRITE as WRITE_CARTS
from samlad.catalog.permissions import CHANGE as CATALOG_CHANGE
from samlad.channels import Channel, ChannelStatus, Resource
from samlad.faces.admin import imports, names
from samlad.faces.admin.pools import lonely
from samlad.faces.admin.scope import own_channels, own_codes
from samlad.faces.page import AnyRequest, page, require
from samlad.kernel import checks
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.listing import ListQuery
from samlad.orders import fulfilment_store, today
from samlad.payments.permissions import READ as READ_PAYMENTS
from samlad.pools import MOVE
from samlad.stock import reach
from samlad.stock.lists import LEVELS
from samlad.stock.pace import RUNNING_OUT
from samlad.stock.permissions import READ as STOCK_READ
from samlad.stock.reorder import REORDER
from samlad.tracking import sources_store
from samlad.tracking.permissions import READ as TRACKING_READ

_SHOWN = 6
_CHANNELS = 12
"""Channels of which the health is told; the list of channels has the rest."""
SOON_DAYS = 14
QUIET = timedelta(hours=24)
"""A till that was not heard of for so long while its channel is open is worth a look."""


class Health(msgspec.Struct, frozen=True):
    """How a channel is. None: it has no such thing, or the reader may not know."""

    channel: Channel
    sold_at: datetime | None
    tills: int
    till_seen_at: datetime | None
    is_till_quiet: bool
    sources: int
    event_at: datetime | None
    parked: int
    parked_in: tuple[UUID, ...]


@get("/admin/overview/hints")
async def hints(request: AnyRequest) -> Response[Any]:
    """What waits, what runs out, what is not well: fetched after the page, because it looks through more."""
    require(request)
    actor, database = actor_of(request), database_of(request)
    places = actor.bound_to
    everything = await own_channels(actor, database)
    context: dict[str, Any] = {
        "waiting": None,
        "late": [],
        "talks": None,
        "asked": None,
        "odd_sales": 0,
        "held_tills": 0,
        "odd_work": 0,
        "parked": [],
        "imports": [],
        "ills": [],
    }
    context["sees_payments"] = actor.may(READ_PAYMENTS)
    context |= {"names": names, "most": today.MOST, "rejected_days": today.REJECTED_DAYS, "soon": SOON_DAYS}
    context["lonely"] = await lonely(database) if actor.may(MOVE) else []
    context |= await _stock(actor, database)
    if actor.may(orders.READ):
        context["waiting"] = await today.waiting(database, places)
        context["late"] = [
            r for r in await fulfilment_store.late(database, places) if r.late or r.uncollected
        ]
    if actor.may(conversations.READ):
        context["talks"] = await conversations.counts(database, actor)
    if actor.may(questions.READ):
        context["asked"] = await questions.to_read(
            database, await reach.pools(database, actor, Resource.CATALOGUE)
        )
    if actor.may(WRITE_CARTS):
        known = {channel.id: channel for channel in everything}
        context["parked"] = [
            (known[one], count) for one, count in await carts.parked_by_channel(database) if one in known
        ]
    if actor.may(tills.READ):
        context["odd_sales"] = await tills.waiting(database, places)
        context["held_tills"] = await tills.holding(database, places)
    if actor.may(storework.RESOLVE):
        context["odd_work"] = await storework.waiting(database, places)
    if actor.may(CATALOG_CHANGE):
        context["imports"] = await imports.troubled(request)
    context["health"] = await _health(actor, database, everything)
    if actor.may("system.read"):
        work = request.app.state.work
        known_checks = checks.kernel_checks(work.packages, work.followers)
        context["ills"] = [
            found for found in await checks.run(database, known_checks) if found.status != "ok"
        ]
    return page(request, "admin/overview_hints.html", **context)


async def _stock(actor: Actor, database: Database) -> dict[str, Any]:
    """What lasts at most two weeks, what is to be bought again, and, before anything has sold, what is low."""
    if not actor.may(STOCK_READ):
        return {"sees_stock": False, "ending": [], "to_buy": 0, "low": []}
    codes = await own_codes(actor, database)
    soon = ListQuery(limit=_SHOWN, filters={"location": codes, "days": str(SOON_DAYS)})
    ending = (await RUNNING_OUT.page(database, soon)).items
    low: list[Any] = []
    if not ending:
        for state in ("out", "low"):
            query = ListQuery(limit=_SHOWN, filters={"state": state, "location": codes})
            low += (await LEVELS.page(database, query)).items
    to_buy = await REORDER.count(database, ListQuery(filters={"location": codes}))
    return {"sees_stock": True, "ending": ending, "to_buy": to_buy, "low": low[:_SHOWN]}


async def _health(actor: Actor, database: Database, everything: list[Channel]) -> list[Health]:
    """The channels that are open, those with something to look at first. Three statements, whatever their number."""
    some = [channel for channel in everything if channel.status is ChannelStatus.ACTIVE]
    ids = [channel.id for channel in some]
    sold = await today.last_sales(database, ids) if actor.may(orders.READ) else {}
    seen = await tills.devices_seen(database, ids) if actor.may(tills.READ) else {}
    heard = await sources_store.heard(database, ids) if actor.may(TRACKING_READ) else {}
    if not (sold or seen or heard):
        return []
    found = [
        _healthy(channel, sold.get(channel.id), seen.get(channel.id), heard.get(channel.id))
        for channel in some
    ]
    found.sort(key=lambda row: (not (row.parked or row.is_till_quiet), row.sold_at is None, row.channel.name))
    return found[:_CHANNELS]


def _healthy(
    channel: Channel,
    sold_at: datetime | None,
    seen: tills.DevicesSeen | None,
    heard: sources_store.Heard | None,
) -> Health:
    return Health(
        channel=channel,
        sold_at=sold_at,
        tills=seen.devices if seen else 0,
        till_seen_at=seen.seen_at if seen else None,
        is_till_quiet=seen is not None and seen.seen_at < now() - QUIET,
        sources=heard.sources if heard else 0,
        event_at=heard.last_at if heard else None,
        parked=heard.parked if heard else 0,
        parked_in=heard.parked_in if heard else (),
    )


HANDLERS = [hints]
