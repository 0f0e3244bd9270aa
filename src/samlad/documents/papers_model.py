"""Papers of many orders: what somebody wants, and how far it is."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.kernel.problems import Conflict

MOST_ORDERS = 10_000
What = Literal["invoices", "packing_slips", "labels"]
PaperForm = Literal["pdf", "zip"]


class PaperInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Papers of these ``orders``, or of all under ``filters`` (as the list of orders has them).

    ``what``: invoices with their credit notes, packing slips of what has not left, or labels of parcels that have a number. As
    ``pdf`` one after the other, 500 orders in a file; as ``zip`` a file each. ``id`` is made by whoever asks: the same again
    is the same run.
    """

    what: What
    form: PaperForm = "pdf"
    orders: Annotated[list[UUID], Meta(max_length=MOST_ORDERS)] | None = None
    filters: (
        Annotated[
            dict[str, Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]], Meta(max_length=30)
        ]
        | None
    ) = None
    id: UUID | None = None


class PaperRun(msgspec.Struct, frozen=True, kw_only=True):
    """Papers that somebody asked for: of ``total`` orders, of which ``done`` are in ``files`` and ``left_out`` have none.

    ``state`` is running, ready, stopped or failed; ``size`` are the bytes of what is kept.
    """

    id: UUID
    what: str
    form: str
    state: str
    reason: str
    total: int
    done: int
    left_out: int
    files: int
    size: int
    staff: UUID | None
    asked_name: str
    locations: list[UUID] | None
    created_at: datetime
    ended_at: datetime | None


class PaperRow(msgspec.Struct, frozen=True):
    """An order that has no such paper, and why."""

    order_id: UUID
    number: str
    reason: str


class Made(msgspec.Struct, frozen=True):
    """One paper as a file."""

    name: str
    content: bytes


class NoPapers(Conflict):
    """The papers are not made yet, or were made too long ago; ``state`` says which."""

    code, title = "papers-not-there", "These papers are not there"
