"""How customers can pay from a browser: the ways that a channel offers, as they read them."""

from samlad import channels, payments
from samlad.channels import Channel, Resource
from samlad.faces.page import AnyRequest
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.orders import Order, balance

NAMES = {
    "gift_card": (marked("Gift card"), ""),
    "store_credit": (marked("Store credit"), ""),
    "stripe": (marked("Card"), marked("You type it into the fields of our payment provider.")),
    "invoice": (marked("Invoice"), marked("The goods come first; you pay within the days on the invoice.")),
    "bank_transfer": (
        marked("Bank transfer"),
        marked("You get a reference; we send when the money is here."),
    ),
    "on_delivery": (marked("Pay on delivery"), marked("You pay whoever brings it.")),
}
"""Ways to pay as customers read them; the test cards have texts of their own."""
TEST_CARDS = (
    ("ok", marked("A card that pays"), marked("The order is paid at once.")),
    ("decline", marked("A card that is declined"), marked("The bank says no; nothing is ordered.")),
    ("pending", marked("A payment that takes time"), marked("The order is placed and waits for its money.")),
)
PARTS = ("gift_card", "store_credit")
"""They pay a part: what is theirs is chosen by itself (`tenders`)."""
LATER = ("invoice", "on_delivery")
"""They give credit: nobody pays with them what is to be paid before goods leave."""


def ways(channel: Channel) -> list[str]:
    """How guests can pay here, apart from the test cards."""
    return [name for name in payments.offered(channel) if name in NAMES and name not in PARTS]


def has_test_cards(channel: Channel) -> bool:
    """Whether the shop is for trying out."""
    return "test" in payments.offered(channel)


async def ways_for(request: AnyRequest, here: Channel, order: Order) -> Channel | None:
    """Whose ways to pay what is left of an order: its own channel's, else those of this shop; None where nothing is left, or
    nobody offers one by which a browser can pay it now."""
    if balance.due_of(order, order.payments) == 0:
        return None
    own = await channels.cached(database_of(request), order.channel)
    shared = here.pools[Resource.ORDERS] == order.pool and here.currency == order.currency
    for channel in (own, here) if shared else (own,):
        if has_test_cards(channel) or set(ways(channel)) - set(LATER):
            return channel
    return None
