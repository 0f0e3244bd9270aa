"""HTTP: what people agreed to, purposes and their texts."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad import customers, identity
from samlad.consent import service, store
from samlad.consent.model import (
    AnswerInput,
    Code,
    Entry,
    Language,
    Level,
    Purpose,
    PurposeChange,
    Standings,
    Text,
    TextInput,
)
from samlad.consent.permissions import READ, RECORD
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    Wanted,
)
from samlad.kernel.problems import NotFound


class AnswersInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody answered, as the caller was told."""

    answers: Annotated[list[AnswerInput], msgspec.Meta(min_length=1, max_length=50)]


class AskInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to ask for what, in which language."""

    purpose: Code
    channel: Annotated[UUID, msgspec.Meta(description="Where they are asked: whose name the message carries")]
    language: Language


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """The entries that are new; what was told before is not among them."""

    entries: list[Entry]


class Purposes(msgspec.Struct, frozen=True, kw_only=True):
    """All purposes with all texts, the latest version first."""

    purposes: list[Purpose]
    texts: list[Text]


@get("/consent/people/{any_id:uuid}", summary="Read what somebody agreed to")
async def read_person(
    request: AnyRequest,
    any_id: FromPath[UUID],
    channel: Annotated[UUID | None, QueryParameter(description="Id of a channel")] = None,
) -> Response[Standings]:
    """What holds now for every purpose, and each answer ever given. Any id of the person will do, a customer's too.

    With ``channel`` answers that are for this channel only count as well.
    """
    actor_of(request).require(READ)
    return Response(await service.given(database_of(request), any_id, channel))


@post("/consent/people/{any_id:uuid}", summary="Record what somebody agreed to", status_code=201)
async def record(
    request: AnyRequest, any_id: FromPath[UUID], data: JSONBody[AnswersInput]
) -> Response[Recorded]:
    """Write answers into the ledger, yes and no. They stay for ever; a later answer is another entry."""
    actor_of(request).require(RECORD)

    async def work(tx: Tx) -> Recorded:
        is_known = await identity.current(tx, [any_id]) or await customers.current(tx, any_id)
        if not is_known:
            raise NotFound("Nobody is known by this id.")
        source = "staff" if tx.actor.kind == "staff" else "api"
        new = await service.record(tx, any_id, data.answers, level=Level.AUTHENTICATED, source=source)
        return Recorded(entries=new)

    return await write(request, work, status=201)


@post("/consent/people/{any_id:uuid}/confirmations", summary="Ask somebody to confirm", status_code=202)
async def ask(request: AnyRequest, any_id: FromPath[UUID], data: JSONBody[AskInput]) -> Response[Any]:
    """Double opt-in: the event ``consent.asked`` lets a message be sent with a link, and only the link says yes."""
    return await write(
        request,
        lambda tx: service.ask_to_confirm(tx, any_id, data.purpose, data.channel, data.language),
        status=202,
    )


@get("/consent/entries", summary="List the ledger of consent")
async def list_entries(
    request: AnyRequest,
    purpose: Wanted = None,
    answer: Wanted = None,
    node: Wanted = None,
    source: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[Entry]]:
    """Every answer, the latest first. ``answer``: granted, denied; sort by recorded_at or answered_at."""
    actor_of(request).require(READ, shop_wide=True)
    filters = {"purpose": purpose, "answer": answer, "node": node, "source": source}
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await store.ENTRIES.answer(database_of(request), query, as_csv=as_format == "csv", name="consent")


@get("/consent/purposes", summary="List purposes of consent")
async def list_purposes(request: AnyRequest) -> Response[Purposes]:
    """What people may be asked for, and with which words."""
    actor_of(request).require(READ)
    database = database_of(request)
    return Response(Purposes(purposes=await store.purposes(database), texts=await store.texts_of(database)))


@patch("/consent/purposes/{code:str}", summary="Change a purpose of consent")
async def change_purpose(
    request: AnyRequest, code: FromPath[str], data: JSONBody[PurposeChange]
) -> Response[Purpose]:
    """Say who must stand behind a grant (2 is double opt-in), and how many days it holds."""
    version = if_match(request)
    return await write(request, lambda tx: service.change_purpose(tx, code, data, version=version))


@post("/consent/purposes/{code:str}/texts", summary="Add a text of a purpose", status_code=201)
async def add_text(request: AnyRequest, code: FromPath[str], data: JSONBody[TextInput]) -> Response[Text]:
    """What is shown from now on. Texts of before stay, because answers point to what was shown."""
    return await write(request, lambda tx: service.add_text(tx, code, data), status=201)


routes = [
    Router(
        path="/api",
        route_handlers=[read_person, record, ask, list_entries, list_purposes, change_purpose, add_text],
        tags=["Consent"],
    )
]
