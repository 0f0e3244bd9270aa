"""HTTP of reviews. Everybody reads what is approved; customers write their own; staff decide."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

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
from samlad.reviews import service
from samlad.reviews.model import Answer, Decision, Report, Review, ReviewInput, ShownReview, Totals, Vote
from samlad.reviews.permissions import READ
from samlad.reviews.store import REVIEWS, SHOWN
from samlad.stock import reach


class Votes(msgspec.Struct, frozen=True):
    """How many found a review helpful."""

    helpful: int


@get("/reviews", summary="List reviews")
async def list_reviews(
    request: AnyRequest,
    channel: Annotated[
        str | None,
        QueryParameter(max_length=63, pattern=r"^[^\x00]*$", description="Code: only its catalogue"),
    ] = None,
    states: States = None,
    product: Wanted = None,
    stars: Wanted = None,
    language: Wanted = None,
    reported: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Review]]:
    """Those that wait and were refused too. ``state`` is waiting, approved, refused or withdrawn."""
    actor_of(request).require(READ)
    filters = {
        "state": states,
        "product": product,
        "stars": stars,
        "language": language,
        "reported": reported,
        "q": q,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    database = database_of(request)
    scope = await reach.only(
        database, actor_of(request), Resource.CATALOGUE, await pools_of(request, Resource.CATALOGUE, channel)
    )
    return await REVIEWS.answer(database, query, scope, as_csv=as_format == "csv", name="reviews")


@post("/reviews", status_code=201, summary="Write a review")
async def write_review(request: AnyRequest, data: JSONBody[ReviewInput]) -> Response[Review]:
    """A customer reviews what they bought and got; staff write down what a customer of an ``order`` said.

    Again for the same product it is written anew. It is shown once staff approve it.
    """
    actor = actor_of(request)
    if actor.kind == "guest":
        raise Unauthenticated("Sign in, or use the link of your order.")
    verb = service.write_as_customer if actor.kind == "customer" else service.write_for_somebody
    return await write(request, lambda tx: verb(tx, data), status=201)


@get("/reviews/{review_id:uuid}", summary="Read a review")
async def read_review(request: AnyRequest, review_id: FromPath[UUID]) -> Response[Review]:
    """A review with how it stands."""
    found = await service.read(database_of(request), actor_of(request), review_id)
    return with_etag(found, found.version)


@delete("/reviews/{review_id:uuid}", status_code=204, summary="Take a review back")
async def withdraw_review(request: AnyRequest, review_id: FromPath[UUID]) -> Response[None]:
    """The customer who wrote it takes it back. Again is no error."""

    async def work(tx: Tx) -> None:
        await service.withdraw(tx, review_id)

    return await write(request, work, status=204)


@post(
    "/reviews/{review_id:uuid}/decision",
    status_code=200,
    summary="Approve or refuse a review, or let it wait again",
)
async def decide_review(
    request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[Decision]
) -> Response[Review]:
    """Show it, refuse it with a reason, or let it wait to be read once more. Send ``If-Match``: it may have been written anew meanwhile."""
    version = if_match(request)
    return await write(request, lambda tx: service.decide(tx, review_id, data, version=version))


@put("/reviews/{review_id:uuid}/answer", status_code=200, summary="Answer a review")
async def answer_review(
    request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[Answer]
) -> Response[Review]:
    """Answer for everybody to read; an empty text takes the answer away."""
    version = if_match(request)
    return await write(request, lambda tx: service.answer(tx, review_id, data, version=version))


@post("/reviews/{review_id:uuid}/vote", status_code=200, summary="Find a review helpful")
async def vote_for_review(
    request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[Vote]
) -> Response[Votes]:
    """A signed-in customer says that a review helped, or takes that back; twice counts once."""
    voter = _voter(request)

    async def work(tx: Tx) -> Votes:
        return Votes(await service.vote(tx, review_id, voter, data))

    return await write(request, work)


@post("/reviews/{review_id:uuid}/report", status_code=204, summary="Report a review")
async def report_review(
    request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[Report]
) -> Response[None]:
    """A signed-in customer or member of staff says why a review should not be there."""
    voter = _voter(request)
    return await write(request, lambda tx: service.report(tx, review_id, voter, data), status=204)


@get("/products/{product_id:uuid}/reviews", summary="List the reviews of a product")
async def list_shown(
    request: AnyRequest,
    product_id: FromPath[UUID],
    stars: Wanted = None,
    language: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response[Page[ShownReview]]:
    """What is approved, the most helpful first; ``sort`` by written_at, helpful or stars. Open to everybody."""
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"stars": stars, "language": language})
    return await SHOWN.answer(database_of(request), query, product_id)


@get("/products/{product_id:uuid}/rating", summary="Read the rating of a product")
async def read_rating(request: AnyRequest, product_id: FromPath[UUID]) -> Totals:
    """How many approved reviews it has, their average and how they are spread. Open to everybody."""
    return await service.totals(database_of(request), product_id)


def _voter(request: AnyRequest) -> UUID:
    actor = actor_of(request)
    if actor.id is None:
        raise Unauthenticated("Sign in to say something about a review.")
    return actor.id


routes = [
    Router(
        path="/api",
        tags=["Reviews"],
        route_handlers=[
            list_reviews,
            write_review,
            read_review,
            withdraw_review,
            decide_review,
            answer_review,
            vote_for_review,
            report_review,
            list_shown,
            read_rating,
        ],
    )
]
