"""What access knows of customers: only what staff wrote about them into the audit log."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="audit_entry",
        about=marked("What staff changed, and what they did themselves"),
        whose="""((actor_kind = 'customer' AND actor_id = ANY({ids})) OR subject = ANY({ids}) OR subject = ANY({things})
                  OR EXISTS (SELECT 1 FROM unnest({needles}) AS n (word) WHERE strpos(
                     lower(coalesce(before::text, '') || coalesce(after::text, '') || difference), lower(n.word)) > 0))""",
        personal=("before", "after", "difference", "remote", "actor_name"),
        shown=("at", "verb"),
        erase="""before = NULL, after = NULL, difference = '',
                 actor_name = CASE WHEN actor_kind = 'customer' THEN '' ELSE actor_name END,
                 remote = CASE WHEN actor_kind = 'customer' THEN NULL ELSE remote END""",
    ),
]
