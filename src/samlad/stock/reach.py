"""How far staff reach who are bound to locations: to the pools of the channels that are there.

A store's channel says whose customers, carts and conversations the people there deal with; who works at a place without a channel
(a warehouse) deals with those of the channels that sell from its stock. Whoever is bound to no location reaches everything.
What has a pool is declared once by its package (`belongs`); an address that names one is looked at before its handler runs
(`within_reach`), and verbs whose requests name one elsewhere ask `require`.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from samlad.channels import Resource
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.http import ACTOR_SCOPE
from samlad.kernel.problems import NotFound
from samlad.stock import places

_ELSEWHERE = "There is nothing with this id where you work."

Check = Callable[[Reader, Actor, UUID], Awaitable[None]]
"""Raises NotFound where a thing is not of who acts. What is not there at all is told by who looks for it."""

_THINGS: dict[str, list[Check]] = defaultdict(list)


def belongs(holes: Iterable[str], resource: Resource, pools_of: str) -> None:
    """Say whose the things are that these holes of addresses name: ``pools_of`` selects the pools of the one with id ``$1``."""

    async def check_pool(reader: Reader, actor: Actor, thing: UUID) -> None:
        rows = await reader.rows(pools_of, thing)
        mine = await pools(reader, actor, resource) if rows else None
        if mine is not None and not any(row[0] in mine for row in rows):
            raise NotFound(_ELSEWHERE)

    belongs_by(holes, check_pool)


def belongs_by(holes: Iterable[str], check: Check) -> None:
    """As `belongs`, of what has no pool: whoever is bound and asks for it is looked at by ``check``."""
    for hole in holes:
        _THINGS[hole].append(check)


def stands_at(holes: Iterable[str], locations_of: str) -> None:
    """As `belongs`, of what is at one place: ``locations_of`` selects the location of the one with id ``$1``."""

    async def check_place(reader: Reader, actor: Actor, thing: UUID) -> None:
        rows = await reader.rows(locations_of, thing)
        if actor.locations is not None and any(row[0] not in actor.locations for row in rows):
            raise NotFound(_ELSEWHERE)

    belongs_by(holes, check_place)


async def pools(reader: Reader, actor: Actor, resource: Resource) -> list[UUID] | None:
    """The pools of a resource that an actor reaches; None is all of them."""
    if actor.locations is None:
        return None
    rows = await reader.rows(
        """SELECT DISTINCT u.pool FROM location l JOIN channel_pool u ON u.resource = $2 AND (u.channel = l.channel OR
               l.channel IS NULL AND u.channel IN (SELECT channel FROM channel_pool WHERE resource = 'stock' AND pool = l.pool))
           WHERE l.id = ANY ($1) ORDER BY u.pool""",
        sorted(actor.locations),
        str(resource),
    )
    return [row["pool"] for row in rows]


async def only(reader: Reader, actor: Actor, resource: Resource, some: Sequence[UUID]) -> list[UUID]:
    """Those of some pools that an actor reaches."""
    mine = await pools(reader, actor, resource)
    return list(some) if mine is None else [each for each in some if each in mine]


async def pool_filter(
    reader: Reader, actor: Actor, resource: Resource, wanted: str | None = None
) -> str | None:
    """The filter of a list by pools: those that are wanted, within what the actor reaches."""
    mine = await pools(reader, actor, resource)
    if mine is None:
        return wanted
    asked = set((wanted or "").split(",")) - {""}
    kept = [str(each) for each in mine if not asked or str(each) in asked]
    return ",".join(kept) or str(UUID(int=0))


async def place_filter(reader: Reader, actor: Actor, wanted: str | None = None) -> str | None:
    """The filter of a list by codes of locations: those that are wanted, within what the actor deals with.

    None is everywhere; where only others' are wanted it is the actor's own.
    """
    if actor.locations is None:
        return wanted or None
    codes = [place.code for place in await places.locations(reader) if place.id in actor.locations]
    asked = set((wanted or "").split(","))
    return ",".join([code for code in codes if code in asked] or codes) or "-"


async def require(tx: Tx, resource: Resource, pool: UUID) -> None:
    """Nothing, if the actor reaches this pool.

    Raises:
        NotFound: it is of others, and nobody learns here that it is there.
    """
    mine = await pools(tx, tx.actor, resource)
    if mine is not None and pool not in mine:
        raise NotFound(_ELSEWHERE)


async def check(reader: Reader, actor: Actor, hole: str, thing: UUID) -> None:
    """Nothing, if the actor reaches a thing, which is named as the hole of an address is.

    Raises:
        NotFound: it is of others. What is not there at all is told by who looks for it.
    """
    if actor.locations is None or actor.kind == "kiosk":
        return
    for each in _THINGS.get(hole, ()):
        await each(reader, actor, thing)


async def within_reach(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Litestar's guard of every route: what an address names is where the actor works.

    Raises:
        NotFound: it is of others.
    """
    actor: Actor = connection.scope.get(ACTOR_SCOPE, GUEST)  # type: ignore[assignment]
    if actor.locations is None:
        return
    database: Database = connection.app.state.runtime.database
    for hole, value in connection.path_params.items():
        if isinstance(value, UUID):
            await check(database, actor, hole, value)
