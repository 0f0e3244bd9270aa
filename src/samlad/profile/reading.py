"""A person in one call: parts from all packages, each if it may be seen, in few statements."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, consent, credit, customers
from samlad.customers import Customer, notes_of
from samlad.identity.model import DEVICES
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.profile import rules, store
from samlad.profile.extending import provided
from samlad.profile.model import PARTS, Person, Traits
from samlad.profile.timeline import ids_of, kinds_of, newest


async def read(
    reader: Database | Tx, actor: Actor, customer: UUID, only: Collection[str] | None = None
) -> Person:
    """A person, by the id of any customer that they are. Some parts only, if they are named.

    Raises:
        NotFound: there is no such customer. InvalidInput: there is no such part.
    """
    actor.require(customers.READ)
    for name in only or ():
        if name not in PARTS:
            raise InvalidInput.at("parts", f"there is no “{name}”: {', '.join(PARTS)}")
    found = await customers.current(reader, customer)
    if found is None:
        raise NotFound("There is no such customer.")
    wanted = {
        name for name, permission in PARTS.items() if actor.may(permission) and (only is None or name in only)
    }
    members = await customers.members(reader, found.id)
    values: dict[str, Any] = {}
    locations = actor.bound_to
    parts = await store.parts(reader, members, wanted & store.TOGETHER, locations)
    values.update({name: getattr(parts, name) for name in wanted & store.TOGETHER})
    if wanted & {"identities", "devices", "traits", "timeline"}:
        ids = await ids_of(reader, found.id, members)
        values.update(await _known(reader, ids, wanted))
        if "traits" in wanted:
            values["traits"] = await _traits(reader, found, members, ids)
        if "timeline" in wanted:
            values["timeline"] = await newest(reader, store.MOST, ids, members, kinds_of(actor), locations)
    if "loyalty" in wanted:
        values["loyalty"] = await credit.view(reader, found.id)
    if "consent" in wanted:
        values["consent"] = (await consent.given(reader, found.id)).standing
    values.update(await provided(reader, found.id, wanted))
    if "notes" in wanted:
        values["notes"] = await notes_of(reader, actor, found.id)
    return Person(
        **msgspec.structs.asdict(found),
        customers=members,
        withheld=[name for name in PARTS if name not in wanted],
        **values,
    )


async def _known(reader: Reader, ids: list[UUID], wanted: Collection[str]) -> dict[str, Any]:
    if not {"identities", "devices"} & set(wanted):
        return {}
    known = await store.known_by(reader, ids)
    return {
        name: [each for each in known if (each.kind in DEVICES) == (name == "devices")]
        for name in ("identities", "devices")
        if name in wanted
    }


async def _traits(reader: Database | Tx, customer: Customer, members: list[UUID], ids: list[UUID]) -> Traits:
    zones = {channel.id: channel.time_zone for channel in await channels.cached_all(reader)}
    did = await store.behaviour(reader, members, ids, zones)
    first = [each for each in (customer.created_at, did.first_event, did.first_order) if each]
    last = [each for each in (customer.created_at, did.last_event, did.last_order) if each]
    recency = interval = None
    if did.first_order is not None and did.last_order is not None:
        recency = rules.days_since(did.last_order, now())
        interval = rules.interval_days(did.first_order, did.last_order, did.orders)
    return Traits(
        first_seen=min(first),
        last_seen=max(last),
        first_order_at=did.first_order,
        last_order_at=did.last_order,
        recency_days=recency,
        interval_days=interval,
        orders=did.orders,
        money=did.money,
        favourite_category=did.category,
        favourite_channel=did.channel,
        favourite_store=did.store,
        favourite_hour=did.hour,
        return_rate=rules.share(did.returned, did.sold),
    )
