"""Locations in the database, and the stores' of this process: read with every request of a till, changed a few times a year."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.kernel.rows import into
from samlad.kernel.snapshots import Kept
from samlad.stock.model import Location

_LOCATION = """id, pool, code, name, kind, channel, address, latitude, longitude, time_zone, priority, is_active,
               version, buffer, currency, variance_units, variance_value, lot_strategy"""


async def location(reader: Reader, location_id: UUID) -> Location:
    """A location. Raises NotFound."""
    found = await reader.one(Location, f"SELECT {_LOCATION} FROM location WHERE id = $1", location_id)
    if found is None:
        raise NotFound(f"There is no location {location_id}.")
    return found


async def locations(reader: Reader, pool: UUID | None = None) -> list[Location]:
    """All locations, or those of a stock pool, by priority."""
    return await reader.all(
        Location,
        f"SELECT {_LOCATION} FROM location WHERE $1::uuid IS NULL OR pool = $1 ORDER BY priority, code",
        pool,
    )


async def location_by_code(reader: Reader, code: str) -> Location:
    """A location. Raises NotFound."""
    found = await reader.one(Location, f"SELECT {_LOCATION} FROM location WHERE code = $1", code)
    if found is None:
        raise NotFound(f"There is no location “{code}”.")
    return found


async def insert_location(tx: Tx, values: Mapping[str, Any]) -> Location | None:
    """Insert a location; None when its code is taken."""
    names = list(values)
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    rows = await tx.rows(
        f"""INSERT INTO location ({", ".join(names)}) VALUES ({places}) ON CONFLICT (code) DO NOTHING
            RETURNING {_LOCATION}""",
        *values.values(),
    )
    return into(Location, rows)[0] if rows else None


async def update_location(
    tx: Tx, location_id: UUID, version: int, values: Mapping[str, Any]
) -> Location | None:
    """Set columns and count the version up; None when the version is not that any more."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 3))
    return await tx.one(
        Location,
        f"""UPDATE location SET {sets} version = version + 1, updated_at = now()
            WHERE id = $1 AND version = $2 RETURNING {_LOCATION}""",
        location_id,
        version,
        *values.values(),
    )


async def fingerprint(reader: Reader) -> int:
    """A number that grows with every change of any location."""
    return int(await reader.value("SELECT count(*) + coalesce(sum(version), 0) FROM location"))


async def _load(reader: Reader) -> dict[UUID, Location]:
    by_priority = await locations(reader)
    return {each.channel: each for each in reversed(by_priority) if each.channel and each.is_active}


_STORES = Kept(_load, fingerprint)
forget = _STORES.forget


async def place_of(reader: Database | Tx, channel: UUID) -> Location | None:
    """The active location where a channel stands, at most `MAX_AGE_SECONDS` old; None: there is none, also now."""
    found = (await _STORES.snapshot(reader)).value.get(channel)
    return found or (await _STORES.snapshot(reader, max_age=0)).value.get(channel)
