"""Tombstones: identifiers of people who were erased, as keyed hashes, so that no old file brings them back.

Who comes back by themselves, by buying something, is a new customer: their stone is taken away.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary

from samlad.customers.model import PersonInput
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.vault import Vault

PURPOSE = "customers.tombstone"

_vaults: "WeakKeyDictionary[Database, Vault]" = WeakKeyDictionary()


def hashes(database: Database, text: str) -> list[bytes]:
    """The hashes of an identifier, by each key of the vault; the first is the one to store."""
    vault = _vaults.get(database)
    if vault is None:
        vault = _vaults[database] = Vault.of(database.settings)
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    return vault.fingerprints(PURPOSE, plain)


async def bury(tx: Tx, texts: Iterable[str]) -> int:
    """Set a stone for each identifier; how many are new."""
    stones = sorted({hashes(tx.database, text)[0] for text in texts if text.strip()})
    return await tx.execute(
        "INSERT INTO customer_tombstone (hash) SELECT unnest($1::bytea[]) ON CONFLICT DO NOTHING", stones
    )


async def lift(tx: Tx, texts: Iterable[str | None]) -> int:
    """Somebody came back by themselves."""
    stones = [stone for text in texts if text for stone in hashes(tx.database, text)]
    return await tx.execute("DELETE FROM customer_tombstone WHERE hash = ANY($1)", stones)


async def buried(tx: Tx, texts: Iterable[str | None]) -> set[str]:
    """Those of some identifiers that belong to somebody who was erased."""
    wanted = {text for text in texts if text}
    if not wanted or not await tx.value("SELECT EXISTS (SELECT 1 FROM customer_tombstone)"):
        return set()
    by_hash = {stone: text for text in wanted for stone in hashes(tx.database, text)}
    rows = await tx.rows("SELECT hash FROM customer_tombstone WHERE hash = ANY($1)", list(by_hash))
    return {by_hash[row["hash"]] for row in rows}


async def without_buried(tx: Tx, people: Sequence[PersonInput]) -> list[PersonInput]:
    """Those who may come in: nobody who was erased."""
    gone = await buried(tx, (text for person in people for text in (person.email, person.external_id)))
    if not gone:
        return list(people)
    return [person for person in people if person.email not in gone and person.external_id not in gone]


class Stones:
    """All stones as they were, to be compared with in memory by who asks very often."""

    def __init__(self, database: Database, stones: frozenset[bytes]) -> None:
        self._database = database
        self._stones = stones

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stones) and other._stones == self._stones

    __hash__ = None  # type: ignore[assignment]

    def has(self, texts: Iterable[str | None]) -> bool:
        """Whether one of some identifiers is under a stone."""
        if not self._stones:
            return False
        return any(stone in self._stones for text in texts if text for stone in hashes(self._database, text))


async def everything(database: Database) -> Stones:
    """All stones."""
    rows = await database.rows("SELECT hash FROM customer_tombstone")
    return Stones(database, frozenset(row["hash"] for row in rows))


async def state(reader: Reader) -> str:
    """A text that is different after any change."""
    return str(
        await reader.value(
            "SELECT concat_ws(',', count(*), max(erased_at), max(encode(hash, 'hex'))) FROM customer_tombstone"
        )
    )
