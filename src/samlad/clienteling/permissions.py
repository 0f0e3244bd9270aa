"""Who serves customers personally."""

from samlad.access.permissions import Role, permission

SERVE = permission(
    "clienteling.serve",
    "Look customers up in a store over all channels, recommend, keep follow-ups and look after customers",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
)
LEAD = permission(
    "clienteling.lead", "See whom others look after, and take over their customers and tasks", Role.MANAGER
)
