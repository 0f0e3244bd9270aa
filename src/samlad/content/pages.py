"""The verbs of pages: draft, publish for now or for a time, take back."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from samlad import channels
from samlad.access import audit
from samlad.content import rules, store
from samlad.content.events import (
    PageCreated,
    PageDrafted,
    PagePublished,
    PageShownAgain,
    PageWithdrawn,
)
from samlad.content.model import ContentPage, Document, PageInput, Publishing
from samlad.content.permissions import CHANGE, PUBLISH
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Outdated

CHANGED = "Somebody else changed this page at the same moment."


async def get(reader: Reader, page_id: UUID) -> ContentPage:
    """A page with its draft, its latest versions and which of them is shown.

    Raises:
        NotFound: there is none with this id.
    """
    found = await store.page(reader, page_id)
    if found is None:
        raise NotFound("There is no such page.")
    live = rules.shown(found.versions, now())
    return msgspec.structs.replace(found, shown=None if live is None else live.number)


async def create(tx: Tx, data: PageInput) -> ContentPage:
    """Begin a page of a channel. Nobody sees it before it is published.

    Raises:
        InvalidInput: no such channel, two blocks of one id. Conflict: the channel has a page at this handle.
    """
    tx.actor.require(CHANGE)
    try:
        channel = await channels.by_code(tx, data.channel)
    except NotFound as error:
        raise InvalidInput.at("channel", error.detail) from None
    rules.check_ids(data.document)
    page_id = new_id()
    if not await store.insert_page(tx, page_id, channel.id, data.handle, data.document):
        raise Conflict.at("handle", f"{channel.name} has a page at “{data.handle or '/'}” already")
    log.append(tx, PageCreated(handle=data.handle), subject=page_id, channel=channel.id)
    audit.record(tx, "content.page-created", "content_page", page_id, after=data)
    return await get(tx, page_id)


async def save_draft(tx: Tx, page_id: UUID, document: Document, *, version: int | None = None) -> ContentPage:
    """Keep a draft. It may be unfinished. ``version`` is the one that the caller saw.

    Raises:
        NotFound, InvalidInput: as `create`. Outdated: somebody changed the page since ``version``.
    """
    tx.actor.require(CHANGE)
    old = await get(tx, page_id)
    check_version(version, old.version)
    rules.check_ids(document)
    if document == old.draft:
        return old
    if not await store.update_draft(tx, page_id, old.version, document):
        raise Outdated(CHANGED)
    fact = PageDrafted(handle=old.handle, version=old.version + 1)
    log.append(tx, fact, subject=page_id, channel=old.channel)
    audit.record(tx, "content.page-drafted", "content_page", page_id, before=old.draft, after=document)
    return await get(tx, page_id)


async def publish(tx: Tx, page_id: UUID, data: Publishing, *, version: int | None = None) -> ContentPage:
    """Publish the draft, from now on or for a time. The same once more, unchanged, is nothing.

    Raises:
        NotFound: no such page. Outdated: somebody changed the page since ``version``.
        InvalidInput: the draft is not finished (`rules.check_document`); it would end before it begins, or has ended.
    """
    tx.actor.require(PUBLISH)
    old = await get(tx, page_id)
    check_version(version, old.version)
    begins, ends = _utc(data.shown_from), _utc(data.shown_until)
    if ends is not None and ends <= max(begins or now(), now()):
        raise InvalidInput.at("shown_until", "must be in the future, and after it begins")
    rules.check_document(old.draft)
    latest = old.versions[0] if old.versions else None
    if (
        latest is not None
        and latest.withdrawn_at is None
        and (latest.shown_from, latest.shown_until) == (begins, ends)
        and (ends is not None or begins is not None or latest.number == old.shown)
        and await store.document_of(tx, page_id, latest.number) == old.draft
    ):
        return old
    number = await store.insert_version(
        tx, page_id, old.version, begins, ends, tx.actor.name or tx.actor.label
    )
    if number is None:
        raise Outdated(CHANGED)
    fact = PagePublished(handle=old.handle, number=number, shown_from=begins, shown_until=ends)
    log.append(tx, fact, subject=page_id, channel=old.channel)
    audit.record(tx, "content.page-published", "content_page", page_id, after=fact)
    return await get(tx, page_id)


async def withdraw(tx: Tx, page_id: UUID, number: int) -> ContentPage:
    """Show a version no more; what held before it holds again. Twice is as good as once.

    Raises:
        NotFound: no such page or version.
    """
    return await _set_withdrawn(tx, page_id, number, is_withdrawn=True)


async def show_again(tx: Tx, page_id: UUID, number: int) -> ContentPage:
    """Let a version hold that was withdrawn: the way back of `withdraw`."""
    return await _set_withdrawn(tx, page_id, number, is_withdrawn=False)


async def _set_withdrawn(tx: Tx, page_id: UUID, number: int, *, is_withdrawn: bool) -> ContentPage:
    tx.actor.require(PUBLISH)
    old = await get(tx, page_id)
    if await store.set_withdrawn(tx, page_id, number, is_withdrawn=is_withdrawn):
        kind = PageWithdrawn if is_withdrawn else PageShownAgain
        log.append(tx, kind(handle=old.handle, number=number), subject=page_id, channel=old.channel)
        verb = "content.page-withdrawn" if is_withdrawn else "content.page-shown-again"
        audit.record(tx, verb, "content_page", page_id, after={"number": number})
    elif await store.document_of(tx, page_id, number) is None:
        raise NotFound(f"This page has no version {number}.")
    return await get(tx, page_id)


async def restore(tx: Tx, page_id: UUID, number: int, *, version: int | None = None) -> ContentPage:
    """Make a version that was published the draft again; customers see nothing of it until it is published.

    Raises:
        NotFound: no such page or version. Outdated: somebody changed the page since ``version``.
    """
    found = await version_document(tx, page_id, number)
    return await save_draft(tx, page_id, found, version=version)


async def version_document(reader: Reader, page_id: UUID, number: int) -> Document:
    """What a version shows.

    Raises:
        NotFound: no such page or version.
    """
    found = await store.document_of(reader, page_id, number)
    if found is None:
        raise NotFound(f"This page has no version {number}.")
    return found


def _utc(moment: datetime | None) -> datetime | None:
    """A moment without a zone is UTC, like every time here."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
