"""Finding a customer as people ask for one: by name, e-mail address, phone in any spelling, or number."""

import re
from uuid import UUID

from samlad import customers
from samlad.customers import CustomerRow
from samlad.kernel.database import Database
from samlad.kernel.listing import ListQuery

LEAST_LETTERS = 2
LONGEST = 100
_PHONE = re.compile(r"^[+0-9 ()/.-]{6,}$")


async def find_customers(database: Database, pool: UUID, query: str, most: int) -> list[CustomerRow]:
    """The customers of a pool that fit, at most ``most``; none for less than two letters."""
    if len(query) < LEAST_LETTERS:
        return []
    asked = [{"q": text} for text in dict.fromkeys((query, _written(query)))]
    if customers.looks_like_phone(query):
        asked.append({"phone": query})  # one that is kept in another spelling
    found: list[CustomerRow] = []
    for filters in asked:
        wanted = ListQuery(limit=most, filters={**filters, "pool": str(pool)})
        found = found or (await customers.LISTING.page(database, wanted)).items
    return found


def _written(query: str) -> str:
    """A phone number as it is kept: without what people put between digits, and without the country's 0."""
    return re.sub(r"[^0-9]", "", query).lstrip("0") or query if _PHONE.match(query) else query
