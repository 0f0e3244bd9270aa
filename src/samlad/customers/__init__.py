"""Customers: people as we know them, one row for each external id or e-mail address of a pool.

The public face: what the floors above may use. Whoever calls these verbs holds the permission for their own.
"""

from samlad.customers import tombstones
from samlad.customers.contact import Contact, contact
from samlad.customers.model import Customer, CustomerRow, PersonInput, Spend
from samlad.customers.note_store import Note, tags_of
from samlad.customers.notes import (
    NoteChange,
    NoteInput,
    TagsInput,
    add_note,
    change_note,
    delete_note,
    notes_of,
    restore_note,
    tag,
    tags_in_use,
    untag,
)
from samlad.customers.permissions import CHANGE, NOTES, READ
from samlad.customers.service import add_many, change, create, find_or_create, import_people
from samlad.customers.store import (
    LISTING,
    are_same,
    book_spend,
    current,
    find,
    find_many,
    get,
    get_many,
    looks_like_phone,
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
    "NOTES",
    "READ",
    "Contact",
    "Customer",
    "CustomerRow",
    "Note",
    "NoteChange",
    "NoteInput",
    "PersonInput",
    "Spend",
    "TagsInput",
    "add_many",
    "add_note",
    "are_same",
    "book_spend",
    "change",
    "change_note",
    "contact",
    "create",
    "current",
    "delete_note",
    "find",
    "find_many",
    "find_or_create",
    "get",
    "get_many",
    "import_people",
    "looks_like_phone",
    "members",
    "notes_of",
    "orders_of",
    "resolve",
    "restore_note",
    "set_spend",
    "spend_of",
    "stand_for",
    "tag",
    "tags_in_use",
    "tags_of",
    "tombstones",
    "untag",
    "with_emails",
]
