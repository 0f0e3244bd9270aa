"""Price tags and shelf labels, for each channel at its prices."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels, labels
from samlad.channels import Channel, ChannelKind
from samlad.faces import label_form
from samlad.faces import page as face
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, require, words
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound, Problem

HERE = "/admin/labels"


async def _channels(request: AnyRequest) -> list[Channel]:
    """Stores first: their shelves need labels."""
    found = await channels.cached_all(database_of(request))
    return sorted(found, key=lambda one: (one.kind is not ChannelKind.STORE, one.name))


async def _chosen(request: AnyRequest, code: str | None) -> Channel:
    found = await _channels(request)
    if not found:
        raise NotFound(words(request)("There is no channel yet."))
    return next((one for one in found if one.code == code), found[0])


@get(HERE)
async def labels_page(request: AnyRequest) -> Response[Any]:
    """Which goods, on which sheets."""
    require(request, labels.READ)
    await face.listen_from_here(request)
    channel = await _chosen(request, request.query_params.get("channel"))
    return await _page(request, channel, label_form.fresh())


async def _page(request: AnyRequest, channel: Channel, form: Form) -> Response[Any]:
    return await admin_page(
        request,
        "admin/labels.html",
        status_code=form.status,
        headers=face.camera_headers(),
        here=HERE,
        channel=channel,
        channels=[(one.code, one.name) for one in await _channels(request)],
        live_href=face.live_href(request, "labels"),
        **await label_form.context_of(request, channel, form),
    )


@post(HERE, status_code=303)
async def ask(request: AnyRequest) -> Response[Any]:
    """Have them made."""
    require(request, labels.MAKE)
    await face.listen_from_here(request)
    form = await read_form(request)
    channel = await _chosen(request, form.get("shop"))
    try:
        await label_form.ask(request, channel, form)
    except Problem as problem:
        return await _page(request, channel, form.failed(problem))
    return face.go(request, f"{HERE}?channel={channel.code}", words(request)("The labels are being made."))


@get(HERE + "/{run_id:uuid}")
async def file(request: AnyRequest, run_id: FromPath[UUID]) -> Response[Any]:
    """The file."""
    require(request, labels.READ)
    return await label_form.file_of(request, run_id)


HANDLERS = [labels_page, ask, file]
