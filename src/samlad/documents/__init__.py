"""Documents: invoices and credit notes with unbroken numbers, receipts, confirmations, and who sells.

The public face; `docs/concepts/documents.md` explains.
"""

from samlad.documents.entities import SETTING, default_of
from samlad.documents.entities import change as change_entity
from samlad.documents.entities import create as create_entity
from samlad.documents.entities import get as entity
from samlad.documents.issuing import issue, of_order, read
from samlad.documents.model import (
    BuyerInput,
    Document,
    DocumentContent,
    Entity,
    EntityChange,
    EntityInput,
    IssueInput,
    Kind,
    NothingToIssue,
)
from samlad.documents.permissions import ENTITIES, ISSUE, READ
from samlad.documents.printing import document_file, document_of, packing_slip
from samlad.documents.store import LISTING, all_entities

__all__ = [
    "ENTITIES",
    "ISSUE",
    "LISTING",
    "READ",
    "SETTING",
    "BuyerInput",
    "Document",
    "DocumentContent",
    "Entity",
    "EntityChange",
    "EntityInput",
    "IssueInput",
    "Kind",
    "NothingToIssue",
    "all_entities",
    "change_entity",
    "create_entity",
    "default_of",
    "document_file",
    "document_of",
    "entity",
    "issue",
    "of_order",
    "packing_slip",
    "read",
]
