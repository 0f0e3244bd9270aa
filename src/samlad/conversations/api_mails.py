"""HTTP of mails that come in: a mail server or service hands them in, staff decide on those in doubt."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from samlad import channels
from samlad.catalog.sellables import language_of
from samlad.conversations import enclosed, files, mail_store, receiving
from samlad.conversations.api import handed_out
from samlad.conversations.model import Conversation, InboundMail, NewInput, PlaceInput, Received
from samlad.conversations.permissions import READ, RECEIVE, WRITE
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
from samlad.kernel.listing import (
    ASKED,
    FromAsked,
    Page,
    States,
    Wanted,
)

Connection = ASGIConnection[Any, Any, Any, Any]
LARGEST_MAIL = 25 * 1024 * 1024


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
    """The body is the mail as it came (RFC 5322, `message/rfc822`, at most 25 MB): an answer to a mail of a conversation, or one
    that says that a mail did not arrive (RFC 3464). The same mail again is nothing. As `samlad mail receive`."""
    raw = await request.body()
    return await write(request, lambda tx: receiving.receive(tx, raw))


@get("/mail/inbound", summary="List mails that are in no conversation", dependencies=ASKED)
async def list_inbound(
    request: AnyRequest,
    asked: FromAsked,
    states: States = None,
    q: Wanted = None,
) -> Response[Page[InboundMail]]:
    """The latest first. ``state``: waiting, dismissed; ``q`` is a part of sender, name or subject.

    Sort by received_at or sender.
    """
    actor_of(request).require(READ, shop_wide=True)
    query = asked.query({"state": states, "q": q})
    return await mail_store.INBOUND.answer(
        database_of(request), query, as_csv=asked.as_csv, name="inbound-mails"
    )


@get(
    "/mail/inbound/{mail_id:uuid}/files/{file_id:uuid}",
    summary="Download a file of a mail",
    media_type=enclosed.UNKNOWN,
)
async def download_file_of_mail(
    request: AnyRequest, mail_id: FromPath[UUID], file_id: FromPath[UUID]
) -> Response[bytes]:
    """A file of a mail that waits, as an attachment. When the mail is in a conversation its files are there."""
    actor_of(request).require(READ, shop_wide=True)
    return handed_out(await files.of_mail(database_of(request), mail_id, file_id))


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
    actor_of(request).require(WRITE, shop_wide=True)

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
        route_handlers=[
            hand_in,
            list_inbound,
            download_file_of_mail,
            place_mail,
            begin_with_mail,
            dismiss_mail,
            restore_mail,
        ],
    )
]
