"""Whoever is known gets a customer row: somebody with authority has told a number or an e-mail address of theirs.

Visitors do not: most never come back, and a row for each would be what everybody else waits for. Their profile is the
identifier that stands for it, and its id leads to the customer for ever once there is one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from samlad import customers
from samlad.customers import Customer, PersonInput
from samlad.identity import store
from samlad.identity.evidence import Key
from samlad.identity.keeping import keep
from samlad.identity.model import AuthLevel, Kind
from samlad.identity.preparing import prepare, sighting_of_customer
from samlad.identity.store import Node, StoredSighting
from samlad.kernel.database import Tx


async def make_customers(
    tx: Tx, pool: UUID, nodes: Iterable[Node], sightings: Iterable[StoredSighting]
) -> tuple[set[UUID], set[UUID]]:
    """Find or make customers for the known profiles among these that have none.

    Which identifiers are to be looked at anew for that, and which of them are new.
    """
    people = _without_customer(nodes, sightings)
    if not people:
        return set(), set()
    usable, taken = await _rows_of(tx, pool, people)
    numbers, emails = _names(usable)
    without = [p for p in people if p.external_id not in numbers and (p.email or "").lower() not in emails]
    rest = [part for part in (_free_part(person, *_names(taken)) for person in without) if part is not None]
    if rest:
        usable += (await _rows_of(tx, pool, rest))[0]
    return await _link(tx, usable)


async def _rows_of(
    tx: Tx, pool: UUID, people: Sequence[PersonInput]
) -> tuple[list[Customer], list[Customer]]:
    """Rows that these people have or get, and rows with their number or address that are somebody else's.

    A row that has a profile already and is not of this one was kept apart from it: it stays where it is.
    """
    fresh = {row.id for row in await customers.add_many(tx, pool, people)}
    rows = await customers.find_many(tx, pool, people)
    linked = await store.nodes_of(tx, ((pool, Key(Kind.CUSTOMER, str(row.id))) for row in rows))
    others = {node.id for node in linked.values()} - fresh
    return [row for row in rows if row.id not in others], [row for row in rows if row.id in others]


def _names(rows: Iterable[Customer]) -> tuple[set[str], set[str]]:
    told = list(rows)
    numbers = {row.external_id for row in told if row.external_id is not None}
    return numbers, {row.email.lower() for row in told if row.email is not None}


def _free_part(person: PersonInput, numbers: set[str], emails: set[str]) -> PersonInput | None:
    """What is left of a person when another customer has the number or the address."""
    if person.external_id is not None and person.external_id not in numbers:
        return PersonInput(external_id=person.external_id)
    if person.email is not None and person.email not in emails:
        return PersonInput(email=person.email)
    return None


async def _link(tx: Tx, rows: Iterable[Customer]) -> tuple[set[UUID], set[UUID]]:
    told = [prepare(sighting_of_customer(row, row.created_at, str(row.id))) for row in rows]
    prepared = [one for one in told if one is not None]
    if not prepared:
        return set(), set()
    nodes = await store.nodes_of(tx, {(one.pool, key) for one in prepared for key in one.keys})
    new = await keep(tx, prepared, nodes)
    return {nodes[one.pool, key].id for one in prepared for key in one.keys}, new


def _without_customer(nodes: Iterable[Node], sightings: Iterable[StoredSighting]) -> list[PersonInput]:
    """By what a customer is known to us: a number, an e-mail address, or both if they were seen together.

    A row says that what it holds belongs together: it must say nothing that was not seen.
    """
    groups: dict[UUID, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.state == "live":
            groups[node.profile].append(node)
    wanting = [group for group in groups.values() if all(node.kind != Kind.CUSTOMER for node in group)]
    beside: dict[UUID, set[UUID]] = defaultdict(set)
    for seen in sightings:
        if seen.auth != AuthLevel.CLAIMED:
            for each in seen.nodes:
                beside[each].update(seen.nodes)
    people = []
    for group in wanting:
        known = sorted((node for node in group if node.is_known), key=lambda node: node.id)
        number = next((node for node in known if node.kind == Kind.EXTERNAL_ID), None)
        emails = [node for node in known if node.kind == Kind.EMAIL]
        if number is not None:
            emails = [node for node in emails if node.id in beside[number.id]]
        email = emails[0].value if emails else None
        if number is not None or email is not None:
            people.append(PersonInput(external_id=number.value if number else None, email=email))
    return people
