"""The audit log: who changed what, with a readable difference. Append-only.

A verb that changes something that a person may later ask about calls `record`; the rows of a transaction are
written in one statement before its commit.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.access.difference import ABSENT, HIDDEN, Change, Path, diff, readable
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, anywhere, texts, uuids

SECRET_FIELDS = frozenset(
    {
        "password",
        "password_hash",
        "secret",
        "client_secret",
        "token",
        "token_hash",
        "access_token",
        "refresh_token",
        "api_key",
        "key_hash",
        "totp_secret",
        "totp_waiting",
        "recovery_codes",
        "private_key",
        "credentials",
    }
)
"""Fields whose values never reach the audit log, at any depth. That they changed is recorded."""


class AuditEntry(msgspec.Struct, frozen=True):
    """One line of the audit log."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    verb: str
    subject_type: str
    subject: UUID | None
    before: Any
    after: Any
    difference: str
    request: UUID
    remote: str | None


def record(
    tx: Tx,
    verb: str,
    subject_type: str,
    subject: UUID | None,
    *,
    before: Any = None,
    after: Any = None,
    hidden: Iterable[str] = (),
) -> None:
    """Note that the transaction's actor did ``verb`` (``staff.roles-changed``) to something.

    ``before`` and ``after`` are structs or JSON documents; None for before a creation and after a removal.
    Values of `SECRET_FIELDS` and of fields named in ``hidden`` (a person's data that must stay erasable) are left out.
    """
    old, new = _document(before), _document(after)
    names = SECRET_FIELDS | frozenset(hidden)

    def is_hidden(path: Path) -> bool:
        return any(step in names for step in path)

    changes = diff({} if old is None else old, {} if new is None else new)
    entry = AuditEntry(
        id=new_id(),
        at=now(),
        actor_kind=tx.actor.kind,
        actor_id=tx.actor.id,
        actor_name=tx.actor.name,
        verb=verb,
        subject_type=subject_type,
        subject=subject,
        before=_without(old, names),
        after=_without(new, names),
        difference=readable([c for c in changes if not _is_nothing(c)], is_hidden),
        request=tx.context.request_id,
        remote=tx.context.remote,
    )
    tx.collect(_write, entry)


def _is_nothing(change: Change) -> bool:
    """A null where there was no field, or the other way round: true, but nothing to tell."""
    return change.before in (None, ABSENT) and change.after in (None, ABSENT)


def _document(value: Any) -> Any:
    return None if value is None else msgspec.to_builtins(value, str_keys=True)


def _without(document: Any, names: frozenset[str]) -> Any:
    if isinstance(document, dict):
        return {
            key: HIDDEN if key in names and value is not None else _without(value, names)
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [_without(value, names) for value in document]
    return document


_INSERT = """
INSERT INTO audit_entry (id, at, actor_kind, actor_id, actor_name, verb, subject_type, subject, before, after,
                         difference, request, remote)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                     $8::uuid[], $9::jsonb[], $10::jsonb[], $11::text[], $12::uuid[], $13::text[])
"""


async def _write(tx: Tx, entries: list[AuditEntry]) -> None:
    columns = [[getattr(entry, name) for entry in entries] for name in AuditEntry.__struct_fields__]
    await tx.execute(_INSERT, *columns)


def _moment(text: str) -> datetime:
    moment = msgspec.convert(text, datetime)
    if moment.tzinfo is None:
        raise ValueError("a time with its zone is needed, like 2026-01-31T12:00:00Z")
    return moment


ENTRIES = Listing(
    row=AuditEntry,
    select=", ".join(AuditEntry.__struct_fields__),
    source="audit_entry",
    key="id",
    sorts={"at": Sort("at", "timestamptz")},
    default_sort="-at",
    filters={
        "verb": Filter("verb = ANY({})", texts),
        "subject_type": Filter("subject_type = ANY({})", texts),
        "subject": Filter("subject = ANY({})", uuids),
        "actor": Filter("actor_id = ANY({})", uuids),
        "request": Filter("request = ANY({})", uuids),
        "since": Filter("at >= {}", _moment),
        "until": Filter("at < {}", _moment),
        "q": Filter("(verb || ' ' || actor_name || ' ' || difference) ILIKE {}", anywhere),
    },
)
"""The audit log as a list: newest first, with text search ``q`` in verb, actor and difference."""
