"""Consent: what people agreed to. An append-only ledger by identifier, and what holds as its projection.

The public face: what the floors above may use. `docs/concepts/privacy.md` explains.
"""

from samlad.consent import links
from samlad.consent.model import (
    CATEGORIES,
    Answer,
    AnswerInput,
    Level,
    Purpose,
    Standing,
    Standings,
    Text,
    TextInput,
)
from samlad.consent.permissions import CHANGE, READ, RECORD
from samlad.consent.sending import send
from samlad.consent.service import (
    add_text,
    allowed,
    ask_to_confirm,
    given,
    record,
    record_many,
    withdraw,
)
from samlad.consent.store import latest_text, purposes, texts_of

__all__ = [
    "CATEGORIES",
    "CHANGE",
    "READ",
    "RECORD",
    "Answer",
    "AnswerInput",
    "Level",
    "Purpose",
    "Standing",
    "Standings",
    "Text",
    "TextInput",
    "add_text",
    "allowed",
    "ask_to_confirm",
    "given",
    "latest_text",
    "links",
    "purposes",
    "record",
    "record_many",
    "send",
    "texts_of",
    "withdraw",
]
