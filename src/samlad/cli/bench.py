"""``samlad bench``: what things cost on this machine."""

from typing import TYPE_CHECKING, Annotated

import typer

from samlad.cli import app
from samlad.cli.terminal import print_json, print_table, progress, say

if TYPE_CHECKING:
    from samlad.bench.registry import Outcome


@app.command()
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which ones; all when none is named.", metavar="[NAME]…")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a benchmark, each in a line of its own.")
    ] = False,
) -> None:
    """Measure what things cost here: checkout, oversell, list, search, import, live, start.

    Each benchmark makes a shop of its own in a temporary folder and removes it; yours is not touched. All of them
    take some minutes; keep the machine quiet meanwhile. Exit code 1 if a bound is broken.

    Example: `samlad bench checkout --json`
    """
    from samlad.bench.registry import choose, measure

    outcomes = []
    for benchmark in choose(names or []):
        with progress(f"Measuring {benchmark.name}", quiet=as_json):
            outcome = measure(benchmark)
        outcomes.append(outcome)
        if as_json:
            print_json(outcome.document())
    if not as_json:
        print_table(["benchmark", "figures", "bounds", "verdict"], [_row(outcome) for outcome in outcomes])
    broken = [text for outcome in outcomes for text in outcome.broken]
    if broken and not as_json:
        say(f"Broken: {'; '.join(broken)}")
    raise typer.Exit(1 if broken else 0)


def _row(outcome: "Outcome") -> list[str]:
    figures = "  ".join(f"{name} {value}" for name, value in outcome.figures.items())
    bounds = "; ".join(str(bound) for bound in outcome.benchmark.bounds)
    return [outcome.benchmark.name, figures, bounds, "broken" if outcome.broken else "holds"]
