"""Saved replies: what is answered often, written once."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import conversations
from samlad.conversations import READ, saved
from samlad.faces.admin import bulk
from samlad.faces.admin.conversations import BASE
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import NotFound, Problem


@get(f"{BASE}/replies")
async def show_replies(request: AnyRequest) -> Response[Any]:
    """What is answered often."""
    require(request, READ)
    return await _replies_page(request, Form.of(language="en"), None)


@get(f"{BASE}/replies/{{reply_id:uuid}}")
async def show_reply(request: AnyRequest, reply_id: FromPath[UUID]) -> Response[Any]:
    """A saved reply, to change it."""
    require(request, conversations.SETUP)
    known = await saved.all_of(database_of(request), actor_of(request))
    found = next((each for each in known if each.id == reply_id), None)
    if found is None:
        raise NotFound(saved.NO_REPLY)
    form = Form.of(**{name: getattr(found, name) for name in ("name", "language", "body", "version")})
    return await _replies_page(request, form, reply_id)


@post(f"{BASE}/replies")
async def create_reply(request: AnyRequest) -> Response[Any]:
    """Save a reply."""
    return await _keep_reply(request, None)


@post(f"{BASE}/replies/{{reply_id:uuid}}")
async def change_reply(request: AnyRequest, reply_id: FromPath[UUID]) -> Response[Any]:
    """Change a saved reply."""
    return await _keep_reply(request, reply_id)


async def _keep_reply(request: AnyRequest, reply_id: UUID | None) -> Response[Any]:
    require(request, conversations.SETUP)
    form, _ = await read_form(request), words(request)
    try:
        data = form.into(conversations.ReplyInput)
        made = await change(
            request,
            lambda tx: saved.put(tx, data, reply=reply_id, version=form.version() if reply_id else None),
        )
    except Problem as problem:
        return await _replies_page(request, form.failed(problem), reply_id)
    return go(request, f"{BASE}/replies", _("“%(name)s” is kept.") % {"name": made.name})


@post(f"{BASE}/replies/{{reply_id:uuid}}/delete")
async def delete_reply(request: AnyRequest, reply_id: FromPath[UUID]) -> Response[Any]:
    """Delete a saved reply; it can be taken back."""
    require(request, conversations.SETUP)
    await read_form(request)
    await change(request, lambda tx: saved.delete(tx, reply_id))
    back = undo_href(request, "saved_reply.delete", reply=str(reply_id))
    return go(request, f"{BASE}/replies", words(request)("It is deleted."), undo=back)


@post(f"{BASE}/replies/bulk")
async def delete_many(request: AnyRequest) -> Response[Any]:
    """Delete the picked ones; it can be taken back."""
    require(request, conversations.SETUP)
    form, _ = await read_form(request), words(request)
    back = f"{BASE}/replies"
    if form.get("act") != "delete":
        return go(request, back, _("Please say what is to be done with them."), kind="danger")

    async def act(tx: Tx, reply: UUID) -> str | None:
        is_here = await saved.is_kept(tx, reply)
        await saved.delete(tx, reply)
        return "-" if is_here else None

    return await bulk.run(request, bulk.picked(form), act, named=_named, back=back, undo="saved_replies.many")


async def _named(reader: Reader, reply: UUID) -> str:
    return await saved.name_of(reader, reply)


@undoable("saved_replies.many")
async def _restore_many(tx: Tx, arguments: dict[str, Any]) -> str:
    for reply, _before in bulk.rows_before(arguments):
        await saved.restore(tx, reply)
    return str(arguments["back"])


@undoable("saved_reply.delete")
async def _restore(tx: Tx, arguments: dict[str, Any]) -> str:
    await saved.restore(tx, UUID(arguments["reply"]))
    return f"{BASE}/replies"


async def _replies_page(request: AnyRequest, form: Form, reply: UUID | None) -> Response[Any]:
    return await admin_page(
        request,
        "admin/saved_replies.html",
        status_code=form.status,
        form=form,
        reply=reply,
        replies=await saved.all_of(database_of(request), actor_of(request)),
    )


HANDLERS = [show_replies, delete_many, show_reply, create_reply, change_reply, delete_reply]
