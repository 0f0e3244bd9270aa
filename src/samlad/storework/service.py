"""What phones send comes in: each entry is done once, or kept with why it could not be.

Each entry is a transaction of its own: what one is like harms no other, and whatever happens to the answer, the same entry
may be sent again. What is refused stays here for a manager, and may be tried again by the phone or by them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog

from samlad import orders
from samlad.access import audit
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import (
    Busy,
    Forbidden,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Problem,
    StillRunning,
)
from samlad.stock import Location, scanning
from samlad.stock import location as location_of
from samlad.stock.permissions import ADJUST
from samlad.storework import acts, events, store
from samlad.storework.model import KINDS, Dismissal, Entry, Kept, NotRefused, State, Told, Verdict
from samlad.storework.permissions import RESOLVE
from samlad.tills import rules as journals

logger = structlog.get_logger("samlad.storework")

_LATER = (Busy, OutcomeUnknown, StillRunning)


class Unreadable(Problem):
    """An entry of a phone that this server cannot read: of another kind, or with something missing."""

    code, status, title = "store-work-unreadable", 422, "This entry cannot be read"


def may_work(actor: Actor, location: UUID) -> bool:
    """Whether somebody may do anything of this at a place: count and receive, or pick."""
    return actor.may(ADJUST, location) or actor.may(orders.CHANGE, location)


async def record_batch(
    database: Database,
    context: Context,
    place: Location,
    entries: Sequence[dict[str, Any]],
    again: Collection[str] = (),
) -> list[Verdict]:
    """Take in what a phone at a place sends, in its order. Nothing is raised for what is in it.

    Raises:
        Forbidden: the actor may do nothing of this here, so nothing is taken from them.
    """
    if not may_work(context.actor, place.id):
        raise Forbidden("This needs the permission to count or to pick at this location.")
    said: list[Verdict] = []
    held: set[Any] = (
        set()
    )  # what comes after one that was put off, and is about the same, would come too early
    for raw in entries:
        about = _about(raw)
        if about in held:
            said.append(_verdict(raw, "later"))
            continue
        said.append(await _record_one(database, context, place, raw, is_again=str(raw.get("id")) in again))
        if said[-1].verdict == "later" and about is not None:
            held.add(about)
    return said


def _about(raw: dict[str, Any]) -> str | None:
    """What an entry says that it is about, before it is read."""
    return next((str(raw[name]) for name in acts.SUBJECTS if raw.get(name) is not None), None)


async def _record_one(
    database: Database, context: Context, place: Location, raw: dict[str, Any], *, is_again: bool
) -> Verdict:
    try:
        return await database.transaction(lambda tx: record(tx, place, raw, is_again=is_again), context)
    except _LATER:
        return _verdict(raw, "later")
    except Problem as problem:
        why: Problem = problem
    except Exception as error:
        logger.exception("an entry of a phone could not be booked", error=type(error).__name__)
        why = Problem()
    try:
        return await database.transaction(lambda tx: record(tx, place, raw, because=why), context)
    except Exception as error:
        logger.exception("an entry of a phone could not be kept", error=type(error).__name__)
        return _verdict(raw, "later")


def _verdict(raw: dict[str, Any], verdict: Any, **more: Any) -> Verdict:
    said = raw.get("id")
    return Verdict(
        id=None if said is None else str(journals.to_keep(str(said)))[:100], verdict=verdict, **more
    )


async def record(
    tx: Tx,
    place: Location,
    raw: dict[str, Any],
    *,
    because: Problem | None = None,
    is_again: bool = False,
) -> Verdict:
    """Take in one entry. ``because``: keep it with this refusal, without a try. ``is_again``: try a refused one once more.

    The same entry again has the same answer. Another one under the same id is kept beside it and waits for a manager.

    Raises:
        Problem: what the verb of its kind refuses; nothing is written then.
    """
    content, entry = journals.digest(raw), read(raw)
    name = journals.name_of(raw, content)
    new = _new(place, raw, name, content, entry)
    if not await store.claim(tx, new):
        known = await store.lock(tx, name)
        assert known is not None, "it was there"
        if await store.digest_of(tx, name) == content:
            return await _once_more(tx, place, known, raw, because, is_again=is_again)
        new = msgspec.structs.replace(new, id=journals.beside(name, content))
        if not await store.claim(tx, new):
            beside = await store.lock(tx, new.id)
            assert beside is not None, "it was there"
            return _known(raw, beside)
        because = because or InvalidInput("Another entry has this number.")
    if because is None and isinstance(entry, str):
        because = Unreadable(entry)
    if because is not None:
        return await _refuse(tx, new.id, new.location, new.kind, new.subject, raw, because)
    assert isinstance(entry, Entry)
    return await _do(tx, place, new.id, entry, raw)


async def _once_more(
    tx: Tx, place: Location, known: Kept, raw: dict[str, Any], because: Problem | None, *, is_again: bool
) -> Verdict:
    if known.state is not State.REFUSED or (because is None and not is_again):
        return _known(raw, known)
    if because is not None:
        return await _refuse(tx, known.id, known.location, known.kind, known.subject, raw, because)
    entry = read(raw)
    if isinstance(entry, str):
        return _known(raw, known)
    return await _do(tx, place, known.id, entry, raw, is_again=True)


def _known(raw: dict[str, Any], known: Kept) -> Verdict:
    detail = known.reason if known.state is State.DISMISSED else known.problem
    return _verdict(raw, str(known.state), is_known=True, code=known.code, detail=detail, told=known.told)


def read(raw: dict[str, Any]) -> Entry | str:
    """An entry as what it is, or why it cannot be read."""
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        return "of an unknown kind"
    try:
        return msgspec.convert(raw, KINDS[kind])
    except msgspec.ValidationError as error:
        return cards.redact(str(error))[:300]


def _new(place: Location, raw: dict[str, Any], name: UUID, content: bytes, entry: Entry | str) -> store.New:
    known = entry if isinstance(entry, Entry) else None
    kept = to_keep(raw)
    return store.New(
        id=name,
        digest=content,
        device=known.device if known else None,
        sequence=known.sequence if known else None,
        location=place.id,
        kind=str(raw["kind"]) if known else "other",
        subject=acts.subject_of(known) if known else None,
        happened_at=_when(known),
        done_by=known.by if known else None,
        done_name=journals.to_keep(known.by_name) if known else "",
        body=kept if known else {"unread": kept},
    )


def to_keep(value: Any, key: str = "") -> Any:
    """As `samlad.tills.rules.to_keep`, but what was scanned stays as it is: it is looked for in the catalogue again."""
    if isinstance(value, dict):
        return {journals.to_keep(str(name)): to_keep(each, str(name)) for name, each in value.items()}
    if isinstance(value, list):
        return [to_keep(each, key) for each in value]
    return value if key == "code" and _is_of_goods(value) else journals.to_keep(value, key)


def _is_of_goods(code: Any) -> bool:
    """Whether a code is one of goods, and no number that may be a payment card's: a GTIN is shorter, a GS1 code says so."""
    if not isinstance(code, str) or "\x00" in code or len(code) > 100:
        return False
    return len(code) <= 14 or scanning.read(code).code != code


def _when(entry: Entry | None) -> datetime:
    """Nothing has happened in the future."""
    return now() if entry is None else min(entry.happened_at, now())


async def _do(
    tx: Tx, place: Location, entry_id: UUID, entry: Entry, raw: dict[str, Any], *, is_again: bool = False
) -> Verdict:
    told = await acts.do(tx, place, entry, is_again=is_again)
    await store.conclude(tx, entry_id, State.DONE, told=told)
    about = acts.subject_of(entry)
    fact = events.WorkDone(location=place.id, kind=str(raw["kind"]), about=about)
    log.append(tx, fact, subject=entry_id, occurred_at=_when(entry))
    return _verdict(raw, "done", told=told)


async def _refuse(
    tx: Tx, entry: UUID, location: UUID, kind: str, about: UUID | None, raw: dict[str, Any], why: Problem
) -> Verdict:
    told = "; ".join(each.message for each in why.errors) or why.detail or why.title
    problem = cards.redact(told.replace("\x00", "\ufffd"))[:1000]
    await store.conclude(tx, entry, State.REFUSED, told=Told(), problem=problem, code=why.code)
    log.append(
        tx, events.WorkRefused(location=location, kind=kind, about=about, code=why.code), subject=entry
    )
    return _verdict(raw, "refused", code=why.code, detail=problem)


# -- what a manager does ------------------------------------------------------------------------------------------------------


async def get(reader: Reader, entry: UUID) -> Kept:
    """An entry with what was sent. Raises NotFound."""
    found = await store.read(reader, entry)
    if found is None:
        raise NotFound("There is no such entry.")
    return found


async def try_again(tx: Tx, entry_id: UUID, *, version: int | None = None) -> Kept:
    """Book what was refused, now that it goes. Said twice it is done once.

    Raises:
        NotRefused: it was dismissed. Problem: it still does not go; it stays as it is.
    """
    found = await _taken(tx, entry_id, version)
    if found.state is State.DONE:
        return found
    if found.state is not State.REFUSED:
        raise NotRefused(f"This entry is {found.state}.", state=found.state)
    entry = read(found.body)
    if isinstance(entry, str):
        raise Unreadable(entry)
    await _do(tx, await location_of(tx, found.location), entry_id, entry, found.body, is_again=True)
    await store.resolve(tx, entry_id, State.DONE)
    return await _told(tx, found)


async def dismiss(tx: Tx, entry_id: UUID, data: Dismissal, *, version: int | None = None) -> Kept:
    """It will not be booked, and why. What was sent stays.

    Raises:
        NotRefused: it is booked.
    """
    cards.refuse(data.reason, "reason")
    found = await _taken(tx, entry_id, version)
    if found.state is State.DISMISSED:
        return found
    if found.state is not State.REFUSED:
        raise NotRefused(f"This entry is {found.state}.", state=found.state)
    await store.resolve(tx, entry_id, State.DISMISSED, data.reason)
    fact = events.WorkDismissed(
        location=found.location, kind=found.kind, about=found.subject, reason=data.reason
    )
    log.append(tx, fact, subject=entry_id)
    return await _told(tx, found)


async def _taken(tx: Tx, entry: UUID, version: int | None) -> Kept:
    found = await store.lock(tx, entry)
    if found is None:
        tx.actor.require(RESOLVE)
        raise NotFound("There is no such entry.")
    tx.actor.require(RESOLVE, location=found.location)
    check_version(version, found.version)
    return found


async def _told(tx: Tx, before: Kept) -> Kept:
    after = await get(tx, before.id)
    audit.record(
        tx,
        "store-work.resolved",
        "store-work",
        after.id,
        before={"state": before.state},
        after={"state": after.state, "reason": after.reason},
    )
    return after
