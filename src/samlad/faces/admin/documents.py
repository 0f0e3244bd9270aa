"""Invoices and credit notes: the list, what one order has, and who sells."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, documents
from samlad.channels import Channel, ChannelChange, Resource
from samlad.channels.permissions import CHANGE as CHANGE_CHANNELS
from samlad.content import pictures
from samlad.documents import (
    ENTITIES,
    ISSUE,
    LISTING,
    READ,
    Document,
    Entity,
    EntityChange,
    EntityInput,
    IssueInput,
)
from samlad.faces.admin import names
from samlad.faces.admin.lists import href, shown
from samlad.faces.admin.scope import order_scope
from samlad.faces.admin.shell import admin_page, main_channel
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import formatting_locale, marked
from samlad.kernel.problems import InvalidInput, Problem
from samlad.kernel.seen import mark, unchanged
from samlad.orders import Order, OrderKind, OrderStatus

ENTITY_BASE = "/admin/legal-entities"
BUYER = ("name", "registration_number", "vat_number", "endpoint", "reference")
NUMBERS, FLAGS = ("number_digits", "year_begins"), ("is_yearly",)
TEXTS = tuple(name for name in EntityChange.__struct_fields__ if name not in (*NUMBERS, *FLAGS, "logo"))
"""Fields of a legal entity that are typed as text."""


NO_FILE = marked("Please choose a file.")
TOO_LARGE_A_FILE = marked("This file is too large: at most 5 MB.")
NO_PICTURE = marked("This is no picture that we can read: JPEG, PNG, GIF, WebP or AVIF.")


@get("/admin/documents")
async def list_documents(request: AnyRequest) -> Response[Any]:
    """All documents, the newest first."""
    require(request, READ)
    database = database_of(request)
    fixed = {"location": order_scope(actor_of(request)).get("location")}
    found = await shown(request, database, LISTING, fixed=fixed)
    sellers = await documents.all_entities(database)
    return await admin_page(
        request,
        "admin/documents.html",
        list=found,
        names=names,
        kinds=translated(request, names.document_kind),
        sellers=[(one.code, one.name) for one in sellers],
        archive_href=_archive(found.params),
    )


def _archive(params: dict[str, str]) -> str | None:
    """The address of the PDFs of the period that is shown; None without a period."""
    if not params.get("from") or not params.get("to"):
        return None
    kept = {name: params.get(name) for name in ("from", "to", "kind", "entity")}
    return href("/api/documents/archive.zip", kept)


async def papers_of(request: AnyRequest, order: Order) -> dict[str, Any] | None:
    """The documents of an order, for its page; None for who may not see them."""
    actor = actor_of(request)
    if not actor.may(READ):
        return None
    found = await documents.of_order(database_of(request), order.id)
    may_issue = (
        actor.may(ISSUE, order.location)
        and not found
        and order.kind is OrderKind.SALE
        and order.imported is None
        and (order.status is not OrderStatus.CANCELLED or order.is_empty)
    )
    return {"issued": found, "may_issue": may_issue, "is_sale": order.kind is OrderKind.SALE}


async def issue_for(request: AnyRequest, order: UUID, form: Form) -> list[Document]:
    """Issue what an order lacks, for the buyer that the form names."""
    buyer = {name: form.get(f"buyer-{name}").strip() for name in BUYER}
    wanted = form.into(IssueInput, buyer=buyer)
    return await change(request, lambda tx: documents.issue(tx, order, wanted))


# -- who sells -------------------------------------------------------------------------------------------------------------


@get(ENTITY_BASE)
async def list_entities(request: AnyRequest) -> Response[Any]:
    """Who sells."""
    require(request, READ)
    return await _entities_page(request, Form())


def _chosen(known: list[Channel]) -> dict[str, str]:
    """Who sells in each channel by its own word, by id of the channel."""
    return {str(each.id): str(each.own.settings.get(documents.SETTING) or "") for each in known}


async def _entities_page(request: AnyRequest, form: Form) -> Response[Any]:
    database = database_of(request)
    known = await channels.all_channels(database)
    form.fields.setdefault("version", [str(mark(_chosen(known)))])
    found = await documents.all_entities(database)
    sold_by = {
        one.id: [c.name for c in known if c.setting(documents.SETTING) == str(one.id)] for one in found
    }
    return await admin_page(
        request,
        "admin/legal_entities.html",
        status_code=form.status,
        found=found,
        sold_by=sold_by,
        belongs=[
            (c, form.get(f"seller-{c.id}", _chosen([c])[str(c.id)]), _sellers_of(c, found)) for c in known
        ],
        form=form,
        may_choose=actor_of(request).may(CHANGE_CHANNELS),
    )


def _sellers_of(channel: Channel, found: list[Entity]) -> list[tuple[str, str]]:
    """Who could sell in a channel: the companies of its pool of orders but the default, which is no name at all."""
    pool = channel.pools[Resource.ORDERS]
    return [(str(one.id), one.name) for one in found if one.pool == pool and not one.is_default]


@post(f"{ENTITY_BASE}/channels")
async def choose_sellers(request: AnyRequest) -> Response[Any]:
    """Say who sells in which channel; what is left at the default follows it."""
    require(request, CHANGE_CHANNELS)
    form, _ = await read_form(request), words(request)
    database = database_of(request)
    found = await documents.all_entities(database)

    async def work(tx: Tx) -> int:
        async def chosen(tx: Tx) -> dict[str, str]:
            return _chosen(await channels.all_channels(tx))

        await unchanged(tx, "sellers of channels", chosen, form.version())
        changed = 0
        for channel in await channels.all_channels(tx):
            wanted = form.get(f"seller-{channel.id}")
            fits = {"", *(value for value, _text in _sellers_of(channel, found))}
            own = str(channel.own.settings.get(documents.SETTING) or "")
            if f"seller-{channel.id}" not in form.fields or wanted == own or wanted not in fits:
                continue
            settings = {documents.SETTING: wanted or None}
            await channels.change(tx, channel.id, ChannelChange(settings=settings))
            changed += 1
        return changed

    try:
        count = await change(request, work)
    except Problem as problem:
        return await _entities_page(request, form.failed(problem))
    text = _("Saved. It holds from now on.") if count else _("There was nothing to change.")
    return go(request, ENTITY_BASE, text)


@get(f"{ENTITY_BASE}/new")
async def new_entity(request: AnyRequest) -> Response[Any]:
    """Another company that sells."""
    require(request, ENTITIES)
    return await _new_page(request, Form())


async def _new_page(request: AnyRequest, form: Form) -> Response[Any]:
    known = await channels.cached_all(database_of(request))
    return await admin_page(
        request,
        "admin/legal_entity_new.html",
        status_code=form.status,
        form=form,
        channel_choices=[(str(one.id), one.name) for one in known if one.parent is None or len(known) == 1],
    )


@post(f"{ENTITY_BASE}/new")
async def create_entity(request: AnyRequest) -> Response[Any]:
    """Add it; the rest is said on its own page."""
    require(request, ENTITIES)
    form = await read_form(request)
    try:
        values = {name: form.get(name).strip() for name in ("channel", "code", "name")}
        data = form.into(EntityInput, **values, invoice_prefix=form.get("invoice_prefix").strip())
        made = await change(request, lambda tx: documents.create_entity(tx, data))
    except Problem as problem:
        return await _new_page(request, form.failed(problem))
    return go(request, f"{ENTITY_BASE}/{made.id}", words(request)(marked("Added. Say the rest of it here.")))


@post(f"{ENTITY_BASE}/default")
async def make_default(request: AnyRequest) -> Response[Any]:
    """The legal entity of the main channel, made before the first document needs it."""
    require(request, ENTITIES)
    main = await main_channel(database_of(request))
    if main is None:
        return go(request, "/admin/channels/new")
    made = await change(request, lambda tx: documents.default_of(tx, main))
    return go(request, f"{ENTITY_BASE}/{made.id}")


@get(f"{ENTITY_BASE}/{{entity_id:uuid}}")
async def show_entity(request: AnyRequest, entity_id: FromPath[UUID]) -> Response[Any]:
    """One legal entity."""
    require(request, READ)
    entity = await documents.entity(database_of(request), entity_id)
    return await _entity_page(request, entity, Form.of(**_fields(entity)))


def _fields(entity: Entity) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in (*TEXTS, *NUMBERS, *FLAGS, "version")}


async def _entity_page(request: AnyRequest, entity: Entity, form: Form) -> Response[Any]:
    named = formatting_locale(locale_of(request)).months["stand-alone"]["wide"]
    months = [(str(month), text) for month, text in sorted(named.items())]
    return await admin_page(
        request, "admin/legal_entity.html", status_code=form.status, entity=entity, form=form, months=months
    )


@post(f"{ENTITY_BASE}/{{entity_id:uuid}}")
async def change_entity(request: AnyRequest, entity_id: FromPath[UUID]) -> Response[Any]:
    """Say otherwise who sells; what was issued stays as it is."""
    require(request, ENTITIES)
    form, _ = await read_form(request), words(request)
    before = await documents.entity(database_of(request), entity_id)
    try:
        values: dict[str, Any] = {name: form.get(name).strip() for name in TEXTS}
        values |= {name: form.whole(name) or msgspec.UNSET for name in NUMBERS}
        values = {name: value for name, value in values.items() if value is not msgspec.UNSET}
        wanted = form.into(EntityChange, **values, is_yearly=form.has("is_yearly"))
        await change(
            request, lambda tx: documents.change_entity(tx, entity_id, wanted, version=form.version())
        )
    except Problem as problem:
        return await _entity_page(request, before, form.failed(problem))
    return go(request, f"{ENTITY_BASE}/{entity_id}", _("Saved. It holds from now on."))


@post(f"{ENTITY_BASE}/{{entity_id:uuid}}/logo")
async def change_logo(request: AnyRequest, entity_id: FromPath[UUID]) -> Response[Any]:
    """Choose the picture that documents carry, or take it away: then they have the logo of the shop, if it has one."""
    require(request, ENTITIES)
    form, _ = await read_form(request), words(request)
    before = await documents.entity(database_of(request), entity_id)
    try:
        logo = "" if form.has("remove") else await _logo(form)
        wanted = EntityChange(logo=logo)
        await change(
            request, lambda tx: documents.change_entity(tx, entity_id, wanted, version=form.version())
        )
    except Problem as problem:
        shown_again = Form.of(**_fields(before))
        return await _entity_page(request, before, shown_again.failed(_in_words(form, problem)))
    return go(request, f"{ENTITY_BASE}/{entity_id}", _("Saved. It holds from now on."))


async def _logo(form: Form) -> str:
    """The chosen picture as documents carry it. Raises InvalidInput: none, too large, or no picture that we can read."""
    files = form.uploads("logo")
    if not files:
        raise InvalidInput.at("logo", form.translate(NO_FILE))
    content = await files[0].read(pictures.LARGEST_BYTES + 1)
    if len(content) > pictures.LARGEST_BYTES:
        raise InvalidInput.at("logo", form.translate(TOO_LARGE_A_FILE))
    _picture, printed = pictures.read(content, files[0].filename or "logo")
    if not printed:
        raise InvalidInput.at("logo", form.translate(NO_PICTURE))
    return printed


def _in_words(form: Form, problem: Problem) -> Problem:
    """A picture that cannot be read is said at the field, in the reader's language."""
    if isinstance(problem, InvalidInput) and not any(error.field == "logo" for error in problem.errors):
        return InvalidInput.at("logo", form.translate(NO_PICTURE))
    return problem


HANDLERS = [
    list_documents,
    list_entities,
    choose_sellers,
    new_entity,
    create_entity,
    make_default,
    show_entity,
    change_entity,
    change_logo,
]
