"""Who works with appointments. Customers book for themselves."""

from samlad.access.permissions import Role, permission

READ = permission(
    "appointments.read", "See who comes to a store when", Role.MANAGER, Role.STORE, Role.SUPPORT
)
CHANGE = permission(
    "appointments.change",
    "Book, move and cancel appointments, and say who came",
    Role.MANAGER,
    Role.STORE,
    Role.SUPPORT,
)
SETUP = permission("appointments.setup", "Say what can be booked in which store", Role.MANAGER)
