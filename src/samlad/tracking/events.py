"""What happens to sources of events, and that events came."""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.log import Fact, declare


@declare("tracking.received")
class EventsReceived(Fact, frozen=True, kw_only=True):
    """Events of one source were stored together: those of ``batch`` with arrival from ``first`` to ``last``.

    One for each group and not for each event: the log tells that there is something, the table has it.
    """

    accepted: int
    duplicates: int
    parked: int
    violating: int
    first: datetime
    last: datetime
    blocked: int = 0


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Events that were stored together, with arrival from ``first`` to ``last``."""

    id: UUID
    first: datetime
    last: datetime


@declare("tracking.landed")
class EventsLanded(Fact, frozen=True, kw_only=True):
    """It is known on whom the events of these groups landed: `tracked_profile` has it."""

    batches: list[Batch]


@declare("tracking.source_created")
class SourceCreated(Fact, frozen=True, kw_only=True):
    """Somebody made a source."""

    name: str
    kind: str
    device_class: str


@declare("tracking.source_changed")
class SourceChanged(Fact, frozen=True, kw_only=True):
    """A source is different: its name, its limit, on or off."""

    name: str
    fields: list[str]


@declare("tracking.key_made")
class WriteKeyMade(Fact, frozen=True, kw_only=True):
    """A source has a new write key; those of before end at ``others_end_at``."""

    hint: str
    others_end_at: datetime | None


@declare("tracking.key_ended")
class WriteKeyEnded(Fact, frozen=True, kw_only=True):
    """A write key was taken away before its time."""

    hint: str


@declare("tracking.schema_set")
class SchemaSet(Fact, frozen=True, kw_only=True):
    """The tracking plan says something new about events of one name."""

    event: str
    policy: str


@declare("tracking.schema_removed")
class SchemaRemoved(Fact, frozen=True, kw_only=True):
    """The tracking plan says nothing any more about events of one name."""

    event: str


@declare("tracking.retried")
class ParkedRetried(Fact, frozen=True, kw_only=True):
    """A parked event was tried once more; ``reason`` null: it was taken."""

    reason: str | None


@declare("tracking.retried_many")
class ParkedRetriedMany(Fact, frozen=True, kw_only=True):
    """Parked events were tried once more, together."""

    taken: int
    still_parked: int


@declare("tracking.parked_discarded")
class ParkedDiscarded(Fact, frozen=True, kw_only=True):
    """Staff had a parked event forgotten."""

    reason: str


@declare("tracking.retention_set")
class RetentionSet(Fact, frozen=True, kw_only=True):
    """Events of a type (null: all) and name (null: all) are kept for so many days from now on."""

    type: str | None
    name: str | None
    days: int


@declare("tracking.retention_removed")
class RetentionRemoved(Fact, frozen=True, kw_only=True):
    """The rule for events of a type and name is gone."""

    type: str | None
    name: str | None


@declare("tracking.event_deleted")
class EventDeleted(Fact, frozen=True, kw_only=True):
    """Staff had one event forgotten; ``name`` of what was tracked, ``identity`` on whom it had landed."""

    type: str
    name: str | None = None
    identity: UUID | None = None


@declare("tracking.forgotten")
class EventsForgotten(Fact, frozen=True, kw_only=True):
    """So many events were kept as long as the rule, which is the subject, says: ``names`` of those that were tracked;
    ``has_others``: there were pages and others, too, whose names may be personal."""

    events: int
    names: tuple[str, ...] = ()
    has_others: bool = False
