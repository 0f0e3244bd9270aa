"""Free text about a person, sealed with a key of that person's own: destroying the key destroys every copy of the text.

A key belongs to an *owner* that never changes: a customer's row or an order, not the person whom several rows are found to
be. So merges and splits leave what is sealed as it is. `docs/decisions/erasure.md` says what this reaches and what not.
"""

import os
from collections.abc import Iterable, Sequence
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec

from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.vault import KEY_BYTES, Vault

STRIDE = 500
"""Texts of before that one transaction seals."""

_vaults: "WeakKeyDictionary[Database, Vault]" = WeakKeyDictionary()


async def seal(tx: Tx, owner: UUID, purpose: str, text: str) -> bytes:
    """A text, so that only `unseal` with the same owner and purpose reads it. The owner's key is made when first needed."""
    return (await seal_many(tx, purpose, [(owner, text)]))[0]


async def seal_many(tx: Tx, purpose: str, texts: Sequence[tuple[UUID, str]]) -> list[bytes]:
    """`seal` for texts of several owners, in their order. Keys are made in key order. Two statements."""
    vault = _vault(tx)
    owners = sorted({owner for owner, _ in texts})
    await tx.execute(
        """INSERT INTO personal_key (owner, sealed) SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS k (owner, sealed)
           WHERE NOT EXISTS (SELECT 1 FROM personal_key p WHERE p.owner = k.owner) ON CONFLICT DO NOTHING""",
        owners,
        [vault.seal(_name(owner), os.urandom(KEY_BYTES)) for owner in owners],
    )
    keys = await _keys(tx, owners)
    return [keys[owner].seal(_bound(owner, purpose), text.encode()) for owner, text in texts]


async def unseal(reader: Reader, purpose: str, sealed: Iterable[tuple[UUID, bytes | None]]) -> list[str]:
    """Texts of owners, in their order. What was sealed with a key that is destroyed, and None, is empty. One statement."""
    told = list(sealed)
    keys = await _keys(reader, sorted({owner for owner, value in told if value is not None}))
    return [
        "" if value is None or owner not in keys else keys[owner].open(_bound(owner, purpose), value).decode()
        for owner, value in told
    ]


async def seal_old(database: Database, column: "SealedColumn") -> int:
    """Seal texts of before they were sealed, a stride a transaction; how many. Several processes may do it at once."""

    async def work(tx: Tx) -> int:
        rows = await tx.rows(
            f"""SELECT id, {column.owner} AS owner, {column.text} AS text FROM {column.table}
                WHERE {column.sealed} IS NULL AND {column.text} <> '' ORDER BY id LIMIT {STRIDE} FOR UPDATE SKIP LOCKED"""
        )
        if not rows:
            return 0
        sealed = await seal_many(tx, column.purpose, [(row["owner"], row["text"]) for row in rows])
        return await tx.execute(
            f"""UPDATE {column.table} t SET {column.sealed} = s.sealed, {column.text} = {column.emptied}
                FROM unnest($1::uuid[], $2::bytea[]) AS s (id, sealed) WHERE t.id = s.id""",
            [row["id"] for row in rows],
            sealed,
        )

    total = 0
    while done := await database.transaction(work):
        total += done
    return total


class SealedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """Where sealed texts are kept, and where those of before are. All are names of ours.

    Attributes:
        owner: the column of whose key it is.
        text: the column of texts of before; ``emptied``: what it is when its text is sealed, as SQL.
    """

    table: str
    owner: str
    purpose: str
    sealed: str = "sealed"
    text: str = "text"
    emptied: str = "NULL"


async def _keys(reader: Reader, owners: Sequence[UUID]) -> dict[UUID, Vault]:
    if not owners:
        return {}
    vault = _vault(reader)
    rows = await reader.rows(
        "SELECT owner, sealed FROM personal_key WHERE owner = ANY ($1::uuid[])", list(owners)
    )
    return {row["owner"]: Vault([vault.open(_name(row["owner"]), row["sealed"])]) for row in rows}


async def reseal_all(tx: Tx, vault: Vault) -> int:
    """Seal every key anew under the vault's first key, after a new one was put in front; how many changed."""
    rows = await tx.rows("SELECT owner, sealed FROM personal_key ORDER BY owner FOR UPDATE")
    fresh = [(row["owner"], vault.reseal(_name(row["owner"]), row["sealed"]), row["sealed"]) for row in rows]
    changed = [(owner, sealed) for owner, sealed, before in fresh if sealed != before]
    await tx.execute(
        """UPDATE personal_key k SET sealed = n.sealed FROM unnest($1::uuid[], $2::bytea[]) AS n (owner, sealed)
           WHERE n.owner = k.owner""",
        [owner for owner, _ in changed],
        [sealed for _, sealed in changed],
    )
    return len(changed)


def _vault(reader: Reader) -> Vault:
    database = reader.database if isinstance(reader, Tx) else reader
    assert isinstance(database, Database)
    if database not in _vaults:
        _vaults[database] = Vault.of(database.settings)
    return _vaults[database]


def _name(owner: UUID) -> str:
    return f"personal:{owner}"


def _bound(owner: UUID, purpose: str) -> str:
    return f"{purpose}:{owner}"
