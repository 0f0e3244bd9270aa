"""What staff may do with accounts of customers. Customers do what they like with their own."""

from samlad.access.permissions import Role, permission

READ = permission(
    "accounts.read", "See how and where customers are signed in", Role.MANAGER, Role.STORE, Role.SUPPORT
)
HELP = permission(
    "accounts.help",
    "Send customers a link or show them a code to sign in, and sign them out",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
)
