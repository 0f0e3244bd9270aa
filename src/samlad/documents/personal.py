"""What this package knows of people: invoices, which the law keeps."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="document",
        about=marked("Invoices and credit notes"),
        whose="order_id = ANY({things}) OR customer = ANY({ids})",
        personal=("payload",),
        shown=("number", "kind", "currency"),
        kept=marked(
            "Bookkeeping law keeps invoices for years (seven in Sweden and the Netherlands, six to ten in Germany), with the"
            " name and address of the buyer on them. They are used for nothing else."
        ),
    ),
]
