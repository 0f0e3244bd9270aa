"""HTTP of mails that come in: a mail server or service hands them in, staff decide on those in doubt."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from samlad import channels
from samlad.catalog.sellables import language_of
from samlad.conversations import mail_store, receiving
from samlad.conversations.model import Conversation, InboundMail, NewInput, PlaceInput, Received
from samlad.conversations.permissions import READ, RECEIVE, WRITE
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of, write
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

AnyRequest = Request[Any, Any, Any]
Connection = ASGIConnection[Any, Any, Any, Any]
LARGEST_MAIL = 8 * 1024 * 1024


def may_hand_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Before a byte of the body is read."""
    actor_of(Request(connection.scope)).require(RECEIVE)


@post(
    "/mail",
    status_code=200,
    summary="Hand in a mail",
    guards=[may_hand_in],
    request_max_body_size=LARGEST_MAIL,
)
async def hand_in(request: AnyRequest) -> Response[Received]:
    """The body is the mail as it came (RFC 5322, `message/rfc822`, at most 8 MB): an answer to a mail of a conversation, or one
    that says that a mail did not arrive (RFC 3464). The same mail again is nothing. As `samlad mail receive`."""
    raw = await request.body()
    return await write(request, lambda tx: receiving.receive(tx, raw))


@get("/mail/inbound", summary="List mails that are in no conversation")
async def list_inbound(
    request: AnyRequest,
    states: States = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[InboundMail]]:
    """The latest first. ``state``: waiting, dismissed; ``q`` is a part of sender, name or subject.

    Sort by received_at or sender.
    """
    actor_of(request).require(READ)
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters={"state": states, "q": q})
    return await mail_store.INBOUND.answer(
        database_of(request), query, as_csv=as_format == "csv", name="inbound-mails"
    )


@post("/mail/inbound/{mail_id:uuid}/place", status_code=200, summary="Put a mail into a conversation")
async def place_mail(
    request: AnyRequest, mail_id: FromPath[UUID], data: JSONBody[PlaceInput]
) -> Response[Conversation]:
    """It is said there, with a mark if its sender is not that customer."""
    return await write(request, lambda tx: receiving.place(tx, mail_id, data.conversation))


@post("/mail/inbound/{mail_id:uuid}/begin", status_code=201, summary="Begin a conversation with a mail")
async def begin_with_mail(
    request: AnyRequest, mail_id: FromPath[UUID], data: JSONBody[NewInput]
) -> Response[Conversation]:
    """With its sender, in a channel. The same again answers the conversation that began."""
    actor_of(request).require(WRITE)

    async def work(tx: Tx) -> Conversation:
        shop = await channels.get(tx, data.channel)
        return await receiving.begin(tx, mail_id, shop.id, language=language_of(shop.locale))

    return await write(request, work, status=201)


@post("/mail/inbound/{mail_id:uuid}/dismiss", status_code=200, summary="Put a mail aside")
async def dismiss_mail(request: AnyRequest, mail_id: FromPath[UUID]) -> Response[InboundMail]:
    """It is deleted after 30 days."""
    return await write(request, lambda tx: receiving.dismiss(tx, mail_id))


@post("/mail/inbound/{mail_id:uuid}/restore", status_code=200, summary="Let a mail wait again")
async def restore_mail(request: AnyRequest, mail_id: FromPath[UUID]) -> Response[InboundMail]:
    """Take putting it aside back."""
    return await write(request, lambda tx: receiving.dismiss(tx, mail_id, is_dismissed=False))


routes = [
    Router(
        path="/api",
        tags=["Conversations"],
        route_handlers=[hand_in, list_inbound, place_mail, begin_with_mail, dismiss_mail, restore_mail],
    )
]
