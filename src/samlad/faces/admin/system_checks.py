"""The checks of ``samlad doctor`` on the page of the machinery: looked at beside it, since they read all there is."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from samlad.faces.admin.permissions import SYSTEM_READ
from samlad.faces.page import AnyRequest, page, require
from samlad.kernel import checks
from samlad.kernel.checks import Check, Result
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.http import database_of

FRESH_SECONDS = 60
"""What was found is shown again for so long: who leafs back does not have everything read once more."""
WAIT_SECONDS = 10.0
"""An answer waits so long for what is being looked at; then the page asks again."""


_RANK: dict[checks.Status, int] = {"failed": 0, "warning": 1, "ok": 2}


class Looked(msgspec.Struct, frozen=True):
    """What a run of all checks found, when it ended, and how many seconds it took."""

    results: list[Result]
    at: datetime
    seconds: float

    @property
    def ranked(self) -> list[Result]:
        """What is not well first."""
        return sorted(self.results, key=lambda result: _RANK[result.status])

    @property
    def is_fresh(self) -> bool:
        """Whether it is young enough to be shown without looking again."""
        return (now() - self.at).total_seconds() < FRESH_SECONDS


class Looking:
    """The runs of a process over one database: one at a time, however many ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._run: asyncio.Task[Looked] | None = None

    @property
    def last(self) -> Looked | None:
        """What is known and fresh."""
        run = self._run
        if run is None or not run.done() or run.cancelled() or run.exception() is not None:
            return None
        return run.result() if run.result().is_fresh else None

    async def look(self, known: Sequence[Check], *, again: bool = False) -> Looked | None:
        """What all checks find; None while they take longer than an answer waits. ``again``: not what is fresh."""
        is_running = self._run is not None and not self._run.done()
        if not is_running and (again or self.last is None):
            self._run = asyncio.create_task(self._looked(known))
        assert self._run is not None
        done, _ = await asyncio.wait({self._run}, timeout=WAIT_SECONDS)
        return self._run.result() if done else None

    async def _looked(self, known: Sequence[Check]) -> Looked:
        began = time.monotonic()
        async with self._database.patient() as database:  # five million orders take longer than a page may
            results = await checks.run(database, known)
        return Looked(results, now(), time.monotonic() - began)


def last_looked(request: AnyRequest) -> Looked | None:
    """What this process found a moment ago."""
    return database_of(request).companion(Looking).last


@get("/admin/system/checks")
async def show_checks(request: AnyRequest, again: FromQuery[bool] = False) -> Response[Any]:
    """The piece of the page that says whether all is well; while that is being looked at, one that asks again."""
    require(request, SYSTEM_READ)
    state = request.app.state
    known = state.get("checks") or checks.kernel_checks(state.work.packages, state.work.followers)
    looked = await database_of(request).companion(Looking).look(known, again=again)
    return page(request, "admin/system_checks.html", looked=looked)


HANDLERS = [show_checks]
