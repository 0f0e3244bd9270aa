"""Waiting for a card at the terminal: the steps that a ticket, a deposit, the rest of an order and an exchange have in common.

The money is reserved first; the page that waits looks every second, and goes on as soon as it is known how that ended. Pressing
*Pay in another way* tells the terminal to stop. What is reserved and taken by nobody is let go by itself.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeVar, cast
from uuid import UUID

import msgspec
from litestar import Response

from samlad import payments
from samlad.carts import CartView, paying
from samlad.faces import page as face
from samlad.faces import pay_ways
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, current, show, till_of
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import exchange_store
from samlad.payments import Attempt, CardTerminal, TerminalBusy
from samlad.payments.permissions import TERMINAL
from samlad.payments.terminal import press
from samlad.tills.terminals import PATIENCE_SECONDS, PROVIDER, is_here, state_of

T = TypeVar("T")

OTHERWISE = marked("Choose another way to pay.")
SAID_OF_REST = MappingProxyType(
    {
        "declined": marked("The card was declined. Nothing was paid; try another card, or cash."),
        "cancelled": marked("Cancelled at the terminal. Nothing was paid."),
        "timed-out": marked("Nobody held a card to the terminal. Nothing was paid."),
        "let-go": OTHERWISE,
    }
)
WITH_RETURN = marked(
    "This ticket is paid together with a return: go on here, or choose another way to pay, which gives that up."
)


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a card at a till.

    ``href`` is the page that waits, ``back`` where another way to pay is chosen. ``then`` and ``said`` (marked) say what happens once
    the money is reserved, and how else it ended. ``take`` does what was paid for; ``whole`` (minor units) is what the payment is a part
    of. ``keeps``: what was agreed to waits on for another card, at ``href``/again.
    """

    till: Till
    seen: Attempt
    href: str
    back: str
    then: str
    take: Callable[[], Awaitable[Response[Any]]]
    whole: int | None = None
    said: Mapping[str, str] = SAID_OF_REST
    keeps: bool = False


async def look(request: AnyRequest, wait: Wait) -> Response[Any]:
    """What the terminal shows (204 for a script: still the same), or on to what it ended with."""
    state, _ = state_of(wait.seen), face.words(request)
    if state == "accepted":
        return await wait.take()
    if state == "waiting":
        return Response(None, status_code=204) if face.is_htmx(request) else await _page(request, wait)
    if wait.keeps and state != "let-go":
        ended = _(wait.said[state])
        return face.go(request, wait.href) if face.is_htmx(request) else await _page(request, wait, ended)
    return face.go(request, wait.back, _(wait.said[state]), kind="warning")


async def look_at_ticket(
    request: AnyRequest,
    code: str,
    payment: UUID,
    back: str,
    wait_for: Callable[[AnyRequest, Till, CartView, Attempt], Wait],
) -> Response[Any]:
    """`look`, for a payment of the ticket that is open at a till; to ``back`` (under the till's address) if it has no such one."""
    till = await till_of(request, code)
    cart = await current(request, till)
    if cart is None:
        return face.go(request, till.base)
    elsewhere = await with_return(request, till, cart.id)
    if elsewhere is not None:
        return elsewhere
    try:
        seen = await paying.look(database_of(request), actor_of(request), cart.id, payment)
    except NotFound:
        return face.go(request, till.base + back)
    return await look(request, wait_for(request, till, cart, seen))


async def _page(request: AnyRequest, wait: Wait, ended: str | None = None) -> Response[Any]:
    here = await terminals_here(request, wait.till)
    return show(
        request,
        wait.till,
        "pos/terminal.html",
        payment=wait.seen,
        whole=wait.whole,
        wait_href=wait.href,
        what_then=face.words(request)(wait.then),
        ended=ended,
        at=next((one.name for one in here if one.id == wait.seen.terminal), None) if len(here) > 1 else None,
        ways=[(way_of(one), one.name) for one in here],
        plays=actor_of(request).may(TERMINAL),
    )


async def wake(request: AnyRequest, verb: Callable[[Tx], Awaitable[T]]) -> T:
    """Run a verb that begins a payment at a terminal. One that is said to be busy is asked once: it may be done with what it showed, and
    the page that waited for that is gone.

    Raises:
        TerminalBusy: it waits for another card. All that the verb raises.
    """
    try:
        return await face.change(request, verb)
    except TerminalBusy as busy:
        await payments.pursue_payment(
            database_of(request), UUID(busy.extra["payment"]), patience=PATIENCE_SECONDS
        )
    return await face.change(request, verb)


async def leave(request: AnyRequest, back: str, let_go: Callable[[], Awaitable[None]]) -> Response[Any]:
    """Pay in another way: the terminal is told to stop, what it reserved is free again."""
    await read_form(request)
    await let_go()
    return face.go(request, back, face.words(request)(OTHERWISE), kind="")


async def play(request: AnyRequest, payment: UUID, href: str) -> Response[Any]:
    """Play the customer at the simulated terminal (a card that is accepted or declined, or the red button), and on to the page that waits."""
    button = (await read_form(request)).get("button")
    if button in ("approve", "decline", "cancel"):
        pressed = cast("Literal['approve', 'decline', 'cancel']", button)
        try:
            await face.change(request, lambda tx: press(tx, payment, pressed))
        except Problem as problem:
            return face.go(request, href, problem.detail, kind="warning")
    return face.go(request, href)


def cookie_of_terminal(till: Till) -> str:
    """Which card terminal stands at this device is in a cookie of its own."""
    return f"terminal-{till.channel.code}"


async def terminals_here(request: AnyRequest, till: Till) -> list[CardTerminal]:
    """The card terminals of the store, that of this till first: chosen here, else the one that was listed first."""
    if not is_here(till.channel):
        return []
    mine = request.cookies.get(cookie_of_terminal(till), "")
    found = await payments.card_terminals_of(database_of(request), till.location.id)
    return sorted(found, key=lambda one: str(one.id) != mine)


def is_by_terminal(till: Till, way: str) -> bool:
    """Whether a way that was chosen is a terminal (`way_of`)."""
    return way.partition(":")[0] == PROVIDER and is_here(till.channel)


def way_of(terminal: CardTerminal) -> str:
    """How a form says that it is to be paid there; without the id it is the till's own."""
    return f"{PROVIDER}:{terminal.id}"


async def terminal_for(request: AnyRequest, till: Till, way: str) -> UUID | None:
    """Which terminal a form has chosen; None for a store that has listed none yet.

    Raises:
        InvalidInput: what it says is no terminal.
    """
    chosen = way.partition(":")[2]
    if chosen:
        try:
            return UUID(chosen)
        except ValueError:
            raise InvalidInput.at("terminal", "there is no such card terminal here") from None
    return next((one.id for one in await terminals_here(request, till)), None)


async def ways(request: AnyRequest, till: Till) -> list[tuple[str, str]]:
    """How what is owed beside a ticket can be paid at a till: provider and name. By hand, and at each terminal that is here, the till's
    own first."""
    _ = face.words(request)
    found = [(name, _(text)) for name, text in pay_ways.of_staff(till.channel).items()]
    if not is_here(till.channel):
        return found
    here = await terminals_here(request, till)
    if len(here) < 2:
        return [*found, (PROVIDER, _("Card terminal"))]
    mine, *others = here
    named = [(PROVIDER, mine), *((way_of(one), one) for one in others)]
    return [*found, *((way, _("Card terminal “%(name)s”") % {"name": one.name}) for way, one in named)]


async def with_return(request: AnyRequest, till: Till, ticket: UUID) -> Response[Any] | None:
    """The way to where a ticket waits to be sold together with a return; None if it does not."""
    waiting = await exchange_store.open_with(database_of(request), ticket)
    if waiting is None:
        return None
    exchange, order = waiting
    return face.go(
        request, page_of_exchange(till, order, exchange), face.words(request)(WITH_RETURN), kind="warning"
    )


def page_of_exchange(till: Till, order: UUID, exchange: UUID) -> str:
    """The page that waits for what a return and new goods cost more."""
    return f"{till.base}/returns/{order}/terminal/{exchange}"
