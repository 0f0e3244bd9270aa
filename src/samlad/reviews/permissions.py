"""Who may see and decide on reviews. Customers write their own; everybody reads what is approved."""

from samlad.access.permissions import Role, permission

READ = permission(
    "reviews.read",
    "See all reviews, also those that wait or were refused",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
MODERATE = permission(
    "reviews.moderate",
    "Approve, refuse and answer reviews, and write them for customers",
    Role.MANAGER,
    Role.SUPPORT,
    Role.MARKETING,
    shop_wide=True,
)
