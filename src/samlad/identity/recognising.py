"""Sightings that were seen before: found by what they are made of, without looking for each identifier."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.identity import store
from samlad.identity.preparing import Prepared
from samlad.identity.store import Standing
from samlad.kernel.database import Tx


class Known(msgspec.Struct, frozen=True):
    """A sighting that is kept: when it was seen, and how its identifiers stand, in the order of its keys."""

    first_seen: datetime
    last_seen: datetime
    nodes: Sequence[Standing]


async def recognise(
    tx: Tx, made: Sequence[Prepared | None]
) -> tuple[Sequence[Prepared | None], dict[UUID, Known]]:
    """Those that are kept, by their id. Two statements.

    One whose person was erased meanwhile stays that person's: what is told anew is kept beside it, under an id of
    its own, and comes back with that.
    """
    known: dict[UUID, Known] = {}
    waiting = {one.id: one for one in made if one is not None}
    moved: dict[UUID, UUID] = {}
    while waiting:
        found, lapsed = await _look(tx, waiting.values())
        known |= found
        waiting = {}
        for one in lapsed:
            again = msgspec.structs.replace(one, id=_next_id(one.id))
            moved[one.id] = again.id
            waiting[again.id] = again
    if not moved:
        return made, known
    return [
        None if one is None else msgspec.structs.replace(one, id=_last(one.id, moved)) for one in made
    ], known


async def _look(tx: Tx, prepared: Iterable[Prepared]) -> tuple[dict[UUID, Known], list[Prepared]]:
    told = {one.id: one for one in prepared}
    kept = await store.kept_sightings(tx, told.keys())
    standing = await store.standing_of(tx, {node for row in kept for node in row.nodes}) if kept else {}
    found, lapsed = {}, []
    for row in kept:
        one = told[row.id]
        nodes = [standing[node] for node in row.nodes if node in standing]
        if row.pool != one.pool or len(nodes) != len(one.keys):
            continue  # it has moved to another pool, or was kept without a stranger: looked at as if it were new
        if any(node.value != key.value for node, key in zip(nodes, one.keys, strict=True)):
            lapsed.append(one)
        else:
            found[row.id] = Known(row.first_seen, row.last_seen, nodes)
    return found, lapsed


def _next_id(sighting: UUID) -> UUID:
    return UUID(bytes=hashlib.blake2b(sighting.bytes, digest_size=16, person=b"again").digest())


def _last(sighting: UUID, moved: dict[UUID, UUID]) -> UUID:
    while sighting in moved:
        sighting = moved[sighting]
    return sighting
