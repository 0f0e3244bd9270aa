"""HTTP: segments, who is in them and why, lists, scores."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from samlad import channels, customers
from samlad.audiences import exporting, lists, rfm, segments, store
from samlad.audiences.model import (
    ChangeRow,
    Explanation,
    ListInput,
    ListOutcome,
    MemberRow,
    NewSegment,
    OfPerson,
    Overlap,
    PickInput,
    Preview,
    PreviewInput,
    RfmPerson,
    RfmView,
    Segment,
    SegmentChange,
    SegmentRow,
    SegmentVersion,
    SizeOn,
)
from samlad.audiences.permissions import CHANGE, EXPORT, READ
from samlad.audiences.preview import preview
from samlad.channels import Resource
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    Wanted,
    uuids,
)
from samlad.kernel.problems import InvalidInput, NotFound

Days = Annotated[int, QueryParameter(ge=1, le=3650, description="How many days back")]
Several = Annotated[
    str, QueryParameter(max_length=200, description="Two to five ids of segments, with commas between")
]
ForWhat = Annotated[
    str | None,
    QueryParameter(max_length=50, description="Code of a purpose of consent, or none: it needs no consent"),
]
OnChannel = Annotated[
    UUID | None, QueryParameter(description="What was agreed to for this channel counts too")
]
MOST_OVERLAPPING = 5


@get("/segments", summary="List segments")
async def list_segments(
    request: AnyRequest,
    q: Wanted = None,
    kind: Wanted = None,
    pool: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[SegmentRow]]:
    """All segments with their size. ``kind`` is live or list; sort by name, size or updated_at."""
    actor_of(request).require(READ)
    filters = {"q": q, "kind": kind, "pool": pool}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await store.LISTING.answer(database_of(request), query, as_csv=as_format == "csv", name="segments")


@post("/segments", summary="Make a segment", status_code=201)
async def create_segment(request: AnyRequest, data: JSONBody[NewSegment]) -> Response[Segment]:
    """Make a segment of a channel's customers by conditions, or without a definition a list to put people on.

    Its members are there a moment later: when ``built_version`` is ``version``.
    """
    return await write(request, lambda tx: segments.create(tx, data), status=201)


@post("/segments/preview", summary="Try conditions", status_code=200)
async def try_conditions(request: AnyRequest, data: JSONBody[PreviewInput]) -> Preview:
    """How many people conditions hold for. Of large pools it is estimated from some 5,000 people, and marked so."""
    actor_of(request).require(READ)
    return await preview(database_of(request), data)


@get("/segments/overlap", summary="Compare segments")
async def overlap(request: AnyRequest, segment: Several) -> list[Overlap]:
    """How many people are in exactly which of two to five segments, the most first."""
    actor_of(request).require(READ)
    try:
        ids = list(dict.fromkeys(uuids(segment)))
    except ValueError:
        raise InvalidInput.at("segment", "ids of segments, with commas between") from None
    if not 2 <= len(ids) <= MOST_OVERLAPPING:
        raise InvalidInput.at("segment", f"two to {MOST_OVERLAPPING} different segments")
    for each in ids:
        await segments.get(database_of(request), each)
    return await store.overlap(database_of(request), ids)


@get("/segments/{segment_id:uuid}", summary="Read a segment")
async def read_segment(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Segment]:
    """A segment with its conditions, and an ETag of its version."""
    actor_of(request).require(READ)
    found = await segments.get(database_of(request), segment_id)
    return with_etag(found, found.version)


@patch("/segments/{segment_id:uuid}", summary="Change a segment")
async def change_segment(
    request: AnyRequest, segment_id: FromPath[UUID], data: JSONBody[SegmentChange]
) -> Response[Segment]:
    """Another name, note or definition; ``If-Match`` refuses the change if somebody else was quicker."""
    version = if_match(request)
    return await write(request, lambda tx: segments.change(tx, segment_id, data, version=version))


@delete("/segments/{segment_id:uuid}", summary="Delete a segment", status_code=200)
async def delete_segment(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Segment]:
    """Delete a segment that no other one names. For 30 days it can be brought back."""
    version = if_match(request)
    return await write(request, lambda tx: segments.delete(tx, segment_id, version=version))


@post("/segments/{segment_id:uuid}/restore", summary="Bring a segment back", status_code=200)
async def restore_segment(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Segment]:
    """Bring a deleted segment back. Who came and went meanwhile is told as soon as it is computed."""
    return await write(request, lambda tx: segments.restore(tx, segment_id))


@get("/segments/{segment_id:uuid}/versions", summary="List the versions of a segment")
async def list_versions(request: AnyRequest, segment_id: FromPath[UUID]) -> list[SegmentVersion]:
    """What it meant since when, the latest first; 100 at most."""
    actor_of(request).require(READ)
    await segments.get(database_of(request), segment_id)
    return await store.versions(database_of(request), segment_id)


@get("/segments/{segment_id:uuid}/members", summary="List who is in a segment")
async def list_members(
    request: AnyRequest,
    segment_id: FromPath[UUID],
    q: Wanted = None,
    country: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
    purpose: ForWhat = None,
    channel: OnChannel = None,
) -> Response[Page[MemberRow]]:
    """The people of a segment, who came last first; sort by entered_at, name, orders or last_order_at.

    ``format=csv`` needs the permission ``audiences.export`` and a ``purpose``: who has not agreed to it is left out, and
    ``Left-Out`` says how many that are. With ``purpose`` alone only those who have agreed are listed.
    """
    actor_of(request).require(READ)
    database = database_of(request)
    if as_format == "csv":
        actor_of(request).require(EXPORT)
        what = _told(purpose)
        found = await database.transaction(
            lambda tx: exporting.note(tx, segment_id, "csv", what, channel), context_of(request)
        )
    else:
        found = await exporting.leaving(database, segment_id, purpose or exporting.WITHOUT, channel)
    filters = {"q": q, "country": country, "people": found.named()}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    answer = await store.MEMBERS.answer(
        database, query, segment_id, as_csv=as_format == "csv", name="members"
    )
    answer.headers["Left-Out"] = str(found.left_out)
    return answer


def _told(purpose: str | None) -> str:
    """What an export is for, which has to be said."""
    if purpose is None:
        raise InvalidInput.at(
            "purpose", f"say what it is for: a purpose that people agree to, or {exporting.WITHOUT}"
        )
    return purpose


@get("/segments/{segment_id:uuid}/members/{customer_id:uuid}", summary="Explain whether somebody is in")
async def explain_member(
    request: AnyRequest, segment_id: FromPath[UUID], customer_id: FromPath[UUID]
) -> Explanation:
    """Whether a customer is in a segment as things are now, which condition holds and what was found for it."""
    actor_of(request).require(READ)
    return await segments.explain(database_of(request), segment_id, customer_id)


@get("/segments/{segment_id:uuid}/changes", summary="List who came and went")
async def list_changes(
    request: AnyRequest,
    segment_id: FromPath[UUID],
    way: Wanted = None,
    cause: Wanted = None,
    person: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[ChangeRow]]:
    """Who came (``way=in``) and went (``out``), when and because of what, the latest first; kept for 400 days."""
    actor_of(request).require(READ)
    database = database_of(request)
    if as_format == "csv":
        actor_of(request).require(EXPORT)
    await segments.get(database, segment_id)
    filters = {"way": way, "cause": cause, "person": person, "q": q}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await store.CHANGES.answer(database, query, segment_id, as_csv=as_format == "csv", name="changes")


@get("/segments/{segment_id:uuid}/sizes", summary="Read the size of a segment by day")
async def list_sizes(request: AnyRequest, segment_id: FromPath[UUID], days: Days = 90) -> list[SizeOn]:
    """Its size at the end of each day (UTC) on which it changed."""
    actor_of(request).require(READ)
    await segments.get(database_of(request), segment_id)
    return await store.sizes(database_of(request), segment_id, days)


@get(
    "/segments/{segment_id:uuid}/ads/{platform:str}",
    summary="Export a segment for an ad platform",
    media_type="text/csv",
)
async def export_for_ads(
    request: AnyRequest,
    segment_id: FromPath[UUID],
    platform: FromPath[str],
    purpose: ForWhat = None,
    channel: OnChannel = None,
) -> Stream:
    """A CSV file of SHA-256 hashes of e-mail addresses and phone numbers, in the form that ``google`` or ``meta`` wants.

    It needs a ``purpose``, such as ``ads`` (``none`` is refused): who has not agreed to it is left out, and ``Left-Out``
    says how many.
    """
    actor_of(request).require(EXPORT)
    known = next((each for each in exporting.TITLES if each == platform), None)
    if known is None:
        raise NotFound(f"There is no form for {platform}; there are {', '.join(exporting.TITLES)}.")
    database = database_of(request)
    what = _told(purpose)
    if what == exporting.WITHOUT:  # an ad platform is somebody else: nobody's address goes there unasked
        raise InvalidInput.at("purpose", "ad platforms get only who has agreed to a purpose")
    found = await database.transaction(
        lambda tx: exporting.note(tx, segment_id, known, what, channel), context_of(request)
    )
    return Stream(
        exporting.hashed(database, found, known),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="segment-{known}.csv"',
            "Left-Out": str(found.left_out),
        },
    )


@post("/segments/{segment_id:uuid}/list", summary="Put people on a list", status_code=200)
async def add_to_list(
    request: AnyRequest, segment_id: FromPath[UUID], data: JSONBody[ListInput]
) -> Response[ListOutcome]:
    """Put people on a static list by e-mail address, phone number, external id or id. What matches nobody is told."""
    return await write(request, lambda tx: lists.add(tx, segment_id, data.people))


@post("/segments/{segment_id:uuid}/list/remove", summary="Take people off a list", status_code=200)
async def take_off_list(
    request: AnyRequest, segment_id: FromPath[UUID], data: JSONBody[PickInput]
) -> Response[Segment]:
    """Take people off a static list by customer id. Who is not on it is not missed."""

    async def work(tx: Any) -> Segment:
        await lists.remove(tx, segment_id, data.customers)
        return await segments.get(tx, segment_id)

    return await write(request, work)


@get("/customers/{customer_id:uuid}/segments", summary="List a customer's segments")
async def segments_of(request: AnyRequest, customer_id: FromPath[UUID]) -> list[OfPerson]:
    """The segments that a customer is in, since when, and when that can change by the clock."""
    actor_of(request).require(READ)
    database = database_of(request)
    person = await customers.resolve(database, customer_id)
    if person is None:
        raise NotFound("There is no such customer.")
    return await store.of_person(database, person)


@get("/rfm/{channel_id:uuid}", summary="Read the RFM grid")
async def read_grid(request: AnyRequest, channel_id: FromPath[UUID]) -> RfmView:
    """How many people of a channel's pool are in each cell of recency and frequency, and what they spent."""
    actor_of(request).require(READ)
    channel = await channels.get(database_of(request), channel_id)
    return await rfm.read(database_of(request), channel.pools[Resource.CUSTOMERS])


@get("/rfm/{channel_id:uuid}/people", summary="List people with their scores")
async def list_scored(
    request: AnyRequest,
    channel_id: FromPath[UUID],
    recency: Wanted = None,
    frequency: Wanted = None,
    monetary: Wanted = None,
    group: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[RfmPerson]]:
    """The people of a channel's pool who have ordered, with their scores; who spent most first."""
    actor_of(request).require(READ)
    if as_format == "csv":
        actor_of(request).require(EXPORT)
    database = database_of(request)
    channel = await channels.get(database, channel_id)
    scores = {"recency": recency, "frequency": frequency, "monetary": monetary}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={**scores, "group": group, "q": q})
    pool = channel.pools[Resource.CUSTOMERS]
    return await rfm.PEOPLE.answer(database, query, pool, as_csv=as_format == "csv", name="people")


@post("/rfm/{channel_id:uuid}", summary="Compute RFM scores", status_code=200)
async def compute_grid(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[RfmView]:
    """Score the people of a channel's pool now; it also happens each night."""
    actor_of(request).require(CHANGE)

    async def work(tx: Any) -> RfmView:
        channel = await channels.get(tx, channel_id)
        await rfm.compute(tx, channel.pools[Resource.CUSTOMERS])
        return await rfm.read(tx, channel.pools[Resource.CUSTOMERS])

    return await write(request, work)


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_segments,
            create_segment,
            try_conditions,
            overlap,
            read_segment,
            change_segment,
            delete_segment,
            restore_segment,
            list_versions,
            list_members,
            explain_member,
            list_changes,
            list_sizes,
            export_for_ads,
            add_to_list,
            take_off_list,
            segments_of,
            read_grid,
            list_scored,
            compute_grid,
        ],
        tags=["Segments"],
    )
]
