"""When an order that staff enter is brought: the place that brings it the same day, and the time that was chosen of its slots."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from samlad import carts, channels, delivery
from samlad.carts import CartView, DeliveryOption, DetailsInput
from samlad.delivery import MethodKind, Promised, SlotFull, SlotOffer, SlotPast
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, change, locale_of, page, require, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem
from samlad.orders.permissions import PLACE

GONE = marked(
    "This time is full or over. The next one that is free is chosen now: %(next)s. Nothing was ordered yet."
)
NONE_LEFT = marked("No time is free any more for this way of delivery. Choose another one.")
NOWHERE = marked("No store can bring all of it the same day. Choose another way of delivery.")
LOOK = marked("Choose when it is to come. The soonest time is chosen now; nothing was ordered yet.")


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """The slots of a method. ``field``: of the draft's form, each method has its own. ``chosen``: the key of one that is free."""

    field: str
    offers: list[SlotOffer]
    chosen: str


def field_of(code: str) -> str:
    """The field of a draft's form that says in which slot a method brings it."""
    return f"slot-{code}"


def times_of(options: list[DeliveryOption], cart: CartView, form: Form) -> Times | None:
    """The times of the method that a form has chosen; None where there is nothing to choose."""
    promise = _promise_of(options, form.get("delivery"))
    if promise is None or promise.slot is None:
        return None
    before = cart.promise.slot if cart.promise and cart.promise.method == promise.method else None
    wanted = (form.text(field_of(promise.method)), before)
    chosen = next((key for key in wanted if key in promise.free_slots), promise.slot)
    return Times(field=field_of(promise.method), offers=promise.slots, chosen=chosen or promise.slot)


def _promise_of(options: list[DeliveryOption], code: str) -> Promised | None:
    found = next((each for each in options if each.code == code), None)
    return found.promise if found is not None and found.kind is MethodKind.SAME_DAY else None


@get("/admin/orders/new/{cart_id:uuid}/times")
async def times(request: AnyRequest, cart_id: FromPath[UUID]) -> Response[Any]:
    """The times of a way of delivery, as soon as that is chosen."""
    require(request, PLACE)
    cart = await carts.view(database_of(request), actor_of(request), cart_id)
    form = Form({name: [value] for name, value in request.query_params.items()})
    found = times_of(await ways(request, cart), cart, form)
    return page(request, "admin/order_times.html", times=found, form=form)


async def ways(request: AnyRequest, cart: CartView) -> list[DeliveryOption]:
    """How it could get there, in the language of who enters it."""
    return await carts.delivery_ways(
        database_of(request), actor_of(request), cart.id, locale=locale_of(request)
    )


async def settle(request: AnyRequest, cart: CartView, form: Form, *, placing: bool) -> CartView:
    """A draft whose method brings it the same day, with the place that does and what is promised: in the slot that the form
    says, else in the first with room. Nothing is done with other methods.

    Raises:
        SlotFull, SlotPast: that slot cannot be had. InvalidInput: the order is to be placed, and no place can bring it, or
            nobody has seen yet when it comes.
    """
    database, code = database_of(request), cart.delivery_method
    channel = await channels.cached(database, cart.channel)
    if code is None or not await _is_same_day(request, cart):
        return cart
    found = await carts.delivery_ways(database, actor_of(request), cart.id, locale=channel.locale)
    promise = _promise_of(found, code)
    if promise is None:
        if placing:
            raise InvalidInput.at("delivery", form.translate(NOWHERE))
        return cart
    if placing and promise.slots and not form.has(field_of(code)):
        raise InvalidInput.at(field_of(code), form.translate(LOOK))
    kept = await delivery.in_slot(
        database, promise, form.text(field_of(code)), locale=channel.locale, country=channel.country
    )

    async def work(tx: Tx) -> CartView:
        await carts.keep_promise(tx, cart.id, kept)
        if cart.location == kept.location:
            return await carts.view(tx, tx.actor, cart.id)
        where = DetailsInput(location=kept.location)
        return await carts.set_details(tx, cart.id, where)

    return await change(request, work)


async def _is_same_day(request: AnyRequest, cart: CartView) -> bool:
    channel = await channels.cached(database_of(request), cart.channel)
    known = await delivery.methods_of(database_of(request), channel)
    return any(each.code == cart.delivery_method and each.kind is MethodKind.SAME_DAY for each in known)


async def refused(request: AnyRequest, cart: CartView, form: Form, problem: Problem) -> None:
    """Say at its field that a time is gone, and which is chosen in its place."""
    if not isinstance(problem, SlotFull | SlotPast):
        return
    _ = words(request)
    form.fields["delivery"] = [cart.delivery_method or ""]
    found = times_of(await ways(request, cart), cart, form)
    if found is None:
        form.message = form.errors["delivery"] = _(NONE_LEFT)
        return
    following = next(each for each in found.offers if each.key == found.chosen)
    form.fields[found.field] = [found.chosen]
    form.message = form.errors[found.field] = _(GONE) % {"next": f"{following.day_text} {following.text}"}


HANDLERS = [times]
