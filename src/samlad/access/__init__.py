"""Access: staff, roles, keys, audit. Who may do what, and who did. See README.md for flows and verbs."""

from samlad.access import audit, rate
from samlad.access.csrf import csrf_token
from samlad.access.middleware import session_of
from samlad.access.permissions import Role, permission, permissions
from samlad.access.welcome import first_start

__all__ = ["Role", "audit", "csrf_token", "first_start", "permission", "permissions", "rate", "session_of"]
