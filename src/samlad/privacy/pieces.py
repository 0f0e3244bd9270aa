"""An export as it is kept: in pieces, sealed with a key that is its request's own. Without that key it is noise."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import IO
from uuid import UUID

import msgspec

from samlad.kernel import vault
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import KEY_BYTES, Vault
from samlad.privacy import archive, store

_GONE = "There is no export: it is not ready yet, or is not kept any more."
_OLDER = "This export was made by an older version. Collect it again."
_SOME = 256_000
"""Bytes of lines that are sent at once."""


def secret_name(request: UUID) -> str:
    """Under which name the vault has the key of what a request sealed."""
    return f"privacy:{request}"


async def seal(tx: Tx, keys: Vault, request: UUID, value: bytes, own: bytes | None = None) -> bytes:
    """Seal something for a request, with a key that the vault keeps for it."""
    key = own or os.urandom(KEY_BYTES)
    await vault.put(tx, keys, secret_name(request), key)
    return Vault([key]).seal(secret_name(request), value)


class Keeping:
    """Takes the pieces of an export as they are made."""

    def __init__(self, tx: Tx, request: UUID) -> None:
        self._tx, self._request, self._own, self._sizes = tx, request, os.urandom(KEY_BYTES), list[int]()

    async def put(self, piece: bytes) -> None:
        """Keep the next piece."""
        number = len(self._sizes)
        sealed = await asyncio.to_thread(Vault([self._own]).seal, _purpose(self._request, number), piece)
        await store.add_piece(self._tx, self._request, number, sealed)
        self._sizes.append(len(piece))

    async def end(self, keys: Vault) -> bytes:
        """All pieces are there: what is sealed in the request then."""
        return await seal(self._tx, keys, self._request, msgspec.json.encode(self._sizes), self._own)


class Kept:
    """An export that may be read."""

    def __init__(self, request: UUID, own: Vault, sizes: list[int]) -> None:
        self._request, self._own, self._sizes = request, own, sizes

    async def zipped(self, reader: Reader) -> AsyncIterator[bytes]:
        """The archive, piece by piece."""
        for number in range(len(self._sizes)):
            sealed = await self._sealed(reader, number)
            yield await asyncio.to_thread(self._open, number, sealed)

    async def lines(self, reader: Reader, said: Callable[[str], str] = str) -> AsyncIterator[bytes]:
        """Its JSON, some lines at a time; what tables are and why they are kept in other words if need be."""
        told = archive.lines(self.file(reader), said)
        while some := await asyncio.to_thread(_some, told):
            yield some

    def file(self, reader: Reader) -> IO[bytes]:
        """The archive as a file, for a thread beside this loop: each piece is read here when it comes to it."""
        loop = asyncio.get_running_loop()

        def get(number: int) -> bytes:
            # Opened here: another thread may not be free before this one is.
            return self._open(
                number, asyncio.run_coroutine_threadsafe(self._sealed(reader, number), loop).result()
            )

        return io.BufferedReader(archive.Pieces(self._sizes, get))

    def _open(self, number: int, sealed: bytes) -> bytes:
        return self._own.open(_purpose(self._request, number), sealed)

    async def _sealed(self, reader: Reader, number: int) -> bytes:
        sealed = await store.piece(reader, self._request, number)
        if sealed is None:
            raise NotFound(_GONE)
        return sealed


async def kept(tx: Tx, keys: Vault, request: UUID) -> Kept:
    """The export of a request.

    Raises:
        NotFound: it is not ready, or not kept any more, or of before there were pieces; such exports end within 30 days.
    """
    sealed, found = await store.sealed_of(tx, request), await store.get(tx, request)
    if found is None or sealed is None or found.kind != "access":
        raise NotFound(_GONE)
    own = Vault([await vault.get(tx, keys, secret_name(request))])
    told = own.open(secret_name(request), sealed)
    if not told.startswith(b"["):
        raise NotFound(_OLDER)
    return Kept(request, own, msgspec.json.decode(told, type=list[int]))


async def forget(tx: Tx, request: UUID) -> None:
    """Destroy the key of what a request sealed, and that with it."""
    await vault.remove(tx, secret_name(request))
    await store.drop_pieces(tx, request)
    await store.set_state(tx, request, sealed=None)


def _purpose(request: UUID, number: int) -> str:
    return f"{secret_name(request)}/{number}"


def _some(told: Iterator[bytes]) -> bytes:
    out = bytearray()
    for line in told:
        out += line
        if len(out) >= _SOME:
            break
    return bytes(out)
