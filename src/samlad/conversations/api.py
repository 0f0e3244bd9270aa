"""HTTP of conversations. Customers begin and read their own; staff answer."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.channels import Resource
from samlad.conversations import desk, enclosed, files, merging, saved, service
from samlad.conversations.model import (
    BeginInput,
    ChangeInput,
    Conversation,
    Counts,
    MergeInput,
    MessageInput,
    ReplyInput,
    SavedReply,
    Thread,
)
from samlad.conversations.permissions import READ
from samlad.conversations.store import CONVERSATIONS
from samlad.conversations.targets import counts
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
from samlad.stock import reach


@get("/conversations", summary="List conversations")
async def list_conversations(
    request: AnyRequest,
    channel: Annotated[
        str | None,
        QueryParameter(max_length=63, pattern=r"^[^\x00]*$", description="Code: only its conversations"),
    ] = None,
    states: States = None,
    topic: Wanted = None,
    customer: Wanted = None,
    order: Wanted = None,
    assignee: Wanted = None,
    assigned: Wanted = None,
    q: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Conversation]]:
    """``state`` is open, pending, snoozed or closed; sort by last_at, waiting_since, begun_at or subject. ``q`` looks into messages, too."""
    actor = actor_of(request)
    actor.require(READ)
    filters = {
        "channel": channel,
        "state": states,
        "topic": topic,
        "customer": customer,
        "order": order,
        "assignee": assignee,
        "assigned": assigned,
        "q": q,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    scope = await reach.pools(database_of(request), actor, Resource.CONVERSATIONS)
    return await CONVERSATIONS.answer(
        database_of(request), query, scope, as_csv=as_format == "csv", name="conversations"
    )


@get("/conversations/counts", summary="Count conversations")
async def read_counts(request: AnyRequest) -> Counts:
    """How many wait for an answer, for yours, for anybody's, since when the oldest does, and how many longer than promised."""
    actor = actor_of(request)
    actor.require(READ)
    return await counts(database_of(request), actor)


@post("/conversations", status_code=201, summary="Begin a conversation")
async def begin_conversation(request: AnyRequest, data: JSONBody[BeginInput]) -> Response[Conversation]:
    """A guest or customer writes to the shop; staff write to a customer, or note what one said."""
    return await write(request, lambda tx: service.begin(tx, data), status=201)


@get("/conversations/{conversation_id:uuid}", summary="Read a conversation")
async def read_conversation(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Thread]:
    """A conversation with its messages, and an ETag of its version. Customers read their own, without notes."""
    found = await service.read(database_of(request), actor_of(request), conversation_id)
    return with_etag(found, found.conversation.version)


def handed_out(file: files.File) -> Response[bytes]:
    """A stranger's file: to be saved, never shown."""
    return Response(file.content, media_type=file.type, headers=enclosed.headers(file.name))


@get(
    "/conversations/{conversation_id:uuid}/files/{file_id:uuid}",
    summary="Download a file of a message",
    media_type=enclosed.UNKNOWN,
)
async def download_file(
    request: AnyRequest, conversation_id: FromPath[UUID], file_id: FromPath[UUID]
) -> Response[bytes]:
    """A file that came with a mail, as an attachment; its type is that of its bytes, whatever its sender said."""
    database = database_of(request)
    thread = await service.read(database, actor_of(request), conversation_id)
    return handed_out(await files.of_thread(database, thread, file_id))


@post("/conversations/{conversation_id:uuid}/messages", status_code=201, summary="Write in a conversation")
async def write_message(
    request: AnyRequest, conversation_id: FromPath[UUID], data: JSONBody[MessageInput]
) -> Response[Conversation]:
    """The next word. An answer of staff that crosses another message (``seen``) is refused with 409 and not sent."""
    return await write(request, lambda tx: service.write(tx, conversation_id, data), status=201)


@patch("/conversations/{conversation_id:uuid}", summary="Change a conversation")
async def change_conversation(
    request: AnyRequest, conversation_id: FromPath[UUID], data: JSONBody[ChangeInput]
) -> Response[Conversation]:
    """Assign, snooze, close or open it again, or say better what it is about."""
    version = if_match(request)
    return await write(request, lambda tx: desk.change(tx, conversation_id, data, version=version))


@post("/conversations/{conversation_id:uuid}/merge", status_code=200, summary="Put conversations together")
async def merge_conversation(
    request: AnyRequest, conversation_id: FromPath[UUID], data: JSONBody[MergeInput]
) -> Response[Conversation]:
    """Let it go on in another conversation of the same customer; answers that one."""
    return await write(request, lambda tx: merging.merge(tx, conversation_id, data.into))


@post("/conversations/{conversation_id:uuid}/split", status_code=200, summary="Take conversations apart")
async def split_conversation(request: AnyRequest, conversation_id: FromPath[UUID]) -> Response[Conversation]:
    """Take a merge back: what was said in it first stands by itself again."""
    return await write(request, lambda tx: merging.split(tx, conversation_id))


@get("/saved-replies", summary="List saved replies")
async def list_replies(request: AnyRequest) -> list[SavedReply]:
    """What is answered often, by name."""
    return await saved.all_of(database_of(request), actor_of(request))


@post("/saved-replies", status_code=201, summary="Save a reply")
async def create_reply(request: AnyRequest, data: JSONBody[ReplyInput]) -> Response[SavedReply]:
    """``{name}``, ``{order}`` and ``{agent}`` are filled in when it is used on a page."""
    return await write(request, lambda tx: saved.put(tx, data), status=201)


@put("/saved-replies/{reply_id:uuid}", summary="Change a saved reply")
async def change_reply(
    request: AnyRequest, reply_id: FromPath[UUID], data: JSONBody[ReplyInput]
) -> Response[SavedReply]:
    """Name, language and words."""
    version = if_match(request)
    return await write(request, lambda tx: saved.put(tx, data, reply=reply_id, version=version))


@delete("/saved-replies/{reply_id:uuid}", status_code=204, summary="Delete a saved reply")
async def delete_reply(request: AnyRequest, reply_id: FromPath[UUID]) -> Response[None]:
    """Again is no error."""
    return await write(request, lambda tx: saved.delete(tx, reply_id), status=204)


@post("/saved-replies/{reply_id:uuid}/restore", status_code=204, summary="Restore a saved reply")
async def restore_reply(request: AnyRequest, reply_id: FromPath[UUID]) -> Response[None]:
    """Take a deletion back."""
    return await write(request, lambda tx: saved.restore(tx, reply_id), status=204)


routes = [
    Router(
        path="/api",
        tags=["Conversations"],
        route_handlers=[
            list_conversations,
            read_counts,
            begin_conversation,
            read_conversation,
            download_file,
            write_message,
            change_conversation,
            merge_conversation,
            split_conversation,
            list_replies,
            create_reply,
            change_reply,
            delete_reply,
            restore_reply,
        ],
    )
]
