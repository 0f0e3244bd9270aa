"""Who is signed in to the shop: a cookie of its own, apart from staff's and from the cart's."""

from typing import Any

import msgspec
from litestar import Response
from litestar.datastructures import Cookie

from samlad import accounts
from samlad.access.middleware import cookie_name, own_cookies
from samlad.access.passkeys import Site
from samlad.accounts import Opened, SignedIn
from samlad.channels import Channel
from samlad.faces import shop_link
from samlad.faces.page import AnyRequest
from samlad.kernel.context import Context
from samlad.kernel.http import context_of, database_of
from samlad.kernel.problems import Unauthenticated

COOKIE = "samlad_customer"
_KNOWN = "storefront.member"


def token_of(request: AnyRequest) -> str | None:
    """The secret that the browser carries."""
    return own_cookies(request.scope["headers"], shop_link.is_https(request)).get(COOKIE)


async def signed_in(request: AnyRequest, channel: Channel) -> SignedIn | None:
    """Who looks at the shop, if they are signed in; asked of the database once a request."""
    state: dict[str, Any] = request.scope  # type: ignore[assignment]
    if _KNOWN not in state:
        token = token_of(request)
        state[_KNOWN] = await accounts.who(database_of(request), channel, token) if token else None
    found: SignedIn | None = state[_KNOWN]
    return found


async def require(request: AnyRequest, channel: Channel) -> SignedIn:
    """Who is signed in.

    Raises:
        Unauthenticated: nobody; answered by a redirect to the page where one signs in.
    """
    found = await signed_in(request, channel)
    if found is None:
        raise Unauthenticated("Sign in to go on.")
    return found


def acting(request: AnyRequest, channel: Channel, signed: SignedIn, *lent: str) -> Context:
    """Acting as the person. ``lent`` are permissions for one verb on what the caller has made sure is theirs."""
    return msgspec.structs.replace(
        context_of(request), actor=accounts.actor_of(signed, *lent), channel=channel.id
    )


def keep(request: AnyRequest, answer: Response[Any], opened: Opened) -> None:
    """Put a session that was just opened into the browser, in place of whatever was there."""
    _set(request, answer, opened.token, int(accounts.ABSOLUTE.total_seconds()))


def forget(request: AnyRequest, answer: Response[Any]) -> None:
    """Take the session's cookie out of the browser."""
    _set(request, answer, "", 0)


def _set(request: AnyRequest, answer: Response[Any], value: str, seconds: int) -> None:
    https = shop_link.is_https(request)
    answer.set_cookie(
        Cookie(
            key=cookie_name(COOKIE, https),
            value=value,
            max_age=seconds,
            path="/",
            httponly=True,
            secure=https,
            samesite="lax",
        )
    )
    answer.headers["Cache-Control"] = "no-store"


def agent(request: AnyRequest) -> str:
    """What the browser calls itself."""
    return request.headers.get("user-agent", "")[:500]


def site(request: AnyRequest) -> Site:
    """The site that passkeys belong to. What the browser signs names it too, so the request may say it."""
    return Site(shop_link.as_asked(request))
