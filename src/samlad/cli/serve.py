"""``samlad serve``: the whole shop with one command."""

import contextlib
import os
from typing import TYPE_CHECKING, Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import say

if TYPE_CHECKING:
    from samlad.kernel.settings import Settings


def invite_first_owner(settings: "Settings") -> None:
    """Say where the first owner sets up their account, if there is none yet."""
    from samlad.access import first_start
    from samlad.cli.processes import persistently
    from samlad.kernel.database import open_database
    from samlad.kernel.runtime import dsn_of

    async def work() -> str | None:
        database = await open_database(dsn_of(settings), settings)
        try:
            return await database.transaction(lambda tx: first_start(tx, settings.socket_url))
        finally:
            await database.close()

    url = persistently(settings, work)
    if url is not None:
        say(f"Nobody owns this shop yet. Open this once to become its owner:\n  {url}")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (SAMLAD_HOST).")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on (SAMLAD_PORT).", min=1, max=65535)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Web processes (SAMLAD_WORKERS).", min=1, max=256)
    ] = None,
    worker: Annotated[
        bool, typer.Option(help="Also run the worker: followers of the log, jobs, sweepers.")
    ] = True,
) -> None:
    """Serve the shop until Ctrl-C: web pages, API, and the work in the background.

    Starts PostgreSQL in `SAMLAD_HOME` unless `SAMLAD_DATABASE_URL` names one, and brings the schema up to date.

    Example: `samlad serve --port 8080 --workers 2`
    """
    for name, value in (("HOST", host), ("PORT", port), ("WORKERS", workers)):
        if value is not None:
            os.environ[f"SAMLAD_{name}"] = str(value)  # the processes that we start read it there
    from samlad.cli import processes
    from samlad.kernel import migrations
    from samlad.kernel.runtime import dsn_of
    from samlad.kernel.settings import load
    from samlad.kernel.telemetry import configure_logging
    from samlad.packages import PACKAGES

    settings = load()
    configure_logging(settings)
    processes.check_port(settings)

    def prepare(stack: contextlib.ExitStack) -> None:
        stack.enter_context(processes.postgres(settings))
        processes.persistently(settings, lambda: migrations.migrate(dsn_of(settings), settings, PACKAGES))
        say(f"Samlad is at {settings.socket_url} (Ctrl-C ends it)")
        invite_first_owner(settings)

    with processes.ending_in_order():
        processes.serve_all(settings, prepare, worker=worker)
