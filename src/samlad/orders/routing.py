"""The verbs of routing: rules of a channel, where an order goes by them, and what they would have done to past orders.

Without rules (the channel's setting ``routing`` is empty, which children inherit) nothing here runs and stock decides.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, delivery, stock
from samlad.access import audit
from samlad.carts import Address
from samlad.channels import Channel, ChannelChange, Resource
from samlad.delivery import Destination, Site
from samlad.delivery.model import CapacityUnit
from samlad.delivery.promise import distance_km, nearness
from samlad.kernel import log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.money import worth
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.orders import events
from samlad.orders import routing_store as store
from samlad.orders.model import OrderLine
from samlad.orders.permissions import ROUTE
from samlad.orders.routing_model import (
    Candidate,
    Decision,
    Factor,
    Line,
    Routing,
    RoutingInput,
    RuleSet,
)
from samlad.orders.routing_rules import STRATEGIES, Question, decide
from samlad.stock import Hold, HoldKind, HoldLine, LocationKind, SoldOut

TOLD = 20
"""So many candidates an event names; the first in rank, then those that were left out."""
_known: dict[UUID, RuleSet] = {}
"""Rules by version. They never change, so they are never stale."""


async def add_rules(tx: Tx, data: RoutingInput) -> Routing:
    """Keep a new version of a channel's rules. It does nothing until it goes live.

    Raises:
        InvalidInput: no such channel or strategy, or a factor twice.
        Conflict: somebody added a version at the same moment.
    """
    tx.actor.require(ROUTE)
    channel = await _channel(tx, data.channel)
    check_rules(data.rules)
    made = await store.insert(tx, new_id(), channel.id, data.rules, data.note)
    if made is None:
        raise Conflict("Somebody added rules at the same moment; try once more.")
    fact = events.RoutingRulesAdded(version=made.version, strategy=made.rules.strategy)
    log.append(tx, fact, subject=made.id, channel=channel.id)
    audit.record(tx, "routing.rules-added", "routing", made.id, after=data)
    return made


def check_rules(rules: RuleSet) -> None:
    """Raises InvalidInput for a strategy that does not exist or a factor that is there twice."""
    if rules.strategy not in STRATEGIES:
        raise InvalidInput.at("rules/strategy", f"there are: {', '.join(STRATEGIES)}")
    factors = [rank.by for rank in rules.ranks]
    for place, factor in enumerate(factors):
        if factor in factors[:place]:
            raise InvalidInput.at(f"rules/ranks/{place}/by", f"“{factor}” is there twice")


async def go_live(tx: Tx, routing_id: UUID) -> Routing:
    """Let a version of rules hold in its channel, and in those below that set nothing else.

    It is the change of the channel's setting ``routing``, with its permission, event and audit; to take it back, change
    the setting again.

    Raises:
        NotFound: no such version.
    """
    tx.actor.require(ROUTE)
    found = await read_rules(tx, routing_id)
    await channels.change(tx, found.channel, ChannelChange(settings={"routing": str(routing_id)}))
    return found


async def read_rules(reader: Database | Tx, routing_id: UUID) -> Routing:
    """A version of rules. Raises NotFound."""
    found = await store.routing(reader, routing_id)
    if found is None:
        raise NotFound("There are no such routing rules.")
    return found


async def live_rules(reader: Database | Tx, channel: Channel) -> RuleSet | None:
    """The rules that hold in a channel. Without any this asks nothing."""
    text = channel.setting("routing")
    if not text:
        return None
    routing_id = UUID(text)
    if routing_id not in _known:
        found = await store.routing(reader, routing_id)
        if found is None:
            return None
        _known[routing_id] = found.rules
    return _known[routing_id]


async def hold_routed(
    tx: Tx, channel: Channel, lines: Sequence[Line], address: Address | None, order: UUID, rules: RuleSet,
    before: Sequence[Hold],
) -> list[Hold]:  # fmt: skip
    """Hold an order's goods where the rules say, and tell why. ``before`` is what a checkout held, released just now.

    Who is quicker at a place makes it be decided again, once. Then the goods are taken where the checkout had them: those
    units are still locked by us. Without such, stock decides.

    Raises:
        SoldOut: they are nowhere.
    """
    plain = [HoldLine(line.variant, line.quantity) for line in lines]
    if not before and await stock.short(tx, plain, channel=channel):
        # Lines that name their place leave the channel's buffer out. This keeps it back, after what has expired made room.
        await _take(tx, plain, channel, order)
        await stock.release(tx, order)
    for _attempt in range(2):
        decision = await route(tx, channel, lines, address, rules)
        wanted = [
            HoldLine(variant, units, part.location)
            for part in decision.parts
            for variant, units in part.units.items()
        ] or plain
        try:
            held = await _take(tx, wanted, channel, order)
        except SoldOut:
            continue
        _tell(tx, channel, order, decision)
        return held
    again = [HoldLine(hold.variant, hold.quantity, hold.location) for hold in before] or plain
    held = await _take(tx, again, channel, order)
    reason = "others were quicker where the rules sent it: it is where the checkout held it"
    _tell(tx, channel, order, msgspec.structs.replace(decision, parts=[], reason=reason))
    return held


def to_route(lines: Iterable[OrderLine]) -> list[Line]:
    """What of an order's lines is to be sent, each variant once, with what it comes to at list prices."""
    units: dict[UUID, int] = {}
    amounts: dict[UUID, int] = {}
    for line in lines:
        if line.variant is not None:
            units[line.variant] = units.get(line.variant, 0) + line.quantity
            listed = worth(line.unit_price, line.quantity, line.sold_by.per)
            amounts[line.variant] = amounts.get(line.variant, 0) + listed
    return [Line(variant, quantity, amounts[variant]) for variant, quantity in units.items()]


async def _take(tx: Tx, wanted: Sequence[HoldLine], channel: Channel, order: UUID) -> list[Hold]:
    return await stock.take(tx, wanted, channel=channel, kind=HoldKind.ORDER, owner=order, expires_at=None)


def _tell(tx: Tx, channel: Channel, order: UUID, decision: Decision) -> None:
    fact = events.OrderRouted(
        strategy=decision.strategy,
        reason=decision.reason,
        parts=[msgspec.to_builtins(part, str_keys=True) for part in decision.parts],
        candidates=[msgspec.to_builtins(seen, str_keys=True) for seen in decision.seen[:TOLD]],
        considered=len(decision.seen),
        km=decision.km,
        cost=decision.cost,
    )
    log.append(tx, fact, subject=order, channel=channel.id)


async def route(
    reader: Database | Tx, channel: Channel, lines: Sequence[Line], address: Address | None, rules: RuleSet
) -> Decision:
    """Where these goods would go now, and why. One statement; nothing is held.

    What may be sold ahead of its coming counts only for goods of which the places together have too little.
    """
    known = (await delivery.current(reader)).by_location
    pool = channel.pools[Resource.STOCK]
    with_age = any(rank.by is Factor.STOCK_AGE for rank in rules.ranks)
    day = local_day(now(), channel.time_zone)
    variants = [line.variant for line in lines]
    rows = await store.shelves(reader, pool, channel.id, variants, day, with_age=with_age)
    to = destination(address, channel, known.values())
    shelves: dict[UUID, list[Any]] = {}
    for row in rows:
        shelves.setdefault(row["id"], []).append(row)
    there: Counter[UUID] = Counter()
    for row in rows:
        there[row["variant"]] += row["free"]
    ahead = {line.variant for line in lines if there[line.variant] < line.quantity}
    candidates = [
        _candidate(known[place], found, channel, to, ahead)
        for place, found in shelves.items()
        if place in known
    ]
    return decide(Question(lines, candidates, rules))


def _candidate(
    site: Site, rows: Sequence[Any], channel: Channel, to: Destination, ahead: set[UUID]
) -> Candidate:
    load = rows[0]["load_units" if site.capacity_unit is CapacityUnit.UNITS else "load"]
    return Candidate(
        id=site.id,
        code=site.code,
        kind=LocationKind(rows[0]["kind"]),
        is_own=site.channel == channel.id,
        priority=site.priority,
        km=distance_km(site, to),
        free={row["variant"]: row["later" if row["variant"] in ahead else "free"] for row in rows},
        age_days=max(float(row["age_days"] or 0) for row in rows),
        load=load,
        capacity=site.capacity,
        is_full=site.capacity is not None and load >= site.capacity,
    )


def destination(address: Address | None, channel: Channel, sites: Iterable[Site]) -> Destination:
    """Where an address is. Postal codes have no coordinates here: those of our nearest place by postal code stand for it."""
    if address is None:
        return Destination(country=channel.country)
    to = Destination(country=address.country, region=address.region, postal_code=address.postal_code)
    placed = [
        site
        for site in sites
        if site.latitude is not None and site.longitude is not None and site.country in ("", address.country)
    ]
    if not placed or not address.postal_code:
        return to
    near = min(placed, key=lambda site: nearness(site, to))
    return msgspec.structs.replace(to, latitude=near.latitude, longitude=near.longitude)


async def _channel(reader: Tx, code: str) -> Channel:
    try:
        return await channels.by_code(reader, code)
    except NotFound as error:
        raise InvalidInput.at("channel", error.detail) from None
