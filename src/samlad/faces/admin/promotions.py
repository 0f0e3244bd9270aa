"""Promotions: what is given to whom and when, how often it was used, its codes and links."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.channels import Channel, Resource
from samlad.faces.admin import bulk, names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.products import shop_channel
from samlad.faces.admin.promotion_form import (
    COMBINATIONS,
    KINDS,
    PARTS,
    TIERS,
    Reader,
    can_show,
    filled,
    words_of,
)
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, translated, words
from samlad.kernel.database import Database, Tx
from samlad.kernel.database import Reader as DatabaseReader
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import InvalidInput, Problem
from samlad.promotions import Promotion, PromotionStatus, service, store
from samlad.promotions.model import CodesInput, LinkInput, PromotionChange, PromotionInput
from samlad.promotions.permissions import CHANGE, READ

STATES = {
    "scheduled": marked("Planned"),
    "active": marked("Running"),
    "paused": marked("Paused"),
    "used_up": marked("Used up"),
    "ended": marked("Ended"),
}
STATE_KINDS = {
    "scheduled": "info",
    "active": "success",
    "paused": "warning",
    "used_up": "warning",
    "ended": "",
}
SHOWN_CODES = 10
FIELDS = {
    "terms": "kind",
    "hours": "opens",
    "hours/opens": "opens",
    "hours/closes": "closes",
    "terms/effect/percent": "percent",
    "terms/effect/amount": "amount",
    "terms/effect/buy": "buy",
    "terms/effect/get": "get",
    "terms/effect/tiers": "tier-0",
    "terms/effect/parts": "part-0",
    "terms/effect/variant": "gift",
}


@get("/admin/promotions")
async def list_promotions(request: AnyRequest) -> Response[Any]:
    """All promotions, the latest first, with what they came to."""
    require(request, READ)
    database = database_of(request)
    pools = list({each.pools[Resource.PROMOTIONS] for each in await channels.cached_all(database)})
    found = await shown(request, database, store.LISTING, pools)
    return await admin_page(
        request,
        "admin/promotions.html",
        list=found,
        states=translated(request, STATES),
        state_names=STATES,
        state_kinds=STATE_KINDS,
        kinds=KINDS,
    )


# -- a new one -----------------------------------------------------------------------------------------------------------------


@get("/admin/promotions/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """First what kind it is, then its form."""
    require(request, CHANGE)
    kind = request.query_params.get("kind", "")
    if kind not in KINDS:
        return await admin_page(request, "admin/promotion_kinds.html", kinds=translated(request, KINDS))
    return await _new_page(request, kind, Form.of(how="automatic", combination="all", get_percent="100"))


async def _new_page(request: AnyRequest, kind: str, form: Form) -> Response[Any]:
    channel = await shop_channel(request)
    return await admin_page(
        request,
        "admin/promotion_new.html",
        status_code=form.status,
        kind=kind,
        form=form,
        channel=channel,
        **_choices(request, channel.currency),
    )


@post("/admin/promotions/new")
async def create(request: AnyRequest) -> Response[Any]:
    """Make it, with codes if any are typed, or with a link."""
    require(request, CHANGE)
    form, channel = await read_form(request), await shop_channel(request)
    kind = form.get("kind")
    if kind not in KINDS:
        return go(request, "/admin/promotions/new")
    try:
        reader = Reader(database_of(request), channel, form, channel.currency)
        values = await _values(request, channel, reader, kind)
        values |= {"channel": str(channel.id), "codes": words_of(form.get("codes"))}
        data = form.into(PromotionInput, **values)
        made = await change(request, lambda tx: service.create(tx, data))
    except Problem as problem:
        return await _new_page(request, kind, form.failed(problem, FIELDS))
    return go(request, f"/admin/promotions/{made.id}", words(request)("The promotion is made."))


def _choices(request: AnyRequest, currency: str) -> dict[str, Any]:
    return {
        "kind_names": KINDS,
        "combinations": translated(request, COMBINATIONS),
        "weekdays": [(str(day), words(request)(name)) for day, name in enumerate(names.weekday, 1)],
        "currency": currency,
        "tier_rows": range(TIERS),
        "part_rows": range(PARTS),
    }


async def _values(request: AnyRequest, channel: Channel, reader: Reader, kind: str | None) -> dict[str, Any]:
    """What the form says, as the API takes it; without a kind the terms stay.

    Raises:
        InvalidInput: with all faults.
    """
    form = reader.form
    values: dict[str, Any] = {
        "name": form.get("name").strip(),
        "is_automatic": form.get("how") != "asked",
        "channels": await _channels(request, channel, reader),
        "customer_group": form.text("customer_group"),
        "first_order": form.has("first_order"),
        "combination": form.get("combination"),
        "priority": reader.whole("priority") or 0,
        "first_day": _day(reader, "first_day"),
        "last_day": _day(reader, "last_day"),
        "weekdays": [int(day) for day in form.all("weekday") if day.isdecimal()],
        "hours": None,
        "limit_total": reader.whole("limit_total"),
        "limit_customer": reader.whole("limit_customer"),
        "budget": reader.amount("budget"),
    }
    if form.text("opens") or form.text("closes"):
        values["hours"] = {"opens": form.get("opens") or "00:00", "closes": form.get("closes") or "24:00"}
    if kind is not None:
        values["terms"] = await reader.terms(kind)
    if reader.faults:
        raise InvalidInput("", errors=tuple(reader.faults))
    return values


def _day(reader: Reader, name: str) -> str | None:
    text = reader.form.text(name)
    if text is not None:
        try:
            date.fromisoformat(text)
        except ValueError:
            reader.needed(name, None)
            return None
    return text


async def _channels(request: AnyRequest, channel: Channel, reader: Reader) -> list[str] | None:
    codes = words_of(reader.form.get("channels"))
    known = {each.code: str(each.id) for each in await _pool_channels(database_of(request), channel)}
    reader.unknown("channels", [code for code in codes if code not in known])
    return [known[code] for code in codes if code in known] or None


async def _pool_channels(database: Database, channel: Channel) -> list[Channel]:
    pool = channel.pools[Resource.PROMOTIONS]
    return [each for each in await channels.cached_all(database) if each.pools[Resource.PROMOTIONS] == pool]


# -- one ---------------------------------------------------------------------------------------------------------------------------


@get("/admin/promotions/{promotion_id:uuid}")
async def show_promotion(request: AnyRequest, promotion_id: FromPath[UUID]) -> Response[Any]:
    """What it gives and to whom, what it came to, its codes and links."""
    require(request, READ)
    promotion = await service.get(database_of(request), promotion_id)
    return await _page(request, promotion, await _form_of(request, promotion))


async def _channel_of(database: Database, promotion: Promotion) -> Channel:
    """A channel where it holds: in the promotion's currency if there is one."""
    here = [
        each
        for each in await channels.cached_all(database)
        if each.pools[Resource.PROMOTIONS] == promotion.pool
    ]
    return min(
        here, key=lambda each: (each.currency != promotion.currency, each.parent is not None, each.code)
    )


async def _form_of(request: AnyRequest, promotion: Promotion) -> Form:
    database = database_of(request)
    channel = await _channel_of(database, promotion)
    currency = promotion.currency or channel.currency
    codes = {each.id: each.code for each in await channels.cached_all(database)}
    values = await filled(database, promotion, currency)
    values |= {
        name: getattr(promotion, name)
        for name in (
            "name",
            "customer_group",
            "first_order",
            "combination",
            "priority",
            "first_day",
            "last_day",
            "limit_total",
            "limit_customer",
            "version",
        )
    }
    values |= {
        "how": "automatic" if promotion.is_automatic else "asked",
        "channels": ", ".join(codes.get(each, str(each)) for each in promotion.channels or []),
        "weekday": promotion.weekdays,
        "opens": promotion.hours.opens if promotion.hours else None,
        "closes": promotion.hours.closes if promotion.hours else None,
        "budget": None if promotion.budget is None else decimal_text(promotion.budget, currency),
    }
    return Form.of(**values)


async def _page(request: AnyRequest, promotion: Promotion, form: Form) -> Response[Any]:
    database = database_of(request)
    channel = await _channel_of(database, promotion)
    alone = ListQuery(limit=1, filters={"id": str(promotion.id)})
    row = (await store.LISTING.page(database, alone, [promotion.pool])).items[0]
    first = ListQuery(limit=SHOWN_CODES)
    codes = await store.CODES.page(database, first, promotion.id)
    return await admin_page(
        request,
        "admin/promotion.html",
        status_code=form.status,
        promotion=promotion,
        row=row,
        kind=row.kind,
        shows_terms=can_show(promotion.terms),
        terms_text=msgspec.json.format(msgspec.json.encode(promotion.terms), indent=2).decode(),
        form=form,
        channel=channel,
        codes=codes.items,
        code_count=await store.CODES.count(database, first, promotion.id),
        links=await store.links_of(database, promotion.id),
        shop=await _shop_address(request, promotion),
        state_names=STATES,
        state_kinds=STATE_KINDS,
        **_choices(request, promotion.currency or channel.currency),
    )


async def _shop_address(request: AnyRequest, promotion: Promotion) -> str:
    """Where links lead: the host of a web shop in which it holds, else where this page is."""
    for each in await channels.cached_all(database_of(request)):
        host = each.setting("storefront_host")
        if host and each.kind == "webshop" and each.pools[Resource.PROMOTIONS] == promotion.pool:
            return f"{request.url.scheme}://{host}"
    return str(request.base_url).rstrip("/")


@post("/admin/promotions/{promotion_id:uuid}")
async def save(request: AnyRequest, promotion_id: FromPath[UUID]) -> Response[Any]:
    """Change it. Who was shown it keeps it, as it is then."""
    require(request, CHANGE)
    form, database = await read_form(request), database_of(request)
    promotion = await service.get(database, promotion_id)
    channel = await _channel_of(database, promotion)
    kind = str(promotion.terms.effect.__struct_config__.tag)
    try:
        reader = Reader(database, channel, form, promotion.currency or channel.currency)
        values = await _values(request, channel, reader, kind if can_show(promotion.terms) else None)
        data = form.into(PromotionChange, **values)
        await change(request, lambda tx: service.change(tx, promotion_id, data, version=form.version()))
    except Problem as problem:
        return await _page(request, promotion, form.failed(problem, FIELDS))
    return go(request, f"/admin/promotions/{promotion_id}", words(request)("Saved."))


@post("/admin/promotions/{promotion_id:uuid}/status")
async def set_status(request: AnyRequest, promotion_id: FromPath[UUID]) -> Response[Any]:
    """Pause it, go on with it, end it for good."""
    require(request, CHANGE)
    _ = words(request)
    wanted = (await read_form(request)).get("status")
    said = {"paused": _("Nobody new gets it."), "active": _("It goes on."), "ended": _("It is over.")}
    if wanted not in said:
        return go(request, f"/admin/promotions/{promotion_id}")
    data = PromotionChange(status=PromotionStatus(wanted))
    await change(request, lambda tx: service.change(tx, promotion_id, data))
    return go(request, f"/admin/promotions/{promotion_id}", said[wanted])


@post("/admin/promotions/{promotion_id:uuid}/codes")
async def add_codes(request: AnyRequest, promotion_id: FromPath[UUID]) -> Response[Any]:
    """Add codes that are named, or let many be made up."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    promotion = await service.get(database_of(request), promotion_id)
    try:
        values: dict[str, Any] = {
            "codes": words_of(form.get("new_codes")),
            "prefix": form.get("prefix").strip(),
        }
        values["make"] = form.whole("make") or 0
        data = form.into(CodesInput, **values)
        made = await change(request, lambda tx: service.add_codes(tx, promotion_id, data))
    except Problem as problem:
        shown_form = await _form_of(request, promotion)
        shown_form.translate = form.translate
        shown_form.fields |= form.fields
        return await _page(request, promotion, shown_form.failed(problem, {"codes": "new_codes"}))
    said = _("%(num)s codes are added.") % {"num": len(made.codes)}
    return go(request, f"/admin/promotions/{promotion_id}", said)


@post("/admin/promotions/{promotion_id:uuid}/links")
async def make_link(request: AnyRequest, promotion_id: FromPath[UUID]) -> Response[Any]:
    """Make a link."""
    require(request, CHANGE)
    form = await read_form(request)
    promotion = await service.get(database_of(request), promotion_id)
    try:
        data = form.into(LinkInput, leads_to=form.text("leads_to") or "/", note=form.get("note").strip())
        await change(request, lambda tx: service.make_link(tx, promotion_id, data))
    except Problem as problem:
        shown_form = await _form_of(request, promotion)
        shown_form.translate = form.translate
        shown_form.fields |= form.fields
        return await _page(request, promotion, shown_form.failed(problem))
    return go(
        request, f"/admin/promotions/{promotion_id}", words(request)("The link is made. Copy it below.")
    )


@post("/admin/promotions/bulk")
async def act_on_many(request: AnyRequest) -> Response[Any]:
    """Pause the picked ones, or let them go on. To end one is for its own page: it cannot be taken back."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    back = local_path(form.text("next"), "/admin/promotions")
    if form.get("act") not in (PromotionStatus.ACTIVE, PromotionStatus.PAUSED):
        return go(request, back, _("Please say what is to be done with them."), kind="danger")
    wanted = PromotionStatus(form.get("act"))

    async def act(tx: Tx, promotion: UUID) -> str | None:
        before = await service.get(tx, promotion)
        await service.change(tx, promotion, PromotionChange(status=wanted), version=before.version)
        return None if before.status is wanted else str(before.status)

    return await bulk.run(
        request, bulk.picked(form), act, named=_named, back=back, undo="promotions.status", to=str(wanted)
    )


async def _named(reader: DatabaseReader, promotion: UUID) -> str:
    return (await service.get(reader, promotion)).name


@undoable("promotions.status")
async def _undo_status(tx: Tx, arguments: dict[str, Any]) -> str:
    for promotion, before in bulk.rows_before(arguments):
        found = await service.get(tx, promotion)
        if found.status == arguments["to"]:  # what somebody has changed since is theirs
            await service.change(tx, promotion, PromotionChange(status=PromotionStatus(before)))
    return str(arguments["back"])


HANDLERS = [
    act_on_many,
    list_promotions,
    show_new,
    create,
    show_promotion,
    save,
    set_status,
    add_codes,
    make_link,
]
