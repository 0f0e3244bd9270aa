"""Which packages there are. Apart from `samlad.app`, which imports them all: migrating needs only their names."""

PACKAGES = (
    "samlad.kernel",
    "samlad.access",
    "samlad.channels",
    "samlad.tax",
    "samlad.catalog",
    "samlad.stock",
    "samlad.customers",
    "samlad.identity",
    "samlad.consent",
    "samlad.delivery",
    "samlad.credit",
    "samlad.payments",
    "samlad.promotions",
    "samlad.carts",
    "samlad.orders",
    "samlad.subscriptions",
    "samlad.documents",
    "samlad.books",
    "samlad.tracking",
    "samlad.profile",
    "samlad.accounts",
    "samlad.privacy",
    "samlad.pools",
    "samlad.audiences",
)
"""Every package with migrations, in the order of the floors."""
