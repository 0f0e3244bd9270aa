"""HTTP of questions. Everybody reads what is published and asks; customers change their own; staff decide and answer."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from samlad.catalog.api.parameters import pools_of
from samlad.channels import Resource
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    States,
    Wanted,
)
from samlad.kernel.problems import Unauthenticated
from samlad.questions import answering, deciding, service, store
from samlad.questions.model import (
    MOST_AT_ONCE,
    Answer,
    AnswerDecision,
    AnswerInput,
    BuyerAnswer,
    Decision,
    Question,
    QuestionInput,
    Report,
    ShownQuestion,
    TextInput,
    Vote,
)
from samlad.questions.permissions import READ
from samlad.questions.store import QUESTIONS, SHOWN
from samlad.stock import reach


class Votes(msgspec.Struct, frozen=True):
    """How many found an answer helpful."""

    helpful: int


class Asked(msgspec.Struct, frozen=True):
    """A question was taken in. ``is_confirmed`` false: a mail went out, and its link says yes."""

    is_confirmed: bool


class Together(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A decision on questions together. ``batch`` is an id of yours, by which it can be taken back."""

    questions: Annotated[list[UUID], Meta(min_length=1, max_length=MOST_AT_ONCE)]
    decision: Decision
    batch: UUID


class Changed(msgspec.Struct, frozen=True):
    """How many questions changed."""

    changed: int


@get("/questions", summary="List questions")
async def list_questions(
    request: AnyRequest,
    channel: Annotated[
        str | None,
        QueryParameter(max_length=63, pattern=r"^[^\x00]*$", description="Code: only its catalogue"),
    ] = None,
    states: States = None,
    product: Wanted = None,
    customer: Wanted = None,
    language: Wanted = None,
    answered: Wanted = None,
    offered: Wanted = None,
    reported: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Question]]:
    """Those that wait and were declined too. ``state`` is unconfirmed, waiting, published, declined or withdrawn; ``offered``:
    whether a buyer's answer waits to be read."""
    actor_of(request).require(READ)
    filters = {
        "state": states,
        "product": product,
        "customer": customer,
        "language": language,
        "answered": answered,
        "offered": offered,
        "reported": reported,
        "q": q,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    database = database_of(request)
    scope = await reach.only(
        database, actor_of(request), Resource.CATALOGUE, await pools_of(request, Resource.CATALOGUE, channel)
    )
    return await QUESTIONS.answer(database, query, scope, as_csv=as_format == "csv", name="questions")


@post("/questions", status_code=201, summary="Ask a question")
async def ask_question(request: AnyRequest, data: JSONBody[QuestionInput]) -> Response[Asked]:
    """Ask about a product. A customer is answered at their address; everybody else gives one and confirms it. Staff write down
    what a ``customer`` asked.

    The same words of the same person again are the same question. It is shown once staff publish it.
    """

    async def work(tx: Tx) -> Asked:
        found = await service.ask(tx, data)
        return Asked(found.status != "unconfirmed")

    return await write(request, work, status=201)


@get("/questions/{question_id:uuid}", summary="Read a question")
async def read_question(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Question]:
    """A question with how it stands."""
    found = await service.read(database_of(request), actor_of(request), question_id)
    return with_etag(found, found.version)


@put("/questions/{question_id:uuid}/text", status_code=200, summary="Write a question anew")
async def change_question(
    request: AnyRequest, question_id: FromPath[UUID], data: JSONBody[TextInput]
) -> Response[Question]:
    """The customer who asked writes it anew, until it is answered. It waits to be read again."""
    version = if_match(request)
    return await write(request, lambda tx: service.change(tx, question_id, data, version=version))


@delete("/questions/{question_id:uuid}", status_code=204, summary="Take a question back")
async def withdraw_question(request: AnyRequest, question_id: FromPath[UUID]) -> Response[None]:
    """The customer who asked takes it back. Again is no error."""

    async def work(tx: Tx) -> None:
        await service.withdraw(tx, question_id)

    return await write(request, work, status=204)


@post(
    "/questions/{question_id:uuid}/decision",
    status_code=200,
    summary="Publish or decline a question, or let it wait again",
)
async def decide_question(
    request: AnyRequest, question_id: FromPath[UUID], data: JSONBody[Decision]
) -> Response[Question]:
    """Publish it, or decline it with a reason. Send ``If-Match``: it may have been written anew meanwhile."""
    version = if_match(request)
    return await write(request, lambda tx: deciding.decide(tx, question_id, data, version=version))


@post("/questions/decisions", status_code=200, summary="Decide many questions")
async def decide_questions(request: AnyRequest, data: JSONBody[Together]) -> Response[Changed]:
    """Publish or decline questions together. Those that cannot be decided, or stand so already, stay as they are."""

    async def work(tx: Tx) -> Changed:
        return Changed(
            await deciding.decide_many(tx, data.questions, data.decision, batch=data.batch),
        )

    return await write(request, work)


@post("/questions/decisions/{batch_id:uuid}/take-back", status_code=200, summary="Take a decision back")
async def take_back_decision(request: AnyRequest, batch_id: FromPath[UUID]) -> Response[Changed]:
    """Questions that were decided together stand as before, as far as nobody changed them since. Again changes nothing."""

    async def work(tx: Tx) -> Changed:
        return Changed(await deciding.take_back(tx, batch_id))

    return await write(request, work)


@get("/questions/{question_id:uuid}/answers", summary="List the answers to a question")
async def list_answers(request: AnyRequest, question_id: FromPath[UUID]) -> list[Answer]:
    """All of them, also those that wait and were declined; 100 at most."""
    database = database_of(request)
    found = await service.read(database, actor_of(request), question_id)
    return await store.answers_of(database, found.id)


@put("/questions/{question_id:uuid}/answer", status_code=200, summary="Answer a question")
async def answer_question(
    request: AnyRequest, question_id: FromPath[UUID], data: JSONBody[AnswerInput]
) -> Response[Question]:
    """Answer for the shop; an empty text takes the answer away. Who asked is written to when there is a first answer."""
    version = if_match(request)
    return await write(request, lambda tx: answering.answer(tx, question_id, data, version=version))


@post("/questions/{question_id:uuid}/answers", status_code=201, summary="Answer as a buyer")
async def answer_as_buyer(
    request: AnyRequest, question_id: FromPath[UUID], data: JSONBody[BuyerAnswer]
) -> Response[Answer]:
    """A customer who has got the product answers. It is shown once staff publish it; again it replaces what they said."""
    if actor_of(request).kind == "guest":
        raise Unauthenticated("Sign in to answer.")
    return await write(request, lambda tx: answering.answer_as_buyer(tx, question_id, data), status=201)


@post("/question-answers/{answer_id:uuid}/decision", status_code=200, summary="Publish or decline an answer")
async def decide_answer(
    request: AnyRequest, answer_id: FromPath[UUID], data: JSONBody[AnswerDecision]
) -> Response[Answer]:
    """Publish what a buyer answered, or decline it with a reason. Send ``If-Match``."""
    version = if_match(request)
    return await write(request, lambda tx: answering.decide_answer(tx, answer_id, data, version=version))


@delete("/question-answers/{answer_id:uuid}", status_code=204, summary="Take an answer away")
async def withdraw_answer(request: AnyRequest, answer_id: FromPath[UUID]) -> Response[None]:
    """The customer who answered takes it away. Again is no error."""

    async def work(tx: Tx) -> None:
        await answering.withdraw_answer(tx, answer_id)

    return await write(request, work, status=204)


@post("/question-answers/{answer_id:uuid}/vote", status_code=200, summary="Find an answer helpful")
async def vote_for_answer(
    request: AnyRequest, answer_id: FromPath[UUID], data: JSONBody[Vote]
) -> Response[Votes]:
    """A signed-in customer says that an answer helped, or takes that back; twice counts once."""
    voter = _voter(request)

    async def work(tx: Tx) -> Votes:
        return Votes(await answering.vote(tx, answer_id, voter, data))

    return await write(request, work)


@post("/questions/{question_id:uuid}/report", status_code=204, summary="Report a question")
async def report_question(
    request: AnyRequest, question_id: FromPath[UUID], data: JSONBody[Report]
) -> Response[None]:
    """A signed-in customer or member of staff says why a question or its answers should not be there."""
    voter = _voter(request)
    return await write(request, lambda tx: service.report(tx, question_id, voter, data), status=204)


@get("/products/{product_id:uuid}/questions", summary="List the questions about a product")
async def list_shown(
    request: AnyRequest,
    product_id: FromPath[UUID],
    language: Wanted = None,
    answered: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response[Page[ShownQuestion]]:
    """What is published, the most helpful first; ``sort`` by asked_at or helpful. Open to everybody."""
    filters = {"language": language, "answered": answered, "q": q}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await SHOWN.answer(database_of(request), query, product_id)


def _voter(request: AnyRequest) -> UUID:
    actor = actor_of(request)
    if actor.id is None:
        raise Unauthenticated("Sign in to say something about an answer.")
    return actor.id


routes = [
    Router(
        path="/api",
        tags=["Questions"],
        route_handlers=[
            list_questions,
            ask_question,
            read_question,
            change_question,
            withdraw_question,
            decide_question,
            decide_questions,
            take_back_decision,
            list_answers,
            answer_question,
            answer_as_buyer,
            decide_answer,
            withdraw_answer,
            vote_for_answer,
            report_question,
            list_shown,
        ],
    )
]
