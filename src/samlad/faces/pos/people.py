"""Customers at the till: find one, put them on the ticket, help them to sign in. `clients` has the page of a person."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import accounts, carts, clienteling, credit, customers, profile
from samlad.carts import CartClosed, CartInput, CartView, DetailsInput
from samlad.channels import Resource
from samlad.customers import CustomerRow
from samlad.faces import page as face
from samlad.faces import shop_link
from samlad.faces.find_customer import LEAST_LETTERS, find_customers
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import DAY_SECONDS, Till, cookie_of, current, show, till_of
from samlad.kernel import qr
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.profile import Person

MOST = 20
SHOWN = ("tags", "loyalty", "promotions", "orders", "notes", "store_credit")
"""The parts that a clerk sees, each if their role may."""
SERVED = (*SHOWN, "returns", "carts", "traits")
"""What a clerk sees besides who serves customers here: over all channels and stores."""


@get("/{code:str}/customers")
async def find(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Customers of this store by name, e-mail address, phone or number; two letters at least."""
    till = await till_of(request, code)
    actor_of(request).require(customers.READ)
    query = request.query_params.get("q", "").replace("\x00", "").strip()[:100]
    pool, database = till.channel.pools[Resource.CUSTOMERS], database_of(request)
    found: list[CustomerRow] = []
    if len(query) >= LEAST_LETTERS:
        member = await credit.by_code(database, query, pool) if actor_of(request).may(credit.READ) else None
        if member is not None:  # the code of their card, or from their phone
            return face.go(request, f"{till.base}/customers/{member.customer}")
        found = await find_customers(database, pool, query, MOST)
        await face.change(request, lambda tx: clienteling.searched(tx, till.location.id, len(found)))
    return show(
        request,
        till,
        "pos/customers.html",
        headers=face.camera_headers(),
        query=query,
        found=found,
        may_serve=actor_of(request).may(clienteling.SERVE, till.location.id),
        may_add=actor_of(request).may(customers.CHANGE),
    )


async def person_of(request: AnyRequest, till: Till, customer: UUID) -> Person:
    """What a clerk may see; notes only those for clerks, whoever stands at the till.

    Who serves customers here sees what they bought in all stores, who does not only what they bought in their own.

    Raises:
        NotFound: no such customer among those of this store.
    """
    actor = actor_of(request)
    serves = actor.may(clienteling.SERVE, till.location.id)
    if serves:
        actor = msgspec.structs.replace(actor, locations=None)
    person = await profile.read(database_of(request), actor, customer, SERVED if serves else SHOWN)
    if person.pool != till.channel.pools[Resource.CUSTOMERS]:
        raise NotFound("There is no such customer in this store.")
    notes = None if person.notes is None else [note for note in person.notes if note.for_clerks]
    return msgspec.structs.replace(person, notes=notes)


@post("/{code:str}/customers/{customer_id:uuid}", status_code=303)
async def attach(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """The ticket is theirs: they earn points, and have what they were offered."""
    till, _ = await till_of(request, code), face.words(request)
    found = await person_of(request, till, customer_id)
    cart = await current(request, till)

    try:
        ticket = await face.change(request, lambda tx: on_ticket(tx, till, cart, found.id))
    except (CartClosed, Conflict, InvalidInput, NotFound) as problem:
        return face.go(request, till.base, _(problem.detail), kind="warning")
    label = found.name or found.email or found.external_id or ""
    answer = face.go(request, till.base, _("The ticket is %(name)s’s.") % {"name": label})
    answer.set_cookie(face.own_cookie(request, cookie_of(till), str(ticket), DAY_SECONDS))
    return answer


async def on_ticket(tx: Tx, till: Till, cart: CartView | None, customer: UUID) -> UUID:
    """The ticket is a customer's; a new one where there is none. Its id."""
    if cart is None:
        return (await carts.create(tx, CartInput(channel=till.channel.id, customer=customer))).id
    return (await carts.set_details(tx, cart.id, DetailsInput(customer=customer))).id


@post("/{code:str}/customers/{customer_id:uuid}/code", status_code=200)
async def show_code(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """A code with which they sign in on their own phone: to scan, or six digits to type."""
    till = await till_of(request, code)
    actor_of(request).require(accounts.HELP, location=till.location.id)
    found = await person_of(request, till, customer_id)
    made = await face.change(request, lambda tx: accounts.show(tx, found.id, till.channel))
    shop = await shop_link.shop_of(request, found.pool)
    base = shop_link.base_url(request, shop) if shop else None
    address = (base or shop_link.as_asked(request)) + made.path
    return show(
        request,
        till,
        "pos/customer_code.html",
        person=found,
        digits=made.code,
        minutes=accounts.CODE_MINUTES,
        picture=Markup(qr.svg(address, scale=6)),  # noqa: S704 - drawn by segno from an address
    )


handlers = [find, attach, show_code]
