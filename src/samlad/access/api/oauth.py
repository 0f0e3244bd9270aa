"""OAuth 2.0 for machines: /oauth/token, /oauth/revoke, and where they are (RFC 6749, 7009, 8414, 8707)."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from litestar import Response, get, post

from samlad.access import rate, tokens_issued
from samlad.access.api.browser import base_url_of
from samlad.access.permissions import permissions
from samlad.access.tokens_issued import OAuthRefusal
from samlad.kernel.http import AnyRequest, context_of, database_of

A_MINUTE = 60
MOST_OF_A_CLIENT = 60
"""Requests a minute of one client, whether its secret is right or not."""
MOST_OF_AN_ADDRESS = 300

_NEVER_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@get("/.well-known/oauth-authorization-server", summary="Where tokens are to be had")
async def metadata(request: AnyRequest) -> Response[Any]:
    """What an OAuth client has to know (RFC 8414)."""
    issuer = base_url_of(request)
    ways = ["client_secret_basic", "client_secret_post"]
    return Response(
        {
            "issuer": issuer,
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ways,
            "revocation_endpoint_auth_methods_supported": ways,
            "scopes_supported": list(permissions()),
            "service_documentation": f"{issuer}/api/docs",
        },
        headers={"Cache-Control": "public, max-age=3600"},
    )


@post("/oauth/token", status_code=200, summary="Fetch a token")
async def issue_token(request: AnyRequest) -> Response[Any]:
    """A token for a client's secret: ``grant_type=client_credentials`` as a form, with the client in Basic authentication or as
    ``client_id`` and ``client_secret``; ``scope`` (permissions with spaces between) asks for less than the client may."""
    try:
        fields = await _fields(request)
        client_id, secret = _client(request, fields)
        await _count(request, client_id)
        if fields.get("grant_type") != "client_credentials":
            word = "unsupported_grant_type" if fields.get("grant_type") else "invalid_request"
            raise OAuthRefusal(word, "“grant_type” is client_credentials.")
        _check_resource(request, fields.get("resource"))
        scope = fields.get("scope")
        issued = await database_of(request).transaction(
            lambda tx: tokens_issued.issue(tx, client_id, secret, scope), context_of(request)
        )
    except OAuthRefusal as refusal:
        return _refused(refusal)
    return Response(issued, headers=_NEVER_KEPT)


@post("/oauth/revoke", status_code=200, summary="Give a token back")
async def revoke_token(request: AnyRequest) -> Response[Any]:
    """Make a token of one's own worthless (RFC 7009). Answers 200 for any token, so that it tells nothing of others'."""
    try:
        fields = await _fields(request)
        client_id, secret = _client(request, fields)
        await _count(request, client_id)
        token = fields.get("token")
        if not token:
            raise OAuthRefusal("invalid_request", "“token” is missing.")
        await database_of(request).transaction(
            lambda tx: tokens_issued.revoke(tx, client_id, secret, token), context_of(request)
        )
    except OAuthRefusal as refusal:
        return _refused(refusal)
    return Response(b"", headers=_NEVER_KEPT)


async def _fields(request: AnyRequest) -> dict[str, str]:
    """The fields of a form. None may be there twice (RFC 6749 §3.2)."""
    if request.content_type[0] != "application/x-www-form-urlencoded":
        raise OAuthRefusal("invalid_request", "Send a form: application/x-www-form-urlencoded.")
    found: dict[str, str] = {}
    for name, value in (await request.form()).multi_items():
        if name in found or not isinstance(value, str) or "\0" in value:
            raise OAuthRefusal("invalid_request", "A field is there twice, or is no text.")
        found[name] = value
    return found


def _client(request: AnyRequest, fields: dict[str, str]) -> tuple[str, str]:
    """Id and secret, from Basic authentication or from the form, not from both."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if "client_secret" in fields:
            raise OAuthRefusal("invalid_request", "The client is named in two ways.")
        try:
            text = base64.b64decode(credentials.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            text = ""
        name, colon, secret = text.partition(":")
        if scheme.lower() != "basic" or not colon:
            raise OAuthRefusal("invalid_client", "Authenticate the client by Basic or in the form.", 401)
        found = unquote_plus(name), unquote_plus(secret)
    else:
        found = fields.get("client_id", ""), fields.get("client_secret", "")
    if not all(found) or any("\0" in each or len(each) > tokens_issued.LONGEST for each in found):
        raise OAuthRefusal("invalid_client", "Authenticate the client by Basic or in the form.", 401)
    return found


async def _count(request: AnyRequest, client_id: str) -> None:
    """Count one try, in a transaction of its own: it counts whatever comes of it.

    Raises:
        TooMany.
    """
    context = context_of(request)
    database = database_of(request)
    for bucket, key, most in (
        ("oauth-address", context.remote or "", MOST_OF_AN_ADDRESS),
        ("oauth-client", client_id.lower(), MOST_OF_A_CLIENT),
    ):

        async def count(tx: Any, bucket: str = bucket, key: str = key, most: int = most) -> None:
            await rate.limit(tx, bucket, key, per=A_MINUTE, max=most)

        await database.transaction(count, context)


def _check_resource(request: AnyRequest, resource: str | None) -> None:
    """Tokens work here and nowhere else; whoever wants one for somewhere else is told so (RFC 8707)."""
    issuer = base_url_of(request)
    if resource is not None and resource != issuer and not resource.startswith(f"{issuer}/"):
        raise OAuthRefusal("invalid_target", f"Tokens are for {issuer}.")


def _refused(refusal: OAuthRefusal) -> Response[Any]:
    headers = dict(_NEVER_KEPT)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="oauth", charset="UTF-8"'
    body = {"error": refusal.error, "error_description": refusal.description}
    return Response(body, status_code=refusal.status, headers=headers)


HANDLERS = [metadata, issue_token, revoke_token]
