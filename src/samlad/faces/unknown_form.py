"""The form by which goods are taken back without a receipt, at the desk and at the till alike."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad import catalog, credit, customers
from samlad.catalog import Tracking, VariantRef
from samlad.channels import Channel, Resource
from samlad.customers import PersonInput
from samlad.faces import change_form
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, change, locale_of, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, Problem
from samlad.orders import Order, return_reasons
from samlad.orders.return_model import UnknownInput
from samlad.orders.return_unknown import UnknownPreview, preview_unknown, take_unknown
from samlad.stock import lots_store, scanning

ROWS = 5
"""So many different things at once; whoever has more takes them back twice."""
EMAIL = marked("An e-mail address, or the code of a loyalty card.")


async def read(request: AnyRequest, channel: Channel, location: UUID, form: Form) -> UnknownInput:
    """What was typed. Nobody is made a customer by it: an address that is not known yet has an id of nobody.

    Raises:
        InvalidInput: at the field that cannot be read.
    """
    lines: list[dict[str, Any]] = []
    for row in range(1, ROWS + 1):
        code = form.text(f"code-{row}")
        if code is None:
            continue
        found = await _variant(request, channel, code)
        if found is None:
            raise InvalidInput.at(f"code-{row}", words(request)(marked("Nothing has this code.")))
        line: dict[str, Any] = {"variant": str(found.id), "quantity": form.whole(f"quantity-{row}") or 1}
        line["reason"] = form.text(f"reason-{row}") or "other"
        if form.text(f"condition-{row}"):
            line["condition"] = form.get(f"condition-{row}")
        scan = scanning.read(code)
        lot, until = form.text(f"lot-{row}") or scan.serial or scan.lot, form.text(f"expires_on-{row}")
        if found.id in await _by_lot(request, [found.id]):
            line |= {"lot": lot} if lot else {}
            line |= {"expires_on": until or str(scan.expires_on)} if until or scan.expires_on else {}
        lines.append(line)
    if not lines:
        raise InvalidInput.at("code-1", words(request)(marked("Please fill this in.")))
    customer = await _customer(request, channel, form)
    values = {
        "location": str(location),
        "lines": lines,
        "customer": str(customer or new_id()),
        "override": form.text("override") or "-",
        "note": form.get("note").strip(),
        "id": form.text("id"),
    }
    return form.into(UnknownInput, **values)


async def _variant(request: AnyRequest, channel: Channel, code: str) -> VariantRef | None:
    pool = channel.pools[Resource.CATALOGUE]
    return await catalog.variant_by_code(database_of(request), pool, scanning.read(code).code)


async def _by_lot(request: AnyRequest, variants: Sequence[UUID]) -> set[UUID]:
    """Those whose units are of lots or have serial numbers, so that whoever takes one back must say which."""
    tracking = await lots_store.tracking_of(database_of(request), list(variants))
    return {variant for variant, how in tracking.items() if how is not Tracking.NONE}


async def _lot_rows(request: AnyRequest, channel: Channel, form: Form) -> list[int]:
    found = {}
    for row in range(1, ROWS + 1):
        code = form.text(f"code-{row}")
        variant = await _variant(request, channel, code) if code else None
        if variant is not None:
            found[row] = variant.id
    by_lot = await _by_lot(request, list(found.values())) if found else set()
    return [row for row, variant in found.items() if variant in by_lot]


async def _customer(request: AnyRequest, channel: Channel, form: Form) -> UUID | None:
    typed, pool = form.text("customer") or "", channel.pools[Resource.CUSTOMERS]
    member = await credit.by_code(database_of(request), typed, pool) if typed else None
    if member is not None:
        return member.customer
    if "@" not in typed:
        raise InvalidInput.at("customer", words(request)(EMAIL))
    found = await customers.find(database_of(request), pool, _person(request, typed))
    return None if found is None else found.id


def _person(request: AnyRequest, typed: str) -> PersonInput:
    try:
        return msgspec.convert({"email": typed}, PersonInput)
    except msgspec.ValidationError:
        raise InvalidInput.at("customer", words(request)(EMAIL)) from None


async def previewed(
    request: AnyRequest, channel: Channel, location: UUID, form: Form
) -> UnknownPreview | None:
    """What it is worth; a fault is said in the form."""
    try:
        data = await read(request, channel, location, form)
        return await preview_unknown(database_of(request), data)
    except Problem as problem:
        form.failed(problem, _names(problem))
        return None


async def take(request: AnyRequest, channel: Channel, location: UUID, form: Form) -> Order:
    """Take them back; an e-mail address that is not known yet becomes a customer.

    Raises:
        InvalidInput: a field is missing or cannot be right. Forbidden: only who may go beyond limits can do it.
    """
    if form.text("override") is None:
        raise InvalidInput.at("override", words(request)(marked("Please fill this in.")))
    data = await read(request, channel, location, form)
    known = await _customer(request, channel, form)

    async def work(tx: Any) -> Order:
        customer = known
        if customer is None:
            pool = channel.pools[Resource.CUSTOMERS]
            person = _person(request, form.text("customer") or "")
            customer = (await customers.find_or_create(tx, pool, person, channel=channel.id)).id
        return await take_unknown(tx, msgspec.structs.replace(data, customer=customer))

    return await change(request, work)


def failed(form: Form, problem: Problem) -> Form:
    """Say a verb's faults at the rows that were typed."""
    return form.failed(problem, _names(problem))


def _names(problem: Problem) -> dict[str, str]:
    names = {}
    for fault in problem.errors:
        start, _, rest = fault.field.partition("/")
        index, _, part = rest.partition("/")
        if start == "lines" and index.isdecimal():
            names[fault.field] = f"{'code' if part == 'variant' else part}-{int(index) + 1}"
    return names


async def shown(
    request: AnyRequest, channel: Channel, form: Form, said: UnknownPreview | None
) -> dict[str, Any]:
    """What the form's template needs."""
    form.fields.setdefault("id", [str(new_id())])
    known = await return_reasons.reasons(database_of(request), return_reasons.pool_of(channel))
    active = [reason for reason in known.values() if reason.is_active]
    translate, locale = words(request), locale_of(request)
    return {
        "form": form,
        "rows": list(range(1, ROWS + 1)),
        "lot_rows": await _lot_rows(request, channel, form),
        "reasons": change_form.reason_options(request, active),
        "conditions": [(code, translate(text)) for code, text in change_form.CONDITIONS.items()],
        "said": said,
        "told": []
        if said is None
        else [change_form.notice_text(each, translate, said.currency, locale) for each in said.notices],
        "days": channel.setting("no_receipt_days"),
        "may_take": actor_of(request).may("orders.override"),
    }
