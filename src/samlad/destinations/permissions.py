"""Who may see and change where audiences are sent."""

from samlad.access.permissions import Role, permission

READ = permission(
    "destinations.read",
    "See where audiences are sent, and what was sent",
    Role.MANAGER,
    Role.MARKETING,
    Role.DEVELOPER,
    shop_wide=True,
)
CHANGE = permission(
    "destinations.change",
    "Send audiences to ad platforms and other receivers",
    Role.MANAGER,
    Role.MARKETING,
    shop_wide=True,
)
