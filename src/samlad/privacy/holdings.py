"""What all packages together know of people, in the order in which it is erased: what refers to a thing before the thing."""

from samlad.access import personal as access
from samlad.accounts import personal as accounts
from samlad.alerts import personal as alerts
from samlad.appointments import personal as appointments
from samlad.audiences import personal as audiences
from samlad.carts import personal as carts
from samlad.channels import personal as channels
from samlad.clienteling import personal as clienteling
from samlad.consent import personal as consent
from samlad.content import personal as content
from samlad.conversations import personal as conversations
from samlad.credit import personal as credit
from samlad.customers import personal as customers
from samlad.destinations import personal as destinations
from samlad.documents import personal as documents
from samlad.duplicates import personal as duplicates
from samlad.identity import personal as identity
from samlad.kernel import holdings as kernel
from samlad.orders import personal as orders
from samlad.payments import personal as payments
from samlad.profile import personal as profile
from samlad.questions import personal as questions
from samlad.reviews import personal as reviews
from samlad.subscriptions import personal as subscriptions
from samlad.tills import personal as tills
from samlad.tracking import personal as tracking

HOLDINGS = (
    *accounts.HOLDINGS,
    *audiences.HOLDINGS,
    *destinations.HOLDINGS,
    *duplicates.HOLDINGS,
    *tracking.HOLDINGS,
    *documents.HOLDINGS,
    *content.HOLDINGS,
    *reviews.HOLDINGS,
    *questions.HOLDINGS,
    *alerts.HOLDINGS,
    *appointments.HOLDINGS,
    *conversations.HOLDINGS,
    *clienteling.HOLDINGS,
    *subscriptions.HOLDINGS,
    *tills.HOLDINGS,
    *orders.HOLDINGS,
    *carts.HOLDINGS,
    *payments.HOLDINGS,
    *credit.HOLDINGS,
    *consent.HOLDINGS,
    *identity.HOLDINGS,
    *profile.HOLDINGS,
    *customers.HOLDINGS,
    *channels.HOLDINGS,
    *access.HOLDINGS,
    *kernel.HOLDINGS,
)
THINGS = (
    *alerts.THINGS,
    *appointments.THINGS,
    *conversations.THINGS,
    *carts.THINGS,
    *credit.THINGS,
    *orders.THINGS,
    *questions.THINGS,
    *reviews.THINGS,
    *subscriptions.THINGS,
)
BLOCKERS = (*orders.BLOCKERS, *subscriptions.BLOCKERS, *appointments.BLOCKERS)

ABOUT = {holding.table: holding.about for holding in HOLDINGS}
"""What each table is, for people; to be translated."""
WHY_KEPT = {holding.table: holding.kept for holding in HOLDINGS if holding.kept}
"""Why what stays of a table stays; to be translated."""
