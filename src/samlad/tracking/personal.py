"""What this package knows of people: what their browsers and apps told."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

# By on whom they landed, and by whose address they tell; by other names only where they landed on nobody else: a browser may
# be several people's.
_THEIRS = """(id IN (SELECT event FROM tracked_profile WHERE identity = ANY({ids}))
              OR lower(traits ->> 'email') = ANY({texts})
              OR ((lower(user_id) = ANY({texts}) OR lower(anonymous_id) = ANY({texts})
                   OR lower(previous_id) = ANY({texts}))
                  AND id NOT IN (SELECT event FROM tracked_profile WHERE identity <> ALL({ids}))))"""

HOLDINGS = [
    Holding(
        table="tracked_message",
        about=marked("Which messages came"),
        whose=f"message_id IN (SELECT message_id FROM tracked_event WHERE {_THEIRS})",
        personal=("message_id",),
        erase="DELETE",
        not_shown="repeats ids of events",
    ),
    Holding(
        table="tracking_parked",
        about=marked("Events that could not be taken"),
        whose="""EXISTS (SELECT 1 FROM unnest({needles} || {texts}) AS n (word)
                         WHERE position(convert_to(n.word, 'UTF8') IN body) > 0)""",
        personal=("body", "detail", "name"),
        shown=("received_at", "reason"),
        erase="DELETE",
        not_shown="found by words; what else is in it may be another's",
    ),
    Holding(
        table="tracked_event",
        about=marked("What they looked at and did"),
        whose=_THEIRS,
        personal=(
            "payload",
            "traits",
            "consent",
            "violations",
            "message_id",
            "anonymous_id",
            "user_id",
            "previous_id",
            "group_id",
            "name",
        ),
        shown=("type", "occurred_at"),
        erase="""payload = '{}', traits = NULL, consent = NULL, violations = NULL, message_id = id::text, anonymous_id = NULL,
                 user_id = NULL, previous_id = NULL, group_id = NULL, name = CASE WHEN type = 'track' THEN name END""",
    ),
]
