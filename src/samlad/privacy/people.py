"""Who a person is, as far as their data goes: every id and every word by which something of theirs can be found."""

from uuid import UUID

import msgspec

from samlad import customers, identity
from samlad.kernel import personal
from samlad.kernel.database import Reader
from samlad.kernel.personal import Person
from samlad.privacy.holdings import HOLDINGS, THINGS

_NAMES = ("customer", "orders", "cart", "subscription")
"""Tables whose names and phone numbers say how a person is called; they have the columns ``name``, ``email``, ``phone``."""
SHORTEST = 4
"""Characters of a word that is looked for in texts: shorter ones would be found everywhere."""


async def find(reader: Reader, any_id: UUID) -> Person:
    """Everything by which a person can be found. For nobody it is only the id."""
    rows = await customers.members(reader, any_id) or [any_id]
    ids = {node for pair in await identity.everybodys_ids(reader, rows) for node in pair}
    known = await identity.identifiers(reader, sorted(ids))
    texts = {value.lower() for kind, value in known if kind not in _SHARED}
    needles = {value for kind, value in known if kind in ("email", "phone")}
    person = Person(ids=sorted(ids), texts=sorted(texts), needles=[], things=[])
    # What their customer rows say counts too: the e-mail address of one may not have been seen yet.
    holding = next(each for each in HOLDINGS if each.table == "customer")
    for row in await personal.read(reader, holding, person):
        texts |= {row[name].lower() for name in ("email", "external_id") if row[name]}
    person = msgspec.structs.replace(person, texts=sorted(texts))
    things = await personal.find_things(reader, THINGS, person)
    person = msgspec.structs.replace(person, things=things)
    for holding in HOLDINGS:
        if holding.table in _NAMES:
            for row in await personal.read(reader, holding, person):
                needles |= {row[name] for name in ("email", "name", "phone") if row[name]}
                texts |= {row["email"].lower()} if row["email"] else set()
    long = sorted(word for word in needles if len(word) >= SHORTEST)
    return msgspec.structs.replace(person, texts=sorted(texts), needles=long)


_SHARED = ("phone", "customer", "sighting", "terminal", "staff")
"""Kinds of identifiers that may be more people's than one, or nobody's."""
