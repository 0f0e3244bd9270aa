"""What this package knows of people: what they wrote. The stars stay, without a name; the numbers of a product are true."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding, Things

THINGS = [
    Things(
        """SELECT r.id FROM review r JOIN orders o ON o.id = r.order_id
           WHERE r.customer = ANY({ids}) OR o.customer = ANY({ids}) OR lower(o.email) = ANY({texts})"""
    )
]

HOLDINGS = [
    Holding(
        table="review",
        about=marked("Reviews they wrote"),
        whose="id = ANY({things})",
        personal=("customer", "author", "title", "text", "reason", "was_reason", "reply"),
        shown=("product", "stars", "status", "written_at"),
        erase="""customer = NULL, author = '', title = '', text = '', reason = '', was_reason = '', reply = NULL,
                 replied_at = NULL, was_status = NULL, was_decided_by = NULL, batch = NULL,
                 status = CASE WHEN status = 'waiting' THEN 'withdrawn' ELSE status END, version = version + 1""",
    ),
    Holding(
        table="review_vote",
        about=marked("Reviews they found helpful"),
        whose="voter = ANY({ids})",
        personal=("voter",),
        shown=("review", "voted_at"),
        erase="voter = gen_random_uuid()",
    ),
    Holding(
        table="review_report",
        about=marked("Reviews they reported"),
        whose="voter = ANY({ids})",
        personal=("voter", "reason"),
        shown=("review", "reported_at"),
        erase="voter = gen_random_uuid(), reason = ''",
    ),
]
