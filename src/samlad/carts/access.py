"""Who may open a cart: its guest by token, its customer by being signed in, staff by permission."""

import hashlib
import secrets

from samlad.carts.permissions import WRITE
from samlad.carts.store import Access
from samlad.kernel.context import Actor

TOKEN_BYTES = 32


def new_token() -> tuple[str, bytes]:
    """A guest's token, 256 random bits as URL-safe text, and what we keep of it."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hash_token(token)


def hash_token(token: str) -> bytes:
    """What is kept of a token. It is random, so a plain hash cannot be searched through."""
    return hashlib.sha256(token.encode()).digest()


def access_of(actor: Actor, token: str | None) -> Access:
    """What this actor with this token can open. Nothing says whether a cart exists that they cannot open."""
    return Access(
        any=actor.may(WRITE),
        token_hash=None if token is None else hash_token(token),
        customer=actor.id if actor.kind == "customer" else None,
    )
