"""A phone of the tests: entries as its outbox has them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from samlad import storework
from samlad.access.permissions import Role, permissions_of
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.stock import Location
from samlad.storework import Verdict


def person(role: Role = Role.STORE, *places: Location) -> Actor:
    """Staff, everywhere or bound to places."""
    return Actor(
        kind="staff",
        id=uuid4(),
        name="Sam Säljare",
        permissions=permissions_of(role),
        locations=frozenset(place.id for place in places) or None,
    )


class Phone:
    """A phone at a place, with somebody signed in."""

    def __init__(self, db: Database, place: Location, who: Actor | None = None) -> None:
        self.db = db
        self.place = place
        self.who = who or person()
        self.id = uuid4()
        self.sequence = 0

    def entry(self, kind: str, *, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
        """Something that was done, a minute ago if nothing is said."""
        self.sequence += 1
        return {
            "id": str(uuid4()),
            "device": str(self.id),
            "sequence": self.sequence,
            "kind": kind,
            "happened_at": (at or now() - timedelta(minutes=1)).isoformat(),
            "by": str(self.who.id),
            "by_name": self.who.name,
            **{name: str(value) if isinstance(value, UUID) else value for name, value in fields.items()},
        }

    async def send(
        self, *entries: dict[str, Any], as_: Actor | None = None, again: bool = False
    ) -> list[Verdict]:
        """What the server says to them."""
        return await storework.record_batch(
            self.db,
            Context(actor=as_ or self.who),
            self.place,
            entries,
            [each["id"] for each in entries] if again else [],
        )
