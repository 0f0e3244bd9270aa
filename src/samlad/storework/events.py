"""What happens to store work of phones. What it changed has its own events."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("store_work.done")
class WorkDone(Fact, frozen=True, kw_only=True):
    """An entry of a phone was booked: ``kind`` says what it was, ``about`` what it changed."""

    location: UUID
    kind: str
    about: UUID | None


@declare("store_work.refused")
class WorkRefused(Fact, frozen=True, kw_only=True):
    """An entry of a phone could not be booked and is on the managers' list; ``code`` is the kind of problem."""

    location: UUID
    kind: str
    about: UUID | None
    code: str


@declare("store_work.dismissed")
class WorkDismissed(Fact, frozen=True, kw_only=True):
    """Somebody has said that a refused entry will not be booked, and why."""

    location: UUID
    kind: str
    about: UUID | None
    reason: str
