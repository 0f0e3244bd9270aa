"""Who prints price tags."""

from samlad.access.permissions import Role, permission

READ = permission("labels.read", "See and print price tags and shelf labels", Role.MANAGER, Role.STORE)
MAKE = permission("labels.make", "Make price tags and shelf labels of goods", Role.MANAGER, Role.STORE)
