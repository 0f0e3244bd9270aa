"""What OAuth clients do: fetch a token with their secret (RFC 6749 §4.4), give one back (RFC 7009).

Tokens are opaque and short-lived; a process believes one for five seconds (`recent`) before it asks again.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad.access import recent
from samlad.access.events import TokenRevoked
from samlad.access.permissions import permissions
from samlad.access.tokens import ACCESS_PREFIX, new_token, token_hash
from samlad.kernel import log
from samlad.kernel.database import Tx

LONGEST = 200


class OAuthRefusal(Exception):
    """An error of RFC 6749 §5.2: ``error`` is its word, ``description`` is for developers."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


class Issued(msgspec.Struct, frozen=True):
    """A token as it is answered; ``scope`` are permissions with spaces between."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class _Client(msgspec.Struct, frozen=True):
    id: UUID
    scopes: list[str]
    token_seconds: int


async def _authenticate(tx: Tx, client_id: str, secret: str) -> _Client:
    """The client behind an id and a secret. Found by the hash, so timing tells nothing of a guess."""
    found = await tx.one(
        _Client,
        """SELECT c.id, c.scopes, c.token_seconds FROM oauth_secret s JOIN oauth_client c ON c.id = s.client
           WHERE s.secret_hash = $1 AND c.id::text = $2 AND c.revoked_at IS NULL
             AND (s.ends_at IS NULL OR s.ends_at > now())""",
        token_hash(secret[:LONGEST]),
        client_id.lower(),
    )
    if found is None:
        raise OAuthRefusal("invalid_client", "The client or its secret is not valid.", 401)
    return found


async def issue(tx: Tx, client_id: str, secret: str, scope: str | None) -> Issued:
    """A new token. Without ``scope`` it may do all that the client may.

    Raises:
        OAuthRefusal: invalid_client, invalid_scope.
    """
    client = await _authenticate(tx, client_id, secret)
    allowed = [each for each in client.scopes if each in permissions()]
    wanted = sorted(set(scope.split())) if scope and scope.split() else allowed
    beyond = [each for each in wanted if each not in allowed]
    if beyond or not wanted:
        raise OAuthRefusal("invalid_scope", f"This client may not: {', '.join(beyond) or 'anything'}.")
    token = ACCESS_PREFIX + new_token()
    await tx.execute(
        """INSERT INTO oauth_token (token_hash, client, scopes, expires_at)
           VALUES ($1, $2, $3, now() + make_interval(secs => $4))""",
        token_hash(token),
        client.id,
        wanted,
        float(client.token_seconds),
    )
    await tx.execute(
        """UPDATE oauth_client SET last_used = now()
           WHERE id = $1 AND (last_used IS NULL OR last_used < now() - interval '1 minute')""",
        client.id,
    )
    return Issued(token, "Bearer", client.token_seconds, " ".join(wanted))


async def revoke(tx: Tx, client_id: str, secret: str, token: str) -> None:
    """Make one of a client's own tokens worthless; one that is none, or another's, changes nothing and is no error.

    Raises:
        OAuthRefusal: invalid_client.
    """
    client = await _authenticate(tx, client_id, secret)
    revoked = await tx.execute(
        """UPDATE oauth_token SET revoked_at = now()
           WHERE token_hash = $1 AND client = $2 AND revoked_at IS NULL AND expires_at > now()""",
        token_hash(token[:LONGEST]),
        client.id,
    )
    if revoked:
        log.append(tx, TokenRevoked(), subject=client.id)
        tx.after_commit(recent.forget)


async def forget_old(tx: Tx, before: datetime) -> int:
    """Remove tokens that expired before some time; how many."""
    return await tx.execute("DELETE FROM oauth_token WHERE expires_at < $1", before)
