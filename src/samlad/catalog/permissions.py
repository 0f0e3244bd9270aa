"""Who may do what with the catalogue and its prices."""

from samlad.access.permissions import Role, permission

READ = permission(
    "catalog.read",
    "See products, categories and prices",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
CHANGE = permission(
    "catalog.change",
    "Create and change products, categories, collections and listings",
    Role.MANAGER,
    Role.MARKETING,
    shop_wide=True,
)
PRICES = permission("prices.change", "Change prices and price lists", Role.MANAGER, shop_wide=True)
