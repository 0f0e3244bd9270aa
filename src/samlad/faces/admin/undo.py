"""Taking back: an address that undoes one change, signed, so that it can only do what was offered.

A page module says how::

    @undoable("channel.change")
    async def _undo(tx: Tx, arguments: dict[str, Any]) -> str:
        ...                      # the verb that takes it back, with the version that the change made
        return "/admin/channels" # where to go then

and offers it: ``go(request, href, text, undo=undo_href(request, "channel.change", channel=id))``.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from samlad.faces.page import AnyRequest, change, go, is_htmx, require, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of
from samlad.kernel.problems import Problem
from samlad.kernel.vault import BadSignature

Undo = Callable[[Tx, dict[str, Any]], Awaitable[str]]

UNDO_SECONDS = 3600
_PURPOSE = "admin.undo"
_KINDS: dict[str, Undo] = {}


def undoable(kind: str) -> Callable[[Undo], Undo]:
    """Decorator: this takes back changes of a kind. It gets the arguments as JSON made them."""

    def decorate(undo: Undo) -> Undo:
        _KINDS[kind] = undo
        return undo

    return decorate


def undo_href(request: AnyRequest, kind: str, **arguments: Any) -> str:
    """The address that takes a change back, for an hour and for who made it."""
    who = str(actor_of(request).id)
    text = msgspec.json.encode([kind, who, arguments]).decode()
    return f"/admin/undo/{request.app.state.runtime.vault.sign(_PURPOSE, text)}"


@post("/admin/undo/{signed:str}")
async def undo(request: AnyRequest, signed: FromPath[str]) -> Response[Any]:
    """Take a change back, unless somebody has built on it meanwhile."""
    require(request)
    _ = words(request)
    try:
        text = request.app.state.runtime.vault.unsign(_PURPOSE, signed, max_age=UNDO_SECONDS)
        kind, who, arguments = msgspec.json.decode(text, type=tuple[str, str, dict[str, Any]])
    except (BadSignature, msgspec.MsgspecError):
        return go(request, "/admin", _("It is too late to take that back here."), kind="warning")
    if who != str(actor_of(request).id):
        return go(request, "/admin", _("Only who made the change can take it back here."), kind="warning")
    try:
        href = await change(request, lambda tx: _KINDS[kind](tx, arguments))
    except Problem as problem:
        if is_htmx(request) or problem.status not in (409, 412, 422):
            raise
        text = _("It could not be taken back, because it was changed again meanwhile.")
        return go(request, "/admin", f"{text} {problem.detail}".strip(), kind="warning")
    return go(request, href, _("Taken back."))


HANDLERS = [undo]
