"""The command line: ``samlad``. Each command is a module here; all follow the same manners.

Exit codes: 0 done, 1 failed, 2 wrong use (one line says what and how). ``--json`` where a script would want it.
"""

import sys

import typer
from rich.console import Console

from samlad.kernel.problems import InvalidInput, Problem

app = typer.Typer(
    name="samlad",
    help="The open omnichannel commerce engine: many channels, one shop.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Every command reads its settings from the environment (`SAMLAD_…`) and `samlad.toml`."""


def main() -> None:
    """Run a command; problems become one line on standard error."""
    try:
        app()
    except Problem as problem:
        message = problem.detail or problem.title
        Console(stderr=True, soft_wrap=True).print(
            f"samlad: {message}", style="red", markup=False, highlight=False
        )
        sys.exit(2 if isinstance(problem, InvalidInput) else 1)
