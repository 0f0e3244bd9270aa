"""Why things come back, and how long they may: what a shop sets itself over sensible defaults."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, channels, orders
from samlad.channels import Channel, Resource
from samlad.faces import change_form
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.kernel.seen import mark, unchanged
from samlad.orders import change_store, return_reasons
from samlad.orders.change_model import ReturnReason, ReturnReasonInput, WindowInput

BASE = "/admin/return-settings"
SHIPS = {"customer": marked("The customer"), "shop": marked("The shop")}


async def _channel(request: AnyRequest) -> tuple[Channel, list[Channel]]:
    """The channel whose pool of orders is meant: the one that the address names, else the main one; and one of each pool."""
    found = await channels.cached_all(database_of(request))
    by_pool: dict[Any, Channel] = {}
    main = main_of(found)
    for one in sorted(found, key=lambda one: (one.parent is not None, one.created_at)):
        by_pool.setdefault(one.pools[Resource.ORDERS], one)
    code = request.query_params.get("channel", "")
    chosen = next((one for one in found if one.code == code), main)
    if chosen is None:
        raise NotFound("There is no channel yet.")
    return chosen, list(by_pool.values())


@get(BASE)
async def settings_page(request: AnyRequest) -> Response[Any]:
    """Reasons and windows of a pool of orders."""
    require(request, orders.READ)
    return await _page(request, Form())


async def _page(request: AnyRequest, form: Form) -> Response[Any]:
    database, _ = database_of(request), words(request)
    channel, pools = await _channel(request)
    pool = return_reasons.pool_of(channel)
    known = list((await return_reasons.reasons(database, pool)).values())
    windows = await change_store.windows(database, pool)
    titles = await catalog.titles_of(database, [each.product for each in windows if each.product is not None])
    return await admin_page(
        request,
        "admin/return_settings.html",
        status_code=form.status,
        channel=channel,
        pools=[
            {
                "text": one.name,
                "href": f"{BASE}?channel={one.code}",
                "current": one.pools[Resource.ORDERS] == pool,
            }
            for one in pools
        ],
        reasons=known,
        reason_names=dict(change_form.reason_options(request, known)),
        ships={code: _(text) for code, text in SHIPS.items()},
        windows=windows,
        mark=mark(windows),
        titles=titles,
        days=channel.setting("return_days"),
        form=form,
        can=actor_of(request).may(orders.OVERRIDE) and actor_of(request).locations is None,
    )


@post(f"{BASE}/windows", status_code=200)
async def set_window(request: AnyRequest) -> Response[Any]:
    """Set how long something may come back; without days the channel says again."""
    require(request, orders.OVERRIDE, shop_wide=True)
    form, _ = await read_form(request), words(request)
    channel, _pools = await _channel(request)
    try:
        given = form.into(
            WindowInput,
            country=(form.text("country") or "").upper() or None,
            product=await _product(request, channel, form),
            days=form.whole("days"),
        )
        pool = return_reasons.pool_of(channel)

        async def work(tx: Tx) -> None:
            held = f"return windows {pool}"
            await unchanged(tx, held, lambda tx: change_store.windows(tx, pool), form.version())
            await return_reasons.set_window(tx, pool, given)

        await change(request, work)
    except Problem as problem:
        return await _page(request, form.failed(problem))
    return go(request, f"{BASE}?channel={channel.code}", _("Saved. It holds from now on."))


async def _product(request: AnyRequest, channel: Channel, form: Form) -> str | None:
    """The product that a number on one of its variants means."""
    if form.text("product") is not None:
        return form.get("product")
    code = form.text("code")
    if code is None:
        return None
    found = await catalog.variant_by_code(database_of(request), channel.pools[Resource.CATALOGUE], code)
    if found is None:
        raise InvalidInput.at("code", words(request)(marked("Nothing has this code.")))
    return str(found.product)


@get(f"{BASE}/reasons/new")
async def new_reason(request: AnyRequest) -> Response[Any]:
    """The form for another reason."""
    require(request, orders.OVERRIDE, shop_wide=True)
    form = Form.of(restock=True, ships="customer", position=100, is_active=True)
    return await _reason_page(request, form, None)


@get(f"{BASE}/reasons/{{code:str}}")
async def show_reason(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """A reason, to look at and to change."""
    require(request, orders.READ)
    reason = await _reason(request, code)
    fields = {name: getattr(reason, name) for name in ReturnReason.__struct_fields__}
    form = Form.of(**fields, fee=f"{reason.fee_bp / 100:g}", version=mark(reason))
    return await _reason_page(request, form, reason)


async def _reason(request: AnyRequest, code: str) -> ReturnReason:
    channel, _ = await _channel(request)
    known = await return_reasons.reasons(database_of(request), return_reasons.pool_of(channel))
    if code not in known:
        raise NotFound("There is no such reason.")
    return known[code]


async def _reason_page(request: AnyRequest, form: Form, reason: ReturnReason | None) -> Response[Any]:
    channel, _pools = await _channel(request)
    _ = words(request)
    return await admin_page(
        request,
        "admin/return_reason.html",
        status_code=form.status,
        form=form,
        reason=reason,
        channel=channel,
        ships=[(code, _(text)) for code, text in SHIPS.items()],
        can=actor_of(request).may(orders.OVERRIDE) and actor_of(request).locations is None,
    )


@post([f"{BASE}/reasons/new", f"{BASE}/reasons/{{code:str}}"], status_code=200)
async def set_reason(request: AnyRequest) -> Response[Any]:
    """Add a reason, or say what one is now."""
    require(request, orders.OVERRIDE, shop_wide=True)
    form, _ = await read_form(request), words(request)
    channel, _pools = await _channel(request)
    named = request.path_params.get("code")
    reason = None if named is None else await _reason(request, str(named))
    try:
        given = form.into(
            ReturnReasonInput,
            restock=form.has("restock"),
            photo=form.has("photo"),
            is_active=form.has("is_active"),
            fee_bp=_basis_points(form),
        )
        code = reason.code if reason else form.get("code").strip()
        pool = return_reasons.pool_of(channel)

        async def kept(tx: Tx) -> ReturnReason | None:
            return (await return_reasons.reasons(tx, pool)).get(code)

        async def work(tx: Tx) -> None:
            held = f"return reason {pool} {code}"
            await unchanged(tx, held, kept, form.version() if reason else None)
            if reason is None and await kept(tx):
                raise InvalidInput.at("code", _("There is a reason with this code."))
            await return_reasons.set_reason(tx, pool, code, given)

        await change(request, work)
    except Problem as problem:
        return await _reason_page(request, form.failed(problem, {"fee_bp": "fee"}), reason)
    return go(request, f"{BASE}?channel={channel.code}", _("Saved. It holds from now on."))


def _basis_points(form: Form) -> int:
    """A percentage as it was typed, with two digits at most."""
    typed = (form.text("fee") or "0").replace(",", ".").removesuffix("%").strip()
    whole, _, part = typed.partition(".")
    if not whole.isdecimal() or len(whole) > 3 or (part and (not part.isdecimal() or len(part) > 2)):
        raise InvalidInput.at("fee", form.translate(marked("We cannot use this as it is written.")))
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


HANDLERS = [settings_page, set_window, new_reason, show_reason, set_reason]
