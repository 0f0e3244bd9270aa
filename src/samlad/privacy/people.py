"""Who a person is, as far as their data goes: every id and every word by which something of theirs can be found."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad import customers, identity
from samlad.kernel import personal
from samlad.kernel.database import Reader
from samlad.kernel.personal import Holding, Person
from samlad.privacy.holdings import HOLDINGS, THINGS

_NAMED = {
    **dict.fromkeys(("customer", "orders", "cart", "subscription"), ("email", "name", "phone")),
    "account_mail_change": ("email",),
}
"""Tables that say how a person is called, or where mail for them went, and the columns that do."""
SHORTEST = 4
"""Characters of a word that is looked for in texts: shorter ones would be found everywhere."""
_DEVICES = ("device", "anonymous")
_SHARED = ("phone", "customer", "sighting", "terminal", "staff")
"""Kinds of identifiers that may be more people's than one, or nobody's."""


async def find(reader: Reader, any_id: UUID) -> Person:
    """Everything by which a person can be found. For nobody it is only the id.

    An e-mail address or a number that somebody only claimed finds nothing: it may be somebody else's.
    """
    ids = await _ids(reader, await customers.members(reader, any_id) or [any_id])
    emails = {
        value
        for kind, value, is_known in await identity.identifiers(reader, sorted(ids))
        if is_known and kind == "email"
    }
    emails |= await _emails(reader, ids)
    # Somebody who is in several pools asks the retailer, not one of them.
    ids |= await _ids(reader, await customers.with_emails(reader, sorted(emails)))
    known = await identity.identifiers(reader, sorted(ids))
    texts = {
        value.lower()
        for kind, value, is_known in known
        if kind in _DEVICES or (is_known and kind not in _SHARED)
    }
    needles = {value for kind, value, is_known in known if is_known and kind in ("email", "phone")}
    person = Person(ids=sorted(ids), texts=sorted(texts | emails), needles=[], things=[])
    for row in await personal.read(reader, _holding("customer"), person):
        texts |= {row[name].lower() for name in ("email", "external_id") if row[name]}
    person = msgspec.structs.replace(person, texts=sorted(texts | emails))
    person = msgspec.structs.replace(person, things=await personal.find_things(reader, THINGS, person))
    for table, names in _NAMED.items():
        for row in await personal.read(reader, _holding(table), person):
            needles |= {row[name] for name in names if row[name]}
    long = sorted(word for word in needles if len(word) >= SHORTEST)
    return msgspec.structs.replace(person, needles=long)


async def _ids(reader: Reader, some: Sequence[UUID]) -> set[UUID]:
    return {node for pair in await identity.everybodys_ids(reader, some) for node in pair}


async def _emails(reader: Reader, ids: set[UUID]) -> set[str]:
    nobody = Person(ids=sorted(ids), texts=[], needles=[], things=[])
    rows = await personal.read(reader, _holding("customer"), nobody)
    return {row["email"].lower() for row in rows if row["email"]}


def _holding(table: str) -> Holding:
    return next(each for each in HOLDINGS if each.table == table)
