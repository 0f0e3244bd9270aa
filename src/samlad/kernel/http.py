"""HTTP conventions that every ``api.py`` follows: writes are idempotent, versions are ETags, errors are problems.

A handler parses, calls one verb through `write`, and answers::

    @post("/counts", status_code=201)
    async def count(request: Request, data: CountInput) -> Response[Count]:
        return await write(request, lambda tx: service.count(tx, data), status=201)
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast
from uuid import UUID

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.serialization import default_serializer

from samlad.kernel import cards
from samlad.kernel.context import GUEST, Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.outbox import KeptAnswer, about_events
from samlad.kernel.problems import (
    Busy,
    InvalidInput,
    KeyReused,
    Malformed,
    Outdated,
    PreconditionRequired,
    Problem,
    StillRunning,
)
from samlad.kernel.together import Together
from samlad.kernel.vault import Vault

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]

ACTOR_SCOPE = "samlad.actor"
"""ASGI scope key under which the access middleware leaves the `Actor`."""
CHANNEL_SCOPE = "samlad.channel"
"""ASGI scope key under which a channel's middleware leaves the channel's id."""
REQUEST_ID_SCOPE = "samlad.request_id"

_SEALED = "kernel.idempotency"
_KEY = re.compile(r"^[\x21-\x7e]{1,200}$")
_encode = msgspec.json.Encoder(enc_hook=default_serializer).encode


def database_of(request: AnyRequest) -> Database:
    """The database of the application that serves this request."""
    database: Database = request.app.state.runtime.database
    return database


def actor_of(request: AnyRequest) -> Actor:
    """Who asks; a guest if nobody has signed in."""
    return cast("Actor", request.scope.get(ACTOR_SCOPE, GUEST))


def context_of(request: AnyRequest) -> Context:
    """The context for a transaction on behalf of this request."""
    scope: dict[str, Any] = request.scope  # type: ignore[assignment]
    client = request.client
    return Context(
        actor=actor_of(request),
        request_id=scope.get(REQUEST_ID_SCOPE) or new_id(),
        channel=scope.get(CHANNEL_SCOPE),
        remote=client.host if client else None,
    )


async def write(
    request: AnyRequest,
    work: Callable[[Tx], Awaitable[Any]],
    *,
    status: int = 200,
    headers: Callable[[Any], dict[str, str]] | None = None,
    secret: bool = False,
    together: type[Together] | None = None,
) -> Response[Any]:
    """Run a verb in one transaction and answer with its result as JSON (``None``: 204 without a body).

    With an ``Idempotency-Key`` the answer is stored in the same transaction: the same key and request gives the same
    answer for ever after, also when the server died between commit and answer. Refusals are not stored: what was
    refused may be asked again. What was done before is done again and taken back, so that a first request pays nothing
    for those that come twice. A result with a ``version`` gets an ``ETag``. An answer that holds a ``secret`` (a new
    API key) is stored sealed by the vault. Of one kind of ``together``, those who come at once share a transaction.

    Raises:
        CardNumber: a note or the like looks like one (422).
        KeyReused: the key was used for another request (422).
        StillRunning: the first request with the key has not ended (409).
    """
    key = request.headers.get("idempotency-key")
    await _refuse_card_numbers(request)
    database, context = database_of(request), context_of(request)
    transaction = (database.companion(together) if together else database).transaction
    if key is None:
        result = await transaction(work, context)
        return _answer(*_encode_answer(result, status, headers))
    if not _KEY.match(key):
        raise InvalidInput.at("Idempotency-Key", "1 to 200 visible ASCII characters, for example a UUID")
    cards.refuse(key, "Idempotency-Key")
    fingerprint = await _fingerprint(request)
    scope = _scope(request, context.actor)
    vault: Vault | None = request.app.state.runtime.vault if secret else None

    async def once(tx: Tx) -> Response[Any]:
        status_code, head, body = _encode_answer(await work(tx), status, headers)
        kept = vault.seal(_SEALED, body) if vault else body
        about = [each for each in request.path_params.values() if isinstance(each, UUID)]
        answer = KeptAnswer(scope, key, fingerprint, status_code, head, kept, about)
        tx.answers.append(about_events(answer, tx.events))
        return _answer(status_code, head, body)

    try:
        return await transaction(once, context, alone=f"{scope} {key}")
    except (StillRunning, Busy):
        raise
    except (Problem, asyncpg.IntegrityConstraintViolationError):
        # Nobody looked before: that it was done already is told by the key of the answer, or by what it did then.
        stored = await _stored(database, scope, key, fingerprint, vault)
        if stored is None:
            raise
        return stored


async def _refuse_card_numbers(request: AnyRequest) -> None:
    """Nobody writes one into a note, by whatever door.

    Raises:
        CardNumber: with the field.
    """
    if request.headers.get("content-type", "").startswith("multipart/"):
        return  # a file: it was read already
    body = await request.body()
    if not cards.may_be_in(body):
        return
    try:
        sent = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # a file
    if isinstance(sent, dict):
        cards.refuse_words(sent)


async def _stored(
    database: Database, scope: str, key: str, fingerprint: bytes, vault: Vault | None
) -> Response[Any] | None:
    row = await database.row(
        "SELECT request, status, headers, body FROM idempotency WHERE scope = $1 AND key = $2", scope, key
    )
    if row is None:
        return None
    if row["request"] != fingerprint:
        raise KeyReused("Take a new Idempotency-Key for a new request.")
    body = vault.open(_SEALED, row["body"]) if vault else row["body"]
    answer = _answer(row["status"], row["headers"], body)
    answer.headers["Idempotent-Replay"] = "true"
    return answer


async def _fingerprint(request: AnyRequest) -> bytes:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return digest.digest()


def _scope(request: AnyRequest, actor: Actor) -> str:
    """Whose key it is. Strangers share a scope only on one path, and paths of theirs hold an unguessable id."""
    return actor.label if actor.id is not None else f"{actor.kind} {request.url.path}"


def kept_under(request: AnyRequest) -> tuple[str, str] | None:
    """Scope and key under which the answer to a write would be kept; None without an ``Idempotency-Key``."""
    key = request.headers.get("idempotency-key")
    return None if key is None else (_scope(request, actor_of(request)), key)


def _encode_answer(
    result: Any, status: int, headers: Callable[[Any], dict[str, str]] | None
) -> tuple[int, dict[str, str], bytes]:
    head = headers(result) if headers else {}
    version = getattr(result, "version", None)
    if version is not None:
        head["ETag"] = etag(version)
    if result is None:
        return 204, head, b""
    return status, head, _encode(result)


def _answer(status: int, headers: dict[str, str], body: bytes) -> Response[Any]:
    media_type = "application/json" if body else None
    return Response(content=body, status_code=status, headers=dict(headers), media_type=media_type)


def etag(version: int | str) -> str:
    """A strong ETag of a thing's version."""
    return f'"{version}"'


def if_match(request: AnyRequest, *, required: bool = False) -> int | None:
    """The version that ``If-Match`` names, or None for absent or ``*``.

    Raises:
        PreconditionRequired: absent though required.
        Malformed: not one of our ETags.
    """
    text = request.headers.get("if-match")
    if text is None:
        if required:
            raise PreconditionRequired("Send If-Match with the ETag that you last saw.")
        return None
    if text.strip() == "*":
        return None
    match = re.fullmatch(r'\s*(?:W/)?"(\d{1,18})"\s*', text)
    if match is None:
        raise Malformed('If-Match must be an ETag that you got from here, like "7".')
    return int(match[1])


def check_version(expected: int | None, current: int) -> None:
    """Compare the version that the caller saw with the one that is.

    Raises:
        Outdated: they differ.
    """
    if expected is not None and expected != current:
        raise Outdated(
            f"You changed version {expected}, but it is at version {current} now.", current=current
        )


def with_etag(body: T, version: int | str) -> Response[T]:
    """An answer to a read that carries its version."""
    return Response(body, headers={"ETag": etag(version)})
