"""The verbs of sources and their write keys."""

from datetime import timedelta
from uuid import UUID

import msgspec

from samlad import channels
from samlad.access import audit
from samlad.access.tokens import new_token, token_hash
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import Conflict, NotFound
from samlad.tracking import events, known, store
from samlad.tracking.model import (
    KeyInput,
    NewWriteKey,
    Source,
    SourceChange,
    SourceInput,
    SourceKind,
    SourceView,
)
from samlad.tracking.permissions import CHANGE

PREFIXES = {SourceKind.BROWSER: "wk_", SourceKind.SERVER: "ws_"}
"""How write keys begin: one that everybody may read, one that must stay secret (scanners look for such beginnings)."""
HINT_LENGTH = 8
MOST_KEYS = 20
"""Valid at one time, of one source."""


async def create(tx: Tx, data: SourceInput) -> Source:
    """Make a source in a channel.

    Raises:
        NotFound: no such channel.
        Conflict: a source of kind ours, and the channel has one for this class of device.
    """
    tx.actor.require(CHANGE)
    channel = await channels.get(tx, data.channel)
    made = await store.insert(tx, data)
    if made is None:
        raise Conflict("This channel has its own source for such devices already.")
    fact = events.SourceCreated(name=made.name, kind=made.kind, device_class=made.device_class)
    log.append(tx, fact, subject=made.id, channel=channel.id)
    audit.record(tx, "tracking_source.created", "tracking_source", made.id, after=made)
    tx.after_commit(known.forget)
    return made


async def read(reader: Reader, source: UUID) -> SourceView:
    """A source with its keys.

    Raises:
        NotFound: there is none with this id.
    """
    found = await get(reader, source)
    values = {name: getattr(found, name) for name in Source.__struct_fields__}
    return SourceView(**values, keys=await store.keys_of(reader, source))


async def get(reader: Reader, source: UUID) -> Source:
    """A source.

    Raises:
        NotFound: there is none with this id.
    """
    found = await store.get(reader, source)
    if found is None:
        raise NotFound("There is no such source.")
    return found


async def change(tx: Tx, source: UUID, data: SourceChange, *, version: int | None = None) -> Source:
    """Rename a source, change its limit, switch it off (its keys are refused at once) or on again.

    Raises:
        NotFound, Outdated: no such source; not the version that the caller saw.
    """
    tx.actor.require(CHANGE)
    before = await store.lock(tx, source)
    if before is None:
        raise NotFound("There is no such source.")
    check_version(version, before.version)
    wanted = {
        name: getattr(data, name)
        for name in SourceChange.__struct_fields__
        if getattr(data, name) is not msgspec.UNSET and getattr(data, name) != getattr(before, name)
    }
    if not wanted:
        return before
    after = await store.update(tx, source, wanted)
    fact = events.SourceChanged(name=after.name, fields=sorted(wanted))
    log.append(tx, fact, subject=source, channel=after.channel)
    audit.record(tx, "tracking_source.changed", "tracking_source", source, before=before, after=after)
    tx.after_commit(known.forget)
    return after


async def make_key(tx: Tx, source: UUID, data: KeyInput) -> NewWriteKey:
    """Give a source a write key; with ``others_end_in_hours`` those of before end then: that is a rotation.

    Raises:
        NotFound: no such source.
        Conflict: a source of ours needs none, or it has very many.
    """
    tx.actor.require(CHANGE)
    found = await store.lock(tx, source)
    if found is None:
        raise NotFound("There is no such source.")
    if found.kind not in PREFIXES:
        raise Conflict("What this program reports itself needs no key.")
    moment = now()
    valid = [key for key in await store.keys_of(tx, source) if key.ends_at is None or key.ends_at > moment]
    if len(valid) >= MOST_KEYS:
        raise Conflict(f"It has {len(valid)} valid keys; take some away first.")
    secret = PREFIXES[found.kind] + new_token()
    made = await store.insert_key(
        tx,
        source,
        key_hash=token_hash(secret),
        key=secret if found.kind is SourceKind.BROWSER else None,
        hint=secret[:HINT_LENGTH] + "…",
    )
    ends = None
    if data.others_end_in_hours is not None:
        ends = moment + timedelta(hours=data.others_end_in_hours)
        await store.end_others(tx, source, made.id, ends)
    fact = events.WriteKeyMade(hint=made.hint, others_end_at=ends)
    log.append(tx, fact, subject=source, channel=found.channel)
    after = {"hint": made.hint, "others_end_at": ends}
    audit.record(tx, "tracking_source.key_made", "tracking_source", source, after=after)
    tx.after_commit(known.forget)
    return NewWriteKey(key=made, secret=secret)


async def end_key(tx: Tx, source: UUID, key: UUID) -> SourceView:
    """Take a write key away at once; doing it twice is fine.

    Raises:
        NotFound: no such source, or no such key of it.
    """
    tx.actor.require(CHANGE)
    ended = await store.end_key(tx, source, key)
    view = await read(tx, source)
    if ended is None and key not in {each.id for each in view.keys}:
        raise NotFound("This source has no such key.")
    if ended is not None:
        log.append(tx, events.WriteKeyEnded(hint=ended.hint), subject=source, channel=view.channel)
        audit.record(tx, "tracking_source.key_ended", "tracking_source", source, after={"hint": ended.hint})
        tx.after_commit(known.forget)
    return view
