"""Cross-site request forgery: what a browser sends because another site told it to is refused.

Two checks on every unsafe request that a browser may have sent:

1. `Sec-Fetch-Site`, or `Origin` from browsers that lack it, must name our own site.
2. Whoever holds a cookie of ours also sends its token: an HMAC keyed by the cookie's own secret. The cookie is out
   of reach of scripts and of other sites, so nobody but our own pages can know the token. Signed in, the secret is
   the session's; a guest of the storefront gets a cookie ``samlad_guest`` for it.

A request with an ``Authorization`` header is exempt and its cookies are ignored: no browser adds one by itself.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from samlad.access.problems import CrossSite
from samlad.access.tokens import new_token
from samlad.kernel.http import AnyRequest

HEADER = b"x-csrf-token"
FIELD = "_csrf"
SESSION_COOKIE, GUEST_COOKIE = "samlad_session", "samlad_guest"
COOKIES_SCOPE, NEW_GUEST_SCOPE = "samlad.cookies", "samlad.new_guest"
LONGEST_PEEK = 64 * 1024
"""The token's field must come in the first part of a form this long: put it first."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_PART = re.compile(rb'name="_csrf"\r\n\r\n([A-Za-z0-9_-]{43})\r\n')


def csrf_token(request: AnyRequest) -> str:
    """The token for a page's forms (hidden field ``_csrf``) and its meta tag (header ``X-CSRF-Token``).

    For a guest without one, the answer also sets the cookie that the token belongs to.
    """
    scope: dict[str, Any] = request.scope  # type: ignore[assignment]
    cookies: Mapping[str, str] = scope.get(COOKIES_SCOPE, {})
    secret = cookies.get(SESSION_COOKIE) or cookies.get(GUEST_COOKIE) or scope.get(NEW_GUEST_SCOPE)
    if secret is None:
        secret = scope[NEW_GUEST_SCOPE] = new_token()
    return token_for(secret)


def token_for(secret: str) -> str:
    """The token that belongs to a cookie's secret."""
    digest = hmac.digest(secret.encode("utf-8", "replace"), b"samlad csrf token", "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def check_site(headers: Mapping[bytes, bytes], own_origins: frozenset[str], *, has_cookies: bool) -> None:
    """The first check.

    Raises:
        CrossSite: a browser says that another site sent it.
    """
    content_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")
    if not has_cookies and content_type not in (*_FORMS, ""):
        return  # JSON without cookies: nothing ambient to misuse, and other sites cannot send it unasked
    site = headers.get(b"sec-fetch-site")
    origin = headers.get(b"origin")
    if site is not None:
        is_own = site in (b"same-origin", b"none")
    else:
        is_own = origin is None or origin.decode("latin-1").lower() in own_origins
    if not is_own:
        raise CrossSite("A browser sent this from another site.")


def check_token(secrets: list[str], given: str) -> None:
    """The second check, against the secrets of the cookies that came.

    Raises:
        CrossSite: the token is missing or belongs to another cookie.
    """
    if not any(hmac.compare_digest(token_for(secret).encode(), given.encode()) for secret in secrets):
        raise CrossSite(
            "Send the page's token as X-CSRF-Token or in the field _csrf; reload the page if it is old."
        )


def token_in_form(content_type: str, start: bytes) -> str:
    """The token in the beginning of a form's body, or an empty text."""
    kind = content_type.split(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return parse_qs(start.decode("latin-1"), max_num_fields=2000).get(FIELD, [""])[0]
    if kind == "multipart/form-data":
        found = _PART.search(start)
        return found[1].decode() if found else ""
    return ""


def origins(scheme: str, host: bytes, public_url: str | None) -> frozenset[str]:
    """The origins that are ourselves: as the request names us, and as the settings do."""
    found = {f"{scheme}://{host.decode('latin-1')}".lower()}
    if public_url:
        parts = urlsplit(public_url)
        found.add(f"{parts.scheme}://{parts.netloc}".lower())
    return frozenset(found)
