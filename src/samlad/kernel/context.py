"""Who does something, and in which request: it travels with the transaction into events and audit."""

from contextvars import ContextVar
from typing import Literal
from uuid import UUID

import msgspec

from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden

SHOP_WIDE: set[str] = set()
"""Permissions about what all places share (`access.permissions` declares them): who is bound to locations never has them."""

ActorKind = Literal["staff", "key", "customer", "guest", "system", "kiosk"]
"""``kiosk``: a till's device at which customers serve themselves; nobody of staff has said yes to what it sends."""


class Actor(msgspec.Struct, frozen=True):
    """Somebody who acts. ``locations`` is None for everywhere, else the locations that they are bound to.

    Bound to locations, they have none of the permissions about what all places share, whatever their role gives.
    """

    kind: ActorKind
    id: UUID | None = None
    name: str = ""
    permissions: frozenset[str] = frozenset()
    locations: frozenset[UUID] | None = None

    def __post_init__(self) -> None:
        """Nobody can be made who is bound and has what is everybody's."""
        if self.locations is not None:
            msgspec.structs.force_setattr(self, "permissions", self.permissions - SHOP_WIDE)

    def may(self, permission: str, location: UUID | None = None) -> bool:
        """Whether the actor has a permission, and has it at a location if one is given."""
        if self.kind == "system":
            return True
        if permission not in self.permissions:
            return False
        return location is None or self.locations is None or location in self.locations

    def require(self, permission: str, *, location: UUID | None = None, shop_wide: bool = False) -> None:
        """The first line of a guarded verb. ``shop_wide``: it changes what all places share, by a permission that is also
        of use at one place.

        Raises:
            Forbidden: without the permission, or without it at this location, or bound to locations.
        """
        if not self.may(permission, location):
            if permission in self.permissions:
                raise Forbidden(
                    f"This needs the permission “{permission}” at this location.", permission=permission
                )
            raise Forbidden(f"This needs the permission “{permission}”.", permission=permission)
        if shop_wide and self.locations is not None:
            raise Forbidden(
                "This is the same for all places, and you are bound to some of them.", permission=permission
            )

    @property
    def bound_to(self) -> list[UUID] | None:
        """The locations that they are bound to, in order, as a query takes them; None for everywhere."""
        return None if self.locations is None else sorted(self.locations)

    @property
    def label(self) -> str:
        """Kind and id, for the log of events: ``staff:0198…``, ``system``."""
        return self.kind if self.id is None else f"{self.kind}:{self.id}"


SYSTEM = Actor(kind="system", name="Samlad")
GUEST = Actor(kind="guest")


class Context(msgspec.Struct, frozen=True):
    """The surroundings of one request, job or command."""

    actor: Actor = SYSTEM
    request_id: UUID = msgspec.field(default_factory=new_id)
    channel: UUID | None = None
    remote: str | None = None


BACKGROUND = Context()
"""For work that nobody in particular asked for: sweepers, followers, the command line."""

EVENT_IDS: ContextVar[list[UUID] | None] = ContextVar("samlad_event_ids", default=None)
"""If set, the ids of the events that transactions committed are added: the access log tells them."""
