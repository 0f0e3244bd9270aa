"""Permissions: one a verb, declared by the package that owns the verb, granted to people through roles."""

from enum import StrEnum

import msgspec

from samlad.kernel.context import SHOP_WIDE


class Role(StrEnum):
    """What somebody's work is. A role is a set of permissions; store staff are also bound to locations."""

    OWNER = "owner"
    MANAGER = "manager"
    STORE = "store"
    SUPPORT = "support"
    MARKETING = "marketing"
    DEVELOPER = "developer"


class PermissionInfo(msgspec.Struct, frozen=True):
    """What a permission allows, in one sentence, and the roles that have it. Owners have every one.

    ``shop_wide``: it is about what all places share, so nobody has it who is bound to locations.
    """

    name: str
    description: str
    roles: frozenset[Role]
    shop_wide: bool = False


_DECLARED: dict[str, PermissionInfo] = {}


def permission(name: str, description: str, *roles: Role, shop_wide: bool = False) -> str:
    """Declare a permission such as ``stock.adjust``; its name, to be kept as a constant by the package."""
    if name in _DECLARED:
        raise ValueError(f"the permission {name} is declared twice")
    _DECLARED[name] = PermissionInfo(name, description, frozenset({Role.OWNER, *roles}), shop_wide)
    if shop_wide:
        SHOP_WIDE.add(name)
    return name


def permissions() -> dict[str, PermissionInfo]:
    """Every permission that the loaded packages declare, by name."""
    return dict(sorted(_DECLARED.items()))


def permissions_of(role: Role) -> frozenset[str]:
    """The permissions of a role."""
    return frozenset(name for name, info in _DECLARED.items() if role in info.roles)


STAFF_READ = permission("staff.read", "See who works here and what they may do", Role.MANAGER)
STAFF_WRITE = permission("staff.write", "Invite staff, change their roles, disable them", Role.MANAGER)
KEY_READ = permission("key.read", "See which API keys there are", Role.DEVELOPER)
KEY_WRITE = permission("key.write", "Make and revoke API keys", Role.DEVELOPER)
METRICS_READ = permission(
    "metrics.read", "Read the metrics from anywhere (for Prometheus)", Role.DEVELOPER, shop_wide=True
)
AUDIT_READ = permission("audit.read", "Read who changed what", Role.MANAGER, shop_wide=True)
