"""Who may see and change repeat orders. Customers see and change their own."""

from samlad.access.permissions import Role, permission

READ = permission(
    "subscriptions.read",
    "See selling plans and subscriptions",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
CHANGE = permission(
    "subscriptions.change",
    "Begin subscriptions for customers, change, pause and cancel them",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
)
PLANS = permission("subscriptions.plans", "Make and change selling plans", Role.MANAGER, shop_wide=True)
OVERRIDE = permission(
    "subscriptions.override", "End subscriptions before their minimum is reached", Role.MANAGER
)
