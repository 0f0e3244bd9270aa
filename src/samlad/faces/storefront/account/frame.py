"""The frame of all pages of an account."""

from typing import Any

from litestar import Response

from samlad.accounts import SignedIn
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront.place import show
from samlad.kernel.i18n import marked

PAGES = (
    ("", marked("Overview")),
    ("/orders", marked("Your orders")),
    ("/subscriptions", marked("Subscriptions")),
    ("/conversations", marked("Messages")),
    ("/appointments", marked("Appointments")),
    ("/questions", marked("Questions")),
    ("/lists", marked("Carts and lists")),
    ("/points", marked("Points")),
    ("/addresses", marked("Addresses")),
    ("/preferences", marked("Preferences")),
    ("/security", marked("Signing in")),
    ("/data", marked("Your data")),
)
"""The pages of an account, as far as its tabs name them."""
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "same-origin"}


async def account_page(
    request: AnyRequest,
    channel: Channel,
    signed: SignedIn,
    template: str,
    *,
    status: int = 200,
    **context: Any,
) -> Response[Any]:
    """A page of somebody who is signed in. No cache keeps it, no search engine finds it."""
    _, here = face.words(request), request.url.path.removeprefix("/account")
    here = here.replace("/returns/", "/orders/").replace("/exchanges/", "/orders/")
    current = max((path for path, _text in PAGES if here.startswith(path)), key=len)
    tabs = [{"href": f"/account{path}", "text": _(text), "current": path == current} for path, text in PAGES]
    return await show(
        request,
        channel,
        f"storefront/account/{template}.html",
        status=status,
        headers=HEADERS,
        tabs=tabs,
        signed=signed,
        **context,
    )
