"""Who may do what with events that clients send."""

from samlad.access.permissions import Role, permission

READ = permission(
    "tracking.read",
    "See sources of events, the events and what was parked",
    Role.MANAGER,
    Role.MARKETING,
    Role.SUPPORT,
    Role.DEVELOPER,
    shop_wide=True,
)
CHANGE = permission(
    "tracking.change",
    "Make and change sources of events, their keys and the tracking plan",
    Role.MANAGER,
    Role.DEVELOPER,
    shop_wide=True,
)
WRITE = permission(
    "tracking.write",
    "Send events to any source, as programs with a token do",
    Role.DEVELOPER,
    shop_wide=True,
)
DELETE = permission("tracking.delete", "Delete single events of clients", Role.MANAGER, shop_wide=True)
