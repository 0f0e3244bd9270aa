"""Rules that say which location sends an order: versions of a channel, their form, and what they would have done."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.channels import Channel, ChannelChange
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.clock import now
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import routing, routing_replay, routing_store
from samlad.orders.permissions import ROUTE
from samlad.orders.routing_model import Factor, Rank, Routing, RoutingInput, RuleSet
from samlad.orders.routing_rules import STRATEGIES
from samlad.stock import LocationKind

BASE = "/admin/routing"
FACTORS = {
    Factor.OWN_STORE: marked("The channel's own store"),
    Factor.DISTANCE: marked("Near the customer (km)"),
    Factor.PRIORITY: marked("Priority of the place"),
    Factor.LOAD: marked("Few orders today"),
    Factor.CAPACITY: marked("Much capacity left"),
    Factor.COST: marked("Cheap to send from"),
    Factor.STOCK_AGE: marked("Goods that lay long (days)"),
    Factor.ON_HAND: marked("Much of it there"),
    Factor.BALANCE: marked("Keeps places in balance"),
}
KINDS = {
    LocationKind.STORE: marked("Stores"),
    LocationKind.WAREHOUSE: marked("Warehouses"),
}
DAYS = (7, 30, 90, 365)


@get(BASE)
async def list_rules(request: AnyRequest) -> Response[Any]:
    """The versions of a channel's rules, and which of them hold."""
    require(request, ROUTE)
    database = database_of(request)
    known = await channels.cached_all(database)
    channel = _chosen(request, known)
    if channel is None:
        return go(request, "/admin/channels/new")
    query = ListQuery(limit=50, filters={"channel": channel.code})
    versions = (await routing_store.ROUTINGS.page(database, query)).items
    live = channel.setting("routing")
    return await admin_page(
        request,
        "admin/routing.html",
        channels=[(one.code, one.name) for one in known],
        channel=channel,
        versions=versions,
        live=live,
        is_own=bool(channel.own.settings.get("routing")),
        factors={name: words(request)(text) for name, text in FACTORS.items()},
    )


def _chosen(request: AnyRequest, known: list[Channel]) -> Channel | None:
    code = request.query_params.get("channel")
    return next((one for one in known if one.code == code), None) or main_of(known)


@get(f"{BASE}/new")
async def new_rules(request: AnyRequest) -> Response[Any]:
    """A new version: begun with that which holds, or another one."""
    require(request, ROUTE)
    database = database_of(request)
    channel = _chosen(request, await channels.cached_all(database))
    if channel is None:
        return go(request, "/admin/channels/new")
    rules = RuleSet()
    before = request.query_params.get("from") or channel.setting("routing")
    if before:
        rules = (await routing.read_rules(database, _id(before))).rules
    return await _form_page(request, channel, _form_of(rules, channel), list(rules.ranks))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There are no such routing rules.") from None


def _form_of(rules: RuleSet, channel: Channel) -> Form:
    filters, split, costs = rules.filters, rules.split, rules.costs
    return Form.of(
        strategy=rules.strategy,
        only=", ".join(filters.only),
        without=", ".join(filters.without),
        max_km="" if filters.max_km is None else f"{filters.max_km:g}",
        keep_units=filters.keep_units,
        max_load="" if filters.max_load is None else filters.max_load,
        with_capacity=filters.with_capacity,
        kinds=[str(kind) for kind in filters.kinds],
        max_parts=split.max_parts,
        least_amount=decimal_text(split.least_amount, channel.currency),
        cost=decimal_text(costs.default, channel.currency),
        per_km=decimal_text(costs.per_km, channel.currency),
        places="\n".join(
            f"{code}: {decimal_text(amount, channel.currency)}" for code, amount in costs.places.items()
        ),
    )


async def _form_page(request: AnyRequest, channel: Channel, form: Form, ranks: list[Rank]) -> Response[Any]:
    _ = words(request)
    left = [factor for factor in FACTORS if factor not in {rank.by for rank in ranks}]
    return await admin_page(
        request,
        "admin/routing_form.html",
        status_code=form.status,
        channel=channel,
        form=form,
        ranks=[
            (rank.by, _(FACTORS[rank.by]), "" if rank.step is None else f"{rank.step:g}") for rank in ranks
        ],
        left=[(str(factor), _(FACTORS[factor])) for factor in left],
        kinds=[(str(kind), _(text)) for kind, text in KINDS.items()],
        chosen=set(form.all("kinds")),
        strategies=[(name, name) for name in STRATEGIES],
    )


@post(f"{BASE}/new")
async def save_rules(request: AnyRequest) -> Response[Any]:
    """Move a rank by its buttons, or keep the version. It does nothing until it goes live."""
    require(request, ROUTE)
    form = await read_form(request)
    channel = await channels.by_code(database_of(request), form.get("channel"))
    ranks: list[Rank] = []
    try:
        ranks = _ranks(form)
        act, _, factor = form.get("act").partition(":")
        if act in ("up", "down", "off", "on"):
            return await _form_page(request, channel, form, _moved(ranks, act, factor or form.get("add")))
        rules = _rules(form, channel, ranks)
        data = RoutingInput(channel=channel.code, rules=rules, note=form.get("note").strip()[:500])
        made = await change(request, lambda tx: routing.add_rules(tx, data))
    except Problem as problem:
        return await _form_page(request, channel, form.failed(problem), ranks)
    return go(request, f"{BASE}/{made.id}", words(request)(marked("Kept. It does nothing until it holds.")))


def _ranks(form: Form) -> list[Rank]:
    ranks = []
    for name in form.all("rank"):
        step = form.text(f"step-{name}")
        try:
            ranks.append(Rank(by=Factor(name), step=float(step.replace(",", ".")) if step else None))
        except ValueError:
            raise InvalidInput.at(f"step-{name}", form.translate(marked("Please write a number."))) from None
    return ranks


def _moved(ranks: list[Rank], act: str, name: str) -> list[Rank]:
    """The ranks with one a place up or down, gone, or added at the end."""
    if act == "on":
        fits = name in set(map(str, Factor)) and all(rank.by != name for rank in ranks)
        return [*ranks, Rank(by=Factor(name))] if fits else ranks
    place = next((index for index, rank in enumerate(ranks) if rank.by == name), None)
    if place is None:
        return ranks
    found = list(ranks)
    rank = found.pop(place)
    if act != "off":
        found.insert(max(0, place - 1) if act == "up" else place + 1, rank)
    return found


def _rules(form: Form, channel: Channel, ranks: list[Rank]) -> RuleSet:
    """What was filled in.

    Raises:
        InvalidInput: at a field that cannot be read.
    """
    currency = channel.currency
    km = form.text("max_km")
    places: dict[str, int] = {}
    for row in form.get("places").splitlines():
        code, mark, amount = row.partition(":")
        if not row.strip():
            continue
        cost = Form({"amount": [amount.strip()]}, None, form.translate).amount("amount", currency)
        if not mark or cost is None:
            raise InvalidInput.at("places", form.translate(marked("One place a line, as in “malmo: 45”.")))
        places[code.strip()] = cost
    values: dict[str, Any] = {
        "strategy": form.get("strategy") or "ranked",
        "filters": {
            "kinds": form.all("kinds"),
            "only": _codes(form, "only"),
            "without": _codes(form, "without"),
            "max_km": float(km.replace(",", "."))
            if km and km.replace(",", ".", 1).replace(".", "", 1).isdigit()
            else None,
            "keep_units": form.whole("keep_units") or 0,
            "max_load": form.whole("max_load"),
            "with_capacity": form.has("with_capacity"),
        },
        "ranks": msgspec.to_builtins(ranks),
        "split": {
            "max_parts": form.whole("max_parts") or 1,
            "least_amount": form.amount("least_amount", currency) or 0,
        },
        "costs": {
            "default": form.amount("cost", currency) or 0,
            "per_km": form.amount("per_km", currency) or 0,
            "places": places,
        },
    }
    try:
        return msgspec.convert(values, RuleSet)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from None


def _codes(form: Form, name: str) -> list[str]:
    return [code.strip() for code in form.get(name).replace("\n", ",").split(",") if code.strip()]


@get(f"{BASE}/{{routing_id:uuid}}")
async def show_rules(request: AnyRequest, routing_id: FromPath[UUID]) -> Response[Any]:
    """A version: what it says, and what it would have done to orders that were sent."""
    require(request, ROUTE)
    database = database_of(request)
    found = await routing.read_rules(database, routing_id)
    channel = await channels.cached(database, found.channel)
    asked = request.query_params.get("days", "")
    days = int(asked) if asked.isdecimal() and int(asked) in DAYS else 30
    replay = None
    if asked:
        until = now()
        replay = await routing_replay.replay(
            database, channel, found.rules, since=until - timedelta(days=days), until=until, limit=500
        )
    _ = words(request)
    return await admin_page(
        request,
        "admin/routing_rules.html",
        found=found,
        channel=channel,
        replay=replay,
        days=days,
        day_choices=[(str(each), _("%(days)s days") % {"days": each}) for each in DAYS],
        is_live=channel.setting("routing") == str(found.id),
        factors={name: _(text) for name, text in FACTORS.items()},
        kinds={kind: _(text) for kind, text in KINDS.items()},
    )


@post(f"{BASE}/{{routing_id:uuid}}/live")
async def go_live(request: AnyRequest, routing_id: FromPath[UUID]) -> Response[Any]:
    """Let it hold from now on."""
    require(request, ROUTE)
    made: Routing = await change(request, lambda tx: routing.go_live(tx, routing_id))
    channel = await channels.get(database_of(request), made.channel)
    text = words(request)(marked("These rules hold from now on."))
    return go(request, f"{BASE}?channel={channel.code}", text)


@post(f"{BASE}/off")
async def stop(request: AnyRequest) -> Response[Any]:
    """Back to what the channel's parent says, or to no rules at all."""
    require(request, ROUTE)
    form = await read_form(request)
    channel = await channels.by_code(database_of(request), form.get("channel"))
    back = ChannelChange(settings={"routing": None})
    await change(request, lambda tx: channels.change(tx, channel.id, back))
    text = words(request)(marked("Its own rules do not hold any more."))
    return go(request, f"{BASE}?channel={channel.code}", text)


HANDLERS = [list_rules, new_rules, save_rules, show_rules, go_live, stop]
