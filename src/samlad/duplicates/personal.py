"""What this package knows of people: what is compared of them, and whom they may be."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="duplicate_pair",
        about=marked("Customers who may be the same person"),
        whose="left_customer = ANY({ids}) OR right_customer = ANY({ids})",
        personal=("left_customer", "right_customer"),
        shown=("status", "found_at"),
        erase="DELETE",
        not_shown="names another customer",
    ),
    Holding(
        table="duplicate_card",
        about=marked("What is compared to find the same person twice"),
        whose="customer = ANY({ids})",
        personal=(
            "given",
            "family",
            "name",
            "email",
            "mailbox",
            "phone",
            "street",
            "postcode",
            "address",
            "keys",
        ),
        erase="DELETE",
        not_shown="repeats the customer in another form",
    ),
]
