"""What this package knows of people: what they wait for."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding, Things

THINGS = [Things("SELECT id FROM stock_alert WHERE customer = ANY({ids}) OR email = ANY({texts})")]

HOLDINGS = [
    Holding(
        table="stock_alert",
        about=marked("What they wait for until it is there again"),
        whose="id = ANY({things})",
        personal=("customer", "email", "consent"),
        shown=("variant", "asked_at", "told_at"),
        erase="customer = NULL, email = NULL, consent = '', ended_at = coalesce(ended_at, now())",
    )
]
