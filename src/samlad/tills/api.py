"""HTTP of tills: their sales come in, what needs a look, the data pack, leases."""

import gzip
import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from samlad.access.middleware import session_of
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    ASKED,
    Cursor,
    FromAsked,
    Page,
    States,
    Wanted,
)
from samlad.tills import day as days
from samlad.tills import devices, gaps, journal, keys, leases, resolving
from samlad.tills import pack as packs
from samlad.tills.day import Day
from samlad.tills.desk import desk_of
from samlad.tills.device_store import DEVICES
from samlad.tills.key_store import KEYS
from samlad.tills.model import (
    Batch,
    Device,
    Gap,
    KeptSale,
    Lease,
    LeaseInput,
    LeaseOf,
    Looked,
    LookInput,
    NameDeviceInput,
    NameGoodsInput,
    PutAwayInput,
    RestoreInput,
    RevokeInput,
    SaleRow,
    TillKey,
    TillKeyInput,
    Verdicts,
    WriteOffInput,
)
from samlad.tills.pack import Pack
from samlad.tills.permissions import READ
from samlad.tills.store import SALES

GZIP_LEVEL = 5
EVER = datetime(2000, 1, 1, tzinfo=UTC)

Since = Annotated[
    str | None,
    QueryParameter(
        max_length=60, description="`upto` of the pack that the till has; it gets what has changed"
    ),
]


@post("/till-sales/batch", summary="Send in sales that a till rang up", status_code=200)
async def send(request: AnyRequest, data: JSONBody[Batch]) -> Response[Verdicts]:
    """Each sale becomes an order, once, however often it is sent; none is refused. What the server objects to is in the
    verdict and on the managers' list; after `later` it is to be sent again. Needs the permission `tills.record`.
    """
    database, context = database_of(request), context_of(request)
    desk, state = await desk_of(database, context.actor, data.channel), data.journal
    verdicts = await journal.record_batch(database, context, desk, data.entries)
    if state is not None:
        later = sum(each.verdict == "later" for each in verdicts)
        state = msgspec.structs.replace(state, unsent=min(state.unsent + later, 1_000_000))
        await database.transaction(lambda tx: gaps.note(tx, desk, state), context)
    return Response(Verdicts(verdicts))


@get("/till-numbers/missing", summary="List numbers of tills that never came")
async def list_missing(request: AnyRequest) -> list[Gap]:
    """Runs of numbers that a till gave out, that are not here, and that nobody has looked into; the oldest first."""
    actor = actor_of(request)
    actor.require(READ)
    scope = actor.bound_to
    return await gaps.missing(database_of(request), scope)


@post("/till-numbers/looked-at", summary="Say what became of missing numbers", status_code=200)
async def look(request: AnyRequest, data: JSONBody[LookInput]) -> Response[Looked]:
    """They are no longer on the managers' list; said twice nothing more happens. Needs the permission `tills.resolve`."""

    async def verb(tx: Tx) -> Looked:
        return Looked(await gaps.look(tx, data))

    return await write(request, verb)


@get("/till-sales", summary="List sales of tills", dependencies=ASKED)
async def list_sales(
    request: AnyRequest,
    asked: FromAsked,
    channel: Wanted = None,
    kind: Wanted = None,
    states: States = None,
    needs_look: Wanted = None,
    till: Wanted = None,
    objection: Wanted = None,
    q: Wanted = None,
) -> Response[Page[SaleRow]]:
    """Everything that tills sent, what came last first. ``needs_look``: true for what waits for a manager."""
    actor = actor_of(request)
    actor.require(READ)
    filters = {
        "q": q,
        "channel": channel,
        "kind": kind,
        "state": states,
        "needs_look": needs_look,
        "till": till,
        "objection": objection,
    }
    query = asked.query(filters)
    scope = actor.bound_to
    return await SALES.answer(database_of(request), query, scope, as_csv=asked.as_csv, name="till-sales")


@get("/till-sales/{sale_id:uuid}", summary="Read a sale of a till")
async def read_sale(request: AnyRequest, sale_id: FromPath[UUID]) -> Response[KeptSale]:
    """With everything that was sent, what became of it, and an ETag of its version."""
    actor = actor_of(request)
    actor.require(READ)
    found = await resolving.get(database_of(request), sale_id)
    actor.require(READ, location=found.location)
    return with_etag(found, found.version)


@post("/till-sales/{sale_id:uuid}/settle", summary="Settle a sale of a till as it is", status_code=200)
async def settle(request: AnyRequest, sale_id: FromPath[UUID]) -> Response[KeptSale]:
    """One that waits becomes an order with everything as it was sold; of one that is an order it is said that somebody has
    looked."""
    version = if_match(request)
    return await write(request, lambda tx: resolving.settle(tx, sale_id, version=version))


@post("/till-sales/{sale_id:uuid}/goods", summary="Say what goods that nobody knew were", status_code=200)
async def name_goods(
    request: AnyRequest, sale_id: FromPath[UUID], data: JSONBody[NameGoodsInput]
) -> Response[KeptSale]:
    """A till sold something that is not in the catalogue: which variant it was. The order names it, and its stock is right again."""
    version = if_match(request)
    return await write(request, lambda tx: resolving.name_goods(tx, sale_id, data, version=version))


@post("/till-sales/{sale_id:uuid}/write-off", summary="Write a sale of a till off", status_code=200)
async def write_off(
    request: AnyRequest, sale_id: FromPath[UUID], data: JSONBody[WriteOffInput]
) -> Response[KeptSale]:
    """It will be no order, and why. What was sent stays here."""
    version = if_match(request)
    return await write(request, lambda tx: resolving.write_off(tx, sale_id, data, version=version))


@get("/till-pack/{channel:str}", summary="Load what a till needs")
async def load(
    request: AnyRequest,
    channel: FromPath[str],
    till: FromQuery[UUID | None] = None,
    since: Since = None,
    cursor: Cursor = None,
) -> Response[Pack]:
    """Goods with prices, tax rates, free stock and the till's lease, in pages; with ``since`` only what has changed after that.
    Compressed if the client takes gzip; with an ETag. Needs the permission `tills.record`.
    """
    database = database_of(request)
    desk = await desk_of(database, actor_of(request), channel)
    found = await packs.load(database, desk, till, cursor=cursor, since=since)
    # The moment is no change: a till that asks often gets 304 for as long as nothing else is new.
    return _kept(request, found, msgspec.structs.replace(found, at=EVER, upto=""))


@get("/till-day/{channel:str}", summary="Load what a till needs for a day")
async def load_day(request: AnyRequest, channel: FromPath[str], till: FromQuery[UUID]) -> Response[Day]:
    """Members of this store, orders that wait to be picked up, receipts whose goods may come back, drawers: each as far as
    the role sees it. Whole each time, compressed, with an ETag. Needs the permission `tills.record`.
    """
    database, actor = database_of(request), actor_of(request)
    found = await days.load(database, actor, await desk_of(database, actor, channel), till)
    return _kept(request, found, msgspec.structs.replace(found, at=EVER))


def _kept(request: AnyRequest, found: Any, same: Any) -> Response[Any]:
    """A document that is not sent again while it is the ``same``; compressed if the client takes gzip."""
    tag = f'"{hashlib.sha256(msgspec.json.encode(same)).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Vary": "Accept-Encoding, Cookie", "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    body: Any = msgspec.json.encode(found)
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)


@post("/till-leases", summary="Lease stock for a till", status_code=200)
async def take_lease(request: AnyRequest, data: JSONBody[LeaseInput]) -> Response[Lease]:
    """A part of the store's stock that the till may sell without network; the answer says how much it got. It is nobody
    else's until it ends."""
    return await write(request, lambda tx: leases.take(tx, data))


@post("/till-leases/renew", summary="Renew a till's lease", status_code=200)
async def renew_lease(request: AnyRequest, data: JSONBody[LeaseOf]) -> Response[Lease]:
    """It lasts anew; what had ended before may be gone."""
    return await write(request, lambda tx: leases.renew(tx, data))


@post("/till-leases/give-back", summary="Give a till's lease back", status_code=200)
async def give_lease_back(request: AnyRequest, data: JSONBody[LeaseOf]) -> Response[Lease]:
    """What the till has leased is on sale again, at the end of a day for one."""
    return await write(request, lambda tx: leases.give_back(tx, data))


@post("/till-keys", summary="Name a till's key", status_code=200)
async def name_key(request: AnyRequest, data: JSONBody[TillKeyInput]) -> Response[TillKey]:
    """With its private half, which never leaves the device, the till signs receipts that it writes without network. Said again it is
    the same; `replaced_at` or `revoked_at` in the answer says that the till has to make another. For devices that somebody has
    signed in, kiosks too; not for API keys.
    """
    session = session_of(request)
    return await write(request, lambda tx: keys.name(tx, data, session.id if session else None))


@get("/till-keys", summary="List keys of tills", dependencies=ASKED)
async def list_keys(
    request: AnyRequest,
    asked: FromAsked,
    channel: Wanted = None,
    till: Wanted = None,
    states: States = None,
    q: Wanted = None,
) -> Response[Page[TillKey]]:
    """What tills signed receipts with and sign with now, the newest first. ``state``: good, replaced or revoked."""
    actor = actor_of(request)
    actor.require(READ)
    filters = {"q": q, "channel": channel, "till": till, "state": states}
    scope = actor.bound_to
    return await KEYS.answer(
        database_of(request), asked.query(filters), scope, as_csv=asked.as_csv, name="till-keys"
    )


@post("/till-keys/{kid:str}/revoke", summary="Take a till's key back", status_code=200)
async def revoke_key(
    request: AnyRequest, kid: FromPath[str], data: JSONBody[RevokeInput]
) -> Response[TillKey]:
    """Its device is lost. Whoever checks a receipt that it signed is told, and when that was. Needs the permission
    `tills.resolve`. Said twice nothing more happens."""
    return await write(request, lambda tx: keys.revoke(tx, kid, data))


@post("/till-keys/{kid:str}/restore", summary="Let a till's key count again", status_code=200)
async def restore_key(
    request: AnyRequest, kid: FromPath[str], data: JSONBody[RestoreInput]
) -> Response[TillKey]:
    """It was taken back by mistake: what it signed is good again, until the till had another. Needs the permission
    `tills.resolve`. Said twice nothing more happens."""
    return await write(request, lambda tx: keys.restore(tx, kid, data))


@get("/till-devices", summary="List tills and kiosks", dependencies=ASKED)
async def list_devices(
    request: AnyRequest,
    asked: FromAsked,
    channel: Wanted = None,
    states: States = None,
    q: Wanted = None,
) -> Response[Page[Device]]:
    """When each was heard of last, what it has not sent, and how old its goods are; who was heard of last first. ``state``: heard, stuck,
    silent, quiet or put-away."""
    actor = actor_of(request)
    actor.require(READ)
    scope = actor.bound_to
    query = asked.query({"q": q, "channel": channel, "state": states})
    return await DEVICES.answer(database_of(request), query, scope, as_csv=asked.as_csv, name="till-devices")


@get("/till-devices/{device_id:uuid}", summary="Read a till or kiosk")
async def read_device(request: AnyRequest, device_id: FromPath[UUID]) -> Device:
    """As it said itself with its last heartbeat."""
    actor = actor_of(request)
    actor.require(READ)
    found = await devices.get(database_of(request), device_id)
    actor.require(READ, location=found.location)
    return found


@post("/till-devices/{device_id:uuid}/name", summary="Name a till", status_code=200)
async def name_device(
    request: AnyRequest, device_id: FromPath[UUID], data: JSONBody[NameDeviceInput]
) -> Response[Device]:
    """What staff call it. Needs the permission `tills.resolve`. Said twice nothing more happens."""
    return await write(request, lambda tx: devices.rename(tx, device_id, data))


@post("/till-devices/{device_id:uuid}/put-away", summary="Put a till or kiosk away", status_code=200)
async def put_device_away(
    request: AnyRequest, device_id: FromPath[UUID], data: JSONBody[PutAwayInput]
) -> Response[Device]:
    """It is not used any more, and nobody is warned of it. What it says next takes that back. Needs the permission `tills.resolve`.
    Said twice nothing more happens."""
    return await write(request, lambda tx: devices.put_away(tx, device_id, data))


@post("/till-devices/{device_id:uuid}/bring-back", summary="Bring a till or kiosk back", status_code=200)
async def bring_device_back(request: AnyRequest, device_id: FromPath[UUID]) -> Response[Device]:
    """It is in use after all. Needs the permission `tills.resolve`. Said twice nothing more happens."""
    return await write(request, lambda tx: devices.bring_back(tx, device_id))


routes = [
    Router(
        "/api",
        route_handlers=[
            send,
            list_missing,
            look,
            list_sales,
            read_sale,
            settle,
            name_goods,
            write_off,
            load,
            load_day,
            take_lease,
            renew_lease,
            give_lease_back,
            name_key,
            list_keys,
            revoke_key,
            restore_key,
            list_devices,
            read_device,
            name_device,
            put_device_away,
            bring_device_back,
        ],
        tags=["Tills"],
    )
]
