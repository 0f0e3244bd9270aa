"""``samlad doctor``: is everything sound?"""

from typing import TYPE_CHECKING, Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, print_table, say, with_runtime

if TYPE_CHECKING:
    from samlad.kernel.runtime import Runtime


@app.command()
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended, and book it openly.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that the data is sound: ledger and levels, holds, the log and its followers, jobs, schema.

    Only reads, unless --fix is given. Exit code 1 if a check failed.

    Example: `samlad doctor --json | jq '.[] | select(.status != "ok")'`
    """
    from samlad.app import CHECKS
    from samlad.kernel import checks

    async def look(runtime: "Runtime") -> list[checks.Result]:
        async with runtime.database.patient() as database:  # five million orders take longer than a page may
            return await checks.run(database, CHECKS, fix=fix)

    results = with_runtime(look, migrate=False)
    failed = [result for result in results if result.status == "failed"]
    if as_json:
        print_json(results)
    else:
        print_table(
            ["check", "status", "found", "what to do"],
            [
                [
                    r.name,
                    r.status,
                    f"{r.message} ({r.fixed:,} mended: {r.mended})" if r.fixed else r.message,
                    r.advice,
                ]
                for r in results
            ],
        )
        say(f"{len(results)} checks, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)
