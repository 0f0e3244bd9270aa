"""Selling plans: how goods can be bought again and again."""

import re
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, channels, subscriptions
from samlad.channels import Channel, ChannelKind, Resource
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.subscription_texts import OUT_OF_STOCK, UNITS
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.faces.repeat_names import every
from samlad.kernel.database import Database
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.money import decimal_text, parse_amount
from samlad.kernel.problems import InvalidInput, Problem
from samlad.subscriptions import PLAN_LISTING, PLANS, READ, Plan, PlanChange, PlanInput, PriceStage

BASE = "/admin/selling-plans"
STAGE_FAULT = marked("Write one stage a line, as “1: 10 %” or “3: 99.00 SEK”: from this order on.")
_STAGE = re.compile(r"^\s*(\d{1,4})\s*:\s*([0-9]+(?:[.,][0-9]+)?)\s*(%|[A-Za-z]{3})\s*$")
_FIELDS = {
    "terms/anchor": "anchor",
    "terms/every": "every",
    "terms/cutoff_hours": "cutoff_hours",
    "terms/minimum_orders": "minimum_orders",
}


@get(BASE)
async def list_plans(request: AnyRequest) -> Response[Any]:
    """All plans in their order."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    found = await shown(request, database, PLAN_LISTING)
    return await admin_page(
        request,
        "admin/selling_plans.html",
        list=found,
        channel_names={channel.code: channel.name for channel in await channels.cached_all(database)},
        rhythms={plan.id: every(_, plan.terms) for plan in found.items},
        states=[("active", _("Offered")), ("inactive", _("Off"))],
    )


@get(f"{BASE}/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a new plan."""
    require(request, PLANS)
    form = Form.of(every=1, unit="month", position=100, minimum_orders=0, cutoff_hours=0, out_of_stock="wait")
    return await _page(request, form, None)


@post(f"{BASE}/new")
async def create_plan(request: AnyRequest) -> Response[Any]:
    """Make a plan."""
    require(request, PLANS)
    form, _ = await read_form(request), words(request)
    try:
        values = await _values(request, form)
        given = form.into(PlanInput, **values)
        made = await change(request, lambda tx: subscriptions.create_plan(tx, given))
    except Problem as problem:
        return await _page(request, _failed(form, problem), None)
    return go(request, BASE, _("“%(name)s” can be chosen from now on.") % {"name": made.name})


@get(f"{BASE}/{{plan_id:uuid}}")
async def show_plan(request: AnyRequest, plan_id: FromPath[UUID]) -> Response[Any]:
    """A plan, to look at and to change."""
    require(request, READ)
    database = database_of(request)
    plan = await subscriptions.read_plan(database, plan_id)
    return await _page(request, Form.of(**await _fields(database, plan)), plan)


@post(f"{BASE}/{{plan_id:uuid}}")
async def change_plan(request: AnyRequest, plan_id: FromPath[UUID]) -> Response[Any]:
    """Change a plan, for those who begin from now on."""
    require(request, PLANS)
    form, _ = await read_form(request), words(request)
    plan = await subscriptions.read_plan(database_of(request), plan_id)
    try:
        values = await _values(request, form)
        given = form.into(PlanChange, is_active=form.has("is_active"), **values)
        await change(
            request, lambda tx: subscriptions.change_plan(tx, plan_id, given, version=form.version())
        )
    except Problem as problem:
        return await _page(request, _failed(form, problem), plan)
    return go(request, BASE, _("Saved. Who has subscribed before keeps the old terms."))


def _failed(form: Form, problem: Problem) -> Form:
    lists = {
        fault.field: name
        for fault in problem.errors
        for name, start in (("stages", "terms/prices"), ("goods", "variants"), ("channels", "channels"))
        if fault.field.startswith(start)
    }
    return form.failed(problem, _FIELDS | lists)


async def _page(request: AnyRequest, form: Form, plan: Plan | None) -> Response[Any]:
    database = database_of(request)
    return await admin_page(
        request,
        "admin/selling_plan.html",
        status_code=form.status,
        form=form,
        plan=plan,
        units=translated(request, UNITS),
        policies=translated(request, OUT_OF_STOCK),
        channels_of=[(c.code, c.name) for c in await channels.cached_all(database) if _can_sell(c)],
    )


def _can_sell(channel: Channel) -> bool:
    return channel.kind not in (ChannelKind.STORE, ChannelKind.MARKETPLACE)


async def _fields(database: Database, plan: Plan) -> dict[str, Any]:
    """The fields that show a plan."""
    known = await catalog.by_ids(database, plan.variants)
    terms = plan.terms
    return {
        "name": plan.name,
        "code": plan.code,
        "channels": plan.channels,
        "goods": "\n".join(known[each].sku for each in plan.variants if each in known),
        "position": plan.position,
        "is_active": plan.is_active,
        "version": plan.version,
        "every": terms.every,
        "unit": terms.unit,
        "anchor": terms.anchor,
        "minimum_orders": terms.minimum_orders,
        "cutoff_hours": terms.cutoff_hours,
        "out_of_stock": terms.out_of_stock,
        "stages": "\n".join(line for stage in terms.prices for line in _stage_lines(stage)),
    }


def _stage_lines(stage: PriceStage) -> list[str]:
    if stage.price:
        return [
            f"{stage.from_order}: {decimal_text(amount, currency)} {currency}"
            for currency, amount in sorted(stage.price.items())
        ]
    return [f"{stage.from_order}: {(stage.percent_off or 0) / 100:g} %"]


async def _values(request: AnyRequest, form: Form) -> dict[str, Any]:
    """What the form says, as the fields of the verb's input.

    Raises:
        InvalidInput: at the field that cannot be read.
    """
    return {
        "channels": form.all("channels"),
        "variants": await _goods(request, form),
        "position": form.whole("position") or 0,
        "terms": {
            "every": form.whole("every") or 1,
            "unit": form.get("unit", "month"),
            "anchor": form.whole("anchor"),
            "minimum_orders": form.whole("minimum_orders") or 0,
            "cutoff_hours": form.whole("cutoff_hours") or 0,
            "out_of_stock": form.get("out_of_stock", "wait"),
            "prices": _stages(form),
        },
    }


async def _goods(request: AnyRequest, form: Form) -> list[str]:
    """Ids of the variants whose SKUs stand there, in the catalogues of the chosen channels."""
    database, found = database_of(request), []
    chosen = [c for c in await channels.cached_all(database) if c.code in form.all("channels")]
    pools = dict.fromkeys(channel.pools[Resource.CATALOGUE] for channel in chosen)
    for code in form.get("goods").split():
        for pool in pools:
            variant = await catalog.variant_by_code(database, pool, code)
            if variant is not None:
                found.append(str(variant.id))
                break
        else:
            message = form.translate(marked("There is nothing with the number “%(code)s”.")) % {"code": code}
            raise InvalidInput.at("goods", message)
    return found


def _stages(form: Form) -> list[dict[str, Any]]:
    stages: dict[int, dict[str, Any]] = {}
    for line in form.get("stages").splitlines():
        if not line.strip():
            continue
        fits = _STAGE.match(line)
        if fits is None:
            raise InvalidInput.at("stages", form.translate(STAGE_FAULT))
        start, number, unit = int(fits[1]), fits[2].replace(",", "."), fits[3].upper()
        stage = stages.setdefault(start, {"from_order": start})
        if unit == "%":
            off = round(float(number) * 100)
            stage |= {"percent_off": off} if off else {}
        else:
            stage.setdefault("price", {})[unit] = parse_amount(number, unit, field="stages")
    return list(stages.values())


HANDLERS = [list_plans, show_new, create_plan, show_plan, change_plan]
