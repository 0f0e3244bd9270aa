"""Between verbs and browsers: the session's cookie, the site's address, what the browser calls itself."""

from typing import Any

from litestar import Response

from samlad.access.csrf import SESSION_COOKIE
from samlad.access.middleware import cookie_name, is_https, set_cookie
from samlad.access.passkeys import Site
from samlad.access.sessions import ABSOLUTE, Opened
from samlad.kernel.http import AnyRequest
from samlad.kernel.runtime import Runtime


def runtime_of(request: AnyRequest) -> Runtime:
    """The open parts of the application that serves this request."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def agent_of(request: AnyRequest) -> str:
    """What the browser calls itself."""
    return request.headers.get("user-agent", "")[:500]


def site_of(request: AnyRequest) -> Site:
    """The site that passkeys belong to: ``public_url``, else as the browser asked for it."""
    public = runtime_of(request).settings.public_url
    return Site((public or f"{request.url.scheme}://{request.url.netloc}").rstrip("/"))


def base_url_of(request: AnyRequest) -> str:
    """Where links that we hand out begin."""
    return site_of(request).origin


def with_session(request: AnyRequest, response: Response[Any], opened: Opened) -> Response[Any]:
    """Put a session that was just opened into the browser. Its secret replaces whatever was there."""
    https = is_https(request.scope, runtime_of(request).settings)
    name, seconds = cookie_name(SESSION_COOKIE, https), int(ABSOLUTE.total_seconds())
    response.headers["Set-Cookie"] = set_cookie(name, opened.token, https, max_age=seconds)
    response.headers["Cache-Control"] = "no-store"
    return response


def without_session(request: AnyRequest, response: Response[Any]) -> Response[Any]:
    """Take the session's cookie out of the browser."""
    https = is_https(request.scope, runtime_of(request).settings)
    response.headers["Set-Cookie"] = set_cookie(cookie_name(SESSION_COOKIE, https), "", https, max_age=0)
    return response
