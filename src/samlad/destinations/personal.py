"""What this package knows of people: hashes of addresses and numbers that receivers have."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="destination_sent",
        about=marked("Sent to ad platforms and other receivers, hashed"),
        whose="person = ANY({ids})",
        personal=("person", "digest"),
        shown=("destination", "kind", "at"),
        kept=marked("Only hashes, until the receiver has been told to remove them; then they are deleted."),
    ),
    Holding(
        table="destination_due",
        about=marked("To be looked at for ad platforms and other receivers"),
        whose="person = ANY({ids})",
        personal=("person",),
        kept=marked("Only the id of a customer, until the receiver has been told."),
        not_shown="only that it is to be looked at",
    ),
]
