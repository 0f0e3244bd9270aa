"""Which shop somebody is in: the channel by host name, and the frame that all its pages have."""

from typing import Any

import msgspec
from litestar import Response

from samlad import carts, channels
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, cookie_choices, shelf
from samlad.kernel.context import GUEST, Context
from samlad.kernel.http import context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound

NO_SHOP = marked("There is no shop at this address. Open a channel of the kind “webshop” first.")
NAV_CATEGORIES = 9


async def channel_of(request: AnyRequest) -> Channel:
    """The shop at the host of this request: the one that names it, else the first webshop, in the reader's language.

    Every page asks this first, and hears what others do to the cart from then on.

    Raises:
        NotFound: there is no webshop that is open.
    """
    if basket.read(request) is not None:
        await face.listen_from_here(request)
    known = await channels.cached_all(database_of(request))
    found = channels.shop_at(request.headers.get("host", ""), known)
    if found is None:
        raise NotFound(NO_SHOP)
    # Texts of goods come in the language that the page is read in.
    return msgspec.structs.replace(found, locale=face.locale_of(request))


def shopper(request: AnyRequest, channel: Channel) -> Context:
    """Whoever looks at the shop is a guest there, a signed-in clerk too: a cart here is nobody's but its holder's."""
    return msgspec.structs.replace(context_of(request), actor=GUEST, channel=channel.id)


async def show(
    request: AnyRequest,
    channel: Channel,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    cart_count: int | None = None,
    **context: Any,
) -> Response[Any]:
    """A page of the shop, or (for htmx) a piece of one."""
    _ = face.words(request)
    branches = await shelf.branches(database_of(request), channel)
    here = request.url.path
    values = {
        "shop_name": channel.name,
        "categories": [
            {"text": b.name, "href": b.href, "current": here == b.href or here.startswith(f"{b.href}/")}
            for b in branches
            if b.depth == 0
        ][:NAV_CATEGORIES],
        "cart_count": basket.count_of(request) if cart_count is None else cart_count,
        "footer": _footer(_, channel),
        "canonical": str(request.url.with_replacements(query="")),
        "contact_email": channel.setting("contact_email"),
        "account_href": "/account",
        "cart_live": _live(request),
        "is_piece": face.is_htmx(request),
        "consent_choices": await cookie_choices.choices(request) if channel.setting("cookie_banner") else [],
        **context,
    }
    return face.page(
        request, template, status_code=status, time_zone=channel.time_zone, headers=headers, **values
    )


def _live(request: AnyRequest) -> str | None:
    """Where the page listens, so that it shows what others do to the cart."""
    held = basket.read(request)
    return None if held is None else face.live_href(request, carts.topic_of(held.cart, held.token))


def _footer(_: Any, channel: Channel) -> list[dict[str, Any]]:
    shop = [
        (_("All products"), "/search"),
        (_("New here"), "/search?sort=newest"),
        (_("Our stores"), "/stores"),
    ]
    columns = [
        {"title": channel.name, "links": shop},
        {"title": _("Your order"), "links": [(_("Cart"), "/cart")]},
    ]
    contact = channel.setting("contact_email")
    if contact:
        columns.append({"title": _("Write to us"), "links": [(contact, f"mailto:{contact}")]})
    return columns
