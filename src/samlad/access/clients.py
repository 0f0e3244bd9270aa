"""OAuth clients: who may fetch tokens. The verbs of staff; `samlad.access.tokens_issued` is what clients themselves do."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec

from samlad.access import audit, recent
from samlad.access.events import (
    ClientChanged,
    ClientCreated,
    ClientRevoked,
    ClientSecretEnded,
    ClientSecretMade,
)
from samlad.access.keys import WITHIN, Scope, require_own
from samlad.access.permissions import KEY_READ, KEY_WRITE, permissions
from samlad.access.tokens import CLIENT_PREFIX, new_token, token_hash
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound

HINT_LENGTH = len(CLIENT_PREFIX) + 4
MOST_SECRETS = 10
"""Valid at one time, of one client."""

Name = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f]*$",
        description="What it is for",
        examples=["Warehouse sync"],
    ),
]
Scopes = Annotated[
    list[Scope], msgspec.Meta(min_length=1, max_length=500, examples=[["stock.read", "tracking.write"]])
]
TokenSeconds = Annotated[int, msgspec.Meta(ge=60, le=86_400, description="How long its tokens work")]


class ClientInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client to make. Its scopes are permissions that its maker has."""

    name: Name
    scopes: Scopes
    token_seconds: TokenSeconds = 3_600


class ClientChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. Tokens that are out lose at once what the client loses."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    scopes: Scopes | msgspec.UnsetType = msgspec.UNSET
    token_seconds: TokenSeconds | msgspec.UnsetType = msgspec.UNSET


class SecretInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret to make."""

    others_end_in_hours: (
        Annotated[int, msgspec.Meta(ge=0, le=8_760, description="When older ones end; null: they stay")]
        | None
    ) = None


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """An OAuth client. ``id`` is its client_id; ``locations`` null is everywhere."""

    id: UUID
    name: str
    scopes: list[str]
    locations: list[UUID] | None
    token_seconds: int
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    last_used: datetime | None
    version: int


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret of a client, by how it begins."""

    id: UUID
    hint: str
    created_at: datetime
    ends_at: datetime | None


class ClientView(Client, frozen=True, kw_only=True):
    """A client with its secrets, the latest first."""

    secrets: list[Secret]


class NewSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A client with a secret that was just made; it is shown this once."""

    client: ClientView
    client_secret: str


_COLUMNS = ", ".join(Client.__struct_fields__)

CLIENTS = Listing(
    row=Client,
    select=_COLUMNS,
    source="oauth_client",
    key="id",
    sorts={"created_at": Sort("created_at", "timestamptz"), "name": Sort("name")},
    default_sort="-created_at",
    filters={
        "status": Filter("CASE WHEN revoked_at IS NOT NULL THEN 'revoked' ELSE 'valid' END = {}"),
        "within": WITHIN,
    },
)
"""All clients, as a list; ``status`` is valid or revoked. ``within`` as of keys."""


async def read(tx: Tx, client: UUID) -> ClientView:
    """One client with its secrets.

    Raises:
        Forbidden, NotFound.
    """
    tx.actor.require(KEY_READ)
    found = await _view(tx, client)
    require_own(tx.actor, found.locations)
    return found


async def create(tx: Tx, given: ClientInput) -> NewSecret:
    """Make a client with a first secret. It is bound to the locations that its maker is bound to.

    Raises:
        InvalidInput: a scope that does not exist.
        Forbidden: a scope that the maker lacks.
    """
    tx.actor.require(KEY_WRITE)
    scopes = _scopes(tx, given.scopes)
    client = new_id()
    await tx.execute(
        "INSERT INTO oauth_client (id, name, scopes, locations, token_seconds, created_by) VALUES ($1, $2, $3, $4, $5, $6)",
        client,
        given.name,
        scopes,
        tx.actor.bound_to,
        given.token_seconds,
        tx.actor.name or tx.actor.label,
    )
    secret = await _new_secret(tx, client)
    view = await _view(tx, client)
    log.append(tx, ClientCreated(name=view.name, scopes=scopes), subject=client)
    audit.record(tx, "oauth_client.created", "oauth_client", client, after=view)
    return NewSecret(client=view, client_secret=secret)


def _scopes(tx: Tx, wanted: list[str]) -> list[str]:
    scopes = sorted(set(wanted))
    unknown = [scope for scope in scopes if scope not in permissions()]
    if unknown:
        raise InvalidInput.at("scopes", f"unknown: {', '.join(unknown)}; see /api/permissions")
    beyond = [scope for scope in scopes if not tx.actor.may(scope)]
    if beyond:
        raise Forbidden("A client can do nothing that its maker cannot.", beyond=beyond)
    return scopes


async def change(tx: Tx, client: UUID, data: ClientChange, *, version: int | None = None) -> ClientView:
    """Rename a client, change what its tokens may do and how long they work.

    Raises:
        NotFound, Outdated, InvalidInput, Forbidden.
        Conflict: it was revoked.
    """
    tx.actor.require(KEY_WRITE)
    before = await _lock(tx, client)
    check_version(version, before.version)
    wanted: dict[str, Any] = {
        name: getattr(data, name)
        for name in ClientChange.__struct_fields__
        if getattr(data, name) is not msgspec.UNSET
    }
    if "scopes" in wanted:
        kept = [scope for scope in wanted["scopes"] if scope in before.scopes]
        added = _scopes(tx, [scope for scope in wanted["scopes"] if scope not in before.scopes])
        wanted["scopes"] = sorted({*kept, *added})
    wanted = {name: value for name, value in wanted.items() if value != getattr(before, name)}
    if wanted:
        names = sorted(wanted)
        assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 2))
        await tx.execute(
            f"UPDATE oauth_client SET {assignments}, version = version + 1 WHERE id = $1",
            client,
            *(wanted[name] for name in names),
        )
        tx.after_commit(recent.forget)
    after = await _view(tx, client)
    if wanted:
        log.append(tx, ClientChanged(name=after.name, scopes=after.scopes), subject=client)
        audit.record(tx, "oauth_client.changed", "oauth_client", client, before=before, after=after)
    return after


async def make_secret(tx: Tx, client: UUID, data: SecretInput) -> NewSecret:
    """Give a client another secret; with ``others_end_in_hours`` those of before end then: that is a rotation.

    Raises:
        NotFound: no such client.
        Conflict: it was revoked, or has very many secrets.
    """
    tx.actor.require(KEY_WRITE)
    before = await _lock(tx, client)
    moment = now()
    valid = [each for each in before.secrets if each.ends_at is None or each.ends_at > moment]
    if len(valid) >= MOST_SECRETS:
        raise Conflict(f"It has {len(valid)} valid secrets; end some first.")
    ends = None
    if data.others_end_in_hours is not None:
        ends = moment + timedelta(hours=data.others_end_in_hours)
        await tx.execute(
            "UPDATE oauth_secret SET ends_at = $2 WHERE client = $1 AND (ends_at IS NULL OR ends_at > $2)",
            client,
            ends,
        )
    secret = await _new_secret(tx, client)
    view = await _view(tx, client)
    made = view.secrets[0]
    log.append(tx, ClientSecretMade(hint=made.hint, others_end_at=ends), subject=client)
    audit.record(
        tx,
        "oauth_client.secret_made",
        "oauth_client",
        client,
        after={"hint": made.hint, "others_end_at": ends},
    )
    return NewSecret(client=view, client_secret=secret)


async def end_secret(tx: Tx, client: UUID, secret: UUID) -> ClientView:
    """End a secret at once; doing it twice is fine. Tokens that it fetched go on until they expire.

    Raises:
        NotFound: no such client, or no such secret of it.
    """
    tx.actor.require(KEY_WRITE)
    ended = await tx.execute(
        "UPDATE oauth_secret SET ends_at = now() WHERE id = $1 AND client = $2 AND (ends_at IS NULL OR ends_at > now())",
        secret,
        client,
    )
    view = await _view(tx, client)
    found = next((each for each in view.secrets if each.id == secret), None)
    if found is None:
        raise NotFound("This client has no such secret.")
    if ended:
        log.append(tx, ClientSecretEnded(hint=found.hint), subject=client)
        audit.record(tx, "oauth_client.secret_ended", "oauth_client", client, after={"hint": found.hint})
    return view


async def revoke(tx: Tx, client: UUID) -> ClientView:
    """Make a client, its secrets and all of its tokens worthless at once; doing it twice is fine.

    Raises:
        Forbidden, NotFound.
    """
    tx.actor.require(KEY_WRITE)
    require_own(tx.actor, (await _view(tx, client)).locations)
    revoked = await tx.execute(
        "UPDATE oauth_client SET revoked_at = now(), version = version + 1 WHERE id = $1 AND revoked_at IS NULL",
        client,
    )
    view = await _view(tx, client)
    if revoked:
        tx.after_commit(recent.forget)
        log.append(tx, ClientRevoked(name=view.name), subject=client)
        audit.record(tx, "oauth_client.revoked", "oauth_client", client, after=view)
    return view


async def _new_secret(tx: Tx, client: UUID) -> str:
    secret = CLIENT_PREFIX + new_token()
    await tx.execute(
        "INSERT INTO oauth_secret (id, client, secret_hash, hint) VALUES ($1, $2, $3, $4)",
        new_id(),
        client,
        token_hash(secret),
        secret[:HINT_LENGTH] + "…",
    )
    return secret


async def _lock(tx: Tx, client: UUID) -> ClientView:
    if await tx.value("SELECT 1 FROM oauth_client WHERE id = $1 FOR UPDATE", client) is None:
        raise NotFound("There is no such client.")
    found = await _view(tx, client)
    require_own(tx.actor, found.locations)
    if found.revoked_at is not None:
        raise Conflict("It was revoked; make a new one.")
    return found


async def _view(reader: Reader, client: UUID) -> ClientView:
    found = await reader.one(Client, f"SELECT {_COLUMNS} FROM oauth_client WHERE id = $1", client)
    if found is None:
        raise NotFound("There is no such client.")
    secrets = await reader.all(
        Secret,
        "SELECT id, hint, created_at, ends_at FROM oauth_secret WHERE client = $1 ORDER BY created_at DESC, id DESC",
        client,
    )
    return ClientView(**{name: getattr(found, name) for name in Client.__struct_fields__}, secrets=secrets)
