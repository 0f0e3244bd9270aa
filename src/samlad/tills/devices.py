"""Tills and kiosks as devices: when each was heard of last, what it has not sent, how old its goods are.

A device says so with every heartbeat, before it sends. What it rings up after it was heard of last nobody here can know: so a silence
is told with what it said before.
"""

from collections.abc import Sequence
from uuid import UUID

from samlad.access import audit
from samlad.access.sessions import Session
from samlad.kernel import cards, log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import Conflict, NotFound
from samlad.tills import device_store, events
from samlad.tills.desk import Desk
from samlad.tills.model import Device, HeardInput, NameDeviceInput, PutAwayInput
from samlad.tills.permissions import RECORD, RESOLVE


async def heard(tx: Tx, desk: Desk, data: HeardInput, session: Session | None = None) -> None:
    """A device says how it is; said twice it is the same. One that was put away is in use again.

    Raises:
        Forbidden: not at this store.
    """
    tx.actor.require(RECORD, location=desk.location.id)
    kiosk = session.kiosk_name if session is not None and session.kiosk is not None else None
    await device_store.note(
        tx, data, desk.channel.id, desk.location.id, session.id if session else None, kiosk
    )


async def get(reader: Reader, device: UUID) -> Device:
    """A till or kiosk by its id.

    Raises:
        NotFound: there is none.
    """
    found = await device_store.read(reader, device)
    if found is None:
        raise NotFound("There is no such till.")
    return found


async def of_sessions(reader: Reader, sessions: Sequence[UUID]) -> dict[UUID, Device]:
    """What spoke last by each of some sign-ins; those by which nothing did are left out."""
    return await device_store.of_sessions(reader, sessions)


async def holding(reader: Reader, locations: Sequence[UUID] | None) -> int:
    """How many have had something for a quarter of an hour that is not sent, whether they are silent or not."""
    return await device_store.holding(reader, locations)


async def put_away(tx: Tx, device: UUID, data: PutAwayInput) -> Device:
    """A device is not used any more: nobody is warned of it. What it sends next takes that back. Done twice it is the same.

    Raises:
        NotFound: no device of this id. Forbidden: not there.
    """
    cards.refuse(data.reason, "reason")
    found = await _held(tx, device)
    if await device_store.put_away(tx, device, data.reason):
        fact = events.PutAway(till=device, location=found.location, unsent=found.unsent, reason=data.reason)
        log.append(tx, fact, subject=device, channel=found.channel_id)
        after = {"channel": found.channel, "unsent": found.unsent, "reason": data.reason}
        audit.record(tx, "till.put-away", "till", device, after=after)
    return await get(tx, device)


async def bring_back(tx: Tx, device: UUID) -> Device:
    """A device is in use after all. Done twice it is the same.

    Raises:
        NotFound: no device of this id. Forbidden: not there.
    """
    found = await _held(tx, device)
    if await device_store.bring_back(tx, device):
        log.append(
            tx,
            events.BroughtBack(till=device, location=found.location),
            subject=device,
            channel=found.channel_id,
        )
        audit.record(tx, "till.brought-back", "till", device, before={"reason": found.reason})
    return await get(tx, device)


async def rename(tx: Tx, device: UUID, data: NameDeviceInput) -> Device:
    """What staff call a till. Done twice it is the same.

    Raises:
        NotFound: no device of this id. Forbidden: not there. Conflict: a kiosk has the name with which it was set up.
    """
    cards.refuse(data.name, "name")
    found = await _held(tx, device)
    if found.is_kiosk:
        raise Conflict("A kiosk has the name with which it was set up.")
    name = data.name.strip()
    if await device_store.rename(tx, device, name):
        log.append(
            tx,
            events.Named(till=device, location=found.location, name=name),
            subject=device,
            channel=found.channel_id,
        )
        audit.record(tx, "till.named", "till", device, before={"name": found.name}, after={"name": name})
    return await get(tx, device)


async def _held(tx: Tx, device: UUID) -> Device:
    """A device about which the actor may decide."""
    found = await device_store.read(tx, device)
    if found is None:
        tx.actor.require(RESOLVE)
        raise NotFound("There is no such till.")
    tx.actor.require(RESOLVE, location=found.location)
    return found
