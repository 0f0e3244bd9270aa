"""The machinery: who changed what, what happened, who follows it, and whether all is well."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.access import audit
from samlad.access import staff as people
from samlad.access.permissions import AUDIT_READ
from samlad.faces.admin.lists import Shown, shown
from samlad.faces.admin.permissions import SYSTEM_READ, SYSTEM_RETRY
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.system_checks import last_looked
from samlad.faces.design.style import style_context
from samlad.faces.page import AnyRequest, go, locale_of, require, words
from samlad.kernel import followers, jobs, log
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import collation_key
from samlad.kernel.listing import ListQuery
from samlad.kernel.log_list import EVENTS, parked, payload_of
from samlad.kernel.problems import NotFound

MOST_CHOICES = 200


@get("/admin/audit")
async def show_audit(request: AnyRequest) -> Response[Any]:
    """Who changed what, newest first."""
    require(request, AUDIT_READ)
    database = database_of(request)
    found = await shown(request, database, audit.ENTRIES)
    people_here = sorted(
        (await people.names(database)).items(), key=lambda one: collation_key(one[1], locale_of(request))
    )
    return await admin_page(
        request,
        "admin/audit.html",
        list=found,
        actors=_actors(people_here, found),
        subjects=[(kind, kind) for kind in sorted({entry.subject_type for entry in found.items})],
    )


def _actors(everybody: list[tuple[str, str]], found: Shown[audit.AuditEntry]) -> list[tuple[str, str]]:
    """Whom one can choose; of very many staff those who are on this page."""
    if len(everybody) <= MOST_CHOICES:
        return everybody
    here = {str(entry.actor_id) for entry in found.items} | {found.get("actor")}
    return [(person, name) for person, name in everybody if person in here]


@get("/admin/system")
async def show_system(request: AnyRequest) -> Response[Any]:
    """Whether all is well: checks, followers, jobs, what was put aside."""
    require(request, SYSTEM_READ)
    database, state = database_of(request), request.app.state
    known = state.work.followers
    return await admin_page(
        request,
        "admin/system.html",
        looked=last_looked(request),
        lags=await followers.lags(database, known),
        jobs=await jobs.counts(database),
        parked=await parked(database),
        listeners=state.runtime.live.audience,
    )


@get("/admin/system/events")
async def show_events(request: AnyRequest) -> Response[Any]:
    """What happened, newest first."""
    require(request, SYSTEM_READ)
    database = database_of(request)
    found = await shown(request, database, EVENTS)
    by_id = {channel.id: channel.name for channel in await channels.cached_all(database)}
    kinds = sorted({name.partition(".")[0] for name in log.declared()})
    return await admin_page(
        request, "admin/events.html", list=found, channels=by_id, kinds=[(f"{kind}.", kind) for kind in kinds]
    )


@get("/admin/system/events.csv")
async def export_events(request: AnyRequest) -> Response[Any]:
    """What the list shows as CSV, searched as it is there; personal data is left out as it is there."""
    require(request, SYSTEM_READ)
    asked = request.query_params
    filters = {name: asked[name] for name in EVENTS.filters if asked.get(name)}
    return await EVENTS.answer(
        database_of(request), ListQuery(filters=filters, sort=asked.get("sort")), as_csv=True, name="events"
    )


@get("/admin/system/events/{event:uuid}/facts.json")
async def download_facts(request: AnyRequest, event: FromPath[UUID]) -> Response[bytes]:
    """Everything that an event says, as a file; in the list long ones are cut."""
    require(request, SYSTEM_READ)
    facts = msgspec.json.format(msgspec.json.encode(await payload_of(database_of(request), event)))
    headers = {"Content-Disposition": f'attachment; filename="{event}.json"'}
    return Response(facts, media_type="application/json", headers=headers)


@post("/admin/system/parked/{follower:str}/{event:uuid}")
async def retry(request: AnyRequest, follower: FromPath[str], event: FromPath[UUID]) -> Response[Any]:
    """Let a follower handle an event again that it could not handle before."""
    require(request)
    actor_of(request).require(SYSTEM_RETRY)
    _ = words(request)
    chosen = next((one for one in request.app.state.work.followers if one.name == follower), None)
    if chosen is None:
        raise NotFound(f"There is no follower called {follower}.")
    try:
        await followers.retry_parked(database_of(request), chosen, event)
    except NotFound:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the follower raises is what the reader wants to know
        text = _("It failed again: %(reason)s") % {"reason": str(error)[:300]}
        return go(request, "/admin/system", text, kind="danger")
    return go(request, "/admin/system", _("It worked this time."))


@get("/admin/style")
async def show_style(request: AnyRequest) -> Response[Any]:
    """Every component in use."""
    require(request)
    context = {
        k: v for k, v in style_context().items() if k not in ("shop_name", "user", "csrf_token", "nav")
    }
    return await admin_page(request, "design/style.html", **context)


HANDLERS = [show_audit, show_system, show_events, export_events, download_facts, retry, show_style]
