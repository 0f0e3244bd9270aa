"""What the worker does about alerts again and again: it looks whether what is waited for is there."""

from functools import partial

from samlad import channels
from samlad.alerts import service, store
from samlad.channels import Channel, ChannelStatus
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.sweepers import Sweeper

SECONDS = 20.0
BATCH = 200
"""Variants of one channel at a time."""
CONTEXT = Context(actor=SYSTEM)


async def sweep(database: Database) -> int:
    """Tell of what is there again; how many people."""
    told = 0
    for channel in await channels.cached_all(database):
        if channel.status is ChannelStatus.ACTIVE:
            told += await database.transaction(partial(_look, channel), CONTEXT)
    return told


async def _look(channel: Channel, tx: Tx) -> int:
    variants = await store.waited_for(tx, channel.id, BATCH)
    return len(await service.tell_of(tx, channel, variants)) if variants else 0


SWEEPERS = [Sweeper("stock-alerts", SECONDS, sweep)]
