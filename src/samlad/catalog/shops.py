"""Which channel a command means when it only needs a catalogue and prices."""

from samlad import channels
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel.database import Database
from samlad.kernel.problems import InvalidInput


async def choose(database: Database, code: str | None) -> Channel:
    """The named channel; without a name any one, when all channels share one catalogue and one pool of prices.

    Raises:
        NotFound: no channel has this code.
        InvalidInput: there is no channel, or channels differ in what they sell and at what price.
    """
    if code:
        return await channels.by_code(database, code)
    every = await channels.cached_all(database)
    if not every:
        raise InvalidInput.at("channel", "there is no channel yet; make one first")
    pools = {(c.pools[Resource.CATALOGUE], c.pools[Resource.PRICES]) for c in every}
    if len(pools) > 1:
        raise InvalidInput.at("channel", f"say which: {', '.join(sorted(c.code for c in every)[:20])}")
    return min(every, key=lambda c: (c.kind is not ChannelKind.WEBSHOP, c.code))
