"""What this package knows of people: when they come to a store."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Blocker, Holding, Things

THINGS = [Things("SELECT id FROM appointment WHERE customer = ANY({ids}) OR email = ANY({texts})")]

BLOCKERS = [
    Blocker(
        marked("Appointments that are yet to come"),
        """SELECT to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') FROM appointment
           WHERE id = ANY({things}) AND state = 'booked' AND starts_at > now() ORDER BY starts_at""",
    )
]

HOLDINGS = [
    Holding(
        table="appointment",
        about=marked("Appointments in stores"),
        whose="id = ANY({things})",
        personal=("customer", "name", "email", "phone", "note"),
        shown=("starts_at", "ends_at", "state", "booked_at"),
        erase="customer = NULL, name = '', email = NULL, phone = NULL, note = '', version = version + 1",
    )
]
