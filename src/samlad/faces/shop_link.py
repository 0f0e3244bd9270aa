"""Where links to a shop begin that leave it: in mails, in QR codes of the till."""

from urllib.parse import urlsplit
from uuid import UUID

from samlad import channels
from samlad.access import middleware
from samlad.channels import Channel, ChannelKind, ChannelStatus, Resource
from samlad.faces.page import AnyRequest
from samlad.kernel import mail
from samlad.kernel.http import database_of
from samlad.kernel.settings import Settings


def base_url(request: AnyRequest, channel: Channel) -> str | None:
    """Where links in mails begin: as the shop is configured, never as the request names us, which anybody can write.

    Only a developer, whose mails go to the log, gets the address that was asked for. None: nothing says it.
    """
    settings = _settings(request)
    public = settings.public_url
    host = channel.setting("storefront_host")
    if host:
        scheme = urlsplit(public).scheme if public else "https" if is_https(request) else "http"
        port = request.url.port if settings.mail_to_log else None
        return f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"
    if public:
        return public.rstrip("/")
    return as_asked(request) if settings.mail_to_log else None


def mails_go_out(request: AnyRequest, channel: Channel) -> bool:
    """Whether a link can be sent."""
    return mail.is_set(_settings(request)) and base_url(request, channel) is not None


async def shop_of(request: AnyRequest, pool: UUID) -> Channel | None:
    """The webshop of a pool of customers; of several the first that was opened."""
    known = await channels.cached_all(database_of(request))
    shops = [
        each
        for each in known
        if each.kind is ChannelKind.WEBSHOP
        and each.status is ChannelStatus.ACTIVE
        and each.pools[Resource.CUSTOMERS] == pool
    ]
    return min(shops, key=lambda each: each.created_at, default=None)


async def shops_of_goods(request: AnyRequest, pool: UUID) -> list[tuple[Channel, str]]:
    """The web shops of a pool of goods that are active, and where their addresses begin for who reads this page."""
    known = await channels.cached_all(database_of(request))
    here = channels.shop_at(request.headers.get("host", ""), known)
    return [
        (each, "" if each is here else base_url(request, each) or "")
        for each in known
        if each.kind is ChannelKind.WEBSHOP
        and each.status is ChannelStatus.ACTIVE
        and each.pools[Resource.CATALOGUE] == pool
        and (each.setting("storefront_host") or each is here)
    ]


def as_asked(request: AnyRequest) -> str:
    """The address under which the browser asked."""
    return f"{'https' if is_https(request) else 'http'}://{request.url.netloc}"


def is_https(request: AnyRequest) -> bool:
    """Whether browsers reach us by https."""
    return middleware.is_https(request.scope, _settings(request))


def _settings(request: AnyRequest) -> Settings:
    settings: Settings = request.app.state.runtime.settings
    return settings
