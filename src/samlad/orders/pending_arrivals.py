"""Orders of marketplaces that are not paid there yet: their goods are held for a while, so that nobody else is sold them.

A marketplace tells of an order when its buyer begins to pay, and again when it is paid or called off. In between its units are
held for the name that it has there, with an end of their own (setting ``marketplace_hold_seconds``). What arrives takes over
its own hold (`arrivals.arrive`); what never does gives its units back by itself.
"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from samlad import channels, stock
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.orders import arrivals, store
from samlad.orders.arrivals import NamedLine, Text, owner_of
from samlad.orders.permissions import ARRIVE
from samlad.stock import HoldKind


class PendingArrival(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An order that somebody is paying for on a marketplace, by the name that it has there."""

    channel: UUID
    external_id: Text
    lines: Annotated[list[NamedLine], msgspec.Meta(min_length=1, max_length=500)]


class PendingName(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The name of an order that will not be paid."""

    channel: UUID
    external_id: Text


class HeldArrival(msgspec.Struct, frozen=True, kw_only=True):
    """What is held for an order that is not paid yet, in units, and until when; None: nothing is. ``order``: it has arrived
    meanwhile, as this one."""

    external_id: str
    held: int
    held_until: datetime | None
    order: UUID | None = None


async def hold(tx: Tx, data: PendingArrival) -> HeldArrival:
    """Hold the goods of an order that is not paid yet, or hold others and begin its time anew when it is told again.

    Told after the order has arrived it holds nothing more. Where the two are told at the same moment it may hold for its time.

    Raises:
        SoldOut: they are not there; what was held for it before still is.
        InvalidInput: an unknown variant. NotFound: no such channel.
    """
    tx.actor.require(ARRIVE)
    channel = await channels.cached(tx, data.channel)
    owner = owner_of(channel.id, data.external_id)
    await store.lock_name(tx, owner)
    order = await store.arrived_as(tx, channel.id, data.external_id)
    wanted = [] if order else await arrivals.goods_of(tx, channel, data.lines)
    await stock.release(tx, owner)
    seconds = channel.setting("marketplace_hold_seconds")
    if order is not None or not seconds:
        return HeldArrival(external_id=data.external_id, held=0, held_until=None, order=order)
    until = now() + timedelta(seconds=seconds)
    held = await stock.take(
        tx, wanted, channel=channel, kind=HoldKind.MARKETPLACE, owner=owner, expires_at=until
    )
    units = sum(each.quantity for each in held)
    return HeldArrival(external_id=data.external_id, held=units, held_until=until)


async def let_go(tx: Tx, data: PendingName) -> HeldArrival:
    """It will not be paid: its units are free again. Twice is once; an order that has arrived keeps its own.

    Raises:
        NotFound: no such channel.
    """
    tx.actor.require(ARRIVE)
    channel = await channels.cached(tx, data.channel)
    owner = owner_of(channel.id, data.external_id)
    await store.lock_name(tx, owner)
    await stock.release(tx, owner)
    order = await store.arrived_as(tx, channel.id, data.external_id)
    return HeldArrival(external_id=data.external_id, held=0, held_until=None, order=order)
