"""Who is on at a till: tapped and a PIN typed, or a badge scanned; locked by a tap, or by itself when nobody touches it."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, orders, stock
from samlad.access import clerks
from samlad.access.middleware import session_of
from samlad.access.problems import WrongPin
from samlad.channels import ChannelKind, ChannelStatus
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, TooMany, Unauthenticated

WRONG = marked("That did not work. Look at the name and type the PIN again, or scan the badge.")
WAIT = marked("Too many tries. Wait %(seconds)s seconds, or let a colleague go on.")
CHOOSE_FIRST = marked("Tap your name first, or scan your badge.")


async def _till(request: AnyRequest, code: str) -> Till:
    """The till of a store for whoever stands before it, also while it is locked.

    Raises:
        Unauthenticated: nobody has signed this browser in. NotFound: there is no such store for it.
    """
    session, actor, database = session_of(request), actor_of(request), database_of(request)
    if session is None or session.state != "signed-in":
        raise Unauthenticated("Sign in to go on.")
    channel = await channels.cached_by_code(database, code)
    place = await stock.place_of(database, channel.id) if channel else None
    is_theirs = place is not None and (actor.locations is None or place.id in actor.locations)
    if channel is None or place is None or not is_theirs or channel.kind is not ChannelKind.STORE:
        raise NotFound("There is no such store.")
    return Till(channel, place)


@get("/unlock")
async def choose_locked(request: AnyRequest) -> Response[Any]:
    """A till is locked and its address does not say where it stands."""
    session, actor, database = session_of(request), actor_of(request), database_of(request)
    if session is None or session.state != "signed-in":
        raise Unauthenticated("Sign in to go on.")
    places = {
        each.channel: each for each in await stock.locations(database) if each.channel and each.is_active
    }
    found = [
        (channel, places[channel.id])
        for channel in await channels.cached_all(database)
        if channel.kind is ChannelKind.STORE
        and channel.status is ChannelStatus.ACTIVE
        and channel.id in places
        and (actor.locations is None or places[channel.id].id in actor.locations)
    ]
    if len(found) == 1:
        return face.go(request, f"/pos/{found[0][0].code}/clerks")
    shops = [
        {"name": channel.name, "note": place.address.get("city"), "href": f"/pos/{channel.code}/clerks"}
        for channel, place in found
    ]
    return face.page(request, "pos/stores.html", shop_name="Samlad", stores=shops, clerk=actor.name,
                     headers={"Cache-Control": "no-store"})  # fmt: skip


@get("/{code:str}/clerks")
async def clerks_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Names to tap; of the one that was tapped the PIN is asked for."""
    till = await _till(request, code)
    return await _page(request, till, Form.of(who=request.query_params.get("who", "")[:36]))


async def _page(request: AnyRequest, till: Till, form: Form) -> Response[Any]:
    known = await clerks.who_can_be_on(database_of(request), orders.PLACE, till.location.id)
    session = session_of(request)
    chosen = next((each for each in known if str(each.id) == form.get("who")), None)
    return show(
        request,
        till,
        "pos/clerks.html",
        status=form.status,
        clerks=known,
        chosen=chosen,
        on=session.clerk if session and session.is_till else None,
        is_locked=bool(session and session.is_till and session.clerk is None),
        form=form,
        lock_seconds=0,
    )


@post("/{code:str}/clerks", status_code=200)
async def sign_on(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Go on as somebody else; what is on the ticket stays on it."""
    till, form, _ = await _till(request, code), await read_form(request), face.words(request)
    given: tuple[UUID, str] | str
    if form.get("badge").strip():
        given = form.get("badge")[:64]
    else:
        try:
            given = (UUID(form.get("who")), form.get("pin").strip()[:16])
        except ValueError:
            form.message, form.status = _(CHOOSE_FIRST), 422
            return await _page(request, till, form)
    try:
        actor = await clerks.sign_on(
            database_of(request),
            context_of(request),
            session_of(request),
            given,
            orders.PLACE,
            till.location.id,
        )
    except WrongPin:
        form.message, form.status = _(WRONG), 422
    except TooMany as problem:
        form.message, form.status = _(WAIT) % {"seconds": problem.extra.get("retry_after", 30)}, 429
    else:
        return face.go(request, till.base, _("%(name)s is on.") % {"name": actor.name})
    return await _page(request, till, form)


@post("/{code:str}/lock", status_code=303)
async def lock(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Nobody is on until somebody is again."""
    till, _form = await _till(request, code), await read_form(request)
    session = session_of(request)
    await face.change(request, lambda tx: clerks.lock(tx, session))
    return face.go(request, f"{till.base}/clerks")


handlers = [choose_locked, clerks_page, sign_on, lock]
