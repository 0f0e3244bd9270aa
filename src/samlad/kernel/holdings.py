"""What the kernel itself knows of people: the personal part of events, and answers that are kept for a while."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

_SAYS = "EXISTS (SELECT 1 FROM unnest({needles}) AS n (word) WHERE strpos(lower(%s), lower(n.word)) > 0)"
_RECIPIENT = "%s IN (SELECT unnest({texts}) UNION ALL SELECT lower(unnest({needles})))"

HOLDINGS = [
    Holding(
        table="personal_key",
        about=marked("Keys of what was written about them"),
        whose="owner = ANY({ids}) OR owner = ANY({things})",
        personal=("sealed",),
        erase="DELETE",
        not_shown="a key; what it opens is shown",
    ),
    Holding(
        table="mail_outbox",
        about=marked("Mails on their way"),
        whose=_RECIPIENT % "lower(recipient)",
        personal=("recipient", "sealed"),
        erase="DELETE",
        not_shown="gone when it is sent; the person has it then",
    ),
    Holding(
        table="mail_sent",
        about=marked("Mails of the last 30 days, in case they come back"),
        whose=_RECIPIENT % "lower(recipient)",
        personal=("recipient",),
        shown=("kind", "sent_at", "bounced_at"),
        erase="DELETE",
    ),
    Holding(
        table="mail_bounce",
        about=marked("Mails that came back from their address"),
        whose=_RECIPIENT % "address",
        personal=("address", "answer"),
        shown=("status", "times", "first_at", "last_at"),
        erase="DELETE",
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
        whose="""(about && {ids} OR about && {things} OR EXISTS (SELECT 1 FROM unnest({needles}) AS n (word)
                      WHERE position(convert_to(n.word, 'UTF8') IN body) > 0 OR strpos(key, n.word) > 0))""",
        personal=("key", "body"),
        erase="DELETE",
        not_shown="repeats answers of the API, found by words",
    ),
    Holding(
        table="procrastinate_jobs",
        about=marked("Work that waited or is done"),
        whose=_SAYS % "args::text",
        personal=("args",),
        erase="args = '{}'",
        not_shown="repeats what is elsewhere, found by words",
    ),
    Holding(
        table="parked_event",
        about=marked("Why a follower could not handle an event"),
        whose=_SAYS % "reason",
        personal=("reason",),
        erase="reason = ''",
        not_shown="an error of the program, found by words",
    ),
    Holding(
        table="follower",
        about=marked("Why a follower could not handle an event"),
        whose=_SAYS % "coalesce(last_error, '')",
        personal=("last_error",),
        erase="last_error = ''",
        not_shown="an error of the program, found by words",
    ),
]
