"""Who looks after store work that could not be booked. Doing it needs what its verbs need."""

from samlad.access.permissions import Role, permission

RESOLVE = permission(
    "storework.resolve",
    "See what phones in stores sent and could not be booked, try it again, or dismiss it",
    Role.MANAGER,
)
