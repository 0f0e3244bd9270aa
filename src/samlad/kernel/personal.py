"""What each package knows of people: where it is, how it is read, how it is erased, what the law keeps and why.

A package declares it once, in its ``personal.py``::

    HOLDINGS = [
        Holding(
            table="cart",
            about=marked("What they meant to buy"),
            whose="id = ANY({things})",
            personal=("email", "name"),
            erase="email = NULL, name = NULL",
        ),
    ]

Conditions name what is known of the person: ``{ids}`` (uuid[]: every id of identity and of customers), ``{texts}`` (text[], lower
case: what is theirs alone, such as e-mail addresses and numbers), ``{needles}`` (text[]: those, names and phone numbers) and
``{things}`` (uuid[]: what `Things` found, such as their orders and carts). A test compares the declarations with the schema.
"""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from samlad.kernel import sealing
from samlad.kernel.database import Reader, Tx
from samlad.kernel.sealing import SealedColumn


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an export or an erasure is about."""

    ids: list[Any]
    texts: list[str]
    needles: list[str]
    things: list[Any]


class Things(msgspec.Struct, frozen=True):
    """Finds ids of what belongs to a person: SQL with ``{ids}`` and ``{texts}`` that answers one column of uuid."""

    sql: str


class Blocker(msgspec.Struct, frozen=True):
    """Why somebody cannot be erased yet: SQL that answers names of what is under way, such as numbers of orders."""

    about: str
    sql: str


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Personal data in one table.

    Attributes:
        about: what it is, for the person who asks; marked for translation.
        whose: the condition on rows of the table; its columns go by their own names.
        personal: columns that hold personal data. They are what is erased.
        shown: columns that an export has besides, to make sense of it.
        erase: what follows ``UPDATE … SET``; ``DELETE`` removes the rows; None: it stays.
        kept: why it stays, where it does; marked for translation.
        not_shown: why an export does not have it, such as what only repeats what is elsewhere.
        withheld: columns of ``personal`` that an export does not have, because they open something: what is left of a
            password, the token of a card.
        sealed: free text that `kernel.sealing` sealed. An export has the text; ``personal`` and ``shown`` name its columns.
        files: where rows are files: the column of an id that names them, that of their bytes, and how their names end. An
            export has them beside its JSON, which names them. Without an ending the column has their whole names.
    """

    table: str
    about: str
    whose: str
    personal: tuple[str, ...]
    shown: tuple[str, ...] = ()
    erase: str | None = None
    kept: str | None = None
    not_shown: str = ""
    withheld: tuple[str, ...] = ()
    sealed: SealedColumn | None = None
    files: tuple[str, str, str] | None = None

    @property
    def is_shown(self) -> bool:
        """Whether an export has it."""
        return not self.not_shown


_NAMES = re.compile(r"\{(ids|texts|needles|things)\}")
_CASTS = {"ids": "uuid[]", "texts": "text[]", "needles": "text[]", "things": "uuid[]"}
AT_ONCE = 1_000
"""Rows that an export has in memory."""


def bound(sql: str, person: Person) -> tuple[str, list[Any]]:
    """SQL with its names made parameters, and their values."""
    order: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name not in order:
            order.append(name)
        return f"${order.index(name) + 1}::{_CASTS[name]}"

    text = _NAMES.sub(number, sql)
    return text, [list(getattr(person, name)) for name in order]


async def find_things(reader: Reader, things: Sequence[Things], person: Person) -> list[Any]:
    """The ids of what belongs to a person."""
    found: set[Any] = set()
    for each in things:
        sql, values = bound(each.sql, person)
        found.update(row[0] for row in await reader.rows(sql, *values))
    return sorted(found)


async def read(reader: Reader, holding: Holding, person: Person) -> list[dict[str, Any]]:
    """What a table holds of a person, where that is little: who they are."""
    sql, values = bound(_select(holding), person)
    return await _told(reader, holding, await reader.rows(sql, *values))


async def pages(tx: Tx, holding: Holding, person: Person) -> AsyncIterator[list[dict[str, Any]]]:
    """The same, however much it is, some rows at a time."""
    sql, values = bound(f"{_select(holding)}{await _in_order(tx, holding)}", person)
    cursor = await tx.connection.cursor(sql, *values)
    while rows := await cursor.fetch(AT_ONCE):
        yield await _told(tx, holding, rows)


async def count(reader: Reader, holding: Holding, person: Person) -> int:
    """How many rows a table holds of a person."""
    sql, values = bound(f"SELECT count(*) FROM {holding.table} WHERE {holding.whose}", person)
    return int(await reader.value(sql, *values))


def _select(holding: Holding) -> str:
    left_out = {*holding.withheld} if holding.files is None else {*holding.withheld, holding.files[1]}
    names = dict.fromkeys((*holding.shown, *holding.personal))
    columns = ", ".join(name for name in names if name not in left_out)
    return f"SELECT {columns} FROM {holding.table} WHERE {holding.whose}"


async def _in_order(tx: Tx, holding: Holding) -> str:
    """By the first time that is shown, then by the key of the table: the way it happened."""
    keys = await tx.rows(
        """SELECT a.attname FROM pg_index i CROSS JOIN unnest(i.indkey::int[]) WITH ORDINALITY AS k (column_number, place)
           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.column_number
           WHERE i.indrelid = to_regclass($1) AND i.indisprimary ORDER BY k.place""",
        holding.table,
    )
    times = (each for each in (*holding.shown, *holding.personal) if each == "at" or each.endswith("_at"))
    order = dict.fromkeys([*list(times)[:1], *(row["attname"] for row in keys)])
    return f" ORDER BY {', '.join(order)}" if order else ""


async def _told(reader: Reader, holding: Holding, rows: Sequence[Any]) -> list[dict[str, Any]]:
    found = [dict(row.items()) for row in rows]
    if holding.sealed is not None:
        told = holding.sealed
        texts = await sealing.unseal(
            reader, told.purpose, [(row[told.owner], row[told.sealed]) for row in found]
        )
        for row, text in zip(found, texts, strict=True):
            if row.pop(told.sealed) is not None:
                row[told.text] = text
    if holding.files is not None:
        for row in found:
            row["file"] = _file_name(holding, row[holding.files[0]])
    return found


def _file_name(holding: Holding, named: Any) -> str:
    assert holding.files is not None
    ending = holding.files[2]
    return f"{holding.table}/{named}.{ending}" if ending else f"{holding.table}/{named}"


async def files(tx: Tx, holding: Holding, person: Person) -> AsyncIterator[tuple[str, bytes]]:
    """The files that a table holds of a person, one at a time, with the names that `read` gives them."""
    if holding.files is None:
        return
    named, content, _ = holding.files
    sql, values = bound(
        f"SELECT {named} AS named, {content} AS content FROM {holding.table} WHERE {holding.whose} ORDER BY {named}",
        person,
    )
    cursor = await tx.connection.cursor(sql, *values)
    while (row := await cursor.fetchrow()) is not None:
        yield _file_name(holding, row["named"]), row["content"]


async def erase(tx: Tx, holding: Holding, person: Person) -> int:
    """Take a person out of a table; how many rows. Doing it twice does no harm."""
    if holding.erase is None:
        return 0
    head = (
        f"DELETE FROM {holding.table}"
        if holding.erase == "DELETE"
        else f"UPDATE {holding.table} SET {holding.erase}"
    )
    sql, values = bound(f"{head} WHERE {holding.whose}", person)
    return await tx.execute(sql, *values)


async def blocked(reader: Reader, blocker: Blocker, person: Person) -> list[str]:
    """What is under way."""
    sql, values = bound(blocker.sql, person)
    return [str(row[0]) for row in await reader.rows(sql, *values)]
