"""What a store has to bring: the list on a phone, one piece of work, a walk for several, the packing slip."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from samlad import channels, documents, orders
from samlad.delivery import Promised
from samlad.faces import page as face
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import clerk_of
from samlad.faces.pos.work_place import Place, place_of, places_of, show, work_of
from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import NotFound
from samlad.orders import Order, fulfilment_batches, fulfilment_carriers, fulfilment_tracking
from samlad.orders.fulfilment_lists import LISTING
from samlad.orders.fulfilment_model import COLLECTED, Fulfilment, FulfilmentState, Method

MOST = 200
"""So many are listed; what is due later waits for its turn."""


@get("/work")
async def choose_place(request: AnyRequest) -> Response[Any]:
    """Where: the stores and warehouses with what is to be done there. With only one its list opens at once."""
    places = await places_of(request)
    if len(places) == 1 and "choose" not in request.query_params:
        return face.go(request, Place(places[0][0]).base)
    return face.page(
        request,
        "pos/work_places.html",
        shop_name="Samlad",
        places=places,
        clerk=clerk_of(request).name,
        headers={"Cache-Control": "no-store"},
    )


@get("/work/{code:str}")
async def work_list(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """What is to be done here now, what is due first first."""
    await face.listen_from_here(request)
    place, database = await place_of(request, code), database_of(request)
    filters = {"location": code, "state": "open,picking,picked,packed,ready"}
    rows = (await LISTING.page(database, ListQuery(limit=MOST, filters=filters))).items
    asked = {"place": str(place.location.id), "state": "needs_customer,waiting"}
    unsure = (await LISTING.page(database, ListQuery(limit=20, filters=asked))).items
    return show(
        request,
        place,
        "pos/work.html",
        live_href=face.live_href(request, "orders"),
        to_pick=[row for row in rows if row.state in ("open", "picking")],
        to_finish=[row for row in rows if row.state in ("picked", "packed")],
        waiting=[row for row in rows if row.state == "ready"],
        unsure=unsure,
        late=sum(row.is_late for row in rows),
        form=Form(),
    )


@get("/work/{code:str}/{fulfilment_id:uuid}")
async def work_page(request: AnyRequest, code: FromPath[str], fulfilment_id: FromPath[UUID]) -> Response[Any]:
    """One piece of work."""
    place = await place_of(request, code)
    return await one(request, place, await work_of(request, place, fulfilment_id), Form())


async def one(
    request: AnyRequest, place: Place, work: Fulfilment, form: Form, *, code: str | None = None
) -> Response[Any]:
    """The page of one piece of work; ``code`` is what the customer has shown already."""
    database = database_of(request)
    order = await orders.read(database, work.order_id)
    is_late = (work.state in (FulfilmentState.OPEN, FulfilmentState.PICKING) and work.due_at < now()) or (
        work.state is FulfilmentState.READY and work.pick_up_by is not None and work.pick_up_by < now()
    )
    return show(
        request,
        place,
        "pos/work_one.html",
        status=form.status,
        work=work,
        order=order,
        form=form,
        code=code,
        is_mine=work.taken_by == actor_of(request).label,
        is_late=is_late,
        is_collected=work.method in COLLECTED,
        is_sent=work.method in (Method.SHIP, Method.SAME_DAY),
        brought=_brought(work, order),
        due=max(0, order.total - order.called_off - order.paid),
        till_code=await _till_code(request, place),
        tracked=await fulfilment_tracking.tracked(database, work.id),
        carriers=[(name, name.title()) for name in fulfilment_carriers.CARRIERS],
        has_label=work.tracking is not None and work.carrier in fulfilment_carriers.CARRIERS,
    )


def _brought(work: Fulfilment, order: Order) -> Promised | None:
    """The slot within which it is to be with the customer, if it is brought in one."""
    promise = order.promise
    return promise if work.method is Method.SAME_DAY and promise is not None and promise.slot else None


async def _till_code(request: AnyRequest, place: Place) -> str | None:
    """The code of the till at a place, if it has one."""
    channel = place.location.channel
    return None if channel is None else (await channels.cached(database_of(request), channel)).code


@get("/work/{code:str}/{fulfilment_id:uuid}/slip")
async def slip(request: AnyRequest, code: FromPath[str], fulfilment_id: FromPath[UUID]) -> Response[Any]:
    """The packing slip: what is in the parcel, for whom. It has no prices: parcels may be gifts."""
    place = await place_of(request, code)
    work = await work_of(request, place, fulfilment_id)
    database = database_of(request)
    order = await orders.read(database, work.order_id)
    channel = await channels.cached(database, order.channel)
    return show(
        request,
        place,
        "pos/work_slip.html",
        work=work,
        order=order,
        channel=channel,
        brought=_brought(work, order),
        sender=fulfilment_carriers.address_lines(place.location.address),
        pdf_href=f"/api/fulfilments/{work.id}/packing-slip.pdf"
        if actor_of(request).may(documents.READ)
        else None,
    )


@get("/work/{code:str}/walks/{batch_id:uuid}")
async def walk_page(request: AnyRequest, code: FromPath[str], batch_id: FromPath[UUID]) -> Response[Any]:
    """A walk for several orders."""
    place = await place_of(request, code)
    return await walk(request, place, batch_id, Form())


async def walk(
    request: AnyRequest, place: Place, batch_id: UUID, form: Form, box: int | None = None
) -> Response[Any]:
    """The page of a walk; ``box`` is where what was just picked goes."""
    batch = await fulfilment_batches.read(database_of(request), batch_id)
    if batch.location != place.location.id:
        raise NotFound("This walk is at another place.")
    return show(
        request,
        place,
        "pos/work_walk.html",
        status=form.status,
        batch=batch,
        left=sum(line.quantity - line.picked for line in batch.lines),
        form=form,
        box=box,
    )


handlers = [choose_place, work_list, work_page, slip, walk_page]
