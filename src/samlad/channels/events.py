"""What happens to channels."""

from typing import Any
from uuid import UUID

from samlad.channels.model import ChannelKind, Resource
from samlad.kernel.log import Fact, declare


@declare("channel.created")
class ChannelCreated(Fact, frozen=True):
    """A channel was made; ``pools`` are those that it uses, its own or joined."""

    code: str
    name: str
    kind: ChannelKind
    pools: dict[Resource, UUID]


@declare("channel.changed")
class ChannelChanged(Fact, frozen=True):
    """Something about a channel changed: for each field what it had set before and what it sets now."""

    code: str
    before: dict[str, Any]
    after: dict[str, Any]
