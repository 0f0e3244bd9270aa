"""Who talks with customers. Customers read and write their own conversations."""

from samlad.access.permissions import Role, permission

READ = permission(
    "conversations.read", "Read conversations with customers", Role.MANAGER, Role.SUPPORT, Role.STORE
)
WRITE = permission(
    "conversations.write", "Answer customers, and assign and close conversations", Role.MANAGER, Role.SUPPORT
)
SETUP = permission(
    "conversations.setup", "Change the saved replies", Role.MANAGER, Role.SUPPORT, shop_wide=True
)
RECEIVE = permission(
    "conversations.receive",
    "Hand in mails that came, for mail servers and services",
    Role.DEVELOPER,
    shop_wide=True,
)
