"""Parked events of clients: by reason, one of them in whole, tried again one by one or all together."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad.faces.admin.lists import href, shown
from samlad.faces.admin.shell import admin_page, main_channel
from samlad.faces.admin.tracking_plots import faults_plot
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.http import database_of
from samlad.tracking import parked, parked_store, store
from samlad.tracking.known import known
from samlad.tracking.model import RetryInput
from samlad.tracking.permissions import CHANGE, DELETE, READ

ROWS = 50
PATH = "/admin/tracking/parked"
MOST_TURNS = 20
"""Transactions that one press of a button may take; what is left then is said."""


@get(PATH)
async def list_parked(request: AnyRequest) -> Response[Any]:
    """What could not be taken, with the reason."""
    require(request, READ)
    database = database_of(request)
    main = await main_channel(database)
    found = await shown(request, database, parked_store.PARKED, limit=ROWS, also=("span",))
    everything = await store.all_sources(database)
    reasons = await parked_store.reasons(database)
    return await admin_page(
        request,
        "admin/tracking_parked.html",
        list=found,
        plot=await faults_plot(request, main.time_zone if main else "UTC"),
        sources={source.id: source.name for source in everything},
        source_options=[(str(source.id), source.name) for source in everything],
        reasons=[(reason, f"{reason} ({count})") for reason, count in reasons],
    )


@get(f"{PATH}/{{parked_id:uuid}}")
async def show_parked(request: AnyRequest, parked_id: FromPath[UUID]) -> Response[Any]:
    """One parked event with all that came of it."""
    require(request, READ)
    database = database_of(request)
    found = await parked.read(database, parked_id)
    source = await store.get(database, found.source)
    return await admin_page(request, "admin/tracking_parked_one.html", event=found, source=source)


@post(f"{PATH}/retry")
async def retry_all(request: AnyRequest) -> Response[Any]:
    """Try all of a list again, a transaction for each part of it."""
    require(request, CHANGE)
    _ = words(request)
    form = await read_form(request)
    source = form.text("source")
    wanted = RetryInput(
        source=UUID(source) if source else None, reason=form.text("reason"), name=form.text("name")
    )
    here = await known(database_of(request))
    taken = still = turns = 0
    while turns < MOST_TURNS:
        turns += 1
        done = await change(request, partial(parked.retry_many, data=wanted, known=here))
        taken, still = taken + done.taken, still + done.still_parked
        if done.next is None:
            break
        wanted = RetryInput(source=wanted.source, reason=wanted.reason, name=wanted.name, after=done.next)
    text = _("%(taken)s events were taken this time, %(still)s are still parked.") % {
        "taken": taken,
        "still": still,
    }
    where = href(PATH, {"source": source, "reason": form.text("reason"), "name": form.text("name")})
    return go(request, where, text, kind="success" if taken else "warning")


@post(f"{PATH}/{{parked_id:uuid}}/retry")
async def retry(request: AnyRequest, parked_id: FromPath[UUID]) -> Response[Any]:
    """Try a parked event again."""
    require(request, CHANGE)
    _ = words(request)
    here = await known(database_of(request))
    tried = await change(request, lambda tx: parked.retry(tx, parked_id, here))
    if tried.is_taken:
        return go(request, PATH, _("The event was taken this time."))
    text = _("It is still parked: %(reason)s") % {"reason": tried.detail}
    return go(request, PATH, text, kind="warning")


@post(f"{PATH}/{{parked_id:uuid}}/discard")
async def discard(request: AnyRequest, parked_id: FromPath[UUID]) -> Response[Any]:
    """Forget a parked event."""
    require(request, DELETE)
    await change(request, lambda tx: parked.discard(tx, parked_id))
    return go(request, PATH, words(request)("The event is gone."))


HANDLERS = [list_parked, show_parked, retry_all, retry, discard]
