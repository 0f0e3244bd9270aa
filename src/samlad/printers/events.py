"""What happens to printers and on them."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("printer.created")
class PrinterCreated(Fact, frozen=True, kw_only=True):
    """A location has another printer. The subject is the printer."""

    location: UUID
    name: str


@declare("printer.changed")
class PrinterChanged(Fact, frozen=True, kw_only=True):
    """A printer is elsewhere, or is another one. The subject is the printer."""

    location: UUID
    fields: list[str]


@declare("printer.removed")
class PrinterRemoved(Fact, frozen=True, kw_only=True):
    """A printer is not used any more. The subject is the printer."""

    location: UUID


@declare("print_job.asked")
class PrintAsked(Fact, frozen=True, kw_only=True):
    """Somebody wants something printed. The subject is the job."""

    printer: UUID
    location: UUID
    kind: str
    order: UUID | None = None
    is_copy: bool = False


@declare("print_job.ended")
class PrintEnded(Fact, frozen=True, kw_only=True):
    """It is printed, failed, or nobody knows (``unsure``). The subject is the job."""

    printer: UUID
    location: UUID
    kind: str
    state: str
    order: UUID | None = None


@declare("drawer.opened")
class DrawerOpened(Fact, frozen=True, kw_only=True):
    """A cash drawer was opened: for the cash sale ``order``, or without one and why. The subject is the job."""

    printer: UUID
    location: UUID
    by: str
    order: UUID | None = None
    why: str = ""
