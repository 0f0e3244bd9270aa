"""Consent: what people agreed to. An append-only ledger by identifier, and what holds as its projection.

The public face: what the floors above may use. `docs/concepts/privacy.md` explains.
"""

from samlad.consent import bounces, links
from samlad.consent.bounces import BounceChange
from samlad.consent.model import (
    CATEGORIES,
    Answer,
    AnswerInput,
    Entry,
    Level,
    Purpose,
    Standing,
    Standings,
    Text,
    TextInput,
)
from samlad.consent.permissions import CHANGE, MAIL_CHANGE, MAIL_READ, READ, RECORD
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
from samlad.consent.store import asked_for, latest_text, purposes, text_of, texts_of

__all__ = [
    "CATEGORIES",
    "CHANGE",
    "MAIL_CHANGE",
    "MAIL_READ",
    "READ",
    "RECORD",
    "Answer",
    "AnswerInput",
    "BounceChange",
    "Entry",
    "Level",
    "Purpose",
    "Standing",
    "Standings",
    "Text",
    "TextInput",
    "add_text",
    "allowed",
    "ask_to_confirm",
    "asked_for",
    "bounces",
    "given",
    "latest_text",
    "links",
    "purposes",
    "record",
    "record_many",
    "send",
    "text_of",
    "texts_of",
    "withdraw",
]
