"""Consent: what people agreed to. An append-only ledger by identifier, and what holds as its projection.

The public face: what the floors above may use. `docs/concepts/privacy.md` explains.
"""

from samlad.consent.model import CATEGORIES, Answer, AnswerInput, Level, Purpose, Standing, Standings
from samlad.consent.permissions import CHANGE, READ, RECORD
from samlad.consent.service import allowed, given, record, record_many, withdraw

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
    "allowed",
    "given",
    "record",
    "record_many",
    "withdraw",
]
