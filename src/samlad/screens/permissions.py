"""Who pairs screens with a store, and takes them away."""

from samlad.access.permissions import Role, permission

PAIR = permission(
    "screens.pair",
    "Pair screens that face customers with a store, and take them away",
    Role.MANAGER,
    Role.STORE,
)
