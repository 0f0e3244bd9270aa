"""What a clerk does with a piece of work."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath

from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.work import one, walk
from samlad.faces.pos.work_place import place_of, work_of
from samlad.kernel.database import Tx
from samlad.kernel.http import context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Outdated, Problem
from samlad.orders import WrongState, fulfilment, fulfilment_batches, fulfilment_short
from samlad.orders.fulfilment_model import (
    BatchInput,
    CodeInput,
    HandOverInput,
    LabelInput,
    PackInput,
    PickInput,
    RejectInput,
    ShipInput,
    SubstituteInput,
    TakeInput,
)
from samlad.orders.fulfilment_substitute import substitute
from samlad.orders.model import LineSelection
from samlad.stock import SoldOut

Act = Callable[[Tx, UUID, Form], Awaitable[Any]]

NOT_NOW = marked("Somebody was quicker: this has changed. Look at it as it is now.")
NO_SUCH_CODE = marked("Nothing that waits here has this code.")
NOT_FREE = marked("There is not enough of that here.")


def _take(tx: Tx, work: UUID, form: Form) -> Awaitable[Any]:
    return fulfilment.take(tx, work, TakeInput(take_over=form.has("over")))


def _pick(tx: Tx, work: UUID, form: Form) -> Awaitable[Any]:
    return fulfilment.pick(tx, work, form.into(PickInput))


def _pack(tx: Tx, work: UUID, form: Form) -> Awaitable[Any]:
    return fulfilment.pack(tx, work, form.into(PackInput))


def _label(tx: Tx, work: UUID, form: Form) -> Awaitable[Any]:
    return fulfilment.label(tx, work, form.into(LabelInput))


def _ship(tx: Tx, work: UUID, form: Form) -> Awaitable[Any]:
    return fulfilment.ship(tx, work, form.into(ShipInput), version=form.version())


def _hand_over(tx: Tx, work: UUID, form: Form) -> Awaitable[Any]:
    return fulfilment.hand_over(tx, work, form.into(HandOverInput, code=_digits(form) or None))


def _digits(form: Form) -> str:
    """A code as it is kept; the customer's page shows it in two groups."""
    return "".join(form.get("code").split())


def _substitute(tx: Tx, work: UUID, form: Form) -> Awaitable[Any]:
    return substitute(tx, work, form.into(SubstituteInput), version=form.version())


def _reject(tx: Tx, work: UUID, form: Form) -> Awaitable[Any]:
    chosen = []
    for name in form.fields:
        position = name.removeprefix("give-up-")
        if position != name and position.isdecimal() and (count := form.whole(name)):
            chosen.append(LineSelection(position=int(position), quantity=max(1, min(count, 9_999))))
    if not chosen:
        raise InvalidInput(form.translate(marked("Choose at least one piece.")))
    return fulfilment_short.reject(tx, work, form.into(RejectInput, lines=chosen), version=form.version())


ACTS: dict[str, tuple[Act, str | None]] = {
    "take": (_take, None),
    "give-back": (lambda tx, work, _form: fulfilment.give_back(tx, work), marked("A colleague can take it.")),
    "pick": (_pick, None),
    "pack": (_pack, None),
    "ready": (
        lambda tx, work, _form: fulfilment.make_ready(tx, work),
        marked("The customer has the code now."),
    ),
    "label": (_label, marked("The parcel has a number. Print its label.")),
    "ship": (_ship, marked("It has left. Its goods are out of stock.")),
    "hand-over": (_hand_over, marked("Handed over.")),
    "deliver": (lambda tx, work, _form: fulfilment.deliver_digital(tx, work), marked("Delivered.")),
    "reject": (_reject, marked("Another place is asked, or the customer.")),
    "substitute": (_substitute, marked("It is given instead. The customer pays no more.")),
    "put-back": (
        lambda tx, work, _form: fulfilment_short.put_back(tx, work),
        marked("It is on sale again, and the money goes back."),
    ),
}
"""Act by its address: the verb, and what is said after it."""
LEAVES = ("ship", "hand-over", "deliver", "give-back", "put-back", "ready")
"""After these the next piece of work is looked for."""


@post("/work/{code:str}/{fulfilment_id:uuid}/{act:str}", status_code=200)
async def act_on_work(
    request: AnyRequest, code: FromPath[str], fulfilment_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """One step of the work."""
    place, form = await place_of(request, code), await read_form(request)
    if act not in ACTS:
        raise NotFound("There is no such act.")
    work = await work_of(request, place, fulfilment_id)
    verb, said = ACTS[act]
    _ = face.words(request)
    here = f"{place.base}/{work.id}"
    try:
        if act == "hand-over" and form.text("code"):
            await fulfilment.count_try(database_of(request), context_of(request), place.location.id)
        await face.change(request, lambda tx: verb(tx, work.id, form))
    except (Outdated, WrongState):
        return face.go(request, here, _(NOT_NOW), kind="warning")
    except SoldOut:
        form.failed(InvalidInput.at("code", _(NOT_FREE)))
        return await one(request, place, work, form)
    except Problem as problem:
        return await one(request, place, await work_of(request, place, work.id), form.failed(problem))
    on = place.base if act in LEAVES else here
    return face.go(request, on, _(said) if said else None)


@post("/work/{code:str}/code", status_code=200)
async def show_code(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """A customer shows a code: what is theirs, to be looked at before it is handed over."""
    place, form = await place_of(request, code), await read_form(request)
    try:
        shown = form.into(CodeInput, location=str(place.location.id), code=_digits(form))
        await fulfilment.count_try(database_of(request), context_of(request), place.location.id)
        found = await face.change(request, lambda tx: fulfilment.by_code(tx, shown.location, shown.code))
    except (NotFound, InvalidInput):
        return face.go(request, place.base, face.words(request)(NO_SUCH_CODE), kind="danger")
    return await one(request, place, found, Form(), code=shown.code)


@post("/work/{code:str}/walks", status_code=200)
async def begin_walk(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The most urgent, picked in one walk."""
    place, form = await place_of(request, code), await read_form(request)
    try:
        wanted = form.into(BatchInput, location=str(place.location.id), fulfilments=form.all("id"))
        batch = await face.change(request, lambda tx: fulfilment_batches.begin(tx, wanted))
    except Problem as problem:
        return face.go(request, place.base, form.failed(problem).message, kind="warning")
    return face.go(request, f"{place.base}/walks/{batch.id}")


@post("/work/{code:str}/walks/{batch_id:uuid}", status_code=200)
async def pick_in_walk(request: AnyRequest, code: FromPath[str], batch_id: FromPath[UUID]) -> Response[Any]:
    """One more of a thing, and the box that it goes into."""
    place, form = await place_of(request, code), await read_form(request)
    try:
        scanned = form.into(PickInput).code or ""
        _batch, box = await face.change(request, lambda tx: fulfilment_batches.pick(tx, batch_id, scanned))
    except Problem as problem:
        return await walk(request, place, batch_id, form.failed(problem))
    return await walk(request, place, batch_id, Form(), box)


handlers = [act_on_work, show_code, begin_walk, pick_in_walk]
