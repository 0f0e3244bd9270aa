"""What a printer is, and what is printed on it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.documents.model import Columns
from samlad.kernel.problems import Conflict

CodePage = Literal["CP437", "CP850", "CP852", "CP858", "CP1252"]
"""Letters that the printer knows first: what is not in it is looked for in its other pages."""
DrawerPin = Literal[0, 2, 5]
Host = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z0-9.:_-]+(?!\n)$",
        description="Name or IP address in the store's own network",
        examples=["192.168.1.60"],
    ),
]
PrinterName = Annotated[
    str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$", examples=["Till 1"])
]
Port = Annotated[int, Meta(ge=1, le=65535, description="TCP port; 9100 on nearly all")]


class PrinterInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A printer of a location. ``drawer_pin``: on which pin of its socket a cash drawer hangs; 0: none."""

    location: UUID
    name: PrinterName
    host: Host
    port: Port = 9100
    columns: Columns = 48
    code_page: CodePage = "CP858"
    drawer_pin: DrawerPin = 0
    has_cutter: bool = True
    tells_status: bool = False


class PrinterChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is."""

    name: PrinterName | UnsetType = UNSET
    host: Host | UnsetType = UNSET
    port: Port | UnsetType = UNSET
    columns: Columns | UnsetType = UNSET
    code_page: CodePage | UnsetType = UNSET
    drawer_pin: DrawerPin | UnsetType = UNSET
    has_cutter: bool | UnsetType = UNSET
    tells_status: bool | UnsetType = UNSET


class Printer(msgspec.Struct, frozen=True, kw_only=True):
    """A printer. ``tells_status``: it is asked for paper and cover before, and whether it is done after."""

    id: UUID
    location: UUID
    name: str
    host: str
    port: int
    columns: Columns
    code_page: CodePage
    drawer_pin: DrawerPin
    has_cutter: bool
    tells_status: bool
    is_active: bool
    version: int


class PrintKind(StrEnum):
    """What is printed; a drawer that opens prints nothing."""

    RECEIPT = "receipt"
    DRAWER = "drawer"
    TEST = "test"
    REPORT = "report"


class PrintState(StrEnum):
    """How far it is. `UNSURE`: the connection broke while it was sent; only the paper tells."""

    WAITING = "waiting"
    SENDING = "sending"
    PRINTED = "printed"
    FAILED = "failed"
    UNSURE = "unsure"


class PrintJob(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is to be printed. ``reason`` says in English why it waits, failed or is unsure."""

    id: UUID
    printer: UUID
    printer_name: str
    location: UUID
    kind: PrintKind
    order_id: UUID | None
    is_copy: bool
    opens_drawer: bool
    why: str
    state: PrintState
    reason: str
    attempts: int
    good_until: datetime
    asked_by: str
    asked_name: str
    asked_at: datetime
    ended_at: datetime | None


class PrintInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Print the receipt of an order. The original is printed once; ``copy`` asks for one that says so.

    ``id`` is made by whoever asks: the same again is the same copy.
    """

    printer: UUID
    copy: bool = False
    id: UUID | None = None


class PrintReportInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Print the X or Z report of a drawer. ``id`` is made by whoever asks: the same again is the same paper."""

    printer: UUID
    id: UUID | None = None


class DrawerInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Open the drawer without a sale, and why. The same ``id`` again opens nothing."""

    why: Annotated[
        str,
        Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$", examples=["Change for 500"]),
    ]
    id: UUID | None = None


class PrinterNameTaken(Conflict):
    """Another printer of this location has the name."""

    code, title = "printer-name-taken", "There is a printer of this name"


class NotAgain(Conflict):
    """It is printed, or is about to be: ask for a copy."""

    code, title = "print-job-state", "This is not to be printed again"
