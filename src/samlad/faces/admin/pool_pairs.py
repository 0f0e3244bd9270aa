"""The work list before a channel joins the catalogue of others: what its goods are there, said by hand or by a file."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import pools
from samlad.catalog import pairing
from samlad.catalog.pairing import PAIRS, Decided, DecisionInput, DecisionKind
from samlad.catalog.permissions import CHANGE
from samlad.catalog.pooling import CONTRARY
from samlad.channels.permissions import READ
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undo_href, undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, words
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem

STATES = {
    "contrary": (marked("Needs a hand"), "danger"),
    "new": (marked("Comes along"), "warning"),
    "gtin": (marked("Same GTIN"), "success"),
    "sku": (marked("Same SKU"), "success"),
    "hand": (marked("Paired by hand"), "success"),
    "parts": (marked("Same parts"), "success"),
    "another": (marked("Is another"), "info"),
    "out": (marked("Left out"), ""),
}
LARGEST_FILE = 5_000_000
LINES = 30
"""Of a page: each has buttons of its own, so that 50 would be more than 100 kB."""


def address(channel: UUID) -> str:
    """Where the work list of a channel is."""
    return f"/admin/channels/{channel}/pairs"


@get("/admin/channels/{channel_id:uuid}/pairs")
async def show_pairs(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[Any]:
    """Every variant of the channel, what needs a hand first."""
    require(request, READ, shop_wide=True)
    return await _page(request, channel_id, Form())


async def _page(request: AnyRequest, channel_id: UUID, form: Form) -> Response[Any]:
    database, _ = database_of(request), words(request)
    to = request.query_params.get("to") or None
    here = await pools.between(database, channel_id, to)
    found = await shown(request, database, PAIRS, *here.scope, also=("to", "seek"), limit=LINES)
    seek = request.query_params.get("seek", "").strip()
    return await admin_page(
        request,
        "admin/pool_pairs.html",
        status_code=form.status,
        channel=here.channel,
        list=found,
        form=form,
        states={state: (_(text), kind) for state, (text, kind) in STATES.items()},
        counts=await pairing.states(database, here.home, here.shared),
        why={code: _(text) for code, text in CONTRARY.items()},
        seek=seek,
        offered=await pairing.candidates(database, here.shared, seek) if seek else [],
        path=address(channel_id),
        export=f"/api/channels/{channel_id}/catalogue-pairs",
    )


@post("/admin/channels/{channel_id:uuid}/pairs")
async def decide_pairs(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[Any]:
    """Say of one line, or of all that were picked, what they are; it can be taken back.

    ``line`` is a kind and an SKU: ``same M-4``, which is then written in ``twin M-4``. Without it ``kind`` is said of all that
    were picked. ``open`` takes back what was said.
    """
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        done = await change(request, lambda tx: _decide(tx, channel_id, form))
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await _page(request, channel_id, form.failed(problem))
    before = msgspec.to_builtins(done.before)
    undo = undo_href(request, "pool.pairs", channel=channel_id, to=form.text("to"), before=before)
    text = _("Kept: %(count)s.") % {"count": done.count}
    back = local_path(form.get("back"), address(channel_id))
    return go(request, back, text, undo=undo if len(before) <= _UNDONE else None)


async def _decide(tx: Tx, channel_id: UUID, form: Form) -> Decided:
    return await pools.decide(tx, channel_id, await _said(tx, channel_id, form), form.text("to"))


_UNDONE = 50
"""Decisions that an address can take back; of more the list has the buttons."""


async def _said(tx: Tx, channel_id: UUID, form: Form) -> list[DecisionInput]:
    """Of one line what is written beside it, of all that were picked what the list shows."""
    kind, _, sku = form.get("line", form.get("kind")).partition(" ")
    if form.has("line") and not sku:
        raise InvalidInput.at("line", "press the button of the line that you mean")
    if kind not in (*DecisionKind, "open"):
        raise InvalidInput.at("kind", "one of same, another, out")
    told = None if kind == "open" else DecisionKind(kind)
    is_same = told is DecisionKind.SAME
    if sku:
        twin = form.text(f"twin {sku}")
        if is_same and twin is None:
            raise InvalidInput.at("twin", "which one there? write its SKU or GTIN")
        return [DecisionInput(sku=sku, kind=told, twin=twin if is_same else None)]
    picked = form.all("id")
    if not picked:
        raise InvalidInput.at("id", "pick a line first")
    here = await pools.between(tx, channel_id, form.text("to"))
    shown_as = await pairing.suggested(tx, here.home, here.shared, picked) if is_same else {}
    return [DecisionInput(sku=each, kind=told, twin=shown_as.get(each)) for each in picked]


@post("/admin/channels/{channel_id:uuid}/pairs/file")
async def read_pairs(request: AnyRequest, channel_id: FromPath[UUID]) -> Response[Any]:
    """Keep what a file says: all of it or nothing."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    try:
        upload = form.files.get("file")
        if upload is None or not upload.filename:
            raise InvalidInput.at("file", _("Please choose a file."))
        raw = await upload.read()
        if len(raw) > LARGEST_FILE:
            raise InvalidInput.at("file", f"at most {LARGEST_FILE:,} bytes")
        try:
            said = pairing.read_csv(raw.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise InvalidInput.at("file", "it is not in UTF-8: save it as “CSV UTF-8”") from None
        done = await change(request, lambda tx: pools.decide(tx, channel_id, said, form.text("to")))
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await _page(request, channel_id, form.failed(problem))
    return go(request, address(channel_id), _("Kept: %(count)s.") % {"count": done.count})


@undoable("pool.pairs")
async def _undo(tx: Tx, arguments: dict[str, Any]) -> str:
    channel = UUID(arguments["channel"])
    before = msgspec.convert(arguments["before"], list[DecisionInput])
    await pools.decide(tx, channel, before, arguments["to"])
    return address(channel)


HANDLERS = [show_pairs, decide_pairs, read_pairs]
