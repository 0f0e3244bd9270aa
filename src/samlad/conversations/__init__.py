"""Conversations: what customers and staff say to each other, in one thread over all channels.

The public face; `docs/concepts/conversations.md` explains.
"""

from samlad.conversations.merging import merge, split
from samlad.conversations.model import (
    BeginInput,
    ChangeInput,
    Conversation,
    Counts,
    Crossed,
    Medium,
    Message,
    MessageInput,
    ReplyInput,
    SavedReply,
    State,
    Thread,
    Topic,
    Way,
)
from samlad.conversations.permissions import READ, SETUP, WRITE
from samlad.conversations.rules import filled
from samlad.conversations.service import begin, by_link, change, read, see, write
from samlad.conversations.store import CONVERSATIONS, counts, one

__all__ = [
    "CONVERSATIONS",
    "READ",
    "SETUP",
    "WRITE",
    "BeginInput",
    "ChangeInput",
    "Conversation",
    "Counts",
    "Crossed",
    "Medium",
    "Message",
    "MessageInput",
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
    "filled",
    "merge",
    "one",
    "read",
    "see",
    "split",
    "write",
]
