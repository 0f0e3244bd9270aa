"""Somebody new at the till: who they are, whether they join the loyalty programme and want news. Their ticket is theirs at once."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import consent, credit, customers, identity
from samlad.carts import CartClosed
from samlad.channels import Resource
from samlad.consent import Answer, AnswerInput, Level
from samlad.customers import Customer
from samlad.customers.model import NewCustomer
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import DAY_SECONDS, Till, cookie_of, current, show, till_of
from samlad.faces.pos.people import on_ticket
from samlad.faces.storefront.checkout_page import NEWS
from samlad.identity import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem

NO_ADDRESS = marked("News by e-mail need an e-mail address.")
FIELDS = ("name", "email", "phone")


@get("/{code:str}/customers/new")
async def new_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The form; what was searched for in vain stands where it belongs."""
    till = await till_of(request, code)
    actor_of(request).require(customers.CHANGE)
    typed = request.query_params.get("q", "").replace("\x00", "").strip()[:100]
    field = "email" if "@" in typed else "phone" if customers.looks_like_phone(typed) else "name"
    return await _page(request, till, Form.of(**{field: typed}))


async def _page(request: AnyRequest, till: Till, form: Form, known: UUID | None = None) -> Response[Any]:
    """``known``: who has the address or number that was typed."""
    actor, database = actor_of(request), database_of(request)
    found = None if known is None else await customers.current(database, known)
    news = None
    if actor.may(consent.RECORD):
        news = await consent.latest_text(database, NEWS, till.channel.locale)
    return show(
        request,
        till,
        "pos/customer_new.html",
        status=form.status,
        form=form,
        known=found,
        programme=await _programme(request, till),
        may_ask=actor.may(consent.RECORD),
        news=news.text if news else None,
    )


async def _programme(request: AnyRequest, till: Till) -> str | None:
    """The name of the loyalty programme that somebody may be made a member of here."""
    if not actor_of(request).may(credit.ISSUE):
        return None
    found = await credit.programme(database_of(request), till.channel.pools[Resource.CUSTOMERS])
    return found.name if found is not None and found.is_active and not found.is_automatic else None


@post("/{code:str}/customers/new", status_code=303)
async def add(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Somebody new, on the ticket; all of it or nothing."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    cart = await current(request, till)

    async def verb(tx: Tx) -> tuple[Customer, UUID]:
        given = form.into(
            NewCustomer, channel=str(till.channel.id), **{name: form.text(name) for name in FIELDS}
        )
        made = await customers.create(tx, given)
        if form.has("member"):
            await credit.enrol(tx, made.id)
        if form.has("news"):
            if made.email is None:
                raise InvalidInput.at("email", NO_ADDRESS)
            await _ask_for_news(tx, made, made.email, till)
        return made, await on_ticket(tx, till, cart, made.id)

    try:
        made, ticket = await face.change(request, verb)
    except CartClosed as problem:
        return face.go(request, till.base, _(problem.detail), kind="warning")
    except Problem as problem:
        known = problem.extra.get("customer")
        return await _page(request, till, form.failed(problem), UUID(known) if known else None)
    answer = face.go(request, till.base, _("The ticket is %(name)s’s.") % {"name": made.name or made.email})
    answer.set_cookie(face.own_cookie(request, cookie_of(till), str(ticket), DAY_SECONDS))
    return answer


async def _ask_for_news(tx: Tx, made: Customer, email: str, till: Till) -> None:
    """The clerk has asked; it begins with the link in the mail that goes to them (double opt-in)."""
    told = now()
    sighting = Sighting(
        pool=made.pool,
        source="till",
        event_id=f"new-{made.id}",
        observed_at=told,
        received_at=told,
        identifiers=[Identifier(Kind.EMAIL, email)],
        channel=till.channel.id,
        auth=AuthLevel.AUTHENTICATED,
    )
    node = (await identity.observe(tx, [sighting]))[0]
    if node is None:
        raise InvalidInput.at("email", marked("That is no e-mail address."))
    text = await consent.latest_text(tx, NEWS, till.channel.locale)
    answer = AnswerInput(
        purpose=NEWS,
        answer=Answer.GRANTED,
        text=text.id if text else None,
        channel=till.channel.id,
        event_id=f"till-{made.id}",
    )
    await consent.record(tx, node, [answer], level=Level.AUTHENTICATED, source="till")
    await consent.ask_to_confirm(tx, node, NEWS, till.channel.id, till.channel.locale)


handlers = [new_page, add]
