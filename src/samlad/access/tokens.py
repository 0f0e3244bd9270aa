"""Secrets that we hand out once and keep only as a hash. They are random, so a fast hash is enough."""

import hashlib
import secrets

KEY_PREFIX = "sk_live_"
CLIENT_PREFIX = "cs_live_"
"""How secrets of OAuth clients begin."""
ACCESS_PREFIX = "at_live_"
"""How their tokens begin."""
KEY_HINT_LENGTH = len(KEY_PREFIX) + 4


def new_token() -> str:
    """256 random bits as 43 characters that fit a cookie and an address."""
    return secrets.token_urlsafe(32)


def new_key() -> str:
    """An API key: a prefix that secret scanners know, then 256 random bits."""
    return KEY_PREFIX + new_token()


def token_hash(token: str) -> bytes:
    """SHA-256, for storing and finding."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
