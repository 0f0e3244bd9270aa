"""What this package knows of people: by what they are known, and what was said of them."""

from samlad.identity.model import ERASED
from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="identity_value",
        about=marked("What was said of them"),
        whose="customer = ANY({ids})",
        personal=("field", "value"),
        shown=("source", "observed_at"),
        erase="DELETE",
    ),
    Holding(
        table="identity_sighting",
        about=marked("Where and when they were seen"),
        whose="id IN (SELECT sighting FROM identity_sighting_node WHERE node = ANY({ids}))",
        personal=("event_id", "session"),
        shown=("source", "channel", "device_class", "first_seen", "last_seen"),
        erase="event_id = id::text, session = NULL",
    ),
    Holding(
        table="identity_pin",
        about=marked("Why staff said that they are somebody"),
        whose="id IN (SELECT pin FROM identity_pin_node WHERE node = ANY({ids}))",
        personal=("reason", "retracted_why"),
        shown=("kind", "made_at"),
        erase="reason = '', retracted_why = CASE WHEN retracted_why IS NOT NULL THEN '' END",
    ),
    # What it was known by is gone; that two things belonged to one stays, so that books and timelines stay whole.
    Holding(
        table="identity_node",
        about=marked("By what they are known"),
        whose="id = ANY({ids}) AND kind <> 'customer'",
        personal=("value", "alias"),
        shown=("kind", "created_at"),
        erase=f"value = '{ERASED}' || id || CASE WHEN kind = 'email' THEN '@erased.invalid' ELSE '' END, alias = NULL",
    ),
]
