"""HTTP of loyalty: the programme, members and their points."""

from uuid import UUID

from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody

from samlad import channels
from samlad.channels import Resource
from samlad.credit import loyalty, loyalty_store
from samlad.credit.model import (
    Member,
    MemberCodeInput,
    MemberInput,
    MemberView,
    PointsInput,
    Programme,
    ProgrammeInput,
    RedeemInput,
    Rewarded,
)
from samlad.credit.permissions import PAY, READ
from samlad.kernel import qr
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.kernel.problems import NotFound


@get("/loyalty/programmes/{channel_id:uuid}", summary="Read a loyalty programme")
async def read_programme(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[Programme]:
    """The programme of a channel's customers: rates, tiers and rewards, with an ETag of its version."""
    actor_of(request).require(READ)
    database = database_of(request)
    channel = await channels.cached(database, channel_id)
    found = await loyalty_store.programme(database, channel.pools[Resource.CUSTOMERS])
    if found is None:
        raise NotFound("There is no loyalty programme here yet.")
    return with_etag(found, found.version)


@put("/loyalty/programmes", summary="Set a loyalty programme")
async def set_programme(request: AnyRequest, data: JSONBody[ProgrammeInput]) -> Response[Programme]:
    """The whole programme of a channel's customers as it is to be; it holds for what is earned from now on."""
    version = if_match(request)
    return await write(request, lambda tx: loyalty.set_programme(tx, data, version=version))


@post("/loyalty/members", summary="Enrol a member", status_code=200)
async def enrol(request: AnyRequest, data: JSONBody[MemberInput]) -> Response[Member]:
    """Make a customer a member, with a code to scan. Who is one already stays it."""
    return await write(request, lambda tx: loyalty.enrol(tx, data.customer))


@post("/loyalty/members/lookup", summary="Look up a member by code", status_code=200)
async def look_up(request: AnyRequest, data: JSONBody[MemberCodeInput]) -> MemberView:
    """Whose code a till has scanned, with points and tier."""
    actor_of(request).require(PAY)
    database = database_of(request)
    channel = await channels.cached(database, data.channel)
    member = await loyalty.by_code(database, data.code, channel.pools[Resource.CUSTOMERS])
    return await _view(request, member.customer if member else None)


@get("/customers/{customer_id:uuid}/loyalty", summary="Read a member's points")
async def read_member(request: AnyRequest, customer_id: FromPath[UUID]) -> MemberView:
    """Points, tier and what comes next; the same whatever channel asks."""
    actor_of(request).require(READ)
    return await _view(request, customer_id)


@get(
    "/customers/{customer_id:uuid}/loyalty-code",
    summary="Read a member's code as a picture",
    media_type="image/svg+xml",
)
async def member_code(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[str]:
    """The member's code as a QR code (SVG), to print or to show on a phone."""
    actor_of(request).require(READ)
    member = await loyalty_store.member_of(database_of(request), customer_id)
    if member is None:
        raise NotFound("This customer is not a member.")
    return Response(qr.svg(member.code), media_type="image/svg+xml")


@post("/customers/{customer_id:uuid}/points", summary="Give or take points", status_code=200)
async def adjust(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[PointsInput]
) -> Response[MemberView]:
    """Points by hand with a reason; nobody comes below zero by it."""
    return await write(request, lambda tx: loyalty.adjust(tx, customer_id, data))


@post("/customers/{customer_id:uuid}/rewards", summary="Turn points into a reward", status_code=201)
async def redeem(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[RedeemInput]
) -> Response[Rewarded]:
    """Store credit, or a gift card whose code the answer tells this once."""
    return await write(request, lambda tx: loyalty.redeem(tx, customer_id, data), status=201, secret=True)


async def _view(request: AnyRequest, customer: UUID | None) -> MemberView:
    found = None if customer is None else await loyalty.view(database_of(request), customer)
    if found is None:
        raise NotFound("This is nobody's code, or not a member.")
    return found


LOYALTY = [
    read_programme,
    set_programme,
    enrol,
    look_up,
    read_member,
    member_code,
    adjust,
    redeem,
]
