"""How a customer gets what is in the cart: the shop's delivery methods, with price and promised day, to choose from."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec

from samlad import carts
from samlad.carts import CartView, Delivery
from samlad.channels import Channel
from samlad.delivery import Destination, MethodKind, Promised, SlotOffer
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront.basket import Basket
from samlad.kernel.context import GUEST
from samlad.kernel.http import database_of
from samlad.kernel.i18n import translator


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way to choose. ``value`` is the code of its method, in a shop without methods the delivery itself.

    ``places`` says of stores when it is ready there; ``location`` is the one that brings it the same day, in one of ``slots``
    if its method has them, of which ``slot`` is the chosen one.
    """

    value: str
    id: str
    delivery: Delivery
    method: str | None
    text: str
    note: str
    price: int
    needs_address: bool
    location: UUID | None = None
    places: dict[UUID, str] = {}
    option: carts.DeliveryOption | None = None
    slot: str | None = None

    def promised(self, location: str | None) -> Promised | None:
        """What is promised when it is chosen; of the store that is chosen with it."""
        try:
            place = UUID(location) if location else None
        except ValueError:
            place = None
        return carts.chosen_promise(self.option, place)

    @property
    def slot_field(self) -> str:
        """The form's field that says which slot: each way has its own, so that radios of two never mix."""
        return f"slot-{self.value}"

    @property
    def slots(self) -> list[tuple[str, list[SlotOffer]]]:
        """What can be chosen, by day as the reader calls it."""
        offers = self.option.promise.slots if self.option and self.option.promise else []
        return [(day, list(of_day)) for day, of_day in groupby(offers, key=lambda offer: offer.day_text)]

    def with_slot(self, wanted: str | None) -> "Way":
        """The way with the slot that was chosen, else (nobody did, or it is full or over) with the first that has room."""
        promise = self.option.promise if self.option else None
        if promise is None:
            return self
        return msgspec.structs.replace(self, slot=wanted if wanted in promise.free_slots else promise.slot)

    @property
    def css(self) -> str:
        """What the form shows with it: fields of an address, or a store to choose."""
        if self.delivery is Delivery.PICKUP:
            return "collects"
        return "sends" if self.needs_address else ""

    def details(self, location: str | None) -> dict[str, Any]:
        """What is told to the cart when it is chosen; ``location`` is the store that was chosen with it."""
        place = location if self.delivery is Delivery.PICKUP else self.location
        return {"delivery": self.delivery, "delivery_method": self.method, "location": place}


async def ways_of(
    request: AnyRequest,
    channel: Channel,
    held: Basket,
    cart: CartView,
    *,
    has_stores: bool,
    to: Destination | None = None,
) -> list[Way]:
    """What can be chosen for a cart; the first is for who has not chosen yet. ``to`` is where it would go, if that is
    another place than the cart knows."""
    database = database_of(request)
    found = await carts.delivery_ways(
        database, GUEST, cart.id, token=held.token, to=to, locale=face.locale_of(request)
    )
    found = [option for option in found if has_stores or option.delivery is not Delivery.PICKUP]
    if not found and to is not None:  # nothing goes there: the address is what is refused, not the way
        return await ways_of(request, channel, held, cart, has_stores=has_stores)
    if not found:
        return _plain(request, channel, has_stores)
    return [_way(option, face.locale_of(request)) for option in found]


def _note(promise: Promised, locale: str) -> str:
    """What is promised; where a time is chosen, the soonest."""
    first = next((offer for offer in promise.slots if offer.key == promise.slot), None)
    if first is None:
        return promise.text
    soonest = translator(locale).gettext("Soonest: %(day)s %(time)s")
    return soonest % {"day": first.day_text, "time": first.text}


def _way(option: carts.DeliveryOption, locale: str) -> Way:
    promises = {store.location: store.promise for store in option.stores if store.promise is not None}
    earliest = min(promises.values(), key=lambda p: (p.first_day is None, p.ready_at), default=option.promise)
    return Way(
        value=option.code,
        id=f"delivery-{option.code}",
        delivery=option.delivery,
        method=option.code,
        text=option.name,
        note="" if earliest is None else _note(earliest, locale),
        price=option.price,
        needs_address=option.kind in (MethodKind.SHIP, MethodKind.SAME_DAY),
        location=option.promise.location if option.promise and option.kind is MethodKind.SAME_DAY else None,
        places={place: promise.text for place, promise in promises.items()},
        option=option,
    )


def _plain(request: AnyRequest, channel: Channel, has_stores: bool) -> list[Way]:
    """In a shop without methods: sent for its flat rate, or picked up."""
    _ = face.words(request)
    sent = Way(
        value="ship",
        id="delivery-ship",
        delivery=Delivery.SHIP,
        method=None,
        text=_("Sent to my door"),
        note=_("In two to four days"),
        price=int(channel.setting("shipping_flat")),
        needs_address=True,
    )
    fetched = Way(
        value="pickup",
        id="delivery-pickup",
        delivery=Delivery.PICKUP,
        method=None,
        text=_("Picked up in a store"),
        note=_("Put aside for you at once"),
        price=0,
        needs_address=False,
    )
    return [sent, fetched] if has_stores else [sent]


def chosen(ways: Sequence[Way], value: str, cart: CartView) -> Way:
    """The way that was chosen: by the form, else by the cart, else the first."""
    by_form = [way for way in ways if way.value == value]
    by_cart = [way for way in ways if way.method and way.method == cart.delivery_method]
    by_kind = [way for way in ways if way.delivery is cart.delivery]
    return [*by_form, *by_cart, *by_kind, *ways][0]


def moves(way: Way, location: str | None, cart: CartView) -> bool:
    """Whether a choice is another one than the cart has."""
    wanted = way.details(location)
    place = wanted["location"]
    return (
        cart.delivery != way.delivery
        or cart.delivery_method != way.method
        or (None if cart.location is None else str(cart.location)) != (None if place is None else str(place))
    )
