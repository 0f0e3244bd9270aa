"""What happens to what a shop says for itself."""

from datetime import datetime
from typing import Any

from samlad.kernel.log import Fact, declare


@declare("brand.changed")
class BrandChanged(Fact, frozen=True, kw_only=True):
    """The brand kit of a channel is different: for each field what it was and what it is."""

    before: dict[str, Any]
    after: dict[str, Any]


@declare("content.page_created")
class PageCreated(Fact, frozen=True, kw_only=True):
    """There is a new page, which nobody sees yet. An empty handle: the start page."""

    handle: str


@declare("content.page_drafted")
class PageDrafted(Fact, frozen=True, kw_only=True):
    """The draft of a page is different; what customers see is not."""

    handle: str
    version: int


@declare("content.page_published")
class PagePublished(Fact, frozen=True, kw_only=True):
    """A version of a page was published, perhaps for a time."""

    handle: str
    number: int
    shown_from: datetime | None
    shown_until: datetime | None


@declare("content.page_withdrawn")
class PageWithdrawn(Fact, frozen=True, kw_only=True):
    """A version of a page is not shown any more; what held before it is."""

    handle: str
    number: int


@declare("content.page_shown_again")
class PageShownAgain(Fact, frozen=True, kw_only=True):
    """A version that had been withdrawn holds again."""

    handle: str
    number: int


@declare("content.menu_changed")
class MenuChanged(Fact, frozen=True, kw_only=True):
    """A menu of a channel is different."""

    place: str
    entries: int


@declare("content.redirects_changed")
class RedirectsChanged(Fact, frozen=True, kw_only=True):
    """Old addresses lead somewhere (else), or nowhere any more."""

    saved: list[str]
    removed: list[str]


@declare("content.picture_added")
class PictureAdded(Fact, frozen=True, kw_only=True):
    """A picture was stored."""

    key: str
    name: str
