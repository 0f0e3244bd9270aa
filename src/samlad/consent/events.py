"""What happens to consent. Entries are told by id; what came with an answer stays in the ledger."""

from datetime import datetime
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("consent.recorded")
class ConsentRecorded(Fact, frozen=True, kw_only=True):
    """Somebody answered: the subject is the entry, the profile an id of identity."""

    purpose: str
    answer: str
    scope: UUID | None
    level: int
    answered_at: datetime
    until: datetime | None


@declare("consent.purpose-changed")
class PurposeChanged(Fact, frozen=True, kw_only=True):
    """How a purpose is asked for is different from now on."""

    purpose: str
    fields: list[str]


@declare("consent.text-added")
class TextAdded(Fact, frozen=True, kw_only=True):
    """There is a new version of what people are shown."""

    purpose: str
    version: int
    language: str


@declare("consent.asked")
class ConsentAsked(Fact, frozen=True, kw_only=True):
    """Somebody is to confirm by a link that is theirs alone (double opt-in). Whoever sends messages makes the link
    by `samlad.consent.links.confirm_link` from the subject, which is the identifier, and this."""

    purpose: str
    language: str
    text: UUID | None


@declare("mail.decided")
class BounceDecided(Fact, frozen=True, kw_only=True):
    """Staff said whether mails go to an address (the subject) from which some came back."""

    is_stopped: bool
