"""What access knows of customers: only what staff wrote about them into the audit log."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="audit_entry",
        about=marked("What staff changed"),
        whose="""EXISTS (SELECT 1 FROM unnest({needles}) AS n (word) WHERE strpos(
                     lower(coalesce(before::text, '') || coalesce(after::text, '') || difference), lower(n.word)) > 0)""",
        personal=("before", "after", "difference"),
        shown=("at", "verb"),
        erase="before = NULL, after = NULL, difference = ''",
    ),
]
