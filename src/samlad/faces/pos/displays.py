"""The screens of a till that face customers: paired by the code that they show, told what to show, taken away."""

from typing import Any
from uuid import UUID

import structlog
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import screens
from samlad.carts import CartView
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show, till_of
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.problems import InvalidInput, NotFound, Problem, TooMany
from samlad.orders import Order
from samlad.screens import PairInput, Screen

YEAR_SECONDS = 365 * 86_400
logger = structlog.get_logger("samlad.pos")


def _cookie(till: Till) -> str:
    """Which screen this device speaks to is in a cookie of its own."""
    return f"screen-{till.channel.code}"


async def _mine(request: AnyRequest, till: Till) -> Screen | None:
    """The screen of this till, if it has one."""
    text = request.cookies.get(_cookie(till), "")
    try:
        found = await screens.screen(database_of(request), UUID(text)) if text else None
    except ValueError:
        return None
    if found is None or found.revoked_at is not None or found.location != till.location.id:
        return None
    return found


async def follow(request: AnyRequest, till: Till, cart: CartView | None) -> None:
    """The customer sees the ticket of this till. Without one they go on seeing thanks for the sale before."""
    found = await _mine(request, till)
    if found is None:
        return
    wanted = cart.id if cart is not None and cart.lines else None
    if found.cart != wanted and (wanted is not None or found.order_id is None):
        await _tell(request, lambda tx: screens.show(tx, found.id, cart=wanted))


async def thank(request: AnyRequest, till: Till, order: Order) -> None:
    """The customer sees what they paid and what comes back, and can take the receipt along."""
    found = await _mine(request, till)
    if found is not None:
        await _tell(request, lambda tx: screens.show(tx, found.id, order=order.id))


async def _tell(request: AnyRequest, verb: Any) -> None:
    """Whatever becomes of a screen, the till goes on selling."""
    try:
        await face.change(request, verb)
    except Problem as problem:
        logger.warning("a screen was not told what to show", problem=problem.code)


@get("/{code:str}/screens")
async def screens_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The screens of this store, and the form to pair another."""
    till = await till_of(request, code)
    typed = request.query_params.get("code", "")[:6]
    return await _page(request, till, Form.of(code=typed, name=""))


async def _page(request: AnyRequest, till: Till, form: Form) -> Response[Any]:
    actor_of(request).require(screens.PAIR, location=till.location.id)
    return show(
        request,
        till,
        "pos/screens.html",
        status=form.status,
        screens=await screens.of_location(database_of(request), till.location.id),
        mine=await _mine(request, till),
        address=str(request.base_url).rstrip("/") + "/screen",
        form=form,
    )


@post("/{code:str}/screens", status_code=303)
async def pair(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The tablet with this code shows this till's ticket from now on."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    try:
        await screens.count_try(database_of(request), context_of(request))
        data = form.into(PairInput, code=form.get("code").replace(" ", ""), location=str(till.location.id))
        made = await face.change(request, lambda tx: screens.pair(tx, data))
    except (InvalidInput, TooMany) as problem:
        return await _page(request, till, form.failed(problem))
    answer = face.go(request, f"{till.base}/screens", _("The screen shows the ticket of this till."))
    answer.set_cookie(face.own_cookie(request, _cookie(till), str(made.id), YEAR_SECONDS))
    return answer


@post("/{code:str}/screens/{screen_id:uuid}/{act:str}", status_code=303)
async def act_on(
    request: AnyRequest, code: FromPath[str], screen_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Let it show this till's ticket, or take it away."""
    till, _form, _ = await till_of(request, code), await read_form(request), face.words(request)
    found = await screens.screen(database_of(request), screen_id)
    if found is None or found.location != till.location.id or act not in ("use", "revoke"):
        raise NotFound("There is no such screen.")
    if act == "revoke":
        await face.change(request, lambda tx: screens.revoke(tx, screen_id))
        return face.go(request, f"{till.base}/screens", _("The screen shows nothing of this store any more."))
    answer = face.go(request, f"{till.base}/screens", _("The screen shows the ticket of this till."))
    answer.set_cookie(face.own_cookie(request, _cookie(till), str(screen_id), YEAR_SECONDS))
    return answer


handlers = [screens_page, pair, act_on]
