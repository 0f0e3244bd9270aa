"""Seeing people in tests: short words for identifiers, and what the projection makes of them."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from samlad import identity
from samlad.channels import Resource
from samlad.identity import store
from samlad.identity.model import AuthLevel, DeviceClass, Identifier, Kind, Sighting
from samlad.identity.rules import resolve
from samlad.kernel.database import Database
from trade import Trade

MORNING = datetime(2026, 11, 26, 9, tzinfo=UTC)


def identifier(text: str) -> Identifier:
    kind, _, value = text.partition(":")
    return Identifier(Kind(kind), value)


class Meeting:
    """A pool of customers, and sightings of them."""

    def __init__(self, db: Database, trade: Trade) -> None:
        self.db, self.trade = db, trade
        self.pool = trade.web.pools[Resource.CUSTOMERS]
        self._numbers = itertools.count(1)

    def sighting(self, *identifiers: str, minute: int | None = None, **more: Any) -> Sighting:
        number = next(self._numbers)
        at = MORNING + timedelta(minutes=number if minute is None else minute)
        given = {"auth": AuthLevel.AUTHENTICATED, "source": "test", "event_id": f"event-{number}"} | more
        return Sighting(
            pool=self.pool,
            observed_at=at,
            received_at=at,
            identifiers=[identifier(text) for text in identifiers],
            **given,
        )

    def tablet(self, *identifiers: str, **more: Any) -> Sighting:
        given = {"auth": AuthLevel.CLAIMED, "device_class": DeviceClass.SHARED} | more
        return self.sighting(*identifiers, **given)

    async def observe(self, *sightings: Sighting) -> list[UUID | None]:
        return await self.db.transaction(lambda tx: identity.observe(tx, sightings))

    async def see(self, *identifiers: str, **more: Any) -> UUID:
        found = (await self.observe(self.sighting(*identifiers, **more)))[0]
        assert found is not None
        return found

    async def profile(self, text: str) -> UUID:
        """The profile that an identifier belongs to now."""
        kind, _, value = text.partition(":")
        node = await self.db.value(
            "SELECT id FROM identity_node WHERE pool = $1 AND kind = $2 AND value = $3",
            self.pool,
            kind,
            value,
        )
        return (await identity.current(self.db, [node]))[node]

    async def people(self) -> set[frozenset[str]]:
        """Who is who as the projection says, customers' own ids left out."""
        rows = await self.db.rows("SELECT id, kind, value FROM identity_node WHERE pool = $1", self.pool)
        now = await identity.current(self.db, [row["id"] for row in rows])
        groups: dict[UUID, set[str]] = {}
        for row in rows:
            groups.setdefault(now[row["id"]], set())
            if row["kind"] != "customer":
                groups[now[row["id"]]].add(f"{row['kind']}:{row['value']}")
        return {frozenset(group) for group in groups.values() if group}

    async def from_scratch(self) -> set[frozenset[str]]:
        """Who is who if everything that was seen is looked at once more."""
        nodes, sightings, pins = await store.everything(self.db, self.pool)
        rules = (await store.rules_of(self.db, [self.pool]))[self.pool]
        keys = {node.id: node.key for node in nodes}
        found = resolve((each.seen(keys) for each in sightings), rules, (pin.pin(keys) for pin in pins))
        groups = [{f"{k.kind}:{k.value}" for k in group if k.kind != Kind.CUSTOMER} for group in found.groups]
        named = {text for group in groups for text in group}
        alone = {f"{key.kind}:{key.value}" for key in keys.values() if key.kind != Kind.CUSTOMER} - named
        return {frozenset(group) for group in groups if group} | {frozenset({text}) for text in alone}

    async def told(self, event_type: str) -> list[dict[str, Any]]:
        rows = await self.db.rows("SELECT payload FROM event WHERE type = $1 ORDER BY seq", event_type)
        return [row["payload"] for row in rows]
