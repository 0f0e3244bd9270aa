"""Who may see and decide who is who."""

from samlad.access.permissions import Role, permission

READ = permission(
    "identity.read",
    "See by which identifiers customers are known, and why",
    Role.MANAGER,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
    shop_wide=True,
)
DECIDE = permission(
    "identity.decide",
    "Merge customers, take them apart, and free identifiers",
    Role.MANAGER,
    Role.SUPPORT,
    shop_wide=True,
)
RULES = permission(
    "identity.rules", "Change the rules by which customers are merged", Role.MANAGER, shop_wide=True
)
