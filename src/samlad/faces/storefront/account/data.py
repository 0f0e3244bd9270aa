"""What we know of somebody: all of it as a file, and away with all of it."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import accounts, customers, identity, privacy
from samlad.accounts import SignedIn
from samlad.channels import Channel
from samlad.faces import objections
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.account.sign_in import keys_of
from samlad.faces.storefront.place import channel_of
from samlad.kernel.database import Reader
from samlad.kernel.http import database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import NotFound, Problem
from samlad.privacy import PrivacyRequest, RequestInput, RequestKind, RequestState

HERE, MOST = "/account/data", 20


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
        refused_for=objections.under_way(face.words(request), refused.reason) if refused else [],
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


@get("/account/data/{request_id:uuid}/file.json")
async def download(request: AnyRequest, request_id: FromPath[UUID]) -> Response[Any]:
    """Everything that was collected, table by table."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    accounts.require_fresh(signed)
    await _mine(request, signed, request_id)
    export = await database_of(request).transaction(
        lambda tx: privacy.download(tx, keys_of(request), request_id),
        member.acting(request, channel, signed, privacy.EXPORT),
    )
    _ = face.words(request)
    parts = [
        msgspec.structs.replace(part, about=_(part.about), kept=_(part.kept) if part.kept else None)
        for part in export.parts
    ]
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
    return Response(msgspec.structs.replace(export, parts=parts), headers=headers)


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


handlers = [data, ask_export, download, ask_erasure, cancel]
