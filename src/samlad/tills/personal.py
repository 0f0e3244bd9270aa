"""What this package knows of people: whose a sale at a till was. The sale stays: it is behind an order in the books."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="till_sale",
        about=marked("Sales at a till, as it sent them"),
        whose="body ->> 'customer' = ANY(SELECT unnest({ids})::text)",
        personal=("body",),
        shown=("reference", "clerk_name", "reason", "objections", "entry"),
        erase="body = body - 'customer'",
        kept=marked("The goods and amounts belong to an order in the books."),
    ),
]
