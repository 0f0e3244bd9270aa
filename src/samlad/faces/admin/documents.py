"""Invoices and credit notes: the list, what one order has, and who sells."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, documents
from samlad.documents import ENTITIES, ISSUE, LISTING, READ, Document, Entity, EntityChange, IssueInput
from samlad.faces.admin import names
from samlad.faces.admin.lists import href, shown
from samlad.faces.admin.scope import order_scope
from samlad.faces.admin.shell import admin_page, main_channel
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, require, translated, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import formatting_locale
from samlad.kernel.problems import Problem
from samlad.orders import Order, OrderKind, OrderStatus

ENTITY_BASE = "/admin/legal-entities"
BUYER = ("name", "registration_number", "vat_number", "endpoint", "reference")
NUMBERS, FLAGS = ("number_digits", "year_begins"), ("is_yearly",)
TEXTS = tuple(name for name in EntityChange.__struct_fields__ if name not in (*NUMBERS, *FLAGS, "logo"))
"""Fields of a legal entity that are typed as text."""


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
        and order.status is not OrderStatus.CANCELLED
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
    database = database_of(request)
    known = await channels.cached_all(database)
    found = await documents.all_entities(database)
    sold_by = {
        one.id: [c.name for c in known if c.setting(documents.SETTING) == str(one.id)] for one in found
    }
    return await admin_page(request, "admin/legal_entities.html", found=found, sold_by=sold_by)


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


HANDLERS = [list_documents, list_entities, make_default, show_entity, change_entity]
