"""What this package knows of people: who looks after them, and what is meant to be done for them."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="client",
        about=marked("Who looks after them in a store"),
        whose="customer = ANY({ids})",
        personal=("customer",),
        shown=("location", "staff_name", "since"),
        erase="DELETE",
    ),
    Holding(
        table="follow_up",
        about=marked("What a store means to do for them"),
        whose="customer = ANY({ids})",
        personal=("customer", "text"),
        shown=("location", "due_on", "made_at", "done_at"),
        erase="DELETE",
    ),
]
