"""The verbs of notes and tags: what staff write on an order, and the words by which they find it again.

Neither changes what was agreed, so the order's version stays: two people may write on one order at once.
"""

import re
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.access import audit
from samlad.kernel import cards, log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import events, seeing, store, tagging_store
from samlad.orders.model import OrderHead
from samlad.orders.permissions import CHANGE
from samlad.orders.tagging_store import OrderNote

MOST_TAGS = 20

LONGEST_TAG = 40
NO_TAG = "a tag has at most 40 characters, and none of , / ? #"
_FITS = re.compile(r"[^\x00-\x1f,/?#]*")

OrderNoteText = Annotated[
    str, Meta(min_length=1, max_length=4000, pattern=r"^[^\x00]*$", examples=["Comes on Friday to fetch it"])
]
OrderTag = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_TAG,
        pattern=r"^[^\x00-\x1f,/?#]*$",
        description="A word or a few, without commas; capitals do not matter",
        examples=["gift"],
    ),
]


class OrderNoteInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A note. Customers do not see it."""

    text: OrderNoteText


class OrderTagsInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Tags to be added."""

    tags: Annotated[list[OrderTag], Meta(min_length=1, max_length=MOST_TAGS)]


def words_of(tags: Sequence[str]) -> list[str]:
    """Tags as they are kept: in small letters, each once, in order.

    Raises:
        InvalidInput: one that is nothing but blanks, too long, or has a character that a tag has not.
    """
    found = [tag.strip().lower() for tag in tags]
    for index, tag in enumerate(found):
        if not tag:
            raise InvalidInput.at(f"tags/{index}", "is empty")
        if len(tag) > LONGEST_TAG or not _FITS.fullmatch(tag):
            raise InvalidInput.at(f"tags/{index}", NO_TAG)
    cards.refuse(found, "tags")
    return sorted(set(found))


async def tag(tx: Tx, order: UUID, tags: Sequence[str]) -> list[str]:
    """Tag an order; all tags that it has then. Those that are there already stay.

    Raises:
        NotFound: no such order. InvalidInput: an empty tag, or more than 20 in all.
    """
    head = await _enter(tx, order)
    new = await tagging_store.add_tags(tx, order, words_of(tags))
    found = await tagging_store.tags_of(tx, order)
    if len(found) > MOST_TAGS:
        raise InvalidInput.at("tags", f"at most {MOST_TAGS} for one order")
    if new:
        _tell(tx, head, events.OrderTagged(number=head.number, tags=sorted(new)))
        audit.record(tx, "order.tagged", "order", order, after={"tags": sorted(new)})
    return found


async def untag(tx: Tx, order: UUID, tags: Sequence[str]) -> list[str]:
    """Take tags off an order; those that are left. A tag that is not there is no error.

    Raises:
        NotFound: no such order.
    """
    head = await _enter(tx, order)
    gone = await tagging_store.remove_tags(tx, order, words_of(tags))
    if gone:
        _tell(tx, head, events.OrderUntagged(number=head.number, tags=gone))
        audit.record(tx, "order.untagged", "order", order, before={"tags": gone})
    return await tagging_store.tags_of(tx, order)


async def add_note(tx: Tx, order: UUID, data: OrderNoteInput) -> OrderNote:
    """Write something on an order.

    Raises:
        NotFound: no such order. InvalidInput: nothing but blanks.
    """
    head = await _enter(tx, order)
    text = data.text.strip()
    if not text:
        raise InvalidInput.at("text", "is empty")
    cards.refuse(text, "text")
    made = await tagging_store.insert_note(tx, new_id(), order, text, tx.actor.label)
    _tell(tx, head, events.OrderNoteAdded(number=head.number, note=made.id))
    audit.record(tx, "order.note_added", "order", order, after={"note": str(made.id)})
    return made


async def delete_note(tx: Tx, order: UUID, note: UUID, *, version: int | None = None) -> OrderNote:
    """Take a note away; `restore_note` brings it back. Deleted twice it is deleted once.

    Raises:
        NotFound: no such order or note. Outdated: not the version that was seen.
    """
    return await _mark(tx, order, note, version, is_deleted=True)


async def restore_note(tx: Tx, order: UUID, note: UUID) -> OrderNote:
    """Bring a deleted note back. One that is there stays.

    Raises:
        NotFound: no such order or note.
    """
    return await _mark(tx, order, note, None, is_deleted=False)


async def _mark(tx: Tx, order: UUID, note: UUID, version: int | None, *, is_deleted: bool) -> OrderNote:
    head = await _enter(tx, order)
    before = await tagging_store.lock_note(tx, order, note)
    if before is None:
        raise NotFound("There is no such note.")
    check_version(version, before.version)
    if (before.deleted_at is not None) == is_deleted:
        return before
    after = await tagging_store.mark_note(tx, note, is_deleted=is_deleted)
    kind = events.OrderNoteDeleted if is_deleted else events.OrderNoteRestored
    _tell(tx, head, kind(number=head.number, note=note))
    audit.record(tx, kind.event_type, "order", order, after={"note": str(note)})
    return after


async def _enter(tx: Tx, order: UUID) -> OrderHead:
    tx.actor.require(CHANGE)
    head = await store.head(tx, order)
    if head is None:
        raise NotFound("There is no such order.")
    tx.actor.require(CHANGE, location=head.location)
    await seeing.check(tx, tx.actor, order)
    return head


def _tell(tx: Tx, head: OrderHead, fact: log.Fact) -> None:
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
