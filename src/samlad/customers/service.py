"""The verbs of customers."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from samlad import channels
from samlad.customers import store, tombstones
from samlad.customers.events import CustomerChanged, CustomerCreated, CustomersImported
from samlad.customers.model import Customer, CustomerChange, NewCustomer, PersonInput
from samlad.customers.permissions import CHANGE
from samlad.kernel import cards, log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound
from samlad.stock import reach

KNOWN = "There is a customer with this telephone number."
NEEDED = "a customer needs an e-mail address, a name with a telephone number, or an external id"


async def create(tx: Tx, new: NewCustomer) -> Customer:
    """Add a customer to a channel's pool. Somebody who was erased and is added by hand is known again.

    Who gives no more than a name and a telephone number is somebody new, too, if nobody in the pool has the number.

    Raises:
        InvalidInput: nothing by which they could be known again.
        Conflict: somebody in the pool has this external id, e-mail address or number already; ``customer`` says who.
    """
    tx.actor.require(CHANGE)
    cards.refuse(new.name, "name")
    channel = await channels.get(tx, new.channel)
    person = _person(new)
    pool = channel.pools[channels.Resource.CUSTOMERS]
    await reach.require(tx, channels.Resource.CUSTOMERS, pool)
    has_number = await _with_number(tx, pool, person)
    if has_number is not None:
        raise Conflict(KNOWN, errors=(FieldError("phone", KNOWN),), customer=str(has_number.id))
    added = await store.insert(tx, pool, person)
    if added is None:
        taken = await store.find(tx, pool, person)
        raise Conflict(
            "There is a customer with this external id or e-mail address.",
            customer=None if taken is None else str(taken.id),
        )
    await tombstones.lift(tx, (added.email, added.external_id))
    _tell_created(tx, added, channel.id)
    return added


async def find_or_create(tx: Tx, pool: UUID, person: PersonInput, *, channel: UUID | None = None) -> Customer:
    """The customer with this external id, else with this e-mail address (in any case), else a new one. Of whom no more than
    a name and a telephone number is known: the one with this number.

    Safe against a twin that does the same at the same time: both get the same customer. Who was erased and comes back is
    somebody new.
    """
    wanted = _person(person)
    for _ in range(3):  # the twin may be seen only by the next statement
        found = await store.find(tx, pool, wanted) or await _with_number(tx, pool, wanted)
        if found is not None:
            return found
        added = await store.insert(tx, pool, wanted)
        if added is not None:
            await tombstones.lift(tx, (wanted.email, wanted.external_id))
            _tell_created(tx, added, channel)
            return added
    raise Conflict("Others keep changing this customer.")


async def add_many(tx: Tx, pool: UUID, people: Sequence[PersonInput]) -> list[Customer]:
    """Add whoever is new, by external id or e-mail address; those that were added. For the floor of identity.

    Nobody who was erased comes in this way.
    """
    living = await tombstones.without_buried(tx, people)
    added = await store.insert_many(tx, pool, living) if living else []
    for customer in added:
        _tell_created(tx, customer, None, is_seen=True)
    return added


async def copy_into(tx: Tx, pool: UUID, people: Sequence[UUID], *, channel: UUID) -> dict[UUID, UUID]:
    """The same people once more in another pool, by their ids here. For a channel that leaves with who bought there."""
    ids = {person: new_id() for person in sorted(people)}
    for added in await store.copy_into(tx, pool, ids) if ids else ():
        _tell_created(tx, added, channel)
    return ids


async def import_people(
    tx: Tx, pool: UUID, people: Sequence[PersonInput], *, channel: UUID | None = None
) -> dict[str, UUID]:
    """Find or create many at once by external id, with one event for all; their ids by external id.

    Whoever was erased is left out: what is old is not brought back by a file.
    """
    tx.actor.require(CHANGE)
    living = await tombstones.without_buried(tx, people)
    if not living:
        return {}
    ids, added = await store.upsert_many(tx, pool, living)
    if added:
        log.append(tx, CustomersImported(pool=pool, count=added), channel=channel)
    return ids


async def change(tx: Tx, customer: UUID, change: CustomerChange, *, version: int | None = None) -> Customer:
    """Change details of a customer; the event says what they were before and are after.

    Raises:
        NotFound, Outdated: no such customer; not the version that the caller saw.
        Conflict: the new external id or e-mail address belongs to somebody else.
    """
    tx.actor.require(CHANGE)
    cards.refuse(None if change.name is msgspec.UNSET else change.name, "name")
    current = await store.lock(tx, customer)
    if current is None:
        raise NotFound("There is no such customer.")
    await reach.require(tx, channels.Resource.CUSTOMERS, current.pool)
    check_version(version, current.version)
    wanted = {
        name: getattr(change, name)
        for name in store.CHANGEABLE
        if getattr(change, name) is not msgspec.UNSET and getattr(change, name) != getattr(current, name)
    }
    if not wanted:
        return current
    if not _is_known_again({**msgspec.structs.asdict(current), **wanted}):
        raise InvalidInput.at("email", NEEDED)
    try:
        changed = await store.update(tx, customer, wanted)
    except asyncpg.UniqueViolationError:
        raise Conflict("Another customer has this external id or e-mail address.") from None
    before = {name: getattr(current, name) for name in wanted}
    fact = CustomerChanged(fields=sorted(wanted), before=before, after=wanted)
    log.append(tx, fact, subject=customer, profile=customer)
    return changed


def _person(given: PersonInput) -> PersonInput:
    """Without surrounding blanks.

    Raises:
        InvalidInput: nothing by which they could be known again.
    """
    values = {name: (getattr(given, name) or "").strip() or None for name in store.CHANGEABLE}
    if not _is_known_again(values):
        raise InvalidInput.at("email", NEEDED)
    return PersonInput(**values)


async def _with_number(tx: Tx, pool: UUID, person: PersonInput) -> Customer | None:
    """Who has the telephone number of a person of whom nothing else is known that tells them apart."""
    if person.email is not None or person.external_id is not None or person.phone is None:
        return None
    known = await store.lock_phone(tx, pool, person.phone)
    return None if known is None else await store.get(tx, known)


def _is_known_again(values: Mapping[str, Any]) -> bool:
    return bool(values["email"] or values["external_id"] or (values["phone"] and values["name"]))


def _tell_created(tx: Tx, customer: Customer, channel: UUID | None, *, is_seen: bool = False) -> None:
    fact = CustomerCreated(
        pool=customer.pool,
        external_id=customer.external_id,
        country=customer.country,
        email=customer.email,
        name=customer.name,
        phone=customer.phone,
        is_seen=is_seen,
    )
    log.append(tx, fact, subject=customer.id, channel=channel, profile=customer.id)
