"""Who may see who waits for what. Customers ask for themselves."""

from samlad.access.permissions import Role, permission

READ = permission(
    "alerts.read",
    "See who waits for goods that are sold out",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
)
CHANGE = permission("alerts.change", "Take such requests away", Role.MANAGER, Role.SUPPORT)
