"""The till without network: the page that browsers keep, the worker that opens it, and what it asks when it is back.

The page is the same for everybody in a language: who is at the till and what it sells are in the browser's own database.
"""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from samlad import channels, documents, tills
from samlad.access import kiosks
from samlad.access.csrf import csrf_token
from samlad.access.middleware import session_of
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import show, till_of
from samlad.faces.pos.offline_words import WORDS
from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import InvalidInput

_STATIC = Path(__file__).parent / "static"
_WORKER = (_STATIC / "offline" / "worker.js").read_bytes()
MODULES = (
    *(
        f"/static/pos/{folder}/{path.name}"
        for folder in ("offline", "rules")
        for path in sorted((_STATIC / folder).glob("*.js"))
    ),
    "/static/vendor/lean-qr.js",
)
"""What the page loads without a hash in its address."""
_NOT_OF_KIOSK = (
    *("main", "beside", "clerks", "counter", "extras", "idle", "worker", "storage", "weighing"),
    *("returns", "signed"),
)


def kiosk_modules() -> list[str]:
    """The same for the kiosk's page: what it has in common with the till, and its own."""
    own = sorted((_STATIC / "kiosk").glob("*.js"))
    common = [each for each in MODULES if Path(each).stem not in _NOT_OF_KIOSK]
    return [*common, *(f"/static/pos/kiosk/{path.name}" for path in own if path.stem != "main")]


class Clerk(msgspec.Struct, frozen=True):
    """Who is at the till."""

    id: UUID | None
    name: str


class Here(msgspec.Struct, frozen=True):
    """What a till asks whenever it may have a network again: the token for what it sends, and the time.

    ``clerk`` null: the till is locked; it may still send. ``help``: kiosks of the store where somebody waits for staff.
    """

    csrf: str
    clerk: Clerk | None
    now: datetime
    help: list[str] = []


@get("/sw.js")
async def worker(request: AnyRequest) -> Response[bytes]:  # noqa: ARG001
    """The service worker of the till."""
    headers = {"Service-Worker-Allowed": "/pos", "Cache-Control": "no-cache"}
    return Response(_WORKER, media_type="text/javascript", headers=headers)


@get("/{code:str}/offline")
async def offline_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The till without network."""
    till, _ = await till_of(request, code), face.words(request)
    return show(
        request,
        till,
        "pos/offline.html",
        csrf_token="",  # it is kept by the browser: a token of now would be of no use
        modules=MODULES,
        receipts_at=channels.shop_address(database_of(request).settings, till.channel)
        + documents.RECEIPTS_AT,
        texts=msgspec.json.encode({name: _(text) for name, text in WORDS.items()}).decode(),
    )


@get("/{code:str}/offline/here")
async def here(request: AnyRequest, code: FromPath[str]) -> Response[Here]:
    """Whether the server can be reached. A till says with it how it is (`HeardInput` in the header ``X-Till``, which no foreign page can
    send).

    Raises:
        InvalidInput: what it says of itself cannot be read.
    """
    session, actor = session_of(request), actor_of(request)
    is_locked = session is not None and session.is_till and session.clerk is None
    if is_locked:
        place = (await tills.desk_of(database_of(request), actor, code)).location.id
    else:
        place = (await till_of(request, code)).location.id
    waiting = [] if actor.kind == "kiosk" else await kiosks.waiting(database_of(request), place)
    clerk = None if is_locked else Clerk(actor.id, actor.name)
    if (said := request.headers.get("x-till")) and actor.may(tills.RECORD, place):
        await _hear(request, code, said)
    answer = Here(csrf=csrf_token(request), clerk=clerk, now=now(), help=waiting)
    return Response(answer, headers={"Cache-Control": "no-store"})


async def _hear(request: AnyRequest, code: str, said: str) -> None:
    try:
        data = msgspec.json.decode(said, type=tills.HeardInput)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"What this till says of itself cannot be read: {error}") from None
    desk = await tills.desk_of(database_of(request), actor_of(request), code)
    await face.change(request, lambda tx: tills.heard(tx, desk, data, session_of(request)))


handlers = [worker, offline_page, here]
