"""Who may see and record what people agreed to."""

from samlad.access.permissions import Role, permission

READ = permission(
    "consent.read",
    "See what customers agreed to",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
RECORD = permission(
    "consent.record", "Record what customers agree to and withdraw", Role.MANAGER, Role.STORE, Role.SUPPORT
)
CHANGE = permission(
    "consent.change", "Change purposes and the texts that people are shown", Role.MANAGER, shop_wide=True
)
MAIL_READ = permission(
    "mail.read",
    "See which mails came back",
    Role.MANAGER,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
    shop_wide=True,
)
MAIL_CHANGE = permission(
    "mail.change",
    "Say whether mails go to an address that some came back from",
    Role.MANAGER,
    Role.SUPPORT,
    shop_wide=True,
)
