"""What this package knows of people: subscriptions."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Blocker, Holding, Things

THINGS = [Things("SELECT id FROM subscription WHERE customer = ANY({ids})")]

BLOCKERS = [
    Blocker(
        marked("Subscriptions that run"),
        "SELECT number FROM subscription WHERE customer = ANY({ids}) AND status <> 'cancelled' ORDER BY number",
    ),
]

HOLDINGS = [
    Holding(
        table="subscription",
        about=marked("Subscriptions"),
        whose="id = ANY({things})",
        personal=("email", "name", "phone", "address", "vat_number", "sealed_token", "reason"),
        withheld=("sealed_token",),
        shown=("number", "status"),
        erase="""email = NULL, name = NULL, phone = NULL, address = NULL, vat_number = NULL, sealed_token = NULL,
                 reason = ''""",
    ),
]
