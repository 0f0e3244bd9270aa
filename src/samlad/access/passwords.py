"""Passwords: argon2id in threads of their own, and which passwords are refused."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib import resources
from typing import TypeVar

import argon2

from samlad.kernel.problems import Busy, InvalidInput

T = TypeVar("T")

SHORTEST, LONGEST = 12, 256

# OWASP Password Storage Cheat Sheet (2024): argon2id with 19 MiB, two passes, one lane; about 30 ms.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# Hashing is meant to be dear: two at a time, so that a flood of tries cannot take every core and all memory.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_LONGEST_QUEUE = 200
_queued = 0

_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$O1B37TW6Z3vyORitLz9QCw$0COI7p44xlyHDxv5zKIgRq7iAgVB1wRfabLHtRiCdaw"
"""Compared with when there is no such account, so that the answer takes as long."""


async def hashed(password: str) -> str:
    """The argon2id hash in PHC form.

    Raises:
        Busy: too many others wait to be hashed.
    """
    return await _in_thread(_hasher.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; takes as long when there is no hash.

    Raises:
        Busy: too many others wait.
    """
    right = await _in_thread(_verify, password_hash or _NOBODY, password[:LONGEST])
    return right and password_hash is not None


async def derived(pin: str, salt: bytes, rounds: int) -> bytes:
    """PBKDF2-HMAC-SHA-256, 32 bytes: what browsers can check without us.

    Raises:
        Busy: too many others wait.
    """
    return await _in_thread(lambda text: hashlib.pbkdf2_hmac("sha256", text.encode(), salt, rounds), pin)


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


async def _in_thread(work: Callable[..., T], *args: str) -> T:
    global _queued
    if _queued >= _LONGEST_QUEUE:
        raise Busy("Too many people sign in at this moment.")
    _queued += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work, *args)
    finally:
        _queued -= 1


def check(password: str, *personal: str, field: str = "password") -> None:
    """Refuse what is too short, too well known, or made of the person's own name or address.

    Raises:
        InvalidInput: with the reason.
    """
    if len(password) < SHORTEST:
        raise InvalidInput.at(field, f"at least {SHORTEST} characters; a few words are easy to remember")
    if len(password) > LONGEST:
        raise InvalidInput.at(field, f"at most {LONGEST} characters")
    own = {part for text in personal for part in re.split(r"[^a-z]+", text.lower()) if len(part) > 2}
    if _is_well_known(password, own):
        raise InvalidInput.at(field, "among the first that others would try; take a few unrelated words")


_LEET = str.maketrans("@4830!1|5$7", "aaeeoiilsst")
_FEWEST_DIFFERENT = 5


def _is_well_known(password: str, own: set[str]) -> bool:
    """Whether it consists of well-known parts, with digits and signs sprinkled in: ``P4ssw0rd!2024``."""
    plain = password.lower()
    if len(set(plain)) < _FEWEST_DIFFERENT:
        return True
    inner = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    return any(
        _is_made_of(re.sub(r"[\W\d_]", "", text), refused_parts() | own)
        for text in (inner, inner.translate(_LEET))
    )


def _is_made_of(letters: str, parts: set[str] | frozenset[str]) -> bool:
    reachable = {0}
    for end in range(1, len(letters) + 1):
        if any(start in reachable and letters[start:end] in parts for start in range(max(0, end - 20), end)):
            reachable.add(end)
    return len(letters) in reachable


@lru_cache(maxsize=1)
def refused_parts() -> frozenset[str]:
    """Well-known passwords and the words that they are made of, in letters only."""
    text = (resources.files("samlad.access") / "refused_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.split() if not line.startswith("#"))
