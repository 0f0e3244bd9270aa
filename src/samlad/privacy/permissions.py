"""Who may give people what is known of them, and erase it."""

from samlad.access.permissions import Role, permission

READ = permission(
    "privacy.read", "See what people asked for about their data", Role.MANAGER, Role.SUPPORT, shop_wide=True
)
EXPORT = permission(
    "privacy.export",
    "Collect and download everything that is known of a person",
    Role.MANAGER,
    Role.SUPPORT,
    shop_wide=True,
)
ERASE = permission("privacy.erase", "Erase people", Role.MANAGER, shop_wide=True)
