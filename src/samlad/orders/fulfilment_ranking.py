"""Which place is the next best for goods that another one cannot give, decided as it was for the order itself."""

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec

from samlad import delivery, stock
from samlad.channels import Channel, Resource
from samlad.delivery import Destination, Site
from samlad.delivery.promise import nearness
from samlad.kernel.database import Tx
from samlad.orders import routing
from samlad.orders.fulfilment_model import COLLECTED, Method
from samlad.orders.model import OrderHead
from samlad.orders.routing_model import Line, RuleSet
from samlad.stock import LocationKind


class Ranked(msgspec.Struct, frozen=True):
    """Places that may be asked, the best first. Those ``beyond`` the channel's rules are asked when the others have not all of
    it, as when an order is placed."""

    best: list[UUID]
    beyond: list[UUID] = []


async def rank(
    tx: Tx,
    head: OrderHead,
    channel: Channel,
    method: Method,
    wanted: Mapping[UUID, int],
    excluded: Collection[UUID],
) -> Ranked:
    """Who could give units (by variant) instead of places that are ``excluded``.

    For who comes for it those are stores, the nearest to the one that they chose first. What is sent goes by the channel's
    routing rules where it has some, else the channel's own place comes first and then the others by priority. A place without
    capacity makes nothing ready.
    """
    known = (await delivery.current(tx)).by_location
    places = [
        place
        for place in await stock.locations(tx, channel.pools[Resource.STOCK])
        if place.is_active
        and place.id not in excluded
        and (method not in COLLECTED or place.kind is LocationKind.STORE)
        and (place.id not in known or known[place.id].capacity != 0)
    ]
    places.sort(key=lambda place: (place.channel != channel.id, place.priority, place.code))
    allowed = [place.id for place in places]
    if method in COLLECTED:
        chosen = known.get(head.location) if head.location is not None else None
        return Ranked(allowed if chosen is None else _nearest(allowed, known, chosen))
    rules = await routing.live_rules(tx, channel)
    return Ranked(allowed) if rules is None else await _by_rules(tx, head, channel, wanted, allowed, rules)


def _nearest(places: list[UUID], known: Mapping[UUID, Site], chosen: Site) -> list[UUID]:
    """Places by their distance from the one that was chosen; those of which nothing is known keep their order, at the end."""
    here = Destination(
        country=chosen.country,
        postal_code=chosen.postal_code,
        latitude=chosen.latitude,
        longitude=chosen.longitude,
    )
    placed = sorted((p for p in places if p in known), key=lambda place: nearness(known[place], here))
    return [*placed, *(place for place in places if place not in known)]


async def _by_rules(
    tx: Tx, head: OrderHead, channel: Channel, wanted: Mapping[UUID, int], allowed: list[UUID], rules: RuleSet
) -> Ranked:
    lines = [Line(variant, units, 0) for variant, units in wanted.items()]
    decision = await routing.route(tx, channel, lines, head.address, rules)
    ranked = {seen.location: seen.rank for seen in decision.seen if seen.rank is not None}
    best = sorted((place for place in allowed if place in ranked), key=lambda place: ranked[place])
    return Ranked(best, [place for place in allowed if place not in ranked])
