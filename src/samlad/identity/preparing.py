"""Sightings as they come, made ready to be kept: identifiers in their normal form, what links nothing left out."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.customers import Customer
from samlad.identity.evidence import Key
from samlad.identity.model import (
    DEVICES,
    NOBODY,
    RANK,
    AuthLevel,
    DeviceClass,
    Identifier,
    Kind,
    Sighting,
    Trust,
)
from samlad.identity.normalising import alias_of, identifier
from samlad.identity.store import NewNode, Node
from samlad.kernel.ids import new_id

CUSTOMERS = "customers"
"""The source of what our own customer rows say."""
EVERYWHERE = ("*",)


class Prepared(msgspec.Struct, frozen=True):
    """A sighting that says something.

    Attributes:
        id: made of what it says, so that the same is the same however often it is told.
        keys: its identifiers, the strongest kind first.
        ceilings: by identifier, how much its trust may be at most.
        device: where it is shared: not among ``keys``.
    """

    id: UUID
    sighting: Sighting
    keys: tuple[Key, ...]
    ceilings: tuple[Trust, ...]
    device: Key | None

    @property
    def pool(self) -> UUID:
        """The pool of customers."""
        return self.sighting.pool


def prepare(sighting: Sighting) -> Prepared | None:
    """A sighting ready to be kept; None if nothing in it is anybody's."""
    found: dict[Key, Trust] = {}
    for each in sighting.identifiers:
        key = _key(each, sighting)
        if key is not None:
            ceiling = Trust.UNIQUE if each.trust is None else each.trust
            found[key] = min(found.get(key, Trust.UNIQUE), ceiling)
    device = None
    if sighting.device_class != DeviceClass.PERSONAL:
        # The finer of its ids, where it tells several: what has another is another's.
        device = max(
            (key for key in found if key.kind in DEVICES), key=lambda key: RANK[key.kind], default=None
        )
        found = {key: ceiling for key, ceiling in found.items() if key.kind not in DEVICES}
        if not found and device is not None:
            found[Key(Kind.SIGHTING, f"{sighting.source}/{sighting.event_id}")] = Trust.WEAK
    if not found:
        return None
    keys = tuple(sorted(found, key=lambda key: (RANK[key.kind], key.value)))
    ceilings = tuple(found[key] for key in keys)
    return Prepared(_id(sighting, keys, ceilings, device), sighting, keys, ceilings, device)


def _key(each: Identifier, sighting: Sighting) -> Key | None:
    if each.kind in NOBODY or each.trust == Trust.NEVER:
        return None
    if each.kind == Kind.CUSTOMER and sighting.auth == AuthLevel.CLAIMED:
        return None  # whoever guesses an id is not its customer
    value = identifier(each.kind, each.value, sighting.country)
    return None if value is None else Key(each.kind, value)


def _id(sighting: Sighting, keys: tuple[Key, ...], ceilings: tuple[Trust, ...], device: Key | None) -> UUID:
    said: list[object] = [str(sighting.pool), sighting.source]
    if device is None:
        said += [sighting.device_class, sighting.auth, keys, ceilings]
    else:  # what matters there is the moment
        said += [sighting.event_id]
    return UUID(bytes=hashlib.blake2b(msgspec.json.encode(said), digest_size=16).digest())


def new_node(pool: UUID, key: Key) -> NewNode:
    """An identifier that may be new."""
    alias = alias_of(key.value, EVERYWHERE, EVERYWHERE) if key.kind == Kind.EMAIL else None
    return NewNode(UUID(key.value) if key.kind == Kind.CUSTOMER else new_id(), pool, key, alias)


def kept_under(
    prepared: Prepared,
    nodes: Mapping[tuple[UUID, Key], Node],
    trusts: Mapping[tuple[Kind, AuthLevel], Trust],
) -> UUID | None:
    """The id under which to keep what somebody did: of the surest identifier that may link."""
    best: tuple[bool, int, int] | None = None
    found = None
    for place, (key, ceiling) in enumerate(zip(prepared.keys, prepared.ceilings, strict=True)):
        trust = min(trusts[key.kind, prepared.sighting.auth], ceiling)
        if trust > 0:
            node = nodes[prepared.pool, key]
            order = (node.state == "live", int(trust), -place)
            if best is None or order > best:
                best, found = order, node.id
    return found


def sighting_of_customer(customer: Customer, observed_at: datetime, event_id: str) -> Sighting:
    """What a customer row says: that its number, address and phone belong to it."""
    told = {Kind.EXTERNAL_ID: customer.external_id, Kind.EMAIL: customer.email, Kind.PHONE: customer.phone}
    return Sighting(
        pool=customer.pool,
        source=CUSTOMERS,
        event_id=event_id,
        observed_at=observed_at,
        received_at=observed_at,
        auth=AuthLevel.AUTHENTICATED,
        country=customer.country,
        identifiers=[
            Identifier(Kind.CUSTOMER, str(customer.id)),
            *(Identifier(kind, value) for kind, value in told.items() if value is not None),
        ],
    )
