"""Reviews: the queue of those that wait, and everything that was decided."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, reviews
from samlad.channels import Resource
from samlad.content import photograph_store
from samlad.faces.admin import bulk
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import open_orders
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel import log
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Problem
from samlad.reviews import MODERATE, READ, REVIEWS, Answer, Decision, Review, Status
from samlad.stock import reach

BASE = "/admin/reviews"
VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    (marked("To be read"), {"state": "waiting"}),
    (marked("Reported"), {"reported": "true"}),
    (marked("Shown"), {"state": "approved"}),
    (marked("Refused"), {"state": "refused"}),
    (marked("All"), {}),
)
STATES = {
    Status.WAITING: (marked("To be read"), "warning"),
    Status.APPROVED: (marked("Shown"), "success"),
    Status.REFUSED: (marked("Refused"), "danger"),
    Status.WITHDRAWN: (marked("Taken back"), ""),
}
REASONS = (
    marked("It is not about the product."),
    marked("It names people or tells personal things."),
    marked("It is advertising."),
    marked("Its words are not fit for the shop."),
)


@get(BASE)
async def list_reviews(request: AnyRequest) -> Response[Any]:
    """All reviews; without a filter in the address it begins with the queue."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    if not request.query_params:
        waiting = await REVIEWS.count(
            database, ListQuery(filters={"state": "waiting"}), await _pools(request)
        )
        if waiting:
            return go(request, f"{BASE}?state=waiting")
    found = await shown(request, database, REVIEWS, await _pools(request))
    asked = {name: found.params[name] for name in ("state", "reported") if name in found.params}
    return await admin_page(
        request,
        "admin/reviews.html",
        list=found,
        reasons=[_(reason) for reason in REASONS],
        states={status: (_(text), kind) for status, (text, kind) in STATES.items()},
        views=[
            {"text": _(text), "href": _href(filters), "current": asked == filters} for text, filters in VIEWS
        ],
    )


@post(f"{BASE}/decisions")
async def decide_many(request: AnyRequest) -> Response[Any]:
    """Show, refuse or read once more what was picked."""
    require(request, MODERATE)
    return await _QUEUE.run(request, await read_form(request), BASE)


_QUEUE = bulk.Queue(
    kind="reviews.decisions",
    decision=Decision,
    refusing="refused",
    why=marked("Please say why: whoever wrote it reads this."),
    find=reviews.find,
    decide=reviews.decide,
    take_back=reviews.take_back,
    name=lambda found: found.title or found.product_title,
)


def _href(filters: dict[str, str]) -> str:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return f"{BASE}?{query or 'sort=-written_at'}"


@get(f"{BASE}/{{review_id:uuid}}")
async def show_review(request: AnyRequest, review_id: FromPath[UUID]) -> Response[Any]:
    """One review, and what to do with it."""
    require(request, READ)
    return await _page(request, review_id, Form())


@post(f"{BASE}/{{review_id:uuid}}/decision")
async def decide(request: AnyRequest, review_id: FromPath[UUID]) -> Response[Any]:
    """Show or refuse it; then on to the next one that waits."""
    require(request, MODERATE)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(Decision)
        done = await change(request, lambda tx: reviews.decide(tx, review_id, data, version=form.version()))
    except Problem as problem:
        return await _page(request, review_id, form.failed(problem))
    said = SAID[done.status]
    waiting = await REVIEWS.page(
        database_of(request),
        ListQuery(limit=1, sort="written_at", filters={"state": "waiting"}),
        await _pools(request),
    )
    following = waiting.items[0].id if waiting.items else None
    return go(request, f"{BASE}/{following}" if following else BASE, _(said))


@post(f"{BASE}/{{review_id:uuid}}/answer")
async def answer(request: AnyRequest, review_id: FromPath[UUID]) -> Response[Any]:
    """Answer it for everybody to read."""
    require(request, MODERATE)
    form, _ = await read_form(request), words(request)
    try:
        data = Answer(form.get("text"))
        await change(request, lambda tx: reviews.answer(tx, review_id, data, version=form.version()))
    except Problem as problem:
        return await _page(request, review_id, form.failed(problem))
    return go(request, f"{BASE}/{review_id}", _("Your answer is kept."))


async def _page(request: AnyRequest, review_id: UUID, form: Form) -> Response[Any]:
    database, _ = database_of(request), words(request)
    found = await reviews.read(database, actor_of(request), review_id)
    text, kind = STATES[found.status]
    return await admin_page(
        request,
        "admin/review.html",
        status_code=form.status,
        form=form,
        found=found,
        photos=(await photograph_store.of(database, [found.id])).get(found.id, []),
        state=(_(text), kind),
        reasons=[_(reason) for reason in REASONS],
        reports=await reviews.reports_of(database, review_id),
        open_orders=await open_orders(actor_of(request), database, [found.order_id]),
        history=[
            _told(_, event.type, event.occurred_at) for event in await log.of_subject(database, review_id)
        ],
        channel=await _channel_name(database, found),
    )


TOLD = {
    "review.written": (marked("Written"), "edit"),
    "review.approved": (marked("Shown"), "check"),
    "review.refused": (marked("Refused"), "close"),
    "review.reopened": (marked("The decision was taken back"), "undo"),
    "review.answered": (marked("Answered"), "mail"),
    "review.reported": (marked("Reported"), "warning"),
    "review.withdrawn": (marked("Taken back"), "undo"),
    "review.voted": (marked("Found helpful"), "star"),
}


SAID = {
    Status.APPROVED: marked("It is shown."),
    Status.REFUSED: marked("It is not shown."),
    Status.WAITING: marked("It waits to be read once more."),
}


def _told(_: Any, kind: str, at: Any) -> dict[str, Any]:
    text, icon = TOLD.get(kind, (kind, "clock"))
    return {"text": _(text), "at": at, "icon": icon}


async def _channel_name(database: Database, found: Review) -> str:
    return (await channels.cached(database, found.channel)).name


async def _pools(request: AnyRequest) -> list[UUID]:
    database = database_of(request)
    every = sorted({each.pools[Resource.CATALOGUE] for each in await channels.cached_all(database)})
    return await reach.only(database, actor_of(request), Resource.CATALOGUE, every)


HANDLERS = [list_reviews, decide_many, show_review, decide, answer]
