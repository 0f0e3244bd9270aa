"""Store work on a phone, with a network or without: the page that browsers keep, what it takes along, and what it sends."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import stock, storework
from samlad.access.csrf import csrf_token
from samlad.faces import fulfilment_names as names
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.pos import work_words
from samlad.faces.pos.desk import clerk_of
from samlad.faces.pos.work_place import Place, show
from samlad.faces.store_work_names import said
from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.problems import Forbidden, Malformed, NotFound
from samlad.storework import Batch, Tasks, Verdict

_STATIC = Path(__file__).parent / "static"
MODULES = (
    *(
        f"/static/pos/offline/{name}.js"
        for name in ("database", "pulse", "screen", "server", "shell", "storage")
    ),
    *(
        f"/static/pos/work/{path.name}"
        for path in sorted((_STATIC / "work").glob("*.js"))
        if path.stem not in ("main", "beside")
    ),
)
"""What the page loads without a hash in its address."""
_NO_STORE = {"Cache-Control": "no-store"}


class Who(msgspec.Struct, frozen=True):
    """Who is signed in."""

    id: UUID | None
    name: str


class Here(msgspec.Struct, frozen=True):
    """What a phone asks whenever it may have a network again: the token for what it sends, and the time."""

    csrf: str
    who: Who
    now: datetime


class Verdicts(msgspec.Struct, frozen=True):
    """One for each entry, in their order; what was refused is said in the reader's language."""

    verdicts: list[Verdict]


async def place_to_work(request: AnyRequest, code: str) -> Place:
    """The place with a code, for whoever may count, receive or pick there.

    Raises:
        Unauthenticated, Forbidden: nobody has signed in, or they do nothing of that there.
        NotFound: there is no such place.
    """
    actor = clerk_of(request)
    try:
        found = await stock.location_by_code(database_of(request), code)
    except NotFound:
        raise NotFound("There is no such place.") from None
    if not storework.may_work(actor, found.id):
        raise Forbidden("This needs the permission to count or to pick at this location.")
    await face.know_channels(request)
    face.at_home(request)
    return Place(found)


@get("/work/{code:str}/phone")
async def phone_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Store work without network. The page is the same for everybody in a language: the rest is in the browser."""
    place, _ = await place_to_work(request, code), face.words(request)
    return show(
        request,
        place,
        "pos/work_phone.html",
        csrf_token="",  # it is kept by the browser: a token of now would be of no use
        modules=MODULES,
        reasons=[(name, _(text)) for name, text in names.REASONS.items() if name != "lost"],
        texts=msgspec.json.encode({name: _(text) for name, text in work_words.WORDS.items()}).decode(),
    )


@get("/work/{code:str}/phone/here")
async def here(request: AnyRequest, code: FromPath[str]) -> Response[Here]:
    """Whether the server can be reached, and who is signed in."""
    await place_to_work(request, code)
    actor = actor_of(request)
    answer = Here(csrf=csrf_token(request), who=Who(actor.id, actor.name), now=now())
    return Response(answer, headers=_NO_STORE)


@get("/work/{code:str}/phone/tasks")
async def tasks(request: AnyRequest, code: FromPath[str]) -> Response[Tasks]:
    """What there is to do here, for the phone to take along. Nothing about customers."""
    place = await place_to_work(request, code)
    found = await storework.tasks_of(database_of(request), actor_of(request), place.location)
    return Response(found, headers=_NO_STORE)


@post("/work/{code:str}/phone/send", status_code=200)
async def send(request: AnyRequest, code: FromPath[str]) -> Response[Verdicts]:
    """Entries of a phone, in their order: each is done once, however often it is sent."""
    place, _ = await place_to_work(request, code), face.words(request)
    try:
        batch = msgspec.json.decode(await request.body(), type=Batch)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Malformed(f"This is no batch of entries: {error}") from None
    verdicts = await storework.record_batch(
        database_of(request), context_of(request), place.location, batch.entries, batch.again
    )
    told = [msgspec.structs.replace(each, detail=said(_, each.code, each.detail)) for each in verdicts]
    return Response(Verdicts(told), headers=_NO_STORE)


handlers = [phone_page, here, tasks, send]
