"""Signing in with an OpenID Connect provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0).

The provider only says who somebody is. Who works here, and as what, is said here: a verified e-mail address must
belong to somebody who was invited or is active. At the first time the account is bound to the provider's ``sub``, so
that an address that the provider gives to somebody else later opens nothing.
"""

import base64
import hmac
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from samlad.access import audit, ceremonies, rate, sign_in
from samlad.access.events import StaffJoined
from samlad.access.problems import SignInFailed
from samlad.access.sessions import Opened
from samlad.access.tokens import new_token
from samlad.kernel import log
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import NotFound
from samlad.kernel.settings import Settings

CALLBACK = "/api/session/oidc/callback"
COOKIE = "samlad_oidc"
SCOPE = "openid email profile"
# Only signatures whose key the provider alone has. "none" and the client secret's HMAC are not among them.
ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]
_LEEWAY_SECONDS = 60
_TIMEOUT_SECONDS = 10


class Provider(msgspec.Struct, frozen=True):
    """What the provider says about itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )


class Departure(msgspec.Struct, frozen=True):
    """Where to send the browser, and the secret for its cookie `COOKIE` that binds the answer to it."""

    url: str
    ceremony: str


class Arrival(msgspec.Struct, frozen=True):
    """Somebody came back: their session, and where they wanted to go."""

    opened: Opened
    target: str


async def begin(
    database: Database, context: Context, settings: Settings, base_url: str, target: str
) -> Departure:
    """Begin to sign in; ``target`` is a path on our own site.

    Raises:
        NotFound: no provider is configured.
        SignInFailed: the provider does not answer.
        TooMany: too many beginnings from this address.
    """
    issuer, client_id = _configured(settings)
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
        provider = await _discover(client, issuer)
    state, nonce, verifier = new_token(), new_token(), new_token()
    data = {"state": state, "nonce": nonce, "verifier": verifier, "target": target}

    async def work(tx: Tx) -> str:
        await rate.limit(tx, "oidc", context.remote or "", per=60, max=60)
        return await ceremonies.begin(tx, "oidc", data)

    url = prepare_grant_uri(
        provider.authorization_endpoint,
        client_id,
        "code",
        redirect_uri=base_url + CALLBACK,
        scope=SCOPE,
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return Departure(url, await database.transaction(work, context))


async def complete(
    database: Database,
    context: Context,
    settings: Settings,
    base_url: str,
    *,
    ceremony: str,
    state: str,
    code: str,
    agent: str = "",
) -> Arrival:
    """Judge what the browser brought back, and open a session.

    Raises:
        SignInFailed: anything that does not fit, or nobody with this verified address works here.
        NotFound: no provider is configured.
    """
    issuer, client_id = _configured(settings)
    begun = await database.transaction(lambda tx: ceremonies.take(tx, "oidc", ceremony), context)
    if begun is None or not hmac.compare_digest(begun.data["state"].encode(), state.encode()):
        raise SignInFailed("That took too long, or began in another browser; try again.")
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            provider = await _discover(client, issuer)
            tokens = await _exchange(
                client, provider, settings, code, begun.data["verifier"], base_url + CALLBACK
            )
            claims = await _claims(client, provider, client_id, tokens, begun.data["nonce"])
    except (httpx.HTTPError, JoseError, msgspec.MsgspecError, ValueError, KeyError) as error:
        raise SignInFailed(f"The provider's answer cannot be accepted ({type(error).__name__}).") from error
    if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
        raise SignInFailed("The provider does not vouch for an e-mail address.")
    opened = await _open(database, context, f"{issuer}|{claims['sub']}", claims["email"], agent)
    return Arrival(opened, begun.data["target"])


def _configured(settings: Settings) -> tuple[str, str]:
    if not settings.oidc_issuer or not settings.oidc_client_id:
        raise NotFound(
            "No OpenID Connect provider is configured (SAMLAD_OIDC_ISSUER, SAMLAD_OIDC_CLIENT_ID)."
        )
    return settings.oidc_issuer.rstrip("/"), settings.oidc_client_id


async def _discover(client: httpx.AsyncClient, issuer: str) -> Provider:
    try:
        answer = await client.get(f"{issuer}/.well-known/openid-configuration")
        provider = msgspec.json.decode(answer.raise_for_status().content, type=Provider)
    except (httpx.HTTPError, msgspec.MsgspecError) as error:
        raise SignInFailed("The provider does not answer as it should.") from error
    if provider.issuer.rstrip("/") != issuer:
        raise SignInFailed("The provider calls itself by another name than SAMLAD_OIDC_ISSUER.")
    return provider


async def _exchange(
    client: httpx.AsyncClient, provider: Provider, settings: Settings, code: str, verifier: str, redirect: str
) -> dict[str, Any]:
    client_id, secret = settings.oidc_client_id or "", settings.oidc_client_secret
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": verifier,
    }
    headers = {"Accept": "application/json"}
    if secret and "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
        pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"  # RFC 6749 §2.3.1
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": client_id} | ({"client_secret": secret} if secret else {})
    answer = await client.post(provider.token_endpoint, data=form, headers=headers)
    return msgspec.json.decode(answer.raise_for_status().content, type=dict[str, Any])


async def _claims(
    client: httpx.AsyncClient, provider: Provider, client_id: str, tokens: dict[str, Any], nonce: str
) -> dict[str, Any]:
    """The ID token's claims after all checks of OpenID Connect Core §3.1.3.7, with the e-mail from userinfo if need be."""
    answer = await client.get(provider.jwks_uri)
    keys = KeySet.import_key_set(msgspec.json.decode(answer.raise_for_status().content))
    token = jwt.decode(tokens["id_token"], keys, algorithms=ALGORITHMS)
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": provider.issuer},
            "sub": {"essential": True},
            "aud": {"essential": True, "value": client_id},
            "nonce": {"essential": True, "value": nonce},
        },
        params={"nonce": nonce, "client_id": client_id, "access_token": tokens.get("access_token")},
    )
    claims.validate(leeway=_LEEWAY_SECONDS)
    found: dict[str, Any] = dict(claims)
    if "email" not in found and provider.userinfo_endpoint and tokens.get("access_token"):
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        answer = await client.get(provider.userinfo_endpoint, headers=headers)
        more = msgspec.json.decode(answer.raise_for_status().content, type=dict[str, Any])
        if more.get("sub") == found["sub"]:
            found |= {name: more.get(name) for name in ("email", "email_verified")}
    return found


async def _open(database: Database, context: Context, subject: str, email: str, agent: str) -> Opened:
    row = await database.row(
        "SELECT id, name, email, status, oidc_subject FROM staff WHERE email = lower($1)",
        email.replace("\0", ""),
    )
    if row is None or row["status"] == "disabled" or row["oidc_subject"] not in (None, subject):
        raise SignInFailed("Nobody with this address works here. Ask for an invitation.")

    async def work(tx: Tx) -> Opened:
        await _bind(tx, row["id"], subject)
        if row["status"] == "invited":
            log.append(tx, StaffJoined(email=row["email"], name=row["name"]), subject=row["id"])
            audit.record(tx, "staff.joined", "staff", row["id"], after={"means": "oidc"})
        return await sign_in.welcome(tx, row["id"], None, "oidc", agent)

    return await database.transaction(work, await sign_in.acting_as(database, context, row["id"]))


async def _bind(tx: Tx, staff: UUID, subject: str) -> None:
    """Bind the account to the provider's subject, and let in who was invited; their link is not needed any more."""
    bound = await tx.execute(
        """
        WITH links AS (DELETE FROM one_time_link WHERE staff = $1 AND purpose = 'invitation' AND used_at IS NULL)
        UPDATE staff SET oidc_subject = $2, status = 'active', version = version + (status = 'invited')::int
        WHERE id = $1 AND status <> 'disabled' AND (oidc_subject IS NULL OR oidc_subject = $2)
        """,
        staff,
        subject,
    )
    if not bound:
        raise SignInFailed("Nobody with this address works here. Ask for an invitation.")
