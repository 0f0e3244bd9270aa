"""What disputes are: a customer takes a payment back by their bank (a chargeback), or the bank asks about it (an inquiry)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from samlad.kernel.database import Database
from samlad.payments.settlements import SettlementInput


class DisputeStatus(StrEnum):
    """How a dispute stands. ``closed``: it ended without a verdict, and the money stayed."""

    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


OPEN = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)


class SaidDispute(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of a dispute. ``entries`` are what it took out of our account for it, and put back."""

    reference: str
    status: DisputeStatus
    is_inquiry: bool
    amount: int
    currency: str
    opened_at: datetime
    reason: str = ""
    evidence_due_at: datetime | None = None
    payment_reference: str | None = None
    url: str = ""
    entries: tuple[SettlementInput, ...] = ()


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute as it is kept; without a ``payment`` it is about one that nobody here knows. Minor units."""

    id: UUID
    provider: str
    reference: str
    payment: UUID | None
    payment_reference: str | None
    channel: UUID | None
    amount: int
    currency: str
    reason: str
    status: DisputeStatus
    is_inquiry: bool
    evidence_due_at: datetime | None
    url: str
    entries: list[str]
    opened_at: datetime
    closed_at: datetime | None
    said_at: datetime


class DisputeSource(Protocol):
    """A provider that can be asked about disputes. Whatever is not an answer is raised as `ProviderSilent`."""

    async def dispute(self, database: Database, reference: str) -> SaidDispute:
        """How one stands now."""
        ...

    async def disputes(self, database: Database, since: datetime) -> Sequence[SaidDispute]:
        """Those that were opened since a moment, in any order."""
        ...
