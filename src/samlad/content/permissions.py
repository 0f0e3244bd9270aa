"""Who may say what the shop says for itself."""

from samlad.access.permissions import Role, permission

READ = permission(
    "content.read",
    "See drafts of pages, brand kits, menus and redirects",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
CHANGE = permission(
    "content.change",
    "Write drafts of pages, add pictures, change redirects",
    Role.MANAGER,
    Role.MARKETING,
    shop_wide=True,
)
PUBLISH = permission(
    "content.publish",
    "Publish pages, change menus and brand kits",
    Role.MANAGER,
    Role.MARKETING,
    shop_wide=True,
)
