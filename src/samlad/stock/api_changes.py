"""HTTP of stock: changing it."""

from uuid import UUID

from litestar import Response, patch, post, put
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, structs

from samlad import channels
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, if_match, write
from samlad.stock import counts, counts_store, lots, rules, service, sharing, transfers, transfers_store
from samlad.stock.inputs import (
    ArrivalInput,
    CorrectionInput,
    CountInput,
    CountLinesInput,
    FoundInput,
    LevelInput,
    LossInput,
    ReceiptInput,
    ScansInput,
    TransferDayInput,
    TransferInput,
    UnitsLine,
    place_of,
    variants_of,
)
from samlad.stock.lot_lines import goods_of, named
from samlad.stock.model import (
    Cause,
    Count,
    Location,
    LocationChange,
    LocationChannel,
    LocationChannelInput,
    LocationInput,
    Moved,
    Transfer,
)
from samlad.stock.permissions import ADJUST, APPROVE, LOCATIONS


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
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> list[Moved]:
        place = await place_of(tx, data.location)
        variants = await variants_of(tx, place, data.lines)
        lines = list(zip(variants, (line.quantity for line in data.lines), strict=True))
        costs = [line.unit_cost_e4 for line in data.lines]
        of_lots = await lots.resolve(tx, named(variants, data.lines, [units for _, units in lines]))
        return await service.receive(
            tx,
            place,
            lines,
            reference=data.reference,
            reason=data.note,
            unit_costs_e4=costs,
            lots=of_lots,
        )

    return await write(request, work, status=201)


@post("/stock/corrections", status_code=201, summary="Correct stock")
async def correct(request: AnyRequest, data: JSONBody[CorrectionInput]) -> Response[list[Moved]]:
    """Book a difference with its reason. Where fewer units remain than are held, holds are dropped, orders last."""
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> list[Moved]:
        place = await place_of(tx, data.location)
        variants = await variants_of(tx, place, data.lines)
        lines = list(zip(variants, (line.quantity for line in data.lines), strict=True))
        cause = Cause.DAMAGE if data.is_damage else Cause.CORRECTION
        of_lots = await lots.resolve(tx, named(variants, data.lines, [units for _, units in lines]))
        return await service.correct(tx, place, lines, reason=data.reason, cause=cause, lots=of_lots)

    return await write(request, work, status=201)


@put("/stock/levels/{location_id:uuid}/{variant_id:uuid}", status_code=204, summary="Say how a level behaves")
async def set_level(
    request: AnyRequest,
    location_id: FromPath[UUID],
    variant_id: FromPath[UUID],
    data: JSONBody[LevelInput],
) -> Response[None]:
    """Set how many units may be sold before they are there and when those come, and when stock counts as low."""
    given = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    return await write(request, lambda tx: service.set_level(tx, location_id, variant_id, **given))


@put(
    "/locations/{location_id:uuid}/channels/{channel_id:uuid}",
    status_code=200,
    summary="Say what a channel gets from a location",
)
async def set_location_channel(
    request: AnyRequest,
    location_id: FromPath[UUID],
    channel_id: FromPath[UUID],
    data: JSONBody[LocationChannelInput],
) -> Response[LocationChannel]:
    """Set what a location keeps back from one channel, or that it does not serve it."""
    actor_of(request).require(LOCATIONS)

    async def work(tx: Tx) -> LocationChannel:
        return await sharing.set_channel(tx, location_id, await channels.get(tx, channel_id), data)

    return await write(request, work)


@post("/stock/counts", status_code=201, summary="Begin a count")
async def open_count(request: AnyRequest, data: JSONBody[CountInput]) -> Response[Count]:
    """Begin to count a location. Selling goes on meanwhile."""
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> Count:
        place = await place_of(tx, data.location)
        return await counts.open_count(tx, place, note=data.note, is_blind=data.is_blind)

    return await write(request, work, status=201)


@put("/stock/counts/{count_id:uuid}/lines", summary="Enter what was found")
async def enter_count(
    request: AnyRequest, count_id: FromPath[UUID], data: JSONBody[CountLinesInput]
) -> Response[Count]:
    """Enter what was found. What the books say at this moment is kept beside it."""
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> Count:
        count = await counts_store.get(tx, count_id)
        variants = await variants_of(tx, count.location, data.lines)
        lines = list(zip(variants, (line.counted for line in data.lines), strict=True))
        of_lots = await lots.resolve(tx, named(variants, data.lines, [units for _, units in lines]))
        return rules.as_counter_sees(await counts.enter(tx, count_id, lines, lots=of_lots))

    return await write(request, work)


@post("/stock/counts/{count_id:uuid}/scans", status_code=200, summary="Scan what is found")
async def scan_count(
    request: AnyRequest, count_id: FromPath[UUID], data: JSONBody[ScansInput]
) -> Response[Count]:
    """Add what was scanned to what is counted already: the same code again is one more."""
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> Count:
        count = await counts_store.get(tx, count_id)
        found = await goods_of(tx, count.location, data.lines)
        entered = await counts.enter(tx, count_id, found.lines, adds_up=True, lots=found.lots)
        return rules.as_counter_sees(entered)

    return await write(request, work)


@post("/stock/counts/{count_id:uuid}/close", status_code=200, summary="Close a count")
async def close_count(request: AnyRequest, count_id: FromPath[UUID]) -> Response[Count]:
    """Book the differences; one that differs by more than its location allows is submitted for approval instead."""
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> Count:
        return await counts.as_seen(tx, tx.actor, await counts.close(tx, count_id))

    return await write(request, work)


@post("/stock/counts/{count_id:uuid}/approve", status_code=200, summary="Approve a count")
async def approve_count(request: AnyRequest, count_id: FromPath[UUID]) -> Response[Count]:
    """Book a submitted count. Only somebody who has not counted or submitted it can."""
    actor_of(request).require(APPROVE)
    return await write(request, lambda tx: counts.approve(tx, count_id))


@post("/stock/counts/{count_id:uuid}/reopen", status_code=200, summary="Count again")
async def reopen_count(request: AnyRequest, count_id: FromPath[UUID]) -> Response[Count]:
    """Let a submitted count be counted once more."""
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> Count:
        return rules.as_counter_sees(await counts.reopen(tx, count_id))

    return await write(request, work)


@post("/stock/counts/{count_id:uuid}/cancel", status_code=200, summary="Cancel a count")
async def cancel_count(request: AnyRequest, count_id: FromPath[UUID]) -> Response[Count]:
    """End a count without booking anything."""
    actor_of(request).require(ADJUST)
    return await write(request, lambda tx: counts.cancel(tx, count_id))


@post("/stock/transfers", status_code=201, summary="Send units to another location")
async def send_transfer(request: AnyRequest, data: JSONBody[TransferInput]) -> Response[Transfer]:
    """Units leave a location; until they are received they are under way."""
    actor_of(request).require(ADJUST)

    async def work(tx: Tx) -> Transfer:
        origin = await place_of(tx, data.origin, "origin")
        destination = await place_of(tx, data.destination, "destination")
        going = await goods_of(tx, origin, data.lines, may_be_new=False, is_needed=False)
        return await transfers.send(
            tx,
            origin,
            destination,
            going.lines,
            note=data.note,
            expected_on=data.expected_on,
            lots=going.lots,
        )

    return await write(request, work, status=201)


@post("/stock/transfers/{transfer_id:uuid}/receive", status_code=200, summary="Receive a transfer")
async def receive_transfer(
    request: AnyRequest, transfer_id: FromPath[UUID], data: JSONBody[ArrivalInput]
) -> Response[Transfer]:
    """Units arrived: all that are under way, or these. `If-Match` refuses what somebody else has booked in meanwhile."""
    actor_of(request).require(ADJUST)
    version = if_match(request)

    async def work(tx: Tx) -> Transfer:
        lines, lots = await _of_transfer(tx, transfer_id, data.lines)
        return await transfers.receive(tx, transfer_id, lines, lots=lots, version=version)

    return await write(request, work)


async def _of_transfer(
    tx: Tx, transfer_id: UUID, lines: list[UnitsLine] | None
) -> tuple[list[tuple[UUID, int]] | None, list[UUID | None]]:
    """Units of a transfer and their lots; None: all of them."""
    if lines is None:
        return None, []
    transfer = await transfers_store.get(tx, transfer_id)
    goods = await goods_of(tx, transfer.destination, lines, may_be_new=False, is_needed=False)
    return goods.lines, goods.lots


@post(
    "/stock/transfers/{transfer_id:uuid}/lose", status_code=200, summary="Write off what is lost on the way"
)
async def lose_transfer(
    request: AnyRequest, transfer_id: FromPath[UUID], data: JSONBody[LossInput]
) -> Response[Transfer]:
    """Units do not arrive any more: all that are under way, or these. Where they were sold already, holds are dropped."""
    actor_of(request).require(ADJUST)
    version = if_match(request)

    async def work(tx: Tx) -> Transfer:
        lines, lots = await _of_transfer(tx, transfer_id, data.lines)
        return await transfers.lose(tx, transfer_id, lines, lots=lots, reason=data.reason, version=version)

    return await write(request, work)


@post("/stock/transfers/{transfer_id:uuid}/find", status_code=200, summary="Undo that units were lost")
async def find_transfer(
    request: AnyRequest, transfer_id: FromPath[UUID], data: JSONBody[FoundInput]
) -> Response[Transfer]:
    """Units that were written off are under way after all: all of them, or these. The write-off is undone."""
    actor_of(request).require(ADJUST)
    version = if_match(request)

    async def work(tx: Tx) -> Transfer:
        lines, lots = await _of_transfer(tx, transfer_id, data.lines)
        return await transfers.find(tx, transfer_id, lines, lots=lots, version=version)

    return await write(request, work)


@post("/stock/transfers/{transfer_id:uuid}/schedule", status_code=200, summary="Set when a transfer comes")
async def reschedule_transfer(
    request: AnyRequest, transfer_id: FromPath[UUID], data: JSONBody[TransferDayInput]
) -> Response[Transfer]:
    """It is expected on this day of its destination, and counts as incoming there; null: nobody knows."""
    actor_of(request).require(ADJUST)
    version = if_match(request)
    return await write(
        request, lambda tx: transfers.reschedule(tx, transfer_id, data.expected_on, version=version)
    )


@post("/stock/transfers/{transfer_id:uuid}/cancel", status_code=200, summary="Cancel a transfer")
async def cancel_transfer(request: AnyRequest, transfer_id: FromPath[UUID]) -> Response[Transfer]:
    """End a transfer; what has not arrived goes back to where it came from."""
    actor_of(request).require(ADJUST)
    return await write(request, lambda tx: transfers.cancel(tx, transfer_id))


CHANGES = [
    create_location,
    change_location,
    receive,
    correct,
    set_level,
    set_location_channel,
    open_count,
    enter_count,
    scan_count,
    close_count,
    approve_count,
    reopen_count,
    cancel_count,
    send_transfer,
    receive_transfer,
    lose_transfer,
    find_transfer,
    reschedule_transfer,
    cancel_transfer,
]
