"""What a benchmark's shop has in it: a channel, a key, products with stock, carts."""

from samlad import channels
from samlad.channels import Channel, ChannelInput, ChannelKind
from samlad.kernel.runtime import Runtime


async def make_channel(runtime: Runtime, code: str = "shop") -> Channel:
    """A Swedish webshop."""
    data = ChannelInput(
        code=code,
        name="Shop",
        kind=ChannelKind.WEBSHOP,
        country="SE",
        locale="en",
        currency="SEK",
        time_zone="Europe/Stockholm",
    )
    return await runtime.database.transaction(lambda tx: channels.create(tx, data))


async def make_key(runtime: Runtime) -> str:
    """The secret of an API key that may do everything."""
    from samlad.access import keys
    from samlad.access.keys import KeyInput
    from samlad.access.permissions import permissions

    data = KeyInput(name="bench", scopes=list(permissions()))
    made = await runtime.database.transaction(lambda tx: keys.create(tx, data))
    return made.secret
