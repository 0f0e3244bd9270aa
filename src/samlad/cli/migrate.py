"""``samlad migrate``: bring the schema up to date."""

from typing import Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, say


@app.command()
def migrate(
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be run.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database schema up to date. `samlad serve` does it by itself.

    Any number of programs may do it at once; one that is killed is gone on with by the next.

    Example: `samlad migrate --plan`
    """
    import asyncio
    import contextlib

    from samlad.kernel import migrations
    from samlad.kernel.runtime import dsn_of, server_of
    from samlad.kernel.settings import load
    from samlad.packages import PACKAGES

    settings = load()
    verb = migrations.plan if plan else migrations.migrate
    with server_of(settings) or contextlib.nullcontext():
        found = asyncio.run(verb(dsn_of(settings), settings, PACKAGES))
    labels = [migration.label for migration in found]
    if as_json:
        print_json({"planned" if plan else "done": labels})
    elif not labels:
        say("The schema is up to date.")
    else:
        say("\n".join([f"Would run {len(labels)}:" if plan else f"Ran {len(labels)}:", *labels]))
