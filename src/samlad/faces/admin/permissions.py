"""Who may look into the machinery."""

from samlad.access.permissions import Role, permission

SYSTEM_READ = permission(
    "system.read", "See health, events and followers", Role.MANAGER, Role.DEVELOPER, shop_wide=True
)
SYSTEM_RETRY = permission("system.retry", "Retry events that were put aside", Role.DEVELOPER, shop_wide=True)
