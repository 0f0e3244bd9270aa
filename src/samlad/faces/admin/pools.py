"""What a channel shares of one resource: the plan to join or leave, how far it is, and who did what when."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, pools
from samlad.access import staff as people
from samlad.catalog.pooling import CONTRARY
from samlad.channels import Channel, ChannelStatus, Resource
from samlad.channels.permissions import READ
from samlad.faces.admin import names
from samlad.faces.admin.orders import doer
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, words
from samlad.kernel.database import Database
from samlad.kernel.http import database_of
from samlad.kernel.i18n import collation_key
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem


def address(channel: UUID, resource: Resource) -> str:
    """Where the page of a channel's resource is."""
    return f"/admin/channels/{channel}/pools/{resource}"


@get("/admin/channels/{channel_id:uuid}/pools/{resource:str}")
async def show_pool(
    request: AnyRequest, channel_id: FromPath[UUID], resource: FromPath[str]
) -> Response[Any]:
    """What joining or leaving would do, and what was done."""
    require(request, READ, shop_wide=True)
    return await _page(request, channel_id, _resource(resource), None)


def _resource(text: str) -> Resource:
    if text not in list(Resource):
        raise NotFound("Channels share nothing of this name.")
    return Resource(text)


async def _page(
    request: AnyRequest, channel_id: UUID, resource: Resource, problem: Problem | None
) -> Response[Any]:
    database = database_of(request)
    channel = await channels.get(database, channel_id)
    every = await channels.all_channels(database)
    to = request.query_params.get("to") or None
    keeps = request.query_params.get("keep") == "own"
    running = await pools.running(database, channel_id)
    plan = None
    if not running:
        try:
            plan = await pools.plan(database, channel, resource, to, keeps_own=keeps)
        except (Conflict, InvalidInput) as refused:
            problem = problem or refused
    who = await people.names(database)
    moves = [move for move in await pools.moves_of(database, channel_id) if move.resource == resource]
    return await admin_page(
        request,
        "admin/pool.html",
        status_code=problem.status if problem else 200,
        time_zone=channel.time_zone,
        channel=channel,
        resource=str(resource),
        resources=[str(each) for each in Resource],
        names=names,
        plan=plan,
        problem=problem,
        running=running[0] if running else None,
        others=_named(request, every, plan.to if plan else []),
        targets=_targets(channel, resource, every),
        to=to,
        keeps=keeps if plan and resource in _DIFFER else None,
        contrary=CONTRARY.values(),
        moves=[(move, doer(move.actor, words(request), who)) for move in moves],
        path=address(channel_id, resource),
    )


_DIFFER = (Resource.CATALOGUE, Resource.PRICES)
"""Of these both may say something of the same goods."""


def _named(request: AnyRequest, every: list[Channel], codes: list[str]) -> list[Channel]:
    found = [channel for channel in every if channel.code in codes]
    return sorted(found, key=lambda each: collation_key(each.name, locale_of(request)))


def _targets(channel: Channel, resource: Resource, every: list[Channel]) -> list[tuple[str, str]]:
    """One channel of each other pool, named by all that are in it."""
    groups: dict[UUID, list[Channel]] = {}
    for each in every:
        if each.pools[resource] != channel.pools[resource]:
            groups.setdefault(each.pools[resource], []).append(each)
    ordered = sorted(groups.values(), key=lambda group: (-len(group), group[0].code))
    return [
        (group[0].code, ", ".join(each.name for each in group[:3]) + (" …" if len(group) > 3 else ""))
        for group in ordered
    ]


@post("/admin/channels/{channel_id:uuid}/pools/{resource:str}/{kind:str}")
async def move_channel(
    request: AnyRequest, channel_id: FromPath[UUID], resource: FromPath[str], kind: FromPath[str]
) -> Response[Any]:
    """Let the channel join or leave; it is done by a worker, and this page shows how far it is."""
    require(request, pools.MOVE)
    form, _, which = await read_form(request), words(request), _resource(resource)
    try:
        match kind:
            case "join":
                await change(
                    request,
                    lambda tx: pools.join(
                        tx, channel_id, which, to=form.text("to"), keeps_own=form.get("keep") == "own"
                    ),
                )
            case "leave":
                keeps = form.get("keep") == "own"
                await change(request, lambda tx: pools.leave(tx, channel_id, which, keeps_own=keeps))
            case _:
                raise NotFound("A channel can join or leave.")
    except (Conflict, InvalidInput) as problem:
        return await _page(request, channel_id, which, problem)
    return go(request, address(channel_id, which), _("It has begun. Everybody can go on selling."))


async def lonely(database: Database) -> list[tuple[Channel, Resource]]:
    """Open channels that have something for themselves while others share it, with the first thing they could join."""
    every = [each for each in await channels.cached_all(database) if each.status is not ChannelStatus.CLOSED]
    found = []
    for channel in every:
        for resource in (Resource.CATALOGUE, Resource.CUSTOMERS, Resource.ORDERS, Resource.STOCK):
            same = [each for each in every if each.pools[resource] == channel.pools[resource]]
            pools_of_others = [each.pools[resource] for each in every if each.id != channel.id]
            is_shared = len(pools_of_others) > len(set(pools_of_others))
            if len(same) == 1 and is_shared:
                found.append((channel, resource))
                break
    return found


HANDLERS = [show_pool, move_channel]
