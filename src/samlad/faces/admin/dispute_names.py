"""Words for disputes: why a customer says that a payment was not right, and how the dispute stands."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked

REASONS: Mapping[str, str] = {
    "fraudulent": marked("They say that they did not pay"),
    "unrecognized": marked("They do not recognise the payment"),
    "duplicate": marked("They say that they paid twice"),
    "product_not_received": marked("They say that the goods did not come"),
    "product_unacceptable": marked("They say that the goods were not as described"),
    "credit_not_processed": marked("They wait for money that was to go back"),
    "subscription_canceled": marked("They say that the subscription was ended"),
    "general": marked("Their bank gives no reason"),
}
"""The provider's words for the reasons that a shop can do something about; others are shown as the provider says them."""

STATUS: Mapping[str, str] = {
    "needs_response": marked("Waits for your answer"),
    "under_review": marked("The bank looks at it"),
    "won": marked("Won: the money is yours"),
    "lost": marked("Lost: the money is gone"),
    "closed": marked("Over: the money stayed"),
}
STATUS_KIND: Mapping[str, str] = {
    "needs_response": "danger",
    "under_review": "info",
    "won": "success",
    "lost": "danger",
    "closed": "",
}
