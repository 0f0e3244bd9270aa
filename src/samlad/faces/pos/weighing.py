"""What is sold by weight, length or volume: how much a code says that there is, and typing it, with tare."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, catalog
from samlad.carts import CartClosed, CartInput, CartView, LineInput
from samlad.carts.model import LARGEST_QUANTITY
from samlad.catalog import Measure, Sellable, VariantRef
from samlad.channels import Resource
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import DAY_SECONDS, Till, cookie_of, current, in_hand, show, till_of
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.money import exponent
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.stock import SoldOut, scale_codes
from samlad.stock.scanning import Scan, read

WRONG_DIGIT = marked("The price or weight in this code does not fit its check digit. Type it.")
NOT_SO_MUCH = marked("Write how much in %(unit)s, for example 0.750: above zero and at most %(most)s.")
TARE_TOO_LARGE = marked("The packaging weighs less than all of it.")


class Scanned(msgspec.Struct, frozen=True):
    """What was scanned: which variant, what its code says beside, and how much of it; 0: that has to be typed."""

    variant: VariantRef
    scan: Scan
    quantity: int
    is_wrong: bool = False


async def look_up(request: AnyRequest, till: Till, text: str) -> Scanned | None:
    """What a code means in this store, None if nothing."""
    database, pool = database_of(request), till.channel.pools[Resource.CATALOGUE]
    scan = read(text)
    found = await catalog.variant_by_code(database, pool, scan.code) if text else None
    scale = None
    if found is None:
        scale = scale_codes.read(text.strip(), till.channel.setting("scale_codes"))
        for name in scale.names if scale else ():
            found = found or await catalog.variant_by_code(database, pool, name)
    if found is None:
        return None
    sold = (await catalog.sellables(database, till.channel, [found.id])).get(found.id)
    if sold is None or sold.sold_by is Measure.PIECE:
        return Scanned(found, scan, 1)
    if scale is not None:
        measure = ("weight", scale.grams) if scale.grams is not None else None
        scan = msgspec.structs.replace(scan, measure=measure, price=scale.price)
    is_wrong = scale is not None and scale.is_wrong
    return Scanned(found, scan, 0 if is_wrong else quantity_of(scan, sold), is_wrong)


def quantity_of(scan: Scan, sold: Sellable) -> int:
    """How much a code says that there is, in what the variant is counted in; 0 if it does not say."""
    if scan.measure is not None and scan.measure[0] == sold.sold_by:
        return scan.measure[1]
    if scan.price is None or sold.price is None:
        return 0
    paid = scale_codes.minor_of(scan.price, exponent(sold.currency))
    return scale_codes.quantity_for(paid, sold.price, sold.sold_by.per) or 0


def typed(text: str) -> int | None:
    """Thousandths of what was typed in kilograms, metres or litres: ``0,75`` is 750; None if it is none."""
    try:
        amount = Decimal(text.strip().replace(",", ".")) * 1_000
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount <= 10**9:
        return None
    return int(amount)


@get("/{code:str}/weigh")
async def weigh_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """How much of it there is."""
    till = await till_of(request, code)
    query = request.query_params
    form = Form.of(variant=query.get("variant"), line=query.get("line"))
    if query.get("wrong"):
        form.message = face.words(request)(WRONG_DIGIT)
    return await _page(request, till, form)


async def _page(request: AnyRequest, till: Till, form: Form) -> Response[Any]:
    sold = await _sold(request, till, form)
    if sold is None:
        return face.go(request, till.base)
    return show(
        request,
        till,
        "pos/weigh.html",
        status=form.status,
        sold=sold,
        unit=catalog.measures.UNITS[sold.sold_by],
        form=form,
    )


async def _sold(request: AnyRequest, till: Till, form: Form) -> Sellable | None:
    try:
        variant = UUID(form.get("variant"))
    except ValueError:
        return None
    found = (await catalog.sellables(database_of(request), till.channel, [variant])).get(variant)
    return found if found is not None and found.sold_by is not Measure.PIECE else None


@post("/{code:str}/weigh", status_code=303)
async def weigh(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Put so much of it on the ticket, or make so much of a line that is there."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    sold = await _sold(request, till, form)
    if sold is None:
        return face.go(request, till.base)
    try:
        quantity = _net(request, form, sold)
        changed = await _put(request, till, sold.variant, quantity, form.get("line"))
    except SoldOut:
        return face.go(request, till.base, _("There is not so much of this here."), kind="danger")
    except (CartClosed, carts.NotSellable, Conflict, NotFound):
        return face.go(request, till.base, _("This is not for sale here."), kind="danger")
    except InvalidInput as problem:
        return await _page(request, till, form.failed(problem))
    answer = face.go(request, till.base)
    answer.set_cookie(face.own_cookie(request, cookie_of(till), str(changed.id), DAY_SECONDS))
    return answer


def _net(request: AnyRequest, form: Form, sold: Sellable) -> int:
    """What the scale shows less the packaging.

    Raises:
        InvalidInput: that is no quantity.
    """
    _ = face.words(request)
    gross, tare = typed(form.get("gross")), typed(form.get("tare") or "0")
    unit, most = catalog.measures.UNITS[sold.sold_by], f"{LARGEST_QUANTITY / 1_000:.3f}"
    if gross is None or gross == 0:
        raise InvalidInput.at("gross", _(NOT_SO_MUCH) % {"unit": unit, "most": most})
    if tare is None or tare >= gross:
        raise InvalidInput.at("tare", _(TARE_TOO_LARGE))
    if gross - tare > LARGEST_QUANTITY:
        raise InvalidInput.at("gross", _(NOT_SO_MUCH) % {"unit": unit, "most": most})
    return gross - tare


async def _put(request: AnyRequest, till: Till, variant: UUID, quantity: int, line: str) -> CartView:
    cart = await current(request, till)
    known = None if cart is None else next((each for each in cart.lines if str(each.id) == line), None)

    async def verb(tx: Tx) -> CartView:
        wanted = LineInput(variant=variant, quantity=quantity)
        if cart is None:
            return await carts.create(tx, CartInput(channel=till.channel.id, lines=[wanted]))
        if known is not None:
            return await carts.change_line(tx, cart.id, known.id, quantity)
        return await carts.add_line(tx, cart.id, wanted)

    return await in_hand(request, till, verb)


handlers = [weigh_page, weigh]
