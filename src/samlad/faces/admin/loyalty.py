"""The loyalty programme, and what a customer has with the shop: store credit, points, rewards."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import channels, credit, customers
from samlad.channels import Channel, Resource
from samlad.credit import (
    ENTRIES,
    GRANT,
    ISSUE,
    PAY,
    PROGRAMME,
    READ,
    GrantInput,
    PointsInput,
    Programme,
    ProgrammeInput,
    RedeemInput,
)
from samlad.customers import Customer
from samlad.faces.admin import names
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel import qr
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem

SPARE = 2
"""Empty rows below those that are filled."""
_NUMBERS = ("period_months", "pending_days", "expire_months")
ROWS = {
    "rates": ("currency", "spend", "points"),
    "tiers": ("code", "name", "threshold", "multiplier_percent", "benefits"),
    "rewards": ("code", "name", "points", "kind", "amount", "currency"),
}
_MONEY = ("spend", "amount")
_WHOLE = ("points", "threshold", "multiplier_percent")
GRANTED = marked("Granted. It can be spent on every channel at once.")


# -- the programme -----------------------------------------------------------------------------------------------------------


@get("/admin/loyalty")
async def show_programme(request: AnyRequest) -> Response[Any]:
    """The programme of the main channel's customers, or of another channel's."""
    require(request, READ)
    channel = await _channel_of(request)
    found = None
    if channel is not None:
        found = await credit.programme(database_of(request), channel.pools[Resource.CUSTOMERS])
    return await _programme_page(request, channel, _form_of(found))


async def _channel_of(request: AnyRequest) -> Channel | None:
    known = await channels.cached_all(database_of(request))
    wanted = request.query_params.get("channel")
    return next((one for one in known if one.code == wanted), main_of(known))


def _form_of(programme: Programme | None) -> Form:
    if programme is None:
        return Form.of(version=0, is_active=True, period_months=12, pending_days=0)
    values: dict[str, Any] = {
        name: getattr(programme, name) for name in ("name", "is_active", "is_automatic", *_NUMBERS)
    }
    for kind, fields in ROWS.items():
        for index, row in enumerate(getattr(programme, kind)):
            for field in fields:
                value = getattr(row, field)
                shown = decimal_text(value, row.currency) if field in _MONEY else value
                values[f"{kind}/{index}/{field}"] = shown
    return Form.of(version=programme.version, **values)


async def _programme_page(request: AnyRequest, channel: Channel | None, form: Form) -> Response[Any]:
    known = await channels.cached_all(database_of(request))
    pool = channel.pools[Resource.CUSTOMERS] if channel else None
    first_of = {one.pools[Resource.CUSTOMERS]: one for one in reversed(known)}
    return await admin_page(
        request,
        "admin/loyalty.html",
        status_code=form.status,
        form=form,
        channel=channel,
        shared_by=[one.name for one in known if one.pools[Resource.CUSTOMERS] == pool],
        others=[one for one in first_of.values() if one.pools[Resource.CUSTOMERS] != pool],
        counts={kind: _filled(form, kind) + SPARE for kind in ROWS},
        kinds=translated(request, names.reward_kind),
        loose=form.loose_errors(["name", *_NUMBERS]),
    )


def _filled(form: Form, kind: str) -> int:
    found = [
        int(name.split("/")[1]) for name in form.fields if name.startswith(f"{kind}/") and form.text(name)
    ]
    return max(found, default=-1) + 1


@post("/admin/loyalty")
async def set_programme(request: AnyRequest) -> Response[Any]:
    """Set it; it holds for what is earned from now on."""
    require(request, PROGRAMME)
    form, _ = await read_form(request), words(request)
    channel = await _channel_of(request)
    if channel is None:
        raise NotFound("There is no channel yet.")
    try:
        data = form.into(
            ProgrammeInput,
            channel=str(channel.id),
            is_active=form.has("is_active"),
            is_automatic=form.has("is_automatic"),
            **{kind: _rows(form, kind) for kind in ROWS},
            **{name: form.whole(name) for name in _NUMBERS if form.text(name)},
        )
        await change(request, lambda tx: credit.set_programme(tx, data, version=form.version()))
    except Problem as problem:
        return await _programme_page(request, channel, form.failed(problem))
    return go(request, f"/admin/loyalty?channel={channel.code}", _("Saved. It holds from now on."))


def _rows(form: Form, kind: str) -> list[dict[str, Any]]:
    rows = []
    for index in range(min(_filled(form, kind), 100)):
        names_of = {field: f"{kind}/{index}/{field}" for field in ROWS[kind]}
        if not any(form.text(name) for field, name in names_of.items() if field != "kind"):
            continue
        row: dict[str, Any] = {field: form.text(name) for field, name in names_of.items() if form.text(name)}
        currency = (row.get("currency") or "").upper()
        if "currency" in row:
            row["currency"] = currency
        for field in row:
            if field in _WHOLE:
                row[field] = form.whole(names_of[field])
            elif field in _MONEY:
                row[field] = form.amount(names_of[field], currency or "EUR")
        rows.append(row)
    return rows


# -- a customer ----------------------------------------------------------------------------------------------------------------


async def customer_credit(request: AnyRequest, customer: Customer) -> dict[str, Any] | None:
    """What the customer's page shows of credit and points; None for who may not see it."""
    if not actor_of(request).may(READ):
        return None
    database = database_of(request)
    member = await credit.view(database, customer.id)
    same = await customers.members(database, customer.id)
    return {
        "balances": await credit.of_customer(database, customer.id),
        "member": member,
        "picture": Markup(qr.svg(member.code)) if member else None,  # noqa: S704 - drawn by segno from a code
        "programme": await credit.programme(database, customer.pool),
        "entries": (await ENTRIES.page(database, ListQuery(limit=20), same)).items,
        "currency": await _currency_of(request, customer),
        "key": str(new_id()),
    }


async def _currency_of(request: AnyRequest, customer: Customer) -> str:
    channel = await _met_in(request, customer)
    return channel.currency


async def _met_in(request: AnyRequest, customer: Customer) -> Channel:
    """The channel that stands for the customer's pool."""
    known = await channels.cached_all(database_of(request))
    ours = [one for one in known if one.pools[Resource.CUSTOMERS] == customer.pool]
    if not ours:
        raise NotFound("No channel has these customers any more.")
    return main_of(ours) or ours[0]


@post("/admin/customers/{customer_id:uuid}/store-credit")
async def grant(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Give store credit, with a reason."""
    require(request, GRANT)
    form, _ = await read_form(request), words(request)

    async def verb() -> str:
        currency = (form.text("currency") or "").upper()
        amount = form.amount("amount", currency or "EUR")
        data = form.into(GrantInput, amount=amount, currency=currency, order=None)
        await change(request, lambda tx: credit.grant(tx, customer_id, data))
        return _(GRANTED)

    return await _done(request, customer_id, verb)


@post("/admin/customers/{customer_id:uuid}/points")
async def adjust(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Give points, or take some, with a reason."""
    require(request, GRANT)
    form, _ = await read_form(request), words(request)

    async def verb() -> str:
        data = form.into(PointsInput, points=form.whole("points"))
        await change(request, lambda tx: credit.adjust(tx, customer_id, data))
        return _("The points are booked.")

    return await _done(request, customer_id, verb)


@post("/admin/customers/{customer_id:uuid}/join")
async def join(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Make them a member."""
    require(request, ISSUE)
    _ = words(request)

    async def verb() -> str:
        await change(request, lambda tx: credit.enrol(tx, customer_id))
        return _("Welcome: they are a member and have a code to show.")

    return await _done(request, customer_id, verb)


@post("/admin/customers/{customer_id:uuid}/rewards")
async def redeem(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Turn points into a reward; a gift card's code is shown this once."""
    require(request, PAY)
    form, _ = await read_form(request), words(request)

    try:
        customer = await customers.get(database_of(request), customer_id)
        if customer is None:
            raise NotFound("There is no such customer.")
        channel = await _met_in(request, customer)
        data = form.into(RedeemInput, channel=str(channel.id))
        made = await change(request, lambda tx: credit.redeem(tx, customer_id, data))
    except (Conflict, InvalidInput, credit.NoProgramme) as problem:
        return go(request, f"/admin/customers/{customer_id}", _(problem.detail), kind="danger")
    if made.code is None:
        return go(request, f"/admin/customers/{customer_id}", _("The reward is on the store credit."))
    return await admin_page(
        request, "admin/reward_made.html", status_code=201, made=made, customer_id=customer_id
    )


async def _done(request: AnyRequest, customer_id: UUID, verb: Callable[[], Awaitable[str]]) -> Response[Any]:
    """What was done, or why not, above the customer's page."""
    here = f"/admin/customers/{customer_id}"
    try:
        return go(request, here, await verb())
    except (Conflict, InvalidInput, credit.NoProgramme) as problem:
        told = problem.errors[0].message if problem.errors else problem.detail
        return go(request, here, words(request)(told), kind="danger")


HANDLERS = [show_programme, set_programme, grant, adjust, join, redeem]
