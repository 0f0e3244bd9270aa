"""Who may record sales of tills, and who looks after those that need it."""

from samlad.access.permissions import Role, permission

RECORD = permission(
    "tills.record",
    "Send in sales that a till rang up, load what it needs to sell without network, and lease stock for it",
    Role.MANAGER,
    Role.STORE,
)
READ = permission("tills.read", "See the sales of tills and what was wrong with them", Role.MANAGER)
RESOLVE = permission(
    "tills.resolve", "Settle sales of tills that need a look, or write them off", Role.MANAGER
)
KIOSK = permission(
    "tills.kiosk", "Set a device up as a kiosk, and take it back; see which kiosks there are", Role.MANAGER
)
