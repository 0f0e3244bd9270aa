"""Who may work on carts. Guests need no permission for the cart whose token they hold."""

from samlad.access.permissions import Role, permission

WRITE = permission(
    "carts.write", "See and change any cart, and sell at a till", Role.MANAGER, Role.STORE, Role.SUPPORT
)
DISCOUNT = permission(
    "carts.discount",
    "Take something off by hand at a till, up to the limit of its channel",
    Role.MANAGER,
    Role.STORE,
)
DISCOUNT_ANY = permission(
    "carts.discount-any", "Take off any amount by hand, and approve that others do", Role.MANAGER
)
QUOTE = permission(
    "carts.quote", "Make quotes: name prices that stand until a date", Role.MANAGER, Role.SUPPORT
)
