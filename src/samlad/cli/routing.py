"""``samlad routing``: try the rules that say which location sends an order."""

from pathlib import Path
from typing import Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import AsJson, print_json, print_table, say, with_runtime

routing = typer.Typer(no_args_is_help=True, help="Try the rules that say which location sends an order.")
app.add_typer(routing, name="routing")


@routing.command("replay")
def replay(
    channel: Annotated[str, typer.Argument(help="Code of the channel")],
    rules: Annotated[
        Path,
        typer.Argument(help="A JSON file with rules, as the API takes them", exists=True, dir_okay=False),
    ],
    days: Annotated[int, typer.Option(min=1, max=400, help="Orders of so many days")] = 30,
    limit: Annotated[
        int, typer.Option(min=1, max=2000, help="At most so many orders, the latest first")
    ] = 200,
    as_json: AsJson = False,
) -> None:
    """Compare past orders, as they were sent, with how rules would have sent them. Changes nothing.

    Example: `samlad routing replay web rules.json --days 14`
    """
    from datetime import timedelta

    import msgspec

    from samlad import channels
    from samlad.kernel.clock import now
    from samlad.kernel.problems import InvalidInput
    from samlad.kernel.runtime import Runtime
    from samlad.orders import routing_replay
    from samlad.orders.routing_model import Replay, RuleSet

    try:
        wanted = msgspec.json.decode(rules.read_bytes(), type=RuleSet)
    except msgspec.MsgspecError as error:
        raise InvalidInput.at(str(rules), str(error)) from None

    async def work(runtime: Runtime) -> Replay:
        where = await channels.by_code(runtime.database, channel)
        until = now()
        return await routing_replay.replay(
            runtime.database, where, wanted, since=until - timedelta(days=days), until=until, limit=limit
        )

    found = with_runtime(work)
    if as_json:
        print_json(found)
        return
    print_table(
        ["order", "left from", "would leave from", "why"],
        [
            [row.number, ", ".join(row.was.places), ", ".join(row.would_be.places), row.reason]
            for row in found.rows
            if row.was.places != row.would_be.places
        ],
    )
    say(
        f"{found.orders:,} orders; {found.changed:,} would leave from elsewhere, {found.undecided:,} are left to stock."
    )
    print_table(
        ["", "as it was", "by the rules"],
        [
            ["parcels", f"{found.parts_before:,}", f"{found.parts_after:,}"],
            ["kilometres", f"{found.km_before:,.0f}", f"{found.km_after:,.0f}"],
            ["cost (minor units)", f"{found.cost_before:,}", f"{found.cost_after:,}"],
        ],
    )
