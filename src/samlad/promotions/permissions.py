"""Who may do what with promotions."""

from samlad.access.permissions import Role, permission

READ = permission(
    "promotions.read",
    "See promotions, their codes and how often they were used",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
CHANGE = permission(
    "promotions.change",
    "Make and change promotions, codes and links",
    Role.MANAGER,
    Role.MARKETING,
    shop_wide=True,
)
GRANT = permission(
    "promotions.grant",
    "Give a promotion to a customer",
    Role.MANAGER,
    Role.MARKETING,
    Role.SUPPORT,
    shop_wide=True,
)
