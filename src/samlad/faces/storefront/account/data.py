"""What we know of somebody: all of it as a file, and away with all of it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from litestar import MediaType, Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from samlad import accounts, customers, identity, privacy
from samlad.accounts import SignedIn
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.known_data import MOST_ROWS, handed_out, place_of, readable, reasons
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.account.sign_in import keys_of
from samlad.faces.storefront.place import channel_of
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import NotFound, Problem
from samlad.kernel.vault import Vault
from samlad.privacy import PrivacyRequest, RequestInput, RequestKind, RequestState

HERE, MOST = "/account/data", 20
T = TypeVar("T")


async def _own(reader: Reader, signed: SignedIn) -> list[PrivacyRequest]:
    """What somebody asked for about their data, under whichever id, latest first."""
    members = await customers.members(reader, signed.customer.id)
    ids = {each for pair in await identity.everybodys_ids(reader, members) for each in pair}
    query = ListQuery(limit=MOST, filters={"person": ",".join(sorted(map(str, ids)))})
    return (await privacy.LISTING.page(reader, query)).items


@get(HERE)
async def data(request: AnyRequest) -> Response[Any]:
    """Exports that are ready or on their way, and a deletion that waits."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    found = await _own(database_of(request), signed)
    exports = [each for each in found if each.kind is RequestKind.ACCESS]
    erasures = [each for each in found if each.kind is RequestKind.ERASURE]
    waiting = next((each for each in erasures if each.state is RequestState.WAITING), None)
    refused = erasures[0] if erasures and erasures[0].state is RequestState.REFUSED else None
    return await account_page(
        request,
        channel,
        signed,
        "data",
        exports=exports,
        waiting=waiting,
        refused=refused,
        reasons=reasons(request, refused.reason) if refused else [],
        ready=RequestState.DONE,
        under_way=(RequestState.WAITING, RequestState.RUNNING),
    )


async def _ask(
    request: AnyRequest, channel: Channel, signed: SignedIn, kind: RequestKind, permission: str
) -> None:
    accounts.require_fresh(signed)
    wanted = RequestInput(kind=kind, person=signed.customer.id)
    await database_of(request).transaction(
        lambda tx: privacy.ask(tx, wanted), member.acting(request, channel, signed, permission)
    )


@post("/account/data/export", status_code=303)
async def ask_export(request: AnyRequest) -> Response[Any]:
    """Collect everything. Asked twice it is collected once."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    await _ask(request, channel, signed, RequestKind.ACCESS, privacy.EXPORT)
    return face.go(request, HERE, _("We collect it. Come back to this page in a minute."))


async def _opened(request: AnyRequest, request_id: UUID, look: Callable[[Tx, Vault], Awaitable[T]]) -> T:
    """What a verb gives of somebody's own export, not long after they have signed in."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    accounts.require_fresh(signed)
    await _mine(request, signed, request_id)
    return await database_of(request).transaction(
        lambda tx: look(tx, keys_of(request)), member.acting(request, channel, signed, privacy.EXPORT)
    )


@get("/account/data/{request_id:uuid}")
async def show(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """Everything that was collected, to be read."""
    place = place_of(request)
    export = await _opened(
        request,
        request_id,
        lambda tx, keys: privacy.excerpt(tx, keys, request_id, MOST_ROWS, part=place.part, after=place.after),
    )
    channel = await channel_of(request)
    here = f"{HERE}/{request_id}"
    return await account_page(
        request,
        channel,
        await member.require(request, channel),
        "known",
        export=export,
        parts=readable(request, export),
        place=place,
        files_at=f"{here}/files",
        here=here,
    )


@get("/account/data/{request_id:uuid}/files/{folder:str}/{name:str}")
async def show_file(
    request: AnyRequest, request_id: FromPath[UUID], folder: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """A photograph or a file that they sent."""
    wanted = f"{folder}/{name}"
    content = await _opened(request, request_id, lambda tx, keys: privacy.file(tx, keys, request_id, wanted))
    return handed_out(folder, name, content)


@get("/account/data/{request_id:uuid}/archive.zip", media_type="application/zip")
async def download_archive(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """Everything that was collected with the photographs and files in it."""
    found = await _opened(request, request_id, lambda tx, keys: privacy.download(tx, keys, request_id))
    headers = {"Content-Disposition": 'attachment; filename="my-data.zip"', "Cache-Control": "no-store"}
    return Stream(found.zipped(database_of(request)), media_type="application/zip", headers=headers)


@get("/account/data/{request_id:uuid}/file.json")
async def download(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """Everything that was collected, table by table."""
    _ = face.words(request)
    found = await _opened(request, request_id, lambda tx, keys: privacy.download(tx, keys, request_id))
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
    return Stream(found.lines(database_of(request), _), media_type=MediaType.JSON, headers=headers)


async def _mine(request: AnyRequest, signed: SignedIn, request_id: UUID) -> None:
    if request_id not in {each.id for each in await _own(database_of(request), signed)}:
        raise NotFound("There is no such request.")


@post("/account/data/erase", status_code=303)
async def ask_erasure(request: AnyRequest) -> Response[Any]:
    """Away with everything, after a while in which it can be taken back."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    await _ask(request, channel, signed, RequestKind.ERASURE, privacy.ERASE)
    return face.go(request, HERE, _("Everything is deleted soon. Until then you can take it back here."))


@post("/account/data/{request_id:uuid}/cancel", status_code=303)
async def cancel(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """Everything stays."""
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    await _mine(request, signed, request_id)
    try:
        await database_of(request).transaction(
            lambda tx: privacy.cancel(tx, request_id),
            member.acting(request, channel, signed, privacy.ERASE, privacy.EXPORT),
        )
    except Problem as problem:
        if problem.status >= 500:
            raise
        said = _("This has changed meanwhile. Look at it as it is now.")
        return face.go(request, HERE, said, kind="warning")
    return face.go(request, HERE, _("Everything stays as it is."))


handlers = [data, ask_export, show, show_file, download, download_archive, ask_erasure, cancel]
