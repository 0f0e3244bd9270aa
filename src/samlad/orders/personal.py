"""What this package knows of people: orders, parcels, changes and returns. The order itself stays: it is in the books."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Blocker, Holding, Things

THINGS = [
    Things("SELECT id FROM orders WHERE customer = ANY({ids}) OR lower(email) = ANY({texts})"),
    Things(
        """SELECT f.id FROM fulfilment f JOIN orders o ON o.id = f.order_id
           WHERE o.customer = ANY({ids}) OR lower(o.email) = ANY({texts})"""
    ),
    Things(
        """SELECT r.id FROM return_request r JOIN orders o ON o.id = r.order_id
           WHERE o.customer = ANY({ids}) OR lower(o.email) = ANY({texts})"""
    ),
]

BLOCKERS = [
    Blocker(
        marked("Orders that are not delivered yet"),
        """SELECT number FROM orders WHERE id = ANY({things}) AND kind = 'sale' AND imported IS NULL
           AND status IN ('placed', 'paid', 'partially_fulfilled') ORDER BY placed_at""",
    ),
]

HOLDINGS = [
    Holding(
        table="fulfilment",
        about=marked("Parcels and pick-ups"),
        whose="order_id = ANY({things})",
        personal=("note", "tracking"),
        shown=("order_id", "state", "carrier"),
        erase="note = '', tracking = NULL",
    ),
    Holding(
        table="tracking_event",
        about=marked("Where parcels were"),
        whose="fulfilment = ANY({things})",
        personal=("place", "note"),
        shown=("status",),
        erase="DELETE",
    ),
    Holding(
        table="order_change",
        about=marked("Changes of orders"),
        whose="order_id = ANY({things})",
        personal=("note", "override", "actions", "preview", "photos"),
        shown=("order_id",),
        erase="""note = '', override = CASE WHEN override IS NOT NULL THEN '' END, photos = '{}', preview = preview - 'address', actions = (
                     SELECT coalesce(jsonb_agg(a) FILTER (WHERE a -> 'address' IS NULL), '[]')
                     FROM jsonb_array_elements(actions) AS a)""",
    ),
    Holding(
        table="return_request",
        about=marked("Returns"),
        whose="order_id = ANY({things})",
        personal=("note", "photos"),
        shown=("number", "state"),
        erase="note = '', photos = '{}'",
    ),
    Holding(
        table="orders",
        about=marked("Orders"),
        whose="id = ANY({things})",
        personal=("email", "name", "phone", "address"),
        shown=("number", "placed_at", "currency", "total", "status"),
        erase="email = NULL, name = NULL, phone = NULL, address = NULL, version = version + 1, updated_at = now()",
    ),
    Holding(
        table="order_line",
        about=marked("What was bought"),
        whose="order_id = ANY({things})",
        personal=("title",),
        shown=("order_id", "sku", "quantity"),
        kept=marked("What was sold and for how much is part of the books. It does not say to whom."),
    ),
]
