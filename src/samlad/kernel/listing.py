"""Lists: one way to page, filter, sort and export, for the API and for pages alike.

A package declares a `Listing` once in its ``store.py``. Pages are read by keyset: page 1,000 costs what page 1
costs, and a row that arrives meanwhile neither repeats nor hides another. Conventions over HTTP:
``?limit=50&cursor=…&sort=-placed_at&status=open,paid&format=csv``.
"""

import base64
import binascii
import contextlib
import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from litestar import Response
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Stream

from samlad.kernel.database import Database, Reader
from samlad.kernel.problems import InvalidInput
from samlad.kernel.rows import into

T = TypeVar("T")

DEFAULT_LIMIT, LARGEST_LIMIT = 50, 200

Limit = Annotated[int, QueryParameter(ge=1, le=LARGEST_LIMIT, description="Rows of one page")]
Cursor = Annotated[
    str | None, QueryParameter(max_length=1000, description="`next_cursor` of the page before")
]
Sorting = Annotated[
    str | None, QueryParameter(max_length=60, description="A field, with `-` before it for descending")
]
Wanted = Annotated[
    str | None,
    QueryParameter(max_length=2000, pattern=r"^[^\x00]*$", description="One value, or several with commas"),
]
States = Annotated[
    str | None,
    QueryParameter(
        name="state",
        max_length=200,
        pattern=r"^[a-z_,]*$",
        description="One state, or several with commas",
    ),
]
FileFormat = Annotated[
    Literal["json", "csv"],
    QueryParameter(name="format", description="`csv`: everything under the filters as a file"),
]
"""Query parameters of list handlers, so that all lists read alike: ``as_format: FileFormat = "json"``."""

COUNT_LIMIT = 10_000
FEW = 20_000
"""Where at most so much fits a search, that is looked up and put in order; else it is met soon on the way through the list."""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page. ``next_cursor`` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. ``filters`` are texts by name, as they came; None and empty ones are ignored."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    sort: str | None = None
    filters: Mapping[str, str | None] = msgspec.field(default_factory=dict)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How any list can be asked for. A handler gets it as ``asked: FromAsked`` with ``dependencies=ASKED``; filters
    are its own.
    """

    sort: str | None
    cursor: str | None
    limit: int
    as_csv: bool

    def query(self, filters: Mapping[str, str | None]) -> ListQuery:
        """The query, with the filters of this list."""
        return ListQuery(limit=self.limit, cursor=self.cursor, sort=self.sort, filters=filters)


def _asked(
    sort: Sorting = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, as_format: FileFormat = "json"
) -> Asked:
    return Asked(sort=sort, cursor=cursor, limit=limit, as_csv=as_format == "csv")


ASKED: Mapping[str, Provide] = {"asked": Provide(_asked, sync_to_thread=False)}
FromAsked = NamedDependency[Asked]
"""Of handlers of lists: the parameters that all of them have, once. OpenAPI shows them as if they stood at the handler."""


class Filter(msgspec.Struct, frozen=True):
    """A condition with ``{}`` where its parameter goes, and how to read the parameter from text.

    ``few`` is a SELECT of the keys of what fits, each part of it by an index, for a condition over several tables: of an OR
    between them PostgreSQL would look at every row of the list. Where it finds at most `FEW`, it is the condition. Where it
    finds more, pages are read row by row until they are full; ``{walk}`` at the end of a subquery of ``sql`` says so to the
    planner, which would else look up all that fits it before the first row. ``few_of`` is the only value for which it holds.

    ``one`` is the condition for a text without a comma, where a list of one would keep PostgreSQL from reading an index in order.
    """

    sql: str
    parse: Callable[[str], Any] = str
    few: str | None = None
    few_of: str | None = None
    one: str | None = None

    def few_for(self, text: str) -> str | None:
        """``few``, if it holds for a value."""
        return self.few if self.few_of in (None, text) else None


class Sort(msgspec.Struct, frozen=True):
    """An expression that is never null, and its PostgreSQL type."""

    sql: str
    type: str = "text"


def texts(text: str) -> list[str]:
    """A comma-separated list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def uuids(text: str) -> list[UUID]:
    """A comma-separated list of UUIDs; raises ValueError."""
    return [UUID(part) for part in texts(text)]


def anywhere(text: str) -> str:
    """The pattern (LIKE, ILIKE) of what has a text anywhere."""
    return f"%{_literal(text)}%"


def anywhere_lowered(text: str) -> str:
    """As `anywhere`, for what is compared in small letters."""
    return anywhere(text.lower())


def at_start(text: str) -> str:
    """The pattern (LIKE, ILIKE) of what begins with a text."""
    return f"{_literal(text)}%"


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class Listing(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A list that can be paged.

    Attributes:
        row: the struct of one row; ``select`` gives its fields by name.
        source: what stands after FROM, with a WHERE of its own if need be; its parameters are ``$1…`` and are
            given as ``scope`` with every call (the pools that may be seen).
        key: unique expression that breaks ties, of type ``key_type``.
        sorts, filters: by their public name. ``default_sort`` begins with ``-`` for descending.
    """

    row: type[T]
    select: str
    source: str
    key: str
    sorts: Mapping[str, Sort]
    default_sort: str
    filters: Mapping[str, Filter] = msgspec.field(default_factory=dict)
    key_type: Literal["uuid", "text"] = "uuid"

    async def page(self, reader: Reader, query: ListQuery, *scope: Any) -> Page[T]:
        """One page of at most ``query.limit`` (1 to 200) rows.

        Raises:
            InvalidInput: an unknown sort or filter, an unreadable value or cursor, a limit out of range.
        """
        return await self._page(reader, query, scope, await self._wide(reader, query))

    async def counted(self, reader: Reader, query: ListQuery, *scope: Any) -> tuple[Page[T], int]:
        """A page as `page` has it, and how many rows there are as `count` has it: a search is looked up once for both."""
        wide = await self._wide(reader, query)
        page = await self._page(reader, query, scope, wide)
        return page, await self._count(reader, query, scope, wide)

    async def count(self, reader: Reader, query: ListQuery, *scope: Any) -> int:
        """How many rows there are under the filters, counted up to 10,000."""
        return await self._count(reader, query, scope, await self._wide(reader, query))

    async def _page(
        self, reader: Reader, query: ListQuery, scope: tuple[Any, ...], wide: Mapping[str, int]
    ) -> Page[T]:
        if not 1 <= query.limit <= LARGEST_LIMIT:
            raise InvalidInput.at("limit", f"between 1 and {LARGEST_LIMIT}")
        rows = await self._read(reader, query, scope, query.limit + 1, wide)
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        cursor = (
            _encode_cursor(self._sort(query), rows[-1]["sort_value"], rows[-1]["sort_key"]) if more else None
        )
        return Page([self._struct(row) for row in rows], cursor)

    async def _count(
        self, reader: Reader, query: ListQuery, scope: tuple[Any, ...], wide: Mapping[str, int]
    ) -> int:
        is_only = not scope and sum(map(bool, query.filters.values())) == 1
        if is_only and any(keys >= COUNT_LIMIT for keys in wide.values()):
            return COUNT_LIMIT
        where, args = self._conditions(query, scope, wide)
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {self._from(where)} LIMIT {COUNT_LIMIT}) AS counted"
        try:
            return int(await reader.value(sql, *args))
        except asyncpg.DataError as error:
            raise _unreadable(query, scope, error) from None

    async def keys(self, reader: Reader, query: ListQuery, *scope: Any, most: int) -> list[UUID]:
        """The keys of all rows under the filters in the list's order, at most so many."""
        where, args = self._conditions(query, scope, await self._wide(reader, query))
        sort = self._sort(query)
        by, direction = self.sorts[sort.removeprefix("-")].sql, "DESC" if sort.startswith("-") else "ASC"
        sql = f"SELECT {self.key} AS key FROM {self._from(where)} ORDER BY {by} {direction}, {self.key} {direction} LIMIT {most}"
        try:
            return [row["key"] for row in await reader.rows(sql, *args)]
        except asyncpg.DataError as error:
            raise _unreadable(query, scope, error) from None

    async def csv(self, database: Database, query: ListQuery, *scope: Any) -> AsyncIterator[bytes]:
        """All rows under the filters as CSV (UTF-8 with a header), streamed from one snapshot."""
        sql, args = self._build(query, scope, None, await self._wide(database, query))
        async with database.pool.acquire() as connection, connection.transaction(readonly=True):
            buffer = io.StringIO()
            writer = csv.writer(buffer)
            writer.writerow(self.row.__struct_fields__)  # type: ignore[attr-defined]
            async for row in connection.cursor(sql, *args, prefetch=1000):
                values = msgspec.to_builtins(self._struct(row))
                writer.writerow([_cell(value) for value in values.values()])
                if buffer.tell() > 64_000:
                    yield buffer.getvalue().encode()
                    buffer.seek(0)
                    buffer.truncate()
            yield buffer.getvalue().encode()

    async def answer(
        self, database: Database, query: ListQuery, *scope: Any, as_csv: bool = False, name: str = "export"
    ) -> Response[Any]:
        """The HTTP answer of a list handler: a page as JSON, or everything as a CSV file."""
        if as_csv:
            await self._read(database, query, scope, 0, {})  # faults are told before the stream begins
            headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
            return Stream(self.csv(database, query, *scope), media_type="text/csv", headers=headers)
        page = await self.page(database, query, *scope)
        return Response(page)

    async def _read(
        self, reader: Reader, query: ListQuery, scope: tuple[Any, ...], limit: int, wide: Collection[str]
    ) -> list[asyncpg.Record]:
        sql, args = self._build(query, scope, limit, wide)
        try:
            return await reader.rows(sql, *args)
        except asyncpg.DataError as error:
            raise _unreadable(query, scope, error) from None

    def _struct(self, row: Any) -> T:
        values = {name: value for name, value in row.items() if name not in ("sort_value", "sort_key")}
        return into(self.row, [values])[0]

    def _sort(self, query: ListQuery) -> str:
        sort = query.sort or self.default_sort
        if sort.removeprefix("-") not in self.sorts:
            raise InvalidInput.at("sort", f"one of {', '.join(self.sorts)}, with - before it for descending")
        return sort

    async def _wide(self, reader: Reader, query: ListQuery) -> dict[str, int]:
        """The filters that too much fits to be looked up, each with how many rows were met before that was clear."""
        wide = {}
        for name, text in query.filters.items():
            wanted = self.filters.get(name)
            few = None if not text or wanted is None else wanted.few_for(text)
            if not text or wanted is None or few is None or "\0" in text:
                continue
            with contextlib.suppress(ValueError):  # said by `_conditions`
                some = f"SELECT key FROM ({few.format('$1')}) AS f (key) LIMIT {FEW + 1}"
                sql = f"SELECT count(*) AS found, count(DISTINCT key) AS keys FROM ({some}) AS f"
                row = await reader.row(sql, wanted.parse(text))
                if row is not None and row["found"] > FEW:
                    wide[name] = int(row["keys"])
        return wide

    def _conditions(
        self, query: ListQuery, scope: tuple[Any, ...], wide: Collection[str], walk: str = ""
    ) -> tuple[list[str], list[Any]]:
        where, args = [], list(scope)
        for name, text in query.filters.items():
            if not text:
                continue
            if name not in self.filters:
                raise InvalidInput.at(name, f"unknown; one can filter by {', '.join(self.filters)}")
            if "\0" in text:
                raise InvalidInput.at(name, "may not contain the character NUL")
            try:
                args.append(self.filters[name].parse(text))
            except ValueError as error:
                raise InvalidInput.at(name, f"cannot be read: {error}") from None
            wanted, place = self.filters[name], f"${len(args)}"
            few = wanted.few_for(text)
            if few is not None and name not in wide:
                where.append(f"{self.key} IN ({few.format(place)})")
            elif wanted.one is not None and "," not in text:
                where.append(wanted.one.format(place))
            else:
                where.append(wanted.sql.format(place, walk=walk))
        return where, args

    def _from(self, where: list[str]) -> str:
        glue = " AND " if " where " in f" {self.source.lower()} ".replace("\n", " ") else " WHERE "
        return self.source + (glue + " AND ".join(f"({c})" for c in where) if where else "")

    def _build(
        self, query: ListQuery, scope: tuple[Any, ...], limit: int | None, wide: Collection[str]
    ) -> tuple[str, list[Any]]:
        where, args = self._conditions(query, scope, wide, "" if limit is None else "OFFSET 0")
        sort = self._sort(query)
        descending = sort.startswith("-")
        by = self.sorts[sort.removeprefix("-")]
        if query.cursor and limit is not None:
            value, key = _decode_cursor(query.cursor, sort, self.key_type)
            args += [value, key]
            sign = "<" if descending else ">"
            where.append(
                f"({by.sql}, {self.key}) {sign} (${len(args) - 1}::text::{by.type}, ${len(args)}::text::{self.key_type})"
            )
        direction = "DESC" if descending else "ASC"
        sql = (
            f"SELECT {self.select}, ({by.sql})::text AS sort_value, ({self.key})::text AS sort_key"
            f" FROM {self._from(where)} ORDER BY {by.sql} {direction}, {self.key} {direction}"
        )
        return (sql if limit is None else f"{sql} LIMIT {limit}"), args


def _unreadable(query: ListQuery, scope: tuple[Any, ...], error: asyncpg.DataError) -> InvalidInput:
    """A value that only PostgreSQL found to be none: asyncpg names the argument, the server does not."""
    named = re.search(r"query argument \$(\d+)", str(error))
    if named is None:
        return InvalidInput.at("cursor", "not a cursor that came from here")
    given = [name for name, text in query.filters.items() if text]
    place = int(named[1]) - len(scope) - 1
    if not 0 <= place < len(given):
        raise error
    return InvalidInput.at(given[place], "out of range")


def _cell(value: Any) -> str:
    """A CSV cell. A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in "=+-@\t\r" and text[:1] else text


def _encode_cursor(sort: str, value: str, key: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([sort, value, key])).decode().rstrip("=")


def _decode_cursor(text: str, sort: str, key_type: str) -> tuple[str, str]:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        made_for, value, key = msgspec.json.decode(raw, type=tuple[str, str, str])
        if key_type == "uuid":
            UUID(key)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise InvalidInput.at("cursor", "not a cursor that came from here") from None
    if "\0" in value + key:
        raise InvalidInput.at("cursor", "not a cursor that came from here")
    if made_for != sort:
        raise InvalidInput.at("cursor", f"made for sort={made_for}; begin again without it")
    return value, key
