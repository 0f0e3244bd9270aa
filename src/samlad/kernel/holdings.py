"""What the kernel itself knows of people: the personal part of events, and answers that are kept for a while."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

_SAYS = "EXISTS (SELECT 1 FROM unnest({needles}) AS n (word) WHERE strpos(lower(%s), lower(n.word)) > 0)"

HOLDINGS = [
    Holding(
        table="mail_outbox",
        about=marked("Mails on their way"),
        whose="lower(recipient) = ANY({texts})",
        personal=("recipient", "sealed"),
        erase="DELETE",
        is_shown=False,
    ),
    Holding(
        table="event",
        about=marked("What happened"),
        whose="personal IS NOT NULL AND (profile = ANY({ids}) OR subject = ANY({ids}) OR subject = ANY({things}))",
        personal=("personal",),
        shown=("type", "occurred_at"),
        erase="personal = NULL",
    ),
    Holding(
        table="idempotency",
        about=marked("Answers that were kept for a week in case they are asked for again"),
        whose="""EXISTS (SELECT 1 FROM unnest({needles}) AS n (word)
                         WHERE position(convert_to(n.word, 'UTF8') IN body) > 0 OR strpos(key, n.word) > 0)""",
        personal=("key", "body"),
        erase="DELETE",
        is_shown=False,
    ),
    Holding(
        table="procrastinate_jobs",
        about=marked("Work that waited or is done"),
        whose=_SAYS % "args::text",
        personal=("args",),
        erase="args = '{}'",
        is_shown=False,
    ),
    Holding(
        table="parked_event",
        about=marked("Why a follower could not handle an event"),
        whose=_SAYS % "reason",
        personal=("reason",),
        erase="reason = ''",
        is_shown=False,
    ),
]
