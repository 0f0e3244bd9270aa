"""Where a shop is on the web, for links in what we send by ourselves: nobody's request says it then."""

from urllib.parse import urlsplit

from samlad.channels.model import Channel
from samlad.kernel.settings import Settings


def shop_address(settings: Settings, channel: Channel) -> str:
    """Where links to a shop begin: its own host, else where we are reached."""
    host, base = channel.setting("storefront_host"), settings.socket_url.rstrip("/")
    if not host:
        return base
    if settings.public_url:
        return f"{urlsplit(base).scheme}://{host}"
    return f"http://{host}:{settings.port}"
