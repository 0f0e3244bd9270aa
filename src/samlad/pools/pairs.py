"""The work list of a channel that is to join a catalogue: between which pools it stands, and who may still change it."""

from typing import Any
from uuid import UUID

import msgspec

from samlad import channels
from samlad.catalog import pairing
from samlad.catalog.pairing import Decided, DecisionInput
from samlad.catalog.permissions import CHANGE
from samlad.channels import Channel, Resource
from samlad.channels.pooling import MoveKind
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import Conflict
from samlad.pools.planning import plan_of_whom


class Between(msgspec.Struct, frozen=True):
    """A channel and the pool that it would join. ``scope`` are the parameters of `pairing.PAIRS`."""

    channel: Channel
    shared: UUID
    scope: tuple[Any, ...]

    @property
    def home(self) -> UUID:
        """The channel's own catalogue."""
        return self.channel.pools[Resource.CATALOGUE]


async def between(reader: Reader, channel_id: UUID, to: str | None = None) -> Between:
    """The two catalogues.

    Raises:
        NotFound, InvalidInput: as `plan`.
        Conflict: the channel shares its goods already, so that there is nothing to say.
    """
    channel = await channels.get(reader, channel_id)
    kind, target = await plan_of_whom(reader, channel, Resource.CATALOGUE, to)
    if kind is not MoveKind.JOIN or target is None:
        raise Conflict(f"“{channel.code}” shares its goods with others already: there is nothing to pair.")
    pools = (
        channel.pools[Resource.CATALOGUE],
        target.pools[Resource.CATALOGUE],
        channel.pools[Resource.PRICES],
        target.pools[Resource.PRICES],
    )
    return Between(channel, target.pools[Resource.CATALOGUE], (*pools, channel.id, channel.currency))


async def decide(tx: Tx, channel_id: UUID, decisions: list[DecisionInput], to: str | None = None) -> Decided:
    """Say what goods of a channel are in the catalogue that it would join.

    Raises:
        NotFound, Conflict: as `between`; InvalidInput: as `pairing.decide`.
    """
    tx.actor.require(CHANGE)
    here = await between(tx, channel_id, to)
    return await pairing.decide(tx, here.home, here.shared, decisions)
