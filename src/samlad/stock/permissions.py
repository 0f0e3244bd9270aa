"""Who may see and change stock."""

from samlad.access.permissions import Role, permission

READ = permission(
    "stock.read",
    "See stock, holds and movements",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
ADJUST = permission("stock.adjust", "Receive, count, correct and transfer stock", Role.MANAGER, Role.STORE)
PURCHASE = permission("stock.purchase", "Order goods from suppliers, and see what they cost", Role.MANAGER)
APPROVE = permission("stock.approve", "Approve counts that differ by much", Role.MANAGER)
RECALL = permission("stock.recall", "Block a lot everywhere, and free it again", Role.MANAGER, shop_wide=True)
LOCATIONS = permission("stock.locations", "Make and change locations", Role.MANAGER, shop_wide=True)
