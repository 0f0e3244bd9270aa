"""Lists on pages: the same filters, sorting and cursors as the API's, in addresses that can be kept and sent."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from samlad.faces.page import AnyRequest
from samlad.kernel.database import Database
from samlad.kernel.listing import COUNT_LIMIT, Listing, ListQuery
from samlad.kernel.problems import InvalidInput

T = TypeVar("T")

ROWS = 50
_TRAIL = 8
"""How many pages back one can go step by step; beyond that it is the first."""
_PLACE = ("cursor", "trail")


class Shown(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list, and the addresses around it."""

    items: list[T]
    path: str
    params: dict[str, str]
    sort: str
    count: int
    next: str | None
    previous: str | None

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return any(name not in (*_PLACE, "sort") for name in self.params)

    @property
    def is_counted(self) -> bool:
        """Whether ``count`` is exact; beyond 10,000 nobody counts on."""
        return self.count < COUNT_LIMIT

    def get(self, name: str, default: str = "") -> str:
        """What a filter is set to."""
        return self.params.get(name, default)

    def kept(self, *without: str) -> dict[str, str]:
        """The parameters that a form of filters carries on in hidden fields."""
        return {name: value for name, value in self.params.items() if name not in (*_PLACE, *without)}

    def href(self, **changes: Any) -> str:
        """The address of this list with other filters; it begins at the first page."""
        return href(self.path, {**self.kept(), **changes})

    @property
    def is_longer(self) -> bool:
        """Whether more fits than this page shows."""
        return self.count > len(self.items)

    @property
    def selection(self) -> str:
        """What narrows and sorts this list, as in an address: what stands for all of its pages."""
        return urlencode(self.kept())

    @property
    def sort_href(self) -> str:
        """The address to which a sort key is appended."""
        base = href(self.path, self.kept("sort"))
        return f"{base}{'&' if '?' in base else '?'}sort="

    def export(self, path: str) -> str:
        """The address of everything under these filters as CSV, from the API."""
        return href(path, {**self.kept(), "format": "csv"})


async def shown(
    request: AnyRequest,
    database: Database,
    listing: Listing[T],
    *scope: Any,
    fixed: Mapping[str, str | None] | None = None,
    also: tuple[str, ...] = (),
    limit: int = ROWS,
) -> Shown[T]:
    """The page of a list that the request's address asks for.

    ``fixed`` filters cannot be changed by the address; ``also`` names parameters that the page itself understands.
    An address with a cursor or a value that cannot be read (any more) shows the first page without it.
    """
    allowed = {*listing.filters, *_PLACE, "sort", *also}
    given = {name: value for name, value in request.query_params.items() if value and name in allowed}
    while True:
        query = _query(listing, given, fixed, limit)
        try:
            page, count = await listing.counted(database, query, *scope)
            break
        except InvalidInput as problem:  # it names the first that cannot be read: there may be more
            wrong = {*_PLACE, *(error.field for error in problem.errors)} & given.keys()
            if not wrong:
                raise
            for name in wrong:
                del given[name]
    where = request.url.path
    return Shown(
        items=page.items,
        path=where,
        params=given,
        sort=query.sort or listing.default_sort,
        count=count,
        next=_next(where, given, page.next_cursor),
        previous=_previous(where, given),
    )


def _query(
    listing: Listing[Any], given: Mapping[str, str], fixed: Mapping[str, str | None] | None, limit: int
) -> ListQuery:
    filters = {name: given.get(name) for name in listing.filters} | dict(fixed or {})
    return ListQuery(limit=limit, cursor=given.get("cursor"), sort=given.get("sort"), filters=filters)


def _next(path: str, given: Mapping[str, str], cursor: str | None) -> str | None:
    if cursor is None:
        return None
    trail = [*_trail(given), *([given["cursor"]] if "cursor" in given else [])][-_TRAIL:]
    return href(path, {**given, "cursor": cursor, "trail": ",".join(trail)})


def _previous(path: str, given: Mapping[str, str]) -> str | None:
    if "cursor" not in given:
        return None
    trail = _trail(given)
    return href(path, {**given, "cursor": trail[-1] if trail else None, "trail": ",".join(trail[:-1])})


def _trail(given: Mapping[str, str]) -> list[str]:
    return [cursor for cursor in given.get("trail", "").split(",") if cursor]


def href(path: str, params: Mapping[str, Any]) -> str:
    """An address with those parameters that say something."""
    query = urlencode({name: str(value) for name, value in params.items() if value not in (None, "")})
    return f"{path}?{query}" if query else path
