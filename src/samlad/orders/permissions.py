"""Who may see, place and change orders. Guests order what is in the cart whose token they hold."""

from samlad.access.permissions import Role, permission

READ = permission(
    "orders.read",
    "See orders, payments and what was sold",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
PLACE = permission(
    "orders.place", "Place orders for customers and sell at a till", Role.MANAGER, Role.STORE, Role.SUPPORT
)
CHANGE = permission(
    "orders.change", "Hand over, ship, cancel and take back", Role.MANAGER, Role.STORE, Role.SUPPORT
)
ROUTE = permission(
    "orders.routing",
    "See, try and change the rules that say which location sends an order",
    Role.MANAGER,
    shop_wide=True,
)
IMPORT = permission(
    "orders.import", "Bring in orders of the past", Role.MANAGER, Role.DEVELOPER, shop_wide=True
)
ARRIVE = permission(
    "orders.arrive", "Take over orders of marketplaces", Role.MANAGER, Role.DEVELOPER, shop_wide=True
)
OVERRIDE = permission(
    "orders.override",
    "Go beyond return windows and limits, take goods back without a receipt, set reasons and windows",
    Role.MANAGER,
)
SHARE = permission(
    "orders.share-views",
    "Share views of the order desk, and change shared ones",
    Role.MANAGER,
    shop_wide=True,
)
