"""What this package knows of people."""

from samlad.customers import note_store
from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="customer_note",
        about=marked("Notes"),
        whose="customer = ANY({ids})",
        personal=("text", "sealed"),
        shown=("id", "customer", "created_at"),
        erase="DELETE",
        sealed=note_store.SEALED,
    ),
    Holding(
        table="customer_tag",
        about=marked("Tags"),
        whose="customer = ANY({ids})",
        personal=("tag",),
        shown=("customer", "tagged_at"),
        erase="DELETE",
    ),
    Holding(
        table="customer",
        about=marked("The customer"),
        whose="id = ANY({ids})",
        personal=("external_id", "email", "name", "phone", "country", "locale"),
        shown=("id", "created_at"),
        erase="""external_id = NULL, email = NULL, name = NULL, phone = NULL, country = NULL, locale = NULL,
                 group_name = NULL, version = version + 1, updated_at = now()""",
    ),
]
