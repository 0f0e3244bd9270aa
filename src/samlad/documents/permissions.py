"""Who may see and issue documents, and say who sells. Customers see those of an order whose link they hold."""

from samlad.access.permissions import Role, permission

READ = permission(
    "documents.read", "See invoices, credit notes and receipts", Role.MANAGER, Role.STORE, Role.SUPPORT
)
ISSUE = permission("documents.issue", "Issue invoices and credit notes", Role.MANAGER, Role.SUPPORT)
ENTITIES = permission(
    "documents.entities",
    "Change legal entities: who sells, and how numbers look",
    Role.MANAGER,
    shop_wide=True,
)
