"""``samlad followers …``: the readers of the log: how far they are, go back, retry what they put aside."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, print_table, progress, say, with_runtime

if TYPE_CHECKING:
    from samlad.kernel.followers import Follower
    from samlad.kernel.runtime import Runtime

group = typer.Typer(
    help="The followers of the event log: see their lag, send one back, retry parked events.",
    no_args_is_help=True,
)
app.add_typer(group, name="followers")

Name = Annotated[str, typer.Argument(help="The follower, as `samlad followers list` names it.")]


@group.command("list")
def list_followers(as_json: AsJson = False) -> None:
    """How far each follower is behind, and what it put aside.

    Example: `samlad followers list`
    """
    from samlad.app import FOLLOWERS
    from samlad.kernel import followers

    lags = with_runtime(lambda runtime: followers.lags(runtime.database, FOLLOWERS))
    if as_json:
        print_json(lags)
    else:
        rows = [[lag.name, lag.events, f"{lag.seconds:.1f}", lag.parked, lag.last_error] for lag in lags]
        print_table(["follower", "events behind", "seconds behind", "parked", "last error"], rows)


@group.command()
def replay(
    name: Name,
    since: Annotated[
        datetime | None,
        typer.Option(help="Go back to the first event since this moment (UTC); else to the first."),
    ] = None,
) -> None:
    """Send a follower back, so that it handles events again: to rebuild what it keeps.

    Example: `samlad followers replay search --since 2026-11-01`
    """
    from datetime import UTC

    from samlad.kernel import followers
    from samlad.kernel.log import BEGINNING

    start = BEGINNING if since is None else since.replace(tzinfo=UTC)
    _find(name)
    with_runtime(lambda runtime: followers.replay(runtime.database, name, start))
    say(f"{name} goes back to {'the beginning' if since is None else since}; a worker does the rest.")


@group.command("retry-parked")
def retry_parked(name: Name, as_json: AsJson = False) -> None:
    """Handle the events again that a follower put aside. Exit code 1 if some fail again.

    Example: `samlad followers retry-parked webhooks`
    """
    follower = _find(name)
    done, reasons = with_runtime(lambda runtime: _retry_all(runtime, follower, quiet=as_json))
    if as_json:
        print_json({"done": done, "failed": reasons})
    else:
        say(f"{done} done, {len(reasons)} failed again")
        for event_id, reason in reasons.items():
            say(f"{event_id}: {reason}")
    raise typer.Exit(1 if reasons else 0)


def _find(name: str) -> "Follower":
    from samlad.app import FOLLOWERS
    from samlad.kernel.problems import InvalidInput

    for follower in FOLLOWERS:
        if follower.name == name:
            return follower
    known = ", ".join(f.name for f in FOLLOWERS) or "none"
    raise InvalidInput(f"There is no follower called {name}. There are: {known}.")


async def _retry_all(runtime: "Runtime", follower: "Follower", *, quiet: bool) -> tuple[int, dict[str, str]]:
    from samlad.kernel import followers

    rows = await runtime.database.rows(
        "SELECT event FROM parked_event WHERE follower = $1 ORDER BY seq", follower.name
    )
    reasons = {}
    with progress("Retrying", len(rows), quiet=quiet) as step:
        for row in rows:
            try:
                await followers.retry_parked(runtime.database, follower, row["event"])
            except Exception as error:  # noqa: BLE001 - whatever the follower raises is the reason
                reasons[str(row["event"])] = f"{type(error).__name__}: {error}"
            step.advance()
    return len(rows) - len(reasons), reasons
