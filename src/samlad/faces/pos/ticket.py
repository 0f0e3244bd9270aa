"""The ticket: scanned, searched, changed; what is short and where else it lies."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, catalog, credit, customers, stock
from samlad.carts import CartClosed, CartInput, CartView, ChooseLot, DetailsInput, LineInput, TakeOver
from samlad.carts.permissions import DISCOUNT
from samlad.catalog import Measure
from samlad.channels import Resource
from samlad.credit import Member
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos import displays, sharing, weighing
from samlad.faces.pos.desk import DAY_SECONDS, Till, cookie_of, current, in_hand, show, till_of, tills_of
from samlad.faces.pos.goods import products
from samlad.faces.storefront import amounts, reductions
from samlad.faces.storefront.typed import typed
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.promotions import BadCode
from samlad.stock import SoldOut
from samlad.stock.lots_model import LotHere
from samlad.stock.scanning import Scan

NONE_LEFT = marked("There is no other piece of this here: the rest is held for others.")
NO_SUCH_LOT = marked("There is no more of this lot here, or nobody knows it.")
NOT_FOR_SALE = marked("This is not for sale here.")


class Said(msgspec.Struct, frozen=True):
    """A line above the ticket."""

    text: str
    kind: str = "warning"


@get("/")
async def choose(request: AnyRequest) -> Response[Any]:
    """Which store; with only one the till opens at once."""
    tills = await tills_of(request)
    screen = request.query_params.get("screen", "")[:6]
    below = f"/screens?code={screen}" if screen.isascii() and screen.isdigit() else ""
    if len(tills) == 1 and "choose" not in request.query_params:
        return face.go(request, tills[0].base + below)
    shops = [
        {"name": t.channel.name, "note": t.location.address.get("city"), "href": t.base + below}
        for t in tills
    ]
    return face.page(
        request,
        "pos/stores.html",
        shop_name="Samlad",
        stores=shops,
        clerk=actor_of(request).name,
        headers={"Cache-Control": "no-store"},
    )


@get("/{code:str}")
async def till_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The till."""
    await face.listen_from_here(request)
    till = await till_of(request, code)
    cart = await current(request, till)
    keys = await products(request, till, "")
    return await _whole(request, till, cart, keys, "")


@get("/{code:str}/ticket")
async def ticket(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The ticket as it is now: asked for when stock has moved."""
    till = await till_of(request, code)
    return await _answer(request, till, await current(request, till))


@get("/{code:str}/find")
async def find(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """What fits what is typed."""
    till = await till_of(request, code)
    text = typed(request.query_params.get("code"))
    return show(request, till, "pos/results.html", query=text, keys=await products(request, till, text))


async def _whole(
    request: AnyRequest, till: Till, cart: CartView | None, keys: Any, query: str
) -> Response[Any]:
    context = await _context(request, till, cart)
    live = face.live_href(request, "stock")
    return show(
        request,
        till,
        "pos/till.html",
        headers=face.camera_headers(),
        keys=keys,
        query=query,
        live=live,
        **context,
    )


@post("/{code:str}/scan", status_code=200)
async def scan(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """A number from a scanner or by hand goes on the ticket; anything else is searched for."""
    await face.listen_from_here(request)
    till, form = await till_of(request, code), await read_form(request)
    text = typed(form.get("code"))
    found = await weighing.look_up(request, till, text)
    if found is not None and not found.quantity:
        return _weigh_first(request, till, found.variant.id, is_wrong=found.is_wrong)
    if found is not None:
        return await _add(
            request, till, found.variant.id, found.quantity, scan=found.scan, clear_results=True
        )
    member = await _scanned_member(request, till, text)
    if member is not None:
        return await _put_member(request, till, member)
    cart = await current(request, till)
    handed = sharing.offered(text, till)
    if handed is not None:
        return await _handed(request, till, cart, handed)
    keys = await products(request, till, text)
    if not face.is_htmx(request):
        return await _whole(request, till, cart, keys, text)
    return await _answer(request, till, cart, query=text, keys=keys, clear_results=True)


async def _handed(request: AnyRequest, till: Till, cart: CartView | None, handed: TakeOver) -> Response[Any]:
    """A customer's cart becomes the ticket."""
    _ = face.words(request)
    parks = cart is not None and bool(cart.lines)
    extra: dict[str, Any] = {"query": "", "keys": await products(request, till, ""), "clear_results": True}
    try:
        opened = await sharing.take_over(request, handed, cart)
    except sharing.PROBLEMS:
        return await _answer(request, till, cart, said=Said(_(sharing.GONE), "danger"), **extra)
    said = _("The customer's cart is open here. They see what you change.")
    if parks and cart is not None and cart.id != opened.id:
        said += " " + _("The ticket before is parked.")
    answer = await _answer(request, till, opened, said=Said(said, "success"), **extra)
    answer.set_cookie(face.own_cookie(request, cookie_of(till), str(opened.id), DAY_SECONDS))
    return answer


@post("/{code:str}/prices", status_code=200)
async def accept(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The customer agrees to the prices of this store."""
    till = await till_of(request, code)
    cart = await current(request, till)
    if cart is not None:
        cart = await _change(request, till, lambda tx: carts.accept_prices(tx, cart.id))
    return await _answer(request, till, cart)


@post("/{code:str}/others/{other:uuid}", status_code=200)
async def take_rest(request: AnyRequest, code: FromPath[str], other: FromPath[UUID]) -> Response[Any]:
    """What the customer has in another cart goes on the ticket, too."""
    till, _ = await till_of(request, code), face.words(request)
    cart = await current(request, till)
    if cart is None:
        return await _answer(request, till, None)
    try:
        done = await face.change(request, lambda tx: carts.combine(tx, cart.id, other))
    except (CartClosed, Conflict, InvalidInput, NotFound):
        said = Said(_("That could not be put onto the ticket."), "danger")
        return await _answer(request, till, await current(request, till), said=said)
    said = Said(
        _("Both carts are on the ticket now; of the same thing it has the larger quantity."), "success"
    )
    return await _answer(request, till, done.cart, said=said, undo=done.merge)


@post("/{code:str}/merges/{merge:uuid}/undo", status_code=200)
async def undo(request: AnyRequest, code: FromPath[str], merge: FromPath[UUID]) -> Response[Any]:
    """Two carts again."""
    till = await till_of(request, code)
    cart = await current(request, till)
    if cart is not None:
        cart = await _change(request, till, lambda tx: carts.undo(tx, cart.id, merge))
    return await _answer(request, till, cart)


@post("/{code:str}/lines", status_code=200)
async def add(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """One more of what was tapped."""
    till, form = await till_of(request, code), await read_form(request)
    line = form.into(LineInput, quantity=1)
    sold = await catalog.sellables(database_of(request), till.channel, [line.variant])
    if line.variant in sold and sold[line.variant].sold_by is not Measure.PIECE:
        return _weigh_first(request, till, line.variant)
    return await _add(request, till, line.variant, 1)


def _weigh_first(request: AnyRequest, till: Till, variant: UUID, *, is_wrong: bool = False) -> Response[Any]:
    """How much of it has to be typed."""
    return face.go(request, f"{till.base}/weigh?variant={variant}{'&wrong=1' if is_wrong else ''}")


@post("/{code:str}/lines/{line:uuid}", status_code=200)
async def change_line(request: AnyRequest, code: FromPath[str], line: FromPath[UUID]) -> Response[Any]:
    """How many; 0 takes it off."""
    till, form = await till_of(request, code), await read_form(request)
    quantity = max(0, min(form.whole("quantity") or 0, 9_999))
    cart = await current(request, till)
    if cart is not None and any(each.id == line for each in cart.lines):
        cart = await _change(request, till, lambda tx: carts.change_line(tx, cart.id, line, quantity))
    return await _answer(request, till, cart)


@post("/{code:str}/lines/{line:uuid}/lots", status_code=200)
async def choose_lot(request: AnyRequest, code: FromPath[str], line: FromPath[UUID]) -> Response[Any]:
    """Which lot, or which piece by its number, is handed over."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    cart = await current(request, till)
    if cart is None:
        return await _answer(request, till, None)
    try:
        data = form.into(ChooseLot, quantity=form.whole("quantity"))
        changed = await face.change(request, lambda tx: carts.choose_lot(tx, cart.id, line, data))
    except (CartClosed, Conflict, InvalidInput, NotFound) as problem:
        said = Said(_(problem.errors[0].message if problem.errors else problem.detail), "danger")
        return await _answer(request, till, await current(request, till), said=said)
    return await _answer(request, till, changed)


@post("/{code:str}/customer", status_code=200)
async def customer(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The e-mail address of who buys, if they want to say it. Whom we know has what they were offered elsewhere."""
    till, form = await till_of(request, code), await read_form(request)
    cart = await current(request, till)
    if cart is None:
        return await _answer(request, till, None)
    try:
        details = form.into(DetailsInput, email=form.text("email"))
        if details.email is None:
            details = msgspec.structs.replace(details, customer=None)
    except InvalidInput:
        error = face.words(request)("Please write an address like kim@example.com.")
        wrong = msgspec.structs.replace(cart, email=form.get("email")[:254])
        return await _answer(request, till, wrong, email_error=error)
    cart = await _change(request, till, lambda tx: carts.set_details(tx, cart.id, details))
    if cart is not None:
        cart = await sharing.recognise(request, till, cart)
    return await _answer(request, till, cart)


@post("/{code:str}/member/remove", status_code=200)
async def remove_member(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The ticket is nobody's again."""
    till = await till_of(request, code)
    cart = await current(request, till)
    if cart is not None:
        nobody = DetailsInput(customer=None)
        cart = await _change(request, till, lambda tx: carts.set_details(tx, cart.id, nobody))
    return await _answer(request, till, cart)


@post("/{code:str}/codes", status_code=200)
async def add_code(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """A code that the customer shows; what is wrong with it is said at the field."""
    till, form = await till_of(request, code), await read_form(request)
    cart, text = await current(request, till), form.get("code").strip()[:40]
    if cart is None or not text:
        return await _answer(request, till, cart)
    try:
        cart = await _change(request, till, lambda tx: carts.add_code(tx, cart.id, text))
    except BadCode as problem:
        error = reductions.why(request, str(problem.extra["reason"]))
        if not face.is_htmx(request):
            return face.go(request, till.base, f"{text}: {error}", kind="danger")
        return await _answer(request, till, cart, code=text, code_error=error)
    return await _answer(request, till, cart)


@post("/{code:str}/codes/remove", status_code=200)
async def remove_code(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Take a code out."""
    till, form = await till_of(request, code), await read_form(request)
    cart, text = await current(request, till), form.get("code").strip()[:40]
    if cart is not None:
        cart = await _change(request, till, lambda tx: carts.remove_code(tx, cart.id, text))
    return await _answer(request, till, cart)


@post("/{code:str}/clear", status_code=303)
async def clear(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """A new ticket. The old one is left as it was and is given up by itself after a while."""
    till = await till_of(request, code)
    answer = face.go(request, till.base)
    answer.delete_cookie(cookie_of(till))
    return answer


# -- what the pages above share ----------------------------------------------------------------------------------------


async def _add(
    request: AnyRequest,
    till: Till,
    variant: UUID,
    quantity: int,
    *,
    scan: Scan | None = None,
    clear_results: bool = False,
) -> Response[Any]:
    cart = await current(request, till)
    line = LineInput(variant=variant, quantity=quantity)

    async def verb(tx: Tx) -> CartView:
        if scan is not None and (scan.lot or scan.serial):
            empty = cart or await carts.create(tx, CartInput(channel=till.channel.id))
            return await carts.add_scanned(tx, empty.id, variant, scan, quantity)
        if cart is not None:
            return await carts.add_line(tx, cart.id, line)
        return await carts.create(tx, CartInput(channel=till.channel.id, lines=[line]))

    said = None
    try:
        changed: CartView | None = await in_hand(request, till, verb)
    except SoldOut:
        changed, said = await current(request, till), Said(face.words(request)(NONE_LEFT), "danger")
    except (CartClosed, carts.NotSellable, Conflict, InvalidInput, NotFound) as problem:
        text = NO_SUCH_LOT if any(fault.field == "code" for fault in problem.errors) else NOT_FOR_SALE
        changed, said = await current(request, till), Said(face.words(request)(text), "danger")
    extra: dict[str, Any] = {}
    if clear_results and face.is_htmx(request):
        extra = {"query": "", "keys": await products(request, till, ""), "clear_results": True}
    answer = await _answer(request, till, changed, said=said, added=variant, **extra)
    if changed is not None:
        answer.set_cookie(face.own_cookie(request, cookie_of(till), str(changed.id), DAY_SECONDS))
    return answer


async def _scanned_member(request: AnyRequest, till: Till, text: str) -> Member | None:
    """Whose loyalty code was scanned, among this store's customers."""
    if not actor_of(request).may(credit.PAY):
        return None
    return await credit.by_code(database_of(request), text, till.channel.pools[Resource.CUSTOMERS])


async def _put_member(request: AnyRequest, till: Till, member: Member) -> Response[Any]:
    """The ticket is theirs: they earn points, and see their own prices."""
    cart = await current(request, till)

    async def verb(tx: Tx) -> CartView:
        if cart is None:
            data = CartInput(channel=till.channel.id, customer=member.customer)
            return await carts.create(tx, data)
        return await carts.set_details(tx, cart.id, DetailsInput(customer=member.customer))

    changed = await _change(request, till, verb)
    extra: dict[str, Any] = {}
    if face.is_htmx(request):
        extra = {"query": "", "keys": await products(request, till, ""), "clear_results": True}
    answer = await _answer(request, till, changed, **extra)
    if changed is not None:
        answer.set_cookie(face.own_cookie(request, cookie_of(till), str(changed.id), DAY_SECONDS))
    return answer


async def _change(request: AnyRequest, till: Till, work: Any) -> CartView | None:
    """A verb on the ticket's cart; refused, the cart as it is, which says at its lines why."""

    async def verb(tx: Tx) -> CartView:
        changed: CartView = await work(tx)
        return changed

    try:
        return await in_hand(request, till, verb)
    except BadCode:
        raise  # said at the field
    except (CartClosed, Conflict, carts.NotSellable, InvalidInput, NotFound, SoldOut):
        return await current(request, till)


async def _answer(request: AnyRequest, till: Till, cart: CartView | None, **context: Any) -> Response[Any]:
    """The ticket as a piece for htmx; without a script, the till again."""
    if not face.is_htmx(request):
        return face.go(request, till.base)
    return show(request, till, "pos/ticket.html", **{**await _context(request, till, cart), **context})


def _carried(cart: CartView | None, here: Sequence[LotHere], variant: UUID) -> str:
    """Which lots and pieces of a line are in hand, as the till without network keeps them (`offline/lots.js`)."""
    pieces = {each.lot for each in here if each.is_serial}
    chosen = [each for each in cart.lots if each.variant == variant] if cart else []
    return msgspec.json.encode(
        [
            {"lot": None, "serial": each.code, "units": 1}
            if each.lot in pieces
            else {"lot": each.code, "serial": None, "units": each.quantity}
            for each in chosen
        ]
    ).decode()


async def _context(request: AnyRequest, till: Till, cart: CartView | None) -> dict[str, Any]:
    await displays.follow(request, till, cart)
    lines = cart.lines if cart else []
    short = [line.variant for line in lines if line.problem == "short"]
    tax = cart.totals.tax if cart else 0
    here = await stock.lots_here(database_of(request), till.location.id, [line.variant for line in lines])
    customer = cart.customer if cart else None
    member = await credit.view(database_of(request), customer) if customer else None
    return {
        "cart": cart,
        "member": member,
        "buyer": await customers.current(database_of(request), customer) if customer and not member else None,
        "stock": {line.variant: line.available for line in lines if line.available is not None},
        "elsewhere": await _elsewhere(request, till, short) if short else {},
        "blocked": any(line.problem for line in lines) or bool(cart and cart.moved_promotions),
        "moved": any(line.price_before is not None for line in lines),
        "gone": reductions.gone(request, cart),
        "codes": reductions.codes(request, cart),
        "gifts": await reductions.gifts(request, till.channel, cart),
        "code": "",
        "code_error": None,
        "tax_text": amounts.tax_text(request, tax, till.channel.currency, cart.tax_notes if cart else ()),
        "lots": {line.variant: [each for each in here if each.variant == line.variant] for line in lines},
        "carried": {line.variant: _carried(cart, here, line.variant) for line in lines},
        "may_discount": actor_of(request).may(DISCOUNT, till.location.id),
        "said": None,
        "added": None,
        "email_error": None,
        "undo": None,
        "others": await sharing.others(request, cart),
        "parked": await sharing.parked_count(request, till),
        "topic": None if cart is None else carts.topic_of(cart.id),
    }


async def _elsewhere(request: AnyRequest, till: Till, variants: list[UUID]) -> dict[UUID, str]:
    """For each variant, which other places of the same stock have how many."""
    _, database = face.words(request), database_of(request)
    names = {p.id: p.name for p in await stock.locations(database, till.channel.pools[Resource.STOCK])}
    found: dict[UUID, list[str]] = {variant: [] for variant in variants}
    for level in await stock.levels_of(database, variants):
        if level.location in names and level.location != till.location.id and level.available > 0:
            found[level.variant].append(f"{names[level.location]} {level.available}")
    return {
        variant: _("Elsewhere: %(places)s") % {"places": ", ".join(places[:6])}
        if places
        else _("There is none anywhere else either.")
        for variant, places in found.items()
    }


handlers = [
    choose,
    till_page,
    ticket,
    find,
    scan,
    add,
    change_line,
    choose_lot,
    accept,
    take_rest,
    undo,
    customer,
    remove_member,
    add_code,
    remove_code,
    clear,
]
