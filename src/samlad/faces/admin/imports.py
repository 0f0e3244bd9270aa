"""Bringing products in from a file: look at it first, see what would happen to each line, then do it and watch.

The file waits in the home folder between the look and the run, for a day. Progress and result are written beside it,
so that any process of this machine can show them; an import that stops half-way is run again and goes on.
"""

import asyncio
import re
import time
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import channels
from samlad.catalog import imports
from samlad.catalog.api.transfer import LARGEST_BODY, may_upload
from samlad.catalog.imports import ImportReport
from samlad.catalog.permissions import CHANGE
from samlad.faces.admin.products import shop_channel
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, go, require, words
from samlad.kernel.context import Context
from samlad.kernel.database import Database
from samlad.kernel.http import context_of, database_of
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound, Problem, TooLarge

KEPT_SECONDS = 86_400
STALE_SECONDS = 60
_PIECE = 1 << 20
_SHOWN_LINES = 200
_LOOKED_AT = 20
_running: set[asyncio.Task[None]] = set()


class State(msgspec.Struct):
    """How far an import is."""

    name: str
    channel: str
    phase: Literal["looked", "running", "done", "failed"]
    updated_at: float
    done: int = 0
    total: int | None = None
    report: ImportReport | None = None
    problem: str = ""

    @property
    def is_stale(self) -> bool:
        """It runs, but nobody has heard of it for a minute: its process has ended."""
        return self.phase == "running" and time.time() - self.updated_at > STALE_SECONDS


def _folder(request: AnyRequest) -> Path:
    folder: Path = request.app.state.runtime.settings.home / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _write(path: Path, state: State) -> None:
    state.updated_at = time.time()
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(state))
    fresh.replace(path)


def _read(request: AnyRequest, import_id: UUID) -> State:
    path = _folder(request) / f"{import_id}.json"
    if not path.exists():
        raise NotFound("This import is not kept any more; send the file again.")
    return msgspec.json.decode(path.read_bytes(), type=State)


def _forget_old(folder: Path) -> None:
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > KEPT_SECONDS:
            path.unlink(missing_ok=True)


class Troubled(msgspec.Struct, frozen=True):
    """An import of the last day that failed, stopped, or refused lines (then ``refused`` says how many)."""

    id: str
    name: str
    refused: int


async def troubled(request: AnyRequest) -> list[Troubled]:
    """Imports that somebody should look at again, the latest first."""
    return await asyncio.to_thread(_troubled, _folder(request))


def _troubled(folder: Path) -> list[Troubled]:
    found = []
    paths = [(path.stat().st_mtime, path) for path in folder.glob("*.json")]
    for changed, path in sorted(paths, reverse=True)[:_LOOKED_AT]:
        state = msgspec.json.decode(path.read_bytes(), type=State)
        refused = state.report.refused if state.report and state.phase == "done" else 0
        if time.time() - changed < KEPT_SECONDS and (state.phase == "failed" or state.is_stale or refused):
            found.append(Troubled(path.stem, state.name, refused))
    return found


# -- looking -----------------------------------------------------------------------------------------------------------


@get("/admin/products/import")
async def show_import(request: AnyRequest) -> Response[Any]:
    """The form for a file."""
    require(request, CHANGE)
    return await _form_page(request, Form())


async def _form_page(request: AnyRequest, form: Form) -> Response[Any]:
    channel = await shop_channel(request)
    limit = request.app.state.runtime.settings.upload_limit // (1024 * 1024)
    return await admin_page(
        request, "admin/import_new.html", status_code=form.status, form=form, channel=channel, limit=limit
    )


@post("/admin/products/import", guards=[may_upload], request_max_body_size=LARGEST_BODY)
async def look(request: AnyRequest) -> Response[Any]:
    """Take the file in and say what would happen to each of its lines; nothing is written yet."""
    require(request, CHANGE)
    form, _ = await read_form(request), words(request)
    channel, folder, import_id = await shop_channel(request), _folder(request), new_id()
    await asyncio.to_thread(_forget_old, folder)
    path = folder / f"{import_id}.upload"
    try:
        upload = form.files.get("file")
        if upload is None or not upload.filename:
            raise InvalidInput.at("file", _("Please choose a file."))
        await _keep(upload, path, request.app.state.runtime.settings.upload_limit)
        options = imports.ImportOptions(channel=channel, dry_run=True)
        report = await imports.run_file(database_of(request), path, options, context=context_of(request))
    except Problem as problem:
        path.unlink(missing_ok=True)
        return await _form_page(request, form.failed(problem))
    name = re.sub(r"[^\w. -]", "_", upload.filename)[:100]
    state = State(name, channel.code, "looked", 0, report=report.short(_SHOWN_LINES))
    _write(folder / f"{import_id}.json", state)
    return go(request, f"/admin/products/import/{import_id}")


async def _keep(upload: Any, path: Path, limit: int) -> None:
    size = 0
    with path.open("wb") as out:
        while piece := await upload.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise TooLarge(f"A file may have {limit:,} bytes.", max_bytes=limit)
            await asyncio.to_thread(out.write, piece)


@get("/admin/products/import/{import_id:uuid}")
async def show_state(request: AnyRequest, import_id: FromPath[UUID]) -> Response[Any]:
    """What was found, how far it is, what became of it."""
    require(request, CHANGE)
    return await admin_page(
        request,
        "admin/import.html",
        state=_read(request, import_id),
        path=f"/admin/products/import/{import_id}",
    )


# -- doing ---------------------------------------------------------------------------------------------------------------


@post("/admin/products/import/{import_id:uuid}")
async def start(request: AnyRequest, import_id: FromPath[UUID]) -> Response[Any]:
    """Begin to write; the page then shows how far it is."""
    require(request, CHANGE)
    form, folder, state = await read_form(request), _folder(request), _read(request, import_id)
    path = folder / f"{import_id}.upload"
    if not path.exists():
        raise NotFound("The file is not kept any more; send it again.")
    if state.phase != "running" or state.is_stale:
        channel = await channels.by_code(database_of(request), state.channel)
        options = imports.ImportOptions(channel=channel, skip_refused=form.has("skip_refused"))
        state = State(state.name, state.channel, "running", 0)
        _write(folder / f"{import_id}.json", state)
        task = asyncio.create_task(_run(database_of(request), context_of(request), path, options, state))
        _running.add(task)
        task.add_done_callback(_running.discard)
    return go(request, f"/admin/products/import/{import_id}")


async def _run(
    database: Database, context: Context, path: Path, options: imports.ImportOptions, state: State
) -> None:
    target = path.with_suffix(".json")
    told = 0.0

    def progress(phase: str, done: int, total: int | None) -> None:
        nonlocal told
        if time.monotonic() - told > 0.5:
            told = time.monotonic()
            state.done, state.total = done, total if phase == "write" else None
            _write(target, state)

    try:
        report = await imports.run_file(database, path, options, context=context, progress=progress)
        state.phase, state.report = "done", report.short(_SHOWN_LINES)
        if report.is_done:
            await asyncio.to_thread(path.unlink, missing_ok=True)
    except Problem as problem:
        state.phase, state.problem = "failed", problem.detail or problem.title
    _write(target, state)


HANDLERS = [show_import, look, show_state, start]
