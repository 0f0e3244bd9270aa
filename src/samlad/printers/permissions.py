"""Who prints, who opens drawers without a sale, and who says where printers are."""

from samlad.access.permissions import Role, permission

PRINT = permission(
    "printers.print", "Print receipts on the printers of a store, and see its queue", Role.MANAGER, Role.STORE
)
OPEN_DRAWER = permission(
    "printers.open_drawer", "Open a cash drawer without a sale, with a reason", Role.MANAGER, Role.STORE
)
MANAGE = permission("printers.manage", "Add, change and remove the printers of a store", Role.MANAGER)
