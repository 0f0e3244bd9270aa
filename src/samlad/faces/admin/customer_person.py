"""What is known of a person, on the customer's page: traits, carts, promotions, notes, tags, household, timeline."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath

from samlad import channels, consent, customers, profile
from samlad.customers import Customer, NoteChange, NoteInput, TagsInput
from samlad.faces.admin import customer_blocks, names, question_names
from samlad.faces.admin.customer_blocks import Block
from samlad.faces.admin.identity import found_customer
from samlad.faces.admin.lists import shown
from samlad.faces.admin.orders import HAPPENED
from samlad.faces.admin.scope import open_orders
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest, change, go, require, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem

READ_HERE = (
    "traits",
    "carts",
    "returns",
    "stores",
    "promotions",
    "gift_cards",
    "subscriptions",
    "household",
    "notes",
    "tags",
    "devices",
    "consent",
)
"""The parts of a person that no other block shows."""


async def _person(request: AnyRequest, customer: Customer) -> dict[str, Any]:
    read = await profile.read(database_of(request), actor_of(request), customer.id, READ_HERE)
    purposes = await consent.purposes(database_of(request)) if read.consent else []
    return {"person": read, "purposes": {each.code: each.names for each in purposes}}


async def _nothing_more(_request: AnyRequest, _customer: Customer) -> dict[str, Any]:
    """What `_person` has read is there for both."""
    return {}


async def _timeline(request: AnyRequest, customer: Customer) -> dict[str, Any]:
    database, actor = database_of(request), actor_of(request)
    scope = await profile.scope_of(database, actor, customer.id)
    known = await channels.cached_all(database)
    found = await shown(request, database, profile.TIMELINE, *scope, limit=30)
    return {
        "moments": found,
        "moment_orders": await open_orders(actor, database, [each.subject for each in found.items]),
        "moment_kinds": scope[2],
        "moment_channels": {each.id: each.name for each in known},
        "happened": {
            **{name: told[0] for name, told in HAPPENED.items()},
            **names.happened,
            **question_names.HAPPENED,
        },
    }


customer_blocks.add(Block(place=-10, template="admin/customer_traits.html", load=_person))
customer_blocks.add(Block(place=10, template="admin/customer_person.html", load=_nothing_more))
customer_blocks.add(Block(place=20, template="admin/customer_timeline.html", load=_timeline))


def _back(request: AnyRequest, customer: UUID, problem: Problem) -> Response[Any]:
    told = problem.errors[0].message if problem.errors else problem.detail
    return go(request, f"/admin/customers/{customer}", words(request)(told), kind="danger")


# -- notes -------------------------------------------------------------------------------------------------------------


@post("/admin/customers/{customer_id:uuid}/notes")
async def add_note(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Write something down."""
    require(request, customers.CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        for_clerks = form.has("for_clerks") or not actor_of(request).may(customers.NOTES)
        data = form.into(NoteInput, text=form.text("text"), for_clerks=for_clerks)
        made = await change(request, lambda tx: customers.add_note(tx, customer_id, data))
    except (Conflict, InvalidInput, NotFound) as problem:
        return _back(request, customer_id, problem)
    undo = undo_href(request, "customer.note-added", customer=customer_id, note=made.id)
    return go(request, f"/admin/customers/{customer_id}", _("The note is kept."), undo=undo)


@undoable("customer.note-added")
async def _undo_note_added(tx: Tx, arguments: dict[str, Any]) -> str:
    await customers.delete_note(tx, UUID(arguments["customer"]), UUID(arguments["note"]))
    return f"/admin/customers/{arguments['customer']}"


@post("/admin/customers/{customer_id:uuid}/notes/{note_id:uuid}")
async def change_note(
    request: AnyRequest, customer_id: FromPath[UUID], note_id: FromPath[UUID]
) -> Response[Any]:
    """Write a note anew, or take it away."""
    require(request, customers.CHANGE)
    form, _ = await read_form(request), words(request)
    here = f"/admin/customers/{customer_id}"
    try:
        if form.has("delete"):
            await change(request, lambda tx: customers.delete_note(tx, customer_id, note_id))
            undo = undo_href(request, "customer.note-deleted", customer=customer_id, note=note_id)
            return go(request, here, _("The note is deleted."), undo=undo)
        given = form.into(NoteChange, text=form.text("text"))
        before, after = await change(
            request, lambda tx: _rewrite(tx, customer_id, note_id, given, form.version())
        )
    except (Conflict, InvalidInput, NotFound) as problem:
        return _back(request, customer_id, problem)
    undo = undo_href(
        request,
        "customer.note-changed",
        customer=customer_id,
        note=note_id,
        version=after.version,
        text=before,
    )
    return go(request, here, _("Saved."), undo=undo)


async def _rewrite(
    tx: Tx, customer: UUID, note: UUID, data: NoteChange, version: int | None
) -> tuple[str, customers.Note]:
    notes = await customers.notes_of(tx, tx.actor, customer)
    before = next((each.text for each in notes if each.id == note), "")
    return before, await customers.change_note(tx, customer, note, data, version=version)


@undoable("customer.note-deleted")
async def _undo_note_deleted(tx: Tx, arguments: dict[str, Any]) -> str:
    await customers.restore_note(tx, UUID(arguments["customer"]), UUID(arguments["note"]))
    return f"/admin/customers/{arguments['customer']}"


@undoable("customer.note-changed")
async def _undo_note_changed(tx: Tx, arguments: dict[str, Any]) -> str:
    back = NoteChange(text=arguments["text"])
    customer, note = UUID(arguments["customer"]), UUID(arguments["note"])
    await customers.change_note(tx, customer, note, back, version=arguments["version"])
    return f"/admin/customers/{arguments['customer']}"


# -- tags --------------------------------------------------------------------------------------------------------------


@post("/admin/customers/{customer_id:uuid}/tags")
async def change_tags(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Add tags, typed with commas, or take one off."""
    require(request, customers.CHANGE)
    form, _ = await read_form(request), words(request)
    here = f"/admin/customers/{customer_id}"
    try:
        if word := form.text("remove"):
            removed = await change(request, lambda tx: customers.untag(tx, customer_id, word))
            undo = undo_href(request, "customer.untagged", customer=customer_id, tag=word, of=removed)
            return go(request, here, _("The tag is taken off."), undo=undo if removed else None)
        typed = [each.strip() for each in (form.text("tags") or "").split(",")]
        data = form.into(TagsInput, tags=[each for each in typed if each])
        before, after = await change(request, lambda tx: _tag(tx, customer_id, data))
    except (Conflict, InvalidInput, NotFound) as problem:
        return _back(request, customer_id, problem)
    new = sorted(set(after) - set(before))
    undo = undo_href(request, "customer.tagged", customer=customer_id, tags=new)
    return go(request, here, _("Tagged."), undo=undo if new else None)


async def _tag(tx: Tx, customer: UUID, data: TagsInput) -> tuple[list[str], list[str]]:
    return await customers.tags_of(tx, customer), await customers.tag(tx, customer, data)


@undoable("customer.tagged")
async def _undo_tagged(tx: Tx, arguments: dict[str, Any]) -> str:
    for word in arguments["tags"]:
        await customers.untag(tx, UUID(arguments["customer"]), word)
    return f"/admin/customers/{arguments['customer']}"


@undoable("customer.untagged")
async def _undo_untagged(tx: Tx, arguments: dict[str, Any]) -> str:
    for customer in arguments["of"]:
        await customers.tag(tx, UUID(customer), TagsInput(tags=[arguments["tag"]]))
    return f"/admin/customers/{arguments['customer']}"


# -- household ---------------------------------------------------------------------------------------------------------


@post("/admin/customers/{customer_id:uuid}/household")
async def change_household(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Say who lives with them, or take that back."""
    require(request, customers.CHANGE)
    form, _ = await read_form(request), words(request)
    verb = profile.leave if form.has("leave") else profile.live_with
    try:
        other = await found_customer(request, customer_id, form.text("other") or "")
        await change(request, lambda tx: verb(tx, customer_id, other))
    except (Conflict, InvalidInput, NotFound) as problem:
        return _back(request, customer_id, problem)
    kind = "household.left" if form.has("leave") else "household.joined"
    undo = undo_href(request, kind, customer=customer_id, other=other)
    return go(request, f"/admin/customers/{customer_id}", _("Saved."), undo=undo)


@undoable("household.joined")
async def _undo_joined(tx: Tx, arguments: dict[str, Any]) -> str:
    await profile.leave(tx, UUID(arguments["customer"]), UUID(arguments["other"]))
    return f"/admin/customers/{arguments['customer']}"


@undoable("household.left")
async def _undo_left(tx: Tx, arguments: dict[str, Any]) -> str:
    await profile.live_with(tx, UUID(arguments["customer"]), UUID(arguments["other"]))
    return f"/admin/customers/{arguments['customer']}"


HANDLERS = [add_note, change_note, change_tags, change_household]
