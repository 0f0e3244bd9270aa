"""Who may see and change segments."""

from samlad.access.permissions import Role, permission

READ = permission(
    "audiences.read",
    "See segments, who is in them and why",
    Role.MANAGER,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
    shop_wide=True,
)
CHANGE = permission(
    "audiences.change",
    "Make, change and delete segments and lists",
    Role.MANAGER,
    Role.MARKETING,
    shop_wide=True,
)
EXPORT = permission(
    "audiences.export",
    "Take the people of segments out of the house: as files, and hashed for ad platforms",
    Role.MANAGER,
    Role.MARKETING,
    shop_wide=True,
)
