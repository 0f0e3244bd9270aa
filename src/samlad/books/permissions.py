"""Who may see the money book, close days, map accounts and work at a drawer."""

from samlad.access.permissions import Role, permission

READ = permission("books.read", "See and export the money book, closed days and shifts", Role.MANAGER)
CLOSE = permission("books.close", "Close a location's day", Role.MANAGER)
REOPEN = permission("books.reopen", "Reopen a closed day and reverse vouchers, with a reason", Role.MANAGER)
ACCOUNTS = permission("books.accounts", "Say which account is booked for what", Role.MANAGER, shop_wide=True)
TILL = permission("books.till", "Open, count and close the drawer of a till", Role.MANAGER, Role.STORE)
TILL_REFUND = permission(
    "books.till_refund",
    "Pay refunds of imported orders, and what a provider refused, out of a drawer, with a reason",
    Role.MANAGER,
)
TILL_REPORT = permission(
    "books.till_report", "See what should be in a drawer before it is counted", Role.MANAGER
)
TIPS = permission("books.tips", "Pay tips out to the staff, and undo that with a reason", Role.MANAGER)
