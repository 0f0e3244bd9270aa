"""The verbs of consent: record answers, ask what holds, change purposes and texts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, identity
from samlad.access import audit
from samlad.consent import rules, store
from samlad.consent.events import ConsentAsked, ConsentRecorded, PurposeChanged, TextAdded
from samlad.consent.model import (
    Answer,
    AnswerInput,
    Entry,
    Level,
    Purpose,
    PurposeChange,
    Standings,
    Text,
    TextInput,
)
from samlad.consent.permissions import CHANGE, RECORD
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound


async def record(
    tx: Tx,
    node: UUID,
    answers: Sequence[AnswerInput],
    *,
    level: Level,
    source: str,
    evidence: Any = None,
) -> list[Entry]:
    """Write down what somebody answered; the entries that are new. Told twice, nothing is the second time.

    Args:
        node: an id of `samlad.identity` (`observe` gives it, a customer's own is one): whose answer it is. It goes where
            that identifier goes.
        level: who says so; the caller holds the permission for it.
        source: by which means, a stable short name: ``banner``, ``preferences``, ``staff``.

    Raises:
        InvalidInput: an unknown purpose, a text of another one, a time to come.
        NotFound: no such channel.
    """
    return await record_many(tx, [(node, each, level, source, evidence) for each in answers])


async def record_many(tx: Tx, told: Sequence[tuple[UUID, AnswerInput, Level, str, Any]]) -> list[Entry]:
    """`record` for many at once: identifier, answer, level, source and evidence of each."""
    known = {purpose.code: purpose for purpose in await store.purposes(tx)}
    shown = await store.purposes_of(tx, {answer.text for _, answer, *_ in told if answer.text is not None})
    for channel in {each for _, answer, *_ in told for each in (answer.scope, answer.channel)} - {None}:
        assert channel is not None
        await channels.get(tx, channel)
    moment, entries = now(), []
    for node, answer, level, source, evidence in told:
        purpose = _purpose(known, answer.purpose)
        if answer.text is not None and shown.get(answer.text) != purpose.code:
            raise InvalidInput.at("text", f"this is no text of {purpose.code}")
        entries.append(_entry(tx, node, answer, purpose, level, source, evidence, moment))
    new = await store.insert(tx, entries) if entries else []
    for entry in new:
        fact = ConsentRecorded(
            purpose=entry.purpose,
            answer=entry.answer,
            scope=entry.scope,
            level=entry.level,
            answered_at=entry.answered_at,
            until=entry.until,
        )
        log.append(tx, fact, subject=entry.id, profile=entry.node, channel=entry.channel)
    return new


def _purpose(known: dict[str, Purpose], code: str) -> Purpose:
    if code not in known:
        raise InvalidInput.at("purpose", f"there is no such purpose; there are: {', '.join(known)}")
    return known[code]


def _entry(
    tx: Tx,
    node: UUID,
    answer: AnswerInput,
    purpose: Purpose,
    level: Level,
    source: str,
    evidence: Any,
    moment: datetime,
) -> Entry:
    if purpose.is_always:
        raise InvalidInput.at("purpose", f"nobody is asked for {purpose.code}: it needs no consent")
    if answer.answered_at is not None and answer.answered_at > moment:
        raise InvalidInput.at("answered_at", "nobody has answered in times to come")
    answered_at = answer.answered_at or moment
    identifier = new_id()
    return Entry(
        id=identifier,
        node=node,
        purpose=purpose.code,
        scope=answer.scope,
        answer=answer.answer,
        level=level,
        text=answer.text,
        answered_at=answered_at,
        until=rules.ends(purpose, answer.answer, answered_at, answer.until),
        channel=answer.channel or tx.context.channel,
        source=source,
        event_id=answer.event_id or str(identifier),
        evidence=evidence,
        actor=tx.actor.label,
        recorded_at=moment,
    )


async def withdraw(
    tx: Tx, node: UUID, purposes: Iterable[str], *, level: Level, source: str, event_id: str | None = None
) -> list[Entry]:
    """Somebody wants it no more, in any channel. Withdrawing twice with one ``event_id`` is once.

    Raises:
        InvalidInput: an unknown purpose.
    """
    answers = [
        AnswerInput(purpose=code, answer=Answer.DENIED, event_id=event_id) for code in sorted(set(purposes))
    ]
    return await record(tx, node, answers, level=level, source=source)


async def allowed(
    reader: Reader,
    profiles: Iterable[UUID],
    purpose: str,
    channel: UUID | None = None,
    *,
    at: datetime | None = None,
) -> set[UUID]:
    """Those of some people who agreed to a purpose in a channel. Who never answered has not. Three statements.

    ``profiles`` are ids of `samlad.identity` of any kind, thousands at once; None for the channel asks for all of them.

    Raises:
        InvalidInput: an unknown purpose.
    """
    known = {each.code: each for each in await store.purposes(reader)}
    asked_for = _purpose(known, purpose)
    wanted = list(dict.fromkeys(profiles))
    if asked_for.is_always:
        return set(wanted)
    people = await identity.everybodys_ids(reader, wanted)
    return await store.allowed(reader, people, asked_for, channel, at or now())


async def given(reader: Reader, profile: UUID, channel: UUID | None = None) -> Standings:
    """What holds for a person now, purpose by purpose, and their whole ledger."""
    nodes = [node for _, node in await identity.everybodys_ids(reader, [profile])]
    entries = await store.entries_of(reader, nodes)
    moment = now()
    mine = [each for each in entries if each.scope is None or each.scope == channel]
    return Standings(
        standing=[
            rules.standing([e for e in mine if e.purpose in purpose.codes], purpose, moment)
            for purpose in await store.purposes(reader)
        ],
        entries=entries,
    )


async def ask_to_confirm(tx: Tx, node: UUID, purpose: str, channel: UUID, language: str) -> None:
    """Have somebody asked to confirm a purpose by a link (double opt-in). The message itself is sent by whoever follows
    ``consent.asked``; nothing is allowed before the link is answered.

    Raises:
        InvalidInput: an unknown purpose, or one that nobody is asked for.
        NotFound: no such channel.
    """
    tx.actor.require(RECORD)
    known = {each.code: each for each in await store.purposes(tx)}
    if _purpose(known, purpose).is_always:
        raise InvalidInput.at("purpose", f"nobody is asked for {purpose}: it needs no consent")
    await channels.get(tx, channel)
    text = await store.latest_text(tx, purpose, language)
    fact = ConsentAsked(purpose=purpose, language=language, text=None if text is None else text.id)
    log.append(tx, fact, subject=node, profile=node, channel=channel)


async def change_purpose(tx: Tx, code: str, data: PurposeChange, *, version: int | None = None) -> Purpose:
    """Say how much a grant needs and how long it holds. Grants of before keep the end that they have.

    Raises:
        NotFound, Outdated: no such purpose; not the version that the caller saw.
        InvalidInput: it needs no consent at all.
    """
    tx.actor.require(CHANGE)
    before = await store.lock_purpose(tx, code)
    if before is None:
        raise NotFound("There is no such purpose.")
    check_version(version, before.version)
    if before.is_always:
        raise InvalidInput.at("code", f"{code} needs no consent: there is nothing to set")
    least = before.least if data.least is msgspec.UNSET else Level(data.least)
    days = before.days if data.days is msgspec.UNSET else data.days
    fields = [name for name, value in (("least", least), ("days", days)) if value != getattr(before, name)]
    if not fields:
        return before
    after = await store.update_purpose(tx, code, least, days)
    log.append(tx, PurposeChanged(purpose=code, fields=fields))
    audit.record(tx, "consent.purpose_changed", "consent_purpose", None, before=before, after=after)
    return after


async def add_text(tx: Tx, code: str, data: TextInput) -> Text:
    """Add a wording: what is shown from now on. Those of before stay: answers point to them.

    Raises:
        NotFound: no such purpose.
        Conflict: the version has a text in this language.
    """
    tx.actor.require(CHANGE)
    if await store.lock_purpose(tx, code) is None:
        raise NotFound("There is no such purpose.")
    added = await store.add_text(tx, code, data.language, data.text, data.version)
    if added is None:
        raise Conflict("This version has a text in this language, and texts stay as they were shown.")
    log.append(tx, TextAdded(purpose=code, version=added.version, language=added.language), subject=added.id)
    audit.record(tx, "consent.text_added", "consent_text", added.id, after=added)
    return added
