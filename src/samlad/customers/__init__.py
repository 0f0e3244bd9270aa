"""Customers: people as we know them, one row for each external id or e-mail address of a pool.

The public face: what the floors above may use. Whoever calls these verbs holds the permission for their own.
"""

from samlad.customers import tombstones
from samlad.customers.model import Customer, CustomerRow, PersonInput, Spend
from samlad.customers.permissions import CHANGE, READ
from samlad.customers.service import add_many, change, find_or_create, import_people
from samlad.customers.store import (
    LISTING,
    book_spend,
    current,
    find,
    find_many,
    get,
    members,
    orders_of,
    resolve,
    set_spend,
    spend_of,
    stand_for,
    with_emails,
)

__all__ = [
    "CHANGE",
    "LISTING",
    "READ",
    "Customer",
    "CustomerRow",
    "PersonInput",
    "Spend",
    "add_many",
    "book_spend",
    "change",
    "current",
    "find",
    "find_many",
    "find_or_create",
    "get",
    "import_people",
    "members",
    "orders_of",
    "resolve",
    "set_spend",
    "spend_of",
    "stand_for",
    "tombstones",
    "with_emails",
]
