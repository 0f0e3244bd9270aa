"""Plans and moves."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from samlad.channels import Resource
from samlad.channels.model import Code
from samlad.channels.pooling import Finding, Level, Move, MoveKind


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What joining or leaving would do. Nothing is written.

    Attributes:
        channel: its code; ``to``: the codes of those that it would share with, or shares with.
        shared: the pool of the others; ``home`` the channel's own, None if it never had one.
        findings: what it would do and what stands in its way, the most important first.
        rows: how many rows would be carried over.
        is_ready: nothing stands in its way.
    """

    channel: str
    resource: Resource
    kind: MoveKind
    to: list[str]
    home: UUID | None
    shared: UUID
    joined: UUID | None
    findings: list[Finding]
    rows: int
    is_ready: bool

    def blocking(self) -> list[Finding]:
        """What stands in its way."""
        return [each for each in self.findings if each.level is Level.BLOCKING]


class MoveInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to."""

    to: Annotated[
        Code | None,
        msgspec.Meta(
            description="Code of a channel whose pool is joined; left out: the pool that most channels share. "
            "Of no meaning for leaving",
            examples=["web"],
        ),
    ] = None
    keeps_own: Annotated[
        bool,
        msgspec.Meta(
            description="Where both have a price (of `prices`) or a title and description (of `catalogue`) for the same "
            "goods, the channel keeps its own; else those of the pool hold"
        ),
    ] = False


class MoveRow(msgspec.Struct, frozen=True, kw_only=True):
    """A move, under way or over. ``rows`` of about ``expected`` are carried over; ``problem``: why the last try failed."""

    id: UUID
    channel: UUID
    channel_code: str
    resource: Resource
    kind: MoveKind
    home: UUID
    shared: UUID
    joined: UUID | None
    status: str
    step: int
    rows: int
    expected: int
    problem: str | None
    actor: str
    started_at: datetime
    finished_at: datetime | None
    keeps_own: bool

    def move(self) -> Move:
        """As packages see it."""
        return Move(
            id=self.id,
            channel=self.channel,
            resource=self.resource,
            kind=self.kind,
            home=self.home,
            shared=self.shared,
            joined=self.joined,
            keeps_own=self.keeps_own,
        )


class Sharing(msgspec.Struct, frozen=True):
    """A pool that a channel uses, and the others in it."""

    pool: UUID
    others: list[UUID]
