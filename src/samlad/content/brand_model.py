"""How a brand looks and speaks: its kit, in which what a channel does not set is its parent's."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.content.model import PictureKey

Colour = Annotated[
    str,
    Meta(
        pattern=r"^#[0-9a-f]{6}(?!\n)$",
        max_length=7,
        description="Red, green and blue as six hexadecimal digits",
        examples=["#0a6353"],
    ),
]


class Face(StrEnum):
    """Type that every device has: no file is loaded, nothing jumps. The stacks are in `samlad.content.theme`."""

    SYSTEM = "system"
    HUMANIST = "humanist"
    GEOMETRIC = "geometric"
    GROTESQUE = "grotesque"
    OLD_STYLE = "old_style"
    TRANSITIONAL = "transitional"
    SLAB = "slab"
    ROUNDED = "rounded"


class Radius(StrEnum):
    """How round corners are."""

    NONE = "none"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Palette(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The colours of one scheme, light or dark; the others are mixed from these."""

    accent: Colour | None = None
    on_accent: Annotated[Colour | None, Meta(description="Text on the accent; null: black or white")] = None
    canvas: Annotated[Colour | None, Meta(description="Behind everything")] = None
    surface: Annotated[Colour | None, Meta(description="Behind cards and fields")] = None
    text: Colour | None = None


class Brand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A kit: as a channel sets it (null: inherited), or as it holds (null: the program's own)."""

    name: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=100,
                pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$",
                description="As customers read it; null: the channel's",
            ),
        ]
        | None
    ) = None
    logo: PictureKey | None = None
    logo_dark: Annotated[PictureKey | None, Meta(description="On dark ground; null: the other one")] = None
    icon: Annotated[PictureKey | None, Meta(description="Square, for home screens and tabs")] = None
    share: Annotated[PictureKey | None, Meta(description="Shown where a page is shared")] = None
    pictures: (
        Annotated[list[PictureKey], Meta(max_length=100, description="To choose from in texts and messages")]
        | None
    ) = None
    light: Palette = msgspec.field(default_factory=Palette)
    dark: Palette = msgspec.field(default_factory=Palette)
    heading_face: Face | None = None
    body_face: Face | None = None
    radius: Radius | None = None
    voice: (
        Annotated[
            str,
            Meta(
                max_length=4000, pattern=r"^[^\x00]*$", description="How the brand speaks, for whoever writes"
            ),
        ]
        | None
    ) = None
    theme: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z0-9][a-z0-9-]{0,39}(?!\n)$",
                max_length=40,
                description="Folder in SAMLAD_HOME/themes whose templates come first",
                examples=["summer"],
            ),
        ]
        | None
    ) = None


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """The kit of a channel: what it sets ``own``, and what holds. Version 0: it sets nothing yet."""

    channel: UUID
    own: Brand
    brand: Brand
    version: int = 0
    updated_at: datetime | None = None


class Finding(msgspec.Struct, frozen=True):
    """Two colours that cannot be told apart well enough. ``ratio`` as in WCAG 2.2; ``better`` would do for ``token``."""

    scheme: str
    token: str
    ground: str
    ratio: float
    needed: float
    better: str
