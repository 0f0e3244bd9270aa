"""Questions about products: the queue of those that wait, deciding one and many, and answering for the shop."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, questions
from samlad.channels import Resource
from samlad.customers import Customer
from samlad.faces.admin import bulk, customer_blocks, question_names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Problem
from samlad.questions import (
    ANSWER,
    MODERATE,
    QUESTIONS,
    READ,
    AnswerDecision,
    AnswerInput,
    Decision,
    Question,
    Status,
)
from samlad.stock import reach

BASE = "/admin/questions"
VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    (marked("To be read"), {"state": "waiting"}),
    (marked("Without an answer"), {"state": "waiting,published", "answered": "false"}),
    (marked("Answers of buyers"), {"offered": "true"}),
    (marked("Reported"), {"reported": "true"}),
    (marked("Shown"), {"state": "published"}),
    (marked("Declined"), {"state": "declined"}),
    (marked("All"), {}),
)
_VIEWED = ("state", "answered", "offered", "reported")


@get(BASE)
async def list_questions(request: AnyRequest) -> Response[Any]:
    """All questions; without a filter in the address it begins with the queue."""
    require(request, READ)
    database, _ = database_of(request), words(request)
    if not request.query_params:
        query = ListQuery(filters={"state": "waiting"})
        if await QUESTIONS.count(database, query, await _pools(request)):
            return go(request, f"{BASE}?state=waiting")
    found = await shown(request, database, QUESTIONS, await _pools(request))
    asked = {name: found.params[name] for name in _VIEWED if name in found.params}
    known = await channels.cached_all(database)
    return await admin_page(
        request,
        "admin/questions.html",
        list=found,
        states={status: (_(text), kind) for status, (text, kind) in question_names.STATES.items()},
        reasons=[_(reason) for reason in question_names.REASONS],
        channel_names={each.id: each.name for each in known},
        here=found.href(),
        views=[
            {"text": _(text), "href": _href(filters), "current": asked == filters} for text, filters in VIEWS
        ],
    )


def _href(filters: dict[str, str]) -> str:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return f"{BASE}?{query or 'sort=-asked_at'}"


@post(f"{BASE}/decisions")
async def decide_many(request: AnyRequest) -> Response[Any]:
    """Publish, decline or read once more what was picked; it can be taken back as a whole."""
    require(request, MODERATE)
    return await _QUEUE.run(request, await read_form(request), BASE)


_QUEUE = bulk.Queue(
    kind="question.decisions",
    decision=Decision,
    refusing="declined",
    why=marked("Please say why: whoever asked reads this."),
    find=questions.find,
    decide=questions.decide,
    take_back=questions.take_back,
    name=lambda found: found.text or found.product_title,
)


@get(f"{BASE}/{{question_id:uuid}}")
async def show_question(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Any]:
    """One question, its answers, and what to do with it."""
    require(request, READ)
    return await _page(request, question_id, Form())


@post(f"{BASE}/{{question_id:uuid}}/decision")
async def decide(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Any]:
    """Publish or decline it; then on to the next one that waits."""
    require(request, MODERATE)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(Decision)
        done = await change(
            request, lambda tx: questions.decide(tx, question_id, data, version=form.version())
        )
    except Problem as problem:
        return await _page(request, question_id, form.failed(problem))
    said = {
        Status.PUBLISHED: _("It is shown."),
        Status.DECLINED: _("It is not shown."),
        Status.WAITING: _("It waits to be read once more."),
    }
    return await _on(request, said[done.status])


@post(f"{BASE}/{{question_id:uuid}}/answer")
async def answer(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Any]:
    """Answer it for the shop, and publish it in the same breath where that was pressed."""
    form, _ = await read_form(request), words(request)
    is_published = form.has("publish")
    require(request, ANSWER)
    if is_published:
        require(request, MODERATE)
    try:
        data = form.into(AnswerInput, text=form.get("text"))

        async def work(tx: Tx) -> None:
            await questions.answer(tx, question_id, data, version=form.version())
            if is_published:
                await questions.decide(tx, question_id, Decision(status="published"))

        await change(request, work)
    except Problem as problem:
        return await _page(request, question_id, form.failed(problem))
    if is_published:
        return await _on(request, _("It is answered and shown."))
    kept = _("Your answer is kept.") if data.text.strip() else _("The answer is taken away.")
    return go(request, f"{BASE}/{question_id}", kept)


@post(f"{BASE}/{{question_id:uuid}}/answers/{{answer_id:uuid}}")
async def decide_answer(
    request: AnyRequest, question_id: FromPath[UUID], answer_id: FromPath[UUID]
) -> Response[Any]:
    """Publish or decline what a buyer answered."""
    require(request, MODERATE)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(AnswerDecision)
        done = await change(
            request, lambda tx: questions.decide_answer(tx, answer_id, data, version=form.version())
        )
    except Problem as problem:
        return await _page(request, question_id, form.failed(problem))
    said = _("It is shown.") if done.status is Status.PUBLISHED else _("It is not shown.")
    return go(request, f"{BASE}/{question_id}", said)


async def _on(request: AnyRequest, said: str) -> Response[Any]:
    """To what waits longest, a question or a buyer's answer; to the list where nothing does."""
    database = database_of(request)
    pools = await _pools(request)
    query = ListQuery(limit=1, sort="asked_at", filters={"state": "waiting"})
    waiting = (await QUESTIONS.page(database, query, pools)).items
    following = waiting[0].id if waiting else await questions.waiting_answer(database, pools)
    return go(request, f"{BASE}/{following}" if following else BASE, said)


async def _page(request: AnyRequest, question_id: UUID, form: Form) -> Response[Any]:
    database, _ = database_of(request), words(request)
    found = await questions.read(database, actor_of(request), question_id)
    answers = await questions.answers_of(database, question_id)
    own = next((each for each in answers if each.kind == "shop" and each.status == "published"), None)
    text, kind = question_names.STATES[found.status]
    return await admin_page(
        request,
        "admin/question.html",
        status_code=form.status,
        form=form,
        found=found,
        own=own,
        buyers=[each for each in answers if each.kind == "buyer"],
        state=(_(text), kind),
        states={status: (_(words_), kind_) for status, (words_, kind_) in question_names.STATES.items()},
        reasons=[_(reason) for reason in question_names.REASONS],
        reports=await questions.reports_of(database, question_id),
        history=[
            _told(_, event.type, event.occurred_at) for event in await log.of_subject(database, question_id)
        ],
        channel=await _channel_name(database, found),
    )


def _told(_: Any, kind: str, at: Any) -> dict[str, Any]:
    text, icon = question_names.TOLD.get(kind, (kind, "clock"))
    return {"text": _(text), "at": at, "icon": icon}


async def _channel_name(database: Database, found: Question) -> str:
    return (await channels.cached(database, found.channel)).name


async def _pools(request: AnyRequest) -> list[UUID]:
    database = database_of(request)
    every = sorted({each.pools[Resource.CATALOGUE] for each in await channels.cached_all(database)})
    return await reach.only(database, actor_of(request), Resource.CATALOGUE, every)


# -- on the page of a customer ---------------------------------------------------------------------------------------------


async def _asked(request: AnyRequest, customer: Customer) -> dict[str, Any] | None:
    database, _ = database_of(request), words(request)
    if not actor_of(request).may(READ):
        return None
    query = ListQuery(limit=5, filters={"customer": str(customer.id)})
    found = await QUESTIONS.page(database, query, await _pools(request))
    return {
        "questions_asked": found.items,
        "questions_more": found.next_cursor is not None,
        "questions_states": {
            status: (_(text), kind) for status, (text, kind) in question_names.STATES.items()
        },
    }


customer_blocks.add(customer_blocks.Block(place=25, template="admin/customer_questions.html", load=_asked))

HANDLERS = [list_questions, decide_many, show_question, decide, answer, decide_answer]
