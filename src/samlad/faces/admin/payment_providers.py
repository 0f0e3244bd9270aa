"""Ways to pay: which there are and are offered, the keys of Stripe, what providers kept, and the simulated terminal."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.faces.admin import names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel import cards
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.kernel.seen import mark, unchanged
from samlad.payments import accounts, settlements, stripe, terminal
from samlad.payments.accounts import ProviderInfo, StripeKeys
from samlad.payments.permissions import READ, SET_UP, TERMINAL, TERMINALS
from samlad.payments.providers import ProviderSilent

BASE = "/admin/payments"
KINDS = {
    "charge": marked("Payment"),
    "refund": marked("Refund"),
    "fee": marked("Fee"),
    "adjustment": marked("Dispute or correction"),
    "payout": marked("Paid out"),
}
_FIELDS = ("secret_key", "publishable_key", "webhook_secret")
_ANSWERS = {
    stripe.Trial.WORKS: marked("Stripe knows these keys."),
    stripe.Trial.WRONG: marked("Stripe does not know the secret key, or it may not do what is needed."),
    stripe.Trial.SILENT: marked("Stripe did not answer. Try again in a moment."),
}


@get(BASE)
async def list_ways(request: AnyRequest) -> Response[Any]:
    """Every way to pay, which need keys, and which channels offer them."""
    require(request, READ)
    database = database_of(request)
    offered: dict[str, list[str]] = {}
    for channel in await channels.cached_all(database):
        for name in accounts.offered(channel):
            offered.setdefault(name, []).append(channel.name)
    found = [info for info in await accounts.infos(database) if not _is_inner(info)]
    return await admin_page(
        request,
        "admin/payment_ways.html",
        found=found,
        offered=offered,
        names=names,
        may_terminals=actor_of(request).may(TERMINALS),
    )


def _is_inner(info: ProviderInfo) -> bool:
    """Not for a person to choose: they come with orders from elsewhere, or in a change of an order."""
    return info.name in ("exchange", "history", "marketplace")


@get(f"{BASE}/stripe")
async def show_stripe(request: AnyRequest) -> Response[Any]:
    """Its keys can be set and tried here, never seen."""
    require(request, READ)
    return await _stripe_page(request, Form())


async def _stripe_page(request: AnyRequest, form: Form) -> Response[Any]:
    set_at = await accounts.keys_set_at(database_of(request), "stripe")
    form.fields.setdefault("version", [str(mark(set_at))])
    found = {info.name: info for info in await accounts.infos(database_of(request))}
    return await admin_page(
        request,
        "admin/payment_stripe.html",
        status_code=form.status,
        form=form,
        is_set_up=found["stripe"].is_set_up,
        may_set=actor_of(request).may(SET_UP),
        webhook=f"{str(request.base_url).rstrip('/')}/webhooks/in/stripe",
        events=stripe.WEBHOOKS,
    )


@post(f"{BASE}/stripe")
async def save_stripe(request: AnyRequest) -> Response[Any]:
    """Try the keys, then keep them sealed; nothing of them is ever shown again, not even after a fault."""
    require(request, SET_UP)
    form, _ = await read_form(request), words(request)
    act = form.get("act")
    if act == "forget":
        await change(request, lambda tx: accounts.remove_keys(tx, "stripe"))
        return go(request, f"{BASE}/stripe", _("The keys are forgotten. Nobody can pay by Stripe now."))
    if act == "try":
        return await _try(request)
    typed = {name: form.get(name).strip() for name in _FIELDS}
    for name in _FIELDS:
        form.fields.pop(name, None)
    try:
        keys = form.into(StripeKeys, **typed)
        cards.refuse(keys)
        said = await stripe.try_keys(keys)
        if said is stripe.Trial.WRONG:
            raise InvalidInput.at("secret_key", _(_ANSWERS[said]))
        safe = request.app.state.runtime.vault

        async def work(tx: Tx) -> None:
            await unchanged(tx, "stripe", lambda tx: accounts.keys_set_at(tx, "stripe"), form.version())
            await accounts.set_keys(tx, safe, "stripe", keys)

        await change(request, work)
    except Problem as problem:
        return await _stripe_page(request, form.failed(problem))
    saved = _("The keys are kept, sealed.")
    return go(request, f"{BASE}/stripe", f"{saved} {_(_ANSWERS[said])}")


async def _try(request: AnyRequest) -> Response[Any]:
    try:
        kept = await accounts.keys(database_of(request), "stripe", StripeKeys)
    except NotFound:
        return go(request, f"{BASE}/stripe", words(request)(marked("There are no keys yet.")), kind="")
    said = await stripe.try_keys(kept)
    works = said is stripe.Trial.WORKS
    return go(
        request, f"{BASE}/stripe", words(request)(_ANSWERS[said]), kind="success" if works else "danger"
    )


@get(f"{BASE}/settlements")
async def list_settlements(request: AnyRequest) -> Response[Any]:
    """What providers kept for themselves and paid out, the latest first."""
    require(request, READ)
    found = await shown(request, database_of(request), settlements.SETTLEMENTS)
    return await admin_page(
        request,
        "admin/payment_settlements.html",
        list=found,
        kinds=translated(request, KINDS),
        kind_texts={kind: words(request)(text) for kind, text in KINDS.items()},
        providers=[(info.name, info.name) for info in await accounts.infos(database_of(request))],
        names=names,
    )


@post(f"{BASE}/settlements")
async def fetch_now(request: AnyRequest) -> Response[Any]:
    """Ask the providers now instead of within the hour."""
    require(request, SET_UP)
    _ = words(request)
    try:
        count = await settlements.fetch(database_of(request))
    except ProviderSilent:
        return go(request, f"{BASE}/settlements", _("The provider did not answer."), kind="danger")
    return go(request, f"{BASE}/settlements", _("%(count)s new entries.") % {"count": count})


@get(f"{BASE}/terminal")
async def show_terminal(request: AnyRequest) -> Response[Any]:
    """What the simulated terminal waits for, and its keys."""
    require(request, READ)
    found = await terminal.waiting(database_of(request))
    return await admin_page(
        request, "admin/payment_terminal.html", found=found, may_press=actor_of(request).may(TERMINAL)
    )


@post(f"{BASE}/terminal/{{payment_id:uuid}}")
async def press(request: AnyRequest, payment_id: FromPath[UUID]) -> Response[Any]:
    """Press one of its keys."""
    require(request, TERMINAL)
    form, _ = await read_form(request), words(request)
    button = form.get("button")
    texts = {
        "approve": _("The card was accepted."),
        "decline": _("The card was declined."),
        "cancel": _("It was called off at the terminal."),
    }
    if button not in texts:
        raise NotFound("The terminal has no such key.")
    try:
        await change(request, lambda tx: terminal.press(tx, payment_id, button))  # type: ignore[arg-type]
    except Problem:
        return go(request, f"{BASE}/terminal", _("It does not wait for a card any more."), kind="")
    return go(request, f"{BASE}/terminal", texts[button])


HANDLERS = [
    list_ways,
    show_stripe,
    save_stripe,
    list_settlements,
    fetch_now,
    show_terminal,
    press,
]
