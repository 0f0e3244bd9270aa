"""Acts on rows of a list or on all that its filters find: those of a page at once, all of them by a job that a page tells of."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad.access import bulk as jobs
from samlad.access.bulk import Arguments, Kind
from samlad.faces import objections
from samlad.faces.admin import bulk
from samlad.faces.admin.bulk import Named
from samlad.faces.admin.lists import href
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undoable
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, words
from samlad.kernel.database import Tx
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import NotFound, Problem

BASE = "/admin/bulk"
_REFUSED = 100
"""Rows that refused which the page of an act names."""

Keys = Callable[[AnyRequest, Mapping[str, str], int], Awaitable[list[UUID]]]
"""The rows that a list shows under filters (of its address), on all of its pages, at most so many."""


class BulkList(msgspec.Struct, frozen=True, kw_only=True):
    """An act on a list.

    Attributes:
        path: of the list. ``kind``: what is done to one row, and what makes it again what it was.
        title: what is done, of its arguments (marked). ``named``: what a row is called. ``keys``: all that fits.
    """

    path: str
    kind: Kind
    title: Callable[[AnyRequest, Arguments], str]
    named: Named[UUID]
    keys: Keys

    async def run(self, request: AnyRequest, form: Form, arguments: Arguments) -> Response[Any]:
        """Act on the rows that were picked, or begin the job for everything that fits."""
        if form.has("everything"):
            return await self._begin(request, form, arguments)

        async def act(tx: Tx, row: UUID) -> str | None:
            return await self.kind.act(tx, row, arguments)

        back = local_path(form.text("next"), self.path)
        return await bulk.run(
            request,
            bulk.picked(form),
            act,
            named=self.named,
            back=back,
            undo=self.kind.name,
            arguments=arguments,
        )

    async def _begin(self, request: AnyRequest, form: Form, arguments: Arguments) -> Response[Any]:
        asked = dict(parse_qsl(form.get("selection")))
        try:
            rows = await self.keys(request, asked, jobs.MOST + 1)
            begun = await change(request, lambda tx: jobs.begin(tx, self.kind.name, rows, arguments))
        except Problem as problem:
            if problem.status == 403:
                raise
            return go(request, href(self.path, asked), form.failed(problem).in_one_line(), kind="danger")
        return go(request, f"{BASE}/{begun}")

    async def undo(self, tx: Tx, arguments: dict[str, Any]) -> str:
        """Take back what was done to the rows of a page."""
        for row, before in bulk.rows_before(arguments):
            await self.kind.back(tx, row, before, arguments["arguments"])
        return str(arguments["back"])


_LISTS: dict[str, BulkList] = {}


def add(one: BulkList) -> BulkList:
    """Let a list have its act: for rows of a page with its undo, for all with its job."""
    jobs.declare(one.kind)
    undoable(one.kind.name)(one.undo)
    _LISTS[one.kind.name] = one
    return one


@get(f"{BASE}/{{bulk_id:uuid}}")
async def show(request: AnyRequest, bulk_id: FromPath[UUID]) -> Response[Any]:
    """How far an act is, and which rows refused."""
    require(request)
    database = database_of(request)
    found = await jobs.get(database, actor_of(request), bulk_id)
    of = _LISTS[found.kind]
    refused = []
    for row in await jobs.refused(database, bulk_id, _REFUSED):
        try:
            name = await of.named(database, row.subject)
        except NotFound:
            name = "–"
        refused.append((row.subject, name, objections.said(words(request), row.reason)))
    return await admin_page(
        request,
        "admin/bulk_act.html",
        bulk=found,
        act=of.title(request, found.arguments),
        list_path=of.path,
        refused=refused,
        most=_REFUSED,
    )


@post(f"{BASE}/{{bulk_id:uuid}}/{{act:str}}")
async def act_on(request: AnyRequest, bulk_id: FromPath[UUID], act: FromPath[str]) -> Response[Any]:
    """Stop an act, or take back what it has changed."""
    require(request)
    await read_form(request)
    here = f"{BASE}/{bulk_id}"
    if act == "stop":
        await change(request, lambda tx: jobs.stop(tx, bulk_id))
        return go(request, here, words(request)("Stopped. What was not done yet stays as it was."))
    if act != "back":
        raise NotFound("There is no such act.")
    begun = await change(request, lambda tx: jobs.take_back(tx, bulk_id))
    return go(request, f"{BASE}/{begun}")


HANDLERS = [show, act_on]
