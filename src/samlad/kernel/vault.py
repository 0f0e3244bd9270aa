"""The vault: secrets at rest by AES-256-GCM, and signatures for cookies and links.

The keys are ``SAMLAD_SECRET_KEY`` (32 bytes in base64; several with commas: the first seals, all open) or the lines
of ``secret.key`` in the home folder, made at first start for its owner only. Every key in use is derived from them
by HKDF with its purpose, so that one use tells nothing about another. A sealed value is
``version (1) · key id (4) · nonce (12) · ciphertext and tag``, bound to its purpose as associated data.
"""

import base64
import contextlib
import hmac
import os
import stat
import time
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Self

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.kernel.settings import Settings

VERSION = 1
KEY_BYTES, ID_BYTES, NONCE_BYTES = 32, 4, 12
_HEAD = 1 + ID_BYTES + NONCE_BYTES


class CannotOpen(Problem):
    """A secret cannot be opened: it was changed, was sealed for something else, or its key is gone."""

    code, status, title = "cannot-open", 500, "A stored secret cannot be opened"


class BadSignature(Problem):
    """A signed cookie or link was changed, is too old, or was made for something else."""

    code, status, title = "bad-signature", 400, "This link is not valid (any more)"


class Vault:
    """Seals and signs with the first key, opens and verifies with every key."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"keys are {KEY_BYTES} bytes each")
        self._keys = tuple(keys)
        self._by_id = {key_id(key): key for key in keys}

    def __repr__(self) -> str:
        return f"<Vault with {len(self._keys)} keys>"

    def __reduce__(self) -> str:
        raise TypeError("a vault does not travel")

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The vault of these settings; makes the key file if it is needed and missing.

        Raises:
            InvalidInput: a key that is not 32 bytes of base64, or a key file that others may read.
        """
        if settings.secret_key:
            return cls(_parse_keys(settings.secret_key.split(","), "SAMLAD_SECRET_KEY"))
        path = settings.home / "secret.key"
        if not path.exists():
            _make_key_file(path)
        return cls(_read_key_file(path))

    def seal(self, purpose: str, value: bytes) -> bytes:
        """Encrypt. Only `open` with the same purpose gets the value back."""
        key, nonce = self._keys[0], os.urandom(NONCE_BYTES)
        head = bytes([VERSION]) + key_id(key) + nonce
        return head + _cipher(key).encrypt(nonce, value, _associated(head, purpose))

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt.

        Raises:
            CannotOpen: changed, another purpose, or a key that is not here.
        """
        head, body = sealed[:_HEAD], sealed[_HEAD:]
        if len(head) < _HEAD or head[0] != VERSION:
            raise CannotOpen("It has no form that this program knows.")
        key = self._by_id.get(head[1 : 1 + ID_BYTES])
        if key is None:
            raise CannotOpen("The key that sealed it is not among the keys of this program.")
        try:
            return _cipher(key).decrypt(head[1 + ID_BYTES :], body, _associated(head, purpose))
        except InvalidTag:
            raise CannotOpen("It was changed, or was sealed for something else.") from None

    def reseal(self, purpose: str, sealed: bytes) -> bytes:
        """The same value under the first key; the very same bytes if it is already."""
        if sealed[1 : 1 + ID_BYTES] == key_id(self._keys[0]):
            return sealed
        return self.seal(purpose, self.open(purpose, sealed))

    def fingerprints(self, purpose: str, text: str) -> list[bytes]:
        """A keyed hash of a text by every key (HMAC-SHA-256), the first key's first: to compare what must not be kept."""
        return [hmac.digest(_derive(key, f"hash/{purpose}"), text.encode(), sha256) for key in self._keys]

    def sign(self, purpose: str, data: str | bytes) -> str:
        """A text for cookies and links that holds the data readably, the time, and a signature of both."""
        raw = data.encode() if isinstance(data, str) else data
        body = _to_text(int(time.time()).to_bytes(6, "big") + raw)
        return f"{body}.{_to_text(_mac(self._keys[0], purpose, body))}"

    def unsign(self, purpose: str, text: str, *, max_age: float) -> str:
        """The text that was signed by `sign`, at most ``max_age`` seconds ago.

        Raises:
            BadSignature: as `unsign_bytes`.
        """
        return self.unsign_bytes(purpose, text, max_age=max_age).decode()

    def unsign_bytes(self, purpose: str, text: str, *, max_age: float) -> bytes:
        """The bytes that were signed by `sign`, at most ``max_age`` seconds ago.

        Raises:
            BadSignature: changed, too old, made for another purpose or by a key that is gone.
        """
        body, _, signature = text.partition(".")
        try:
            given, raw = _from_text(signature), _from_text(body)
        except ValueError:
            raise BadSignature from None
        if not any(hmac.compare_digest(_mac(key, purpose, body), given) for key in self._keys):
            raise BadSignature
        age = time.time() - int.from_bytes(raw[:6], "big")
        if not -60 <= age <= max_age:
            raise BadSignature("It is too old.")
        return raw[6:]


class SecretInfo(msgspec.Struct, frozen=True):
    """A stored secret without its value."""

    name: str
    key_id: str


async def put(tx: Tx, vault: Vault, name: str, value: bytes) -> None:
    """Store a secret under a name, in place of what was there."""
    await tx.execute(
        "INSERT INTO secret (name, sealed) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, updated_at = now()",
        name,
        vault.seal(name, value),
    )


async def get(reader: Reader, vault: Vault, name: str) -> bytes:
    """A stored secret's value.

    Raises:
        NotFound: nothing is stored under this name.
        CannotOpen: see `Vault.open`.
    """
    sealed = await reader.value("SELECT sealed FROM secret WHERE name = $1", name)
    if sealed is None:
        raise NotFound(f"There is no secret called {name}.")
    return vault.open(name, sealed)


async def changed_at(reader: Reader, name: str) -> datetime | None:
    """When a secret was stored last; None if there is none."""
    at: datetime | None = await reader.value("SELECT updated_at FROM secret WHERE name = $1", name)
    return at


async def remove(tx: Tx, name: str) -> None:
    """Forget a secret; fine if there is none."""
    await tx.execute("DELETE FROM secret WHERE name = $1", name)


async def names(reader: Reader) -> list[SecretInfo]:
    """What is stored, and which key it needs."""
    rows = await reader.rows("SELECT name, substring(sealed FROM 2 FOR 4) AS key FROM secret ORDER BY name")
    return [SecretInfo(row["name"], row["key"].hex()) for row in rows]


async def reseal_all(tx: Tx, vault: Vault) -> int:
    """Seal every stored secret anew under the first key, after a new one was put in front; how many changed."""
    rows = await tx.rows("SELECT name, sealed FROM secret ORDER BY name FOR UPDATE")
    fresh = [(row["name"], vault.reseal(row["name"], row["sealed"]), row["sealed"]) for row in rows]
    changed = [(name, sealed) for name, sealed, before in fresh if sealed != before]
    await tx.execute(
        "UPDATE secret s SET sealed = n.sealed, updated_at = now()"
        " FROM unnest($1::text[], $2::bytea[]) AS n (name, sealed) WHERE n.name = s.name",
        [name for name, _ in changed],
        [sealed for _, sealed in changed],
    )
    return len(changed)


def add_key(home: Path) -> str:
    """Put a new key in front of the key file, so that it seals from the next start on; its id in hex."""
    path = home / "secret.key"
    keys = _read_key_file(path) if path.exists() else []
    fresh = os.urandom(KEY_BYTES)
    _write_private(path.with_suffix(".new"), [fresh, *keys])
    path.with_suffix(".new").replace(path)
    return key_id(fresh).hex()


@lru_cache(maxsize=64)
def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"samlad/{purpose}".encode()).derive(key)


def key_id(key: bytes) -> bytes:
    """Tells keys apart without telling anything about them."""
    return _derive(key, "key-id")[:ID_BYTES]


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(_derive(key, "seal"))


def _associated(head: bytes, purpose: str) -> bytes:
    return head + purpose.encode()


def _mac(key: bytes, purpose: str, body: str) -> bytes:
    return hmac.digest(_derive(key, f"sign/{purpose}"), body.encode(), sha256)


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _from_text(text: str) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _to_text(data) != text:
        raise ValueError("not the one way to write it")
    return data


def _parse_keys(texts: Sequence[str], where: str) -> list[bytes]:
    keys = []
    for text in texts:
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise InvalidInput(
                f"{where}: a key is 32 bytes in base64, for example from `openssl rand -base64 32`."
            )
        keys.append(key)
    return keys


def _read_key_file(path: Path) -> list[bytes]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InvalidInput(f"{path} can be read by others (mode {mode:o}). Run: chmod 600 {path}")
    return _parse_keys(path.read_text("ascii", errors="replace").split(), str(path))


def _make_key_file(path: Path) -> None:
    """Make the file whole or not at all; of several programs that start at once, the first one's key counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    _write_private(draft, [os.urandom(KEY_BYTES)])
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _write_private(path: Path, keys: Sequence[bytes]) -> None:
    with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.writelines(f"{base64.b64encode(key).decode()}\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
