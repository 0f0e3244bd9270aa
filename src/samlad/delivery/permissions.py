"""Who may see and change how goods get to customers. What is promised to customers is open to everybody."""

from samlad.access.permissions import Role, permission

READ = permission(
    "delivery.read",
    "See delivery methods and how locations work",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
CHANGE = permission("delivery.change", "Change delivery methods and how locations work", Role.MANAGER)
