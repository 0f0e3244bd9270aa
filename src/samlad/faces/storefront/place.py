"""Which shop somebody is in: the channel by host name, and the frame that all its pages have."""

from typing import Any

import msgspec
from litestar import Response
from markupsafe import Markup

from samlad import carts, channels, content
from samlad.channels import Channel, ChannelKind, ChannelStatus, Resource
from samlad.content import MenuPlace, rules
from samlad.faces import page as face
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, cookie_choices, shelf, third_parties
from samlad.kernel import mail
from samlad.kernel.context import GUEST, Context
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, Problem

NO_SHOP = marked("There is no shop at this address. Open a channel of the kind “webshop” first.")
DESCRIPTION = marked("%(shop)s: order here and have it sent, or pick it up in a store.")
PREVIEW = marked("Visitors do not see this yet: the shop is closed to them.")
INCOMPLETE_LINK = marked("This link is not complete. Copy it once more from where you got it.")
OPEN = "storefront_open"
OPENS_IN_SECONDS = 3600
NAV_CATEGORIES = 9


class NotOpenYet(Problem):
    """The shop is being set up: only its staff see it. Come again later."""

    code, status, title = "shop-not-open", 503, "The shop opens soon"


async def channel_of(request: AnyRequest, *, before_opening: bool = False) -> Channel:
    """The shop at the host of this request: the one that names it, else the first webshop, in the reader's language.

    Every page asks this first, and hears what others do to the cart from then on. What a closed shop shows to everybody
    asks with ``before_opening``.

    Raises:
        NotFound: there is no webshop that is active.
        NotOpenYet: it is being set up, and who asks is not of its staff; answered by the way to `/opening`.
    """
    if basket.read(request) is not None:
        await face.listen_from_here(request)
    known = await channels.cached_all(database_of(request))
    found = channels.shop_at(request.headers.get("host", ""), known)
    if found is None:
        raise NotFound(NO_SHOP)
    if not before_opening and not found.setting(OPEN) and actor_of(request).kind != "staff":
        raise NotOpenYet("The shop opens soon.", retry_after=OPENS_IN_SECONDS)
    formats.country.set(found.country)
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
    look = await content.look_of(database_of(request), channel)
    name = look.brand.name or channel.name
    values = {
        "shop_name": name,
        "look": look,
        "theme_href": f"/theme.css?v={look.version}",
        "categories": await _menu(request, channel, look),
        "cart_count": basket.count_of(request) if cart_count is None else cart_count,
        "footer": _footer(_, channel, look, name, gift_cards=sells_gift_cards(request, channel)),
        "canonical": str(request.url.with_replacements(query="")),
        "alternates": await alternates(request, channel, request.url.path),
        "contact_email": channel.setting("contact_email"),
        "account_href": "/account",
        "cart_live": _live(request),
        "is_piece": face.is_htmx(request),
        "announcement": None if channel.setting(OPEN) or actor_of(request).kind != "staff" else _preview(_),
        "consent_choices": await cookie_choices.choices(request) if channel.setting("cookie_banner") else [],
        **context,
    }
    if not values.get("description"):  # every page says something to search engines
        values["description"] = _(DESCRIPTION) % {"shop": name}
    return face.page(
        request,
        template,
        status_code=status,
        time_zone=channel.time_zone,
        headers=third_parties.headers(channel, request.url.path) | (headers or {}),
        theme_folder=look.brand.theme,
        **values,
    )


def sells_gift_cards(request: AnyRequest, channel: Channel) -> bool:
    """Whether the shop sells gift cards: it says up to which amount, and mails go out."""
    is_shop = channel.kind not in (ChannelKind.STORE, ChannelKind.MARKETPLACE)
    settings = request.app.state.runtime.settings
    return is_shop and bool(channel.setting("gift_card_shop_limit")) and mail.is_set(settings)


def _preview(_: Any) -> Markup:
    """What staff read above a shop that is closed to everybody else."""
    return Markup('{} <a href="/admin/start/open">{}</a>').format(_(PREVIEW), _("Open the shop"))


async def _menu(request: AnyRequest, channel: Channel, look: content.Look) -> list[dict[str, Any]]:
    """The header: what the shop wrote, else the trunk of its catalogue."""
    here = request.url.path
    written = look.menus.get(MenuPlace.HEADER)
    if written:
        own = (channel.own.locale or "en")[:2]
        pairs = [(rules.said(item.text, channel.locale, own), item.href) for item in written]
    else:
        branches = await shelf.branches(database_of(request), channel)
        pairs = [(b.name, b.href) for b in branches if b.depth == 0][:NAV_CATEGORIES]
    return [
        {"text": text, "href": href, "current": here == href or here.startswith(f"{href}/")}
        for text, href in pairs
    ]


async def alternates(request: AnyRequest, channel: Channel, path: str) -> list[tuple[str, str]]:
    """The same page in other shops: (language tag, address) of each webshop of one catalogue that has a host of its own.

    Empty where there is only one: a page is no alternative to itself.
    """
    if not path.startswith(("/p/", "/c/")) and path not in ("/", "/stores"):
        return []
    pool = channel.pools[Resource.CATALOGUE]
    found = [
        (each.locale, f"{request.url.scheme}://{host}{path}")
        for each in await channels.cached_all(database_of(request))
        if each.kind is ChannelKind.WEBSHOP
        and each.status is ChannelStatus.ACTIVE
        and each.pools[Resource.CATALOGUE] == pool
        and (host := each.setting("storefront_host"))
    ]
    return found if len({tag for tag, _ in found}) > 1 else []


def root_of(request: AnyRequest) -> str:
    """Scheme and host of the shop, without a slash at the end."""
    return str(request.base_url).rstrip("/")


def _live(request: AnyRequest) -> str | None:
    """Where the page listens, so that it shows what others do to the cart."""
    held = basket.read(request)
    return None if held is None else face.live_href(request, carts.topic_of(held.cart, held.token))


def _footer(
    _: Any, channel: Channel, look: content.Look, name: str, *, gift_cards: bool
) -> list[dict[str, Any]]:
    written = look.menus.get(MenuPlace.FOOTER)
    if written:
        own = (channel.own.locale or "en")[:2]
        return [
            {"title": column.title or name, "links": column.links}
            for column in rules.columns(written, channel.locale, own)
        ]
    shop = [
        (_("All products"), "/search"),
        (_("New here"), "/search?sort=newest"),
        (_("Our stores"), "/stores"),
        *([(_("Gift card"), "/gift-card")] if gift_cards else []),
    ]
    columns: list[dict[str, Any]] = [
        {"title": name, "links": shop},
        {"title": _("Your order"), "links": [(_("Cart"), "/cart"), (_("Find my order"), "/order")]},
    ]
    contact = channel.setting("contact_email")
    if contact:
        columns.append({"title": _("Write to us"), "links": [(contact, f"mailto:{contact}")]})
    return columns
