"""Who is on the phone: the customer of an order that staff enter, found while one types, with what is theirs."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from samlad import accounts, carts, channels, credit, customers
from samlad.accounts import store as account_store
from samlad.carts import Address, CartView
from samlad.channels import Channel, Resource
from samlad.customers import Customer, CustomerRow
from samlad.faces.find_customer import LEAST_LETTERS, LONGEST, find_customers
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, page, require
from samlad.kernel.database import Reader
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import InvalidInput
from samlad.orders.known_addresses import sent_to
from samlad.orders.permissions import PLACE

MOST = 8
MOST_ADDRESSES = 6
PLACE_FIELDS = tuple(Address.__struct_fields__)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A customer on the phone. ``credit`` is what they can pay with, in minor units of the cart's currency; None where the
    reader may not know.
    """

    customer: Customer
    addresses: list[Address]
    credit: int | None


@get("/admin/orders/new/{cart_id:uuid}/customers")
async def suggestions(request: AnyRequest, cart_id: FromPath[UUID]) -> Response[Any]:
    """Who may be meant, while one types."""
    require(request, PLACE)
    require(request, customers.READ)
    cart = await carts.view(database_of(request), actor_of(request), cart_id)
    query = request.query_params.get("find", "").replace("\x00", "").strip()[:LONGEST]
    channel = await channels.cached(database_of(request), cart.channel)
    found = await found_for(request, channel, query)
    return page(request, "admin/order_callers.html", found=found, query=query, least=LEAST_LETTERS)


async def found_for(request: AnyRequest, channel: Channel, query: str) -> list[CustomerRow]:
    """The customers of a channel that fit what was typed."""
    return await find_customers(database_of(request), channel.pools[Resource.CUSTOMERS], query, MOST)


async def wanted(request: AnyRequest, form: Form) -> Customer | None:
    """Whose order it is to be, before there is a draft; None for whoever may not see customers."""
    try:
        chosen = form.one("customer", UUID) if form.text("customer") else None
    except InvalidInput:
        return None
    if chosen is None or not actor_of(request).may(customers.READ):
        return None
    return await customers.current(database_of(request), chosen)


async def caller_of(request: AnyRequest, cart: CartView) -> Caller | None:
    """The customer whose cart it is, with what is theirs; None for a guest, and for who may not see customers."""
    actor, database = actor_of(request), database_of(request)
    if cart.customer is None or not actor.may(customers.READ):
        return None
    found = await customers.current(database, cart.customer)
    if found is None:
        return None
    has = None
    if actor.may(credit.READ):
        balances = await credit.of_customer(database, found.id)
        has = sum(each.available for each in balances if each.unit == cart.currency)
    return Caller(customer=found, addresses=await addresses_of(database, found.id), credit=has)


async def addresses_of(reader: Reader, customer: UUID) -> list[Address]:
    """What they keep in their account, then where things were sent; each once."""
    kept: dict[Address, None] = {}
    for account in await account_store.of_person(reader, customer):
        kept |= {each.address: None for each in await accounts.addresses(reader, account.id)}
    kept |= dict.fromkeys(await sent_to(reader, customer, MOST_ADDRESSES))
    return list(kept)[:MOST_ADDRESSES]


async def fill_in(reader: Reader, form: Form, found: Customer) -> None:
    """Write what is known of a customer where nothing was typed yet."""
    for name in ("name", "email", "phone"):
        if form.text(name) is None and getattr(found, name):
            form.fields[name] = [getattr(found, name)]
    if form.text("line1") is None and form.text("city") is None:
        known = await addresses_of(reader, found.id)
        if known:
            put_address(form, known[0])


def put_address(form: Form, address: Address) -> None:
    """Write an address into its fields; the name that was typed stays."""
    for name in PLACE_FIELDS:
        value = getattr(address, name)
        if name == "name":
            form.fields.setdefault("name", [value])
        else:
            form.fields[name] = [value] if value else []


def one_line(address: Address) -> str:
    """An address as one line of a list."""
    city = " ".join(filter(None, (address.postal_code, address.city)))
    return ", ".join(filter(None, (address.name, address.line1, address.line2, city, address.country)))


HANDLERS = [suggestions]
