"""Routing rules against orders of the past, before they go live: what would have left from where, and what it would have cost."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad import delivery
from samlad.carts import Address
from samlad.channels import Channel, Resource
from samlad.delivery import Site
from samlad.delivery.promise import distance_km
from samlad.kernel.database import Database
from samlad.orders import routing_store as store
from samlad.orders.routing import check_rules, destination
from samlad.orders.routing_model import Candidate, Line, Outcome, Replay, Replayed, RuleSet
from samlad.orders.routing_rules import Question, cost_of, decide
from samlad.stock import LocationKind

MOST_ORDERS = 2000


async def replay(
    database: Database,
    channel: Channel,
    rules: RuleSet,
    *,
    since: datetime,
    until: datetime,
    limit: int = 200,
) -> Replay:
    """What rules would have done to orders that a channel sent, the latest first. Two statements.

    The shelves are those of that moment, by the ledger; what was held for others then and how busy a place was is not
    known any more, so loads count as none. Orders that the rules leave to stock are counted, not compared.

    Raises:
        InvalidInput: the rules cannot be right.
    """
    check_rules(rules)
    orders = await store.past_orders(database, channel.id, since, until, min(limit, MOST_ORDERS))
    orders = [order for order in orders if order["lines"] and order["places"]]
    known = (await delivery.current(database)).by_location
    wanted = [(UUID(line[0]), order["placed_at"], order["id"]) for order in orders for line in order["lines"]]
    rows = await store.shelves_then(
        database,
        channel.pools[Resource.STOCK],
        channel.id,
        [variant for variant, _, _ in wanted],
        [moment for _, moment, _ in wanted],
        [order for _, _, order in wanted],
    )
    shelves: dict[UUID, list[Any]] = {}
    for row in rows:
        shelves.setdefault(row["order_id"], []).append(row)
    compared = [_compare(order, shelves.get(order["id"], []), known, channel, rules) for order in orders]
    return _summary(len(orders), [each for each in compared if each is not None])


def _compare(
    order: Any, rows: list[Any], known: dict[UUID, Site], channel: Channel, rules: RuleSet
) -> Replayed | None:
    address = None if order["address"] is None else msgspec.convert(order["address"], Address)
    to = destination(address, channel, known.values())
    places: dict[UUID, Candidate] = {}
    for row in rows:
        site = known.get(row["id"])
        if site is not None:
            seen = places.get(site.id) or Candidate(
                id=site.id,
                code=site.code,
                kind=LocationKind(row["kind"]),
                is_own=site.channel == channel.id,
                priority=site.priority,
                km=distance_km(site, to),
                free={},
                capacity=site.capacity,
            )
            seen.free[row["variant"]] = row["free"]
            places[site.id] = seen
    lines = [Line(UUID(variant), quantity, total) for variant, quantity, total in order["lines"]]
    decision = decide(Question(lines, list(places.values()), rules))
    if not decision.parts:
        return None
    used = [places[part.location] for part in decision.parts]
    was = [places[place] for place in order["places"] if place in places]
    return Replayed(
        order=order["id"],
        number=order["number"],
        placed_at=order["placed_at"],
        was=_outcome(was, len(order["places"]), rules),
        would_be=_outcome(used, len(used), rules),
        reason=decision.reason,
    )


def _outcome(places: list[Candidate], parts: int, rules: RuleSet) -> Outcome:
    far = [place.km for place in places if place.km is not None]
    return Outcome(
        places=sorted(place.code for place in places),
        parts=parts,
        km=round(sum(far), 1) if len(far) == parts else None,
        cost=sum(cost_of(place, rules.costs) for place in places),
    )


def _summary(orders: int, rows: list[Replayed]) -> Replay:
    measured = [(row.was.km, row.would_be.km) for row in rows]
    both = [(was, would_be) for was, would_be in measured if was is not None and would_be is not None]
    return Replay(
        orders=orders,
        undecided=orders - len(rows),
        changed=sum(row.was.places != row.would_be.places for row in rows),
        parts_before=sum(row.was.parts for row in rows),
        parts_after=sum(row.would_be.parts for row in rows),
        km_before=round(sum(was for was, _ in both), 1),
        km_after=round(sum(would_be for _, would_be in both), 1),
        cost_before=sum(row.was.cost for row in rows),
        cost_after=sum(row.would_be.cost for row in rows),
        rows=rows,
    )
