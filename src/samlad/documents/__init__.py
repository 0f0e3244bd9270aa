"""Documents: invoices and credit notes with unbroken numbers, receipts, confirmations, and who sells.

The public face; `docs/concepts/documents.md` explains.
"""

from samlad.documents.entities import SETTING, default_of
from samlad.documents.entities import change as change_entity
from samlad.documents.entities import create as create_entity
from samlad.documents.entities import get as entity
from samlad.documents.issuing import issue, of_order, read
from samlad.documents.mailing import MailsOff, mail_receipt
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
    Paper,
)
from samlad.documents.papers_model import PaperInput, PaperRun
from samlad.documents.permissions import ENTITIES, ISSUE, READ
from samlad.documents.printing import (
    document_file,
    document_of,
    note_receipt,
    packing_slip,
    receipt_for,
)
from samlad.documents.signing import PATH as RECEIPTS_AT
from samlad.documents.signing import SignedReceipt, token_in
from samlad.documents.signing import address as receipt_address
from samlad.documents.signing import check as check_receipt
from samlad.documents.signing import public_keys as receipt_keys
from samlad.documents.store import LISTING, all_entities

__all__ = [
    "ENTITIES",
    "ISSUE",
    "LISTING",
    "READ",
    "RECEIPTS_AT",
    "SETTING",
    "BuyerInput",
    "Document",
    "DocumentContent",
    "Entity",
    "EntityChange",
    "EntityInput",
    "IssueInput",
    "Kind",
    "MailsOff",
    "NothingToIssue",
    "Paper",
    "PaperInput",
    "PaperRun",
    "SignedReceipt",
    "all_entities",
    "change_entity",
    "check_receipt",
    "create_entity",
    "default_of",
    "document_file",
    "document_of",
    "entity",
    "issue",
    "mail_receipt",
    "note_receipt",
    "of_order",
    "packing_slip",
    "read",
    "receipt_address",
    "receipt_for",
    "receipt_keys",
    "token_in",
]
