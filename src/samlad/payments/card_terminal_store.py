"""SQL of the table ``card_terminal``."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered, uuids
from samlad.payments.card_terminal_model import CardTerminal

_ROW = """t.id, t.location, t.name, t.reference, t.is_active, t.version, w.amount AS busy, w.currency, w.id AS busy_with,
          (SELECT max(p.created_at) FROM payment p WHERE p.terminal = t.id) AS used_at"""
_FROM = """card_terminal t LEFT JOIN payment w ON w.terminal = t.id AND w.status = 'pending' AND NOT w.is_leaving"""

TERMINALS = Listing(
    row=CardTerminal,
    select=_ROW,
    source=f"{_FROM} WHERE t.is_active AND ($1::uuid[] IS NULL OR t.location = ANY($1))",
    key="t.id",
    sorts={"name": Sort("t.name", "text")},
    default_sort="name",
    filters={
        "location": Filter("t.location = ANY({})", uuids),
        "q": Filter("lower(t.name || ' ' || t.reference) LIKE {}", anywhere_lowered),
    },
)
"""Those that are used; ``q`` is a part of a name, or of what the provider calls it; scope: the locations of whoever asks, None for all."""


async def read(reader: Reader, terminal: UUID) -> CardTerminal | None:
    """One by its id, also one that was removed."""
    return await reader.one(CardTerminal, f"SELECT {_ROW} FROM {_FROM} WHERE t.id = $1", terminal)


async def of_location(reader: Reader, location: UUID) -> list[CardTerminal]:
    """Those of a location that are used, the first one first."""
    return await reader.all(
        CardTerminal,
        f"SELECT {_ROW} FROM {_FROM} WHERE t.location = $1 AND t.is_active ORDER BY t.created_at, t.id",
        location,
    )


async def names_of(reader: Reader, terminals: Sequence[UUID]) -> dict[UUID, str]:
    """What they are called, also those that were removed; nothing is asked for none."""
    if not terminals:
        return {}
    rows = await reader.rows("SELECT id, name FROM card_terminal WHERE id = ANY($1)", list(terminals))
    return {row["id"]: row["name"] for row in rows}


async def lock(tx: Tx, terminal: UUID) -> bool:
    """Hold one that is used until the transaction ends; False if it is not."""
    return bool(
        await tx.value("SELECT true FROM card_terminal WHERE id = $1 AND is_active FOR UPDATE", terminal)
    )


async def had_any(reader: Reader, location: UUID) -> bool:
    """Whether a location has, or had, a terminal."""
    return bool(await reader.value("SELECT EXISTS (SELECT FROM card_terminal WHERE location = $1)", location))


async def insert(tx: Tx, terminal: UUID, location: UUID, name: str, reference: str) -> bool:
    """A new one; False if another of its location has the name, or it is there."""
    return bool(
        await tx.execute(
            """INSERT INTO card_terminal (id, location, name, reference) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING""",
            terminal,
            location,
            name,
            reference,
        )
    )


async def name_is_free(tx: Tx, location: UUID, name: str, but: UUID) -> bool:
    """Whether none of a location but this one is called so."""
    return not await tx.value(
        """SELECT EXISTS (SELECT FROM card_terminal
                          WHERE location = $1 AND lower(name) = lower($2) AND is_active AND id <> $3)""",
        location,
        name,
        but,
    )


async def update(tx: Tx, terminal: UUID, values: Mapping[str, Any]) -> None:
    """Change a locked one."""
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 2))
    await tx.execute(
        f"UPDATE card_terminal SET {sets}, version = version + 1 WHERE id = $1", terminal, *values.values()
    )
