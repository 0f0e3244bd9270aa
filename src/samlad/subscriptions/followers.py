"""What follows for subscriptions from orders and payments."""

from samlad.kernel.followers import Follower
from samlad.subscriptions import mails, renewals, starting

FOLLOWERS = [
    Follower(
        name="subscription-starts",
        handle=starting.begin,
        types=("order.placed", "order.customer_linked"),
        batch=50,
    ),
    Follower(name="subscription-ends", handle=starting.end_with_order, types=("order.cancelled",), batch=50),
    Follower(
        name="subscription-payments",
        handle=renewals.on_payment,
        types=("payment.authorized", "payment.captured", "payment.declined", "payment.voided"),
        batch=1,
    ),
    *mails.FOLLOWERS,
]
