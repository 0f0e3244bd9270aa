"""What this package knows of people: orders, parcels, changes and returns. The order itself stays: it is in the books."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Blocker, Holding, Things
from samlad.orders import change_store, exchange_store, return_store, tagging_store

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
    Things(
        """SELECT e.id FROM exchange_to_pay e JOIN orders o ON o.id = e.order_id
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
        personal=("note", "tracking", "reason"),
        shown=("order_id", "state", "carrier"),
        # Of one that was called off the reason is what somebody wrote; else it is a code.
        erase="note = '', tracking = NULL, reason = CASE WHEN state <> 'cancelled' THEN reason END",
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
        table="order_note",
        about=marked("Notes on orders"),
        whose="order_id = ANY({things})",
        personal=("text", "sealed"),
        shown=("order_id", "created_at"),
        erase="DELETE",
        sealed=tagging_store.SEALED,
    ),
    Holding(
        table="order_tag",
        about=marked("Tags of orders"),
        whose="order_id = ANY({things})",
        personal=("tag",),
        shown=("order_id", "tagged_at"),
        erase="DELETE",
    ),
    Holding(
        table="order_change",
        about=marked("Changes of orders"),
        whose="order_id = ANY({things})",
        personal=("note", "sealed_note", "override", "actions", "preview", "photos"),
        shown=("order_id",),
        sealed=change_store.SEALED,
        erase="""note = '', sealed_note = NULL, override = CASE WHEN override IS NOT NULL THEN '' END, photos = '{}', preview = preview - 'address', actions = (
                     SELECT coalesce(jsonb_agg(a) FILTER (WHERE a -> 'address' IS NULL), '[]')
                     FROM jsonb_array_elements(actions) AS a)""",
    ),
    Holding(
        table="return_request",
        about=marked("Returns"),
        whose="order_id = ANY({things})",
        personal=("note", "sealed_note", "photos"),
        shown=("order_id", "number", "state"),
        sealed=return_store.SEALED,
        erase="note = '', sealed_note = NULL, photos = '{}'",
    ),
    Holding(
        table="exchange_to_pay",
        about=marked("Exchanges that were not paid yet"),
        whose="order_id = ANY({things})",
        personal=("sealed_note", "input"),
        shown=("order_id", "state"),
        sealed=exchange_store.SEALED,
        erase="sealed_note = NULL, input = input - 'photos'",
    ),
    Holding(
        table="orders",
        about=marked("Tax numbers of orders"),
        whose="id = ANY({things}) AND vat_number IS NOT NULL",
        personal=("vat_number", "vat_consultation"),
        shown=("number",),
        kept=marked(
            "That tax was not charged must be proved to the tax office, with the number of the business that bought."
        ),
    ),
    Holding(
        table="orders",
        about=marked("Orders"),
        whose="id = ANY({things})",
        personal=("email", "name", "phone", "address", "note", "gift_note"),
        shown=("number", "placed_at", "currency", "total", "status"),
        erase="""email = NULL, name = NULL, phone = NULL, address = NULL, note = NULL, gift_note = NULL,
                 version = version + 1, updated_at = now()""",
    ),
    Holding(
        table="order_line",
        about=marked("Cards that go with goods"),
        whose="order_id = ANY({things}) AND gift_note IS NOT NULL",
        personal=("gift_note",),
        shown=("order_id",),
        erase="gift_note = NULL",
    ),
    Holding(
        table="order_line",
        about=marked("Why staff gave a discount"),
        whose="""order_id = ANY({things}) AND reductions @> '[{"by_hand": true}]'""",
        personal=("reductions",),
        shown=("order_id",),
        erase="""reductions = (SELECT jsonb_agg(CASE WHEN step ->> 'by_hand' = 'true' THEN step || '{"name": ""}' ELSE step END
                                                ORDER BY place)
                               FROM jsonb_array_elements(reductions) WITH ORDINALITY AS s (step, place))""",
    ),
    Holding(
        table="order_view",
        about=marked("Views of the order desk that name them"),
        whose="""EXISTS (SELECT 1 FROM unnest({needles}) AS n (word)
                         WHERE strpos(lower(name || ' ' || filters::text), lower(n.word)) > 0)""",
        personal=("name", "filters"),
        erase="name = right(id::text, 12), filters = '{}'",
        not_shown="a view of staff",
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
