"""Locations and levels: what is kept back from whom, what is sold before it is there, and the promise that follows."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from msgspec import structs

from samlad import catalog, channels, stock
from samlad.channels import Resource
from samlad.faces.admin import lot_names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import own_codes
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.stock_frame import frame
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.kernel.seen import mark, unchanged
from samlad.stock import Location, LocationChange, level_store, sharing
from samlad.stock.lists import LEVELS
from samlad.stock.lists import LOCATIONS as LOCATIONS_LIST
from samlad.stock.model import LARGEST, LocationChannel, LocationChannelInput, LotStrategy
from samlad.stock.permissions import ADJUST, LOCATIONS, READ

MOST_VALUE = 10**12
"""Minor units that a limit of counts can be."""


@get("/admin/stock/locations")
async def list_places(request: AnyRequest) -> Response[Any]:
    """Locations, and what each keeps back."""
    require(request, READ)
    context = await frame(request, "places")
    actor, database = actor_of(request), database_of(request)
    found = await shown(request, database, LOCATIONS_LIST, fixed={"code": await own_codes(actor, database)})
    kinds = translated(request, context["names"].location_kind)
    return await admin_page(request, "admin/stock_locations.html", list=found, kinds=kinds, **context)


@get("/admin/stock/locations/{location_id:uuid}")
async def show_place(request: AnyRequest, location_id: FromPath[UUID]) -> Response[Any]:
    """A location: what it keeps back, whom it serves, which counts need an approval."""
    require(request, READ)
    place = await stock.location(database_of(request), location_id)
    return await _place_page(request, place, _as_it_is(place))


def _as_it_is(place: Location) -> Form:
    return Form.of(
        version=place.version,
        buffer=place.buffer,
        is_active=place.is_active,
        variance_units=place.variance_units,
        variance_value=None
        if place.variance_value is None
        else decimal_text(place.variance_value, place.currency),
        lot_strategy=place.lot_strategy,
    )


async def _place_page(
    request: AnyRequest, place: Location, form: Form, at: UUID | None = None
) -> Response[Any]:
    """``at``: the channel whose rule the form is of; else it is of the location itself."""
    database = database_of(request)
    rules = {rule.channel: rule for rule in await sharing.of_location(database, place.id)}
    context = await frame(request, "places")
    sharers = [
        channel
        for channel in await channels.cached_all(database)
        if channel.pools[Resource.STOCK] == place.pool
    ]
    return await admin_page(
        request,
        "admin/stock_location.html",
        status_code=form.status,
        place=place,
        strategies=translated(request, lot_names.strategy),
        sharers=sharers,
        rules=rules,
        marks={each.code: mark(rules.get(each.code)) for each in sharers},
        at=at,
        form=form if at is None else _as_it_is(place),
        rule_form=form,
        **context,
    )


@post("/admin/stock/locations/{location_id:uuid}")
async def change_place(request: AnyRequest, location_id: FromPath[UUID]) -> Response[Any]:
    """Change what a location keeps back."""
    require(request, LOCATIONS)
    form, _ = await read_form(request), words(request)
    place = await stock.location(database_of(request), location_id)
    try:
        data = LocationChange(
            buffer=_bounded(form, "buffer", 1_000_000) or 0,
            is_active=form.has("is_active"),
            variance_units=_bounded(form, "variance_units", LARGEST),
            variance_value=_limit(form, "variance_value", place.currency),
            lot_strategy=_strategy(form, place.lot_strategy),
        )
        version = form.version()
        await change(request, lambda tx: stock.change_location(tx, location_id, data, version=version))
    except Problem as problem:
        return await _place_page(request, place, form.failed(problem))
    return go(request, f"/admin/stock/locations/{location_id}", _("Saved."))


@post("/admin/stock/locations/{location_id:uuid}/channels/{channel_id:uuid}")
async def change_sharing(
    request: AnyRequest, location_id: FromPath[UUID], channel_id: FromPath[UUID]
) -> Response[Any]:
    """Change what one channel gets from a location."""
    require(request, LOCATIONS)
    form, _ = await read_form(request), words(request)
    try:
        data = LocationChannelInput(
            buffer=_bounded(form, f"kept-{channel_id}", 1_000_000), is_excluded=not form.has("is_served")
        )

        async def rule(tx: Tx) -> LocationChannel | None:
            found = await sharing.of_location(tx, location_id)
            code = (await channels.get(tx, channel_id)).code
            return next((each for each in found if each.channel == code), None)

        async def work(tx: Tx) -> None:
            await unchanged(tx, f"sharing {location_id} {channel_id}", rule, form.version())
            await sharing.set_channel(tx, location_id, await channels.get(tx, channel_id), data)

        await change(request, work)
    except Problem as problem:
        place = await stock.location(database_of(request), location_id)
        return await _place_page(request, place, form.failed(problem), channel_id)
    return go(request, f"/admin/stock/locations/{location_id}", _("Saved."))


def _bounded(form: Form, name: str, most: int) -> int | None:
    """A number of pieces or minor units; None when nothing was typed. Raises InvalidInput."""
    number = form.whole(name)
    if number is not None and not 0 <= number <= most:
        raise InvalidInput.at(name, f"0 – {most}")
    return number


def _strategy(form: Form, before: LotStrategy) -> LotStrategy:
    given = form.get("lot_strategy")
    return LotStrategy(given) if given in set(LotStrategy) else before


def _limit(form: Form, name: str, currency: str) -> int | None:
    amount = form.amount(name, currency)
    if amount is not None and not 0 <= amount <= MOST_VALUE:
        raise InvalidInput.at(name, form.translate("We cannot use this as it is written."))
    return amount


# -- one level ---------------------------------------------------------------------------------------------------------------


@get("/admin/stock/levels/{location_id:uuid}/{variant_id:uuid}")
async def show_level(
    request: AnyRequest, location_id: FromPath[UUID], variant_id: FromPath[UUID]
) -> Response[Any]:
    """A variant at a location: how it behaves there, and what each channel may sell of it and why."""
    require(request, READ)
    return await _level_page(request, location_id, variant_id, None)


async def _level_page(
    request: AnyRequest, location_id: UUID, variant_id: UUID, form: Form | None
) -> Response[Any]:
    database = database_of(request)
    place = await stock.location(database, location_id)
    known = (await catalog.by_ids(database, [variant_id])).get(variant_id)
    if known is None:
        raise NotFound("There is no such product.")
    query = ListQuery(limit=1, filters={"location": place.code, "variant": str(variant_id)})
    rows = (await LEVELS.page(database, query)).items
    row = rows[0] if rows else None
    every = await channels.cached_all(database)
    sharers = [channel for channel in every if channel.pools[Resource.STOCK] == place.pool]
    code = request.query_params.get("channel")
    seen_by = next((channel for channel in sharers if channel.code == code), sharers[0] if sharers else None)
    if form is None:
        form = Form.of(**(structs.asdict(row) if row else {"backorder_limit": 0, "low_at": 2}))
        form.fields["version"] = [str(mark(await level_store.behaviour(database, location_id, variant_id)))]
    promises = [] if seen_by is None else await stock.promises(database, seen_by, [variant_id])
    context = await frame(request, "levels")
    return await admin_page(
        request,
        "admin/stock_level.html",
        status_code=form.status,
        place=place,
        variant=known,
        level=row,
        seen_by=seen_by,
        sharers=[(channel.code, channel.name) for channel in sharers],
        promise=promises[0] if promises else None,
        is_set=bool(await stock.parts_of(database, [variant_id])),
        where={one.id: one.name for one in await stock.locations(database)},
        may_change=actor_of(request).may(ADJUST, location_id),
        form=form,
        **context,
    )


@post("/admin/stock/levels/{location_id:uuid}/{variant_id:uuid}")
async def change_level(
    request: AnyRequest, location_id: FromPath[UUID], variant_id: FromPath[UUID]
) -> Response[Any]:
    """Change how a level behaves."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    try:
        values: dict[str, Any] = {
            "backorder_limit": _bounded(form, "backorder_limit", LARGEST) or 0,
            "low_at": _bounded(form, "low_at", LARGEST) or 0,
            "sells_incoming": form.has("sells_incoming"),
            "backorder_on": _day(form, "backorder_on"),
            "reorder_point": _bounded(form, "reorder_point", LARGEST),
            "reorder_quantity": _bounded(form, "reorder_quantity", LARGEST) or None,
        }

        async def work(tx: Tx) -> None:
            await unchanged(
                tx,
                f"level {location_id} {variant_id}",
                lambda tx: level_store.behaviour(tx, location_id, variant_id),
                form.version(),
            )
            await stock.set_level(tx, location_id, variant_id, **values)

        await change(request, work)
    except Problem as problem:
        return await _level_page(request, location_id, variant_id, form.failed(problem))
    return go(request, f"/admin/stock/levels/{location_id}/{variant_id}", _("Saved."))


def _day(form: Form, name: str) -> date | None:
    text = form.text(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput.at(name, form.translate("We cannot use this as it is written.")) from None


HANDLERS = [list_places, show_place, change_place, change_sharing, show_level, change_level]
