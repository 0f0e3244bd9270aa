"""The verbs of requests: ask for an export or an erasure, cancel it, download an export."""

import asyncio
from datetime import timedelta
from uuid import UUID

from samlad import customers, identity
from samlad.access import audit
from samlad.kernel import jobs, log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import Conflict, NotFound
from samlad.kernel.vault import Vault
from samlad.privacy import archive, store
from samlad.privacy.events import Cancelled, Requested
from samlad.privacy.holdings import HOLDINGS
from samlad.privacy.model import Excerpt, PrivacyRequest, RequestInput, RequestKind, RequestState
from samlad.privacy.permissions import ERASE, EXPORT
from samlad.privacy.pieces import Kept, kept

JOB = "privacy.run"


def _require(tx: Tx, kind: RequestKind) -> None:
    """Who may ask for an export, or for an erasure; the same may take it back."""
    if kind == RequestKind.ERASURE:
        tx.actor.require(ERASE)
    else:
        tx.actor.require(EXPORT)


async def ask(tx: Tx, data: RequestInput) -> PrivacyRequest:
    """Have a person's data collected at once, or erased after a while in which it can be cancelled.

    Asked twice, it is the one request that is under way.

    Raises:
        NotFound: nobody is known by this id.
    """
    _require(tx, data.kind)
    current = await identity.current(tx, [data.person])
    customer = await customers.current(tx, data.person)
    if not current and customer is None:
        raise NotFound("Nobody is known by this id.")
    person = current.get(data.person) or (customer.id if customer else data.person)
    wait = data.after_minutes if data.kind == RequestKind.ERASURE else 0
    due_at = now() + timedelta(minutes=wait)
    made = await store.insert(tx, data.kind, person, due_at, len(HOLDINGS), tx.actor.label)
    if made is None:
        before = await store.under_way(tx, data.kind, person)
        if before is None:
            raise Conflict("Another request for this person has just ended. Ask again.")
        return before
    await jobs.defer(tx, JOB, {"request": made.id}, at=due_at, lock=f"privacy:{made.id}")
    log.append(tx, Requested(kind=made.kind, due_at=due_at), subject=made.id, profile=person)
    audit.record(tx, f"privacy.{made.kind}_requested", "privacy_request", made.id, after={"due_at": due_at})
    return made


async def cancel(tx: Tx, request: UUID) -> PrivacyRequest:
    """Take a request back that has not begun; doing it twice is fine.

    Raises:
        NotFound: there is none with this id.
        Conflict: it has begun.
    """
    if not tx.actor.may(EXPORT):
        tx.actor.require(ERASE)  # who may do neither is not told which requests there are
    before = await store.lock(tx, request)
    if before is None:
        raise NotFound("There is no such request.")
    _require(tx, before.kind)
    if before.state == RequestState.CANCELLED:
        return before
    if before.state != RequestState.WAITING:
        raise Conflict("It has begun; what is erased cannot be brought back.")
    after = await store.set_state(tx, request, state="cancelled", ended_at=now())
    log.append(tx, Cancelled(kind=after.kind), subject=request, profile=after.person)
    audit.record(tx, f"privacy.{after.kind}_cancelled", "privacy_request", request)
    return after


async def get(reader: Reader, request: UUID) -> PrivacyRequest:
    """One request.

    Raises:
        NotFound: there is none with this id.
    """
    found = await store.get(reader, request)
    if found is None:
        raise NotFound("There is no such request.")
    return found


async def excerpt(
    tx: Tx, keys: Vault, request: UUID, most: int, *, part: int | None = None, after: int = 0
) -> Excerpt:
    """The first rows of each part, for a page, or those of one ``part`` (from 1) after so many. Who looked at it is in the audit log.

    Raises:
        NotFound: no such request, or its export is not ready or not kept any more.
    """
    found = await download(tx, keys, request)
    return await asyncio.to_thread(archive.excerpt, found.file(tx), most, part=part, after=after)


async def download(tx: Tx, keys: Vault, request: UUID) -> Kept:
    """Everything that was collected for a request, to be sent piece by piece. Who took it is in the audit log.

    Raises:
        NotFound: no such request, or its export is not ready or not kept any more.
    """
    tx.actor.require(EXPORT)
    found = await kept(tx, keys, request)
    audit.record(tx, "privacy.export_downloaded", "privacy_request", request)
    return found


async def file(tx: Tx, keys: Vault, request: UUID, name: str) -> bytes:
    """One file of an export, by the name that its JSON gives it: for the page that shows them.

    Raises:
        NotFound: no such request or file, or the export is not ready or not kept any more.
    """
    tx.actor.require(EXPORT)
    found = await kept(tx, keys, request)
    return await asyncio.to_thread(archive.file_of, found.file(tx), name)
