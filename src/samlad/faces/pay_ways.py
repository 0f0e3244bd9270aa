"""How staff take money by hand, for what is owed beside a ticket: the rest of an order, the difference of an exchange."""

from samlad import payments
from samlad.channels import Channel
from samlad.kernel.i18n import marked

CASH, TEST = "cash", "test"
BY_HAND = (CASH, payments.OWN_TERMINAL, TEST)
NAMES = {
    CASH: marked("Cash"),
    payments.OWN_TERMINAL: marked("Card, at a terminal of its own"),
    TEST: marked("Test payment"),
}


def of_staff(channel: Channel) -> dict[str, str]:
    """What a channel takes so, by provider with its name to translate; cash wherever staff are."""
    offered = payments.offered(channel)
    return {name: NAMES[name] for name in BY_HAND if name == CASH or name in offered}
