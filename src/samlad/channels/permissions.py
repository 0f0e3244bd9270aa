"""Who may see and change channels."""

from samlad.access.permissions import Role, permission

READ = permission(
    "channels.read",
    "See channels and pools",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
CHANGE = permission(
    "channels.change", "Make channels and change their settings", Role.MANAGER, shop_wide=True
)
