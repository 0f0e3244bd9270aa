"""What labels look like, and which of them somebody wants."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.kernel.problems import Conflict

MOST_LABELS = 20_000
"""Of one run: 834 sheets."""
MOST_PICKS = 10_000

TemplateName = Literal["a4-3x8", "a4-3x7", "a4-2x7", "a4-2x4", "a4-5x13", "roll-58x40"]
LabelForm = Literal["pdf", "zpl"]
LineText = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]
Copies = Annotated[int, Meta(ge=1, le=999, description="Labels of each")]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet or a roll of labels. Sizes in millimetres; ``left`` and ``top`` are the margins of the sheet."""

    name: TemplateName
    columns: int
    rows: int
    width: float
    height: float
    page_width: float = 210
    page_height: float = 297
    left: float = 0
    top: float = 0
    gap: float = 0
    """Between two columns."""

    @property
    def a_page(self) -> int:
        """Labels on a page."""
        return self.columns * self.rows


class Pick(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A SKU or GTIN, and how many labels of it."""

    code: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$")]
    copies: Copies = 1


class LabelRunInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Labels of what is sold in a channel, at its prices: of the ``picks``, or of all that fits the rest.

    ``changed_since``: what another price holds for than at that moment. ``skip``: so many labels of the first sheet are
    used. ``id`` is made by whoever asks: the same again is the same run.
    """

    channel: UUID
    template: TemplateName = "a4-3x8"
    form: LabelForm = "pdf"
    picks: Annotated[list[Pick], Meta(max_length=MOST_PICKS)] = []
    category: LineText = ""
    brand: LineText = ""
    tag: LineText = ""
    changed_since: Annotated[datetime, Meta(tz=True)] | None = None
    copies: Copies = 1
    skip: Annotated[int, Meta(ge=0, le=64)] = 0
    with_qr: bool = True
    id: UUID | None = None


class RunState(StrEnum):
    """How far a run is."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class LabelRun(msgspec.Struct, frozen=True, kw_only=True):
    """Labels that somebody asked for: of ``total`` (0: not counted yet) so many ``labels`` are drawn.

    ``size``: bytes of the file; ``missing``: codes that nothing is sold under here.
    """

    id: UUID
    channel: UUID
    template: TemplateName
    form: LabelForm
    state: RunState
    labels: int
    total: int
    missing: list[str]
    reason: str
    asked_name: str
    asked_at: datetime
    ended_at: datetime | None
    size: int


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """What one label says, in the language of its shop. ``code`` is a GTIN (digits) or a SKU."""

    title: str
    options: str
    price: str
    unit_price: str
    lowest: str
    code: str
    gtin: str | None
    link: str
    copies: int = 1


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn in one go: labels from the top of a sheet, or after ``skip`` used ones."""

    part: int
    skip: int
    tags: list[Tag]


class NoFile(Conflict):
    """The labels are not made yet, or were made too long ago; ``state`` says which."""

    code, title = "labels-not-there", "These labels are not there"
