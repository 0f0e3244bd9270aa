"""The tracking plan: what is expected of events, learned from those that came, and what did not fit."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page, main_channel
from samlad.faces.admin.tracking_plots import volume_plot
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.tracking import plan_file, plan_store, planning, store
from samlad.tracking.model import EventSchema, Learned, LearnInput, PlanInput, Policy, SchemaInput
from samlad.tracking.permissions import CHANGE, READ

POLICIES: dict[str, str] = {
    Policy.REPORT: marked("It is taken and reported"),
    Policy.DROP: marked("It is taken without what does not fit"),
    Policy.PARK: marked("It is parked"),
}
OUTCOMES = {"reported": marked("Reported"), "dropped": marked("Dropped"), "parked": marked("Parked")}
LAST = 500
PATH = "/admin/tracking/plan"


@get(PATH)
async def list_plan(request: AnyRequest) -> Response[Any]:
    """The lines of the plan, and how much of what came did not fit."""
    require(request, READ)
    database = database_of(request)
    main = await main_channel(database)
    found = await shown(request, database, plan_store.SCHEMAS, also=("span",))
    planned = {line.event for line in await plan_store.all_schemas(database)}
    return await admin_page(
        request,
        "admin/tracking_plan.html",
        list=found,
        policies=translated(request, POLICIES),
        policy_names=POLICIES,
        sources=await _sources(request),
        unplanned=[name for name in await plan_store.names_seen(database) if name not in planned][:30],
        plot=await volume_plot(request, main.time_zone if main else "UTC"),
    )


async def _sources(request: AnyRequest) -> dict[UUID, str]:
    return {source.id: source.name for source in await store.all_sources(database_of(request))}


@get(f"{PATH}/violations")
async def list_violations(request: AnyRequest) -> Response[Any]:
    """What did not fit in 30 days, by event, source and place."""
    require(request, READ)
    found = await shown(request, database_of(request), plan_store.VIOLATIONS)
    sources = await _sources(request)
    return await admin_page(
        request,
        "admin/tracking_violations.html",
        list=found,
        sources=sources,
        source_options=[(str(id_), name) for id_, name in sources.items()],
        outcomes=translated(request, OUTCOMES),
        outcome_names=OUTCOMES,
    )


@get(f"{PATH}/new")
async def show_new(request: AnyRequest) -> Response[Any]:
    """The form for a line; with ``learn`` it is filled by what the latest events of that name have in common."""
    require(request, CHANGE)
    event = request.query_params.get("event", "")
    form = Form.of(event=event, policy=Policy.REPORT, source=request.query_params.get("source"), schema="{}")
    learned = None
    if event:
        try:
            learned = await _learned(request, form)
        except Problem as problem:
            return await _form_page(request, form.failed(problem))
    return await _form_page(request, form, learned=learned)


async def _learned(request: AnyRequest, form: Form) -> Learned:
    """Fill the form with a schema that what came fits."""
    given = form.into(LearnInput, last=form.whole("last") or LAST)
    found = await planning.learn(database_of(request), given)
    form.fields["schema"] = [_written(found.schema)]
    return found


def _written(schema: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()


@get(f"{PATH}/import")
async def show_import(request: AnyRequest) -> Response[Any]:
    """The form for a whole plan."""
    require(request, CHANGE)
    return await _import_page(request, Form.of(document=""))


async def _import_page(
    request: AnyRequest, form: Form, found: plan_file.Differences | None = None
) -> Response[Any]:
    return await admin_page(
        request, "admin/tracking_plan_import.html", status_code=form.status, form=form, found=found
    )


@post(f"{PATH}/import")
async def take_over(request: AnyRequest) -> Response[Any]:
    """Take a plan over, or only look: which button it was says ``look``."""
    require(request, CHANGE)
    form = await read_form(request)
    try:
        given = PlanInput(
            document=_schema(request, form, "document"),
            replaces=form.has("replaces"),
            is_trial=form.has("look"),
        )
        found = await change(request, lambda tx: planning.put(tx, given))
    except Problem as problem:
        # A fault of one line has that line's place: the form has one field for all of them.
        told = "; ".join(f"{each.field}: {each.message}" for each in problem.errors) or problem.detail
        return await _import_page(request, form.failed(InvalidInput.at("document", told)))
    if given.is_trial:
        return await _import_page(request, form, found)
    return go(request, PATH, words(request)("Saved. It holds for what comes from now on."))


@get(f"{PATH}/{{schema_id:uuid}}")
async def show_line(request: AnyRequest, schema_id: FromPath[UUID]) -> Response[Any]:
    """A line of the plan, with its versions."""
    require(request, READ)
    line = await plan_store.get(database_of(request), schema_id)
    if line is None:
        raise NotFound("The plan has no such line.")
    form = Form.of(event=line.event, policy=line.policy, source=line.source, schema=_written(line.schema))
    return await _form_page(request, form, line=line)


async def _form_page(
    request: AnyRequest, form: Form, *, line: EventSchema | None = None, learned: Learned | None = None
) -> Response[Any]:
    database, sources = database_of(request), await _sources(request)
    return await admin_page(
        request,
        "admin/tracking_schema.html",
        status_code=form.status,
        form=form,
        line=line,
        learned=learned,
        versions=await planning.versions(database, line.id) if line else [],
        policies=translated(request, POLICIES),
        policy_names=POLICIES,
        source_options=[(str(id_), name) for id_, name in sources.items()],
        names_seen=await plan_store.names_seen(database),
        violations_href=f"{PATH}/violations?{urlencode({'event': line.event})}" if line else None,
        written=_written,
    )


@post(f"{PATH}/new")
async def set_line(request: AnyRequest) -> Response[Any]:
    """Set a line, or learn one: which button it was says ``learn``."""
    require(request, CHANGE)
    form = await read_form(request)
    try:
        if form.has("learn"):
            return await _form_page(request, form, learned=await _learned(request, form))
        given = form.into(SchemaInput, schema=_schema(request, form))
        made = await change(request, lambda tx: planning.set_schema(tx, given))
    except Problem as problem:
        return await _form_page(request, form.failed(problem))
    _ = words(request)
    return go(request, f"{PATH}/{made.id}", _("Saved. It holds for what comes from now on."))


def _schema(request: AnyRequest, form: Form, field: str = "schema") -> dict[str, Any]:
    try:
        return msgspec.json.decode(form.get(field) or "{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        _ = words(request)
        text = _("This is no JSON object: %(why)s") % {"why": error}
        raise InvalidInput.at(field, text) from None


@post(f"{PATH}/{{schema_id:uuid}}/remove")
async def remove_line(request: AnyRequest, schema_id: FromPath[UUID]) -> Response[Any]:
    """Expect nothing of these events any more."""
    require(request, CHANGE)
    await change(request, lambda tx: planning.remove_schema(tx, schema_id))
    _ = words(request)
    return go(request, PATH, _("Nothing is expected of these events any more."))


HANDLERS = [
    list_plan,
    list_violations,
    show_new,
    show_import,
    take_over,
    show_line,
    set_line,
    remove_line,
]
