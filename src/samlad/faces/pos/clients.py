"""Clienteling on a phone: what a clerk may see of a person, whom a clerk looks after, notes and tasks, goods recommended and shared."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import accounts, appointments, carts, clienteling, customers, questions
from samlad.carts import CartClosed, CartKind, CartView, NotSellable
from samlad.channels import Channel
from samlad.clienteling import SERVE, AssignInput, FollowUpInput, RecommendInput
from samlad.customers import NoteInput
from samlad.faces import page as face
from samlad.faces import shop_link
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show, till_of
from samlad.faces.pos.goods import goods
from samlad.faces.pos.people import person_of
from samlad.faces.storefront.account import wishes
from samlad.faces.storefront.typed import typed
from samlad.kernel import qr
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, Problem
from samlad.profile import Person
from samlad.stock import SoldOut

MOST_TASKS, LISTS, LAST = 100, 3, 5
PUT = {
    "wish": marked("It is on their wish list."),
    "cart": marked("It is in their cart, and on their phone already."),
}


@get("/{code:str}/customers/{customer_id:uuid}")
async def person(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """One customer, in short. That somebody looked is in the audit log."""
    till = await till_of(request, code)
    found = await person_of(request, till, customer_id)
    await face.change(request, lambda tx: clienteling.look_up(tx, found.id, till.location.id))
    return await page(request, till, found, Form())


async def page(request: AnyRequest, till: Till, found: Person, form: Form) -> Response[Any]:
    """The page of a person; with ``form`` what was typed there."""
    actor = actor_of(request)
    serves = actor.may(SERVE, till.location.id)
    more = await of_person(request, till, found) if serves else {}
    return show(
        request,
        till,
        "pos/customer.html",
        status=form.status,
        person=found,
        last=(found.orders or [])[:LAST],
        may_help=actor.may(accounts.HELP, till.location.id),
        serves=serves,
        may_book=actor.may(appointments.READ, till.location.id),
        may_note=serves and actor.may(customers.CHANGE),
        sizes=await accounts.sizes_of(database_of(request), actor, found.id) if serves else [],
        asked=await questions.asked_by(database_of(request), actor, found.id, LAST),
        form=form,
        **more,
    )


async def _served(request: AnyRequest, code: str) -> Till:
    """The till of a store where this clerk serves customers.

    Raises:
        Forbidden: they may not.
    """
    till = await till_of(request, code)
    actor_of(request).require(SERVE, location=till.location.id)
    return till


@get("/{code:str}/clients")
async def clients(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Whom this clerk looks after here, and what is to be done for whom, what is due first first."""
    till = await _served(request, code)
    database, actor = database_of(request), actor_of(request)
    query = ListQuery(limit=MOST_TASKS, filters={"location": str(till.location.id), "open": "true"})
    tasks = (await clienteling.FOLLOW_UPS.page(database, query, None, actor.id)).items
    return show(
        request,
        till,
        "pos/clients.html",
        clients=await clienteling.mine(database, actor, till.location.id),
        tasks=tasks,
        today=_today(till),
    )


def _today(till: Till) -> Any:
    return local_day(now(), till.channel.time_zone)


@post("/{code:str}/customers/{customer_id:uuid}/notes", status_code=303)
async def add_note(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """Write down what clerks are to know."""
    till, form, _ = await _served(request, code), await read_form(request), face.words(request)
    person = await person_of(request, till, customer_id)
    try:
        data = form.into(NoteInput, for_clerks=True)
        await face.change(request, lambda tx: customers.add_note(tx, person.id, data))
    except InvalidInput as problem:
        return await page(request, till, person, form.failed(problem))
    return face.go(request, _of(till, person.id), _("The note is kept. Clerks see it."))


@post("/{code:str}/customers/{customer_id:uuid}/follow-ups", status_code=303)
async def add_task(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """Keep a task for oneself."""
    till, form, _ = await _served(request, code), await read_form(request), face.words(request)
    person = await person_of(request, till, customer_id)
    try:
        data = form.into(FollowUpInput, location=str(till.location.id), text=form.get("task"))
        await face.change(request, lambda tx: clienteling.follow_up(tx, person.id, data))
    except InvalidInput as problem:
        return await page(request, till, person, form.failed(problem))
    return face.go(request, _of(till, person.id), _("It is on your list for that day."))


@post("/{code:str}/follow-ups/{task:uuid}/{act:str}", status_code=303)
async def act_on_task(
    request: AnyRequest, code: FromPath[str], task: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """A task is done, or not after all."""
    till, form, _ = await _served(request, code), await read_form(request), face.words(request)
    if act not in ("done", "reopen"):
        raise NotFound("There is no such act.")
    back = face.local_path(form.get("next"), f"{till.base}/clients")
    undo = None
    if act == "done":
        await face.change(request, lambda tx: clienteling.finish(tx, task))
        undo = f"{till.base}/follow-ups/{task}/reopen"
    else:
        await face.change(request, lambda tx: clienteling.reopen(tx, task))
    return face.go(request, back, _("Done.") if act == "done" else _("It is open again."), undo=undo)


@post("/{code:str}/customers/{customer_id:uuid}/clerk", status_code=303)
async def look_after(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """This clerk looks after the customer, who says yes to that; or does not any more."""
    till, form, _ = await _served(request, code), await read_form(request), face.words(request)
    person = await person_of(request, till, customer_id)
    here = till.location.id

    async def verb(tx: Tx) -> None:
        if form.has("release"):
            await clienteling.release(tx, person.id, here)
        else:
            await clienteling.assign(tx, person.id, AssignInput(location=here, agreed=form.has("agreed")))

    try:
        await face.change(request, verb)
    except (Conflict, Forbidden) as problem:
        return face.go(request, _of(till, person.id), _(problem.detail), kind="warning")
    said = (
        _("They are not your customer any more.") if form.has("release") else _("They are your customer now.")
    )
    return face.go(request, _of(till, person.id), said)


@get("/{code:str}/customers/{customer_id:uuid}/advise")
async def advise(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """Goods to recommend: scanned or searched, with what lies here."""
    till = await _served(request, code)
    person = await person_of(request, till, customer_id)
    text = typed(request.query_params.get("q"))
    return show(
        request,
        till,
        "pos/client_advise.html",
        headers=face.camera_headers(),
        person=person,
        query=text,
        # What is weighed is chosen at the scales.
        goods=[each for each in await goods(request, till, text) if each["sold_by"] == "piece"]
        if text
        else [],
        shop=await shop_link.shop_of(request, person.pool),
    )


@post("/{code:str}/customers/{customer_id:uuid}/advise", status_code=303)
async def recommend(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """Onto their wish list, or into their cart."""
    till, form, _ = await _served(request, code), await read_form(request), face.words(request)
    person = await person_of(request, till, customer_id)
    back = f"{_of(till, person.id)}/advise?{urlencode({'q': form.get('q')})}"
    shop = await _shop(request, person)
    data = form.into(RecommendInput, location=str(till.location.id), channel=str(shop.id))
    try:
        await face.change(request, lambda tx: clienteling.recommend(tx, person.id, data))
    except (NotSellable, SoldOut):
        return face.go(request, back, _("The web shop does not sell this now."), kind="warning")
    except (CartClosed, Conflict) as problem:
        return face.go(request, back, _(problem.detail), kind="warning")
    return face.go(request, back, _(PUT[data.to]))


@get("/{code:str}/customers/{customer_id:uuid}/share")
async def share(request: AnyRequest, code: FromPath[str], customer_id: FromPath[UUID]) -> Response[Any]:
    """Their wish list as a link that only shows it: to scan, to send by mail or text message from this phone."""
    till, _ = await _served(request, code), face.words(request)
    person = await person_of(request, till, customer_id)
    lists = await wish_lists(request, person)
    if not lists:
        return face.go(request, _of(till, person.id), _("Their wish list is empty."), kind="warning")
    shop = await _shop(request, person)
    base = shop_link.base_url(request, shop) or shop_link.as_asked(request)
    link = base + wishes.path(request, lists[0].id)
    text = _("From %(store)s, for you: %(link)s") % {"store": till.channel.name, "link": link}
    return show(
        request,
        till,
        "pos/client_share.html",
        headers={"Referrer-Policy": "no-referrer"},
        person=person,
        link=link,
        mail=f"mailto:{quote(person.email or '', safe='@')}?{urlencode({'body': text}, quote_via=quote)}",
        sms=f"sms:{quote(person.phone or '', safe='+')}?{urlencode({'body': text}, quote_via=quote)}",
        picture=Markup(qr.svg(link, scale=5)),  # noqa: S704 - drawn by segno from an address
    )


async def wish_lists(request: AnyRequest, person: Person) -> list[CartView]:
    """What the person wishes for, the list touched last first."""
    found = []
    for held in [each for each in person.carts or [] if each.kind == CartKind.WISH and each.items][:LISTS]:
        try:
            found.append(await carts.view(database_of(request), actor_of(request), held.id))
        except Problem:
            continue
    return found


async def of_person(request: AnyRequest, till: Till, person: Person) -> dict[str, Any]:
    """What the page of a person has besides, for who serves customers here."""
    database, actor = database_of(request), actor_of(request)
    filters = {"location": str(till.location.id), "customer": str(person.id), "open": "true"}
    clerk = await clienteling.clerk_of(database, person.id, till.location.id)
    query = ListQuery(limit=MOST_TASKS, filters=filters)
    return {
        "wish_lists": await wish_lists(request, person),
        "tasks": (await clienteling.FOLLOW_UPS.page(database, query, None, None)).items,
        "clerk_name": clerk[1] if clerk else None,
        "is_mine": clerk is not None and clerk[0] == actor.id,
        "today": _today(till),
        "tomorrow": _today(till) + timedelta(days=1),
    }


async def _shop(request: AnyRequest, person: Person) -> Channel:
    shop = await shop_link.shop_of(request, person.pool)
    if shop is None:
        raise NotFound("There is no web shop for this customer.")
    return shop


def _of(till: Till, customer: UUID) -> str:
    return f"{till.base}/customers/{customer}"


handlers = [person, clients, add_note, add_task, act_on_task, look_after, advise, recommend, share]
