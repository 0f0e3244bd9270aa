"""Keeping sightings: the append-only log that profiles are projected from."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

import msgspec

from samlad.identity import store
from samlad.identity.evidence import Key
from samlad.identity.model import Rules, Trust
from samlad.identity.preparing import Prepared, id_of, new_node
from samlad.identity.store import NewNode, NewSighting, Node
from samlad.kernel.database import Tx

Nodes = dict[tuple[UUID, Key], Node]
"""Identifiers by pool and normal form."""
USUAL = Rules().trusts()


async def keep(tx: Tx, prepared: Sequence[Prepared], nodes: Nodes) -> set[UUID]:
    """Append sightings; ``nodes``, what is known of their identifiers, is completed. The ids of those that are new."""
    missing = {(one.pool, key) for one in prepared for key in keys_of(one)} - nodes.keys()
    new: set[UUID] = set()
    if missing:
        given = _guessed(prepared, missing, nodes)
        new = await store.add_nodes(tx, given)
        nodes |= {
            (node.pool, node.key): Node(
                node.id, node.key.kind, node.key.value, node.profile, "live", None, node.is_known
            )
            for node in given
            if node.id in new
        }
        others = missing - nodes.keys()
        if others:  # somebody else was quicker, and has committed
            nodes |= await store.nodes_of(tx, others)
    await store.add_sightings(tx, _rows(prepared, nodes))
    return new


def _guessed(
    prepared: Sequence[Prepared], missing: Collection[tuple[UUID, Key]], nodes: Nodes
) -> list[NewNode]:
    """Identifiers that may be new, with the profile that the projection gives them nearly always.

    It looks at each of them in the same transaction, and writes only what is different: to write each twice was a
    third of what a new person cost the database.
    """
    ids = {place: id_of(place[1]) for place in missing}
    found: dict[tuple[UUID, Key], NewNode] = {}
    for one in prepared:
        stands = (one.pool, one.keys[0])
        profile = ids[stands] if stands in ids else nodes[stands].profile
        for key, ceiling in zip(one.keys, one.ceilings, strict=True):
            place = (one.pool, key)
            if place in ids and place not in found:
                is_known = min(USUAL[key.kind, one.sighting.auth], ceiling) >= Trust.STRONG
                found[place] = new_node(ids[place], *place, profile, is_known=is_known)
    for place, node in ids.items():  # shared devices
        if place not in found:
            found[place] = new_node(node, *place, node, is_known=False)
    return list(found.values())


def keys_of(prepared: Prepared) -> tuple[Key, ...]:
    """Every identifier of a sighting, a shared device's among them."""
    return prepared.keys if prepared.device is None else (*prepared.keys, prepared.device)


def _rows(prepared: Iterable[Prepared], nodes: Nodes) -> list[NewSighting]:
    rows: dict[UUID, NewSighting] = {}
    for one in prepared:
        told, twin = one.sighting, rows.get(one.id)
        if twin is not None:
            rows[one.id] = msgspec.structs.replace(
                twin,
                first_seen=min(twin.first_seen, told.observed_at),
                last_seen=max(twin.last_seen, told.observed_at),
            )
            continue
        rows[one.id] = NewSighting(
            id=one.id,
            pool=one.pool,
            source=told.source,
            event_id=told.event_id,
            channel=told.channel,
            device_class=told.device_class,
            auth=told.auth,
            nodes=[nodes[one.pool, key].id for key in one.keys],
            ceilings=[int(ceiling) for ceiling in one.ceilings],
            device=None if one.device is None else nodes[one.pool, one.device].id,
            session=told.session if one.device is not None else None,
            ends_session=told.ends_session if one.device is not None else False,
            first_seen=told.observed_at,
            last_seen=told.observed_at,
            received_at=told.received_at,
        )
    return list(rows.values())
