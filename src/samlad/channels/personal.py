"""What this package knows of people: what their rows were like before a channel joined a pool, so that it can leave again."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

_DETAILS = "'{email,external_id,name,phone,address}'::text[]"

HOLDINGS = [
    Holding(
        table="pool_move_row",
        about=marked("How they were known before a channel joined others"),
        whose=f"(row = ANY({{ids}}) OR row = ANY({{things}})) AND before ?| {_DETAILS}",
        personal=("before",),
        shown=("subject", "row"),
        erase=f"before = before - {_DETAILS}",
    ),
]
