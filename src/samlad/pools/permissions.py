"""Who may let channels join and leave. Plans are seen by whoever sees channels."""

from samlad.access.permissions import Role, permission

MOVE = permission(
    "pools.move", "Let a channel join the pool of others, or leave it", Role.MANAGER, shop_wide=True
)
