"""What happens to destinations of audiences. The subject is the destination."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("destination.created")
class DestinationCreated(Fact, frozen=True, kw_only=True):
    """A segment is sent somewhere from now on, hashed, and only who has agreed to the ``purpose``."""

    segment: UUID
    strategy: str
    name: str
    purpose: str


@declare("destination.changed")
class DestinationChanged(Fact, frozen=True, kw_only=True):
    """It has another name, state or way in. Secrets are named, never told."""

    name: str
    fields: list[str]


@declare("destination.ended")
class DestinationEnded(Fact, frozen=True, kw_only=True):
    """Nobody is sent there any more; whoever was is taken out."""

    name: str


@declare("destination.sent")
class DestinationSent(Fact, frozen=True, kw_only=True):
    """A batch was taken by the receiver: so many people were added and removed."""

    batch: UUID
    added: int
    removed: int
