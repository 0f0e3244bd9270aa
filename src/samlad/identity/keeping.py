"""Keeping sightings: the append-only log that profiles are projected from."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from samlad.identity import store
from samlad.identity.evidence import Key
from samlad.identity.preparing import Prepared, new_node
from samlad.identity.store import NewSighting, Node
from samlad.kernel.database import Tx

Nodes = dict[tuple[UUID, Key], Node]
"""Identifiers by pool and normal form."""


async def keep(tx: Tx, prepared: Sequence[Prepared], nodes: Nodes) -> set[UUID]:
    """Append sightings; ``nodes``, what is known of their identifiers, is completed. The ids of those that are new."""
    missing = {(one.pool, key) for one in prepared for key in keys_of(one)} - nodes.keys()
    new: set[UUID] = set()
    if missing:
        given = [new_node(pool, key) for pool, key in missing]
        new = await store.add_nodes(tx, given)
        nodes |= {
            (node.pool, node.key): Node(node.id, node.key.kind, node.key.value, node.id, "live", None, False)
            for node in given
            if node.id in new
        }
        others = missing - nodes.keys()
        if others:  # somebody else was quicker, and has committed
            nodes |= await store.nodes_of(tx, others)
    await store.add_sightings(tx, _rows(prepared, nodes))
    return new


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
