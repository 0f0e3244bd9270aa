"""Sightings as they come, made ready to be kept: identifiers in their normal form, what links nothing left out."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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
from samlad.identity.store import NewNode, Node, Standing
from samlad.kernel.ids import new_id
from samlad.kernel.remembering import remembered

CUSTOMERS = "customers"
"""The source of what our own customer rows say."""
EVERYWHERE = ("*",)
REMEMBERED_SECONDS = 60.0
"""How long a process may know somebody who was erased meanwhile, if nothing tells it before."""


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
    if sighting.device_class == DeviceClass.PERSONAL:
        told = tuple(sighting.identifiers)
        said = _said(sighting.pool, sighting.source, told, sighting.auth, sighting.country)
        return None if said is None else Prepared(said.id, sighting, said.keys, said.ceilings, None)
    return _at_shared_device(sighting)


class _Said(msgspec.Struct, frozen=True):
    """What a sighting at somebody's own device says, whenever that is."""

    id: UUID
    keys: tuple[Key, ...]
    ceilings: tuple[Trust, ...]


@remembered(most=20_000, seconds=REMEMBERED_SECONDS)
def _said(
    pool: UUID, source: str, told: tuple[Identifier, ...], auth: AuthLevel, country: str | None
) -> _Said | None:
    """Remembered, because most of what is told was told by the same person a moment ago."""
    found = _keys(told, auth, country)
    if not found:
        return None
    keys = tuple(sorted(found, key=lambda key: (RANK[key.kind], key.value)))
    ceilings = tuple(found[key] for key in keys)
    return _Said(_made_of([str(pool), source, DeviceClass.PERSONAL, auth, keys, ceilings]), keys, ceilings)


def _keys(told: Iterable[Identifier], auth: AuthLevel, country: str | None) -> dict[Key, Trust]:
    found: dict[Key, Trust] = {}
    for each in told:
        key = _key(each, auth, country)
        if key is not None:
            ceiling = Trust.UNIQUE if each.trust is None else each.trust
            found[key] = min(found.get(key, Trust.UNIQUE), ceiling)
    return found


def _at_shared_device(sighting: Sighting) -> Prepared | None:
    found = _keys(sighting.identifiers, sighting.auth, sighting.country)
    # The finer of its ids, where it tells several: what has another is another's.
    device = max((key for key in found if key.kind in DEVICES), key=lambda key: RANK[key.kind], default=None)
    found = {key: ceiling for key, ceiling in found.items() if key.kind not in DEVICES}
    if not found and device is not None:
        found[Key(Kind.SIGHTING, f"{sighting.source}/{sighting.event_id}")] = Trust.WEAK
    if not found:
        return None
    keys = tuple(sorted(found, key=lambda key: (RANK[key.kind], key.value)))
    ceilings = tuple(found[key] for key in keys)
    said: list[object] = [str(sighting.pool), sighting.source]
    if device is None:
        said += [sighting.device_class, sighting.auth, keys, ceilings]
    else:  # what matters there is the moment
        said += [sighting.event_id]
    return Prepared(_made_of(said), sighting, keys, ceilings, device)


def _key(each: Identifier, auth: AuthLevel, country: str | None) -> Key | None:
    if each.kind in NOBODY or each.trust == Trust.NEVER:
        return None
    if each.kind == Kind.CUSTOMER and auth == AuthLevel.CLAIMED:
        return None  # whoever guesses an id is not its customer
    value = identifier(each.kind, each.value, country)
    return None if value is None else Key(each.kind, value)


def _made_of(said: list[object]) -> UUID:
    return UUID(bytes=hashlib.blake2b(msgspec.json.encode(said), digest_size=16).digest())


def id_of(key: Key) -> UUID:
    """The id for an identifier that may be new."""
    return UUID(key.value) if key.kind == Kind.CUSTOMER else new_id()


def new_node(node: UUID, pool: UUID, key: Key, profile: UUID, *, is_known: bool) -> NewNode:
    """An identifier that may be new."""
    alias = alias_of(key.value, EVERYWHERE, EVERYWHERE) if key.kind == Kind.EMAIL else None
    return NewNode(node, pool, key, alias, profile, is_known)


def kept_under(
    prepared: Prepared,
    nodes: Sequence[Node | Standing],
    trusts: Mapping[tuple[Kind, AuthLevel], Trust],
) -> UUID | None:
    """The id under which to keep what somebody did: of the surest identifier that may link.

    ``nodes`` are those of its keys, in their order.
    """
    best: tuple[bool, int, int] | None = None
    found = None
    for place, (key, ceiling, node) in enumerate(zip(prepared.keys, prepared.ceilings, nodes, strict=True)):
        trust = min(trusts[key.kind, prepared.sighting.auth], ceiling)
        if trust > 0:
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
