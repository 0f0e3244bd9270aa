"""What this package knows of people: what they agreed to. That they did stays, as proof; of whom it was is gone."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="consent_entry",
        about=marked("What they agreed to"),
        whose="node = ANY({ids})",
        personal=("event_id", "evidence"),
        shown=("purpose", "answer", "level", "answered_at", "until", "source", "text"),
        erase="event_id = id::text, evidence = NULL",
    ),
]
