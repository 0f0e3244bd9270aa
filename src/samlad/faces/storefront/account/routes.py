"""Every address of an account."""

from samlad.faces.storefront.account import (
    data,
    home,
    keeping,
    orders,
    returns,
    security,
    sign_in,
    subscriptions,
)

handlers = [
    *sign_in.handlers,
    *home.handlers,
    *orders.handlers,
    *returns.handlers,
    *keeping.handlers,
    *security.handlers,
    *data.handlers,
    *subscriptions.handlers,
]
