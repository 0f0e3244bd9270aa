"""HTTP of stock: changing it."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, patch, post, put
from litestar.params import FromPath, JSONBody

from samlad.kernel.database import Tx
from samlad.kernel.http import if_match, write
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.stock import counts, counts_store, service, store, transfers, transfers_store
from samlad.stock.inputs import (
    ArrivalInput,
    CorrectionInput,
    CountInput,
    CountLinesInput,
    LevelInput,
    ReceiptInput,
    TransferInput,
    variants_of,
)
from samlad.stock.model import (
    Cause,
    Count,
    Location,
    LocationChange,
    LocationInput,
    Moved,
    Transfer,
)

AnyRequest = Request[Any, Any, Any]


async def _place(tx: Tx, code: str, field: str = "location") -> UUID:
    try:
        return (await store.location_by_code(tx, code)).id
    except NotFound as error:
        raise InvalidInput.at(field, error.detail) from None


@post("/locations", status_code=201, summary="Make a location")
async def create_location(request: AnyRequest, data: JSONBody[LocationInput]) -> Response[Location]:
    """Make a place that holds stock, in the stock pool of the channel that stands there or of ``pool_of``."""
    return await write(request, lambda tx: service.create_location(tx, data), status=201)


@patch("/locations/{location_id:uuid}", summary="Change a location")
async def change_location(
    request: AnyRequest, location_id: FromPath[UUID], data: JSONBody[LocationChange]
) -> Response[Location]:
    """Change what is given. Send ``If-Match`` so that nobody's change is lost."""
    version = if_match(request)
    return await write(request, lambda tx: service.change_location(tx, location_id, data, version=version))


@post("/stock/receipts", status_code=201, summary="Receive goods")
async def receive(request: AnyRequest, data: JSONBody[ReceiptInput]) -> Response[list[Moved]]:
    """Goods came in; the movements that were booked."""

    async def work(tx: Tx) -> list[Moved]:
        place = await _place(tx, data.location)
        variants = await variants_of(tx, place, data.lines)
        lines = list(zip(variants, (line.quantity for line in data.lines), strict=True))
        return await service.receive(tx, place, lines, reference=data.reference, reason=data.note)

    return await write(request, work, status=201)


@post("/stock/corrections", status_code=201, summary="Correct stock")
async def correct(request: AnyRequest, data: JSONBody[CorrectionInput]) -> Response[list[Moved]]:
    """Book a difference with its reason. Where fewer units remain than are held, holds are dropped, orders last."""

    async def work(tx: Tx) -> list[Moved]:
        place = await _place(tx, data.location)
        variants = await variants_of(tx, place, data.lines)
        lines = list(zip(variants, (line.quantity for line in data.lines), strict=True))
        cause = Cause.DAMAGE if data.is_damage else Cause.CORRECTION
        return await service.correct(tx, place, lines, reason=data.reason, cause=cause)

    return await write(request, work, status=201)


@put("/stock/levels/{location_id:uuid}/{variant_id:uuid}", status_code=204, summary="Say how a level behaves")
async def set_level(
    request: AnyRequest,
    location_id: FromPath[UUID],
    variant_id: FromPath[UUID],
    data: JSONBody[LevelInput],
) -> Response[None]:
    """Set how many units may be sold before they are there, and when stock counts as low."""
    return await write(
        request,
        lambda tx: service.set_level(
            tx, location_id, variant_id, backorder_limit=data.backorder_limit, low_at=data.low_at
        ),
    )


@post("/stock/counts", status_code=201, summary="Begin a count")
async def open_count(request: AnyRequest, data: JSONBody[CountInput]) -> Response[Count]:
    """Begin to count a location. Selling goes on meanwhile."""

    async def work(tx: Tx) -> Count:
        return await counts.open_count(tx, await _place(tx, data.location), note=data.note)

    return await write(request, work, status=201)


@put("/stock/counts/{count_id:uuid}/lines", summary="Enter what was found")
async def enter_count(
    request: AnyRequest, count_id: FromPath[UUID], data: JSONBody[CountLinesInput]
) -> Response[Count]:
    """Enter what was found. What the books say at this moment is kept beside it."""

    async def work(tx: Tx) -> Count:
        count = await counts_store.get(tx, count_id)
        variants = await variants_of(tx, count.location, data.lines)
        lines = list(zip(variants, (line.counted for line in data.lines), strict=True))
        return await counts.enter(tx, count_id, lines)

    return await write(request, work)


@post("/stock/counts/{count_id:uuid}/close", status_code=200, summary="Close a count")
async def close_count(request: AnyRequest, count_id: FromPath[UUID]) -> Response[Count]:
    """Book the differences."""
    return await write(request, lambda tx: counts.close(tx, count_id))


@post("/stock/counts/{count_id:uuid}/cancel", status_code=200, summary="Cancel a count")
async def cancel_count(request: AnyRequest, count_id: FromPath[UUID]) -> Response[Count]:
    """End a count without booking anything."""
    return await write(request, lambda tx: counts.cancel(tx, count_id))


@post("/stock/transfers", status_code=201, summary="Send units to another location")
async def send_transfer(request: AnyRequest, data: JSONBody[TransferInput]) -> Response[Transfer]:
    """Units leave a location; until they are received they are under way."""

    async def work(tx: Tx) -> Transfer:
        origin = await _place(tx, data.origin, "origin")
        destination = await _place(tx, data.destination, "destination")
        variants = await variants_of(tx, origin, data.lines)
        lines = list(zip(variants, (line.quantity for line in data.lines), strict=True))
        return await transfers.send(tx, origin, destination, lines, note=data.note)

    return await write(request, work, status=201)


@post("/stock/transfers/{transfer_id:uuid}/receive", status_code=200, summary="Receive a transfer")
async def receive_transfer(
    request: AnyRequest, transfer_id: FromPath[UUID], data: JSONBody[ArrivalInput]
) -> Response[Transfer]:
    """Units arrived: all that are under way, or these."""

    async def work(tx: Tx) -> Transfer:
        if data.lines is None:
            return await transfers.receive(tx, transfer_id)
        transfer = await transfers_store.get(tx, transfer_id)
        variants = await variants_of(tx, transfer.destination, data.lines)
        lines = list(zip(variants, (line.quantity for line in data.lines), strict=True))
        return await transfers.receive(tx, transfer_id, lines)

    return await write(request, work)


@post("/stock/transfers/{transfer_id:uuid}/cancel", status_code=200, summary="Cancel a transfer")
async def cancel_transfer(request: AnyRequest, transfer_id: FromPath[UUID]) -> Response[Transfer]:
    """End a transfer; what has not arrived goes back to where it came from."""
    return await write(request, lambda tx: transfers.cancel(tx, transfer_id))


CHANGES = [
    create_location,
    change_location,
    receive,
    correct,
    set_level,
    open_count,
    enter_count,
    close_count,
    cancel_count,
    send_transfer,
    receive_transfer,
    cancel_transfer,
]
