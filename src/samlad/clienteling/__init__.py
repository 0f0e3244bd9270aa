"""Clienteling: clerks who serve customers personally, in the store and between visits.

The public face; `docs/concepts/clienteling.md` explains.
"""

from samlad.clienteling.model import (
    PURPOSE,
    AssignInput,
    Client,
    FollowUp,
    FollowUpInput,
    Recommended,
    RecommendInput,
)
from samlad.clienteling.permissions import LEAD, SERVE
from samlad.clienteling.service import (
    assign,
    finish,
    follow_up,
    look_up,
    mine,
    recommend,
    release,
    reopen,
    scope_of,
    searched,
)
from samlad.clienteling.store import CLIENTS, FOLLOW_UPS, clerk_of

__all__ = [
    "CLIENTS",
    "FOLLOW_UPS",
    "LEAD",
    "PURPOSE",
    "SERVE",
    "AssignInput",
    "Client",
    "FollowUp",
    "FollowUpInput",
    "RecommendInput",
    "Recommended",
    "assign",
    "clerk_of",
    "finish",
    "follow_up",
    "look_up",
    "mine",
    "recommend",
    "release",
    "reopen",
    "scope_of",
    "searched",
]
