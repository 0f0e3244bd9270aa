"""API keys for machines: shown once, kept as a hash, with some of their maker's permissions."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from samlad.access import audit, recent
from samlad.access.events import KeyCreated, KeyRevoked
from samlad.access.permissions import KEY_READ, KEY_WRITE, permissions
from samlad.access.tokens import KEY_HINT_LENGTH, new_key, token_hash
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, uuids
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound

Scope = Annotated[str, msgspec.Meta(max_length=100)]


class KeyInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make. Its scopes are permissions that its maker has."""

    name: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=100,
            pattern=r"^[^\x00-\x1f]*$",
            description="What it is for",
            examples=["Warehouse sync"],
        ),
    ]
    scopes: Annotated[
        list[Scope], msgspec.Meta(min_length=1, max_length=500, examples=[["staff.read", "audit.read"]])
    ]
    expires_in_days: (
        Annotated[int, msgspec.Meta(ge=1, le=3650, description="Null: it does not expire")] | None
    ) = 365


class Key(msgspec.Struct, frozen=True):
    """An API key, without its secret. ``hint`` is how it begins; ``locations`` null is everywhere."""

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    locations: list[UUID] | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used: datetime | None


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just made; ``secret`` is shown this once."""

    key: Key
    secret: str


_COLUMNS = ", ".join(Key.__struct_fields__)

WITHIN = Filter("cardinality(locations) > 0 AND locations <@ {}::uuid[]", uuids)
"""Of a list of what is bound to locations: what is bound to none but these (`own`)."""

KEYS = Listing(
    row=Key,
    select=_COLUMNS,
    source="api_key",
    key="id",
    sorts={"created_at": Sort("created_at", "timestamptz"), "name": Sort("name")},
    default_sort="-created_at",
    filters={
        "q": Filter("strpos(lower(name), lower({})) > 0"),
        "status": Filter(
            "CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now() THEN 'expired' ELSE 'valid' END"
            " = {}"
        ),
        "within": WITHIN,
    },
)
"""All keys, as a list; ``status`` is valid, expired or revoked."""


def own(actor: Actor) -> str | None:
    """The filter ``within`` of lists of keys and programs: those that the actor may deal with (`require_own`), or None for all."""
    return None if actor.locations is None else ",".join(map(str, sorted(actor.locations)))


async def read(tx: Tx, key: UUID) -> Key:
    """One key.

    Raises:
        Forbidden, NotFound.
    """
    tx.actor.require(KEY_READ)
    found = await _get(tx, key)
    require_own(tx.actor, found.locations)
    return found


async def everything(reader: Reader) -> list[Key]:
    """All keys, newest first."""
    return await reader.all(Key, f"SELECT {_COLUMNS} FROM api_key ORDER BY id DESC")


async def create(tx: Tx, given: KeyInput) -> NewKey:
    """Make a key. It is bound to the locations that its maker is bound to.

    Raises:
        InvalidInput: a scope that does not exist.
        Forbidden: a scope that the maker lacks.
    """
    tx.actor.require(KEY_WRITE)
    scopes = sorted(set(given.scopes))
    unknown = [scope for scope in scopes if scope not in permissions()]
    if unknown:
        raise InvalidInput.at("scopes", f"unknown: {', '.join(unknown)}; see /api/permissions")
    beyond = [scope for scope in scopes if not tx.actor.may(scope)]
    if beyond:
        raise Forbidden("A key can do nothing that its maker cannot.", beyond=beyond)
    secret = new_key()
    days = given.expires_in_days
    key = Key(
        id=new_id(),
        name=given.name,
        hint=secret[:KEY_HINT_LENGTH] + "…",
        scopes=scopes,
        locations=tx.actor.bound_to,
        created_by=tx.actor.name or tx.actor.label,
        created_at=now(),
        expires_at=None if days is None else now() + timedelta(days=days),
        revoked_at=None,
        last_used=None,
    )
    values = [getattr(key, name) for name in Key.__struct_fields__]
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await tx.execute(
        f"INSERT INTO api_key ({_COLUMNS}, key_hash) VALUES ({places}, ${len(values) + 1})",
        *values,
        token_hash(secret),
    )
    log.append(tx, KeyCreated(name=key.name, scopes=scopes, expires_at=key.expires_at), subject=key.id)
    audit.record(tx, "key.created", "key", key.id, after=key)
    return NewKey(key, secret)


async def revoke(tx: Tx, key: UUID) -> Key:
    """Make a key worthless at once; doing it twice is fine.

    Raises:
        Forbidden, NotFound.
    """
    tx.actor.require(KEY_WRITE)
    require_own(tx.actor, (await _get(tx, key)).locations)
    revoked = await tx.execute(
        "UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", key
    )
    found = await _get(tx, key)
    if revoked:
        tx.after_commit(recent.forget)
        log.append(tx, KeyRevoked(name=found.name), subject=key)
        before = msgspec.structs.replace(found, revoked_at=None)
        audit.record(tx, "key.revoked", "key", key, before=before, after=found)
    return found


def require_own(actor: Actor, locations: Collection[UUID] | None) -> None:
    """Whoever is bound to locations deals only with keys and programs that are bound to no others.

    Raises:
        NotFound: it may act where they may not; nobody becomes it.
    """
    if actor.locations is not None and not (locations and actor.locations.issuperset(locations)):
        raise NotFound("There is no such key where you work.")


async def _get(reader: Reader, key: UUID) -> Key:
    found = await reader.one(Key, f"SELECT {_COLUMNS} FROM api_key WHERE id = $1", key)
    if found is None:
        raise NotFound("There is no such key.")
    return found
