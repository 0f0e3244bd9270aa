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
    Holding(
        table="paper_file",
        about=marked("Files with papers of many orders, kept for three days"),
        whose="""EXISTS (SELECT FROM paper_row r WHERE r.run = paper_file.run AND r.part = paper_file.part
                         AND r.order_id = ANY({things}))""",
        personal=("name", "content"),
        not_shown="they hold papers of others beside what an export has already",
        erase="DELETE",
    ),
]
