"""What this package knows of people."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="profile_address",
        about=marked("Household"),
        whose="customer = ANY({ids})",
        personal=("key",),
        shown=("customer", "seen_at"),
        erase="DELETE",
        not_shown="a hash of an address that orders have",
    ),
    Holding(
        table="profile_household",
        about=marked("Household"),
        whose="one = ANY({ids}) OR other = ANY({ids})",
        personal=("one", "other"),
        shown=("said_at",),
        erase="DELETE",
    ),
]
