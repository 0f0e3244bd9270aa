"""Who may work on carts. Guests need no permission for the cart whose token they hold."""

from samlad.access.permissions import Role, permission

WRITE = permission(
    "carts.write", "See and change any cart, and sell at a till", Role.MANAGER, Role.STORE, Role.SUPPORT
)
QUOTE = permission(
    "carts.quote", "Make quotes: name prices that stand until a date", Role.MANAGER, Role.SUPPORT
)
