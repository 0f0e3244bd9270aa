"""Customers: people as we know them, one row for each external id or e-mail address of a pool.

The public face: what the floors above may use. Whoever calls these verbs holds the permission for their own.
"""

from samlad.customers.model import Customer, CustomerRow, PersonInput, Spend
from samlad.customers.permissions import CHANGE, READ
from samlad.customers.service import change, find_or_create, import_people
from samlad.customers.store import LISTING, book_spend, find, get

__all__ = [
    "CHANGE",
    "LISTING",
    "READ",
    "Customer",
    "CustomerRow",
    "PersonInput",
    "Spend",
    "book_spend",
    "change",
    "find",
    "find_or_create",
    "get",
    "import_people",
]
