"""Paper at the till: the receipt after a sale, on paper, by mail and as a picture to scan; printers, their queue, the drawer."""

from typing import Any
from uuid import UUID

import structlog
from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import channels, documents, orders, printers
from samlad.documents.writing import PROVIDERS as NAMES
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos import displays
from samlad.faces.pos.desk import Till, show, till_of
from samlad.faces.storefront import order_link
from samlad.kernel import mail, qr
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import Order, OrderKind
from samlad.printers import (
    DrawerInput,
    Printer,
    PrinterChange,
    PrinterInput,
    PrintInput,
    PrintJob,
    PrintKind,
    PrintReportInput,
    PrintState,
)

logger = structlog.get_logger("samlad.pos")

YEAR_SECONDS = 365 * 86_400
MOST_JOBS = 20
STATES = {
    PrintState.WAITING: (marked("Waiting"), ""),
    PrintState.SENDING: (marked("Being sent"), "info"),
    PrintState.PRINTED: (marked("Printed"), "success"),
    PrintState.FAILED: (marked("Not printed"), "danger"),
    PrintState.UNSURE: (marked("Perhaps printed"), "warning"),
}
KINDS = {
    PrintKind.RECEIPT: marked("Receipt"),
    PrintKind.DRAWER: marked("Drawer opened"),
    PrintKind.TEST: marked("Test page"),
    PrintKind.REPORT: marked("Report"),
}
CODE_PAGES = ("CP858", "CP437", "CP850", "CP852", "CP1252")


def _cookie(till: Till) -> str:
    """Which printer this device prints on is in a cookie of its own."""
    return f"printer-{till.channel.code}"


async def _mine(request: AnyRequest, till: Till) -> tuple[list[Printer], Printer | None]:
    """The printers of the store, and the one of this till: chosen here, else the first."""
    found = await printers.of_location(database_of(request), till.location.id)
    chosen = request.cookies.get(_cookie(till), "")
    return found, next((one for one in found if str(one.id) == chosen), found[0] if found else None)


async def paper_of(request: AnyRequest, till: Till, order: Order) -> dict[str, Any]:
    """What the page of a receipt needs to give it on paper, by mail and as a picture."""
    actor, database = actor_of(request), database_of(request)
    may_print = actor.may(printers.PRINT, till.location.id) and actor.may(documents.READ)
    _all, mine = await _mine(request, till) if may_print else ([], None)
    jobs = await printers.jobs_of_order(database, order.id) if mine else []
    checked = await documents.receipt_address(database, order, till.channel)
    link = channels.shop_address(database.settings, till.channel) + order_link.href(request, order.id)
    return {
        "printer": mine,
        "was_printed": any(job.kind is PrintKind.RECEIPT for job in jobs),
        "print_jobs": _told(request, jobs),
        "receipt_code": Markup(qr.svg(link)),  # noqa: S704 - our own drawing
        "receipt_link": link,
        "check_code": Markup(qr.svg(checked, border=2)),  # noqa: S704 - our own drawing
        "can_mail": actor.may(documents.READ) and mail.is_set(database.settings),
        "key": str(new_id()),
        "live_href": face.live_href(request, printers.topic_of(till.location.id)) if mine else None,
    }


PROVIDERS = {**NAMES, "test": marked("Card")}
"""Ways to pay as the till calls them."""


def of_here(till: Till, order: Order) -> None:
    """Nothing for what was sold at this store, or taken back at it wherever it was sold.

    Raises:
        NotFound: anything else; its receipt is not here.
    """
    is_here = (
        order.location == till.location.id
        if order.kind is OrderKind.RETURN
        else order.channel == till.channel.id
    )
    if not is_here:
        raise NotFound("This was not sold here.")


async def after_sale(request: AnyRequest, till: Till, order: Order) -> None:
    """The customer is thanked, and the drawer opens for cash. A sale is a sale, whatever becomes of either."""
    await displays.thank(request, till, order)
    await _open_drawer(request, till, order.id)


async def after_return(request: AnyRequest, till: Till, returned: UUID) -> None:
    """The drawer opens for cash that goes back. What came back is back, whatever becomes of it."""
    await _open_drawer(request, till, returned)


async def _open_drawer(request: AnyRequest, till: Till, order: UUID) -> None:
    if not actor_of(request).may(printers.PRINT, till.location.id):
        return
    _all, mine = await _mine(request, till)
    if mine is not None and mine.drawer_pin:
        printer = mine.id
        try:
            await face.change(request, lambda tx: printers.open_for_sale(tx, printer, order))
        except Problem as problem:
            logger.warning("the drawer was not asked to open", order=str(order), problem=problem.code)


def _told(request: AnyRequest, jobs: list[PrintJob]) -> list[dict[str, Any]]:
    """Jobs with their state in words."""
    _ = face.words(request)
    return [
        {
            "id": job.id,
            "what": _(KINDS[job.kind]),
            "state": _(STATES[job.state][0]),
            "style": STATES[job.state][1],
            "reason": " · ".join(filter(None, (job.why, _(job.reason) if job.reason else ""))),
            "is_copy": job.is_copy,
            "printer": job.printer_name,
            "who": job.asked_name,
            "at": job.asked_at,
            "order_id": job.order_id,
            "can_again": job.kind is not PrintKind.DRAWER
            and job.state in (PrintState.FAILED, PrintState.UNSURE),
        }
        for job in jobs
    ]


async def _sale(request: AnyRequest, till: Till, order_id: UUID) -> Order:
    order = await orders.read(database_of(request), order_id)
    of_here(till, order)
    return order


@post("/{code:str}/sales/{order_id:uuid}/print", status_code=303)
async def print_it(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """The receipt on this till's printer: the original once, then copies for whoever asks for one."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    await _sale(request, till, order_id)
    back = f"{till.base}/sales/{order_id}" + ("?new=1" if form.has("new") else "")
    _all, mine = await _mine(request, till)
    if mine is None:
        return face.go(request, back, _("This store has no printer yet."), kind="warning")
    data = PrintInput(printer=mine.id, copy=form.has("copy"), id=_key(form))
    await face.change(request, lambda tx: printers.print_receipt(tx, order_id, data))
    return face.go(request, back)


@post("/{code:str}/drawer/{shift_id:uuid}/print", status_code=303)
async def print_report(request: AnyRequest, code: FromPath[str], shift_id: FromPath[UUID]) -> Response[Any]:
    """The X or Z report on this till's printer."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    back = f"{till.base}/drawer/{shift_id}"
    _all, mine = await _mine(request, till)
    if mine is None:
        return face.go(request, back, _("This store has no printer yet."), kind="warning")
    data = PrintReportInput(printer=mine.id, id=_key(form))
    await face.change(request, lambda tx: printers.print_report(tx, shift_id, data))
    return face.go(request, back, _("It is being printed."))


def _key(form: Form) -> UUID:
    try:
        return UUID(form.get("id"))
    except ValueError:
        return new_id()


@post("/{code:str}/sales/{order_id:uuid}/mail", status_code=303)
async def mail_it(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """The receipt to an address that the customer says."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    order = await _sale(request, till, order_id)
    back = f"{till.base}/sales/{order_id}" + ("?new=1" if form.has("new") else "")
    link = channels.shop_address(database_of(request).settings, till.channel)
    link += order_link.href(request, order.id)
    try:
        await face.change(
            request,
            lambda tx: documents.mail_receipt(tx, order_id, form.get("email"), key=_key(form), link=link),
        )
    except InvalidInput:
        text = _("Please write an address like kim@example.com.")
        return face.go(request, back, text, kind="danger")
    except documents.MailsOff:
        return face.go(request, back, _("No mail server is set up."), kind="danger")
    return face.go(request, back, _("The receipt is on its way by mail."))


@get("/{code:str}/printers")
async def printers_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The printers of this store, what they print, and the drawer."""
    await face.listen_from_here(request)
    till = await till_of(request, code)
    actor_of(request).require(printers.PRINT, location=till.location.id)
    return await _page(
        request, till, Form.of(name="", port="9100", columns="48", code_page="CP858", has_cutter=True)
    )


async def _page(request: AnyRequest, till: Till, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    found, mine = await _mine(request, till)
    query = ListQuery(limit=MOST_JOBS, filters={"location": str(till.location.id)})
    jobs = (await printers.JOBS.page(database, query, None)).items
    return show(
        request,
        till,
        "pos/printers.html",
        status=form.status,
        printers=found,
        mine=mine,
        jobs=_told(request, jobs),
        may_manage=actor.may(printers.MANAGE, till.location.id),
        may_open=actor.may(printers.OPEN_DRAWER, till.location.id),
        code_pages=[(page, page) for page in CODE_PAGES],
        key=str(new_id()),
        networks=database.settings.printer_networks,
        live_href=face.live_href(request, printers.topic_of(till.location.id)),
        form=form,
    )


@post("/{code:str}/printers", status_code=303)
async def save_printer(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """A new printer, or one that is changed."""
    await face.listen_from_here(request)
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    values = {
        "drawer_pin": form.whole("drawer_pin") or 0,
        "has_cutter": form.has("has_cutter"),
        "tells_status": form.has("tells_status"),
    }
    try:
        known = form.text("printer")
        if known is None:
            data = form.into(PrinterInput, location=str(till.location.id), **values)
            await face.change(request, lambda tx: printers.create(tx, data))
        else:
            change = form.into(PrinterChange, **values)
            printer, version = (await _here(request, till, known)).id, form.version()
            await face.change(request, lambda tx: printers.change(tx, printer, change, version=version))
    except Problem as problem:
        return await _page(request, till, form.failed(problem))
    return face.go(request, f"{till.base}/printers", _("Saved."))


async def _here(request: AnyRequest, till: Till, text: str) -> Printer:
    try:
        found = await printers.printer(database_of(request), UUID(text))
    except ValueError:
        found = None
    if found is None or found.location != till.location.id or not found.is_active:
        raise NotFound("There is no such printer.")
    return found


@get("/{code:str}/printers/{printer_id:str}")
async def printer_page(request: AnyRequest, code: FromPath[str], printer_id: FromPath[str]) -> Response[Any]:
    """Change one."""
    await face.listen_from_here(request)
    till = await till_of(request, code)
    actor_of(request).require(printers.MANAGE, location=till.location.id)
    found = await _here(request, till, printer_id)
    return await _page(
        request,
        till,
        Form.of(
            printer=str(found.id),
            version=str(found.version),
            name=found.name,
            host=found.host,
            port=str(found.port),
            columns=str(found.columns),
            code_page=found.code_page,
            drawer_pin=str(found.drawer_pin),
            has_cutter=found.has_cutter,
            tells_status=found.tells_status,
        ),
    )


@post("/{code:str}/printers/{printer_id:str}/{act:str}", status_code=303)
async def act_on(
    request: AnyRequest, code: FromPath[str], printer_id: FromPath[str], act: FromPath[str]
) -> Response[Any]:
    """Use it at this till, print a test page, open its drawer, take it away."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    found = await _here(request, till, printer_id)
    back = f"{till.base}/printers"
    if act == "use":
        answer = face.go(request, back, _("This till prints on %(name)s.") % {"name": found.name})
        answer.set_cookie(face.own_cookie(request, _cookie(till), str(found.id), YEAR_SECONDS))
        return answer
    if act == "test":
        await face.change(request, lambda tx: printers.print_test(tx, found.id, _key(form)))
        return face.go(request, back)
    if act == "remove":
        await face.change(request, lambda tx: printers.remove(tx, found.id))
        return face.go(request, back, _("The printer is removed."))
    if act != "drawer":
        raise NotFound("There is no such page.")
    try:
        data = form.into(DrawerInput, id=str(_key(form)))
        await face.change(request, lambda tx: printers.open_drawer(tx, found.id, data))
    except InvalidInput:
        return face.go(request, back, _("Say why the drawer is opened."), kind="danger")
    return face.go(request, back, _("The drawer opens. Who opened it and why is written down."))


@post("/{code:str}/prints/{job_id:uuid}", status_code=303)
async def again(request: AnyRequest, code: FromPath[str], job_id: FromPath[UUID]) -> Response[Any]:
    """Try again what failed, on this till's printer."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    _all, mine = await _mine(request, till)
    back = face.local_path(form.get("back"), f"{till.base}/printers")
    try:
        await face.change(request, lambda tx: printers.ask_again(tx, job_id, mine.id if mine else None))
    except printers.NotAgain:
        return face.go(request, back, _("It is printed already, or is about to be."), kind="warning")
    return face.go(request, back)


handlers = [print_it, print_report, mail_it, printers_page, save_printer, printer_page, act_on, again]
