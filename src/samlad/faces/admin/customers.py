"""Customers: who buys, and what they bought."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, customers, orders, profile
from samlad.access.bulk import Arguments, Kind
from samlad.channels import Channel, ChannelKind, Resource
from samlad.customers import Customer
from samlad.customers.model import CustomerChange, NewCustomer
from samlad.faces.admin import bulk_all, customer_blocks, names
from samlad.faces.admin.bulk_all import BulkList
from samlad.faces.admin.customer_blocks import Block
from samlad.faces.admin.identity import customer_identity
from samlad.faces.admin.lists import shown
from samlad.faces.admin.loyalty import customer_credit
from samlad.faces.admin.scope import order_scope, own_channels, within
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, listen_from_here, live_href, local_path, require, words
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.live import MOST_TOPICS
from samlad.kernel.problems import InvalidInput, NotFound, Problem

FIELDS = ("name", "email", "phone", "country", "locale", "group_name", "external_id")


@get("/admin/customers")
async def list_customers(request: AnyRequest) -> Response[Any]:
    """All customers, the newest first."""
    require(request, customers.READ)
    fixed = await _fixed(request, request.query_params)
    found = await shown(request, database_of(request), customers.LISTING, fixed=fixed)
    tags = await customers.tags_in_use(database_of(request), actor_of(request))
    options = [(each.tag, f"{each.tag} ({each.people})") for each in tags]
    return await admin_page(request, "admin/customers.html", list=found, tags=options)


async def _fixed(request: AnyRequest, params: Mapping[str, str]) -> dict[str, str | None]:
    """What an address cannot change: the pools of who asks, and a number that is kept in another spelling."""
    fixed: dict[str, str | None] = await within(request, Resource.CUSTOMERS, params.get("pool"))
    asked = params.get("q", "").replace("\x00", "").strip()
    if customers.looks_like_phone(asked):
        plain = ListQuery(limit=1, filters={"q": asked, **fixed})
        if not (await customers.LISTING.page(database_of(request), plain)).items:
            fixed |= {"q": None, "phone": asked}
    return fixed


@get("/admin/customers/new")
async def new_customer(request: AnyRequest) -> Response[Any]:
    """The form to write down somebody whom we know before they buy."""
    require(request, customers.CHANGE)
    return await _new_page(request, Form.of(name=request.query_params.get("name", "")[:200]))


async def _new_page(request: AnyRequest, form: Form, known: str | None = None) -> Response[Any]:
    """``known``: who has the address, the number or the id that was typed."""
    first: dict[UUID, Channel] = {}
    own = await own_channels(actor_of(request), database_of(request))
    for each in sorted(own, key=lambda channel: channel.kind is not ChannelKind.WEBSHOP):
        first.setdefault(each.pools[Resource.CUSTOMERS], each)
    return await admin_page(
        request,
        "admin/customer_new.html",
        status_code=form.status,
        form=form,
        known=known,
        channels=[(str(each.id), each.name) for each in first.values()],
    )


@post("/admin/customers/new")
async def add_customer(request: AnyRequest) -> Response[Any]:
    """Somebody new; who is there already is shown instead."""
    require(request, customers.CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        made = await change(request, lambda tx: customers.create(tx, form.into(NewCustomer)))
    except Problem as problem:
        return await _new_page(request, form.failed(problem), problem.extra.get("customer"))
    return go(request, f"/admin/customers/{made.id}", _("Saved."))


@get("/admin/customers/{customer_id:uuid}")
async def show_customer(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Everything about a customer. Who is the same person as another is shown where that one is."""
    require(request, customers.READ)
    customer = await _customer(request, customer_id)
    if customer.id != customer_id:
        return go(request, f"/admin/customers/{customer.id}")
    values = {name: getattr(customer, name) for name in FIELDS}
    return await _customer_page(request, customer, Form.of(version=customer.version, **values))


async def _customer(request: AnyRequest, customer_id: UUID) -> Customer:
    found = await customers.current(database_of(request), customer_id)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


async def _customer_page(request: AnyRequest, customer: Customer, form: Form) -> Response[Any]:
    database, actor = database_of(request), actor_of(request)
    await listen_from_here(request)
    topics = [f"{profile.TOPIC}:{each}" for each in await customers.members(database, customer.id)]
    above, below, values = await customer_blocks.loaded(request, customer)
    bought, count = [], 0
    if actor.may(orders.READ):
        query = ListQuery(limit=20, filters={**order_scope(actor), "customer": str(customer.id)})
        bought = (await orders.LISTING.page(database, query)).items
        count = await orders.LISTING.count(database, query)
    return await admin_page(
        request,
        "admin/customer.html",
        status_code=form.status,
        customer=customer,
        form=form,
        bought=bought,
        count=count,
        above=above,
        below=below,
        names=names,
        channel_names={channel.code: channel.name for channel in await channels.cached_all(database)},
        live_href=live_href(request, *topics[:MOST_TOPICS]),
        **values,
    )


async def _known(request: AnyRequest, customer: Customer) -> dict[str, Any] | None:
    known = await customer_identity(request, customer)
    return None if known is None else {"known": known}


async def _credit(request: AnyRequest, customer: Customer) -> dict[str, Any] | None:
    credit = await customer_credit(request, customer)
    return None if credit is None else {"credit": credit}


customer_blocks.add(Block(place=30, template="admin/customer_identity.html", load=_known))
customer_blocks.add(Block(place=40, template="admin/customer_credit.html", load=_credit))


@post("/admin/customers/{customer_id:uuid}")
async def change_customer(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Change what we know of them. Who became one with another while the form was open is left as they were: the form shows the other."""
    require(request, customers.CHANGE)
    form, _ = await read_form(request), words(request)
    before = await _customer(request, customer_id)
    if before.id != customer_id:
        text = _("Nothing was saved: meanwhile somebody found that this is the same person.")
        return go(request, f"/admin/customers/{before.id}", text, kind="warning")
    try:
        given = form.into(CustomerChange, **{name: form.text(name) for name in FIELDS if name in form.fields})
        after = await change(
            request, lambda tx: customers.change(tx, customer_id, given, version=form.version())
        )
    except Problem as problem:
        return await _customer_page(request, before, form.failed(problem))
    back = {name: getattr(before, name) for name in FIELDS}
    undo = undo_href(request, "customer.change", customer=customer_id, version=after.version, back=back)
    return go(request, f"/admin/customers/{customer_id}", _("Saved."), undo=undo)


@undoable("customer.change")
async def _undo_change(tx: Tx, arguments: dict[str, Any]) -> str:
    back = msgspec.convert(arguments["back"], CustomerChange)
    await customers.change(tx, UUID(arguments["customer"]), back, version=arguments["version"])
    return f"/admin/customers/{arguments['customer']}"


@post("/admin/customers/bulk")
async def tag_many(request: AnyRequest) -> Response[Any]:
    """Give the picked ones, or all that fit, a tag."""
    require(request, customers.CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        given = form.into(customers.TagsInput, tags=[form.get("tag").strip().lower()])
        if not given.tags[0]:
            raise InvalidInput.at("tags/0", "is empty")
    except InvalidInput:
        back = local_path(form.text("next"), "/admin/customers")
        return go(request, back, _("Write the tag that they are to have."), kind="danger")
    return await _TAGS.run(request, form, {"tag": given.tags[0]})


async def _tag(tx: Tx, customer: UUID, arguments: Arguments) -> str | None:
    wanted = arguments["tag"]
    if wanted in await customers.tags_of(tx, customer):
        return None
    await customers.tag(tx, customer, customers.TagsInput(tags=[wanted]))
    return "-"


async def _untag(tx: Tx, customer: UUID, _before: str, arguments: Arguments) -> None:
    await customers.untag(tx, customer, arguments["tag"])


async def _named(reader: Reader, customer: UUID) -> str:
    found = await customers.current(reader, customer)
    if found is None:
        raise NotFound("There is no such customer.")
    return found.name or found.email or str(found.id)


async def _all_that_fit(request: AnyRequest, asked: Mapping[str, str], most: int) -> list[UUID]:
    filters = {name: asked.get(name) for name in customers.LISTING.filters} | await _fixed(request, asked)
    query = ListQuery(filters=filters, sort=asked.get("sort"))
    return await customers.LISTING.keys(database_of(request), query, most=most)


_TAGS = bulk_all.add(
    BulkList(
        path="/admin/customers",
        kind=Kind(name="customers.tag", needs=customers.CHANGE, act=_tag, back=_untag),
        title=lambda request, arguments: f"{words(request)('Give the tag')}: {arguments['tag']}",
        named=_named,
        keys=_all_that_fit,
    )
)

HANDLERS = [list_customers, new_customer, add_customer, tag_many, show_customer, change_customer]
