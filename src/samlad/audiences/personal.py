"""What this package knows of people: the segments that they are in."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

_WITHOUT_DETAILS = marked(
    "Only the id of a customer whose details are gone; segments are computed anew without them."
)

HOLDINGS = [
    Holding(
        table="segment_member",
        about=marked("Segments"),
        whose="person = ANY({ids})",
        personal=("person",),
        shown=("segment", "entered_at"),
        kept=_WITHOUT_DETAILS,
    ),
    Holding(
        table="segment_listed",
        about=marked("Lists"),
        whose="customer = ANY({ids})",
        personal=("customer",),
        shown=("segment", "added_at"),
        kept=_WITHOUT_DETAILS,
    ),
    Holding(
        table="segment_change",
        about=marked("Came into and left segments"),
        whose="person = ANY({ids})",
        personal=("person",),
        shown=("segment", "at", "entered"),
        kept=_WITHOUT_DETAILS,
    ),
    Holding(
        table="segment_clock",
        about=marked("Segments"),
        whose="person = ANY({ids})",
        personal=("person",),
        kept=_WITHOUT_DETAILS,
        not_shown="only when the segments are looked at again",
    ),
    Holding(
        table="rfm_score",
        about=marked("Recency, frequency and monetary value"),
        whose="person = ANY({ids})",
        personal=("person",),
        shown=("name", "recency", "frequency", "monetary"),
        kept=_WITHOUT_DETAILS,
    ),
]
