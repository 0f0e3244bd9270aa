"""Price tags of a store, asked for on its till or on a phone between the shelves."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import labels
from samlad.faces import label_form
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show, till_of
from samlad.kernel.http import actor_of
from samlad.kernel.problems import Problem


@get("/{code:str}/labels")
async def labels_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Scan what needs a tag, or take all whose price has changed."""
    await face.listen_from_here(request)
    till = await till_of(request, code)
    actor_of(request).require(labels.READ)
    return await _page(request, till, label_form.fresh())


async def _page(request: AnyRequest, till: Till, form: Form) -> Response[Any]:
    return show(
        request,
        till,
        "pos/labels.html",
        status=form.status,
        headers=face.camera_headers(),
        here=f"{till.base}/labels",
        live_href=face.live_href(request, "labels"),
        **await label_form.context_of(request, till.channel, form),
    )


@post("/{code:str}/labels", status_code=303)
async def ask(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Have them made."""
    await face.listen_from_here(request)
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    try:
        await label_form.ask(request, till.channel, form)
    except Problem as problem:
        return await _page(request, till, form.failed(problem))
    return face.go(request, f"{till.base}/labels", _("The labels are being made."))


@get("/{code:str}/labels/{run_id:uuid}")
async def file(request: AnyRequest, code: FromPath[str], run_id: FromPath[UUID]) -> Response[Any]:
    """The file."""
    await till_of(request, code)
    return await label_form.file_of(request, run_id)


handlers = [labels_page, ask, file]
