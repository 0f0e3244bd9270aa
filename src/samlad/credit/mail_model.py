"""What the mails are by which gift cards reach whom they are for."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.credit.model import CardStatus, MailInput
from samlad.kernel.problems import Conflict


class MailDay(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Another day for the mail."""

    send_on: date


class CardMail(msgspec.Struct, frozen=True, kw_only=True):
    """The mail of a gift card. ``amount`` (minor units) is what is on the card, ``status`` the card's; ``sent_at`` None: still to go.
    ``recipient`` is empty once it was erased."""

    card: UUID
    order: UUID | None
    recipient: str
    name: str
    giver: str
    message: str
    send_on: date
    sent_at: datetime | None
    status: CardStatus
    is_expired: bool
    amount: int
    currency: str

    @property
    def is_waiting(self) -> bool:
        """Whether it can still go: neither sent nor worth nothing meanwhile."""
        may_pay = self.status in (CardStatus.WAITING, CardStatus.ACTIVE, CardStatus.BLOCKED)
        return self.sent_at is None and bool(self.recipient) and may_pay and not self.is_expired


class CardSent(Conflict):
    """The card has been sent: whoever got the mail can pay with it."""

    code, title = "gift-card-sent", "The gift card has been sent already"


__all__ = ["CardMail", "CardSent", "MailDay", "MailInput"]
