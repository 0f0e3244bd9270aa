"""Stock: what lies where, why it moved, and the work of receiving, correcting, counting and sending it."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import catalog, stock
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.scope import own_codes
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.stock_frame import chosen_place, frame
from samlad.faces.admin.stock_lines import typed_goods
from samlad.faces.admin.stock_lots import day_of
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, camera_headers, change, go, local_path, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.stock import Cause, counts, counts_store, transfers, transfers_store
from samlad.stock.lists import COUNTS, LEVELS, MOVEMENTS, TRANSFERS
from samlad.stock.model import CountStatus
from samlad.stock.permissions import ADJUST, READ

# -- levels and corrections -----------------------------------------------------------------------------------------------


@get("/admin/stock")
async def list_levels(request: AnyRequest) -> Response[Any]:
    """What lies where, and what runs out."""
    require(request, READ)
    return await _levels_page(request, Form())


async def _levels_page(request: AnyRequest, form: Form) -> Response[Any]:
    _ = words(request)
    database = database_of(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    found = await shown(request, database, LEVELS, fixed={"location": codes})
    states = [("in", _("Enough")), ("low", _("Running out")), ("out", _("Sold out"))]
    context = await frame(request, "levels")
    return await admin_page(
        request, "admin/stock.html", status_code=form.status, list=found, states=states, form=form, **context
    )


@post("/admin/stock/correct")
async def correct(request: AnyRequest) -> Response[Any]:
    """Book what is really there; the reason is kept in the ledger."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    back = local_path(form.get("back"), "/admin/stock")
    try:
        location, variant = _uuid(form, "location"), _uuid(form, "variant")
        known, found = form.whole("known"), form.whole("on_hand")
        if found is None or known is None or found < 0:
            raise InvalidInput.at("on_hand", _("Please write how many are there."))
        reason = form.text("reason")
        if reason is None:
            raise InvalidInput.at("reason", _("Please say why: it is kept in the ledger."))
        if found == known:
            return go(request, back, _("There was nothing to change."), kind="")
        cause = Cause.DAMAGE if form.has("is_damage") and found < known else Cause.CORRECTION
        lines = [(variant, found - known)]
        lot = _uuid(form, "lot") if form.get("lot") else None
        await change(
            request,
            lambda tx: stock.correct(tx, location, lines, reason=reason, cause=cause, lots=[lot]),
        )
    except Problem as problem:
        return await _levels_page(request, form.failed(problem))
    undo = undo_href(
        request, "stock.correct", location=location, variant=variant, units=known - found, lot=form.get("lot")
    )
    text = _("Booked: %(difference)s pieces. %(found)s are there now.")
    return go(request, back, text % {"difference": f"{found - known:+d}", "found": found}, undo=undo)


def _uuid(form: Form, name: str) -> UUID:
    try:
        return UUID(form.get(name))
    except ValueError:
        raise NotFound("There is no such place or product.") from None


@undoable("stock.correct")
async def _undo_correct(tx: Tx, arguments: dict[str, Any]) -> str:
    line = (UUID(arguments["variant"]), arguments["units"])
    lots = [UUID(arguments["lot"]) if arguments.get("lot") else None]
    await stock.correct(tx, UUID(arguments["location"]), [line], reason="Taken back", lots=lots)
    return "/admin/stock/movements"


@get("/admin/stock/movements")
async def list_movements(request: AnyRequest) -> Response[Any]:
    """The ledger: every piece that came or went, and why."""
    require(request, READ)
    database = database_of(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    found = await shown(request, database, MOVEMENTS, fixed={"location": codes})
    context = await frame(request, "movements")
    return await admin_page(
        request, "admin/stock_movements.html", list=found, causes=translated(request, names.cause), **context
    )


# -- goods that came in ---------------------------------------------------------------------------------------------------


@get("/admin/stock/receipts/new")
async def show_receipt(request: AnyRequest) -> Response[Any]:
    """The form for goods that came in."""
    require(request, ADJUST)
    return await _work_page(request, "receipts", Form.of(lines=request.query_params.get("sku")))


async def _work_page(request: AnyRequest, kind: str, form: Form) -> Response[Any]:
    context = await frame(request, kind)
    return await admin_page(
        request,
        f"admin/stock_{kind}_new.html",
        status_code=form.status,
        headers=camera_headers(),
        form=form,
        **context,
    )


@post("/admin/stock/receipts/new")
async def receive(request: AnyRequest) -> Response[Any]:
    """Goods came in."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    try:
        place = await chosen_place(request, form)

        async def work(tx: Tx) -> int:
            came = await typed_goods(tx, form, place)
            moved = await stock.receive(
                tx, place.id, came.lines, reason=form.text("note") or "", lots=came.lots
            )
            return sum(line.quantity for line in moved)

        pieces = await change(request, work)
    except Problem as problem:
        return await _work_page(request, "receipts", form.failed(problem))
    text = _("%(num)s pieces are on the shelves of %(place)s.") % {"num": pieces, "place": place.name}
    return go(request, f"/admin/stock/movements?location={place.code}", text)


# -- counts ----------------------------------------------------------------------------------------------------------------------


@get("/admin/stock/counts")
async def list_counts(request: AnyRequest) -> Response[Any]:
    """Counts, the newest first."""
    require(request, READ)
    database = database_of(request)
    codes = await own_codes(actor_of(request), database, request.query_params.get("location"))
    found = await shown(request, database, COUNTS, fixed={"location": codes})
    states = translated(request, names.count_status)
    context = await frame(request, "counts")
    return await admin_page(
        request, "admin/stock_counts.html", list=found, states=states, form=Form(), **context
    )


@post("/admin/stock/counts")
async def open_count(request: AnyRequest) -> Response[Any]:
    """Begin a count of a location; selling goes on."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    place = await chosen_place(request, form)
    count = await change(
        request,
        lambda tx: counts.open_count(
            tx, place.id, note=form.text("note") or "", is_blind=form.has("is_blind")
        ),
    )
    return go(
        request,
        f"/admin/stock/counts/{count.id}",
        _("The count has begun. Enter what you find."),
    )


@get("/admin/stock/counts/{count_id:uuid}")
async def show_count(request: AnyRequest, count_id: FromPath[UUID]) -> Response[Any]:
    """A count: what was found, and how it differs from the books."""
    require(request, READ)
    return await _count_page(request, count_id, Form())


async def _count_page(request: AnyRequest, count_id: UUID, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    count = await counts.as_seen(database, actor, await counts_store.get(database, count_id))
    known = await catalog.by_ids(database, [line.variant for line in count.lines])
    place = await stock.location(database, count.location)
    context = await frame(request, "counts")
    return await admin_page(
        request,
        "admin/stock_count.html",
        status_code=form.status,
        headers=camera_headers(),
        count=count,
        has_counted=count.status is CountStatus.SUBMITTED
        and await counts.has_counted(database, actor, count),
        known=known,
        place=place,
        form=form,
        **context,
    )


@post("/admin/stock/counts/{count_id:uuid}/{act:str}")
async def act_on_count(request: AnyRequest, count_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Enter what was found, book the count, or drop it."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    here = f"/admin/stock/counts/{count_id}"
    count = await counts_store.get(database_of(request), count_id)
    place = await stock.location(database_of(request), count.location)
    try:
        if act == "enter":

            async def work(tx: Tx) -> None:
                found = await typed_goods(tx, form, place)
                await counts.enter(
                    tx, count_id, found.lines, adds_up=not form.has("is_again"), lots=found.lots
                )

            await change(request, work)
            return go(request, here, _("Written down."))
        if act == "close":
            closed = await change(request, lambda tx: counts.close(tx, count_id))
            if closed.status is CountStatus.SUBMITTED:
                return go(request, here, _("It differs by much: somebody else has to approve it."))
            return go(request, here, _("The count is booked. The books say now what you found."))
        if act == "approve":
            await change(request, lambda tx: counts.approve(tx, count_id))
            return go(request, here, _("The count is booked. The books say now what was found."))
        if act == "reopen":
            await change(request, lambda tx: counts.reopen(tx, count_id))
            return go(request, here, _("It can be counted again."))
        if act == "cancel":
            await change(request, lambda tx: counts.cancel(tx, count_id))
            return go(request, "/admin/stock/counts", _("The count is dropped. Nothing was booked."))
    except Problem as problem:
        return await _count_page(request, count_id, form.failed(problem))
    raise NotFound("There is no such act.")


# -- transfers ---------------------------------------------------------------------------------------------------------------------


@get("/admin/stock/transfers")
async def list_transfers(request: AnyRequest) -> Response[Any]:
    """What is under way between locations."""
    require(request, READ)
    found = await shown(request, database_of(request), TRANSFERS)
    states = translated(request, names.transfer_status)
    context = await frame(request, "transfers")
    return await admin_page(request, "admin/stock_transfers.html", list=found, states=states, **context)


@get("/admin/stock/transfers/new")
async def show_new_transfer(request: AnyRequest) -> Response[Any]:
    """The form to send goods to another location."""
    require(request, ADJUST)
    return await _transfer_form(request, Form())


async def _transfer_form(request: AnyRequest, form: Form) -> Response[Any]:
    everywhere = await stock.locations(database_of(request))
    context = await frame(request, "transfers")
    return await admin_page(
        request,
        "admin/stock_transfers_new.html",
        status_code=form.status,
        headers=camera_headers(),
        form=form,
        destinations=[(place.code, place.name) for place in everywhere],
        **context,
    )


@post("/admin/stock/transfers/new")
async def send(request: AnyRequest) -> Response[Any]:
    """Send goods to another location."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    try:
        origin = await chosen_place(request, form, "origin")

        async def work(tx: Tx) -> UUID:
            try:
                target = await stock.location_by_code(tx, form.get("destination"))
            except NotFound:
                raise InvalidInput.at("destination", _("Please choose one of these.")) from None
            going = await typed_goods(tx, form, origin, may_be_new=False, is_needed=False)
            made = await transfers.send(
                tx,
                origin.id,
                target.id,
                going.lines,
                note=form.text("note") or "",
                expected_on=day_of(form, "expected_on"),
                lots=going.lots,
            )
            return made.id

        made = await change(request, work)
    except Problem as problem:
        return await _transfer_form(request, form.failed(problem))
    return go(request, f"/admin/stock/transfers/{made}", _("The goods are under way."))


@get("/admin/stock/transfers/{transfer_id:uuid}")
async def show_transfer(request: AnyRequest, transfer_id: FromPath[UUID]) -> Response[Any]:
    """A transfer: what was sent, what has arrived."""
    require(request, READ)
    return await _transfer_page(request, transfer_id, Form())


async def _transfer_page(request: AnyRequest, transfer_id: UUID, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    found = await transfers_store.get(database, transfer_id)
    everywhere = {place.id: place.name for place in await stock.locations(database)}
    context = await frame(request, "transfers")
    return await admin_page(
        request,
        "admin/stock_transfer.html",
        status_code=form.status,
        transfer=found,
        known=await catalog.by_ids(database, [line.variant for line in found.lines]),
        origin=everywhere.get(found.origin, "–"),
        destination=everywhere.get(found.destination, "–"),
        may_receive=actor.may(ADJUST, found.destination),
        may_cancel=actor.may(ADJUST, found.origin),
        form=form,
        **context,
    )


@post("/admin/stock/transfers/{transfer_id:uuid}/{act:str}")
async def act_on_transfer(
    request: AnyRequest, transfer_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Goods arrive, or come back."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    here = f"/admin/stock/transfers/{transfer_id}"
    try:
        if act == "receive":
            lines, lots = _units(form, "arrived-")
            await change(
                request,
                lambda tx: transfers.receive(
                    tx, transfer_id, lines or None, lots=lots, version=form.version()
                ),
            )
            return go(request, here, _("Booked in."))
        if act == "lose":
            return await _lose(request, transfer_id, form)
        if act == "find":
            await change(request, lambda tx: transfers.find(tx, transfer_id, version=form.version()))
            return go(request, here, _("It is under way again."))
        if act == "schedule":
            day = day_of(form, "expected_on")
            await change(
                request, lambda tx: transfers.reschedule(tx, transfer_id, day, version=form.version())
            )
            return go(request, here, _("Saved."))
        if act == "cancel":
            await change(request, lambda tx: transfers.cancel(tx, transfer_id))
            return go(request, here, _("Called off. What had not arrived is back where it came from."))
    except (Problem, ValueError) as problem:
        if not isinstance(problem, Problem):
            raise NotFound("There is no such line.") from None
        return await _transfer_page(request, transfer_id, form.failed(problem))
    raise NotFound("There is no such act.")


def _units(form: Form, prefix: str) -> tuple[list[tuple[UUID, int]], list[UUID | None]]:
    """Units of a transfer's lines, (variant, units) each, and beside each its lot."""
    named = [name for name in form.fields if name.startswith(prefix)]
    keys = [name.removeprefix(prefix).split(".") for name in named]
    lines = [(UUID(key[0]), form.whole(name) or 0) for key, name in zip(keys, named, strict=True)]
    return lines, [UUID(key[1]) if len(key) > 1 else None for key in keys]


async def _lose(request: AnyRequest, transfer_id: UUID, form: Form) -> Response[Any]:
    _ = words(request)
    lines, lots = _units(form, "lost-")
    if not any(units for _variant, units in lines):
        raise InvalidInput(_("Choose at least one piece."))
    reason = form.text("reason")
    if not reason:
        raise InvalidInput.at("reason", _("Please say why: it is kept in the ledger."))
    chosen = [(line, lot) for line, lot in zip(lines, lots, strict=True) if line[1]]
    goods, of = [line for line, _lot in chosen], [lot for _line, lot in chosen]
    gone = await change(
        request,
        lambda tx: transfers.lose(tx, transfer_id, goods, lots=of, reason=reason, version=form.version()),
    )
    told = [[str(variant), units, str(lot) if lot else None] for (variant, units), lot in chosen]
    undo = undo_href(request, "transfer.lose", transfer=transfer_id, version=gone.version, lines=told)
    return go(request, f"/admin/stock/transfers/{transfer_id}", _("Written off."), undo=undo)


@undoable("transfer.lose")
async def _undo_lose(tx: Tx, arguments: dict[str, Any]) -> str:
    transfer = UUID(arguments["transfer"])
    lines = [(UUID(variant), units) for variant, units, _lot in arguments["lines"]]
    lots = [UUID(lot) if lot else None for _variant, _units, lot in arguments["lines"]]
    await transfers.find(tx, transfer, lines, lots=lots, version=arguments["version"])
    return f"/admin/stock/transfers/{transfer}"


HANDLERS = [
    list_levels,
    correct,
    list_movements,
    show_receipt,
    receive,
    list_counts,
    open_count,
    show_count,
    act_on_count,
    list_transfers,
    show_new_transfer,
    send,
    show_transfer,
    act_on_transfer,
]
