"""What happens to documents and legal entities. Amounts in minor units of ``currency``."""

from datetime import date
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("document.issued")
class DocumentIssued(Fact, frozen=True, kw_only=True):
    """An invoice or a credit note has its number. Its subject is the order; ``invoice``: what it takes back."""

    document: UUID
    kind: str
    number: str
    entity: UUID
    cause: str
    currency: str
    net: int
    tax: int
    rounding: int
    total: int
    issued_on: date
    due_on: date | None = None
    invoice: UUID | None = None


@declare("legal_entity.created")
class LegalEntityCreated(Fact, frozen=True, kw_only=True):
    """There is somebody else who sells. The default of a pool is made when the first document needs it."""

    pool: UUID
    code: str
    name: str
    is_default: bool


@declare("legal_entity.changed")
class LegalEntityChanged(Fact, frozen=True, kw_only=True):
    """What documents say from now on of who sells; those that were issued stay as they are."""

    code: str
    fields: list[str]


@declare("papers.asked")
class PapersAsked(Fact, frozen=True, kw_only=True):
    """Somebody wants invoices, packing slips or labels of many orders. The subject is the run."""

    what: str
    form: str
    total: int


@declare("papers.made")
class PapersMade(Fact, frozen=True, kw_only=True):
    """The papers of many orders are ready, were stopped, or could not be made (``state``)."""

    what: str
    state: str
    done: int
    left_out: int


@declare("receipt.mailed")
class ReceiptMailed(Fact, frozen=True, kw_only=True):
    """A receipt was mailed to where its customer said. The subject is the order; the address is not kept."""
