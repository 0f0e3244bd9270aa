"""Conversations: what customers and staff say to each other, in one thread over all channels.

The public face; `docs/concepts/conversations.md` explains.
"""

from samlad.conversations.desk import change
from samlad.conversations.merging import merge, split
from samlad.conversations.model import (
    Attached,
    BeginInput,
    ChangeInput,
    Conversation,
    Counts,
    Crossed,
    InboundMail,
    Mark,
    Medium,
    Message,
    MessageInput,
    Received,
    ReplyInput,
    SavedReply,
    State,
    Thread,
    Topic,
    Way,
)
from samlad.conversations.permissions import READ, RECEIVE, SETUP, WRITE
from samlad.conversations.rules import filled
from samlad.conversations.service import begin, by_link, read, see, write
from samlad.conversations.store import CONVERSATIONS, one
from samlad.conversations.targets import counts, cutoffs, is_overdue

__all__ = [
    "CONVERSATIONS",
    "READ",
    "RECEIVE",
    "SETUP",
    "WRITE",
    "Attached",
    "BeginInput",
    "ChangeInput",
    "Conversation",
    "Counts",
    "Crossed",
    "InboundMail",
    "Mark",
    "Medium",
    "Message",
    "MessageInput",
    "Received",
    "ReplyInput",
    "SavedReply",
    "State",
    "Thread",
    "Topic",
    "Way",
    "begin",
    "by_link",
    "change",
    "counts",
    "cutoffs",
    "filled",
    "is_overdue",
    "merge",
    "one",
    "read",
    "see",
    "split",
    "write",
]
