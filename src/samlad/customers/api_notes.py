"""HTTP: notes about customers, and tags."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, PathParameter

from samlad.customers import note_store, notes
from samlad.customers.note_store import Note, TagCount
from samlad.customers.notes import NoteChange, NoteInput, TagsInput
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, write


@get("/customers/tags", summary="List tags")
async def list_tags(request: AnyRequest) -> list[TagCount]:
    """The tags that customers have, those of the most people first; 200 at most."""
    return await notes.tags_in_use(database_of(request), actor_of(request))


@get("/customers/{customer_id:uuid}/notes", summary="List notes about a customer")
async def list_notes(request: AnyRequest, customer_id: FromPath[UUID]) -> list[Note]:
    """The latest first, over all customers that are this person; who may not see all sees those for clerks."""
    return await notes.notes_of(database_of(request), actor_of(request), customer_id)


@post("/customers/{customer_id:uuid}/notes", summary="Write a note about a customer", status_code=201)
async def add_note(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[NoteInput]
) -> Response[Note]:
    """Keep a note; ``for_clerks`` shows it at the till."""
    return await write(request, lambda tx: notes.add_note(tx, customer_id, data), status=201)


@patch("/customers/{customer_id:uuid}/notes/{note_id:uuid}", summary="Change a note")
async def change_note(
    request: AnyRequest, customer_id: FromPath[UUID], note_id: FromPath[UUID], data: JSONBody[NoteChange]
) -> Response[Note]:
    """Write it anew; ``If-Match`` refuses the change if somebody else was quicker."""
    version = if_match(request)
    return await write(request, lambda tx: notes.change_note(tx, customer_id, note_id, data, version=version))


@delete("/customers/{customer_id:uuid}/notes/{note_id:uuid}", summary="Delete a note", status_code=200)
async def delete_note(
    request: AnyRequest, customer_id: FromPath[UUID], note_id: FromPath[UUID]
) -> Response[Note]:
    """Take it away; it can be restored. Again is no error."""
    version = if_match(request)
    return await write(request, lambda tx: notes.delete_note(tx, customer_id, note_id, version=version))


@post("/customers/{customer_id:uuid}/notes/{note_id:uuid}/restore", summary="Restore a note", status_code=200)
async def restore_note(
    request: AnyRequest, customer_id: FromPath[UUID], note_id: FromPath[UUID]
) -> Response[Note]:
    """Bring a deleted note back."""
    return await write(request, lambda tx: notes.restore_note(tx, customer_id, note_id))


@post("/customers/{customer_id:uuid}/tags", summary="Tag a customer", status_code=200)
async def add_tags(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[TagsInput]
) -> Response[list[str]]:
    """Add tags; all that they have now. What is there already stays."""
    return await write(request, lambda tx: notes.tag(tx, customer_id, data))


@delete("/customers/{customer_id:uuid}/tags/{tag:str}", summary="Take a tag off", status_code=200)
async def remove_tag(
    request: AnyRequest,
    customer_id: FromPath[UUID],
    tag: Annotated[str, PathParameter(max_length=40, pattern=r"^[^\x00]*$")],
) -> Response[list[str]]:
    """Take a tag off a customer and all that are the same person; the tags that are left."""

    async def work(tx: Tx) -> list[str]:
        await notes.untag(tx, customer_id, tag)
        return await note_store.tags_of(tx, customer_id)

    return await write(request, work)


NOTES = [
    list_tags,
    list_notes,
    add_note,
    change_note,
    delete_note,
    restore_note,
    add_tags,
    remove_tag,
]
