"""The form by which staff change an order, at the desk and at the till alike, and how its preview reads."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from samlad import catalog, channels
from samlad.channels import Resource
from samlad.faces import pay_ways
from samlad.faces.design import formats
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, locale_of, words
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.orders import ChangeInput, LineKind, Order, return_reasons
from samlad.orders.change_model import Notice, Preview, ReturnReason
from samlad.orders.rules import returnable, unfulfilled
from samlad.stock import lots_store

REASONS: Mapping[str, str] = {
    "changed_mind": marked("Changed their mind"),
    "wrong_size": marked("Wrong size"),
    "damaged": marked("Damaged on the way"),
    "defective": marked("Does not work"),
    "wrong_item": marked("Not what was ordered"),
    "late": marked("Came too late"),
    "other": marked("Another reason"),
}
CONDITIONS: Mapping[str, str] = {
    "new": marked("As new"),
    "opened": marked("Opened"),
    "damaged": marked("Damaged"),
    "defective": marked("Defective"),
}
EFFECTS: Mapping[str, str] = {
    "sell": marked("back on sale"),
    "quarantine": marked("put aside to look at"),
    "scrap": marked("thrown away"),
    "nowhere": marked("stays with the customer"),
    "free": marked("on sale again"),
    "held": marked("kept for the customer"),
    "leaves": marked("handed over now"),
}
REFUND_TO: Mapping[str, str] = {
    "tender": marked("The way it was paid"),
    "credit": marked("Store credit"),
    "nothing": marked("Not now"),
}
REMEDIES: Mapping[str, str] = {
    "refund": marked("Money back, the goods stay"),
    "replacement": marked("The same again, the goods stay"),
    "refund-back": marked("Money back, the goods come back"),
    "replacement-back": marked("The same again, the goods come back"),
}
INSTEAD_OF_WHAT = marked("Say how many come back, or are called off, for this.")
ONE_OF_BOTH = marked("Either a complaint or something else instead: make two changes.")
ADDRESS = ("name", "line1", "line2", "postal_code", "city", "region", "country")
LINES: Mapping[str, str] = {
    "Goodwill": marked("Goodwill"),
    "Given back before": marked("Given back before"),
    "Restocking fee": marked("Restocking fee"),
    "Sending it back": marked("Sending it back"),
    "Shipping": marked("Shipping"),
    "Cash rounding": marked("Cash rounding"),
}
_NOTICES: Mapping[str, str] = {
    "window-over": marked("“%(title)s” could come back until %(day)s."),
    "return-limit": marked("%(amount)s is more than staff may give back alone (%(limit)s)."),
    "goodwill-limit": marked("%(amount)s of goodwill is more than staff may give alone (%(limit)s)."),
    "fee-waived": marked("The restocking fee is waived."),
    "fees-capped": marked(
        "The fees would come to more than what comes back: %(amount)s of them is not taken."
    ),
    "photo": marked("Ask for a picture of “%(title)s” and put its address in."),
    "sold-out": marked("Of “%(title)s” only %(free)s can be had here."),
    "not-in-slot": marked("“%(title)s” does not come in the delivery slot, but as a parcel."),
    "some-not-in-slot": marked("Some of “%(title)s” does not come in the delivery slot, but as a parcel."),
    "many-returns": marked("This customer has brought things back %(count)s times in %(days)s days."),
    "high-share": marked("%(percent)s %% of what this customer bought in %(days)s days comes back."),
    "no-receipt": marked("There is no receipt: nobody knows what was paid."),
    "no-receipt-often": marked(
        "This customer has brought things back without a receipt %(count)s times in %(days)s days."
    ),
    "price-drop": marked("“%(title)s” costs %(percent)s %% less now than was paid for it."),
    "signal-score": marked(
        "The signs of misuse come to %(score)s points; from %(limit)s on a manager agrees."
    ),
    "other-item": marked("What was scanned (%(code)s) is not what was bought on this line."),
}
SIGNALS = ("many-returns", "high-share", "no-receipt", "no-receipt-often", "price-drop", "other-item")


def notice_text(notice: Notice, translate: Callable[[str], str], currency: str, locale: str) -> str:
    """A notice in the reader's words."""
    values: dict[str, Any] = dict(notice.values)
    for name in ("amount", "limit"):
        if name in values:
            values[name] = formats.money(int(values[name]), currency, locale)
    if "day" in values:
        values["day"] = formats.day(date.fromisoformat(str(values["day"])), locale)
    text = _NOTICES.get(notice.code)
    return translate(text) % values if text else notice.text


async def reasons_for(request: AnyRequest, order: Order) -> list[ReturnReason]:
    """The reasons that can be chosen for an order."""
    found = await return_reasons.reasons(database_of(request), order.pool)
    return [reason for reason in found.values() if reason.is_active]


def reason_options(request: AnyRequest, known: list[ReturnReason]) -> list[tuple[str, str]]:
    """Reasons for a choice: those that come with Samlad in the reader's language, own ones as they were named."""
    defaults = {reason.code: reason.name for reason in return_reasons.DEFAULTS}
    return [
        (r.code, words(request)(REASONS[r.code]) if defaults.get(r.code) == r.name else r.name) for r in known
    ]


async def change_from(request: AnyRequest, order: Order, form: Form, **fixed: Any) -> ChangeInput:
    """What was chosen, as a change.

    Raises:
        InvalidInput: at the field that cannot be read.
    """
    actions: list[dict[str, Any]] = []
    for line in order.lines:
        if line.kind is LineKind.ITEM:
            actions += await _of_line(request, order, form, line.position)
    code = form.text("add_code")
    if code:
        quantity = form.whole("add_quantity") or 1
        actions.append(
            {"kind": "add", "variant": await _variant(request, order, code, "add_code"), "quantity": quantity}
        )
    goodwill = form.amount("goodwill", order.currency)
    if goodwill:
        actions.append({"kind": "goodwill", "amount": goodwill})
    fee = form.amount("fee", order.currency)
    if fee:
        actions.append({"kind": "fee", "amount": fee, "title": form.text("fee_title") or "Fee"})
    if form.has("new_address"):
        actions.append({"kind": "address", "address": _address(form)})
    form.named = _names(actions)
    photos = [text for text in form.get("photos").split() if text]
    values: dict[str, Any] = {
        "actions": actions,
        "location": form.text("location"),
        "refund_to": form.get("refund_to") or "tender",
        "sent_in": form.has("sent_in"),
        "waive_fees": form.has("waive_fees"),
        "note": form.get("note").strip(),
        "override": form.get("override").strip(),
        "photos": photos,
        "id": form.text("id"),
        "fingerprint": form.text("fingerprint"),
        **fixed,
    }
    if form.text("if_not_back"):
        values["if_not_back"] = {"provider": form.get("if_not_back")}
    if form.text("way") in pay_ways.BY_HAND:
        values["payments"] = [{"provider": form.get("way")}]
    else:
        values["pay_later"] = True
    return form.into(ChangeInput, **{name: value for name, value in values.items() if value is not None})


_OF_LINE: Mapping[str, str] = {
    "reason": "reason",
    "condition": "condition",
    "lot": "lot",
    "scanned": "scanned",
}
_OWN: Mapping[str, Mapping[str, str]] = {
    "add": {"variant": "add_code", "quantity": "add_quantity"},
    "goodwill": {"amount": "goodwill"},
    "fee": {"amount": "fee", "title": "fee_title"},
    "address": {f"address/{part}": f"address/{part}" for part in ADDRESS},
}


def _names(actions: list[dict[str, Any]]) -> dict[str, str]:
    """Where in the form what a verb says of an action stands."""
    found = {"payments": "way"}
    for index, action in enumerate(actions):
        kind, position = action["kind"], action.get("position")
        if kind in _OWN:
            parts = dict(_OWN[kind])
        else:
            counted = "return" if kind == "exchange" else kind
            parts = {name: f"{typed}-{position}" for name, typed in _OF_LINE.items()}
            parts |= {"variant": f"exchange-{position}", "keep_price": "keep_price"}
            parts |= {"quantity": f"{counted}-{position}"}
        found |= {f"actions/{index}/{name}": field for name, field in parts.items()}
    return found


async def _of_line(request: AnyRequest, order: Order, form: Form, position: int) -> list[dict[str, Any]]:
    back, off = form.whole(f"return-{position}") or 0, form.whole(f"cancel-{position}") or 0
    for name, count in (("return", back), ("cancel", off)):
        if count < 0:
            raise InvalidInput.at(f"{name}-{position}", form.translate(marked("Please write 0 or more.")))
    common: dict[str, Any] = {"position": position}
    why: dict[str, Any] = {"reason": form.get(f"reason-{position}") or "other"}
    why |= {"condition": form.get(f"condition-{position}")} if form.text(f"condition-{position}") else {}
    why |= {"lot": form.get(f"lot-{position}")} if form.text(f"lot-{position}") else {}
    seen = {"scanned": form.get(f"scanned-{position}")} if form.text(f"scanned-{position}") else {}
    code, claimed = form.text(f"exchange-{position}"), form.whole(f"claim-{position}") or 0
    if claimed < 0:
        raise InvalidInput.at(f"claim-{position}", form.translate(marked("Please write 0 or more.")))
    if code:
        if not (back or off):
            raise InvalidInput.at(f"exchange-{position}", form.translate(INSTEAD_OF_WHAT))
        if claimed:
            raise InvalidInput.at(f"claim-{position}", form.translate(ONE_OF_BOTH))
        variant = await _variant(request, order, code, f"exchange-{position}")
        new = {"variant": variant, "keep_price": form.has("keep_price")}
        swap = {"kind": "exchange", **common, **why, **seen, **new}
        instant = form.has("instant")
        return [
            {**swap, "quantity": count, "instant": instant and count == back}
            for count in (back, off)
            if count
        ]
    found: list[dict[str, Any]] = []
    if back:
        found.append({"kind": "return", **common, **why, **seen, "quantity": back})
    if off:
        found.append({"kind": "cancel", **common, "quantity": off})
    if claimed:
        remedy, _, back_too = form.get(f"remedy-{position}", "refund").partition("-")
        claim = {"kind": "claim", "remedy": remedy, "goods_back": bool(back_too), "quantity": claimed}
        found.append({**claim, **common, **why})
    return found


def _address(form: Form) -> dict[str, str | None]:
    """The new address as it was typed; the verb says what of it cannot be right."""
    typed = {part: form.text(f"address/{part}") for part in ADDRESS}
    for part in ("name", "line1", "city", "country"):
        if typed[part] is None:
            raise InvalidInput.at(f"address/{part}", form.translate(marked("Please fill this in.")))
    return typed | {"country": (typed["country"] or "").upper()}


async def _variant(request: AnyRequest, order: Order, code: str, field: str) -> str:
    channel = await channels.cached(database_of(request), order.channel)
    found = await catalog.variant_by_code(database_of(request), channel.pools[Resource.CATALOGUE], code)
    if found is None:
        raise InvalidInput.at(field, words(request)(marked("Nothing has this code.")))
    return str(found.id)


async def shown(request: AnyRequest, order: Order, known: list[ReturnReason], form: Form) -> dict[str, Any]:
    """What the form's template needs."""
    translate = words(request)
    form.fields.setdefault("id", [str(new_id())])
    if order.address is not None and "address/name" not in form.fields:
        form.fields |= {f"address/{part}": [getattr(order.address, part) or ""] for part in ADDRESS}
    return {
        "order": order,
        "form": form,
        "out": {p: n for p, n in returnable(order.lines).items() if n > 0},
        "to_go": {p: n for p, n in unfulfilled(order.lines).items() if n > 0},
        "reasons": reason_options(request, known),
        "conditions": [(code, translate(text)) for code, text in CONDITIONS.items()],
        "refund_ways": [(code, translate(text)) for code, text in REFUND_TO.items()],
        "remedies": [(code, translate(text)) for code, text in REMEDIES.items()],
        "lots_of": await _lots_of(request, order),
        "at_fault": [line.title for line in order.lines if _is_at_fault(form, line.position)],
    }


def _is_at_fault(form: Form, position: int) -> bool:
    """Whether something that was said of a line cannot be: the preview, which is far from it, names the line."""
    return any(name.endswith(f"-{position}") for name in form.errors)


async def _lots_of(request: AnyRequest, order: Order) -> dict[int, list[tuple[str, str]]]:
    """Lots to choose from, by line: only where the order got several of what comes back, so that somebody must say."""
    variants = {line.variant for line in order.lines if line.variant is not None}
    sold = await lots_store.sold(database_of(request), order.id, list(variants))
    return {
        line.position: [(lot.code, lot.code) for lot, _units in sold[line.variant] if lot.code]
        for line in order.lines
        if line.variant in sold and len(sold[line.variant]) > 1
    }


def previewed(request: AnyRequest, preview: Preview | None, *, may_override: bool) -> dict[str, Any]:
    """What the preview's template needs."""
    if preview is None:
        return {"preview": None}
    translate, locale = words(request), locale_of(request)
    blocked = any(notice.code == "sold-out" for notice in preview.notices)
    return {
        "preview": preview,
        "told": [
            (
                notice_text(notice, translate, preview.currency, locale),
                notice.needs_override,
                notice.code in SIGNALS,
            )
            for notice in preview.notices
        ],
        "effects": {code: translate(text) for code, text in EFFECTS.items()},
        "line_titles": {title: translate(text) for title, text in LINES.items()},
        "asks_override": bool(preview.needs_override) and may_override,
        "is_blocked": blocked or (bool(preview.needs_override) and not may_override),
    }
