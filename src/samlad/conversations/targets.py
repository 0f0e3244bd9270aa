"""How soon customers are to have an answer: a target for each channel (setting ``answer_minutes``), of which only opening hours count."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from samlad import channels
from samlad.channels import Resource, hours
from samlad.conversations import store
from samlad.conversations.model import Conversation, Counts, State
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database
from samlad.stock import reach


async def cutoffs(database: Database) -> dict[UUID, datetime]:
    """Who has waited since this moment or longer waits too long, by channel; channels without a target are left out.

    Computed from now back, so nothing has to be kept with a conversation, and new opening hours hold at once.
    """
    moment, found = now(), {}
    for channel in await channels.cached_all(database):
        minutes = channel.setting("answer_minutes")
        since = hours.open_since(channel, moment, minutes * 60) if minutes else None
        if since is not None:
            found[channel.id] = since
    return found


def is_overdue(found: Conversation, before: Mapping[UUID, datetime]) -> bool:
    """Whether its customer waits longer than the channel in which it began has promised. Put off or done, nobody waits."""
    limit = before.get(found.channel)
    if limit is None or found.waiting_since is None or found.state is not State.OPEN:
        return False
    return found.waiting_since <= limit


async def counts(database: Database, actor: Actor) -> Counts:
    """How many of the conversations that somebody reaches are where, and how many customers wait too long."""
    mine = await reach.pools(database, actor, Resource.CONVERSATIONS)
    return await store.counts(database, actor.id, await cutoffs(database), mine)
