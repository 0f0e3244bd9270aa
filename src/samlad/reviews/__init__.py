"""Reviews: what people who bought a product say of it. The public face; `docs/concepts/reviews.md` explains."""

from samlad.reviews.model import (
    Answer,
    Decision,
    NotBought,
    Report,
    Review,
    ReviewInput,
    ShownReview,
    Status,
    ToReview,
    Totals,
    Vote,
)
from samlad.reviews.permissions import MODERATE, READ
from samlad.reviews.rules import shares
from samlad.reviews.service import (
    answer,
    decide,
    read,
    report,
    take_back,
    totals,
    vote,
    withdraw,
    write_as_customer,
    write_for_order,
    write_for_somebody,
)
from samlad.reviews.store import REVIEWS, SHOWN, of_customer, of_order, reports_of
from samlad.reviews.store import get as find

__all__ = [
    "MODERATE",
    "READ",
    "REVIEWS",
    "SHOWN",
    "Answer",
    "Decision",
    "NotBought",
    "Report",
    "Review",
    "ReviewInput",
    "ShownReview",
    "Status",
    "ToReview",
    "Totals",
    "Vote",
    "answer",
    "decide",
    "find",
    "of_customer",
    "of_order",
    "read",
    "report",
    "reports_of",
    "shares",
    "take_back",
    "totals",
    "vote",
    "withdraw",
    "write_as_customer",
    "write_for_order",
    "write_for_somebody",
]
