"""HTTP: fulfilments, from the work list to the customer's hands."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router, get, patch, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, context_of, database_of, if_match, with_etag, write
from samlad.kernel.listing import (
    DEFAULT_LIMIT,
    Cursor,
    FileFormat,
    Limit,
    ListQuery,
    Page,
    Sorting,
    States,
    Wanted,
)
from samlad.kernel.problems import NotFound
from samlad.orders import fulfilment as verbs
from samlad.orders import fulfilment_batches as batches
from samlad.orders import fulfilment_carriers as carriers
from samlad.orders import fulfilment_lists as lists
from samlad.orders import fulfilment_short as short
from samlad.orders import fulfilment_store as rows
from samlad.orders import fulfilment_tracking as tracking
from samlad.orders import seeing, store
from samlad.orders.fulfilment_model import (
    AnswerInput,
    Batch,
    BatchInput,
    BinsInput,
    CodeInput,
    Fulfilment,
    FulfilmentChange,
    FulfilmentRow,
    HandOverInput,
    LabelInput,
    Late,
    PackInput,
    PickInput,
    RejectInput,
    ShipInput,
    SubstituteInput,
    TakeInput,
    Tracked,
    TrackingInput,
)
from samlad.orders.fulfilment_substitute import substitute
from samlad.orders.permissions import CHANGE, READ

Id = FromPath[UUID]


@get("/fulfilments", summary="List fulfilments")
async def list_fulfilments(
    request: AnyRequest,
    q: Wanted = None,
    location: Wanted = None,
    states: States = None,
    method: Wanted = None,
    order: Wanted = None,
    within_days: Annotated[
        int | None, QueryParameter(ge=1, le=366, description="Something happened to it in so many days")
    ] = None,
    late: Annotated[bool | None, QueryParameter(description="Only late ones, or only others")] = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[FulfilmentRow]]:
    """What is to be done where, what is due first first.

    ``q`` is the beginning of an order's number, ``location`` takes codes, ``order`` ids.

    Sort by due_at, opened_at or number.
    """
    actor = actor_of(request)
    actor.require(READ)
    own = None if actor.locations is None else ",".join(sorted(map(str, actor.locations)))
    filters = {
        "q": q,
        "location": location,
        "state": states,
        "method": method,
        "order": order,
        "within_days": None if within_days is None else str(within_days),
        "late": None if late is None else str(late).lower(),
        "place": own,
    }
    query = ListQuery(limit=limit, cursor=cursor, sort=sort, filters=filters)
    return await lists.LISTING.answer(
        database_of(request), query, as_csv=as_format == "csv", name="fulfilments"
    )


@get("/fulfilments/late", summary="How each place is doing")
async def list_late(request: AnyRequest) -> list[Late]:
    """What is to be picked at each place, what of it is late, what waits for customers and what nobody came for."""
    actor = actor_of(request)
    actor.require(READ)
    places = actor.bound_to
    return await rows.late(database_of(request), places)


@get("/fulfilments/{fulfilment_id:uuid}", summary="Read a fulfilment")
async def read_fulfilment(request: AnyRequest, fulfilment_id: Id) -> Response[Fulfilment]:
    """A fulfilment with its lines, and an ETag of its version. The customer's code is not told."""
    actor_of(request).require(READ)
    found = await rows.read(database_of(request), fulfilment_id)
    if found is None:
        raise NotFound("There is no such fulfilment.")
    await seeing.check(database_of(request), actor_of(request), found.order_id)
    return with_etag(found, found.version)


@patch("/fulfilments/{fulfilment_id:uuid}", summary="Change a fulfilment")
async def change_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[FulfilmentChange]
) -> Response[Fulfilment]:
    """Another way to the customer, or another time until when it is to be picked."""
    version = if_match(request)
    return await write(request, lambda tx: verbs.change(tx, fulfilment_id, data, version=version))


@post("/fulfilments/{fulfilment_id:uuid}/take", summary="Begin to pick", status_code=200)
async def take_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[TakeInput]
) -> Response[Fulfilment]:
    """It is yours. Of two who try at once one gets it; the other is told who (409 ``order-state``, ``taken_by``)."""
    return await write(request, lambda tx: verbs.take(tx, fulfilment_id, data))


@post("/fulfilments/{fulfilment_id:uuid}/give-back", summary="Let a colleague pick", status_code=200)
async def give_back_fulfilment(request: AnyRequest, fulfilment_id: Id) -> Response[Fulfilment]:
    """It is open again; what was picked stays counted."""
    return await write(request, lambda tx: verbs.give_back(tx, fulfilment_id))


@post("/fulfilments/{fulfilment_id:uuid}/pick", summary="Pick", status_code=200)
async def pick_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[PickInput]
) -> Response[Fulfilment]:
    """One more by its code, or so many of a line by position. Send an ``Idempotency-Key`` with each scan."""
    return await write(request, lambda tx: verbs.pick(tx, fulfilment_id, data))


@post("/fulfilments/{fulfilment_id:uuid}/pack", summary="Pack", status_code=200)
async def pack_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[PackInput]
) -> Response[Fulfilment]:
    """One piece into the parcel, scanned to verify it; without a code all of it."""
    return await write(request, lambda tx: verbs.pack(tx, fulfilment_id, data))


@post("/fulfilments/{fulfilment_id:uuid}/ready", summary="Make ready for pick-up", status_code=200)
async def ready_fulfilment(request: AnyRequest, fulfilment_id: Id) -> Response[Fulfilment]:
    """It waits for the customer, who gets a code of six digits on the order's page."""
    return await write(request, lambda tx: verbs.make_ready(tx, fulfilment_id))


@post("/fulfilments/{fulfilment_id:uuid}/label", summary="Get a number from a carrier", status_code=200)
async def label_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[LabelInput]
) -> Response[Fulfilment]:
    """The parcel has a tracking number; asked again it keeps it."""
    return await write(request, lambda tx: verbs.label(tx, fulfilment_id, data))


@get("/fulfilments/{fulfilment_id:uuid}/label.pdf", summary="Label as PDF", media_type="application/pdf")
async def label_pdf(request: AnyRequest, fulfilment_id: Id) -> Response[bytes]:
    """The label on a page of 4 × 6 inches."""
    return Response(await label_of(request, fulfilment_id, "pdf"), media_type="application/pdf")


@get(
    "/fulfilments/{fulfilment_id:uuid}/label.zpl",
    summary="Label for a Zebra printer",
    media_type="text/plain",
)
async def label_zpl(request: AnyRequest, fulfilment_id: Id) -> Response[bytes]:
    """The label in ZPL II for 203 dots an inch."""
    return Response(await label_of(request, fulfilment_id, "zpl"), media_type="text/plain")


async def label_of(request: AnyRequest, fulfilment_id: UUID, form: str) -> bytes:
    """A parcel's label.

    Raises:
        NotFound: there is no such parcel, or it has no number of a carrier that is known here.
    """
    database = database_of(request)
    found = await rows.read(database, fulfilment_id)
    actor_of(request).require(CHANGE, location=found.location if found else None)
    if found is None or found.tracking is None or found.carrier not in carriers.CARRIERS:
        raise NotFound("There is no label for this. Ask for a number first.")
    head = await store.head(database, found.order_id)
    assert head is not None
    parcel = await carriers.parcel_of(database, found, head)
    carrier = carriers.carrier(found.carrier)
    return carrier.pdf(parcel, found.tracking) if form == "pdf" else carrier.zpl(parcel, found.tracking)


@post("/fulfilments/{fulfilment_id:uuid}/ship", summary="Ship", status_code=200)
async def ship_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[ShipInput]
) -> Response[Fulfilment]:
    """The parcel leaves: its goods are out of stock."""
    version = if_match(request)
    return await write(request, lambda tx: verbs.ship(tx, fulfilment_id, data, version=version))


@post("/fulfilments/{fulfilment_id:uuid}/hand-over", summary="Hand over", status_code=200)
async def hand_over_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[HandOverInput]
) -> Response[Fulfilment]:
    """The customer has it, by their code or by what else was checked. Codes are limited: 30 tries in ten minutes."""
    version = if_match(request)
    if data.code is not None:
        found = await rows.head(database_of(request), fulfilment_id)
        if found is not None and found.location is not None:
            await verbs.count_try(database_of(request), context_of(request), found.location)
    return await write(request, lambda tx: verbs.hand_over(tx, fulfilment_id, data, version=version))


@post("/fulfilments/{fulfilment_id:uuid}/deliver", summary="Deliver what is no thing", status_code=200)
async def deliver_fulfilment(request: AnyRequest, fulfilment_id: Id) -> Response[Fulfilment]:
    """Digital goods were sent."""
    return await write(request, lambda tx: verbs.deliver_digital(tx, fulfilment_id))


@post("/fulfilments/hand-over", summary="Hand over by code", status_code=200)
async def hand_over_by_code(request: AnyRequest, data: JSONBody[CodeInput]) -> Response[Fulfilment]:
    """Whatever waits at a place under this code is handed over, once."""
    await verbs.count_try(database_of(request), context_of(request), data.location)

    async def work(tx: Tx) -> Fulfilment:
        found = await verbs.by_code(tx, data.location, data.code)
        return await verbs.hand_over(tx, found.id, HandOverInput(code=data.code))

    return await write(request, work)


@post("/fulfilments/{fulfilment_id:uuid}/reject", summary="Say that a place cannot give it", status_code=200)
async def reject_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[RejectInput]
) -> Response[list[Fulfilment]]:
    """All of it, or parts of lines; what was not found or is damaged is booked out of stock.

    Answers the rejected part, what is left here, and where it goes on: another place, or the customer is asked.
    """
    version = if_match(request)
    return await write(request, lambda tx: short.reject(tx, fulfilment_id, data, version=version))


@post("/fulfilments/{fulfilment_id:uuid}/substitute", summary="Give something else", status_code=200)
async def substitute_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[SubstituteInput]
) -> Response[Fulfilment]:
    """Another thing for units of a line, with the customer's word. They never pay more; what it costs less goes back."""
    version = if_match(request)
    return await write(request, lambda tx: substitute(tx, fulfilment_id, data, version=version))


@post("/fulfilments/{fulfilment_id:uuid}/answer", summary="Say what the customer chose", status_code=200)
async def answer_fulfilment(
    request: AnyRequest, fulfilment_id: Id, data: JSONBody[AnswerInput]
) -> Response[Fulfilment]:
    """Another store, to wait, or the money back."""
    return await write(request, lambda tx: short.answer(tx, fulfilment_id, data))


@post("/fulfilments/{fulfilment_id:uuid}/put-back", summary="Put back what nobody came for", status_code=200)
async def put_back_fulfilment(request: AnyRequest, fulfilment_id: Id) -> Response[Fulfilment]:
    """After its time it is on sale again, and the money goes back."""
    return await write(request, lambda tx: short.put_back(tx, fulfilment_id))


@post("/tracking", summary="Tell where a parcel is", status_code=200)
async def tell_tracking(request: AnyRequest, data: JSONBody[TrackingInput]) -> Response[Tracked]:
    """What a carrier knows, in any order, as often as it likes: each message counts once."""
    return await write(request, lambda tx: tracking.tell(tx, data))


@get("/fulfilments/{fulfilment_id:uuid}/tracking", summary="Where a parcel is")
async def read_tracking(request: AnyRequest, fulfilment_id: Id) -> Tracked:
    """What was told about a parcel, in the order in which it happened."""
    actor_of(request).require(READ)
    database = database_of(request)
    part = await rows.head(database, fulfilment_id)
    found = await tracking.tracked(database, fulfilment_id)
    if part is None or found is None:
        raise NotFound("There is no such parcel, or it has no number.")
    await seeing.check(database, actor_of(request), part.order_id)
    return found


@post("/pick-batches", summary="Begin a walk for several orders", status_code=201)
async def begin_batch(request: AnyRequest, data: JSONBody[BatchInput]) -> Response[Batch]:
    """Take open fulfilments of a place: these, or the most urgent."""
    return await write(request, lambda tx: batches.begin(tx, data), status=201)


@get("/pick-batches/{batch_id:uuid}", summary="Read a walk")
async def read_batch(request: AnyRequest, batch_id: FromPath[UUID]) -> Batch:
    """Stops in the order of bins, and what goes into which box."""
    actor = actor_of(request)
    actor.require(READ)
    found = await batches.read(database_of(request), batch_id)
    actor.require(READ, location=found.location)
    return found


@put("/pick-bins", summary="Say where things lie", status_code=204)
async def set_bins(request: AnyRequest, data: JSONBody[BinsInput]) -> Response[None]:
    """Bins by SKU: the order of a walk through a warehouse."""
    return await write(request, lambda tx: batches.set_bins(tx, data))


routes = [
    Router(
        path="/api",
        route_handlers=[
            list_fulfilments,
            list_late,
            read_fulfilment,
            change_fulfilment,
            take_fulfilment,
            give_back_fulfilment,
            pick_fulfilment,
            pack_fulfilment,
            ready_fulfilment,
            label_fulfilment,
            label_pdf,
            label_zpl,
            ship_fulfilment,
            hand_over_fulfilment,
            deliver_fulfilment,
            hand_over_by_code,
            reject_fulfilment,
            substitute_fulfilment,
            answer_fulfilment,
            put_back_fulfilment,
            tell_tracking,
            read_tracking,
            begin_batch,
            read_batch,
            set_bins,
        ],
        tags=["Fulfilment"],
    )
]
