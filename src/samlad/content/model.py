"""Pages made of blocks, menus and redirects: what a shop says for itself."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.channels.model import Code

LANGUAGES = ("en", "sv", "nl")
MOST_BLOCKS = 60
MOST_LINKS = 40

_Line = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]
_Prose = Annotated[str, Meta(max_length=20_000, pattern=r"^[^\x00]*$", description="Markdown, a subset")]
BlockId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]{1,32}(?!\n)$",
        max_length=32,
        description="Its own among the blocks of the page",
        examples=["hero"],
    ),
]
Handle = Annotated[
    str,
    Meta(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?)?(?!\n)$",
        max_length=100,
        description="Its address is /page/HANDLE; empty: the start page",
        examples=["about-us"],
    ),
]
Href = Annotated[
    str,
    Meta(
        pattern=r"^(/(?![/\\])[^\x00-\x20\x7f\\]*|https://[^\x00-\x20\x7f\\]+|mailto:[^\x00-\x20\x7f]+)?(?!\n)$",
        max_length=500,
        description="An address within the shop, or one that begins with https:// or mailto:",
        examples=["/search?sort=newest"],
    ),
]
PictureKey = Annotated[
    str,
    Meta(
        pattern=r"^([0-9a-f]{64}\.(jpg|png|gif|webp|avif))?(?!\n)$",
        max_length=69,
        description="Key of a stored picture; empty: none",
        examples=["a" * 64 + ".png"],
    ),
]
_Goods = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"^[^\x00-\x20\x7f]*(?!\n)$",
        description="Handle of a collection, path of a category",
        examples=["kitchen/kettles"],
    ),
]
_Count = Annotated[int, Meta(ge=1, le=24, description="How many are shown at most")]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line in the languages of the shop; what is empty falls back to another that is not."""

    en: _Line = ""
    sv: _Line = ""
    nl: _Line = ""


class Prose(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A text in the languages of the shop: Markdown with headings, emphasis, lists, quotes and links."""

    en: _Prose = ""
    sv: _Prose = ""
    nl: _Prose = ""


class _Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type"):
    id: BlockId


class Hero(_Block, frozen=True, tag="hero"):
    """The first thing that one sees: a picture, a line, a text, a button."""

    kind: ClassVar[str] = "hero"
    title: Words = msgspec.field(default_factory=Words)
    text: Prose = msgspec.field(default_factory=Prose)
    picture: PictureKey = ""
    alt: Words = msgspec.field(default_factory=Words)
    button: Words = msgspec.field(default_factory=Words)
    href: Href = ""


class Shelf(_Block, frozen=True, tag="shelf"):
    """Products of a collection or a category."""

    kind: ClassVar[str] = "shelf"
    title: Words = msgspec.field(default_factory=Words)
    source: Literal["collection", "category"] = "collection"
    goods: _Goods = ""
    count: _Count = 8


class Text(_Block, frozen=True, tag="text"):
    """A text."""

    kind: ClassVar[str] = "text"
    text: Prose = msgspec.field(default_factory=Prose)


class PictureText(_Block, frozen=True, tag="picture_text"):
    """A picture with a text beside it; ``side`` is where the picture stands in reading direction."""

    kind: ClassVar[str] = "picture_text"
    title: Words = msgspec.field(default_factory=Words)
    text: Prose = msgspec.field(default_factory=Prose)
    picture: PictureKey = ""
    alt: Words = msgspec.field(default_factory=Words)
    side: Literal["start", "end"] = "start"
    button: Words = msgspec.field(default_factory=Words)
    href: Href = ""


class Recommend(_Block, frozen=True, tag="recommend"):
    """Products by what is known: the newest, those that sell most, those that this visitor saw last."""

    kind: ClassVar[str] = "recommend"
    title: Words = msgspec.field(default_factory=Words)
    what: Literal["new", "most_sold", "last_seen"] = "new"
    count: _Count = 8


class Categories(_Block, frozen=True, tag="categories"):
    """The trunk of the catalogue as tiles."""

    kind: ClassVar[str] = "categories"
    title: Words = msgspec.field(default_factory=Words)
    count: _Count = 8


class Stores(_Block, frozen=True, tag="stores"):
    """The stores with their addresses and whether they are open."""

    kind: ClassVar[str] = "stores"
    title: Words = msgspec.field(default_factory=Words)


class Newsletter(_Block, frozen=True, tag="newsletter"):
    """Asks for an e-mail address and the consent to write to it, which a link in a mail confirms."""

    kind: ClassVar[str] = "newsletter"
    title: Words = msgspec.field(default_factory=Words)
    text: Prose = msgspec.field(default_factory=Prose)


Block = Hero | Shelf | Text | PictureText | Recommend | Categories | Stores | Newsletter
BLOCKS: dict[str, type[Block]] = {
    each.kind: each for each in (Hero, Shelf, Text, PictureText, Recommend, Categories, Stores, Newsletter)
}
"""Every kind of block by the name that its data carries as ``type``."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a page shows: its name, what search engines say of it, and its blocks from top to bottom."""

    title: Words = msgspec.field(default_factory=Words)
    description: Words = msgspec.field(default_factory=Words)
    blocks: Annotated[list[Block], Meta(max_length=MOST_BLOCKS)] = []


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was published. It holds from ``shown_from`` (null: at once) until ``shown_until`` (exclusive)."""

    number: int
    shown_from: datetime | None
    shown_until: datetime | None
    withdrawn_at: datetime | None
    published_at: datetime
    published_by: str


class ContentPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page with its draft. ``versions`` are the latest fifty, the newest first; ``shown`` is the one of this moment."""

    id: UUID
    channel: UUID
    handle: str
    draft: Document
    last_number: int
    version: int
    created_at: datetime
    updated_at: datetime
    versions: list[Version] = []
    shown: int | None = None


class PageState(StrEnum):
    """``hidden``: nothing of it is shown now; ``shown``: as it is; ``changed``: shown, and the draft is newer."""

    HIDDEN = "hidden"
    SHOWN = "shown"
    CHANGED = "changed"


class PageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of pages. ``title`` is the draft's, in the first language that has one."""

    id: UUID
    channel: UUID
    handle: str
    title: str
    state: PageState
    updated_at: datetime
    created_at: datetime


class PageInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new page."""

    channel: Annotated[Code, Meta(description="Code of the channel; those below it have the page, too")]
    handle: Handle = ""
    document: Document = msgspec.field(default_factory=Document)


class Publishing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When it is to be shown. Nothing given: from now on."""

    shown_from: datetime | None = None
    shown_until: Annotated[datetime | None, Meta(description="Exclusive; what held before holds again")] = (
        None
    )


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A page as customers see it now; ``channel`` is where it comes from."""

    page: UUID
    channel: UUID
    handle: str
    number: int
    document: Document
    published_at: datetime


# -- menus -----------------------------------------------------------------------------------------------------------------


class MenuPlace(StrEnum):
    """Where a menu stands."""

    HEADER = "header"
    FOOTER = "footer"


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry. In a footer an entry without an address is the heading of a new column."""

    text: Words
    href: Href = ""


class MenuInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of a menu anew. No entries: what the channel would have without."""

    items: Annotated[list[Link], Meta(max_length=MOST_LINKS)] = []


class Menu(msgspec.Struct, frozen=True, kw_only=True):
    """A menu as a channel has set it; version 0: it has none of its own."""

    channel: UUID
    place: MenuPlace
    items: list[Link] = []
    version: int = 0


# -- redirects -------------------------------------------------------------------------------------------------------------

Source = Annotated[
    str,
    Meta(
        pattern=r"^/(?![/\\])[^\x00-\x1f\x7f\\?#]*(?!\n)$",
        max_length=500,
        description="The old path as one reads it: without a query, nothing in percent",
        examples=["/products/old-kettle"],
    ),
]
Target = Annotated[
    str,
    Meta(
        pattern=r"^(/(?![/\\])[^\x00-\x20\x7f\\]*|https://[^\x00-\x20\x7f\\]+)(?!\n)$",
        max_length=500,
        description="Where it leads: an address within the shop, or one that begins with https://",
        examples=["/p/kettle"],
    ),
]


class RedirectInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An old address and where it leads. ``is_permanent`` false: browsers ask again each time."""

    source: Source
    target: Target
    is_permanent: bool = True


class RedirectsInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Redirects to add; one whose source is there already leads to the new target."""

    channel: Code
    redirects: Annotated[list[RedirectInput], Meta(min_length=1, max_length=10_000)]


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """An old address, where it leads, and how often it was asked for."""

    id: UUID
    channel: UUID
    source: str
    target: str
    is_permanent: bool
    hits: int
    last_hit_at: datetime | None
    created_at: datetime


class RedirectsSaved(msgspec.Struct, frozen=True, kw_only=True):
    """How many are new or lead elsewhere now."""

    saved: int


# -- pictures --------------------------------------------------------------------------------------------------------------


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A stored picture; its address is `/media/KEY`. Sizes in pixels and bytes."""

    key: str
    name: str
    width: int
    height: int
    bytes: int
    created_at: datetime


class PictureInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A picture to keep: JPEG, PNG, GIF, WebP or AVIF, of at most 5 MB."""

    name: Annotated[
        str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$", examples=["logo.png"])
    ]
    content: Annotated[bytes, Meta(max_length=5_000_000, description="The file, in Base64")]
