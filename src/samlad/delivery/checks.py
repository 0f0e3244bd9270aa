"""What must always hold of delivery, for ``samlad doctor``: days and slots count the orders that are on them."""

from functools import partial

import msgspec

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database, Tx

SHOWN = 20


class _Counter(msgspec.Struct, frozen=True):
    """A table that counts, and the one with a row for each order. ``key`` are columns of both; ``counts`` what is counted, by column."""

    table: str
    shares: str
    key: tuple[str, ...]
    counts: dict[str, str]

    @property
    def differing(self) -> str:
        """SQL of what is counted otherwise: the key, and each count as kept and as it is."""
        key, truth = ", ".join(self.key), ", ".join(f"{what} AS {name}" for name, what in self.counts.items())
        both = ", ".join(
            f"coalesce(l.{name}, 0) AS kept_{name}, coalesce(s.{name}, 0) AS {name}" for name in self.counts
        )
        differs = " OR ".join(f"coalesce(l.{name}, 0) <> coalesce(s.{name}, 0)" for name in self.counts)
        return f"""SELECT {key}, {both} FROM {self.table} l
                   FULL JOIN (SELECT {key}, {truth} FROM {self.shares} GROUP BY {key}) s USING ({key}) WHERE {differs}"""


DAYS = _Counter(
    "delivery_load",
    "delivery_share",
    ("location", "day"),
    {"orders": "count(*)::int", "units": "sum(units)::int"},
)
SLOTS = _Counter(
    "delivery_slot",
    "delivery_slot_share",
    ("location", "method", "day", "start"),
    {"orders": "count(*)::int"},
)


async def _look(database: Database, counter: _Counter) -> Finding:
    key = ", ".join(counter.key)
    rows = await database.rows(f"{counter.differing} ORDER BY {key} LIMIT {SHOWN}")
    if not rows:
        return Finding("ok", "every one")
    said = (
        f"{' '.join(str(row[name]) for name in counter.key)}: "
        + ", ".join(f"{name} {row[f'kept_{name}']}, really {row[name]}" for name in counter.counts)
        for row in rows
    )
    return Finding("failed", "; ".join(said), "Run: samlad doctor --fix")


async def _fix(database: Database, counter: _Counter) -> int:
    """Count anew what is counted otherwise; how many rows. Whoever takes or gives back meanwhile waits, or is waited for."""
    return await database.transaction(partial(_count_anew, counter=counter))


async def _count_anew(tx: Tx, counter: _Counter) -> int:
    key = ", ".join(counter.key)
    await tx.execute(
        f"""INSERT INTO {counter.table} ({key}) SELECT {key} FROM ({counter.differing}) AS d ORDER BY {key}
            ON CONFLICT DO NOTHING"""
    )
    await tx.execute(
        f"""SELECT FROM {counter.table} WHERE ({key}) IN (SELECT {key} FROM ({counter.differing}) AS d)
            ORDER BY {key} FOR UPDATE"""
    )
    sets = ", ".join(f"{name} = d.{name}" for name in counter.counts)
    same = " AND ".join(f"l.{name} = d.{name}" for name in counter.key)
    return await tx.execute(
        f"UPDATE {counter.table} l SET {sets} FROM ({counter.differing}) AS d WHERE {same}"
    )


CHECKS = [
    Check(
        "delivery-days",
        "Days of locations count the orders that are on them",
        partial(_look, counter=DAYS),
        partial(_fix, counter=DAYS),
    ),
    Check(
        "delivery-slots",
        "Delivery slots count the orders that have them",
        partial(_look, counter=SLOTS),
        partial(_fix, counter=SLOTS),
    ),
]
"""The checks of delivery."""
