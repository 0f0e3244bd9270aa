"""The queue of a place, while it happens: the topic ``prints:<location>``."""

from uuid import UUID

from samlad.kernel import live
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader
from samlad.kernel.live import Topic
from samlad.kernel.problems import InvalidInput
from samlad.printers.permissions import PRINT

TOPIC = "prints"
_TYPES = frozenset(
    {"print_job.asked", "print_job.ended", "printer.created", "printer.changed", "printer.removed"}
)


async def _guard(_reader: Reader, actor: Actor, key: str) -> str:
    try:
        location = UUID(key)
    except ValueError:
        raise InvalidInput.at("topic", "after the colon stands the id of a location") from None
    actor.require(PRINT, location=location)
    return str(location)


live.register(Topic(TOPIC, _guard, lambda event: [event.payload["location"]] if event.type in _TYPES else []))


def topic_of(location: UUID) -> str:
    """What pages of a place listen to."""
    return f"{TOPIC}:{location}"
