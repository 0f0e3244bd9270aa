"""Who may see, issue and grant gift cards, store credit and points."""

from samlad.access.permissions import Role, permission

READ = permission(
    "credit.read",
    "See gift cards, store credit, points and the loyalty programme",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
PAY = permission(
    "credit.pay",
    "Look up gift cards and loyalty codes, and pay with a customer's store credit",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
)
ISSUE = permission(
    "credit.issue",
    "Sell gift cards, block and replace lost ones, and enrol members",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
)
GRANT = permission(
    "credit.grant", "Give gift cards, store credit and points away", Role.MANAGER, Role.SUPPORT
)
PROGRAMME = permission("credit.programme", "Change the loyalty programme", Role.MANAGER, shop_wide=True)
