"""What somebody has talked about with the shop, over all channels."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import conversations
from samlad.conversations import files
from samlad.conversations.api import handed_out
from samlad.faces import page as face
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import contact, limits, member
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.place import channel_of
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery

HERE = "/account/conversations"
MOST = 50
STATES = {
    conversations.State.OPEN: (marked("We look into it"), ""),
    conversations.State.SNOOZED: (marked("We look into it"), ""),
    conversations.State.PENDING: (marked("Answered"), "info"),
    conversations.State.CLOSED: (marked("Done"), "success"),
}


@get(HERE)
async def show_all(request: AnyRequest) -> Response[Any]:
    """All of them, the latest first."""
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    query = ListQuery(limit=MOST, filters={"customer": str(signed.customer.id)})
    found = await conversations.CONVERSATIONS.page(database_of(request), query, None)
    return await account_page(
        request,
        channel,
        signed,
        "conversations",
        found=found.items,
        states={state: (_(text), kind) for state, (text, kind) in STATES.items()},
    )


@get(f"{HERE}/{{conversation_id:uuid}}")
async def show_one(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Any]:
    """One of them, and the next word."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    actor = member.acting(request, channel, signed).actor
    thread = await conversations.read(database_of(request), actor, conversation_id)
    await contact.see(request, channel, thread)
    return await contact.thread_page(request, channel, thread, Form(), f"{HERE}/{conversation_id}")


@get(f"{HERE}/{{conversation_id:uuid}}/files/{{file_id:uuid}}")
async def file(
    request: AnyRequest, conversation_id: FromPath[UUID], file_id: FromPath[UUID]
) -> Response[bytes]:
    """A file that they sent with a mail."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    actor = member.acting(request, channel, signed).actor
    database = database_of(request)
    thread = await conversations.read(database, actor, conversation_id)
    return handed_out(await files.of_thread(database, thread, file_id))


@post(f"{HERE}/{{conversation_id:uuid}}", status_code=303)
async def write(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Any]:
    """The next word."""
    limits.writes.check(limits.who(request))
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    who = member.acting(request, channel, signed)
    await conversations.read(database_of(request), who.actor, conversation_id)
    return await contact.say(request, channel, conversation_id, who, f"{HERE}/{conversation_id}")


handlers = [show_all, show_one, file, write]
