"""The pages of the set-up path: the list of steps, a short form for each, and the acts beside them."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.access import staff as people
from samlad.access.api.browser import base_url_of
from samlad.access.staff import StaffInput
from samlad.channels import ChannelChange
from samlad.channels import store as channel_store
from samlad.content import pictures
from samlad.faces.admin import names
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.start import forms, guesses, samples
from samlad.faces.admin.start.steps import (
    KEYS,
    LATER,
    NOT_PUT_OFF,
    OPEN,
    STEPS,
    Facts,
    Step,
    facts_of,
    next_step,
    progress,
    standings,
)
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, locale_of, page, require, translated, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, Problem

BASE = "/admin/start"
SAID = {
    "shop": marked("Your shop has a name. Nobody but you sees it yet."),
    "place": marked("The place is there."),
    "product": marked("The product is on the shelf."),
    "payment": marked("Customers can pay."),
    "delivery": marked("Goods reach your customers."),
    "seller": marked("It is on receipts and invoices from now on."),
    "tax": marked("The tax is right."),
    "brand": marked("Your shop looks like yours."),
}


@get(BASE)
async def show_start(request: AnyRequest) -> Response[Any]:
    """The steps, how it stands with each, and which comes next."""
    require(request)
    facts = await facts_of(database_of(request))
    found = standings(facts, actor_of(request))
    return await admin_page(
        request,
        "admin/start.html",
        found=found,
        following=next_step(found),
        facts=facts,
        progress=progress(facts, found),
    )


def _step(request: AnyRequest, key: str) -> Step:
    """A step that the reader may do.

    Raises:
        Unauthenticated, Forbidden, NotFound.
    """
    require(request)
    if key not in KEYS:
        raise NotFound("There is no such step.")
    step = STEPS[KEYS.index(key)]
    for permission in step.permissions:
        require(request, permission)
    return step


@get(f"{BASE}/{{key:str}}")
async def show_step(request: AnyRequest, key: FromPath[str]) -> Response[Any]:
    """A step, with its answer guessed already."""
    step = _step(request, key)
    facts = await facts_of(database_of(request))
    if facts.shop is None and key != "shop":
        return go(request, f"{BASE}/shop")
    if key not in forms.FORMS:
        return await _step_page(request, step, facts, Form.of(role="store"), {})
    form, context = await forms.FORMS[key][0](request, facts)
    return await _step_page(request, step, facts, form, context)


async def _step_page(
    request: AnyRequest, step: Step, facts: Facts, form: Form, context: dict[str, Any]
) -> Response[Any]:
    found = standings(facts, actor_of(request))
    return await admin_page(
        request,
        "admin/start_step.html",
        status_code=form.status,
        step=step,
        number=KEYS.index(step.key) + 1,
        steps=len(STEPS),
        standing=found[KEYS.index(step.key)],
        may_put_off=step.key not in NOT_PUT_OFF and actor_of(request).may("channels.change"),
        facts=facts,
        shop=facts.shop,
        form=form,
        names=names,
        roles=translated(request, {key: names.role[key] for key in ("store", "manager", "support")}),
        **context,
    )


@get(f"{BASE}/shop/guess")
async def guess(request: AnyRequest) -> Response[Any]:
    """What follows from the country that was chosen, as a piece of the form."""
    _step(request, "shop")
    country = request.query_params.get("country", "")
    values = guesses.for_country(country)
    form = Form.of(
        currency=values.currency, locale=values.locale, time_zone=values.time_zone, guessed=country
    )
    return page(request, "admin/start_guess.html", form=form)


@post(f"{BASE}/{{key:str}}", request_max_body_size=pictures.LARGEST_BYTES + 100_000)
async def save_step(request: AnyRequest, key: FromPath[str]) -> Response[Any]:
    """Do what a step's answer says, and go on to the next one."""
    step = _step(request, key)
    if key not in forms.FORMS:
        raise NotFound("This step has no answer.")
    form, _ = await read_form(request), words(request)
    show, save = forms.FORMS[key]
    facts = await facts_of(database_of(request))
    try:
        await save(request, form, facts)
    except Problem as problem:
        _shown, context = await show(request, facts)
        return await _step_page(request, step, facts, form.failed(problem, forms.AT), context)
    return await _on(request, key, _(SAID[key]))


async def _on(request: AnyRequest, after: str, text: str, **said: Any) -> Response[Any]:
    """On to the next step; to the list when there is none."""
    following = next_step(standings(await facts_of(database_of(request)), actor_of(request)), after)
    return go(request, f"{BASE}/{following.step.key}" if following else BASE, text, **said)


@post(f"{BASE}/{{key:str}}/later")
async def put_off(request: AnyRequest, key: FromPath[str]) -> Response[Any]:
    """Put a step off: it stays in the list, and is taken up by opening it."""
    require(request, "channels.change")
    step, _ = _step(request, key), words(request)
    facts = await facts_of(database_of(request))
    shop = facts.shop
    if shop is None or step.key in NOT_PUT_OFF:
        return go(request, f"{BASE}/{step.key}")

    async def work(tx: Tx) -> None:
        await channel_store.lock_tree(tx)  # two steps that are put off at once are both put off
        now_off = (await channels.get(tx, shop.id)).setting(LATER)
        if step.key not in now_off:
            await channels.change(tx, shop.id, ChannelChange(settings={LATER: [*now_off, step.key]}))

    await change(request, work)
    return await _on(request, key, _("Put off. You find it under “Set up the shop” again."), kind="")


# -- examples ---------------------------------------------------------------------------------------------------------------


@post(f"{BASE}/product/examples")
async def add_examples(request: AnyRequest) -> Response[Any]:
    """Fill the shelf with examples, to try the shop with."""
    _step(request, "product")
    _, facts = words(request), await facts_of(database_of(request))
    shop, place = forms.shop_in(facts), facts.places[0] if facts.places else None
    await change(request, lambda tx: samples.add(tx, shop, place))
    return await _on(request, "product", _("Six examples are on the shelf. One click takes them away again."))


@post(f"{BASE}/product/examples/remove")
async def remove_examples(request: AnyRequest) -> Response[Any]:
    """Take the examples away."""
    _step(request, "product")
    _, shop = words(request), forms.shop_in(await facts_of(database_of(request)))
    await change(request, lambda tx: samples.remove(tx, shop))
    return go(request, f"{BASE}/product", _("The examples are gone, and so is their stock."))


# -- colleagues and the door --------------------------------------------------------------------------------------------------


@post(f"{BASE}/staff/invite")
async def invite(request: AnyRequest) -> Response[Any]:
    """Invite a colleague, and show their link this once."""
    step = _step(request, "staff")
    form = await read_form(request)
    try:
        given = form.into(StaffInput, roles=[form.get("role")], locale=locale_of(request), locations=[])
        invited = await change(request, lambda tx: people.invite(tx, given, base_url_of(request)))
    except Problem as problem:
        facts = await facts_of(database_of(request))
        return await _step_page(request, step, facts, form.failed(problem, {"roles/0": "role"}), {})
    return await admin_page(
        request,
        "admin/start_link.html",
        status_code=201,
        person=invited.staff,
        link=invited.link,
        base=BASE,
    )


@post(f"{BASE}/door/{{answer:str}}")
async def set_open(request: AnyRequest, answer: FromPath[str]) -> Response[Any]:
    """Let everybody in, or say again that the shop opens soon."""
    _step(request, "open")
    _, shop = words(request), forms.shop_in(await facts_of(database_of(request)))
    is_open = answer == "yes"
    after = await change(
        request, lambda tx: channels.change(tx, shop.id, ChannelChange(settings={OPEN: is_open}))
    )
    text = (
        _("The shop is open. Welcome, customers!") if is_open else _("The shop is closed to visitors again.")
    )
    back = undo_href(request, "start.open", shop=str(shop.id), version=after.version, open=not is_open)
    return go(request, BASE, text, undo=None if after.version == shop.version else back)


@undoable("start.open")
async def _undo_open(tx: Tx, arguments: dict[str, Any]) -> str:
    back = ChannelChange(settings={OPEN: arguments["open"]})
    await channels.change(tx, UUID(arguments["shop"]), back, version=arguments["version"])
    return BASE


HANDLERS = [
    show_start,
    show_step,
    guess,
    save_step,
    put_off,
    add_examples,
    remove_examples,
    invite,
    set_open,
]
