"""Thresholds of many levels at once: when they run out, when they are bought again, and how many."""

from typing import Any, Literal, get_args

from litestar import Response, post
from msgspec import UNSET

from samlad import stock
from samlad.faces.admin import bulk
from samlad.faces.admin.bulk import Pair
from samlad.faces.admin.undo import undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, go, local_path, require, words
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import InvalidInput
from samlad.stock import level_store
from samlad.stock.model import LARGEST
from samlad.stock.permissions import ADJUST

Threshold = Literal["reorder_point", "reorder_quantity", "low_at"]


@post("/admin/stock/bulk")
async def set_many(request: AnyRequest) -> Response[Any]:
    """Set one threshold of the picked levels; without a number there is none."""
    require(request, ADJUST)
    form, _ = await read_form(request), words(request)
    back = local_path(form.text("next"), "/admin/stock")
    what = next((one for one in get_args(Threshold) if form.get("act") == one), None)
    if what is None:
        return go(request, back, _("Please say what is to be done with them."), kind="danger")
    try:
        wanted = _wanted(form, what)
    except InvalidInput as problem:
        told = " ".join(form.failed(problem).errors.values())
        return go(request, back, told, kind="danger")

    async def act(tx: Tx, row: Pair) -> str | None:
        before = getattr(await level_store.lock_thresholds(tx, *row), what)
        if before == wanted:
            return None
        await _put(tx, row, what, wanted)
        return "-" if before is None else str(before)

    return await bulk.run(
        request,
        bulk.picked_pairs(form),
        act,
        named=_named,
        back=back,
        undo="stock.thresholds",
        what=what,
        to=wanted,
    )


def _wanted(form: Form, what: Threshold) -> int | None:
    """Pieces as typed; nothing is none, for what has to be a number 0. Raises InvalidInput."""
    least = 1 if what == "reorder_quantity" else 0
    given = form.whole("pieces")
    if given is None:
        return 0 if what == "low_at" else None
    if not least <= given <= LARGEST:
        raise InvalidInput.at("pieces", f"{least} – {LARGEST}")
    return given


async def _put(tx: Tx, row: Pair, what: Threshold, pieces: int | None) -> None:
    await stock.set_level(
        tx,
        *row,
        low_at=pieces if what == "low_at" else None,
        reorder_point=pieces if what == "reorder_point" else UNSET,
        reorder_quantity=pieces if what == "reorder_quantity" else UNSET,
    )


async def _named(reader: Reader, row: Pair) -> str:
    return await level_store.called(reader, *row)


@undoable("stock.thresholds")
async def _undo(tx: Tx, arguments: dict[str, Any]) -> str:
    what: Threshold = arguments["what"]
    for row, before in sorted(
        bulk.pairs_before(arguments)
    ):  # in key order: two who take back at once do not wait in a circle
        held = await level_store.lock_thresholds(tx, *row)
        if getattr(held, what) == arguments["to"]:  # what somebody has changed since is theirs
            await _put(tx, row, what, None if before == "-" else int(before))
    return str(arguments["back"])


HANDLERS = [set_many]
