"""Where a till stands: a store and the location that it sells from."""

import msgspec

from samlad import channels, stock
from samlad.channels import Channel, ChannelKind
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import NotFound
from samlad.stock import Location
from samlad.tills.permissions import RECORD


class Desk(msgspec.Struct, frozen=True):
    """A store's channel and its location."""

    channel: Channel
    location: Location


async def desk_of(reader: Database | Tx, actor: Actor, code: str) -> Desk:
    """The store with a code, where the actor records sales. A store that was closed since still takes in its sales.

    Raises:
        Forbidden: not this actor, or not there.
        NotFound: there is no store with this code, or no place where it stands.
    """
    actor.require(RECORD)
    channel = await channels.cached_by_code(reader, code)
    places = [] if channel is None else [p for p in await stock.locations(reader) if p.channel == channel.id]
    if channel is None or not places or channel.kind is not ChannelKind.STORE:
        raise NotFound("There is no such store.")
    place = max(places, key=lambda each: each.is_active)
    actor.require(RECORD, location=place.id)
    return Desk(channel, place)
