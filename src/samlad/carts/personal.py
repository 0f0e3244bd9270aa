"""What this package knows of people: carts."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding, Things

THINGS = [Things("SELECT id FROM cart WHERE customer = ANY({ids}) OR lower(email) = ANY({texts})")]

HOLDINGS = [
    Holding(
        table="cart_line",
        about=marked("Cards that go with goods"),
        whose="cart = ANY({things}) AND gift_note IS NOT NULL",
        personal=("gift_note",),
        shown=("cart",),
        erase="gift_note = NULL",
    ),
    Holding(
        table="cart_merge",
        about=marked("Carts that became one"),
        whose="cart = ANY({things}) OR other = ANY({things})",
        personal=("before", "after"),
        shown=("created_at",),
        # What is taken back by these is over: a cart without its people is nobody's.
        erase="before = '{}', after = '{}', undone_at = coalesce(undone_at, now())",
        not_shown="repeats what carts had",
    ),
    Holding(
        table="cart",
        about=marked("Carts"),
        whose="id = ANY({things})",
        personal=(
            "email",
            "name",
            "phone",
            "address",
            "label",
            "gift_note",
            "note",
            "vat_number",
            "discounts",
        ),
        shown=("created_at", "status", "currency"),
        erase="""email = NULL, name = NULL, phone = NULL, address = NULL, label = NULL, gift_note = NULL,
                 note = NULL, vat_number = NULL, discounts = coalesce((
                     SELECT jsonb_agg(d || '{"reason": ""}' ORDER BY place)
                     FROM jsonb_array_elements(discounts) WITH ORDINALITY AS e (d, place)), '[]'), version = version + 1, updated_at = now()""",
    ),
]
