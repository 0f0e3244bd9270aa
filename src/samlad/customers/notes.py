"""The verbs of notes and tags: what staff write down of customers, and the words by which they find them again."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.access import audit
from samlad.channels import Resource
from samlad.customers import events, note_store, store
from samlad.customers.note_store import Note, TagCount
from samlad.customers.permissions import CHANGE, NOTES, READ
from samlad.kernel import cards, log
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.stock import reach

MOST_TAGS = 50

NoteText = Annotated[
    str,
    Meta(min_length=1, max_length=4000, pattern=r"^[^\x00]*$", examples=["Wants to be called, not mailed"]),
]
Tag = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^[^\x00-\x1f,/?#]*$",
        description="A word or a few, without commas; capitals do not matter",
        examples=["regular"],
    ),
]


class NoteInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A note, and whether clerks see it at the till."""

    text: NoteText
    for_clerks: bool = False


class NoteChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to be different about a note; what is left out stays."""

    text: NoteText | msgspec.UnsetType = msgspec.UNSET
    for_clerks: bool | msgspec.UnsetType = msgspec.UNSET


class TagsInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Tags to be added."""

    tags: Annotated[list[Tag], Meta(min_length=1, max_length=MOST_TAGS)]


async def notes_of(reader: Reader, actor: Actor, customer: UUID) -> list[Note]:
    """The notes about a person that the actor may see, the latest first."""
    actor.require(READ)
    return await note_store.notes_of(reader, customer, all_notes=actor.may(NOTES))


async def tags_in_use(reader: Reader, actor: Actor) -> list[TagCount]:
    """The tags of the people whom the actor reaches, those of the most people first."""
    actor.require(READ)
    pools = await reach.pools(reader, actor, Resource.CUSTOMERS)
    return await note_store.tags_in_use(reader, pools, 200)


async def add_note(tx: Tx, customer: UUID, data: NoteInput) -> Note:
    """Write something down about a customer. What clerks are not to see, only who may read all notes may write.

    Raises:
        NotFound: no such customer. InvalidInput: nothing but blanks.
    """
    _may_write(tx.actor, for_clerks=data.for_clerks)
    await _customer(tx, customer)
    text = _tidy(data.text)
    made = await note_store.insert(tx, new_id(), customer, text, tx.actor.label, for_clerks=data.for_clerks)
    _tell(tx, customer, events.NoteAdded(note=made.id), None, made)
    return made


async def change_note(
    tx: Tx, customer: UUID, note: UUID, data: NoteChange, *, version: int | None = None
) -> Note:
    """Write a note anew.

    Raises:
        NotFound: no such note, or it was deleted. Outdated: not the version that was seen.
    """
    before = await _note(tx, customer, note, version)
    if before.deleted_at is not None:
        raise NotFound("This note was deleted.")
    text = before.text if data.text is msgspec.UNSET else _tidy(data.text)
    for_clerks = before.for_clerks if data.for_clerks is msgspec.UNSET else data.for_clerks
    _may_write(tx.actor, for_clerks=for_clerks)
    if (text, for_clerks) == (before.text, before.for_clerks):
        return before
    after = await note_store.update(tx, before, text, for_clerks=for_clerks, is_deleted=False)
    _tell(tx, customer, events.NoteChanged(note=note), before, after)
    return after


async def delete_note(tx: Tx, customer: UUID, note: UUID, *, version: int | None = None) -> Note:
    """Take a note away; `restore_note` brings it back. Deleted twice it is deleted once.

    Raises:
        NotFound: no such note. Outdated: not the version that was seen.
    """
    before = await _note(tx, customer, note, version)
    if before.deleted_at is not None:
        return before
    after = await note_store.update(tx, before, before.text, for_clerks=before.for_clerks, is_deleted=True)
    _tell(tx, customer, events.NoteDeleted(note=note), before, None)
    return after


async def restore_note(tx: Tx, customer: UUID, note: UUID) -> Note:
    """Bring a deleted note back.

    Raises:
        NotFound: no such note. Conflict: it is not deleted.
    """
    before = await _note(tx, customer, note, None)
    if before.deleted_at is None:
        raise Conflict("This note is not deleted.")
    after = await note_store.update(tx, before, before.text, for_clerks=before.for_clerks, is_deleted=False)
    _tell(tx, customer, events.NoteRestored(note=note), None, after)
    return after


async def tag(tx: Tx, customer: UUID, data: TagsInput) -> list[str]:
    """Tag a customer; all tags of the person. Those that are there already stay.

    Raises:
        NotFound: no such customer. InvalidInput: an empty tag, or more than 50 in all.
    """
    tx.actor.require(CHANGE)
    await _customer(tx, customer)
    wanted = [each.strip().lower() for each in data.tags]
    for index, each in enumerate(wanted):
        if not each:
            raise InvalidInput.at(f"tags/{index}", "is empty")
    new = await note_store.add_tags(tx, customer, sorted(set(wanted)))
    tags = await note_store.tags_of(tx, customer)
    if len(tags) > MOST_TAGS:
        raise InvalidInput.at("tags", f"at most {MOST_TAGS} for one customer")
    if new:
        log.append(tx, events.CustomerTagged(tags=new), subject=customer, profile=customer)
        audit.record(tx, "customer.tagged", "customer", customer, after={"tags": new})
    return tags


async def untag(tx: Tx, customer: UUID, tag: str) -> list[UUID]:
    """Take a tag off a person: off every customer that they are; off which it was taken.

    Raises:
        NotFound: there is no such customer. A tag that is not there is no error.
    """
    tx.actor.require(CHANGE)
    await _customer(tx, customer)
    word = tag.strip().lower()
    removed = await note_store.remove_tag(tx, customer, word)
    if removed:
        log.append(tx, events.CustomerUntagged(tags=[word]), subject=customer, profile=customer)
        audit.record(tx, "customer.untagged", "customer", customer, before={"tags": [word]})
    return removed


async def _customer(tx: Tx, customer: UUID) -> None:
    found = await store.get(tx, customer)
    if found is None:
        raise NotFound("There is no such customer.")
    await reach.require(tx, Resource.CUSTOMERS, found.pool)


async def _note(tx: Tx, customer: UUID, note: UUID, version: int | None) -> Note:
    tx.actor.require(CHANGE)
    found = await note_store.lock(tx, customer, note)
    if found is None or not (found.for_clerks or tx.actor.may(NOTES)):
        raise NotFound("There is no such note.")
    check_version(version, found.version)
    return found


def _may_write(actor: Actor, *, for_clerks: bool) -> None:
    actor.require(CHANGE)
    if not for_clerks:
        actor.require(NOTES)


def _tidy(text: str) -> str:
    tidy = text.strip()
    if not tidy:
        raise InvalidInput.at("text", "is empty")
    cards.refuse(tidy, "text")
    return tidy


def _tell(tx: Tx, customer: UUID, fact: log.Fact, before: Note | None, after: Note | None) -> None:
    log.append(tx, fact, subject=customer, profile=customer)
    seen = [None if each is None else {"for_clerks": each.for_clerks} for each in (before, after)]
    # What it says is personal and stays out of the audit log, which nobody can erase from.
    audit.record(tx, fact.event_type, "customer", customer, before=seen[0], after=seen[1])
