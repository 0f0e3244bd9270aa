"""Who may see and change customers."""

from samlad.access.permissions import Role, permission

READ = permission(
    "customers.read",
    "See customers and what they ordered",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
    Role.MARKETING,
    Role.DEVELOPER,
)
CHANGE = permission(
    "customers.change", "Add customers and change their details", Role.MANAGER, Role.STORE, Role.SUPPORT
)
NOTES = permission(
    "customers.notes",
    "Read and write all notes about customers, also those that clerks do not see",
    Role.MANAGER,
    Role.SUPPORT,
)
