"""Who may work on payments by themselves. Paying, refunding and capturing with an order is guarded by orders."""

from samlad.access.permissions import Role, permission

READ = permission("payments.read", "See payments, refunds and money that came in", Role.MANAGER, Role.SUPPORT)
RECEIVE = permission(
    "payments.receive", "Book money that came in by bank or by hand", Role.MANAGER, Role.STORE
)
SET_UP = permission("payments.set-up", "Set the keys of payment providers", Role.MANAGER, shop_wide=True)
TERMINAL = permission(
    "payments.terminal", "Play the card terminal of the simulator", Role.MANAGER, Role.STORE, Role.DEVELOPER
)
TERMINALS = permission(
    "payments.terminals", "List, name and remove the card terminals of a location", Role.MANAGER
)
CAPTURE = permission("payments.capture", "Take a part of what was reserved", Role.MANAGER, Role.SUPPORT)
