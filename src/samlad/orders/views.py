"""Views of the order desk: filters, sorting and columns under a name, one's own or shared with everybody who sees orders."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.access import audit
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from samlad.orders.permissions import READ, SHARE

MOST_VIEWS = 100
"""Views of one person, and shared ones that a desk shows."""
COLUMNS = ("customer", "channel", "status", "payment", "delivery", "items", "tags", "placed_at", "total")
"""What the desk can show of an order beside its number."""
FILTERS = (
    "q", "channel", "status", "payment", "kind", "currency", "delivery", "tag", "place", "part", "late", "returned",
    "from_amount", "to_amount", "customer", "first", "last", "day", "goods",
)  # fmt: skip
"""Filters of the desk, by their names in its address."""

ViewName = Annotated[
    str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$", examples=["Gifts to wrap"])
]
Filters = Annotated[
    dict[str, Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]], Meta(max_length=30)
]
Columns = Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=20)]
SortKey = Annotated[str, Meta(max_length=40, pattern=r"^-?[a-z_]*$")]


class ViewInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A view to be kept. ``filters`` are texts by name; no ``columns``: those of the desk."""

    name: ViewName
    filters: Filters = {}
    sort: SortKey = ""
    columns: Columns = []
    is_shared: bool = False


class ViewChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to be different about a view; what is left out stays."""

    name: ViewName | UnsetType = UNSET
    filters: Filters | UnsetType = UNSET
    sort: SortKey | UnsetType = UNSET
    columns: Columns | UnsetType = UNSET
    is_shared: bool | UnsetType = UNSET


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """A view as it is kept. ``is_default``: the desk opens with it for who asks."""

    id: UUID
    owner: UUID
    name: str
    is_shared: bool
    filters: dict[str, str]
    sort: str
    columns: list[str]
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    version: int
    is_default: bool = False


_COLUMNS = "v.id, v.owner, v.name, v.is_shared, v.filters, v.sort, v.columns, v.created_at, v.changed_at, v.deleted_at, v.version"
_DEFAULT = "EXISTS (SELECT FROM order_view_default d WHERE d.staff = $1 AND d.view = v.id) AS is_default"


async def views_of(reader: Reader, actor: Actor) -> list[OrderView]:
    """The views that somebody may use, their own first. One statement."""
    actor.require(READ)
    return await reader.all(
        OrderView,
        f"""SELECT {_COLUMNS}, {_DEFAULT} FROM order_view v
            WHERE v.deleted_at IS NULL AND (v.owner = $1 OR v.is_shared)
            ORDER BY v.owner <> $1, lower(v.name), v.id LIMIT {2 * MOST_VIEWS}""",
        _owner(actor),
    )


async def create(tx: Tx, data: ViewInput, *, view: UUID | None = None) -> OrderView:
    """Keep a view of one's own; sharing it needs ``orders.share-views``. With the id of one that is there, that one.

    Raises:
        InvalidInput: an unknown filter, column or sorting. Conflict: one has a view of this name, or too many.
    """
    tx.actor.require(READ)
    owner, fresh = _owner(tx.actor), view or new_id()
    known = await _find(tx, fresh)
    if known is not None and known.owner == owner:
        return known
    if data.is_shared:
        tx.actor.require(SHARE)
    _check(data.filters, data.sort, data.columns)
    count = await tx.value("SELECT count(*) FROM order_view WHERE owner = $1 AND deleted_at IS NULL", owner)
    if count >= MOST_VIEWS:
        raise Conflict(f"One person keeps at most {MOST_VIEWS} views.")
    await _write(
        tx,
        """INSERT INTO order_view (id, owner, name, is_shared, filters, sort, columns) VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        fresh,
        owner,
        _tidy(data.name),
        data.is_shared,
        data.filters,
        data.sort,
        data.columns,
    )
    return await _told(tx, fresh, "order_view.created", None)


async def change(tx: Tx, view: UUID, data: ViewChange, *, version: int | None = None) -> OrderView:
    """Rename a view, or say anew what it shows. Shared ones are changed by their owner or who may share.

    Raises:
        NotFound, Forbidden. Outdated: not the version that was seen. Conflict: the name is taken.
    """
    before = await _enter(tx, view, version)
    if before.deleted_at is not None:
        raise NotFound("This view was deleted.")
    after = ViewInput(
        name=before.name if data.name is UNSET else _tidy(data.name),
        filters=before.filters if data.filters is UNSET else data.filters,
        sort=before.sort if data.sort is UNSET else data.sort,
        columns=before.columns if data.columns is UNSET else data.columns,
        is_shared=before.is_shared if data.is_shared is UNSET else data.is_shared,
    )
    if after.is_shared != before.is_shared:
        tx.actor.require(SHARE)
    _check(after.filters, after.sort, after.columns)
    if all(getattr(after, name) == getattr(before, name) for name in ViewInput.__struct_fields__):
        return before
    await _write(
        tx,
        """UPDATE order_view SET name = $2, is_shared = $3, filters = $4, sort = $5, columns = $6, changed_at = now(),
                  version = version + 1 WHERE id = $1""",
        view,
        after.name,
        after.is_shared,
        after.filters,
        after.sort,
        after.columns,
    )
    return await _told(tx, view, "order_view.changed", before)


async def delete(tx: Tx, view: UUID, *, version: int | None = None) -> OrderView:
    """Take a view away; `restore` brings it back. Deleted twice it is deleted once.

    Raises:
        NotFound, Forbidden. Outdated: not the version that was seen.
    """
    before = await _enter(tx, view, version)
    if before.deleted_at is not None:
        return before
    await tx.execute(
        "UPDATE order_view SET deleted_at = now(), changed_at = now(), version = version + 1 WHERE id = $1",
        view,
    )
    return await _told(tx, view, "order_view.deleted", before)


async def restore(tx: Tx, view: UUID) -> OrderView:
    """Bring a deleted view back.

    Raises:
        NotFound, Forbidden. Conflict: its owner has another of this name by now.
    """
    before = await _enter(tx, view, None)
    if before.deleted_at is None:
        return before
    await _write(
        tx,
        "UPDATE order_view SET deleted_at = NULL, changed_at = now(), version = version + 1 WHERE id = $1",
        view,
    )
    return await _told(tx, view, "order_view.restored", before)


async def set_default(tx: Tx, view: UUID | None) -> None:
    """Let the desk open with a view for oneself, or (None) with all orders.

    Raises:
        NotFound: no view that one may use.
    """
    tx.actor.require(READ)
    owner = _owner(tx.actor)
    if view is None:
        await tx.execute("DELETE FROM order_view_default WHERE staff = $1", owner)
        return
    found = await _find(tx, view)
    if found is None or found.deleted_at is not None or not (found.is_shared or found.owner == owner):
        raise NotFound("There is no such view.")
    await tx.execute(
        """INSERT INTO order_view_default (staff, view) VALUES ($1, $2) ON CONFLICT (staff) DO UPDATE SET view = $2""",
        owner,
        view,
    )


def _owner(actor: Actor) -> UUID:
    if actor.id is None or actor.kind not in ("staff", "key"):
        raise Forbidden("Views belong to somebody who has signed in.")
    return actor.id


def _tidy(name: str) -> str:
    tidy = name.strip()
    if not tidy:
        raise InvalidInput.at("name", "is empty")
    return tidy


def _check(filters: dict[str, str], sort: str, columns: list[str]) -> None:
    for name in filters:
        if name not in FILTERS:
            raise InvalidInput.at(f"filters/{name}", f"unknown; one can filter by {', '.join(FILTERS)}")
    if sort.removeprefix("-") not in ("", "placed_at", "total", "number"):
        raise InvalidInput.at("sort", "one of placed_at, total, number, with - before it for descending")
    for column in columns:
        if column not in COLUMNS:
            raise InvalidInput.at("columns", f"unknown; there are {', '.join(COLUMNS)}")


async def _find(tx: Tx, view: UUID) -> OrderView | None:
    return await tx.one(OrderView, f"SELECT {_COLUMNS} FROM order_view v WHERE v.id = $1 FOR UPDATE", view)


async def _enter(tx: Tx, view: UUID, version: int | None) -> OrderView:
    tx.actor.require(READ)
    found = await _find(tx, view)
    if found is None or not (found.is_shared or found.owner == _owner(tx.actor)):
        raise NotFound("There is no such view.")
    if found.owner != _owner(tx.actor):
        tx.actor.require(SHARE)
    check_version(version, found.version)
    return found


async def _write(tx: Tx, sql: str, *args: object) -> None:
    try:
        await tx.execute(sql, *args)
    except asyncpg.UniqueViolationError:
        raise Conflict("There is a view of this name already.") from None


async def _told(tx: Tx, view: UUID, verb: str, before: OrderView | None) -> OrderView:
    after = await tx.one(
        OrderView, f"SELECT {_COLUMNS}, {_DEFAULT} FROM order_view v WHERE v.id = $2", _owner(tx.actor), view
    )
    assert after is not None
    shown = [
        None if each is None else {"name": each.name, "is_shared": each.is_shared} for each in (before, after)
    ]
    audit.record(tx, verb, "order_view", view, before=shown[0], after=shown[1])
    return after
