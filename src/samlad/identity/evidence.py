"""What `rules.resolve` looks at, and what it finds."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from samlad.identity.model import AuthLevel, DeviceClass, Kind, PinKind, Trust


class Key(NamedTuple):
    """An identifier in its normal form."""

    kind: Kind
    value: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A sighting as it is kept.

    Attributes:
        id: tells sightings apart and breaks ties; made of content.
        ceilings: by identifier, the most that its trust may be; None: what the rules give.
        device: set where the device is shared: whose session it belongs to. It is not among ``keys``.
        at: when it was seen first.
    """

    id: str
    keys: tuple[Key, ...]
    ceilings: tuple[Trust | None, ...]
    auth: AuthLevel
    at: datetime
    device_class: DeviceClass = DeviceClass.PERSONAL
    device: Key | None = None
    session: str | None = None
    ends_session: bool = False


class Pin(msgspec.Struct, frozen=True):
    """What somebody decided: these are the same, these are apart, this one links nothing, this one may link."""

    seq: int
    kind: PinKind
    left: frozenset[Key]
    right: frozenset[Key] = frozenset()


class Link(NamedTuple):
    """A reason to take two identifiers for one person's. ``why`` is the sighting, or ``alias``."""

    trust: Trust
    at: datetime
    left: Key
    right: Key
    why: str

    def order(self) -> tuple[int, datetime, Key, Key, str]:
        """The surest first, then the oldest."""
        return (-self.trust, self.at, self.left, self.right, self.why)


class Refusal(NamedTuple):
    """A link that was left out, and for which reason: apart, limit or weak."""

    left: Key
    right: Key
    reason: str
    why: str


class Partition(msgspec.Struct, frozen=True):
    """Who is who.

    Attributes:
        groups: every identifier is in exactly one.
        quarantined: on too many people, with on how many.
        blocked: link nothing by the rules or by a decision.
        links: what holds the groups together; ``refused``: what would have joined them.
        known: identifiers that somebody with authority has told.
    """

    groups: list[frozenset[Key]]
    quarantined: dict[Key, int]
    blocked: frozenset[Key]
    links: list[Link]
    refused: list[Refusal]
    known: frozenset[Key]
