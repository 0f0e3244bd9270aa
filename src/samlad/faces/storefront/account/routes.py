"""Every address of an account."""

from samlad.faces.storefront.account import (
    announced,
    appointments,
    cancelling,
    conversations,
    data,
    exchanging,
    home,
    keeping,
    orders,
    questions,
    returns,
    security,
    sign_in,
    subscription_change,
    subscriptions,
    wishes,
)

handlers = [
    *sign_in.handlers,
    *home.handlers,
    *orders.handlers,
    *returns.handlers,
    *announced.handlers,
    *exchanging.handlers,
    *keeping.handlers,
    *security.handlers,
    *data.handlers,
    *subscriptions.handlers,
    *subscription_change.handlers,
    *appointments.handlers,
    *cancelling.handlers,
    *conversations.handlers,
    *questions.handlers,
    *wishes.handlers,
]
