"""What happens in conversations. The subject is the conversation, the profile whose it is. What is said is not in the log."""

from datetime import datetime
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("conversation.begun")
class ConversationBegun(Fact, frozen=True, kw_only=True):
    """Somebody said the first word: the customer (``in``) or staff (``out``). ``message``: its id."""

    topic: str
    way: str
    medium: str
    order: UUID | None = None
    message: UUID | None = None


@declare("conversation.written")
class ConversationWritten(Fact, frozen=True, kw_only=True):
    """The customer said something more. ``reopened``: it was closed or snoozed."""

    number: int
    medium: str
    reopened: bool = False


@declare("conversation.answered")
class ConversationAnswered(Fact, frozen=True, kw_only=True):
    """Staff answered. ``waited_seconds``: since the oldest word that had no answer. ``message``: the id of the answer."""

    number: int
    medium: str
    message: UUID | None = None
    staff: UUID | None = None
    waited_seconds: int | None = None


@declare("conversation.noted")
class ConversationNoted(Fact, frozen=True, kw_only=True):
    """Staff wrote something for each other."""

    number: int


@declare("conversation.assigned")
class ConversationAssigned(Fact, frozen=True, kw_only=True):
    """Somebody of the staff looks after it, or nobody any more."""

    staff: UUID | None


@declare("conversation.closed")
class ConversationClosed(Fact, frozen=True, kw_only=True):
    """It is done."""


@declare("conversation.reopened")
class ConversationReopened(Fact, frozen=True, kw_only=True):
    """It is not done after all, or its time to be looked at again has come."""

    woken: bool = False


@declare("conversation.snoozed")
class ConversationSnoozed(Fact, frozen=True, kw_only=True):
    """Staff look at it again at a moment."""

    until: datetime


@declare("conversation.changed")
class ConversationChanged(Fact, frozen=True, kw_only=True):
    """What it is called, what it is about, or whose turn it is."""


@declare("conversation.merged")
class ConversationMerged(Fact, frozen=True, kw_only=True):
    """It goes on in another conversation."""

    into: UUID


@declare("conversation.split")
class ConversationSplit(Fact, frozen=True, kw_only=True):
    """It stands by itself again."""

    out_of: UUID


@declare("saved_reply.set")
class SavedReplySet(Fact, frozen=True, kw_only=True):
    """A saved reply is new or different. The subject is the reply."""


@declare("saved_reply.deleted")
class SavedReplyDeleted(Fact, frozen=True, kw_only=True):
    """A saved reply is gone, or back (``restored``)."""

    restored: bool = False


@declare("inbound_mail.waiting")
class InboundMailWaiting(Fact, frozen=True, kw_only=True):
    """A mail came that is in no conversation; staff look at it. The subject is the mail."""

    reason: str


@declare("inbound_mail.decided")
class InboundMailDecided(Fact, frozen=True, kw_only=True):
    """Staff put a mail into a conversation (``taken``), put it aside (``dismissed``), or took that back (``waiting``)."""

    state: str
    conversation: UUID | None = None
